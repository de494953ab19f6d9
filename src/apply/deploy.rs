//! One pipeline from task to outcome.

use super::run::{Run, stores};
use super::settle::SECOND;
use super::stage::{Progress, Stage};
use super::upload::{Before, Target, Uploaded};
use super::{Outcome, Task};
use crate::error::{Failure, Phase};
use crate::ids::{PipelineId, VersionId};
use crate::ir::upload_documents;
use crate::kfp::{Version, features};
use crate::report::{Action, Reason};
use bytes::Bytes;
use chrono::TimeDelta;
use std::time::Duration;

/// Versions looked at for the newest of ours; every item carries its whole spec, so few.
const RECENT: usize = 10;

/// How often others may come in between a look and an upload.
const MOST_ROUNDS: usize = 16;

/// How often a run waits for a second to pass that others keep using.
const MOST_WAITS: usize = 4;

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

/// What a look directly before the upload says.
enum Look {
    /// There is nothing to upload, or nothing that may be.
    Done(Box<Outcome>),
    /// Another run has uploaded the same just now, and may still move or remove it.
    Follow(Box<Version>),
    /// On top of this one.
    Upload(Option<Box<Version>>),
}

/// Looks until the newest version's second has passed.
async fn before_upload(
    run: &Run<'_>,
    task: &Task,
    pipeline: &PipelineId,
    gathered: &mut Outcome,
) -> Result<Look, Box<Outcome>> {
    let mut waits = 0;
    loop {
        let before = newest(run, task, pipeline).await?;
        if let Some(before) = &before
            && let Some(outcome) = judge(run, task, before, gathered).await
        {
            let adopted = outcome.reason == Some(Reason::Adopted);
            return Ok(if adopted && is_young(run, before) {
                Look::Follow(Box::new(before.clone()))
            } else {
                Look::Done(Box::new(outcome))
            });
        }
        if run.cancel.is_stopping() {
            return Err(Box::new(Outcome::interrupted()));
        }
        let wait = before.as_ref().and_then(|before| second_left(run, before));
        let Some(wait) = wait.filter(|_| waits < MOST_WAITS) else {
            return Ok(Look::Upload(before.map(Box::new)));
        };
        if run.sleep(wait).await.is_err() {
            return Err(Box::new(Outcome::interrupted()));
        }
        // Somebody else may have written in the meantime: what decides is read directly before the upload.
        waits += 1;
    }
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

/// How long a run that has uploaded may still move or remove its version.
const SETTLING: TimeDelta = TimeDelta::seconds(10);

/// Whether the run of this version may still be settling it. Where nobody can come in between, none does.
fn is_young(run: &Run<'_>, version: &Version) -> bool {
    if run.client.capabilities().conditional_uploads {
        return false;
    }
    let now = run.client.server_now().unwrap_or_else(chrono::Utc::now);
    version.created_at.is_some_and(|created| now - created < SETTLING)
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

/// Whether the newest version, read again directly before writing, makes writing needless or wrong.
async fn judge(run: &Run<'_>, task: &Task, before: &Version, gathered: &mut Outcome) -> Option<Outcome> {
    let unchanged = |mut outcome: Outcome| {
        outcome.version_id = Some(before.id.clone());
        outcome.version_name = Some(before.name.clone());
        Some(outcome)
    };
    // A forced upload is wanted once per intent: a second attempt of the run finds its own.
    let wanted_again = run.settings.force && !run.owns(task, before);
    if stores(task, before) && !wanted_again {
        return unchanged(adopted());
    }
    if run
        .mark(before)
        .is_some_and(|mark| mark.digest == Some(task.digest))
        && !stores(task, before)
        && !wanted_again
    {
        let mut outcome = Outcome::new(Action::Unchanged);
        outcome.warnings.push(format!(
            "version `{}` was uploaded with this content, but the server does not keep all of it",
            before.name
        ));
        return unchanged(outcome);
    }
    let mark = crate::plan::mark::Mark::parse(&before.description);
    if task.expected_newest.as_ref() != Some(&before.id) {
        if let Some(failure) = moved(run, task, before, mark.as_ref()) {
            return Some(Outcome::failed(failure));
        }
        let note = format!(
            "version `{}` was uploaded after the plan was made; this one replaces it",
            before.name
        );
        if !gathered.notes.contains(&note) {
            gathered.notes.push(note);
        }
    }
    superseded(run, before).await
}

/// Whether a later commit was deployed since the newest version was read, asked before anything is sent
/// another time.
pub(super) async fn overtaken(run: &Run<'_>, target: &Target) -> Option<Outcome> {
    run.settings.lineage.as_ref().filter(|_| !run.settings.force)?;
    // Trouble here is doubt, and doubt lets pass.
    let newest = run.client.newest_version(&target.pipeline).await.ok()??;
    if Some(&newest.id) == target.before_id() {
        return None;
    }
    superseded(run, &newest).await
}

/// The outcome where a later commit of ours is deployed already, and that is proved.
pub(super) async fn superseded(run: &Run<'_>, before: &Version) -> Option<Outcome> {
    let lineage = run.settings.lineage.as_ref().filter(|_| !run.settings.force)?;
    let mut managed = run.mark(before).map(|mark| (mark, before.name.clone()));
    if managed.is_none() {
        // Uploaded by hand on top of ours: what counts is the newest of ours. Any trouble is doubt.
        let older = run.client.versions(&before.pipeline_id, RECENT).await.ok()?;
        managed = older
            .iter()
            .find_map(|version| Some((run.mark(version)?, version.name.clone())));
    }
    let (mark, name) = managed?;
    let deployed = mark.commit?;
    if run.settings.mark.commit.as_ref() == Some(&deployed) || !lineage.is_superseded_by(&deployed).await {
        return None;
    }
    let short = deployed.get(..7).unwrap_or(&deployed);
    let mut outcome = Outcome {
        reason: Some(Reason::Superseded),
        version_id: Some(before.id.clone()),
        version_name: Some(before.name.clone()),
        ..Outcome::new(Action::Skipped)
    };
    outcome.notes.push(format!(
        "superseded by `{name}` (commit {short}), which comes later on this branch"
    ));
    Some(outcome)
}

/// A newest version that the plan did not see, where that forbids writing.
fn moved(
    run: &Run<'_>,
    task: &Task,
    before: &Version,
    mark: Option<&crate::plan::mark::Mark>,
) -> Option<Failure> {
    if run.settings.refuse_moved {
        let text = format!(
            "`{}` has moved since the plan was made: its newest version is now `{}`",
            task.name, before.name
        );
        return Some(Failure::failed(Phase::Apply, text).hint("make a new plan"));
    }
    // What the plan saw and took over on purpose is not judged again.
    let other = mark.filter(|mark| run.settings.mark.is_foreign(mark))?;
    let text = format!(
        "`{}` was uploaded by {} after the plan was made",
        task.name,
        other.owner()
    );
    Some(
        Failure::usage(Phase::Apply, text)
            .hint("take it over with `--adopt`, or give this pipeline another name"),
    )
}

/// How long until the server's second differs from that of the newest version.
fn second_left(run: &Run<'_>, before: &Version) -> Option<Duration> {
    let created = before.created_at?;
    let Some(now) = run.client.server_now() else {
        // Nothing told the server's time: wait where the version looks young by our clock.
        let age = (chrono::Utc::now() - created).abs();
        return (age < TimeDelta::seconds(3)).then_some(SECOND);
    };
    let left = created + TimeDelta::seconds(1) - now;
    // A version from the future means clocks that differ within the server; more than a second helps nobody.
    left.to_std()
        .ok()
        .filter(|left| !left.is_zero())
        .map(|left| left.min(SECOND))
}

fn adopted() -> Outcome {
    Outcome {
        reason: Some(Reason::Adopted),
        ..Outcome::new(Action::Unchanged)
    }
}

fn out_of_time() -> Failure {
    Failure::infrastructure(Phase::Apply, "the run's time was up before this pipeline's turn")
        .hint("run again: what is done is recognised, and the rest goes on")
}
