//! All pipelines of a run, side by side.

use super::cancel::Cancel;
use super::deploy::deploy;
use super::journal::Journal;
use super::stage::{Progress, Stage};
use super::{ApplySettings, Outcome, Task};
use crate::error::{Failure, Phase};
use crate::ids::VersionName;
use crate::kfp::{Client, Version};
use crate::plan::mark::Mark;
use crate::report::{Action, Reason};
use futures::future::join_all;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Beyond the time one call may take, what a run that is asked to stop has to find out what became of it.
const SETTLING: Duration = Duration::from_secs(10);

/// What the steps of all pipelines share.
pub(super) struct Run<'a> {
    pub client: &'a Client,
    pub settings: &'a ApplySettings,
    pub cancel: &'a Cancel,
    pub journal: &'a Journal,
    /// Bounds how many uploads are prepared in memory at once. Waiting for a second to pass needs none.
    pub work: Semaphore,
}

/// Carries out all tasks; the outcomes are in their order. Nothing is written to a multi-user server without
/// a namespace unless shared pipelines are meant.
pub async fn apply(
    client: &Client,
    settings: &ApplySettings,
    tasks: Vec<Task>,
    cancel: &Cancel,
    journal: &Journal,
) -> Vec<Outcome> {
    if tasks.is_empty() {
        return Vec::new();
    }
    let refused = match client.server().await {
        Ok(server) if server.multi_user && client.namespace().is_none() && !settings.shared => Some(
            Failure::usage(
                Phase::Apply,
                "the server separates users by namespace, and without one a pipeline shared by all would be created",
            )
            .hint("give `--namespace`, or `--shared` where that is meant"),
        ),
        Ok(_) => None,
        Err(failure) => Some(failure),
    };
    if let Some(failure) = refused {
        return tasks.iter().map(|_| Outcome::failed(failure.clone())).collect();
    }
    let work = Semaphore::new(client.connection().concurrency.max(1));
    let run = Run {
        client,
        settings,
        cancel,
        journal,
        work,
    };
    let all = join_all(tasks.iter().map(|task| run.one(task)));
    // Whoever asks to stop waits for the calls under way, not for a server that asks to be left alone for minutes.
    let hurried = async {
        cancel.stopping().await;
        client.patience().hurry(client.connection().timeout + SETTLING);
        std::future::pending().await
    };
    tokio::select! {
        biased;
        outcomes = all => outcomes,
        outcomes = hurried => outcomes,
    }
}

impl Run<'_> {
    async fn one(&self, task: &Task) -> Outcome {
        let started = Instant::now();
        let progress = Progress::default();
        let mut outcome = tokio::select! {
            biased;
            outcome = deploy(self, task, &progress) => outcome,
            () = self.cancel.now() => abandoned(&progress),
        };
        if outcome.pipeline_id.is_none() {
            outcome.pipeline_id = progress.now().1;
        }
        if let (None, Some(pipeline), Some(version)) =
            (&outcome.url, &outcome.pipeline_id, &outcome.version_id)
        {
            outcome.url = self.client.links().version(pipeline, version);
        }
        outcome.seconds = started.elapsed().as_secs_f64();
        outcome
    }

    /// The version name for a pipeline: its own or the run's, with the pipeline's name where a server could not give one
    /// name to versions of two pipelines (Kubernetes store before 2.17.0).
    pub(super) fn version_name(&self, task: &Task) -> VersionName {
        let name = task.version_name.as_ref().unwrap_or(&self.settings.version_name);
        self.client.capabilities().version_name(name, &task.name)
    }

    /// Whether a version was uploaded by this intent: the same CI run in any of its attempts, or, without
    /// one, with exactly our description.
    pub(super) fn owns(&self, task: &Task, version: &Version) -> bool {
        if version.description == task.version_description {
            return true;
        }
        let Some(run) = &self.settings.mark.run else {
            return false;
        };
        self.mark(version)
            .is_some_and(|mark| mark.run.as_ref() == Some(run) && mark.digest == Some(task.digest))
    }

    /// The mark of a version of this project; `None` for what is not ours to judge.
    pub(super) fn mark(&self, version: &Version) -> Option<Mark> {
        Mark::parse(&version.description).filter(|mark| !self.settings.mark.is_foreign(mark))
    }

    /// Whether a version holds the task's content, or was uploaded as that and lost some on the way.
    pub(super) fn holds(&self, task: &Task, version: &Version) -> bool {
        stores(task, version)
            || self
                .mark(version)
                .is_some_and(|mark| mark.digest == Some(task.digest))
    }
}

/// Whether what the server stores is exactly the task's content.
pub(super) fn stores(task: &Task, version: &Version) -> bool {
    version
        .spec
        .as_ref()
        .is_some_and(|spec| spec.digest() == task.digest)
}

/// The outcome of a pipeline whose work was dropped in the middle: only what is known is said.
fn abandoned(progress: &Progress) -> Outcome {
    let (stage, pipeline, created) = progress.now();
    let doubt = |what: String| {
        let failure = Failure::infrastructure(Phase::Apply, format!("ended at once while {what}"))
            .hint("run again: what is already on the server is recognised");
        Outcome {
            reason: Some(Reason::Interrupted),
            ..Outcome::unknown(failure)
        }
    };
    let mut outcome = match stage {
        Stage::Quiet => {
            let mut outcome = Outcome::interrupted();
            if created {
                outcome
                    .notes
                    .push("the pipeline was created but has no version yet; the next run adds it".to_owned());
            }
            outcome
        }
        Stage::Creating => doubt("the pipeline was being created".to_owned()),
        Stage::Uploading(name) => doubt(format!("version `{name}` was being uploaded")),
        Stage::Uploaded(id, name) => {
            let action = if created { Action::Created } else { Action::Updated };
            let mut outcome = Outcome::new(action);
            outcome.version_id = Some(id);
            outcome.version_name = Some(name);
            outcome
                .warnings
                .push("ended at once: the version was not read back".to_owned());
            outcome
        }
    };
    outcome.pipeline_id = pipeline;
    outcome
}
