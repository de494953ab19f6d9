//! How far a machine lets the compile be kept away: what is missing is said, and `require` goes no further.
//!
//! A launcher takes one kernel interface away before this program starts, as an old kernel or a strict
//! container would.

use crate::support::machine::is_root;
use crate::support::{Said, folder, kfp_gitops, run, write};
use std::path::Path;
use std::process::Command;

/// `launcher.py ERRNO NUMBER… -- COMMAND…`: runs a command for which these system calls fail.
const LAUNCHER: &str = r"
import ctypes, os, platform, struct, sys
split = sys.argv.index('--')
errno, numbers = int(sys.argv[1]), [int(one) for one in sys.argv[2:split]]
jump = lambda code, yes, no, value: struct.pack('HBBI', code, yes, no, value)
program = [jump(0x20, 0, 0, 0)]
for number in numbers:
    program += [jump(0x15, 0, 1, number), jump(0x06, 0, 0, 0x00050000 | errno)]
program.append(jump(0x06, 0, 0, 0x7fff0000))
code = ctypes.create_string_buffer(b''.join(program))
class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
header = Program(len(program), ctypes.cast(code, ctypes.c_void_p))
library = ctypes.CDLL(None, use_errno=True)
word = ctypes.c_ulong
# without new privileges only where that is needed: root keeps what it has
if library.prctl(22, word(2), ctypes.byref(header), word(0), word(0)) != 0:
    library.prctl(38, word(1), word(0), word(0), word(0))
    if library.prctl(22, word(2), ctypes.byref(header), word(0), word(0)) != 0:
        raise OSError(ctypes.get_errno(), 'no filter')
os.execv(sys.argv[split + 1], sys.argv[split + 1:])
";

/// No Landlock at all.
const CREATE_RULESET: libc::c_long = libc::SYS_landlock_create_ruleset;
const RESTRICT_SELF: libc::c_long = libc::SYS_landlock_restrict_self;

/// The command under a launcher that makes these system calls fail.
fn without(root: &Path, errno: i32, calls: &[libc::c_long], arguments: &[&str]) -> Command {
    let template = kfp_gitops(root);
    let mut command = Command::new("python3");
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .current_dir(root)
        .args(["-I", "-c", LAUNCHER, &errno.to_string()]);
    command.args(calls.iter().map(ToString::to_string));
    command
        .arg("--")
        .arg(env!("CARGO_BIN_EXE_kfp-gitops"))
        .args(arguments);
    command
}

const PLAIN: &str = "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.12')\ndef say(): pass\n\n\n\
                     @dsl.pipeline(name='a')\ndef a():\n    say()\n";

fn root() -> tempfile::TempDir {
    folder(&[("a_pipeline.py", PLAIN), ("requirements.txt", "kfp==2.17.0\n")])
}

/// What is taken away, the level that is left, and a part of the reason.
fn machines() -> Vec<(&'static str, i32, Vec<libc::c_long>, &'static str, &'static str)> {
    let mut machines = vec![
        (
            "an old kernel",
            libc::ENOSYS,
            vec![CREATE_RULESET],
            "environment",
            "this kernel has no Landlock",
        ),
        (
            "Landlock that is off",
            libc::EOPNOTSUPP,
            vec![CREATE_RULESET],
            "environment",
            "this kernel has no Landlock",
        ),
        (
            "a container that refuses Landlock",
            libc::EPERM,
            vec![RESTRICT_SELF],
            "environment",
            "this container refuses it",
        ),
    ];
    if is_root() {
        machines.push((
            "a container whose root is no other user",
            libc::EPERM,
            vec![
                libc::SYS_setresuid,
                libc::SYS_setuid,
                libc::SYS_setgroups,
                libc::SYS_setresgid,
                libc::SYS_setgid,
            ],
            "landlock",
            "may not change to another user",
        ));
    }
    machines
}

#[test]
fn the_level_is_told_and_require_fails_closed() {
    for (machine, errno, calls, level, reason) in machines() {
        let root = root();
        let summary = root.path().join("summary.md");
        let compile = |arguments: &[&str]| -> Said {
            let mut command = without(root.path(), errno, &calls, arguments);
            // a job, but where a server would be asked for
            if !["plan", "apply"].contains(&arguments[0]) {
                command
                    .env("GITHUB_ACTIONS", "true")
                    .env("GITHUB_STEP_SUMMARY", &summary);
            }
            run(&mut command)
        };
        let json = compile(&["compile", "--format", "json", "--no-cache"]);
        assert_eq!(json.code, 0, "{machine}: {json:?}");
        let engine = &json.json()["engine"];
        assert_eq!(engine["sandbox"], level, "{machine}: {engine}");
        assert!(
            engine["sandbox_reason"].as_str().unwrap().contains(reason),
            "{machine}: {engine}"
        );
        let text = std::fs::read_to_string(&summary).unwrap();
        assert!(text.contains(&format!("sandbox `{level}`")), "{machine}: {text}");
        let told = compile(&["compile", "--no-cache"]);
        let all = format!("{}{}", told.out, told.err);
        assert!(all.contains(&format!("sandbox {level}")), "{machine}: {told:?}");
        assert!(all.contains(reason), "{machine}: {told:?}");
        let env = compile(&["env", "--format", "json"]);
        assert_eq!(env.code, 0, "{machine}: {env:?}");
        assert_eq!(env.json()["sandbox"], level, "{machine}: {env:?}");
        assert!(
            env.json()["sandbox_reason"].as_str().unwrap().contains(reason),
            "{machine}: {env:?}"
        );

        // what is refused only where it is put up cannot be told apart by who asks for all of it
        let refused = ["this container refuses it", reason];
        // nothing of the file may run where less than everything is possible
        write(root.path(), "kfp-gitops.yaml", "compile: {sandbox: require}\n");
        write(root.path(), "a_pipeline.py", &format!("print('it ran')\n{PLAIN}"));
        for command in ["compile", "check", "plan", "apply", "env"] {
            let said = compile(&[command, "--format", "json", "--no-cache"]);
            assert_eq!(said.code, 2, "{machine}, {command}: {said:?}");
            assert!(
                said.out.contains("`compile.sandbox` is `require`")
                    && refused.iter().any(|part| said.out.contains(part)),
                "{machine}, {command}: {said:?}"
            );
            assert!(
                said.out.contains("compile.sandbox: auto"),
                "{machine}, {command}: {said:?}"
            );
            assert!(
                !said.out.contains("it ran") && !said.err.contains("it ran"),
                "{machine}, {command}: {said:?}"
            );
        }
    }
}

#[test]
fn a_whole_machine_gives_everything_and_off_is_said() {
    let root = root();
    let level = |mode: &str| {
        let said = run(kfp_gitops(root.path()).args([
            "compile",
            "--format",
            "json",
            "--no-cache",
            "--sandbox",
            mode,
        ]));
        (said.code, said.json()["engine"]["sandbox"].clone(), said)
    };
    let (code, full, said) = level("require");
    assert!(code == 0 && full == "full", "{said:?}");
    let (code, off, said) = level("off");
    assert!(code == 0 && off == "environment", "{said:?}");
    assert!(said.out.contains("`compile.sandbox` is `off`"), "{said:?}");
    let env = run(kfp_gitops(root.path()).args(["env", "--format", "json"]));
    assert_eq!(env.json()["sandbox"], "full", "{env:?}");
}
