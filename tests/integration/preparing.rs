//! Preparing Python through the binary: what a stranger's requirements may do, and what goes wrong in the world.

use crate::support::machine::{is_root, unshared};
use crate::support::{Said, folder, kfp_gitops, run, write};
use serde_json::Value;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A pipeline that cannot be compiled without a module, whose name and version it tells.
pub fn importing(module: &str) -> String {
    format!(
        "import {module}\nfrom kfp import dsl\n\n\n@dsl.component(base_image='python:3.12')\ndef say(): pass\n\n\n\
         @dsl.pipeline(name='a', description=str(getattr({module}, 'FOUND', '')))\ndef a():\n    say()\n"
    )
}

const PLAIN: &str = "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.12')\ndef say(): pass\n\n\n\
                     @dsl.pipeline(name='a')\ndef a():\n    say()\n";

/// The interpreter behind `python3`, without a version manager's shim.
pub fn python() -> PathBuf {
    let output = Command::new("python3")
        .args(["-I", "-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// A folder for `PATH` that holds these programs and nothing else.
pub fn path_with(programs: &[(&str, &Path)]) -> tempfile::TempDir {
    let path = folder(&[]);
    for (name, program) in programs {
        std::os::unix::fs::symlink(program, path.path().join(name)).unwrap();
    }
    path
}

/// The installers there are: each with a `PATH` on which it is the one that is found.
pub fn installers() -> Vec<(&'static str, tempfile::TempDir)> {
    let python = python();
    let mut found = vec![("pip", path_with(&[("python3", &python)]))];
    if let Some(uv) = uv() {
        found.push(("uv", path_with(&[("python3", &python), ("uv", &uv)])));
    }
    found
}

/// The program itself, because a version manager's shim needs its manager on `PATH`.
pub fn uv() -> Option<PathBuf> {
    let of_package = Command::new(python())
        .args(["-c", "import uv; print(uv.find_uv_bin())"])
        .output()
        .unwrap();
    let of_package = String::from_utf8(of_package.stdout).unwrap();
    let on_path = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("uv"))
        .collect::<Vec<_>>();
    std::iter::once(PathBuf::from(of_package.trim()))
        .chain(on_path)
        .find(|path| {
            std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF") || !bytes.starts_with(b"#!"))
        })
}

pub fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A source package that says what it could do while it was built.
fn bait(folder: &Path, outside: &Path, configuration: &Path) {
    let setup = format!(
        "import os\nfrom setuptools import setup\nfound = []\n\
         def attempt(name, what):\n    try:\n        what()\n        found.append(name)\n    except OSError:\n        pass\n\
         attempt('write', lambda: open({outside:?} + '/written', 'w'))\n\
         attempt('read', lambda: open({outside:?} + '/secret').read())\n\
         attempt('configuration', lambda: open({configuration:?} + '/open').read())\n\
         attempt('closed configuration', lambda: open({configuration:?} + '/closed').read())\n\
         attempt('chmod', lambda: os.chmod({outside:?} + '/secret', 0o666))\n\
         attempt('parent', lambda: open('/proc/%d/environ' % os.getppid()).read())\n\
         found += [name for name in os.environ if 'HUNTER' in name]\n\
         open('kfp_gitops_bait.py', 'w').write('FOUND = %r' % sorted(set(found)))\n\
         setup(name='kfp-gitops-bait', version='1.0', py_modules=['kfp_gitops_bait'])\n"
    );
    source_package(folder, &setup);
}

/// `kfp-gitops-bait` as source alone.
pub fn source_package(folder: &Path, setup: &str) {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let metadata = "Metadata-Version: 2.1\nName: kfp-gitops-bait\nVersion: 1.0\n";
    for (name, text) in [("setup.py", setup), ("PKG-INFO", metadata)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive
            .append_data(
                &mut header,
                format!("kfp_gitops_bait-1.0/{name}"),
                text.as_bytes(),
            )
            .unwrap();
    }
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    std::fs::File::create(folder.join("kfp_gitops_bait-1.0.tar.gz"))
        .unwrap()
        .write_all(&bytes)
        .unwrap();
}

fn first(report: &Value) -> &Value {
    &report["pipelines"][0]
}

pub fn error(said: &Said) -> String {
    let report = said.json();
    let error = &first(&report)["error"];
    format!(
        "{}\nhint: {}\n{}",
        error["message"].as_str().unwrap_or_else(|| panic!("{said:?}")),
        error["hint"].as_str().unwrap_or_default(),
        error["detail"].as_str().unwrap_or_default()
    )
}

#[test]
fn a_strangers_source_package_is_not_built_unless_allowed_and_then_in_the_sandbox() {
    use std::os::unix::fs::PermissionsExt;
    let outside = tempfile::Builder::new().prefix("outside").tempdir().unwrap();
    write(outside.path(), "secret", "secret");
    executable(outside.path());
    let shelf = folder(&[]);
    executable(shelf.path());
    // where the system keeps its own, as only root can: else a folder like any other, which nobody gets
    let configuration = tempfile::Builder::new()
        .prefix("kfp-gitops-test")
        .tempdir_in("/etc")
        .unwrap_or_else(|_| tempfile::tempdir().unwrap());
    executable(configuration.path());
    for (name, mode) in [("open", 0o644), ("closed", 0o600)] {
        write(configuration.path(), name, "secret");
        let path = configuration.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    bait(shelf.path(), outside.path(), configuration.path());
    let root = folder(&[
        ("a_pipeline.py", &importing("kfp_gitops_bait")),
        ("requirements.txt", "kfp-gitops-bait==1.0\n"),
    ]);
    let written = outside.path().join("written");
    let caches = folder(&[]);
    // closed to others, as a runner's own folders are: whoever builds there keeps root's right to search
    std::fs::set_permissions(caches.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let compile = |path: &Path, cache: &str, more: &[&str]| {
        run(kfp_gitops(root.path())
            .args(["compile", "-o", "out", "--format", "json", "--cache-dir"])
            .arg(caches.path().join(cache))
            .args(more)
            .env("PATH", path)
            .env("PIP_FIND_LINKS", shelf.path())
            .env("UV_FIND_LINKS", shelf.path())
            .env("HUNTER_TOKEN", "x")
            .env("HUNTER", "x"))
    };
    let installers = installers();
    for (installer, path) in &installers {
        let refused = compile(path.path(), installer, &[]);
        assert_eq!(refused.code, 1, "{installer}: {refused:?}");
        let text = error(&refused);
        assert!(
            text.contains("no wheel of `kfp-gitops-bait"),
            "{installer}: {text}"
        );
        assert!(
            text.contains("`compile.source_builds: allow`"),
            "{installer}: {text}"
        );
        assert!(
            text.contains("No module named 'kfp_gitops_bait'"),
            "{installer}: {text}"
        );
        assert!(!written.exists(), "{installer} built it");
    }
    let (installer, path) = installers.last().unwrap();
    let allow = ["--source-builds", "allow", "--sandbox"];
    let built = compile(path.path(), installer, &[&allow[..], &["require"]].concat());
    assert_eq!(built.code, 0, "{built:?}");
    assert!(!written.exists(), "a build wrote outside");
    // modes of its own user's files are out of Landlock's reach; root's builds run as another user
    let expected = if is_root() {
        "['configuration']"
    } else {
        "['chmod']"
    };
    assert_eq!(told(root.path()), expected, "what a build reached");
    // and each of it is possible where nothing stands in the way
    let open = compile(path.path(), "open", &[&allow[..], &["off"]].concat());
    assert_eq!(open.code, 0, "{open:?}");
    assert!(written.exists());
    assert_eq!(
        told(root.path()),
        "['chmod', 'closed configuration', 'configuration', 'parent', 'read', 'write']"
    );
}

/// What the build said, through the description of the pipeline that imported it.
pub fn told(root: &Path) -> String {
    let text = std::fs::read_to_string(root.join("out/a_pipeline.yaml")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# Description: "));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn the_tree_does_not_choose_the_index() {
    let evil = TcpListener::bind("127.0.0.1:0").unwrap();
    evil.set_nonblocking(true).unwrap();
    let address = format!("http://{}/simple", evil.local_addr().unwrap());
    for (installer, path) in installers() {
        let cache = folder(&[]);
        let compile = |root: &Path| {
            run(kfp_gitops(root)
                .args(["compile", "--format", "json", "--cache-dir"])
                .arg(cache.path())
                .env("PATH", path.path())
                .env("PIP_RETRIES", "0")
                .env("UV_HTTP_RETRIES", "0"))
        };
        for (name, text, part) in [
            (
                "requirements.txt",
                format!("# a\n--index-url {address}\ncowsay\n"),
                "`requirements.txt:2` has the option `--index-url`",
            ),
            (
                "requirements.txt",
                format!("--extra-index-url={address}\ncowsay\n"),
                "`requirements.txt:1` has the option `--extra-index-url`",
            ),
            (
                "requirements.txt",
                format!("cowsay @ {address}/cowsay.whl\n"),
                "`requirements.txt:1` requires an address",
            ),
        ] {
            let root = folder(&[("a_pipeline.py", &importing("cowsay")), (name, &text)]);
            let said = compile(root.path());
            assert_eq!(said.code, 1, "{installer}: {said:?}");
            let shown = error(&said);
            assert!(shown.contains(part), "{installer}: {shown}");
            assert!(shown.contains("hint: "), "{installer}: {shown}");
        }
        let script = format!("# /// script\n# dependencies = [\"cowsay\\n--index-url {address}\"]\n# ///\n");
        let root = folder(&[("a_pipeline.py", &format!("{script}{}", importing("cowsay")))]);
        let shown = error(&compile(root.path()));
        assert!(shown.contains("`a_pipeline.py` "), "{installer}: {shown}");

        // configuration of the installers that lies in the tree
        let root = folder(&[
            ("a_pipeline.py", &importing("cowsay")),
            ("requirements.txt", "cowsay==6.1\n"),
            (
                "uv.toml",
                &format!("index-url = \"{address}\"\n[pip]\nindex-url = \"{address}\"\n"),
            ),
            ("pip.conf", &format!("[global]\nindex-url = {address}\n")),
            (
                "pyproject.toml",
                &format!("[project]\nname='x'\nversion='1'\n[tool.uv.pip]\nindex-url = \"{address}\"\n"),
            ),
        ]);
        let said = compile(root.path());
        assert_eq!(said.code, 0, "{installer}: {said:?}");
    }
    assert!(
        evil.accept().is_err(),
        "somebody asked the index that the tree named"
    );
}

#[test]
fn what_excludes_each_other_is_named() {
    for (installer, path) in installers() {
        let root = folder(&[
            ("a_pipeline.py", &importing("cowsay")),
            ("requirements.txt", "cowsay\nprotobuf<4\n"),
        ]);
        let said = run(kfp_gitops(root.path())
            .args(["compile", "--format", "json"])
            .env("PATH", path.path()));
        assert_eq!(said.code, 1, "{installer}: {said:?}");
        let shown = error(&said);
        assert!(
            shown.contains("`kfp==2.17.0` needs `protobuf"),
            "{installer}: {shown}"
        );
        assert!(
            shown.contains("but the project requires `protobuf<4`"),
            "{installer}: {shown}"
        );
    }
}

/// The command with a cache of its own and no package index.
fn offline(root: &Path, path: &Path, cache: &Path) -> Command {
    let mut command = kfp_gitops(root);
    command
        .args(["compile", "--format", "json", "--cache-dir"])
        .arg(cache)
        .env("PATH", path)
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("UV_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("UV_CACHE_DIR", cache.join("uv"))
        .env("PIP_CACHE_DIR", cache.join("pip"))
        .env("PIP_RETRIES", "0")
        .env("UV_HTTP_RETRIES", "0")
        .env_remove("PIP_FIND_LINKS");
    command
}

fn plain() -> tempfile::TempDir {
    folder(&[("a_pipeline.py", PLAIN)])
}

#[test]
fn an_index_that_is_down_is_infrastructure() {
    let root = plain();
    for (installer, path) in installers() {
        let cache = folder(&[]);
        let said = run(&mut offline(root.path(), path.path(), cache.path()));
        assert_eq!(said.code, 75, "{installer}: {said:?}");
        let text = error(&said);
        assert!(
            text.contains("the package index cannot be reached"),
            "{installer}: {text}"
        );
        assert!(text.contains("`PIP_INDEX_URL`"), "{installer}: {text}");
    }
}

#[test]
fn a_folder_of_wheels_needs_no_index() {
    let root = plain();
    // what this program installs, as its own list of it says
    let prepared = run(kfp_gitops(root.path()).args(["env", "--prepare", "--format", "json"]));
    assert_eq!(prepared.code, 0, "{prepared:?}");
    let site = prepared.json()["environment"].as_str().map(PathBuf::from);
    let list = match site {
        Some(site) => site.parent().unwrap().join("requirements.txt"),
        None => panic!("the Python of the tests has kfp itself: {prepared:?}"),
    };
    let wheels = folder(&[]);
    let download = Command::new(python())
        .args([
            "-I",
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
        ])
        .arg(wheels.path())
        .arg("-r")
        .arg(list)
        .output()
        .unwrap();
    assert!(download.status.success(), "{download:?}");
    for (installer, path) in installers() {
        let cache = folder(&[]);
        let said = run(offline(root.path(), path.path(), cache.path())
            .arg("--wheelhouse")
            .arg(wheels.path()));
        assert_eq!(said.code, 0, "{installer}: {said:?}");
        let empty = folder(&[]);
        let cache = folder(&[]);
        let said = run(offline(root.path(), path.path(), cache.path())
            .arg("--wheelhouse")
            .arg(empty.path()));
        assert_eq!(said.code, 1, "{installer}: {said:?}");
        assert!(
            error(&said).contains("--wheelhouse"),
            "{installer}: {}",
            error(&said)
        );
    }
}

#[test]
fn no_python_and_no_installer_are_told_apart() {
    let root = plain();
    let cache = folder(&[]);
    let nothing = folder(&[]);
    let said = run(&mut offline(root.path(), nothing.path(), cache.path()));
    assert_eq!(said.code, 2, "{said:?}");
    let text = error(&said);
    assert!(text.contains("no Python was found on `PATH`"), "{text}");
    assert!(text.contains("hint: install Python 3.9 or newer"), "{text}");

    let old = folder(&[]);
    let answer = "{\"executable\":\"/old/python3\",\"version\":[3,8,18],\"implementation\":\"cpython\",\"abi\":\"x\",\
                  \"kfp\":null,\"kubernetes\":null,\"pip\":null,\"prefixes\":[],\"path\":[]}";
    write(
        old.path(),
        "python3",
        &format!("#!/bin/sh\necho 'kfp-gitops-probe {answer}'\n"),
    );
    executable(&old.path().join("python3"));
    let said = run(&mut offline(root.path(), old.path(), cache.path()));
    assert_eq!(said.code, 2, "{said:?}");
    let text = error(&said);
    assert!(
        text.contains("`/old/python3` is Python 3.8.18, which is too old"),
        "{text}"
    );
    assert!(text.contains("hint: install Python 3.9 or newer"), "{text}");

    let bare = folder(&[]);
    let made = Command::new(python())
        .args(["-I", "-m", "venv", "--without-pip"])
        .arg(bare.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let said = run(&mut offline(root.path(), &bare.path().join("bin"), cache.path()));
    assert_eq!(said.code, 2, "{said:?}");
    let text = error(&said);
    assert!(
        text.contains("has no pip, and there is no `uv` on `PATH`"),
        "{text}"
    );
    assert!(text.contains("hint: install `uv`"), "{text}");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let root = plain();
    let (_, path) = installers().pop().unwrap();
    write(root.path(), "file", "x");
    let in_file = root.path().join("file/cache");
    // not even root makes folders there
    for cache in [Path::new("/sys/kfp-gitops-cache"), &in_file] {
        let said = run(kfp_gitops(root.path())
            .args(["compile", "--format", "json", "--cache-dir"])
            .arg(cache)
            .env("PATH", path.path()));
        assert_eq!(said.code, 2, "{said:?}");
        let text = error(&said);
        assert!(text.contains("the cache directory cannot be written"), "{text}");
        assert!(text.contains(&cache.display().to_string()), "{text}");
        assert!(text.contains("`--cache-dir`"), "{text}");
    }
}

#[test]
fn a_full_disk_is_infrastructure() {
    let root = plain();
    for (installer, path) in installers() {
        let small = folder(&[]);
        // a small disk of its own, seen by this command alone
        let script = "mount -t tmpfs -o size=3m none \"$1\" || exit 222; cd \"$2\" && exec env PATH=\"$3\" \"$4\" \
                      compile --format json --cache-dir \"$1\"";
        let said = run(unshared("--mount", &kfp_gitops(root.path()))
            .args(["sh", "-c", script, "sh"])
            .args([small.path(), root.path(), path.path()])
            .arg(env!("CARGO_BIN_EXE_kfp-gitops")));
        if said.out.is_empty() {
            eprintln!("skipped: no disk can be mounted here: {}", said.err);
            return;
        }
        assert_eq!(said.code, 75, "{installer}: {said:?}");
        let text = error(&said);
        assert!(text.contains("the disk"), "{installer}: {text}");
        assert!(text.contains("is full"), "{installer}: {text}");
        assert!(text.contains("`--cache-dir`"), "{installer}: {text}");
    }
}

#[test]
fn two_runs_at_once_make_one_environment_and_no_half_one_is_used() {
    let root = plain();
    let cache = folder(&[]);
    let (_, path) = installers().pop().unwrap();
    let prepare = || {
        let mut command = kfp_gitops(root.path());
        command
            .args(["env", "--prepare", "--format", "json", "--cache-dir"])
            .arg(cache.path())
            .env("PATH", path.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    };
    // what a run that was killed leaves, and what somebody made by hand
    let described = run(kfp_gitops(root.path())
        .args(["env", "--format", "json", "--cache-dir"])
        .arg(cache.path())
        .env("PATH", path.path()));
    let site = PathBuf::from(described.json()["environment"].as_str().unwrap());
    let environment = site.parent().unwrap();
    write(&site, "kfp/__init__.py", "raise SystemExit('half')\n");
    let name = environment.file_name().unwrap().to_string_lossy().into_owned();
    let python_folder = environment.parent().unwrap();
    write(python_folder, &format!(".{name}.killed/site/x"), "x");

    let children: Vec<_> = (0..2).map(|_| prepare().spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let left: Vec<String> = std::fs::read_dir(python_folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|entry| !entry.ends_with(".lock"))
        .collect();
    assert_eq!(left, [name], "one environment and nothing half-made");
    let said = run(kfp_gitops(root.path())
        .args(["compile", "--format", "json", "--cache-dir"])
        .arg(cache.path())
        .env("PATH", path.path()));
    assert_eq!(said.code, 0, "{said:?}");
}
