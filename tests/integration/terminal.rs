//! The text face on a terminal fits its width; in a pipe and in CI lines stay whole.

use crate::support::sample::{apply, pipeline, repository_of};
use crate::support::{kfp_gitops, write};
use std::process::Stdio;
use unicode_width::UnicodeWidthStr as _;

/// Runs a command on a terminal of so many columns and prints what it wrote there.
const ON_A_TERMINAL: &str = r"
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

fn on_a_terminal(root: &std::path::Path, columns: usize, arguments: &[&str], ci: bool) -> String {
    let own = kfp_gitops(root);
    let mut command = std::process::Command::new("python3");
    command
        .current_dir(root)
        .env_clear()
        .args(["-c", ON_A_TERMINAL, &columns.to_string()])
        .arg(own.get_program())
        .args(arguments)
        .stdin(Stdio::null());
    for (name, value) in std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME") {
        command.env(name, value);
    }
    for (name, value) in own.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    if ci {
        command.env("CI", "true").env("KFP_GITOPS_ENDPOINT", "embedded");
    }
    let output = command.output().expect("python3 starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")
}

#[test]
fn a_plan_fits_the_terminal() {
    let root = repository_of(&["first"]);
    let root = root.path();
    apply(root);
    write(
        root,
        "first_pipeline.py",
        &pipeline(
            "first",
            "another text that is long enough to need more than one line of it",
        ),
    );
    let wide = |text: &str| text.lines().map(|line| line.width()).max().unwrap_or_default();
    for columns in [60, 90] {
        let text = on_a_terminal(root, columns, &["plan"], false);
        assert!(text.contains("parameter text"), "{text}");
        // Longer than a line are only what cannot be broken.
        assert!(wide(&text) <= columns, "{text}");
        let table = on_a_terminal(root, columns, &["history", "first"], false);
        assert!(wide(&table) <= columns, "{table}");
    }
    let text = on_a_terminal(root, 60, &["plan"], true);
    assert!(wide(&text) > 60 && !text.contains('\u{1b}'), "{text}");
}
