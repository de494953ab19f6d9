//! One table of what a malicious pipeline tries. Each attempt is denied in the sandbox, and each is shown to
//! succeed without it, so that the test can fail.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use crate::compile_support::{Tree, cache, of};
use crate::support::{folder, kfp_gitops, run};
use kfp_gitops::compile::{CompileResult, SandboxLevel, SandboxMode};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const CODE: &str = include_str!("compile_attacks.py");

/// When an attempt can be shown to succeed.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    /// Always, once the sandbox is off.
    Anyone,
    /// Only as root with all capabilities: for others, the kernel or another layer denies it anyway.
    Root,
    /// Where this kernel knows the interface and refuses it to nobody, as the same attempt outside of this program
    /// shows. Where it does not, only the denial is tested, and the test says so.
    Kernel,
}

use Proof::{Anyone, Kernel, Root};

const ATTEMPTS: &[(&str, Proof)] = &[
    // starts beside the one that sleeps, which is the first
    ("signal_sibling", Anyone),
    ("trace_sibling", Root),
    ("result_of_a_sibling", Root),
    ("environment_own", Anyone),
    ("environment_of_the_program", Anyone),
    ("environment_of_the_supervisor", Root),
    ("memory_of_the_supervisor", Root),
    ("read_checkout_token", Anyone),
    ("read_dot_env", Anyone),
    ("read_home", Anyone),
    ("read_service_account_token", Anyone),
    ("read_cluster_token", Root),
    ("read_event_file", Anyone),
    ("read_shadow", Root),
    ("read_through_link", Anyone),
    ("read_through_own_link", Anyone),
    ("list_home", Anyone),
    ("watch_home", Anyone),
    ("write_sources", Anyone),
    ("write_own_source", Anyone),
    ("write_new_source", Anyone),
    ("write_runner_file", Anyone),
    ("write_event_file", Anyone),
    ("write_shared_memory", Anyone),
    ("write_kernel_setting", Root),
    ("write_into_the_supervisors_pipes", Root),
    ("write_cache", Anyone),
    ("write_interpreter", Anyone),
    ("write_workflow_of_github", Anyone),
    ("write_workflow_of_gitea", Anyone),
    ("write_new_workflow", Anyone),
    ("write_standard_library", Root),
    ("write_beside_the_interpreter", Root),
    ("replace_the_interpreter", Root),
    ("write_other_pipelines_directory", Anyone),
    ("list_other_pipelines_directory", Anyone),
    ("truncate_outside", Anyone),
    ("truncate_by_reading", Anyone),
    ("remove_outside", Anyone),
    ("rename_outside", Anyone),
    ("link_outside", Anyone),
    ("chmod_outside", Anyone),
    ("fchmod_outside", Anyone),
    ("chown_outside", Root),
    ("utime_outside", Anyone),
    ("xattr_outside", Kernel),
    ("tcp_connect", Anyone),
    ("tcp_listen", Anyone),
    ("udp_send", Anyone),
    ("unix_connect", Anyone),
    ("abstract_connect", Anyone),
    ("datagram_to_a_socket", Anyone),
    ("datagrams_of_a_socket", Anyone),
    ("netlink", Anyone),
    ("signal_program", Anyone),
    ("signal_supervisor", Anyone),
    ("trace", Anyone),
    ("trace_the_program", Root),
    ("memory_of_the_program", Root),
    ("raise_own_limits", Kernel),
    ("priority_of_the_supervisor", Anyone),
    ("limits_of_the_supervisor", Root),
    ("affinity_of_the_supervisor", Anyone),
    ("fork_bomb", Anyone),
    ("memory", Anyone),
    ("large_file", Anyone),
    ("fill_disk", Anyone),
    ("memory_of_orphans", Anyone),
    ("many_orphans", Anyone),
    ("memory_of_nobody", Anyone),
    ("memory_of_sockets", Anyone),
    ("fill_disk_without_names", Anyone),
    ("fill_disk_without_descriptors", Anyone),
    ("fill_disk_by_an_orphan", Anyone),
    ("hide_what_is_open", Anyone),
    ("hide_by_a_closed_program", Anyone),
    ("belong_to_another_pipeline", Anyone),
];

/// What is no attack, and runs beside them.
const HARMLESS: &[&str] = &[
    "outlives",
    "few_processes",
    "deep_folders",
    "some_disk",
    "leave_a_link",
    "some_disk_again",
];

