//! After an upload: read back, compare, and keep one of equal versions.
//!
//! Two runs can both see the old state and both upload. Once the second of an upload has passed, each lists
//! again. Of equal versions next to each other the smallest (created, id) stays; each run removes only its
//! own. A version that shares its second with other content would leave "the newest" to chance: its run
//! moves it into a later second.

use super::journal::{Entry, Event};
use super::run::{Run, stores};
use super::stage::{Progress, Stage};
use super::upload::{Before, Target, Uploaded};
use super::{Outcome, Task};
use crate::error::{Failure, Phase};
use crate::ids::{PipelineId, VersionId, VersionName};
use crate::kfp::{ApiError, Version};
use crate::plan::mark::Mark;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A second of the server's clock, and a little for its way here.
pub(super) const SECOND: Duration = Duration::from_millis(1050);

/// How often a version is moved or listed again at most.
const ROUNDS: usize = 6;

/// Versions per page when listing again: usually one is new.
const FEW: usize = 4;

/// Versions looked at when listing again; more than that in one second means something else is wrong.
const MANY: usize = 64;

/// What stays.
pub(super) struct Settled {
    /// The version that holds the content.
    pub version: VersionId,
    /// Its name.
    pub name: VersionName,
    /// Whether this run uploaded it.
    pub own: bool,
}

/// A version as far as the choice needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub id: VersionId,
    pub created: Option<DateTime<Utc>>,
    /// Holds the content and carries our project's mark.
    pub same: bool,
    /// Was uploaded by this intent.
    pub owned: bool,
    /// Was uploaded by this program: its run keeps the same rules.
    pub marked: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The version that stays.
    pub stays: VersionId,
    /// Our own that go.
    pub remove: Vec<VersionId>,
    /// Ours stays, but must be moved into another second.
    pub shares_second: bool,
}

/// Chooses among the versions newer than the one seen before the upload.
pub(super) fn choose(views: &[View], own: &VersionId) -> Choice {
    let alone = Choice {
        stays: own.clone(),
        remove: Vec::new(),
        shares_second: false,
    };
    let Some(ours) = views.iter().find(|view| view.id == *own) else {
        return alone;
    };
    let Some(created) = ours.created else { return alone };
    // Equal content in between belongs together; other content in between makes the later one a revert.
    let parted = |other: DateTime<Utc>| {
        let (from, to) = (created.min(other), created.max(other));
        from != to
            && views
                .iter()
                .any(|view| !view.same && view.created.is_some_and(|time| (from..=to).contains(&time)))
    };
    let group: Vec<&View> = views
        .iter()
        .filter(|view| view.id == ours.id || (view.same && view.created.is_some_and(|time| !parted(time))))
        .collect();
    let Some(stays) = group.iter().min_by_key(|view| (view.created, &view.id)) else {
        return alone;
    };
    let remove = group
        .iter()
        .filter(|view| view.owned && view.id != stays.id)
        .map(|view| view.id.clone())
        .collect();
    let shares_second = stays.id == ours.id
        && views
            .iter()
            .any(|view| !view.same && view.created == Some(created) && (!view.marked || view.id < ours.id));
    Choice {
        stays: stays.id.clone(),
        remove,
        shares_second,
    }
}

