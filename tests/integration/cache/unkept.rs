//! What nobody can know again is not kept, with the reason; what only looks like it is.

use super::{cached, hits, said};
use crate::compile_support::{Tree, plain};

/// What a file does at its top level, and the reason why its result is not kept.
const UNSURE: &[(&str, &str)] = &[
    ("import time\nx = time.time()", "reads the clock"),
    ("from time import time\nx = time()", "reads the clock"),
    ("import time\nx = time.strftime('%Y')", "reads the clock"),
    ("import datetime\nx = datetime.datetime.now()", "reads the clock"),
    ("from datetime import date\nx = date.today()", "reads the clock"),
    (
        "from datetime import datetime, timezone\nx = datetime.now(tz=timezone.utc)",
        "reads the clock",
    ),
    (
        "import datetime\nx = getattr(datetime.datetime, 'utcnow')()",
        "reads the clock",
    ),
    ("import random\nx = random.randint(1, 9)", "draws random numbers"),
    (
        "import random\nx = random.Random().random()",
        "draws random numbers",
    ),
    ("import uuid\nx = uuid.uuid4()", "draws random numbers"),
    ("import uuid\nx = uuid.uuid1()", "draws random numbers"),
    ("import secrets\nx = secrets.token_hex()", "draws random numbers"),
    ("import os\nx = os.urandom(4)", "draws random numbers"),
    ("x = open('/dev/urandom', 'rb').read(1)", "draws random numbers"),
    ("import posix\nx = posix.urandom(4)", "draws random numbers"),
    ("import ssl\nx = ssl.RAND_bytes(4)", "draws random numbers"),
    ("import _ssl\nx = _ssl.RAND_bytes(4)", "draws random numbers"),
    (
        "import _random\nx = _random.Random().random()",
        "draws random numbers",
    ),
    (
        "import _uuid\nx = _uuid.generate_time_safe()",
        "draws random numbers",
    ),
    (
        "import email.utils\nx = email.utils.localtime()",
        "reads the clock",
    ),
    (
        "from email.utils import localtime\nx = localtime()",
        "reads the clock",
    ),
    (
        "import email.utils\nx = email.utils.formatdate()",
        "reads the clock",
    ),
    ("import time\nx = time.localtime()", "reads the clock"),
    ("import time\nx = time.gmtime(None)", "reads the clock"),
    (
        "import datetime\nx = list(map(datetime.datetime.now, [None]))",
        "reads the clock",
    ),
    (
        "import datetime\nclock = datetime.datetime.now\nx = list(map(clock, [None]))",
        "reads the clock",
    ),
    (
        "import datetime, functools\nx = functools.partial(datetime.date.today)()",
        "reads the clock",
    ),
    (
        "import datetime, operator\nx = operator.methodcaller('now')(datetime.datetime)",
        "reads the clock",
    ),
    (
        "from datetime import datetime\ndef stamp():\n    return max([None], key=datetime.now)\nx = stamp()",
        "reads the clock",
    ),
    (
        "import dataclasses, datetime\n@dataclasses.dataclass\nclass D:\n    \
         at: object = dataclasses.field(default_factory=datetime.datetime.now)\nx = D()",
        "reads the clock",
    ),
    (
        "import posix\nx = posix.stat(__file__).st_mtime",
        "reads the times",
    ),
    (
        "import os\nx = os.stat(path=__file__).st_mtime",
        "reads the times",
    ),
    (
        "import os\nx = os.path.getmtime(os.open(__file__, os.O_RDONLY))",
        "reads the times",
    ),
    (
        "import os\nx = os.access('x', os.F_OK, dir_fd=os.open('.', os.O_RDONLY))",
        "asks for permissions",
    ),
    ("import os\nx = os.umask(0o22)", "asks for the machine"),
    (
        "import threading\nx = threading.get_native_id()",
        "asks for its process",
    ),
    (
        "import logging\nlogging.basicConfig(format='{created} {message}', style='{')\nlogging.warning('x')",
        "prints the time",
    ),
    (
        "import logging\nlogging.basicConfig(format='%(process)d %(message)s')\nlogging.warning('x')",
        "prints the time",
    ),
    ("import posix\nx = posix.listdir('.')", "lists a folder"),
    ("import posix\nx = posix.getpid()", "asks for its process"),
    (
        "import posix\nx = dict(posix.environ)",
        "reads the whole environment",
    ),
    ("import os\nx = os.environb.copy()", "reads the whole environment"),
    (
        "import io\nx = io.FileIO('/proc/cpuinfo').read()",
        "reads `/proc/cpuinfo`",
    ),
    (
        "import _io\nx = _io.open('/proc/cpuinfo').read()",
        "reads `/proc/cpuinfo`",
    ),
    (
        "import os\nx = os.sysconf('SC_NPROCESSORS_ONLN')",
        "asks for the machine",
    ),
    ("import pwd\nx = pwd.getpwuid(0)", "asks for the machine"),
    ("import grp\nx = grp.getgrgid(0)", "asks for the machine"),
    (
        "import resource\nx = resource.getrusage(resource.RUSAGE_SELF)",
        "asks for the machine",
    ),
    ("import os\nx = os.getpid()", "asks for its process"),
    ("import platform\nx = platform.node()", "asks for the machine"),
    ("import os\nx = os.listdir('.')", "lists a folder"),
    ("import os\nx = list(os.scandir('.'))", "lists a folder"),
    ("import os\nx = list(os.walk('.'))", "lists a folder"),
    ("import glob\nx = glob.glob('*.py')", "lists a folder"),
    (
        "from pathlib import Path\nx = list(Path('.').iterdir())",
        "lists a folder",
    ),
    ("import os\nx = os.stat(__file__).st_mtime", "reads the times"),
    ("import os\nx = os.path.getmtime(__file__)", "reads the times"),
    (
        "from pathlib import Path\nx = Path(__file__).stat()",
        "reads the times",
    ),
    ("import os\nx = dict(os.environ)", "reads the whole environment"),
    ("import os\nx = os.environ['HOME']", "reads `HOME`"),
    ("import os\nx = os.path.expanduser('~')", "reads `HOME`"),
    ("x = open('/proc/cpuinfo').read()", "reads `/proc/cpuinfo`"),
    (
        "import os\nx = os.path.exists('/usr/bin/env')",
        "looks for `/usr/bin/env`",
    ),
    (
        "import socket\ntry:\n    socket.socket()\nexcept OSError:\n    pass",
        "uses the network",
    ),
    (
        "import subprocess\nx = subprocess.run(['true'])",
        "starts a program",
    ),
    ("import os\nx = os.system('true')", "starts a program"),
    (
        "import threading\nthreading.Thread(target=int).start()",
        "starts a thread",
    ),
    ("import ctypes\nctypes.CDLL(None)", "calls native code"),
    ("import tempfile\nx = tempfile.mkdtemp()", "asks for its process"),
    (
        "import logging\nlogging.basicConfig(format='%(asctime)s')\nlogging.warning('x')",
        "prints the time",
    ),
];

