//! The ways in which a file comes to know something.

/// A way to an input: the code of a function that gives what it found, the input's file, what it holds for a value,
/// and what lies beside it. `#` stands for the number of the way in its file.
pub struct Way {
    pub code: &'static str,
    pub file: &'static str,
    pub content: fn(&str) -> Vec<u8>,
    pub beside: &'static [(&'static str, &'static str)],
}

fn plainly(value: &str) -> Vec<u8> {
    value.as_bytes().to_vec()
}

fn module(value: &str) -> Vec<u8> {
    format!("V = {value:?}\n").into_bytes()
}

fn json(value: &str) -> Vec<u8> {
    format!("{{\"v\": {value:?}}}").into_bytes()
}

fn archive(value: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(value.len() as u64);
    header.set_cksum();
    archive
        .append_data(&mut header, "v.txt", value.as_bytes())
        .unwrap();
    archive.into_inner().unwrap()
}

fn component(value: &str) -> Vec<u8> {
    format!("name: c\nimplementation:\n  container:\n    image: {value}\n    command: [x]\n").into_bytes()
}

/// An archive that holds `zipped.py`, not compressed.
fn zip(value: &str) -> Vec<u8> {
    const NAME: &[u8] = b"zipped.py";
    let content = module(value);
    let mut crc = flate2::Crc::new();
    crc.update(&content);
    let size = u32::try_from(content.len()).unwrap();
    // versions, flags and method; time and date; checksum, sizes and lengths
    let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x58];
    for number in [crc.sum(), size, size] {
        common.extend(number.to_le_bytes());
    }
    common.extend([9, 0, 0, 0]);
    let mut bytes = [&b"PK\x03\x04"[..], &common, NAME, &content].concat();
    let at = u32::try_from(bytes.len()).unwrap();
    let entry = [&b"PK\x01\x02\x14\x00"[..], &common, &[0; 14], NAME].concat();
    let length = u32::try_from(entry.len()).unwrap();
    bytes.extend(entry);
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend(length.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

macro_rules! way {
    ($code:literal, $file:literal, $content:expr) => {
        way!($code, $file, $content, &[])
    };
    ($code:literal, $file:literal, $content:expr, $beside:expr) => {
        Way {
            code: $code,
            file: $file,
            content: $content,
            beside: $beside,
        }
    };
}

pub const WAYS: &[Way] = &[
    way!("import m#\nreturn m#.V", "m#.py", module),
    way!(
        "from p#.q import V\nreturn V",
        "p#/q.py",
        module,
        &[("p#/__init__.py", "")]
    ),
    way!(
        "import p#\nreturn p#.V",
        "p#/q.py",
        module,
        &[("p#/__init__.py", "from .q import V\n")]
    ),
    way!(
        "import p#\nreturn getattr(p#, 'V', 'empty')",
        "p#/__init__.py",
        module,
        &[("p#/q.py", "")]
    ),
    way!("import n#.x as x\nreturn x.V", "n#/x.py", module),
    way!(
        "import importlib\nreturn importlib.import_module('i#').V",
        "i#.py",
        module
    ),
    way!(
        "import importlib.util\nreturn importlib.util.find_spec('f#') is None",
        "f#.py",
        module
    ),
    way!(
        "try:\n    import o# as found\nexcept ImportError:\n    import e# as found\nreturn found.V",
        "o#.py",
        module,
        &[("e#.py", "V = 'else'\n")]
    ),
    way!(
        "import h#\nreturn h#.read()",
        "h#.txt",
        plainly,
        &[(
            "h#.py",
            "import os\ndef read():\n    return open(os.path.dirname(__file__) + '/h#.txt').read()\n"
        )]
    ),
    way!("return open(here + '/a#.txt').read()", "a#.txt", plainly),
    way!(
        "from pathlib import Path\nreturn (Path(here) / 'b#.txt').read_text()",
        "b#.txt",
        plainly
    ),
    way!(
        "import io\nreturn io.FileIO(here + '/c#.txt').read()",
        "c#.txt",
        plainly
    ),
    way!(
        "import _io\nreturn _io.open_code(here + '/d#.txt').read()",
        "d#.txt",
        plainly
    ),
    way!(
        "import os\nreturn os.read(os.open(here + '/g#.txt', os.O_RDONLY), 99)",
        "g#.txt",
        plainly
    ),
    way!(
        "import posix\nreturn posix.read(posix.open(here + '/j#.txt', 0), 99)",
        "j#.txt",
        plainly
    ),
    way!(
        "import json\nreturn json.load(open(here + '/k#.json'))['v']",
        "k#.json",
        json
    ),
    way!(
        "import mmap\nf = open(here + '/l#.txt', 'rb')\nreturn mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:]",
        "l#.txt",
        plainly
    ),
    way!(
        "import linecache\nreturn linecache.getline(here + '/q#.txt', 1)",
        "q#.txt",
        plainly
    ),
    way!(
        "import runpy\nreturn runpy.run_path(here + '/r#.py')['V']",
        "r#.py",
        module
    ),
    way!(
        "import pkgutil\nreturn pkgutil.get_data('s#', 'd.txt')",
        "s#/d.txt",
        plainly,
        &[("s#/__init__.py", "")]
    ),
    way!(
        "import importlib.resources\nreturn importlib.resources.files('t#').joinpath('d.txt').read_text()",
        "t#/d.txt",
        plainly,
        &[("t#/__init__.py", "")]
    ),
    way!(
        "import tarfile\nreturn tarfile.open(here + '/u#.tar').extractfile('v.txt').read()",
        "u#.tar",
        archive
    ),
    way!(
        "import shutil, tempfile\nreturn shutil.copy(here + '/v#.txt', tempfile.mkdtemp()) and open(here + '/v#.txt').read()",
        "v#.txt",
        plainly
    ),
    way!(
        "from kfp import components\nc = components.load_component_from_file(here + '/w#.yaml')\nreturn c.component_spec.implementation.container.image",
        "w#.yaml",
        component
    ),
    way!("import os\nreturn os.path.exists(here + '/x#')", "x#", plainly),
    way!(
        "import os\nreturn os.path.isfile(here + '/y#'), os.path.isdir(here + '/y#')",
        "y#",
        plainly
    ),
    way!(
        "import os\nreturn os.path.isdir(here + '/z#')",
        "z#/inside",
        plainly
    ),
    way!(
        "import os\nreturn os.access(here + '/aa#', os.F_OK)",
        "aa#",
        plainly
    ),
    way!("import os\nreturn os.path.getsize(here + '/bb#')", "bb#", plainly),
    way!(
        "from pathlib import Path\nreturn Path(here, 'cc#').exists(), Path(here, 'cc#').is_file()",
        "cc#",
        plainly
    ),
    way!("import os\nreturn os.stat(here + '/dd#').st_size", "dd#", plainly),
    way!(
        "import posix\nreturn posix.stat(here + '/ee#').st_size",
        "ee#",
        plainly
    ),
    way!(
        "import os\nreturn sorted(os.listdir(here + '/ff#'))",
        "ff#/one",
        plainly,
        &[("ff#/two", "")]
    ),
    way!(
        "import glob\nreturn len(glob.glob(here + '/gg#*.txt'))",
        "gg#.txt",
        plainly
    ),
    way!(
        "import os\nreturn [one.name for one in os.scandir(here + '/hh#')]",
        "hh#/one",
        plainly,
        &[("hh#/two", "")]
    ),
    way!(
        "import sys\nsys.path.insert(0, here + '/ii#.zip')\nimport zipped\nreturn zipped.V",
        "ii#.zip",
        zip
    ),
    way!(
        "import zipfile\nreturn zipfile.ZipFile(here + '/kk#.zip').read('zipped.py')",
        "kk#.zip",
        zip
    ),
    way!(
        "import configparser\nc = configparser.ConfigParser()\nreturn c.read(here + '/jj#.ini')",
        "jj#.ini",
        |value| format!("[{value}]\n").into_bytes()
    ),
    way!(
        "import os\nreturn os.environ.get('PROPERTY_VARIABLE_#', 'unset')",
        "",
        plainly
    ),
];