impl Run<'_> {
    /// Reads back what was uploaded and settles it with what others uploaded meanwhile.
    pub(super) async fn settle(
        &self,
        task: &Task,
        progress: &Progress,
        target: &Target,
        mut own: (VersionId, VersionName),
        outcome: &mut Outcome,
    ) -> Result<Settled, Box<Outcome>> {
        let mut target = target.clone();
        for _ in 0..ROUNDS {
            progress.stage(Stage::Uploaded(own.0.clone(), own.1.clone()));
            tokio::time::sleep(SECOND).await;
            let versions = match self.recent(&target, &own.0).await {
                Ok(versions) => versions,
                Err(error) => {
                    outcome
                        .warnings
                        .push(format!("the version was not read back: {}", error.message));
                    return Ok(Settled {
                        version: own.0,
                        name: own.1,
                        own: true,
                    });
                }
            };
            let Some(mine) = versions.iter().find(|version| version.id == own.0) else {
                return Err(Box::new(Outcome::failed(vanished(&own.1))));
            };
            let views: Vec<View> = versions
                .iter()
                .filter(|version| is_recent(version, mine, target.before.as_ref()))
                .map(|version| self.view(task, version, &own.0, target.before_id()))
                .collect();
            let choice = choose(&views, &own.0);
            if choice.stays == own.0 {
                if !stores(task, mine) {
                    return Err(Box::new(self.lossy(task, mine)));
                }
                self.remove_all(task, &target.pipeline, &choice.remove, outcome)
                    .await;
                if !choice.shares_second || self.cancel.is_stopping() {
                    return Ok(Settled {
                        version: own.0,
                        name: own.1,
                        own: true,
                    });
                }
                match self.relocate(task, progress, &target, &own, outcome).await? {
                    Moved::Again(version, name, newest) => {
                        own = (version, name);
                        target.before = newest;
                    }
                    Moved::Theirs(settled) => return Ok(settled),
                }
            } else {
                let kept = versions.iter().find(|version| version.id == choice.stays);
                let name = kept.map_or_else(|| own.1.clone(), |version| version.name.clone());
                let theirs = kept.is_some_and(|version| !self.owns(task, version));
                self.remove_all(task, &target.pipeline, &choice.remove, outcome)
                    .await;
                return Ok(Settled {
                    version: choice.stays,
                    name,
                    own: !theirs,
                });
            }
        }
        outcome
            .warnings
            .push("another version was uploaded in the same second, again and again".to_owned());
        Ok(Settled {
            version: own.0,
            name: own.1,
            own: true,
        })
    }

    /// Moves our version into a later second: removes it and uploads it anew.
    async fn relocate(
        &self,
        task: &Task,
        progress: &Progress,
        target: &Target,
        own: &(VersionId, VersionName),
        outcome: &mut Outcome,
    ) -> Result<Moved, Box<Outcome>> {
        outcome.notes.push(format!(
            "version `{}` shared its second with other content, so that the newest was left to chance: uploaded again",
            own.1
        ));
        self.remove_all(task, &target.pipeline, std::slice::from_ref(&own.0), outcome)
            .await;
        progress.stage(Stage::Quiet);
        let newest = match self.client.newest_version(&target.pipeline).await {
            Ok(newest) => newest,
            Err(error) => {
                return Err(Box::new(Outcome::failed(
                    error.into_failure(Phase::Apply, "reading the newest version"),
                )));
            }
        };
        if let Some(version) = &newest
            && stores(task, version)
            && self.mark(version).is_some()
        {
            let own = self.owns(task, version);
            return Ok(Moved::Theirs(Settled {
                version: version.id.clone(),
                name: version.name.clone(),
                own,
            }));
        }
        let document = super::deploy::document(task)?;
        let again = Target {
            pipeline: target.pipeline.clone(),
            before: newest.as_ref().map(Before::of),
        };
        drop(newest);
        match self
            .upload(task, progress, &again, document, &mut outcome.notes)
            .await?
        {
            Uploaded::Own(version, name) => Ok(Moved::Again(version, name, again.before)),
            Uploaded::Theirs(version) => Ok(Moved::Theirs(Settled {
                version: version.id.clone(),
                name: version.name.clone(),
                own: false,
            })),
        }
    }

    /// The versions down to `before`, and ours by id where a lagging list does not show it yet.
    async fn recent(&self, target: &Target, own: &VersionId) -> Result<Vec<Version>, ApiError> {
        let mut found: Vec<Version> = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .client
                .versions_page(&target.pipeline, FEW, token.as_deref())
                .await?;
            found.extend(page.items);
            let reached = found
                .iter()
                .any(|version| target.before_id() == Some(&version.id));
            match page.next {
                Some(next) if !reached && found.len() < MANY => token = Some(next),
                _ => break,
            }
        }
        if !found.iter().any(|version| version.id == *own)
            && let Some(version) = self.client.version(&target.pipeline, own).await?
        {
            found.push(version);
        }
        Ok(found)
    }

    fn view(&self, task: &Task, version: &Version, own: &VersionId, before: Option<&VersionId>) -> View {
        let is_own = version.id == *own;
        // What was there before is not part of the choice; it only may share our second.
        let is_before = before == Some(&version.id);
        View {
            id: version.id.clone(),
            created: version.created_at,
            same: is_own || (!is_before && self.holds(task, version) && self.mark(version).is_some()),
            owned: is_own || (!is_before && self.owns(task, version)),
            marked: !is_before && Mark::parse(&version.description).is_some(),
        }
    }

    async fn remove_all(
        &self,
        task: &Task,
        pipeline: &PipelineId,
        versions: &[VersionId],
        outcome: &mut Outcome,
    ) {
        for version in versions {
            if let Err(error) = self.remove(task, pipeline, version).await {
                outcome.warnings.push(format!(
                    "version {version}, a double of ours, could not be removed: {}",
                    error.message
                ));
            }
        }
    }

    /// Removes a version of ours. Deleting twice does no harm, but each time the server is asked first.
    async fn remove(&self, task: &Task, pipeline: &PipelineId, version: &VersionId) -> Result<(), ApiError> {
        let log = |event, cause: Option<&str>| {
            self.journal.record(Entry {
                version_id: Some(version.clone()),
                version_name: Some(version.as_str().to_owned()),
                digest: Some(task.digest),
                cause: cause.map(str::to_owned),
                ..Entry::new(task.name.as_str(), "delete-version", event)
            });
        };
        let mut attempt = 1;
        loop {
            log(Event::Intent, None);
            let error = match self.client.delete_version(pipeline, version).await {
                Ok(()) => {
                    log(Event::Done, None);
                    return Ok(());
                }
                Err(error) => error,
            };
            if let Ok(None) = self.client.version(pipeline, version).await {
                log(Event::Done, None);
                return Ok(());
            }
            log(Event::Unknown, Some(&error.message));
            let Some(wait) = self.client.patience().wait(attempt, error.retry_after) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// The server stored something else than was sent: a failure, once. The next run recognises the version
    /// by the digest in its description.
    fn lossy(&self, task: &Task, version: &Version) -> Outcome {
        let server = self
            .client
            .known_server()
            .and_then(|server| server.version)
            .map_or_else(|| "the server".to_owned(), |version| format!("server {version}"));
        let what = match &version.spec {
            None => format!(
                "it gives back no spec ({})",
                version.error.as_deref().unwrap_or("no reason given")
            ),
            Some(stored) if task.spec.platform_text().is_some() && stored.platform_text().is_none() => {
                "the platform settings are missing".to_owned()
            }
            Some(stored) => format!("it gives back digest {}", stored.digest()),
        };
        let failure = Failure::failed(
            Phase::Apply,
            format!("{server} does not store version `{}` as it was uploaded: {what}", version.name),
        )
        .hint("leave out what this server does not keep, or upgrade it; the version stays and is recognised next time");
        let mut outcome = Outcome::failed(failure);
        outcome.version_id = Some(version.id.clone());
        outcome.version_name = Some(version.name.clone());
        outcome
    }
}

/// Whether a version belongs to the choice: what is newer than the newest before, and what shares our second.
fn is_recent(version: &Version, mine: &Version, before: Option<&Before>) -> bool {
    version.id == mine.id
        || version.created_at == mine.created_at
        || before.is_none_or(|before| version.created_at > before.created)
}

enum Moved {
    Again(VersionId, VersionName, Option<Before>),
    Theirs(Settled),
}

fn vanished(name: &VersionName) -> Failure {
    Failure::infrastructure(
        Phase::Apply,
        format!("version `{name}` was uploaded and then removed by somebody else"),
    )
    .hint("run again; if it happens again, look for another program that manages the same pipelines")
}

#[cfg(test)]
mod tests;
