//! One version, uploaded once: after every doubtful answer the server is asked before anything is sent again.

use super::journal::{Entry, Event};
use super::look::Found;
use super::run::Run;
use super::settle::SECOND;
use super::stage::{Progress, Stage};
use super::{Outcome, Task, diagnose};
use crate::error::{Failure, Phase};
use crate::ids::{PipelineId, VersionId, VersionName};
use crate::kfp::error::{ApiError, Effect, ErrorKind};
use crate::kfp::transport::TransportFault;
use crate::kfp::{NewVersion, Version, advice};
use bytes::Bytes;
use chrono::{DateTime, Utc};

/// How often a version is sent at most, under both names together.
const ATTEMPTS: u32 = 6;

/// How often the API's own 500 is taken for a passing trouble.
const SILENT_500S: u32 = 3;

/// How often a Kubernetes store may refuse a version of a pipeline it has just created: its own look-up
/// of the pipeline comes from a cache that lags.
const TOO_EARLY: u32 = 4;

/// What holds the content now.
pub(super) enum Uploaded {
    /// A version this run uploaded.
    Own(VersionId, VersionName),
    /// A version another run uploaded at the same time. `late`: a try of ours was cut off by time, and the
    /// server may still carry it out.
    Theirs { version: Box<Version>, late: bool },
}

/// The newest version before an upload.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub id: VersionId,
    pub created: Option<DateTime<Utc>>,
}

impl Before {
    pub(super) fn of(version: &Version) -> Self {
        Self {
            id: version.id.clone(),
            created: version.created_at,
        }
    }
}

/// Where an upload goes, and what was there before.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub pipeline: PipelineId,
    pub before: Option<Before>,
}

impl Target {
    /// The id of the newest version before the upload.
    pub(super) fn before_id(&self) -> Option<&VersionId> {
        self.before.as_ref().map(|before| &before.id)
    }
}

/// What to do after an answer that is no success.
enum Next {
    Settled(Uploaded),
    Moved,
    Rename,
    Again,
    End(Box<Outcome>),
}

