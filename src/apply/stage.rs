//! How far a pipeline has come, for when the run must end at once.

use crate::ids::{PipelineId, VersionId, VersionName};
use std::sync::Mutex;

/// How far a pipeline has come.
#[derive(Clone, Debug, Default)]
pub enum Stage {
    /// Nothing was written and nothing is being written.
    #[default]
    Quiet,
    /// A pipeline is being created.
    Creating,
    /// A version is being uploaded.
    Uploading(VersionName),
    /// The version is there, but not yet read back.
    Uploaded(VersionId, VersionName),
}

/// The stage of one pipeline, and the pipeline's id once known; shared with whoever watches.
#[derive(Debug, Default)]
pub struct Progress(Mutex<(Stage, Option<PipelineId>, bool)>);

impl Progress {
    /// Moves on.
    pub fn stage(&self, stage: Stage) {
        if let Ok(mut state) = self.0.lock() {
            state.0 = stage;
        }
    }

    /// The pipeline exists; `created` when this run made it.
    pub fn pipeline(&self, id: &PipelineId, created: bool) {
        if let Ok(mut state) = self.0.lock() {
            state.1 = Some(id.clone());
            state.2 = created;
        }
    }

    /// Where it stands: the stage, the pipeline, and whether this run created it.
    #[must_use]
    pub fn now(&self) -> (Stage, Option<PipelineId>, bool) {
        self.0.lock().map(|state| state.clone()).unwrap_or_default()
    }
}
