//! A start of the sandbox for its own sake: kernels and containers refuse what they seem to have, and only who
//! tries knows.

use super::sandbox::Sandbox;
use super::sandbox_keeper as keeper;
use super::settings::EngineSettings;
use super::worker::{self, Broken, Reached, Start};
use crate::error::{Failure, Phase};
use serde::Deserialize;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TRIAL: &str = concat!(
    include_str!("worker/start.py"),
    "\n\n",
    include_str!("worker/fence.py"),
    "\n\n",
    include_str!("worker/trial.py"),
);

/// Longer than any interpreter takes to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last line of the trial.
const SAID: &str = "kfp-gitops-trial ";

#[derive(Deserialize)]
struct Outcome {
    unfenced: Option<String>,
}

/// How far a worker that is started in this way is kept away.
///
/// # Errors
/// Python does not start; a required sandbox is not possible.
pub(super) async fn reached(settings: &EngineSettings, start: &Start) -> Result<Reached, Failure> {
    let (mut child, lifeline, mut sandbox) =
        worker::spawn(settings, start).map_err(|broken| match broken {
            Broken::Start(failure) => failure,
            Broken::Died(_, said) => Failure::internal(Phase::Prepare, said),
        })?;
    let mut message = format!("{}\n{TRIAL}", TRIAL.len()).into_bytes();
    serde_json::to_writer(&mut message, &sandbox.inner)
        .map_err(|error| Failure::internal(Phase::Prepare, error.to_string()))?;
    message.push(b'\n');
    let mut said = String::new();
    let (control, output) = (child.stdin.take(), child.stdout.take());
    let talk = async {
        if let (Some(mut control), Some(mut output)) = (control, output) {
            control.write_all(&message).await?;
            output.read_to_string(&mut said).await?;
        }
        child.wait().await
    };
    let ended = tokio::time::timeout(PATIENCE, talk).await;
    let outcome = said
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Outcome>(line.strip_prefix(SAID)?).ok());
    match (outcome, ended) {
        (Some(outcome), _) => finished(settings, &mut sandbox, outcome),
        (None, Err(_)) => {
            keeper::end(child, lifeline).await;
            Err(cannot_start(
                start,
                &format!("no answer within {} s", PATIENCE.as_secs()),
            ))
        }
        (None, Ok(Err(error))) => Err(cannot_start(start, &error.to_string())),
        (None, Ok(Ok(status))) => Err(cannot_start(start, &status.to_string())),
    }
}

fn finished(settings: &EngineSettings, sandbox: &mut Sandbox, outcome: Outcome) -> Result<Reached, Failure> {
    if let Some(reason) = outcome.unfenced {
        sandbox.lower(super::SandboxLevel::Environment, &reason);
        sandbox.required(settings.sandbox)?;
    }
    Ok(Reached {
        level: sandbox.level,
        reason: sandbox.reason.clone(),
    })
}

fn cannot_start(start: &Start, why: &str) -> Failure {
    Failure::infrastructure(
        Phase::Prepare,
        format!(
            "`{}` does not start in the sandbox: {why}",
            start.python.display()
        ),
    )
    .hint("name another Python with `--python`")
}
