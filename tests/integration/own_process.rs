//! The running program itself: nobody of the same user reads its secrets out of the kernel's records.

#![cfg(target_os = "linux")]

use crate::support::machine::is_root;
use crate::support::{folder, kfp_gitops};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A user that no distribution hands out, for when the tests run as root, whom nothing is hidden from.
const SOMEBODY: u32 = 6_051_736;

/// A process; ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As an ordinary user: the one who runs the tests, unless that is root.
fn ordinary(command: &mut Command) -> &mut Command {
    if is_root() {
        command.uid(SOMEBODY).gid(SOMEBODY);
    }
    command
}

/// What another process of that user reads there.
fn peek(pid: u32, file: &str) -> Option<Vec<u8>> {
    let output = ordinary(Command::new("cat").arg(format!("/proc/{pid}/{file}")))
        .current_dir("/")
        .output()
        .unwrap();
    output.status.success().then_some(output.stdout)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn no_process_of_the_same_user_reads_its_environment_or_its_memory() {
    let root = folder(&[]);
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    // where the ordinary user can reach it; the build's folder may be closed
    let program = root.path().join("kfp-gitops");
    if std::fs::hard_link(env!("CARGO_BIN_EXE_kfp-gitops"), &program).is_err() {
        std::fs::copy(env!("CARGO_BIN_EXE_kfp-gitops"), &program).unwrap();
    }
    let mut command = Command::new(&program);
    for (name, value) in kfp_gitops(root.path()).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut running = Running(
        ordinary(&mut command)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "data"])
            .current_dir(root.path())
            .env("KFP_GITOPS_TOKEN", "hunter2")
            .env("DATABASE_URL", "hunter3")
            .env("HOME", root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut said = String::new();
    BufReader::new(running.0.stdout.as_mut().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert!(said.starts_with("http"), "{said}");
    let pid = running.0.id();

    // the same of an ordinary program can be read, so that this test can fail
    let control = Running(
        ordinary(Command::new("sleep").arg("600"))
            .env("KFP_GITOPS_TOKEN", "hunter2")
            .current_dir("/")
            .spawn()
            .unwrap(),
    );
    let open = peek(control.0.id(), "environ").expect("of an ordinary program");
    assert!(holds(&open, "hunter2"));
    assert!(peek(control.0.id(), "maps").is_some_and(|maps| !maps.is_empty()));

    for file in ["environ", "maps", "auxv"] {
        assert_eq!(peek(pid, file), None, "{file}");
    }
    let limits = String::from_utf8(peek(pid, "limits").unwrap()).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().skip(4).collect::<Vec<_>>(),
        ["0", "0", "bytes"]
    );

    // not even root finds a secret in the kernel's copy
    if is_root() {
        let environ = std::fs::read(Path::new("/proc").join(pid.to_string()).join("environ")).unwrap();
        assert!(holds(&environ, "KFP_GITOPS_TOKEN="), "the name stays");
        assert!(!holds(&environ, "hunter2"), "the value is gone");
        assert!(
            holds(&environ, "hunter3"),
            "what is no secret by its name stays, behind the closed door"
        );
    }
}
