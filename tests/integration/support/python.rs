//! A Python with the real KFP SDK, for tests that compile or that drive the official client.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The SDK the tests are written against, with what it needs for platform features.
const PACKAGES: [&str; 2] = ["kfp==2.17.0", "kfp-kubernetes==2.17.0"];

/// Names an interpreter that already has [`PACKAGES`], so that nothing is installed.
const OVERRIDE: &str = "KFP_GITOPS_TEST_PYTHON";

/// An interpreter that has kfp 2.17.0 and kfp-kubernetes 2.17.0.
///
/// Made once under `target/test-python` from `python3` and reused by all tests and runs; a lock file keeps
/// tests of other processes waiting meanwhile. Needs a package index the first time.
pub fn with_kfp() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| std::env::var_os(OVERRIDE).map_or_else(prepare, PathBuf::from))
}

/// A Python of its own which finds these packages before [`with_kfp`]'s, and runs this line whenever it starts.
pub fn with_packages(folder: &Path, packages: &[(&str, &str)], at_start: &str) -> PathBuf {
    let mine = folder.join("packages");
    for (path, text) in packages {
        let path = mine.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let theirs = output(Command::new(with_kfp()).args(["-I", "-c", ask]));
    let home = folder.join("venv");
    output(
        Command::new(with_kfp())
            .args(["-I", "-m", "venv", "--without-pip"])
            .arg(&home),
    );
    let python = home.join("bin/python");
    let own = output(Command::new(&python).args(["-I", "-c", ask]));
    let lines = format!("{}\n{}\n{at_start}\n", mine.display(), theirs.trim());
    fs::write(Path::new(own.trim()).join("machine.pth"), lines).unwrap();
    python
}

fn prepare() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("test-python");
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();

    let version = output(Command::new("python3").args([
        "-I",
        "-c",
        "import sys; print('%d.%d' % sys.version_info[:2])",
    ]));
    let folder = home.join(format!("kfp-2.17.0-python-{}", version.trim()));
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    if !complete.exists() {
        // What is there without the mark is half of an earlier attempt.
        let _ = fs::remove_dir_all(&folder);
        if runs(Command::new("uv").arg("--version")) {
            output(
                Command::new("uv")
                    .args(["venv", "--quiet", "--python", "python3"])
                    .arg(&folder),
            );
            output(
                Command::new("uv")
                    .args(["pip", "install", "--quiet", "--python"])
                    .arg(&python)
                    .args(PACKAGES),
            );
        } else {
            output(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            output(
                Command::new(&python)
                    .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                    .args(PACKAGES),
            );
        }
        fs::write(&complete, PACKAGES.join("\n")).unwrap();
    }
    python
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Runs a command that must succeed, and gives what it printed.
fn output(command: &mut Command) -> String {
    // A tests' Python must not see another project's packages.
    command
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .env_remove("VIRTUAL_ENV");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed ({}); set {OVERRIDE} to an interpreter with {}\n{}",
        output.status,
        PACKAGES.join(" and "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