/// What a file does, and its result is kept all the same.
const SURE: &[&str] = &[
    "import datetime\ndef later():\n    return datetime.datetime.now()",
    "import datetime, time, random, os, uuid, socket",
    "import random\nx = random.Random(7).random()",
    "import logging\nlogging.warning('something')",
    "import logging\nlogging.basicConfig(format='%(processName)s %(message)s')\nlogging.warning('something')",
    "import hashlib, base64, re, json, pathlib, dataclasses, functools, itertools, typing, collections",
    "import datetime\nx = datetime.datetime(2020, 1, 1).isoformat()",
    "import time\nx = time.gmtime(0)",
    "import os\nx = os.environ.get('NOT_SET')\nx = os.path.abspath(__file__)",
    "import os\nx = os.path.getsize(__file__)",
    "import inspect\nx = inspect.getsource(inspect.getmodule(inspect.currentframe()))",
    "print('said while compiling')\nimport warnings\nwarnings.warn('careful')",
    "import platform\nx = platform.system() + platform.python_version()",
    "import subprocess, concurrent.futures, tempfile, shutil, zipfile, urllib.request, asyncio",
    "import email.utils, ssl, _random, pwd, grp, resource, posix",
    "import random\nclass Own(random.Random):\n    pass\nx = Own(3).random()",
    "import datetime\nclass Clock:\n    def now(self):\n        return 1\nx = Clock().now()",
    "import datetime, time\nx = datetime.datetime.fromtimestamp(0), time.localtime(0), time.ctime(0)",
];

fn source(code: &str, name: &str) -> String {
    format!("{code}\n{}", plain(name))
}

#[test]
fn what_nobody_can_know_again_is_not_kept() {
    let mut tree = Tree::new();
    for (number, (code, _)) in UNSURE.iter().enumerate() {
        tree.pipeline(
            &format!("n{number}_pipeline.py"),
            &source(code, &format!("n{number}")),
        );
    }
    let settings = cached(&tree);
    for _ in 0..2 {
        let result = tree.compile(&settings);
        assert_eq!(hits(&result), 0);
        let engine = result.engine.as_ref().unwrap();
        for (number, (code, reason)) in UNSURE.iter().enumerate() {
            let file = format!("n{number}_pipeline.py");
            assert!(
                result.files[number].outcome.is_ok(),
                "{code}: {:?}",
                result.files[number].outcome
            );
            let said = engine.not_cached.iter().find(|one| one.file == file);
            assert!(
                said.is_some_and(|one| one.reason.contains(reason)),
                "{code}: {said:?}"
            );
        }
    }
}

#[test]
fn what_only_looks_like_it_is_kept() {
    let mut tree = Tree::new();
    for (number, code) in SURE.iter().enumerate() {
        tree.pipeline(
            &format!("s{number}_pipeline.py"),
            &source(code, &format!("s{number}")),
        );
    }
    let settings = cached(&tree);
    let cold = tree.compile(&settings);
    assert_eq!(cold.engine.as_ref().unwrap().not_cached, []);
    let warm = tree.compile(&settings);
    assert_eq!(hits(&warm), SURE.len());
    assert_eq!(said(&warm), said(&cold));
    assert!(
        said(&warm)
            .iter()
            .any(|text| text.contains("said while compiling"))
    );
    assert!(said(&warm).iter().any(|text| text.contains("careful")));
}

#[test]
fn failures_are_compiled_anew() {
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", "raise ValueError('no')\n");
    let settings = cached(&tree);
    for _ in 0..2 {
        let result = tree.compile(&settings);
        assert_eq!(hits(&result), 0);
        assert!(result.files[0].outcome.is_err());
        assert_eq!(result.engine.as_ref().unwrap().not_cached, []);
    }
}
