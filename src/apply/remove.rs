//! Taking back a version of ours that must not stay.

use super::journal::{Entry, Event};
use super::run::Run;
use super::{Outcome, Task};
use crate::ids::{PipelineId, VersionId};
use crate::kfp::ApiError;

impl Run<'_> {
    /// Removes versions of ours; what cannot be removed is warned of.
    pub(super) async fn remove_all(
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
            if !self.client.patience().pause(wait).await {
                return Err(error);
            }
            attempt += 1;
        }
    }
}
