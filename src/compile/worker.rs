//! Starting the Python half and listening to it.

use super::SandboxLevel;
use super::sandbox::{Effort, Inner, Needs, Sandbox};
use super::sandbox_keeper::{self as keeper, Lifeline};
use super::settings::{EngineSettings, SandboxMode};
use super::variables;
use crate::error::{Failure, Phase};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

mod listen;
mod model;

use listen::{Ended, listen};
pub(super) use model::{Hello, Raw, Reached, Start, Task};

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
    include_str!("worker/project.py"),
    "\n\n",
    include_str!("worker/yaml_text.py"),
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
    kfp: &'a str,
    paths: &'a [PathBuf],
    project: &'a [PathBuf],
    apart: bool,
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

/// Starts Python with the best sandbox that the machine does not refuse.
pub(super) fn spawn(settings: &EngineSettings, start: &Start) -> Result<(Child, Lifeline, Sandbox), Broken> {
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
            .stderr(Stdio::piped());
        // its supervisor ends what files leave behind; this ends what a supervisor leaves that was killed
        let lifeline = keeper::keep(&mut command, Vec::new()).map_err(|error| {
            Broken::Start(Failure::infrastructure(
                Phase::Prepare,
                format!("cannot start Python: {error}"),
            ))
        })?;
        sandbox.surround(&mut command);
        match (command.spawn(), effort.less()) {
            (Ok(child), _) => return Ok((child, lifeline, sandbox)),
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

/// Compiles the tasks in one worker. `each` gets every file's raw result as it comes; `room` is how many bytes of
/// results may still be kept.
///
/// Where the project's packages replace a file that kfp loads, no supervisor may import it for all: a second
/// worker is started, whose children import kfp by themselves.
///
/// # Errors
/// The worker did not come up or died. Files that `each` was not called for have no result.
pub(super) async fn run(
    settings: &EngineSettings,
    start: &Start,
    tasks: &[Task],
    deployed: &[PathBuf],
    room: &mut u64,
    each: &mut Each<'_>,
) -> Result<(Hello, Reached), Broken> {
    // nothing that may be loaded for all
    let apart = start.only_paths && start.paths.is_empty();
    match once(settings, start, tasks, deployed, apart, room, each).await {
        Err(Stopped::Apart(file)) => match once(settings, start, tasks, deployed, true, room, each).await {
            Ok((hello, reached)) => Ok((
                Hello {
                    apart: Some(file),
                    ..hello
                },
                reached,
            )),
            Err(stopped) => Err(stopped.into()),
        },
        other => other.map_err(Broken::from),
    }
}

/// Who gets a file's raw result.
type Each<'a> = dyn FnMut(usize, Raw, &Hello, &Reached) + Send + 'a;

/// Why one worker gave no more results.
enum Stopped {
    Broken(Broken),
    /// Its children have to import kfp by themselves.
    Apart(String),
}

impl From<Broken> for Stopped {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Stopped> for Broken {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Broken(broken) => broken,
            Stopped::Apart(file) => Self::Start(Failure::internal(
                Phase::Prepare,
                format!("the worker says twice that `{file}` is replaced"),
            )),
        }
    }
}

async fn once(
    settings: &EngineSettings,
    start: &Start,
    tasks: &[Task],
    deployed: &[PathBuf],
    apart: bool,
    room: &mut u64,
    each: &mut Each<'_>,
) -> Result<(Hello, Reached), Stopped> {
    let (mut child, lifeline, mut sandbox) = spawn(settings, start)?;
    let (Some(mut control), Some(output), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Broken::Start(Failure::internal(Phase::Prepare, "the worker has no pipes")).into());
    };
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let init = Init {
        magic: MAGIC,
        nonce: &nonce,
        kfp: &start.kfp,
        paths: &start.paths,
        project: &start.project,
        apart,
        only_paths: start.only_paths,
        root: &settings.root,
        jobs: settings.jobs.clamp(1, 64),
        timeout: settings.timeout.as_secs_f64(),
        memory: settings.memory_bytes,
        processes: settings.processes,
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
    let outcome = listen(
        output,
        &nonce,
        settings.start_timeout,
        room,
        &mut |id, raw, hello| {
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
        },
    )
    .await;
    if matches!(outcome, Err(Ended::Late(_))) {
        // it may not even read what is written to it
        keeper::end(child, lifeline).await;
        writing.abort();
    } else {
        drop(writing.await);
        let _status = child.wait().await;
    }
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
        Err(Ended::Apart(file)) => return Err(Stopped::Apart(file)),
        Err(Ended::Broken(message, missing)) => {
            Err(Broken::Start(cannot_import(&message, missing.as_deref())))
        }
        Err(Ended::Late(begun)) => Err(Broken::Start(too_late(settings, start, begun, &said))),
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
    .map_err(Stopped::from)
}

fn cannot_import(message: &str, missing: Option<&str>) -> Failure {
    let failure = Failure::failed(Phase::Prepare, format!("kfp cannot be imported: {message}"));
    match missing {
        Some(name) => failure.hint(format!("install what kfp needs: `{name}` is missing")),
        None => failure.hint("install kfp again, or let this program prepare it: leave `--python` out"),
    }
}

/// It neither came up nor ended. Files have a time-out of their own, which begins later.
fn too_late(settings: &EngineSettings, start: &Start, begun: bool, said: &[u8]) -> Failure {
    let (python, seconds) = (start.python.display(), settings.start_timeout.as_secs());
    let failure = if begun {
        Failure::infrastructure(
            Phase::Prepare,
            format!("kfp {} was not imported within {seconds} s by `{python}`", start.kfp),
        )
        .hint("look at what `python -X importtime -c 'import kfp'` waits for, such as a slow disk, or raise `compile.timeout`")
    } else {
        Failure::infrastructure(
            Phase::Prepare,
            format!("`{python}` did not start within {seconds} s"),
        )
        .hint("look for a `sitecustomize` or a `.pth` file in it that waits for something, name another one with `--python`, or raise `compile.timeout`")
    };
    failure.detail(last_lines(said))
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
