//! The machine under the tests: who runs them, and parts of the machine taken away from one command.

use std::path::PathBuf;
use std::process::Command;

/// Whether the tests run as root.
#[must_use]
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// `unshare` with what this machine lets it have of its own, such as `--mount`, and the variables of `template`.
/// What it starts is to be added.
#[must_use]
pub fn unshared(what: &str, template: &Command) -> Command {
    let mut command = unshare(what);
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Whether this machine lets a command have this of its own.
#[must_use]
pub fn can_unshare(what: &str) -> bool {
    let tried = unshare(what).arg("true").status();
    tried.is_ok_and(|status| status.success())
}

fn unshare(what: &str) -> Command {
    // found on this test's own path, not on the one of the command
    let own = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::split_paths(&own)
        .map(|folder| folder.join("unshare"))
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("unshare"));
    let mut command = Command::new(program);
    command.arg(what);
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
}
