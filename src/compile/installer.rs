//! Running `uv`, or `pip` where there is none, and making sense of how they fail.

use super::environment::{Interpreter, on_path, tool_environment};
use super::install::INSTALL_TIMEOUT;
use super::settings::EngineSettings;
use crate::error::{Failure, Phase};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// A program that installs packages into a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Installer {
    /// `uv pip install --target`.
    Uv(PathBuf),
    /// `python -m pip install --target`.
    Pip,
}

/// What to install.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a> {
    /// The requirements file.
    pub requirements: &'a Path,
    /// Whether every file's hash is in it and must match.
    pub hashed: bool,
    /// Whether dependencies are added by the resolver.
    pub resolve: bool,
}

impl Installer {
    /// `uv` from `PATH` if it answers, else the interpreter's pip.
    ///
    /// # Errors
    /// Neither is there.
    pub(super) async fn find(settings: &EngineSettings, interpreter: &Interpreter) -> Result<Self, Failure> {
        for uv in on_path(settings, "uv") {
            // version managers leave shims that only say "not installed"
            let answer = Command::new(&uv)
                .arg("--version")
                .env_clear()
                .envs(tool_environment(settings))
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output()
                .await;
            if answer.is_ok_and(|output| output.status.success()) {
                return Ok(Self::Uv(uv));
            }
        }
        if interpreter.pip.is_some() {
            return Ok(Self::Pip);
        }
        Err(Failure::usage(
            Phase::Prepare,
            format!(
                "`{}` has no pip, and there is no `uv` on `PATH`, so kfp cannot be installed",
                interpreter.executable.display()
            ),
        )
        .hint("install `uv`, or `python3-pip`, or kfp itself"))
    }

    /// `uv` or `pip`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Uv(_) => "uv",
            Self::Pip => "pip",
        }
    }
}

/// Installs into an empty folder.
///
/// # Errors
/// The installer's own message, shortened, with what to do.
pub(super) async fn run(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    installer: &Installer,
    options: &Options<'_>,
    target: &Path,
) -> Result<(), Failure> {
    let mut command = match installer {
        Installer::Uv(uv) => {
            let mut command = Command::new(uv);
            command.args([
                "pip",
                "install",
                "--quiet",
                "--no-progress",
                "--color",
                "never",
                "--compile-bytecode",
            ]);
            command.arg("--python").arg(&interpreter.executable);
            // files in the cache may be shared with other environments: a pipeline must not reach them
            command.args(["--link-mode", "copy"]);
            command
        }
        Installer::Pip => {
            let mut command = Command::new(&interpreter.executable);
            command.args([
                "-I",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
            ]);
            command.arg("--no-warn-script-location");
            command
        }
    };
    if options.hashed {
        command.arg("--require-hashes");
    }
    if !options.resolve {
        command.arg("--no-deps");
    }
    if let Some(wheelhouse) = &settings.wheelhouse {
        command.arg("--no-index").arg("--find-links").arg(wheelhouse);
    }
    command
        .arg("--target")
        .arg(target)
        .arg("-r")
        .arg(options.requirements);
    let output = command
        .env_clear()
        .envs(tool_environment(settings))
        .current_dir(&settings.root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(INSTALL_TIMEOUT, output)
        .await
        .map_err(|_| {
            Failure::infrastructure(
                Phase::Prepare,
                format!(
                    "{} did not finish within {} s",
                    installer.name(),
                    INSTALL_TIMEOUT.as_secs()
                ),
            )
        })?
        .map_err(|error| {
            Failure::infrastructure(
                Phase::Prepare,
                format!("cannot start {}: {error}", installer.name()),
            )
        })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.trim().is_empty() {
        text = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    Err(explain(installer.name(), &text))
}

/// What an installer's message means.
fn explain(installer: &str, text: &str) -> Failure {
    let lower = text.to_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|needle| lower.contains(needle));
    let detail = shortened(text);
    if any(&["no space left", "os error 28", "errno 28"]) {
        return Failure::infrastructure(
            Phase::Prepare,
            format!("the disk is full: {installer} could not install kfp"),
        )
        .hint("free some space, or put the cache elsewhere with `KFP_GITOPS_CACHE_DIR`")
        .detail(detail);
    }
    if any(&["hash mismatch", "do not match the hashes"]) {
        return Failure::failed(
            Phase::Prepare,
            format!("a downloaded package is not the one that is pinned ({installer})"),
        )
        .hint("check the package index or proxy that is configured: it serves changed files")
        .detail(detail);
    }
    if any(&[
        "dns error",
        "name resolution",
        "name or service not known",
        "failed to establish a new connection",
        "connection refused",
        "timed out",
        "failed to fetch",
        "error sending request",
        "network is unreachable",
        "connection reset",
        "tunnel",
        "max retries",
        // pip says no more than this when it is quiet; what is pinned by this program is on every index
        "(from versions: none)",
        "client error (connect)",
        "not found in the registry",
    ]) {
        return Failure::infrastructure(Phase::Prepare, format!("the package index cannot be reached ({installer})"))
            .hint("install kfp beforehand (`pip install kfp kfp-kubernetes`), or point `PIP_INDEX_URL` or `UV_INDEX_URL` at an index")
            .detail(detail);
    }
    if any(&[
        "no solution found",
        "resolutionimpossible",
        "conflicting dependencies",
        "are incompatible",
    ]) {
        return Failure::failed(
            Phase::Prepare,
            format!("the project's requirements do not fit together ({installer})"),
        )
        .hint("change one of the two requirements named")
        .detail(detail);
    }
    if any(&[
        "no matching distribution",
        "could not find a version",
        "no version of",
    ]) {
        return Failure::failed(
            Phase::Prepare,
            format!("a package is not on the index ({installer})"),
        )
        .hint("check the name and the version, and which index is configured")
        .detail(detail);
    }
    Failure::infrastructure(Phase::Prepare, format!("{installer} could not install kfp")).detail(detail)
}

/// The lines that say something, at most a dozen.
fn shortened(text: &str) -> String {
    let noise = [
        "warning:",
        "[notice]",
        "using python",
        "looking in",
        "  return _run_code",
    ];
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !noise.iter().any(|noise| line.to_lowercase().starts_with(noise)))
        .collect();
    let from = lines.len().saturating_sub(12);
    lines[from..]
        .iter()
        .map(|line| line.chars().take(400).collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    #[test]
    fn failures_are_told_apart() {
        let cases = [
            (
                "error: Failed to fetch: `https://x/simple/kfp/`\n  Caused by: dns error",
                Class::Infrastructure,
                "cannot be reached",
            ),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
                Class::Failed,
                "pinned",
            ),
            (
                "  x No solution found when resolving dependencies:\n  kfp==2 and torch",
                Class::Failed,
                "fit together",
            ),
            (
                "ERROR: No matching distribution found for kfp==2.99",
                Class::Failed,
                "not on the index",
            ),
            (
                "OSError: [Errno 28] No space left on device",
                Class::Infrastructure,
                "disk is full",
            ),
            ("boom", Class::Infrastructure, "could not install"),
        ];
        for (text, class, part) in cases {
            let failure = explain("uv", text);
            assert_eq!(failure.class, class, "{text}");
            assert!(failure.message.contains(part), "{text}: {failure}");
        }
    }

    #[test]
    fn long_messages_are_shortened() {
        let text = (0..100).map(|n| format!("line {n}\n")).collect::<String>();
        let short = shortened(&text);
        assert_eq!(short.lines().count(), 12);
        assert!(short.ends_with("line 99"));
    }
}
