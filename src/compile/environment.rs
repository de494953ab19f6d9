//! Finding Python: `--python`, else an interpreter that has exactly the wanted kfp, else one to build on.

use super::cache::Interpreters;
use super::releases::PythonVersion;
use super::settings::EngineSettings;
use super::version::Wanted;
use crate::error::{Failure, Phase};
use futures::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// What an interpreter says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Interpreter {
    /// The program, resolved: never a shim.
    pub executable: PathBuf,
    /// Major, minor, patch.
    pub version: (u16, u16, u16),
    /// `cpython`, `pypy`.
    pub implementation: String,
    /// Name of the binary interface, such as `cpython-311-x86_64-linux-gnu`.
    pub abi: String,
    /// The kfp installed in it.
    pub kfp: Option<String>,
    /// The kfp-kubernetes installed in it.
    pub kubernetes: Option<String>,
    /// The pip installed in it.
    pub pip: Option<String>,
    /// The folders it lives in.
    pub prefixes: Vec<PathBuf>,
    /// Its module search path.
    pub path: Vec<PathBuf>,
}

impl Interpreter {
    /// `3.11.7`.
    pub(super) fn version_text(&self) -> String {
        let (major, minor, patch) = self.version;
        format!("{major}.{minor}.{patch}")
    }

    /// `3.11`.
    pub(super) const fn python(&self) -> PythonVersion {
        PythonVersion(self.version.0, self.version.1)
    }
}

const PROBE: &str = include_str!("probe.py");

/// The oldest Python this program's own driver runs on.
pub(super) const OLDEST: PythonVersion = PythonVersion(3, 9);

/// Longest time an interpreter may take to say what it is.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// A version manager's stand-in takes a tenth of a second to answer, and there may be one for every version.
const ASKED_AT_ONCE: usize = 4;

/// The interpreter to compile with or to build on, and whether it has the wanted kfp already.
///
/// # Errors
/// No Python at all, a named one that does not run, one that is too old.
pub(super) async fn find(
    settings: &EngineSettings,
    wanted: &Wanted,
    known: &Interpreters,
) -> Result<Interpreter, Failure> {
    if let Some(python) = &settings.python {
        let interpreter = known.ask(settings, python).await.map_err(|cause| {
            Failure::usage(
                Phase::Prepare,
                format!("`{}` does not run as Python: {cause}", python.display()),
            )
            .hint("give a Python 3.9 or newer with `--python`")
        })?;
        return old_enough(interpreter);
    }
    let mut usable: Option<Interpreter> = None;
    let mut too_old: Option<Interpreter> = None;
    let mut seen = Vec::new();
    for round in &candidates(settings) {
        if usable.is_some() {
            break;
        }
        let mut answers = stream::iter(round)
            .map(|candidate| known.ask(settings, candidate))
            .buffered(ASKED_AT_ONCE);
        while let Some(answer) = answers.next().await {
            let Ok(interpreter) = answer else { continue };
            if seen.contains(&interpreter.executable) {
                continue;
            }
            seen.push(interpreter.executable.clone());
            if interpreter.python() < OLDEST {
                too_old.get_or_insert(interpreter);
                continue;
            }
            if interpreter.kfp.as_deref() == Some(wanted.version.as_str()) {
                return Ok(interpreter);
            }
            if usable.is_none() {
                usable = Some(interpreter);
            }
        }
    }
    match (usable, too_old) {
        (Some(interpreter), _) => Ok(interpreter),
        (None, Some(interpreter)) => old_enough(interpreter),
        (None, None) => Err(Failure::usage(Phase::Prepare, "no Python was found on `PATH`")
            .hint("install Python 3.9 or newer, or name one with `--python`")),
    }
}

fn old_enough(interpreter: Interpreter) -> Result<Interpreter, Failure> {
    if interpreter.python() >= OLDEST {
        return Ok(interpreter);
    }
    Err(Failure::usage(
        Phase::Prepare,
        format!(
            "`{}` is Python {}, which is too old",
            interpreter.executable.display(),
            interpreter.version_text()
        ),
    )
    .hint(format!(
        "install Python {OLDEST} or newer, or name one with `--python`"
    )))
}

/// `python3` and `python` on `PATH`, then the versioned names, newest first. Version managers have a stand-in for
/// every version, of which `python3` starts the chosen one: the others are for when that is of no use.
fn candidates(settings: &EngineSettings) -> [Vec<PathBuf>; 2] {
    let names = [
        "python3",
        "python",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
        "python3.9",
        "python3.14",
    ];
    let mut seen = BTreeSet::new();
    let (real, stand_ins): (Vec<_>, Vec<_>) = names
        .iter()
        .flat_map(|name| on_path(settings, name))
        .filter(|program| seen.insert(own_name(program)))
        .partition(|program| program.ends_with("python3") || !is_stand_in(program));
    [real, stand_ins]
}

/// Whether a version manager put it there, to start the version it finds chosen.
pub(super) fn is_stand_in(program: &Path) -> bool {
    program.parent().is_some_and(|folder| folder.ends_with("shims"))
}

/// `python3.11` for the `python3` beside it that is a link to it, in the folder that `/bin` is a link to. A
/// link into another folder stays: a virtual environment's program differs from the one it points to.
fn own_name(program: &Path) -> PathBuf {
    let mut program = program.to_owned();
    // as many links as the kernel follows
    for _ in 0..40 {
        match std::fs::read_link(&program) {
            Ok(target) if target.components().count() == 1 && target.is_relative() => {
                program.set_file_name(target);
            }
            _ => break,
        }
    }
    match (program.parent().map(Path::canonicalize), program.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => program,
    }
}

