//! The lines of the report for what was planned.

use super::deploy::Timed;
use crate::error::Class;
use crate::kfp::client::Client;
use crate::plan::{Decision, Planned};
use crate::report::{Action, PipelineReport, Reason, Specs};

/// Both sides of a planned pipeline.
fn specs(planned: &Planned) -> Specs {
    let after = planned.compiled.spec.clone();
    let before = match &planned.decision {
        Decision::Unchanged { .. } => Some(after.clone()),
        Decision::Update { newest, .. } => newest.as_ref().and_then(|newest| newest.spec.clone()),
        Decision::Create { .. } | Decision::Refused(_) => None,
    };
    Specs { before, after }
}

/// One line of the report for a plan's decision.
#[must_use]
pub fn entry(timed: &Timed, client: Option<&Client>) -> PipelineReport {
    let planned = &timed.planned;
    let mut entry = PipelineReport {
        reason: planned.reason,
        digest: Some(planned.digest),
        seconds: timed.seconds,
        warnings: [timed.warnings.as_slice(), &planned.warnings].concat(),
        notes: planned.notes.clone(),
        difference: planned.difference.clone(),
        suggested_version: planned.suggested_version.clone(),
        version_name: planned.version_name.clone(),
        versions: planned.versions.clone(),
        specs: Some(specs(planned)),
        ..PipelineReport::of(&planned.compiled, Action::Create)
    };
    match &planned.decision {
        Decision::Create { name, .. } => entry.name = Some(name.as_str().to_owned()),
        Decision::Update { pipeline, .. } => {
            entry.action = Action::Update;
            entry.name = Some(pipeline.name.as_str().to_owned());
            entry.pipeline_id = Some(pipeline.id.clone());
        }
        Decision::Unchanged { pipeline, newest } => {
            entry.action = Action::Unchanged;
            entry.name = Some(pipeline.name.as_str().to_owned());
            entry.pipeline_id = Some(pipeline.id.clone());
            entry.version_id = Some(newest.id.clone());
            entry.version_name = Some(newest.name.clone());
            entry.url = client.and_then(|client| client.links().version(&pipeline.id, &newest.id));
        }
        Decision::Refused(failure) => {
            entry.action = Action::Failed;
            if failure.class == Class::Failed {
                entry.reason = Some(Reason::Unsupported);
            }
            entry.error = Some(failure.clone());
        }
    }
    entry
}
