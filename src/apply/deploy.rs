//! One pipeline from task to outcome.

use super::judge::{Look, SETTLING, before_upload};
use super::run::Run;
use super::stage::{Progress, Stage};
use super::upload::{Before, Target, Uploaded};
use super::{Outcome, Task};
use crate::error::{Failure, Phase};
use crate::ids::{PipelineId, VersionId};
use crate::ir::upload_documents;
use crate::kfp::{Version, features};
use crate::report::{Action, Reason};
use bytes::Bytes;

/// How often others may come in between a look and an upload.
const MOST_ROUNDS: usize = 16;

/// Brings one pipeline to the content of its task.
pub(super) async fn deploy(run: &Run<'_>, task: &Task, progress: &Progress) -> Outcome {
    // Warnings and notes gathered on the way belong to the outcome, however it ends.
    let mut gathered = Outcome::new(Action::Unchanged);
    let mut outcome = match attempt(run, task, progress, &mut gathered).await {
        Ok(outcome) => outcome,
        Err(outcome) => *outcome,
    };
    outcome.notes.splice(0..0, gathered.notes);
    outcome.warnings.splice(0..0, gathered.warnings);
    let (_, pipeline, created) = progress.now();
    if created && outcome.version_id.is_none() && matches!(outcome.action, Action::Failed | Action::Skipped) {
        outcome
            .notes
            .push("the pipeline was created but has no version yet; the next run adds it".to_owned());
    }
    outcome.pipeline_id = outcome.pipeline_id.or(pipeline);
    outcome
}

async fn attempt(
    run: &Run<'_>,
    task: &Task,
    progress: &Progress,
    gathered: &mut Outcome,
) -> Result<Outcome, Box<Outcome>> {
    let permit = tokio::select! {
        biased;
        () = run.cancel.stopping() => return Err(Box::new(Outcome::interrupted())),
        permit = run.work.acquire() => permit.ok(),
    };
    if run.client.patience().remaining().is_none() {
        return Err(Box::new(Outcome::failed(out_of_time())));
    }
    if let Some(outcome) = unsupported(run, task) {
        return Err(Box::new(outcome));
    }
    // Before anything is created: bytes the server would choke on are refused here.
    let document = document(task)?;
    // What an earlier run left open is said; the plan has asked the server since.
    let left = run.journal.recall(task.name.as_str(), None);
    gathered.notes.extend(left);
    let pipeline = run.ensure_pipeline(task, progress, &mut gathered.notes).await?;
    let mut rounds = 0;
    let (target, uploaded) = loop {
        let before = match before_upload(run, task, &pipeline, gathered).await? {
            Look::Upload(before) => before,
            Look::Follow(theirs) => return watch(run, task, progress, &theirs, gathered).await,
            Look::Done(outcome) => return Ok(*outcome),
        };
        let target = Target {
            pipeline: pipeline.clone(),
            before: before.as_deref().map(Before::of),
        };
        drop(before);
        let notes = &mut gathered.notes;
        if let Some(uploaded) = run
            .upload(task, progress, &target, document.clone(), notes)
            .await?
        {
            break (target, uploaded);
        }
        progress.stage(Stage::Quiet);
        rounds += 1;
        if rounds == MOST_ROUNDS {
            return Err(Box::new(Outcome::failed(outpaced(task))));
        }
    };
    let (_, _, created) = progress.now();
    // Neither the old spec nor the document is held from here on: hundreds may wait for a second to pass.
    drop(document);
    drop(permit);
    let settled = run.settle(task, progress, &target, uploaded, gathered).await?;
    let mut outcome = if settled.own {
        let action = if created { Action::Created } else { Action::Updated };
        Outcome {
            reason: task.reason,
            ..Outcome::new(action)
        }
    } else {
        adopted()
    };
    outcome.version_id = Some(settled.version);
    outcome.version_name = Some(settled.name);
    outcome.pipeline_id = Some(target.pipeline);
    Ok(outcome)
}

/// The newest version, read directly before what it decides.
pub(super) async fn newest(
    run: &Run<'_>,
    task: &Task,
    pipeline: &PipelineId,
) -> Result<Option<Version>, Box<Outcome>> {
    run.client.newest_version(pipeline).await.map_err(|error| {
        let doing = format!("reading the newest version of `{}`", task.name);
        Box::new(Outcome::failed(error.into_failure(Phase::Apply, &doing)))
    })
}

/// What the server would refuse or drop in silence is refused before the first write. The plan says so, too;
/// this is for tasks from elsewhere.
fn unsupported(run: &Run<'_>, task: &Task) -> Option<Outcome> {
    let server = run.client.known_server()?;
    let failure = features::refusal(task.name.as_str(), &task.spec, &server, Phase::Apply)?;
    Some(Outcome {
        reason: Some(Reason::Unsupported),
        ..Outcome::failed(failure)
    })
}

/// The bytes to upload; what a server would choke on is refused.
pub(super) fn document(task: &Task) -> Result<Bytes, Box<Outcome>> {
    upload_documents(&task.spec)
        .map(Bytes::from)
        .map_err(|error| Box::new(Outcome::failed(error.failure())))
}

fn outpaced(task: &Task) -> Failure {
    Failure::infrastructure(
        Phase::Apply,
        format!("others kept uploading versions of `{}` in between", task.name),
    )
    .hint("run again; if it happens again, look for another program that manages the same pipelines")
}

/// Another run uploaded the same just now: it may still move or remove it, and this run follows.
async fn watch(
    run: &Run<'_>,
    task: &Task,
    progress: &Progress,
    theirs: &Version,
    gathered: &mut Outcome,
) -> Result<Outcome, Box<Outcome>> {
    // Equal versions that other runs may choose instead are at most this much older.
    let earlier = theirs.created_at.map(|created| created - SETTLING);
    let target = Target {
        pipeline: theirs.pipeline_id.clone(),
        before: Some(Before {
            id: VersionId::new(""),
            created: earlier,
        }),
    };
    let uploaded = Uploaded::Theirs {
        version: Box::new(theirs.clone()),
        late: false,
    };
    let settled = run.settle(task, progress, &target, uploaded, gathered).await?;
    // What an earlier attempt of this run uploaded, and left where it is, this attempt has not done.
    let mut outcome = if settled.own && settled.version != theirs.id {
        Outcome::new(Action::Updated)
    } else {
        adopted()
    };
    outcome.version_id = Some(settled.version);
    outcome.version_name = Some(settled.name);
    Ok(outcome)
}

pub(super) fn adopted() -> Outcome {
    Outcome {
        reason: Some(Reason::Adopted),
        ..Outcome::new(Action::Unchanged)
    }
}

fn out_of_time() -> Failure {
    Failure::infrastructure(Phase::Apply, "the run's time was up before this pipeline's turn")
        .hint("run again: what is done is recognised, and the rest goes on")
}
