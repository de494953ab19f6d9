//! Asking the server what became of an upload.

use super::Task;
use super::run::{Run, stores};
use crate::ids::{PipelineId, VersionId, VersionName};
use crate::kfp::{ApiError, Version};
use std::time::Duration;

/// What is there.
pub(super) enum Found {
    /// The content, under this name or as the newest version.
    Same(Box<Version>),
    /// The name, with other content.
    Other,
    /// Neither.
    Nothing,
}

/// How long to wait between looks for what the server calls taken: it may be in the middle of making it,
/// or list from a cache that lags (Kubernetes store).
const PATIENT: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl Run<'_> {
    /// Looks once. `before` was the newest version before the upload, which proves nothing.
    pub(super) async fn look(
        &self,
        task: &Task,
        pipeline: &PipelineId,
        name: &VersionName,
        before: Option<&VersionId>,
    ) -> Result<Found, ApiError> {
        if let Some(version) = self.client.find_version(pipeline, name).await? {
            let same = stores(task, &version) || (self.owns(task, &version) && self.holds(task, &version));
            return Ok(if same {
                Found::Same(Box::new(version))
            } else {
                Found::Other
            });
        }
        // Another run may have uploaded the same under its own name while this one waited.
        let newest = self.client.newest_version(pipeline).await?;
        Ok(match newest {
            Some(version)
                if before != Some(&version.id) && stores(task, &version) && self.mark(&version).is_some() =>
            {
                Found::Same(Box::new(version))
            }
            _ => Found::Nothing,
        })
    }

    /// Looks until something is there, for as long as a server may take to finish what it began.
    pub(super) async fn look_patiently(
        &self,
        task: &Task,
        pipeline: &PipelineId,
        name: &VersionName,
        before: Option<&VersionId>,
    ) -> Result<Found, ApiError> {
        for wait in PATIENT {
            tokio::time::sleep(wait).await;
            match self.look(task, pipeline, name, before).await? {
                Found::Nothing => {}
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing)
    }
}
