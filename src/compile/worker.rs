//! Starting the Python half and listening to it.

use super::SandboxLevel;
use super::sandbox::{Effort, Inner, Needs, Sandbox};
use super::settings::{EngineSettings, SandboxMode};
use super::variables;
use crate::error::{Failure, Phase};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

mod listen;

use listen::{Ended, listen};

/// The Python half: one program in several files, in this order.
const WORKER: &str = concat!(
    include_str!("worker/start.py"),
    "\n\n",
    include_str!("worker/between.py"),
    "\n\n",
    include_str!("worker/record.py"),
    "\n\n",
    include_str!("worker/withheld.py"),
    "\n\n",
    include_str!("worker/load.py"),
    "\n\n",
    include_str!("worker/child.py"),
    "\n\n",
    include_str!("worker/answer.py"),
    "\n\n",
    include_str!("worker/fence.py"),
    "\n\n",
    include_str!("worker/processes.py"),
    "\n\n",
    include_str!("worker/supervisor.py"),
    "\n\n",
    include_str!("worker/main.py"),
);

/// Digest of the Python half: what another one compiled is not taken from the cache.
pub(super) fn digest() -> String {
    hex::encode(Sha256::digest(WORKER.as_bytes()))
}

/// Reads the worker from the pipe and runs it; nothing is imported before it has cleaned the search path.
const BOOT: &str = "import sys;CONTROL=sys.stdin.buffer;exec(compile(CONTROL.read(int(CONTROL.readline())),'<kfp-gitops worker>','exec'))";

/// The first line of the worker's own output; what an interpreter's start-up printed before it is skipped.
const MAGIC: &str = "kfp-gitops-worker-1";

/// One file printing more than this is cut; the rest is counted.
pub(super) const PRINTED_BYTES: u64 = 64 << 10;
/// One file's result larger than this is a failure. The server takes 32 MiB; the YAML form is about as large.
const RESULT_BYTES: u64 = 160 << 20;

/// One file to compile.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Task {
    /// Its place in the list of sources.
    pub id: usize,
    /// Where it lies.
    pub path: PathBuf,
    /// Compile exactly this function.
    pub function: Option<String>,
    /// Values for pipeline parameters.
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// The Python to start, and with which packages.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The interpreter.
    pub python: PathBuf,
    /// Folders of packages to add to the search path.
    pub paths: Vec<PathBuf>,
    /// Whether these replace what the interpreter has installed.
    pub only_paths: bool,
    /// Folders that the interpreter and its packages live in.
    pub readable: Vec<PathBuf>,
}

/// What the worker found at its start.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hello {
    /// The Python version.
    pub python: String,
    /// The kfp version.
    pub kfp: String,
    /// Why the children run without their inner fence, where they do.
    pub unfenced: Option<String>,
    /// Folders of installed packages and of the standard library.
    #[serde(default)]
    pub libraries: Vec<PathBuf>,
    /// The module search path.
    #[serde(default)]
    pub search: Vec<PathBuf>,
    /// Files of the modules that were there before any source ran.
    #[serde(default)]
    pub loaded: Vec<PathBuf>,
    /// Variables that kfp and its packages asked for while they were imported.
    #[serde(default)]
    pub variables: Vec<String>,
}

/// What came out of one child.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// What it wrote as its result: made by hostile code.
    pub result: Vec<u8>,
    /// What it printed, capped.
    pub printed: Vec<u8>,
    /// How many more bytes it printed.
    pub dropped: u64,
    /// How it ended, as `wait` says.
    pub status: i32,
    /// Why the supervisor killed it: `timeout`, `memory`, `processes`, `result-too-large`.
    pub reason: Option<String>,
    /// Wall time.
    pub seconds: f64,
}

/// Why a worker gave no more results.
#[derive(Debug)]
pub(super) enum Broken {
    /// It did not come up: a kfp that cannot be imported.
    Start(Failure),
    /// It ended while these files were being compiled; the text is what it said.
    Died(Vec<usize>, String),
}

#[derive(Serialize)]
struct Init<'a> {
    magic: &'a str,
    nonce: &'a str,
    paths: &'a [PathBuf],
    only_paths: bool,
    root: &'a Path,
    jobs: usize,
    timeout: f64,
    memory: u64,
    processes: u32,
    file_bytes: u64,
    result_bytes: u64,
    printed_bytes: u64,
    inner: &'a Inner,
    sandbox_required: bool,
    withheld: Vec<String>,
    conventional: Vec<String>,
    want_yaml: bool,
    no_caching: bool,
    record: bool,
    deployed: &'a [PathBuf],
    sources: &'a [Task],
}

/// How far the children were kept away in the end.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    /// The level.
    pub level: SandboxLevel,
    /// Why it is not full.
    pub reason: Option<String>,
}

