//! The pipeline itself: found, or created once.

use super::journal::{Entry, Event};
use super::run::Run;
use super::stage::{Progress, Stage};
use super::upload::given_up;
use super::{Outcome, Task, diagnose};
use crate::error::{Failure, Phase};
use crate::ids::PipelineId;
use crate::kfp::error::{ApiError, Effect, ErrorKind};
use crate::kfp::{NewPipeline, Pipeline, advice};
use crate::report::Reason;
use std::time::Duration;

/// How often a creation is sent at most.
const ATTEMPTS: u32 = 5;

/// How long to wait between looks for a name the server calls taken.
const PATIENT: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl Run<'_> {
    /// The pipeline of a task: the one the plan saw, else the one of that name, else a new one.
    pub(super) async fn ensure_pipeline(
        &self,
        task: &Task,
        progress: &Progress,
        notes: &mut Vec<String>,
    ) -> Result<PipelineId, Box<Outcome>> {
        if let Some(id) = &task.pipeline_id {
            progress.pipeline(id, false);
            return Ok(id.clone());
        }
        let doing = format!("creating pipeline `{}`", task.name);
        let looked = self
            .unless_stopping(self.find_pipeline(task))
            .await?
            .map_err(|error| failed(error, &doing))?;
        if let Some(pipeline) = looked {
            notes.push(format!(
                "pipeline `{}` was created by somebody else in the meantime",
                pipeline.name
            ));
            progress.pipeline(&pipeline.id, false);
            return Ok(pipeline.id);
        }
        // The look may have taken its time.
        if self.cancel.is_stopping() {
            return Err(Box::new(Outcome::interrupted()));
        }
        let (id, created) = self.create(task, progress, notes, &doing).await?;
        progress.stage(Stage::Quiet);
        progress.pipeline(&id, created);
        Ok(id)
    }

    async fn create(
        &self,
        task: &Task,
        progress: &Progress,
        notes: &mut Vec<String>,
        doing: &str,
    ) -> Result<(PipelineId, bool), Box<Outcome>> {
        let new = NewPipeline {
            name: task.name.clone(),
            display_name: task.display_name.clone(),
            description: task.pipeline_description.clone(),
            tags: task.tags.clone(),
        };
        let mut doubtful = false;
        let mut late = false;
        let mut attempt = 1;
        loop {
            self.note(task, Event::Intent, None, None);
            progress.stage(Stage::Creating);
            let error = match self.client.create_pipeline(&new).await {
                Ok(pipeline) => {
                    self.note(task, Event::Done, Some(&pipeline.id), None);
                    return Ok((pipeline.id, true));
                }
                Err(error) => error,
            };
            let repeatable = matches!(error.kind, ErrorKind::Unreachable(_)) || error.renewed;
            doubtful |= error.effect() == Effect::Unknown && error.kind != ErrorKind::Conflict;
            late |= error.may_come_late();
            if error.effect() == Effect::Unknown || doubtful {
                let found = self.find_patiently(task, &error).await.map_err(|look| {
                    self.note(task, Event::Unknown, None, Some(&error.message));
                    unknown(&error, &look, doing)
                })?;
                if let Some(pipeline) = found {
                    self.note(task, Event::Done, Some(&pipeline.id), None);
                    // What carries exactly our description is what we sent.
                    let created = doubtful && pipeline.description == task.pipeline_description;
                    if !created {
                        notes.push(format!(
                            "pipeline `{}` was created by somebody else in the meantime",
                            pipeline.name
                        ));
                    }
                    return Ok((pipeline.id, created));
                }
                if diagnose::is_taken(&error) {
                    self.note(task, Event::NotDone, None, Some(&error.message));
                    return Err(Box::new(Outcome::failed(taken(task, doing))));
                }
            }
            let again = repeatable || error.effect() == Effect::Unknown;
            self.note(task, Event::NotDone, None, Some(&error.message));
            let wait = if again && attempt < ATTEMPTS {
                self.client.patience().wait(attempt, error.retry_after)
            } else {
                None
            };
            let given_up = |error: ApiError| {
                if late {
                    self.note(task, Event::Unknown, None, Some(&error.message));
                }
                given_up(error.into_failure(Phase::Apply, doing), late)
            };
            let Some(wait) = wait else {
                return Err(given_up(error));
            };
            if !late {
                progress.stage(Stage::Quiet);
            }
            if self.sleep(wait).await.is_err() {
                let mut outcome = if late {
                    given_up(error)
                } else {
                    Box::new(Outcome::interrupted())
                };
                outcome.reason = Some(Reason::Interrupted);
                return Err(outcome);
            }
            attempt += 1;
        }
    }

    /// The pipeline of exactly that name.
    async fn find_pipeline(&self, task: &Task) -> Result<Option<Pipeline>, ApiError> {
        let found = self.client.find_pipelines(&task.name).await?;
        let exact = found.iter().position(|pipeline| pipeline.name == task.name);
        // Databases compare without case: what they call equal is the one.
        Ok(match exact {
            Some(index) => found.into_iter().nth(index),
            None => found.into_iter().next(),
        })
    }

    async fn find_patiently(&self, task: &Task, error: &ApiError) -> Result<Option<Pipeline>, ApiError> {
        let looks = if diagnose::is_taken(error) {
            PATIENT.len()
        } else {
            1
        };
        for wait in PATIENT.iter().take(looks) {
            tokio::time::sleep(*wait).await;
            if let Some(pipeline) = self.find_pipeline(task).await? {
                return Ok(Some(pipeline));
            }
        }
        Ok(None)
    }

    /// What is read before anything is sent: given up when the run is asked to stop.
    pub(super) async fn unless_stopping<T>(
        &self,
        reading: impl Future<Output = T>,
    ) -> Result<T, Box<Outcome>> {
        tokio::select! {
            biased;
            found = reading => Ok(found),
            () = self.cancel.stopping() => Err(Box::new(Outcome::interrupted())),
        }
    }

    /// Waits, unless the run is asked to stop.
    pub(super) async fn sleep(&self, wait: Duration) -> Result<(), ()> {
        tokio::select! {
            biased;
            () = self.cancel.stopping() => Err(()),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    fn note(&self, task: &Task, event: Event, id: Option<&PipelineId>, cause: Option<&str>) {
        self.journal.record(Entry {
            pipeline_id: id.cloned(),
            cause: cause.map(str::to_owned),
            ..Entry::new(task.name.as_str(), "create-pipeline", event)
        });
    }
}

fn failed(error: ApiError, doing: &str) -> Box<Outcome> {
    Box::new(Outcome::failed(error.into_failure(Phase::Apply, doing)))
}

fn unknown(error: &ApiError, look: &ApiError, doing: &str) -> Box<Outcome> {
    let mut failure = advice::failure(error, Phase::Apply, doing);
    failure.message = format!(
        "{}; and the server could not be asked whether it did it: {}",
        failure.message, look.message
    );
    Box::new(Outcome::unknown(failure))
}

fn taken(task: &Task, doing: &str) -> Failure {
    Failure::failed(
        Phase::Apply,
        format!("{doing}: the server says the name is taken, but shows no pipeline `{}`", task.name),
    )
    .hint(
        "an upload that died half-way may hold the name where nobody can list it: delete that row, or give the \
         pipeline another name",
    )
}
