//! What the integration tests share: the binary in a scrubbed environment, and small repositories.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Variables that would make a test depend on the machine it runs on.
const SCRUBBED: &[&str] = &[
    "GITHUB_",
    "GITEA_",
    "FORGEJO_",
    "RUNNER_",
    "ACTIONS_",
    "INPUT_",
    "KFP_",
    "KF_",
    "CI",
    "NO_COLOR",
    "XDG_",
    "ACT",
    "PYTHON",
    "VIRTUAL_ENV",
];

/// The binary under test, with a clean environment and a cache of its own under `target/`.
#[must_use]
pub fn kfp_gitops(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfp-gitops"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if SCRUBBED.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(folder)
        .env("XDG_CACHE_HOME", cache())
        .env("KFP_GITOPS_COLOR", "never");
    command
}

/// One cache for all tests and all runs of them, so that kfp is fetched once.
#[must_use]
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// The root of this repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Standard output as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Runs a command to its end.
#[must_use]
pub fn run(command: &mut Command) -> Said {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the binary starts");
    Said {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// A folder with files in it.
#[must_use]
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

/// Writes a file, its folders included.
pub fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

/// Runs git in a folder, with an identity of its own.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("git starts");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A copy of the examples in a repository of its own, so that commits, marks and the registry are one test's.
#[must_use]
pub fn examples() -> tempfile::TempDir {
    let root = folder(&[]);
    git(root.path(), &["init", "-q"]);
    for entry in std::fs::read_dir(repository().join("examples"))
        .expect("examples")
        .flatten()
    {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "py")
        {
            let text = std::fs::read_to_string(entry.path()).expect("an example");
            write(
                root.path(),
                &format!("examples/{}", entry.file_name().to_string_lossy()),
                &text,
            );
        }
    }
    root
}
