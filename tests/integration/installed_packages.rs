//! What packages that the project installs may do: their code runs in fenced children alone, never where the
//! results of all files pass.

use crate::preparing::{
    error, executable, importing, path_with, python as plain_python, source_package, told,
};
use crate::support::{Said, folder, kfp_gitops, python, run};
use std::path::Path;
use std::process::Command;

/// Stands for a dependency of kfp, and remembers which process loaded it.
const LOADED: &str = "import os\nPID = os.getpid()\nclass Parsed:\n    short_description = long_description = description = None\n    \
                      params = []\n    returns = None\n    many_returns = []\n    meta = []\ndef __getattr__(name):\n    return Parsed\ndef parse(*_, **__):\n    return Parsed()\n";
const STARTED: &str = "import os, sys; sys.kfp_gitops_started = os.getpid()\n";

/// Makes a wheel of these files with the program that reads wheels: nobody else needs archives of this kind.
const WHEEL: &str = "import base64, hashlib, json, sys, zipfile\nfolder, name, version, files = json.loads(sys.argv[1])\n\
    stem = '%s-%s' % (name, version)\ninfo = stem + '.dist-info/'\n\
    files[info + 'METADATA'] = 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version)\n\
    files[info + 'WHEEL'] = 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'\n\
    record = ''\nfor path, text in files.items():\n    hashed = hashlib.sha256(text.encode()).digest()\n    \
    record += '%s,sha256=%s,%d\\n' % (path, base64.urlsafe_b64encode(hashed).rstrip(b'=').decode(), len(text.encode()))\n\
    files[info + 'RECORD'] = record + info + 'RECORD,,\\n'\n\
    with zipfile.ZipFile('%s/%s-py3-none-any.whl' % (folder, stem), 'w') as wheel:\n    \
    for path, text in files.items():\n        wheel.writestr(path, text)\n";

fn wheel(shelf: &Path, name: &str, version: &str, files: &[(&str, &str)]) {
    let files: serde_json::Map<String, serde_json::Value> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).into()))
        .collect();
    let order = serde_json::json!([shelf, name, version, files]).to_string();
    let made = Command::new(plain_python())
        .args(["-I", "-c", WHEEL, &order])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Says who loaded the packages that it imports: this process, or the one that all files share.
fn pipeline(module: &str) -> String {
    format!(
        "import os, sys\nimport {module}\nimport docstring_parser\nfrom kfp import dsl\n\
         own = lambda pid: 'nobody' if pid is None else 'own' if pid == os.getpid() else 'shared'\n\
         said = [own(getattr(docstring_parser, 'PID', None)), own(getattr(sys, 'kfp_gitops_started', None)),\n        \
         own(getattr({module}, 'PID', None))]\n\
         @dsl.component(base_image='python:3.12')\ndef say(): pass\n\n\
         @dsl.pipeline(name='a', description=' '.join(said))\ndef a():\n    say()\n"
    )
}

/// Starts something that has left its session and its parent, and says so.
const LEAVES: &str = "import os\nreading, writing = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n    \
                      os.write(writing, b'left')\n    os.closerange(0, 64)\n    os.execv('/bin/sleep', ['sleep', 'SECONDS'])\nos.wait()\n\
                      said = os.read(reading, 9)\n";

/// A number of seconds by which a process of this test can be told.
fn seconds(round: u32) -> String {
    format!("{}.{round}", 6_000_000 + std::process::id())
}

/// The processes that sleep for so long.
fn sleepers(seconds: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    pids.filter(|pid| {
        let line = std::fs::read(Path::new("/proc").join(pid).join("cmdline")).unwrap_or_default();
        line == format!("sleep\0{seconds}\0").as_bytes()
    })
    .collect()
}

struct Shelf {
    shelf: tempfile::TempDir,
    path: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        let python = plain_python();
        let mut programs = vec![("python3", python.as_path())];
        let uv = crate::preparing::uv();
        programs.extend(uv.as_deref().map(|uv| ("uv", uv)));
        let shelf = folder(&[]);
        wheel(
            shelf.path(),
            "kfp_gitops_bait",
            "1.0",
            &[
                ("kfp_gitops_bait.py", "import os\nPID = os.getpid()\n"),
                ("sitecustomize.py", STARTED),
                ("usercustomize.py", STARTED),
                ("kfp_gitops_bait.pth", STARTED),
                ("kfp_bait-nspkg.pth", STARTED),
            ],
        );
        Self {
            shelf,
            path: path_with(&programs),
            cache: folder(&[]),
        }
    }

    fn compile(&self, root: &Path, more: &[&str]) -> Said {
        run(kfp_gitops(root)
            .args([
                "compile",
                "-o",
                "out",
                "--format",
                "json",
                "--verbose",
                "--no-cache",
                "--cache-dir",
            ])
            .arg(self.cache.path())
            .args(more)
            .env("PATH", self.path.path())
            .env("PIP_FIND_LINKS", self.shelf.path())
            .env("UV_FIND_LINKS", self.shelf.path()))
    }
}