/// Starts Python with the best sandbox that the machine does not refuse.
pub(super) fn spawn(settings: &EngineSettings, start: &Start) -> Result<(Child, Sandbox), Broken> {
    let needs = Needs {
        programs: &start.readable,
        root: &settings.root,
    };
    let mut effort = Effort::Everything;
    loop {
        let mut sandbox = Sandbox::build(settings, &needs, effort).map_err(Broken::Start)?;
        let mut command = Command::new(&start.python);
        command.args(["-s", "-B"]);
        if start.only_paths {
            command.arg("-S");
        }
        command
            .args(["-c", BOOT])
            .env_clear()
            .envs(variables::of_worker(settings))
            .current_dir(&settings.working_directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        sandbox.surround(&mut command);
        match (command.spawn(), effort.less()) {
            (Ok(child), _) => return Ok((child, sandbox)),
            // Only what a kernel or a container refuses: what ran out must not open the fence.
            (Err(error), Some(less))
                if sandbox.level > SandboxLevel::Environment
                    && matches!(
                        error.kind(),
                        ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::InvalidInput
                    ) =>
            {
                if settings.sandbox == SandboxMode::Require {
                    sandbox.lower(
                        SandboxLevel::Environment,
                        &format!("this container refuses it ({error})"),
                    );
                    sandbox.required(settings.sandbox).map_err(Broken::Start)?;
                }
                tracing::debug!("the sandbox was refused ({error}), trying with less");
                effort = less;
            }
            (Err(error), _) => {
                return Err(Broken::Start(Failure::infrastructure(
                    Phase::Prepare,
                    format!("cannot start `{}`: {error}", start.python.display()),
                )));
            }
        }
    }
}

/// Compiles the tasks in one worker. `each` gets every file's raw result as it comes.
///
/// # Errors
/// The worker did not come up or died. Files that `each` was not called for have no result.
pub(super) async fn run(
    settings: &EngineSettings,
    start: &Start,
    tasks: &[Task],
    deployed: &[PathBuf],
    each: &mut (dyn FnMut(usize, Raw, &Hello, &Reached) + Send),
) -> Result<(Hello, Reached), Broken> {
    let (mut child, mut sandbox) = spawn(settings, start)?;
    let (Some(mut control), Some(output), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Broken::Start(Failure::internal(
            Phase::Prepare,
            "the worker has no pipes",
        )));
    };
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let init = Init {
        magic: MAGIC,
        nonce: &nonce,
        paths: &start.paths,
        only_paths: start.only_paths,
        root: &settings.root,
        jobs: settings.jobs.clamp(1, 64),
        timeout: settings.timeout.as_secs_f64(),
        memory: settings.memory_bytes,
        processes: 256,
        file_bytes: settings.disk_bytes,
        result_bytes: RESULT_BYTES,
        printed_bytes: PRINTED_BYTES,
        inner: &sandbox.inner,
        sandbox_required: settings.sandbox == SandboxMode::Require,
        withheld: variables::withheld(settings),
        conventional: variables::conventional(settings),
        want_yaml: settings.want_yaml,
        no_caching: settings.disable_caching_by_default,
        record: settings.use_cache || settings.want_inputs,
        deployed,
        sources: tasks,
    };
    let mut message = format!("{}\n{WORKER}", WORKER.len()).into_bytes();
    serde_json::to_writer(&mut message, &init)
        .map_err(|error| Broken::Start(Failure::internal(Phase::Prepare, error.to_string())))?;
    message.push(b'\n');
    // written beside the reading: neither side may wait for the other. The pipe stays open until the end,
    // because the worker takes its closing for the end of this program.
    let writing = async move {
        let written = control.write_all(&message).await;
        drop(message);
        (written, control)
    };
    let said = tokio::spawn(drain(stderr));
    let writing = tokio::spawn(writing);
    let (level, reason) = (sandbox.level, sandbox.reason.clone());
    let outcome = listen(output, &nonce, &mut |id, raw, hello| {
        let reached = match &hello.unfenced {
            Some(unfenced) => Reached {
                level: level.min(SandboxLevel::Environment),
                reason: Some(unfenced.clone()),
            },
            None => Reached {
                level,
                reason: reason.clone(),
            },
        };
        each(id, raw, hello, &reached);
    })
    .await;
    drop(writing.await);
    let _status = child.wait().await;
    let said = said.await.unwrap_or_default();
    match outcome {
        Ok(hello) => {
            if let Some(reason) = &hello.unfenced {
                sandbox.lower(SandboxLevel::Environment, reason);
                sandbox.required(settings.sandbox).map_err(Broken::Start)?;
            }
            Ok((
                hello,
                Reached {
                    level: sandbox.level,
                    reason: sandbox.reason.clone(),
                },
            ))
        }
        Err(Ended::Broken(message, missing)) => {
            Err(Broken::Start(cannot_import(&message, missing.as_deref())))
        }
        Err(Ended::Early(
            Some(Hello {
                unfenced: Some(reason),
                ..
            }),
            _,
        )) if settings.sandbox == SandboxMode::Require => {
            sandbox.lower(SandboxLevel::Environment, &reason);
            Err(Broken::Start(
                sandbox
                    .required(settings.sandbox)
                    .err()
                    .unwrap_or_else(|| Failure::internal(Phase::Prepare, "the sandbox could not be put up")),
            ))
        }
        Err(Ended::Early(None, _)) => Err(Broken::Start(
            Failure::infrastructure(
                Phase::Prepare,
                format!("`{}` ended before it could compile", start.python.display()),
            )
            .detail(last_lines(&said)),
        )),
        Err(Ended::Early(Some(_), open)) => Err(Broken::Died(open, last_lines(&said))),
    }
}

fn cannot_import(message: &str, missing: Option<&str>) -> Failure {
    let failure = Failure::failed(Phase::Prepare, format!("kfp cannot be imported: {message}"));
    match missing {
        Some(name) => failure.hint(format!("install what kfp needs: `{name}` is missing")),
        None => failure.hint("install kfp again, or let this program prepare it: leave `--python` out"),
    }
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Reads to the end, keeping the first 64 KiB.
async fn drain(mut stream: tokio::process::ChildStderr) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = vec![0; 8192];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = (PRINTED_BYTES as usize).saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    kept
}
