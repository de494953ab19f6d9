//! Carries a plan out so that its effects happen exactly once, whatever happens to the answers.
//!
//! The API has no idempotency key and no compare-and-swap. What it has is a name that is unique within its
//! pipeline, so a run keeps one version name and asks by name after every doubtful answer:
//!
//! ```text
//! find or create the pipeline -> read the newest version again -> upload -> doubtful? look, then repeat
//!                             -> once the second has passed: read back, compare, keep one of equals
//! ```
//!
//! Calls for a pipeline in good weather: none when the plan found it unchanged; 3 to give an existing one
//! a version (read, upload, read back); 5 for a new one (look, create, read, upload, read back).
//!
//! The embedded registry alone can do more: an upload names the version that must still be the newest, and is
//! refused with 412 where another has come in between. There nobody has to wait for a second to pass.
//!
//! What remains: of two runs that upload equal content at the same time, both versions can stay when a
//! server takes more than a second between giving a version its time and making it visible, or when it
//! carries an upload out seconds after the run has given up waiting for it and taken the other's instead.

mod cancel;
mod choice;
mod deploy;
mod diagnose;
mod journal;
mod judge;
mod lineage;
mod look;
mod pipeline;
mod remove;
mod run;
mod settle;
mod stage;
mod task;
mod upload;

pub use cancel::{Cancel, CancelHandle, cancel};
pub use journal::{Entry, Event, Journal};
pub use lineage::Lineage;
pub use run::apply;

use crate::error::Failure;
use crate::ids::{Digest, PipelineId, PipelineName, VersionId, VersionName};
use crate::ir::Spec;
use crate::plan::mark::Mark;
use crate::report::{Action, Reason};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One pipeline to create or update.
#[derive(Clone, Debug)]
pub struct Task {
    /// The name on the server: of the pipeline there, or to create it under.
    pub name: PipelineName,
    /// What the UI shows instead, for a pipeline to create.
    pub display_name: Option<String>,
    /// The pipeline; `None` means that there was none when the plan was made.
    pub pipeline_id: Option<PipelineId>,
    /// What to upload.
    pub spec: Spec,
    /// Its digest.
    pub digest: Digest,
    /// Description of a pipeline to create, with our mark.
    pub pipeline_description: String,
    /// Description of the version, with our mark and the digest in it.
    pub version_description: String,
    /// Tags of both; dropped by servers that have none.
    pub tags: BTreeMap<String, String>,
    /// The newest version when the plan was made.
    pub expected_newest: Option<VersionId>,
    /// Why the plan wants it, where it said.
    pub reason: Option<Reason>,
    /// The version's name, where it is not the run's.
    pub version_name: Option<VersionName>,
}

/// What holds for all pipelines of a run.
#[derive(Clone)]
pub struct ApplySettings {
    /// The version name of this run, for every pipeline that has none of its own.
    pub version_name: VersionName,
    /// Who we are: repository, project, commit, and the CI run (without its attempt), which is the intent.
    pub mark: Mark,
    /// Upload although the newest version holds the same, and although a later commit is deployed.
    pub force: bool,
    /// Shared pipelines are meant: a multi-user server may be written to without a namespace.
    pub shared: bool,
    /// Refuse a pipeline whose newest version is not the one the plan saw (`apply --plan`).
    pub refuse_moved: bool,
    /// Tells whether a deployed commit is later than ours; `None` when nothing can.
    pub lineage: Option<Arc<dyn Lineage>>,
}

/// What became of one pipeline.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What happened.
    pub action: Action,
    /// Why, where it helps.
    pub reason: Option<Reason>,
    /// The pipeline, as far as there is one.
    pub pipeline_id: Option<PipelineId>,
    /// The version that now holds the content.
    pub version_id: Option<VersionId>,
    /// Its name.
    pub version_name: Option<VersionName>,
    /// Link to it in the UI.
    pub url: Option<String>,
    /// Why it failed, or why nobody knows.
    pub error: Option<Failure>,
    /// Worth knowing.
    pub warnings: Vec<String>,
    /// Said without being a warning.
    pub notes: Vec<String>,
    /// Wall seconds.
    pub seconds: f64,
}

impl Outcome {
    /// An outcome with nothing but its action.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            action,
            reason: None,
            pipeline_id: None,
            version_id: None,
            version_name: None,
            url: None,
            error: None,
            warnings: Vec::new(),
            notes: Vec::new(),
            seconds: 0.0,
        }
    }

    /// A failure.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self {
            error: Some(failure),
            ..Self::new(Action::Failed)
        }
    }

    /// Nobody can say whether the write took effect; `failure` says why.
    #[must_use]
    pub fn unknown(failure: Failure) -> Self {
        Self {
            error: Some(failure),
            ..Self::new(Action::Unknown)
        }
    }

    /// Not done because the run was asked to stop.
    #[must_use]
    pub fn interrupted() -> Self {
        Self {
            reason: Some(Reason::Interrupted),
            ..Self::new(Action::Skipped)
        }
    }
}
