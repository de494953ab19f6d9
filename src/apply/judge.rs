//! The last look before an upload: is it needless, wrong, or too early?

use super::deploy::{adopted, newest};
use super::run::{Run, stores};
use super::settle::SECOND;
use super::upload::Target;
use super::{Outcome, Task};
use crate::error::{Failure, Phase};
use crate::ids::PipelineId;
use crate::kfp::Version;
use crate::report::{Action, Reason};
use chrono::TimeDelta;
use std::time::Duration;

/// Versions looked at for the newest of ours; every item carries its whole spec, so few.
const RECENT: usize = 10;

/// How often a run waits for a second to pass that others keep using.
const MOST_WAITS: usize = 4;

/// What a look directly before the upload says.
pub(super) enum Look {
    /// There is nothing to upload, or nothing that may be.
    Done(Box<Outcome>),
    /// Another run has uploaded the same just now, and may still move or remove it.
    Follow(Box<Version>),
    /// On top of this one.
    Upload(Option<Box<Version>>),
}

/// Looks until the newest version's second has passed.
pub(super) async fn before_upload(
    run: &Run<'_>,
    task: &Task,
    pipeline: &PipelineId,
    gathered: &mut Outcome,
) -> Result<Look, Box<Outcome>> {
    let mut waits = 0;
    loop {
        let before = run.unless_stopping(newest(run, task, pipeline)).await??;
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

/// How long a run that has uploaded may still move or remove its version.
pub(super) const SETTLING: TimeDelta = TimeDelta::seconds(10);

/// Whether the run of this version may still be settling it. Where nobody can come in between, none does.
fn is_young(run: &Run<'_>, version: &Version) -> bool {
    if run.client.capabilities().conditional_uploads {
        return false;
    }
    let now = run.client.server_now().unwrap_or_else(chrono::Utc::now);
    version.created_at.is_some_and(|created| now - created < SETTLING)
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
