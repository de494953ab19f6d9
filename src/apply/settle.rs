//! After an upload: read back, compare, and keep one of equal versions.
//!
//! Two runs can both see the old state and both upload. Once the second of an upload has passed, each lists
//! again. Of equal versions next to each other the smallest (created, id) stays; each run removes only its
//! own. A version that shares its second with other content would leave "the newest" to chance: its run
//! moves it into a later second, and who relies on it waits and follows.

use super::choice::{View, choose};
use super::run::{Run, stores};
use super::stage::{Progress, Stage};
use super::upload::{Before, Target, Uploaded};
use super::{Outcome, Task};
use crate::error::{Failure, Phase};
use crate::ids::{VersionId, VersionName};
use crate::kfp::{ApiError, Version};
use crate::plan::mark::Mark;
use std::time::Duration;

/// A second of the server's clock, and a little for its way here.
pub(super) const SECOND: Duration = Duration::from_millis(1050);

/// How long to wait for an upload that nobody waits for any more.
const GRACE: Duration = Duration::from_secs(4);

/// How often a Kubernetes store is looked at again for a version it has acknowledged: its reads come from a
/// cache that lags.
const LAGGING: usize = 5;

/// How often a version is moved, followed or listed again at most.
const ROUNDS: usize = 8;

/// Versions per page when listing again: usually one is new.
const FEW: usize = 4;

/// Versions looked at when listing again; more than that in one second means something else is wrong.
const MANY: usize = 64;

/// What stays.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// The version that holds the content.
    pub version: VersionId,
    /// Its name.
    pub name: VersionName,
    /// Whether this run uploaded it.
    pub own: bool,
}

impl Settled {
    fn of(version: &Version, own: bool) -> Self {
        Self {
            version: version.id.clone(),
            name: version.name.clone(),
            own,
        }
    }
}

/// What holds the content after an upload. Where ours may still arrive beside theirs, only a little patience
/// can tell.
async fn arrived(uploaded: Uploaded) -> Settled {
    match uploaded {
        Uploaded::Own(version, name) => Settled {
            version,
            name,
            own: true,
        },
        Uploaded::Theirs { version, late } => {
            if late {
                tokio::time::sleep(GRACE).await;
            }
            Settled::of(&version, false)
        }
    }
}

/// Where a round leads.
enum Next {
    Done(Settled),
    Again(Settled),
    Upload,
    Missing,
}