/// Every program of that name on the program's `PATH`, in its order; the working directory never counts.
pub(super) fn on_path(settings: &EngineSettings, name: &str) -> Vec<PathBuf> {
    let path = settings
        .variable("PATH")
        .unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .filter(|program| is_program(program))
        .collect()
}

/// Whether a file is there that may be started.
pub(super) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Asks an interpreter what it is, isolated (`-I`): neither the working directory nor `PYTHON…` has a say.
///
/// # Errors
/// Why it did not answer, as a fragment.
pub(super) async fn probe(settings: &EngineSettings, python: &Path) -> Result<Interpreter, String> {
    let mut command = Command::new(python);
    command
        .args(["-I", "-B", "-c", PROBE])
        .env_clear()
        .envs(tool_environment(settings))
        .current_dir(&settings.working_directory)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PROBE_TIMEOUT, command.output())
        .await
        .map_err(|_| format!("no answer within {} s", PROBE_TIMEOUT.as_secs()))?
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = text
        .lines()
        .find_map(|line| line.strip_prefix("kfp-gitops-probe "));
    match answer.map(serde_json::from_str::<Interpreter>) {
        Some(Ok(interpreter)) => Ok(interpreter),
        _ => {
            let error = String::from_utf8_lossy(&output.stderr);
            let last = error.lines().rev().find(|line| !line.trim().is_empty());
            Err(last.map_or_else(|| format!("{}", output.status), |line| line.trim().to_owned()))
        }
    }
}

/// What installers and version managers need: where things are, how to reach the index. Never a worker's.
pub(super) fn tool_environment(settings: &EngineSettings) -> Vec<(OsString, OsString)> {
    const NAMES: [&str; 26] = [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "TMPDIR",
        "LANG",
        "LC_ALL",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_DIRS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NETRC",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
    ];
    const PREFIXES: [&str; 5] = ["PIP_", "UV_", "PYENV_", "ASDF_", "MISE_"];
    settings
        .environment
        .iter()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            NAMES.contains(&name.as_ref()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake(folder: &Path, name: &str, body: &str) -> PathBuf {
        let path = folder.join(name);
        crate::compile::fixtures::script(&path, &format!("#!/bin/sh\n{body}\n"));
        path
    }

    fn answer(executable: &str, version: &str, kfp: &str) -> String {
        format!(
            "echo noise; echo 'kfp-gitops-probe {{\"executable\":\"{executable}\",\"version\":{version},\
             \"implementation\":\"cpython\",\"abi\":\"x\",\"kfp\":{kfp},\"kubernetes\":null,\"pip\":null,\
             \"prefixes\":[],\"path\":[]}}'"
        )
    }

    fn settings(folder: &Path) -> EngineSettings {
        let mut settings = EngineSettings::new(folder, folder);
        settings.environment.insert("PATH".into(), folder.into());
        settings
    }

    fn wanted() -> Wanted {
        Wanted {
            version: "2.16.0".into(),
            from: "x".into(),
            pin_hint: None,
            range: None,
            pinned: true,
            notes: Vec::new(),
        }
    }

    #[tokio::test]
    async fn the_one_with_the_wanted_kfp_wins() {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), "python3", &answer("/a", "[3,12,1]", "\"2.17.0\""));
        fake(folder.path(), "python", &answer("/b", "[3,11,1]", "\"2.16.0\""));
        let found = find(&settings(folder.path()), &wanted(), &Interpreters::forgetful())
            .await
            .unwrap();
        assert_eq!(found.executable, Path::new("/b"));
    }

    #[test]
    fn one_program_of_many_names_is_asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, venv) = (folder.path().join("bin"), folder.path().join("venv"));
        std::fs::create_dir(&bin).unwrap();
        std::fs::create_dir(&venv).unwrap();
        fake(&bin, "python3.11", "");
        let link = |target: &Path, place: PathBuf| std::os::unix::fs::symlink(target, place).unwrap();
        link(Path::new("python3.11"), bin.join("python3"));
        link(Path::new("python3"), bin.join("python"));
        link(&bin.join("python3"), venv.join("python3"));
        link(&bin, folder.path().join("same"));
        let mut settings = settings(&bin);
        let path = std::env::join_paths([&bin, &venv, &folder.path().join("same")]).unwrap();
        settings.environment.insert("PATH".into(), path);
        assert_eq!(
            candidates(&settings),
            [vec![bin.join("python3"), venv.join("python3")], vec![]]
        );
    }

    #[tokio::test]
    async fn none_too_old_and_broken_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        let failure = find(&settings, &wanted(), &Interpreters::forgetful())
            .await
            .unwrap_err();
        assert!(failure.message.contains("no Python"), "{failure}");
        fake(folder.path(), "python3", &answer("/a", "[3,6,15]", "null"));
        let failure = find(&settings, &wanted(), &Interpreters::forgetful())
            .await
            .unwrap_err();
        assert!(failure.message.contains("too old"), "{failure}");
        settings.python = Some(fake(folder.path(), "broken", "echo no way >&2; exit 3"));
        let failure = find(&settings, &wanted(), &Interpreters::forgetful())
            .await
            .unwrap_err();
        assert!(failure.message.contains("no way"), "{failure}");
    }

    #[test]
    fn installers_see_no_tokens() {
        let mut settings = settings(Path::new("/"));
        settings.environment.insert("GITHUB_TOKEN".into(), "x".into());
        settings.environment.insert("PIP_INDEX_URL".into(), "x".into());
        let names: Vec<_> = tool_environment(&settings)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["PATH", "PIP_INDEX_URL"]);
    }
}