/// By number, which differs between architectures.
const CALLS: &[(&str, Proof)] = &[
    ("new_user_namespace", Root),
    ("clone_into_namespace", Root),
    ("call_bpf", Root),
    ("call_io_uring", Kernel),
    ("call_userfaultfd", Kernel),
    ("call_perf_event_open", Kernel),
    ("call_keyctl", Kernel),
    ("call_process_vm_readv", Anyone),
    ("call_pidfd_getfd", Anyone),
    ("call_setns", Anyone),
    ("call_mount", Root),
    ("call_open_by_handle_at", Root),
    ("call_x32", Kernel),
    ("call_message_queues", Kernel),
    ("call_statmount", Kernel),
    ("call_open_tree_attr", Kernel),
    ("call_quotactl_fd", Kernel),
    ("pair_of_another_family", Anyone),
];

fn attempts() -> impl Iterator<Item = (&'static str, Proof)> {
    let calls: &[_] = if cfg!(target_arch = "x86_64") { CALLS } else { &[] };
    ATTEMPTS.iter().chain(calls).copied()
}

/// The bait, and one pipeline for each attempt.
struct Range {
    tree: Tree,
    outside: tempfile::TempDir,
    _cluster: Option<tempfile::TempDir>,
    _tcp: TcpListener,
    _unix: UnixListener,
    _log: UnixDatagram,
    _abstract: UnixListener,
}

impl Range {
    fn new(round: u32, open: bool) -> Self {
        use std::os::linux::net::SocketAddrExt;
        let mut tree = Tree::new();
        let outside = tempfile::Builder::new().prefix("outside").tempdir().unwrap();
        let put = |name: &str| {
            let path = outside.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "secret").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        };
        for name in [
            "home/.netrc",
            "token",
            "event.json",
            "github_env",
            "truncated",
            "truncated2",
            "removed",
            "renamed",
            "chmod",
        ] {
            put(name);
        }
        std::fs::set_permissions(outside.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        // the folder itself, where the tests may: what a cluster mounts into every pod lies there
        let cluster = std::fs::create_dir_all("/var/run/secrets")
            .and_then(|()| {
                tempfile::Builder::new()
                    .prefix("kfp-gitops")
                    .tempdir_in("/var/run/secrets")
            })
            .ok();
        let token = cluster.as_ref().map_or_else(
            || PathBuf::from("/var/run/secrets/token"),
            |folder| folder.path().join("token"),
        );
        if let Some(folder) = &cluster {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::write(&token, "secret").unwrap();
        }
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = UnixListener::bind(outside.path().join("docker.sock")).unwrap();
        let log = outside.path().join("log.sock");
        let listens = UnixDatagram::bind(&log).unwrap();
        std::fs::set_permissions(&log, std::fs::Permissions::from_mode(0o777)).unwrap();
        let name = format!("kfp-gitops-test-{}-{round}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let hidden = UnixListener::bind_addr(&address).unwrap();
        tree.file(".git/config", "token")
            .file("deep/.env.production", "token")
            .file(".github/workflows/deploy.yml", "on: push\n")
            .file(".gitea/workflows/deploy.yml", "on: push\n")
            .file("victim.py", "x = 1\n");
        std::os::unix::fs::symlink(outside.path().join("token"), tree.root().join("link")).unwrap();
        let bait = serde_json::json!({
            "root": tree.root(), "outside": outside.path(), "cache": cache(), "program": std::process::id(),
            "tcp": tcp.local_addr().unwrap().port(), "abstract": name, "round": round, "open": open,
            "cluster_token": token,
        });
        tree.file("bait.json", &bait.to_string());
        let names = attempts().map(|(name, _)| name);
        for name in ["sibling_sleeps"]
            .into_iter()
            .chain(names)
            .chain(HARMLESS.iter().copied())
        {
            let text = format!(
                "{CODE}\ntry:\n    outcome = {name}()\n    why = str(outcome)[:200]\nexcept BaseException as error:\n    \
                 outcome, why = None, repr(error)\nfrom kfp import dsl\n@dsl.component\ndef step(): pass\n\
                 @dsl.pipeline(name='succeeded' if outcome else 'denied', description=why)\ndef p():\n    step()\n"
            );
            tree.pipeline(&format!("{name}_pipeline.py"), &text);
        }
        tree.writable_by_all();
        Self {
            tree,
            outside,
            _cluster: cluster,
            _tcp: tcp,
            _unix: unix,
            _log: listens,
            _abstract: hidden,
        }
    }

    fn run(&self, sandbox: SandboxMode, open: bool) -> CompileResult {
        let mut settings = self.tree.settings();
        settings.sandbox = sandbox;
        settings
            .environment
            .insert("BAIT_SECRET".into(), "hunter2".into());
        settings.memory_bytes = 500 << 20;
        settings.disk_bytes = 64 << 20;
        if open {
            settings.disk_bytes = 1 << 30;
            settings.memory_bytes = 4 << 30;
            settings.processes = 4096;
            settings.pass_environment.push("BAIT_SECRET".into());
        }
        self.tree.compile(&settings)
    }
}

/// Whether an attempt succeeded, and what it says. A file that was killed for it was denied.
fn outcome(result: &CompileResult, name: &str) -> (bool, String) {
    match &of(result, &format!("{name}_pipeline.py")).outcome {
        Ok(compiled) => (
            compiled[0].name.as_str() == "succeeded",
            compiled[0].description.clone(),
        ),
        Err(failure) => (false, failure.to_string()),
    }
}

/// Which of the attempts the kernel grants to a process around which nothing was put up.
fn known_to_the_kernel(range: &Range) -> Vec<&'static str> {
    let plain = range.tree.root().join("plain.py");
    std::fs::write(&plain, CODE).unwrap();
    let mut known = Vec::new();
    for (name, _) in attempts().filter(|(_, proof)| *proof == Kernel) {
        let ask = "import sys; sys.path.insert(0, sys.argv[1]); import plain; sys.exit(not getattr(plain, sys.argv[2])())";
        let answer = Command::new("python3")
            .args(["-I", "-B", "-c", ask])
            .arg(range.tree.root())
            .arg(name)
            .output()
            .unwrap();
        if answer.status.success() {
            known.push(name);
        } else {
            let why = String::from_utf8_lossy(&answer.stderr);
            let why = why.lines().last().unwrap_or("refused").to_owned();
            eprintln!("not shown to succeed, because this kernel grants it to nobody: {name} ({why})");
        }
    }
    known
}