impl Run<'_> {
    /// Uploads the task's content as a version. `None` where somebody else's became the newest in between,
    /// for servers that see to it.
    pub(super) async fn upload(
        &self,
        task: &Task,
        progress: &Progress,
        target: &Target,
        document: Bytes,
        notes: &mut Vec<String>,
    ) -> Result<Option<Uploaded>, Box<Outcome>> {
        let mut name = self.version_name(task);
        let mut tries = Tries::default();
        // An earlier run has waited and looked: nothing is lost with the other name, it is ours as well.
        if self.journal.is_taken(task.name.as_str(), name.as_str()) {
            notes.push(half_way(&name));
            name = with_digest(task, &name);
            tries.renamed = true;
        }
        for attempt in 1..=ATTEMPTS {
            let new = NewVersion {
                pipeline_id: target.pipeline.clone(),
                name: name.clone(),
                display_name: None,
                description: task.version_description.clone(),
                tags: task.tags.clone(),
                document: document.clone(),
                after: target.before_id().cloned(),
            };
            self.log(task, &name, Event::Intent, None, None);
            progress.stage(Stage::Uploading(name.clone()));
            let error = match self.client.upload_version(&new).await {
                Ok(version) => {
                    self.log(task, &name, Event::Done, Some(&version.id), None);
                    return Ok(Some(Uploaded::Own(version.id, version.name)));
                }
                Err(error) => error,
            };
            match self.after(task, target, &name, &error, &mut tries, notes).await {
                Next::Settled(uploaded) => return Ok(Some(uploaded)),
                Next::Moved => return Ok(None),
                Next::End(outcome) => return Err(outcome),
                Next::Rename => {
                    tries.renamed = true;
                    name = with_digest(task, &name);
                    if self.cancel.is_stopping() {
                        return Err(Box::new(Outcome::interrupted()));
                    }
                    continue;
                }
                Next::Again => {}
            }
            let wait = if attempt == ATTEMPTS {
                None
            } else {
                let early = (tries.too_early > 0).then_some(SECOND);
                self.client.patience().wait(attempt, error.retry_after.max(early))
            };
            let Some(wait) = wait else {
                let failure = advice::failure(&error, Phase::Apply, &format!("uploading version `{name}`"));
                return Err(self.given_up(task, &name, &tries, failure));
            };
            if !tries.doubtful {
                progress.stage(Stage::Quiet);
            }
            if self.sleep(wait).await.is_err() {
                return Err(self.interrupted(task, &name, &tries, &error));
            }
            // A try that may still arrive is settled as unknown, never as skipped.
            if !tries.late
                && let Some(outcome) = super::judge::overtaken(self, target).await
            {
                return Err(Box::new(outcome));
            }
        }
        // The last attempt returns above.
        Err(Box::new(Outcome::failed(Failure::internal(
            Phase::Apply,
            "an upload that never ended",
        ))))
    }

    async fn after(
        &self,
        task: &Task,
        target: &Target,
        name: &VersionName,
        error: &ApiError,
        tries: &mut Tries,
        notes: &mut Vec<String>,
    ) -> Next {
        let doing = format!("uploading version `{name}`");
        let bad_spec = diagnose::is_bad_spec(error);
        let passes = matches!(error.kind, ErrorKind::Unreachable(fault) if fault != TransportFault::Tls)
            || error.renewed;
        let early = tries.too_early < TOO_EARLY && !bad_spec && self.is_too_early(target, error);
        tries.too_early += u32::from(early);
        let refused = bad_spec || (error.effect() == Effect::None && !passes && !early);
        tries.remember(error, bad_spec);
        if error.kind == ErrorKind::Moved {
            // Our own earlier try may be what moved it.
            return match self.look(task, &target.pipeline, name, target.before_id()).await {
                Ok(Found::Same(version)) => self.settled(task, name, *version, tries.late, notes),
                Ok(_) => {
                    self.log(task, name, Event::NotDone, None, Some(&error.message));
                    Next::Moved
                }
                Err(look) if tries.doubtful => {
                    self.log(task, name, Event::Unknown, None, Some(&error.message));
                    Next::End(unknown(error, &look, &doing))
                }
                Err(look) => {
                    self.log(task, name, Event::NotDone, None, Some(&error.message));
                    Next::End(Box::new(Outcome::failed(look.into_failure(Phase::Apply, &doing))))
                }
            };
        }
        // A try that surely did nothing needs no look, unless an earlier one may have done something.
        if refused || error.effect() == Effect::None {
            if tries.doubtful
                && let Ok(Found::Same(version)) =
                    self.look(task, &target.pipeline, name, target.before_id()).await
            {
                return self.settled(task, name, *version, tries.late, notes);
            }
            self.log(task, name, Event::NotDone, None, Some(&error.message));
            if !refused {
                return Next::Again;
            }
            let failure =
                diagnose::refused_upload(self.client, &target.pipeline, error.clone(), &doing).await;
            // A spec that cannot be read is refused in every try.
            return Next::End(if bad_spec {
                Box::new(Outcome::failed(failure))
            } else {
                self.given_up(task, name, tries, failure)
            });
        }
        let taken = diagnose::is_taken(error);
        let looked = if taken {
            self.look_patiently(task, &target.pipeline, name, target.before_id())
                .await
        } else {
            self.look(task, &target.pipeline, name, target.before_id()).await
        };
        match looked {
            Err(look) => {
                self.log(task, name, Event::Unknown, None, Some(&error.message));
                Next::End(unknown(error, &look, &doing))
            }
            Ok(Found::Same(version)) => self.settled(task, name, *version, tries.late, notes),
            Ok(Found::Other) if tries.renamed => Next::End(Box::new(Outcome::failed(both_taken(&doing)))),
            Ok(Found::Other) => {
                self.log(
                    task,
                    name,
                    Event::NotDone,
                    None,
                    Some("the name holds other content"),
                );
                notes.push(format!(
                    "version name `{name}` holds other content: the digest was appended"
                ));
                Next::Rename
            }
            Ok(Found::Nothing) if taken && tries.renamed => {
                Next::End(Box::new(Outcome::failed(both_taken(&doing))))
            }
            Ok(Found::Nothing) if taken => {
                self.log(task, name, Event::Taken, None, Some(&error.message));
                notes.push(half_way(name));
                Next::Rename
            }
            Ok(Found::Nothing) => {
                self.log(task, name, Event::NotDone, None, Some(&error.message));
                if diagnose::is_silent_500(error, self.client) {
                    tries.silent_500s += 1;
                    if tries.silent_500s >= SILENT_500S {
                        let failure = diagnose::stubborn_500(error, &doing);
                        return Next::End(self.given_up(task, name, tries, failure));
                    }
                }
                Next::Again
            }
        }
    }

    /// Whether the server may refuse only because it does not see yet the pipeline it has just created.
    fn is_too_early(&self, target: &Target, error: &ApiError) -> bool {
        self.client.capabilities().kubernetes_store
            && target.before.is_none()
            && matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound)
            && matches!(error.status, Some(400 | 404))
    }

    fn settled(
        &self,
        task: &Task,
        name: &VersionName,
        version: Version,
        late: bool,
        notes: &mut Vec<String>,
    ) -> Next {
        self.log(task, name, Event::Done, Some(&version.id), None);
        if self.owns(task, &version) {
            notes.push(format!(
                "the answer to the upload of `{}` was lost; the server holds it",
                version.name
            ));
            Next::Settled(Uploaded::Own(version.id, version.name))
        } else {
            Next::Settled(Uploaded::Theirs {
                version: Box::new(version),
                late,
            })
        }
    }

    fn given_up(&self, task: &Task, name: &VersionName, tries: &Tries, failure: Failure) -> Box<Outcome> {
        if tries.late {
            self.log(task, name, Event::Unknown, None, Some(&failure.message));
        }
        given_up(failure, tries.late)
    }

    fn interrupted(&self, task: &Task, name: &VersionName, tries: &Tries, error: &ApiError) -> Box<Outcome> {
        if !tries.late {
            return Box::new(Outcome::interrupted());
        }
        let failure = advice::failure(error, Phase::Apply, &format!("uploading version `{name}`"));
        let mut outcome = self.given_up(task, name, tries, failure);
        outcome.reason = Some(crate::report::Reason::Interrupted);
        outcome
    }

    /// One line in the journal.
    pub(super) fn log(
        &self,
        task: &Task,
        name: &VersionName,
        event: Event,
        version: Option<&VersionId>,
        cause: Option<&str>,
    ) {
        self.journal.record(Entry {
            version_name: Some(name.as_str().to_owned()),
            digest: Some(task.digest),
            version_id: version.cloned(),
            cause: cause.map(str::to_owned),
            ..Entry::new(task.name.as_str(), "upload-version", event)
        });
    }
}

