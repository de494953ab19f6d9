//! What to do about files and servers that a compile is kept from.

use crate::compile::answer::Error;
#[cfg(target_os = "linux")]
use crate::compile::sandbox_tree::is_secret;
use crate::compile::settings::{EngineSettings, NetworkMode, SandboxMode};
use std::ffi::OsStr;
use std::path::Path;

/// Where there is no fence around files, none is hidden.
#[cfg(not(target_os = "linux"))]
fn is_secret(_: &OsStr) -> bool {
    false
}

/// The next step, where a fence stood in the way or the file did more than say what its pipeline is.
pub(super) fn hint(settings: &EngineSettings, error: &Error, message: &str) -> Option<String> {
    let line = super::line_of(error);
    let of_files = ["PermissionError", "FileNotFoundError"].contains(&error.class.as_str());
    if of_files && line.contains(".compile(") {
        return Some(
            "leave the call out, for this program compiles the file; or move it under `if __name__ == \"__main__\":`"
                .to_owned(),
        );
    }
    if is_refused_connection(settings, error, message) {
        // the paths of the pipelines API, which kfp's client asks for
        return Some(if line.contains("Client(") || message.contains("/apis/v") {
            "leave the client out, for this program uploads the pipeline; or move it under `if __name__ == \"__main__\":`".to_owned()
        } else {
            "compiling has no network: keep a copy of the component in the repository, or set `compile.network: allow`".to_owned()
        });
    }
    if is_git(error, message) {
        return Some(
            "`.git` is kept from pipelines, for a checkout leaves its token there: pass what is needed as a variable, such as `GITHUB_SHA`, and name it in `compile.environment`"
                .to_owned(),
        );
    }
    // a program that is not there is no file of the pipeline's
    let starts = ["subprocess.", "Popen(", "run(", "check_output(", "check_call("];
    if of_files && settings.sandbox != SandboxMode::Off && !starts.iter().any(|call| line.contains(call)) {
        return path_of(message).map(|path| of_path(settings, error, path));
    }
    None
}

fn is_refused_connection(settings: &EngineSettings, error: &Error, message: &str) -> bool {
    let network = ["Connection", "URLError", "gaierror", "NameResolution", "MaxRetry"];
    settings.network == NetworkMode::Deny
        && (error.network
            || network
                .iter()
                .any(|part| error.class.contains(part) || message.contains(part))
            || message.contains("Temporary failure in name resolution"))
}

/// Whether git was asked, which finds no repository where `.git` cannot be read. As `subprocess` and GitPython say it.
fn is_git(error: &Error, message: &str) -> bool {
    let ran = ["Command 'git ", "Command '['git'"]
        .iter()
        .any(|part| message.contains(part));
    error.class == "CalledProcessError" && ran || error.class == "InvalidGitRepositoryError"
}

/// The path in `[Errno 13] Permission denied: '…'`.
fn path_of(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(": '")?;
    rest.split_once('\'').map(|(path, _)| path)
}

fn of_path(settings: &EngineSettings, error: &Error, path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let absolute = settings.working_directory.join(path);
    let below = absolute.strip_prefix(&settings.root).ok();
    let is_hidden = |path: &Path| path.iter().any(is_secret);
    let absent = error.class == "FileNotFoundError";
    match below {
        _ if !absent && is_hidden(below.unwrap_or(&absolute)) => {
            let name = absolute
                .iter()
                .rfind(|part| is_secret(part))
                .unwrap_or(OsStr::new(path));
            format!(
                "`{}` may hold secrets, and is kept from pipelines: pass what is needed as variables, and name them in `compile.environment`",
                name.to_string_lossy()
            )
        }
        _ if absent && !is_absolute => {
            "a relative path begins where this program was started: use `Path(__file__).parent / \"…\"`".to_owned()
        }
        Some(_) if absent => "look for a wrong name, or a file that git does not know".to_owned(),
        Some(_) => "compiling changes nothing in the repository, and follows no link out of it: write with `tempfile`, or in a component".to_owned(),
        None => "compiling reads the repository and Python, and nothing beside them: keep a copy of the file in the repository".to_owned(),
    }
}
