//! Carries a plan out.

use crate::error::Phase;
use crate::ids::{Digest, PipelineId, PipelineName, VersionId, VersionName};
use crate::ir::Spec;
use crate::kfp::advice;
use crate::kfp::client::Client;
use crate::kfp::write::{NewPipeline, NewVersion};
use crate::report::{Action, Reason};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One write to carry out.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name on the server.
    pub name: PipelineName,
    /// What people see.
    pub display_name: Option<String>,
    /// `None` creates the pipeline.
    pub pipeline_id: Option<PipelineId>,
    /// What to upload.
    pub spec: Spec,
    /// Its digest.
    pub digest: Digest,
    /// Description of a new pipeline.
    pub pipeline_description: String,
    /// Description of the version.
    pub version_description: String,
    /// Tags of a new pipeline.
    pub pipeline_tags: BTreeMap<String, String>,
    /// Tags of the version.
    pub version_tags: BTreeMap<String, String>,
    /// What was newest when the plan was made.
    pub expected_newest: Option<VersionId>,
    /// Why, where it helps.
    pub reason: Option<Reason>,
}

/// How to carry out.
#[derive(Clone, Debug)]
pub struct ApplySettings {
    /// The run's version name.
    pub version_name: VersionName,
    /// The same for every attempt of a run.
    pub intent: Option<String>,
    /// Upload although nothing changed.
    pub force: bool,
}

/// Says stop.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Not yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What became of a task.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What happened.
    pub action: Action,
    /// Why.
    pub reason: Option<Reason>,
    /// The pipeline.
    pub pipeline_id: Option<PipelineId>,
    /// The version that holds the content.
    pub version_id: Option<VersionId>,
    /// Its name.
    pub version_name: Option<VersionName>,
    /// Why it failed.
    pub error: Option<crate::error::Failure>,
    /// Worth knowing.
    pub warnings: Vec<String>,
    /// Said beside it.
    pub notes: Vec<String>,
    /// Wall seconds.
    pub seconds: f64,
}

/// Carries the tasks out, in any order; outcomes come in the order of the tasks.
pub async fn apply(
    client: &Client,
    settings: &ApplySettings,
    tasks: Vec<Task>,
    cancel: Cancel,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for task in tasks {
        let started = std::time::Instant::now();
        let created = task.pipeline_id.is_none();
        let mut outcome = Outcome {
            action: Action::Failed,
            reason: task.reason,
            pipeline_id: task.pipeline_id.clone(),
            version_id: None,
            version_name: None,
            error: None,
            warnings: Vec::new(),
            notes: Vec::new(),
            seconds: 0.0,
        };
        if cancel.is_cancelled() {
            outcome.action = Action::Skipped;
            outcome.reason = Some(Reason::Interrupted);
            outcomes.push(outcome);
            continue;
        }
        let result = async {
            let document = crate::ir::upload_documents(&task.spec).map_err(|error| error.failure())?;
            let id = match &task.pipeline_id {
                Some(id) => id.clone(),
                None => {
                    client
                        .create_pipeline(&NewPipeline {
                            name: task.name.clone(),
                            display_name: task.display_name.clone(),
                            description: task.pipeline_description.clone(),
                            tags: task.pipeline_tags.clone(),
                        })
                        .await
                        .map_err(|error| advice::failure(&error, Phase::Apply, "create the pipeline"))?
                        .id
                }
            };
            outcome.pipeline_id = Some(id.clone());
            client
                .upload_version(&NewVersion {
                    pipeline_id: id,
                    name: settings.version_name.clone(),
                    display_name: None,
                    description: task.version_description.clone(),
                    tags: task.version_tags.clone(),
                    document: document.into(),
                })
                .await
                .map_err(|error| advice::failure(&error, Phase::Apply, "upload the version"))
        }
        .await;
        match result {
            Ok(version) => {
                outcome.action = if created { Action::Created } else { Action::Updated };
                outcome.version_id = Some(version.id);
                outcome.version_name = Some(version.name);
            }
            Err(error) => outcome.error = Some(error),
        }
        outcome.seconds = started.elapsed().as_secs_f64();
        outcomes.push(outcome);
    }
    outcomes
}