/// What the tries so far leave open.
#[derive(Default)]
struct Tries {
    /// An earlier try may have been carried out.
    doubtful: bool,
    /// One was cut off by time: the server may still be working on it.
    late: bool,
    /// The second name is in use.
    renamed: bool,
    silent_500s: u32,
    too_early: u32,
}

impl Tries {
    fn remember(&mut self, error: &ApiError, bad_spec: bool) {
        if error.effect() == Effect::Unknown && error.kind != ErrorKind::Conflict && !bad_spec {
            self.doubtful = true;
            self.late |= error.may_come_late();
        }
    }
}

/// No more tries: the last look showed nothing, which is the truth unless a try may still be under way (`late`).
pub(super) fn given_up(mut failure: Failure, late: bool) -> Box<Outcome> {
    if !late {
        return Box::new(Outcome::failed(failure));
    }
    failure.message = format!(
        "{}; a try that was not answered in time may still be carried out",
        failure.message
    );
    Box::new(Outcome::unknown(failure))
}

/// The second name for the same content.
fn with_digest(task: &Task, name: &VersionName) -> VersionName {
    VersionName::new(format!("{name}-{}", task.digest.short()))
}

fn half_way(name: &VersionName) -> String {
    format!("version name `{name}` is taken by an upload that died half-way: the digest was appended")
}

fn unknown(error: &ApiError, look: &ApiError, doing: &str) -> Box<Outcome> {
    let mut failure = advice::failure(error, Phase::Apply, doing);
    failure.message = format!(
        "{}; and the server could not be asked whether it did it: {}",
        failure.message, look.message
    );
    Box::new(Outcome::unknown(failure))
}

fn both_taken(doing: &str) -> Failure {
    Failure::failed(
        Phase::Apply,
        format!("{doing}: the server says that this name, too, is taken"),
    )
    .hint("give the run another version name (`naming.version` in `kfp-gitops.yaml`)")
}