impl Run<'_> {
    /// Reads back what holds the content now and settles it with what others upload at the same time.
    pub(super) async fn settle(
        &self,
        task: &Task,
        progress: &Progress,
        target: &Target,
        uploaded: Uploaded,
        outcome: &mut Outcome,
    ) -> Result<Settled, Box<Outcome>> {
        let mut target = target.clone();
        let mut now = arrived(uploaded).await;
        let mut lagging = if self.client.capabilities().kubernetes_store {
            LAGGING
        } else {
            0
        };
        for round in 0..ROUNDS {
            if now.own {
                progress.stage(Stage::Uploaded(now.version.clone(), now.name.clone()));
            }
            // Where nobody can come in between there is nobody to wait for; whoever follows others waits all the same.
            if round > 0 || !self.client.capabilities().conditional_uploads {
                tokio::time::sleep(SECOND).await;
            }
            let versions = match self.recent(&target, &now.version).await {
                Ok(versions) => versions,
                Err(error) => {
                    outcome
                        .warnings
                        .push(format!("the version was not read back: {}", error.message));
                    return Ok(now);
                }
            };
            let next = if now.own {
                self.settle_own(task, &target, &now, &versions, outcome).await?
            } else {
                self.follow(task, &target, &now, &versions, outcome).await
            };
            match next {
                Next::Done(settled) => return Ok(settled),
                Next::Again(settled) => now = settled,
                Next::Missing if lagging > 0 => lagging -= 1,
                Next::Missing => return Err(Box::new(Outcome::failed(vanished(&now.name)))),
                Next::Upload => {
                    if let Some(settled) = self.upload_again(task, progress, &mut target, outcome).await? {
                        now = settled;
                    }
                }
            }
        }
        outcome
            .warnings
            .push("others kept uploading in the same seconds: look at the newest version".to_owned());
        Ok(now)
    }

    /// One look at what this run uploaded.
    async fn settle_own(
        &self,
        task: &Task,
        target: &Target,
        now: &Settled,
        versions: &[Version],
        outcome: &mut Outcome,
    ) -> Result<Next, Box<Outcome>> {
        let Some(mine) = versions.iter().find(|version| version.id == now.version) else {
            return Ok(Next::Missing);
        };
        let views = self.views(task, target, versions, Some(mine));
        let choice = choose(&views, &mine.id);
        if choice.stays == mine.id && !stores(task, mine) {
            return Err(Box::new(self.lossy(task, mine)));
        }
        if let Some(overtaken) = self.overtaken(target, mine, versions).await {
            self.remove_all(task, &target.pipeline, std::slice::from_ref(&mine.id), outcome)
                .await;
            return Err(Box::new(overtaken));
        }
        self.remove_all(task, &target.pipeline, &choice.remove, outcome)
            .await;
        if choice.stays != mine.id {
            let Some(kept) = versions.iter().find(|version| version.id == choice.stays) else {
                return Ok(Next::Done(now.clone()));
            };
            let settled = Settled::of(kept, self.owns(task, kept));
            return Ok(if choice.moves && !self.cancel.is_stopping() {
                Next::Again(settled)
            } else {
                Next::Done(settled)
            });
        }
        if !choice.moves || self.cancel.is_stopping() {
            return Ok(Next::Done(now.clone()));
        }
        outcome.notes.push(format!(
            "version `{}` shared its second with other content, so that the newest was left to chance: uploaded again",
            now.name
        ));
        self.remove_all(task, &target.pipeline, std::slice::from_ref(&mine.id), outcome)
            .await;
        Ok(Next::Upload)
    }

    /// Whether a later commit was deployed between the last look and our upload, which now lies on top of it.
    async fn overtaken(&self, target: &Target, mine: &Version, versions: &[Version]) -> Option<Outcome> {
        let since = |version: &&Version| {
            let newer = target
                .before
                .as_ref()
                .is_none_or(|before| version.id != before.id && version.created_at >= before.created);
            version.id != mine.id && newer && self.mark(version).is_some()
        };
        for version in versions.iter().filter(since) {
            if let Some(outcome) = super::judge::superseded(self, version).await {
                return Some(outcome);
            }
        }
        None
    }

    /// One look at what another run uploaded: is it still there, and will it stay where it is?
    async fn follow(
        &self,
        task: &Task,
        target: &Target,
        now: &Settled,
        versions: &[Version],
        outcome: &mut Outcome,
    ) -> Next {
        let views = self.views(task, target, versions, None);
        let holding = |version: &&Version| stores(task, version) && self.mark(version).is_some();
        if let Some(theirs) = versions.iter().find(|version| version.id == now.version) {
            // Of several its own run may remove this one: what they all keep is what counts.
            let choice = choose(&views, &theirs.id);
            let kept = versions
                .iter()
                .find(|version| version.id == choice.stays)
                .unwrap_or(theirs);
            // One of ours may have arrived late, long after nobody waited for its answer any more.
            self.remove_all(task, &target.pipeline, &choice.remove, outcome)
                .await;
            let settled = Settled::of(kept, self.owns(task, kept));
            let wait = choice.moves && !self.cancel.is_stopping();
            return if wait {
                Next::Again(settled)
            } else {
                Next::Done(settled)
            };
        }
        match versions.iter().find(holding) {
            // Moved by its run, into another second.
            Some(moved) => Next::Again(Settled::of(moved, self.owns(task, moved))),
            // Its run died in between, or somebody removed it.
            None if self.cancel.is_stopping() => Next::Done(now.clone()),
            None => Next::Upload,
        }
    }

    /// Uploads in a later second what is not there any more; `None` where somebody else was faster.
    async fn upload_again(
        &self,
        task: &Task,
        progress: &Progress,
        target: &mut Target,
        outcome: &mut Outcome,
    ) -> Result<Option<Settled>, Box<Outcome>> {
        progress.stage(Stage::Quiet);
        let newest = super::deploy::newest(self, task, &target.pipeline).await?;
        if let Some(version) = &newest
            && stores(task, version)
            && self.mark(version).is_some()
        {
            return Ok(Some(Settled::of(version, self.owns(task, version))));
        }
        if let Some(version) = &newest
            && let Some(outcome) = super::judge::superseded(self, version).await
        {
            return Err(Box::new(outcome));
        }
        target.before = newest.as_ref().map(Before::of);
        drop(newest);
        let document = super::deploy::document(task)?;
        let uploaded = self
            .upload(task, progress, target, document, &mut outcome.notes)
            .await?;
        Ok(match uploaded {
            Some(uploaded) => Some(arrived(uploaded).await),
            None => None,
        })
    }

    /// The versions down to what was there before, and the one of that id where a lagging list does not
    /// show it yet.
    async fn recent(&self, target: &Target, id: &VersionId) -> Result<Vec<Version>, ApiError> {
        let mut found: Vec<Version> = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .client
                .versions_page(&target.pipeline, FEW, token.as_deref())
                .await?;
            found.extend(page.items);
            let reached = target.before.as_ref().is_some_and(|before| {
                // Its whole second is looked at: what it shared it with may have moved since.
                found
                    .last()
                    .is_some_and(|version| version.created_at < before.created)
            });
            match page.next {
                Some(next) if !reached && found.len() < MANY => token = Some(next),
                _ => break,
            }
        }
        if !found.iter().any(|version| version.id == *id)
            && let Some(version) = self.client.version(&target.pipeline, id).await?
        {
            found.push(version);
        }
        Ok(found)
    }

    fn views(&self, task: &Task, target: &Target, versions: &[Version], mine: Option<&Version>) -> Vec<View> {
        let recent = |version: &&Version| {
            mine.is_some_and(|mine| version.id == mine.id || version.created_at == mine.created_at)
                || target
                    .before
                    .as_ref()
                    .is_none_or(|before| version.created_at >= before.created)
        };
        versions
            .iter()
            .filter(recent)
            .map(|version| self.view(task, target, version, mine))
            .collect()
    }

    fn view(&self, task: &Task, target: &Target, version: &Version, mine: Option<&Version>) -> View {
        let is_mine = mine.is_some_and(|mine| mine.id == version.id);
        // What was there before never stays in the place of ours (`--force`); it may part or share a second.
        let is_before = target.before_id() == Some(&version.id);
        // Forced, only what this intent uploaded is a double of ours: equal versions of others were no
        // reason not to upload, so they are none to take it away again in a later attempt.
        let counts = || !self.settings.force || self.owns(task, version);
        let same =
            is_mine || (!is_before && self.holds(task, version) && self.mark(version).is_some() && counts());
        let stored = version.spec.as_ref().map(crate::ir::Spec::digest);
        View {
            id: version.id.clone(),
            created: version.created_at,
            content: if same { Some(task.digest) } else { stored },
            same,
            owned: is_mine || (!is_before && self.owns(task, version)),
            marked: Mark::parse(&version.description).is_some(),
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

fn vanished(name: &VersionName) -> Failure {
    Failure::infrastructure(
        Phase::Apply,
        format!("version `{name}` was uploaded and then removed by somebody else"),
    )
    .hint("run again; if it happens again, look for another program that manages the same pipelines")
}
