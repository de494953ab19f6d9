//! From a plan's decision to the task that carries it out.

use super::Task;
use crate::plan::mark::Mark;
use crate::plan::{Decision, Planned};

impl Task {
    /// The task for a planned pipeline; `None` where there is nothing to write. `mark` is that of the run;
    /// the digest is added here.
    #[must_use]
    pub fn of(planned: &Planned, mark: &Mark) -> Option<Self> {
        let (name, display_name, pipeline_id, newest) = match &planned.decision {
            Decision::Create { name, display_name } => (name.clone(), display_name.clone(), None, None),
            Decision::Update { pipeline, newest } => (
                pipeline.name.clone(),
                None,
                Some(pipeline.id.clone()),
                newest.as_ref().map(|newest| newest.id.clone()),
            ),
            Decision::Unchanged { .. } | Decision::Refused(_) => return None,
        };
        let version = Mark {
            digest: Some(planned.digest),
            ..mark.clone()
        };
        // On the pipeline the mark says whose it is; content, commit and run belong to its versions.
        let pipeline = Mark {
            repo: mark.repo.clone(),
            project: mark.project.clone(),
            target: mark.target.clone(),
            ..Mark::default()
        };
        Some(Self {
            name,
            display_name,
            pipeline_id,
            spec: planned.compiled.spec.clone(),
            digest: planned.digest,
            pipeline_description: pipeline.describe(&planned.compiled.description),
            version_description: version.describe(&planned.compiled.description),
            tags: version.tags(),
            expected_newest: newest,
            reason: planned.reason,
            version_name: planned.version_name.clone(),
        })
    }
}