/// Whether nothing at all is kept from this process: a container's root lacks these.
fn is_almighty() -> bool {
    const TRACE: u64 = 1 << 19;
    const ADMINISTER: u64 = 1 << 21;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .map_or(0, |hex| u64::from_str_radix(hex.trim(), 16).unwrap());
    effective & (TRACE | ADMINISTER) == TRACE | ADMINISTER
}

#[test]
fn every_attempt_is_denied_and_would_succeed_without_the_sandbox() {
    let open = Range::new(1, true);
    let without = open.run(SandboxMode::Off, true);
    let closed = Range::new(2, false);
    let within = closed.run(SandboxMode::Require, false);
    assert_eq!(within.preparation, None);
    assert_eq!(within.engine.as_ref().unwrap().sandbox, SandboxLevel::Full);
    let known = known_to_the_kernel(&open);
    let mut wrong = Vec::new();
    for (name, proof) in attempts() {
        let (succeeded, why) = outcome(&within, name);
        if succeeded {
            wrong.push(format!("{name} was not denied: {why}"));
        }
        let (succeeded, why) = outcome(&without, name);
        let expected = match proof {
            Anyone => true,
            Root => is_almighty(),
            Kernel => known.contains(&name),
        };
        if expected && !succeeded {
            wrong.push(format!("{name} does not succeed without the sandbox: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for name in HARMLESS {
        let (succeeded, why) = outcome(&within, name);
        assert!(succeeded, "{name} is no attack: {why}");
    }
    // what it started is gone, in both cases
    for result in [&within, &without] {
        let (started, pid) = outcome(result, "outlives");
        assert!(started, "{pid}");
        assert!(!is_alive(&pid), "process {pid} outlived the run");
    }
    // and nothing outside has changed
    for range in [&open, &closed] {
        assert!(
            range.outside.path().join("home/.netrc").exists(),
            "cleaning up followed a link"
        );
    }
    let outside = closed.outside.path();
    assert_eq!(
        std::fs::read_to_string(outside.join("truncated")).unwrap(),
        "secret"
    );
    assert!(outside.join("removed").exists() && outside.join("renamed").exists());
    let mode = std::fs::metadata(outside.join("chmod"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o666);
    let withheld = &of(&within, "environment_own_pipeline.py").withheld;
    assert_eq!(withheld, &["BAIT_SECRET"], "a withheld variable is noticed");
}

/// Runs the table again in another process, whose command `prepare` changes.
fn again(prepare: impl FnOnce(&Path, &Path) -> Option<Command>) {
    use std::os::unix::fs::MetadataExt;
    let place = tempfile::Builder::new().prefix("again").tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = place.path().join("tests");
    let own = std::env::current_exe().unwrap();
    if std::fs::hard_link(&own, &program).is_err() {
        std::fs::copy(&own, &program).unwrap();
    }
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        impossible(
            "this is not root, who alone becomes others; the plain table is an ordinary user's already",
        );
        return;
    }
    let Some(mut command) = prepare(place.path(), &program) else {
        return;
    };
    let output = command
        .args([
            "--exact",
            "compile_attacks::every_attempt_is_denied_and_would_succeed_without_the_sandbox",
        ])
        .args(["--test-threads=1", "--nocapture"])
        .current_dir(place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Says that a table was not run, which CI does not accept.
fn impossible(why: &str) {
    const VARIABLE: &str = "KFP_GITOPS_TEST_SANDBOX";
    assert!(
        std::env::var_os(VARIABLE).is_none_or(|value| value != "required"),
        "`{VARIABLE}` is `required`, and the table of attacks cannot be run: {why}"
    );
    eprintln!("\nNOT TESTED: a table of attacks was not run here: {why}\n");
}

/// A user that no distribution hands out.
const SOMEBODY: u32 = 6_051_737;

#[test]
fn the_same_as_an_ordinary_user() {
    again(|place, program| {
        // what root has installed for itself is closed to others
        let python = ["/usr/bin/python3", "/usr/local/bin/python3"]
            .iter()
            .map(Path::new)
            .find(|path| path.exists());
        let (Some(python), Some(uv)) = (python, crate::preparing::uv()) else {
            impossible("no Python and uv that an ordinary user can reach");
            return None;
        };
        let path = place.join("path");
        std::fs::create_dir(&path).unwrap();
        std::os::unix::fs::symlink(python, path.join("python3")).unwrap();
        std::fs::copy(uv, path.join("uv")).unwrap();
        let mut command = Command::new(program);
        command
            .uid(SOMEBODY)
            .gid(SOMEBODY)
            .env("PATH", &path)
            .env("HOME", place)
            .env_remove("XDG_CACHE_HOME")
            .env("KFP_GITOPS_TEST_CACHE", place.join("cache"));
        Some(command)
    });
}

#[test]
fn the_same_as_a_containers_root() {
    const DOCKER: &str = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
                          +net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";
    again(|_, program| {
        if Command::new("setpriv").arg("--version").output().is_err() {
            impossible("no `setpriv` to take capabilities away with");
            return None;
        }
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", DOCKER]).arg(program);
        Some(command)
    });
}

/// Whether a process lives; one that waits to be reaped does not.
#[test]
fn a_forged_result_is_nobodys_but_its_own() {
    const HONEST: &str = "from kfp import dsl\n@dsl.component(base_image='python:3.12')\ndef step(): pass\n\
                          @dsl.pipeline(name='NAME')\ndef p():\n    step()\n";
    // It says results for every number there is, on every descriptor it has, in the supervisor's own words.
    let forger = format!(
        "{}import json, os\nwrote = 0\nfor number in range(8):\n    said = {{'t': 'result', 'id': number, 'pipelines': [], 'n': 2}}\n\
        \x20   for kind in ('result', 'done', 'exit', 'start'):\n\
        \x20       line = json.dumps(dict(said, t=kind)).encode() + b'\\n{{}}'\n\
        \x20       for descriptor in range(3, 1024):\n            try:\n                wrote += os.write(descriptor, line)\n            except OSError:\n                pass\nassert wrote\n",
        HONEST.replace("NAME", "forger")
    );
    let digests = |files: &[(&str, &str)], sandbox: &str| {
        let root = folder(files);
        let said = run(kfp_gitops(root.path()).args([
            "compile",
            "--format",
            "json",
            "--no-cache",
            "--sandbox",
            sandbox,
        ]));
        let mut found = Vec::new();
        for one in said.json()["pipelines"].as_array().unwrap() {
            found.push((
                one["file"].to_string(),
                one["action"].to_string(),
                one["digest"].to_string(),
            ));
        }
        found
    };
    let honest = HONEST.replace("NAME", "honest");
    for sandbox in ["auto", "off"] {
        let alone = digests(&[("honest_pipeline.py", &honest)], sandbox);
        assert_eq!(alone[0].1, "\"compiled\"", "{alone:?}");
        let files = [
            ("a_forger_pipeline.py", forger.as_str()),
            ("honest_pipeline.py", &honest),
            ("z_forger_pipeline.py", &forger),
        ];
        let together = digests(&files, sandbox);
        let its: Vec<_> = together.iter().filter(|one| one.0.contains("honest")).collect();
        assert_eq!(its, [&alone[0]], "{sandbox}: {together:?}");
        // What it wrote went somewhere, as it says by ending well: into its own answer, where it is noise.
        let forged: Vec<_> = together.iter().filter(|one| one.0.contains("forger")).collect();
        assert_eq!(forged.len(), 2, "{sandbox}: {together:?}");
        for one in forged {
            assert_eq!(one.1, "\"compiled\"", "{sandbox}: {together:?}");
        }
    }
}

#[test]
fn an_archive_bomb_stays_text() {
    // 400 MiB of zeros in an archive as kfp embeds them, more than is ever unpacked.
    let bomb = "import base64, gzip, io, tarfile\nfrom kfp import dsl\nheader = tarfile.TarInfo('zeros')\nheader.size = 400 << 20\n\
                packed = io.BytesIO()\nwith gzip.GzipFile(fileobj=packed, mode='wb', compresslevel=1, mtime=0) as file:\n\
                \x20   file.write(header.tobuf())\n    for _ in range(400):\n        file.write(bytes(1 << 20))\n    file.write(bytes(1024))\n\
                TEXT = \"__KFP_EMBEDDED_ARCHIVE_B64 = '\" + base64.b64encode(packed.getvalue()).decode() + \"'\\n\"\n\
                @dsl.container_component\ndef step():\n    return dsl.ContainerSpec(image='python:3.12', command=['python', '-c', TEXT])\n\
                @dsl.pipeline(name='bomb')\ndef p():\n    step()\n";
    let root = folder(&[("bomb_pipeline.py", bomb)]);
    let apply = || run(kfp_gitops(root.path()).args(["apply", "--endpoint", "embedded", "--format", "json"]));
    let said = apply();
    assert_eq!(
        (said.code, &said.json()["counts"]["created"]),
        (0, &1.into()),
        "{said:?}"
    );
    let said = apply();
    assert_eq!(
        (said.code, &said.json()["counts"]["unchanged"]),
        (0, &1.into()),
        "{said:?}"
    );
}

pub fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

#[test]
fn workflow_commands_that_a_pipeline_prints_are_none() {
    const COMMANDS: &str =
        "::add-path::/evil\\n::set-output name=x::y\\r::add-mask::a\\n##[command]x\\n::stop-commands::z";
    let sound = format!(
        "import sys, warnings\nprint('{COMMANDS}')\nprint('{COMMANDS}', file=sys.stderr)\nwarnings.warn('x\\n{COMMANDS}')\n\
         from kfp import dsl\n@dsl.component(base_image='python:3.12')\ndef step(): pass\n\
         @dsl.pipeline(name='sound', description='{COMMANDS}')\ndef p():\n    step()\n"
    );
    let root = folder(&[
        ("sound_pipeline.py", &sound),
        (
            "fails_pipeline.py",
            &format!("{sound}raise ValueError('x\\n{COMMANDS}')\n"),
        ),
    ]);
    for format in ["text", "json"] {
        let said = run(kfp_gitops(root.path())
            .args(["plan", "--endpoint", "embedded", "--format", format, "--verbose"])
            .envs([("CI", "true"), ("GITHUB_ACTIONS", "true")]));
        assert_eq!(said.code, 1, "{said:?}");
        assert!(
            format!("{}{}", said.out, said.err).contains("add-path"),
            "the text is shown, so that this test can fail: {said:?}"
        );
        for stream in [&said.out, &said.err] {
            let mut token: Option<String> = None;
            for line in stream.split(['\n', '\r']).map(str::trim_start) {
                if let Some(closed) = &token {
                    // nothing counts until the token comes, which the pipeline cannot know
                    if line == format!("::{closed}::") {
                        token = None;
                    }
                    assert!(!line.starts_with("::stop-commands::"), "{line}");
                } else if let Some(new) = line.strip_prefix("::stop-commands::") {
                    assert_ne!(new, "z", "the pipeline's own");
                    token = Some(new.to_owned());
                } else {
                    let own = [
                        "::error",
                        "::warning",
                        "::notice",
                        "::group::",
                        "::endgroup::",
                        "::add-mask::",
                    ];
                    let is_command = line.starts_with("::") || line.starts_with("##[");
                    assert!(
                        !is_command || own.iter().any(|one| line.starts_with(one)),
                        "{line}"
                    );
                    assert!(!line.starts_with("::add-mask::a"), "{line}");
                }
            }
        }
    }
}

const PLAIN: &str = "from kfp import dsl\n@dsl.component(base_image='python:3.12')\ndef step(): pass\n\
                     @dsl.pipeline(name='NAME')\ndef NAME():\n    step()\n";

#[test]
fn more_files_than_may_be_open_never_open_the_fence() {
    let root = folder(&[("a_pipeline.py", &PLAIN.replace("NAME", "a"))]);
    std::fs::create_dir(root.path().join(".git")).unwrap();
    for number in 0..600 {
        std::fs::write(root.path().join(format!("data-{number}")), "").unwrap();
    }
    let limited = |soft: u32, hard: u32| {
        let program = env!("CARGO_BIN_EXE_kfp-gitops");
        let script = format!(
            "ulimit -Sn {soft} && ulimit -Hn {hard} && exec {program} compile --no-cache --format json"
        );
        let mut command = kfp_gitops(root.path());
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new("sh");
        run(command
            .args(["-c", &script])
            .current_dir(root.path())
            .env_clear()
            .envs(environment))
    };
    let enough = limited(256, 4096);
    assert_eq!(enough.code, 0, "{enough:?}");
    assert_eq!(enough.json()["engine"]["sandbox"], "full", "{enough:?}");
    let few = limited(256, 256);
    assert_eq!(few.code, 75, "{few:?}");
    let error = few.json()["pipelines"][0]["error"]["message"].to_string();
    assert!(error.contains("the sandbox cannot be put up"), "{error}");
}

#[test]
fn what_a_pipeline_calls_itself_is_no_path() {
    let twice = format!(
        "{}{}a.pipeline_spec.pipeline_info.name = '/../../evil'\n",
        PLAIN.replace("NAME", "a"),
        PLAIN.replace("NAME", "b")
    );
    let root = folder(&[
        ("two_pipeline.py", twice.as_str()),
        ("linked_pipeline.py", &PLAIN.replace("NAME", "linked")),
        ("sub/far_pipeline.py", &PLAIN.replace("NAME", "far")),
        ("victim", "precious"),
        ("elsewhere/kept", ""),
        ("out/kept", ""),
    ]);
    let at = |path: &str| root.path().join(path);
    std::os::unix::fs::symlink("../victim", at("out/linked_pipeline.yaml")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", at("out/sub")).unwrap();
    let said = run(kfp_gitops(root.path()).args([
        "compile",
        "--no-cache",
        "--include",
        "**/*_pipeline.py",
        "-o",
        "out",
        "--format",
        "json",
    ]));
    assert_eq!(said.code, 1, "{said:?}");
    let why = |file: &str| {
        let report = said.json();
        let all = report["pipelines"].as_array().unwrap();
        let of_file = all.iter().filter(|one| one["file"] == file);
        of_file
            .map(|one| one["error"]["message"].to_string())
            .collect::<String>()
    };
    assert!(
        why("two_pipeline.py").contains("cannot be part of a file's name"),
        "{said:?}"
    );
    assert!(
        why("sub/far_pipeline.py").contains("a link leads out of the folder"),
        "{said:?}"
    );
    assert!(!at("evil.yaml").exists() && !root.path().join("../evil.yaml").exists());
    assert_eq!(std::fs::read_to_string(at("victim")).unwrap(), "precious");
    let linked = std::fs::read_to_string(at("out/linked_pipeline.yaml")).unwrap();
    assert!(linked.contains("linked") && !at("out/linked_pipeline.yaml").is_symlink());
    assert_eq!(std::fs::read_dir(at("elsewhere")).unwrap().count(), 1);
}