#[test]
fn packages_of_the_project_run_in_children_alone() {
    let shelf = Shelf::new();
    let text = pipeline("kfp_gitops_bait");
    let root = folder(&[
        ("a_pipeline.py", text.as_str()),
        ("requirements.txt", "kfp-gitops-bait==1.0\n"),
    ]);
    let said = shelf.compile(root.path(), &["--sandbox", "require"]);
    assert_eq!(said.code, 0, "{}", error(&said));
    assert_eq!(told(root.path()), "nobody nobody own");
    assert!(
        !said.out.contains("imports kfp anew"),
        "nothing of kfp was replaced: {said:?}"
    );

    wheel(
        shelf.shelf.path(),
        "docstring_parser",
        "0.99.0",
        &[("docstring_parser/__init__.py", LOADED)],
    );
    // a package of kfp's own, in another version which the project may well ask for
    let root = folder(&[
        ("a_pipeline.py", text.as_str()),
        (
            "requirements.txt",
            "kfp-gitops-bait==1.0\ndocstring-parser==0.99.0\n",
        ),
    ]);
    let said = shelf.compile(root.path(), &["--sandbox", "require"]);
    assert_eq!(said.code, 0, "{}", error(&said));
    assert_eq!(
        told(root.path()),
        "own nobody own",
        "it is the project's, and its own"
    );
    assert!(
        said.out.contains("replace `docstring_parser/__init__.py`"),
        "{said:?}"
    );

    // and so it is seen where the supervisor does load it: from a Python that has it installed itself
    let machine = folder(&[]);
    let packages = [
        ("docstring_parser/__init__.py", LOADED),
        ("kfp_gitops_bait.py", ""),
    ];
    let python = python::with_packages(machine.path(), &packages, STARTED.trim());
    let python = python.display().to_string();
    let root = folder(&[("a_pipeline.py", text.as_str()), ("requirements.txt", "")]);
    let said = shelf.compile(root.path(), &["--python", &python]);
    assert_eq!(said.code, 0, "{}", error(&said));
    assert_eq!(told(root.path()), "shared shared nobody");
}

#[test]
fn what_a_build_leaves_behind_ends_with_it() {
    let mut shelf = Shelf::new();
    executable(shelf.shelf.path());
    let leaves = |round: u32| LEAVES.replace("SECONDS", &seconds(round));
    // it does live on where nobody sees to it
    let alone = Command::new(plain_python())
        .args(["-I", "-c", &leaves(0)])
        .output()
        .unwrap();
    assert!(alone.status.success(), "{alone:?}");
    let left = sleepers(&seconds(0));
    assert_eq!(left.len(), 1, "{left:?}");
    Command::new("kill").args(["-9", &left[0]]).status().unwrap();

    let folder_of_packages = shelf.shelf.path().to_path_buf();
    std::fs::remove_file(folder_of_packages.join("kfp_gitops_bait-1.0-py3-none-any.whl")).unwrap();
    let package = |round: u32, then: &str| {
        let setup = format!(
            "{}open('kfp_gitops_bait.py', 'w').write('FOUND = %r' % said)\n{then}\nfrom setuptools import setup\n\
             setup(name='kfp-gitops-bait', version='1.0', py_modules=['kfp_gitops_bait'])\n",
            leaves(round)
        );
        source_package(&folder_of_packages, &setup);
    };
    let root = folder(&[
        ("a_pipeline.py", &importing("kfp_gitops_bait")),
        ("requirements.txt", "kfp-gitops-bait==1.0\n"),
    ]);
    for (round, sandbox) in [(1, "require"), (2, "off")] {
        package(round, "");
        shelf.cache = folder(&[]);
        executable(shelf.cache.path());
        let allow = ["--source-builds", "allow", "--sandbox", sandbox];
        let said = shelf.compile(root.path(), &allow);
        assert_eq!(said.code, 0, "{}", error(&said));
        assert_eq!(told(root.path()), "b'left'", "it was started");
        assert_eq!(
            sleepers(&seconds(round)),
            [""; 0],
            "{sandbox}: it outlived the build"
        );
    }

    // the program is killed in the middle of a build
    package(3, "import time; time.sleep(600)");
    let cache = folder(&[]);
    executable(cache.path());
    let mut program = kfp_gitops(root.path())
        .args(["compile", "--source-builds", "allow", "--no-cache", "--cache-dir"])
        .arg(cache.path())
        .env("PATH", shelf.path.path())
        .env("PIP_FIND_LINKS", shelf.shelf.path())
        .env("UV_FIND_LINKS", shelf.shelf.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let wait_until = |what: &str, done: &dyn Fn() -> bool| {
        for _ in 0..1200 {
            if done() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("{what}");
    };
    wait_until("the build did not start", &|| !sleepers(&seconds(3)).is_empty());
    program.kill().unwrap();
    program.wait().unwrap();
    wait_until("it outlived the program", &|| sleepers(&seconds(3)).is_empty());
}
