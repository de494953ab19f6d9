//! `diff A B`: what changes between two pipelines, by meaning. No server.

use super::sources::{Loaded, load};
use super::{finish, stopped};
use crate::cli::{DiffArgs, Global};
use crate::error::{Failure, Phase};
use crate::plan::diff::{Difference, Status, diff, diff_unreadable};
use crate::plan::drift::{Drift, DriftKind};
use crate::report::{Action, PipelineReport, PlanReport, Report, Specs};
use crate::settings::Settings;

/// Runs the command.
pub async fn run(settings: &Settings, global: &Global, arguments: &DiffArgs) -> u8 {
    let started = std::time::Instant::now();
    let mut report = Report::new("diff");
    let before = load(settings, global, &arguments.before, &mut report).await;
    let after = load(settings, global, &arguments.after, &mut report).await;
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(failure), _) | (_, Err(failure)) => {
            return finish::finish(settings, stopped(settings, "diff", failure), None).await;
        }
    };
    report.plan = Some(PlanReport {
        against: Some(arguments.before.display().to_string()),
        ..PlanReport::default()
    });
    report.counts.found = before.len() + after.len();
    report.expect_no_changes = arguments.expect_no_changes;
    pair(before, after, &mut report);
    report.seconds = started.elapsed().as_secs_f64();
    finish::finish(settings, report, None).await
}

/// One line of the report for each pair; single pipelines are a pair whatever their names.
fn pair(mut before: Vec<Loaded>, after: Vec<Loaded>, report: &mut Report) {
    let single = before.len() == 1 && after.len() == 1;
    for new in after {
        let place = if single {
            Some(0)
        } else {
            before.iter().position(|old| old.name == new.name)
        };
        let old = place.map(|place| before.remove(place));
        let mut entry = PipelineReport {
            file: Some(new.file.clone()),
            function: new.function.clone(),
            name: Some(new.name.clone()).filter(|name| !name.is_empty()),
            ..PipelineReport::new(Action::Update)
        };
        match compare(old.as_ref(), &new) {
            Ok(difference) => {
                entry.action = match difference.status {
                    Status::Created => Action::Create,
                    Status::Unchanged => Action::Unchanged,
                    Status::Changed | Status::Unreadable => Action::Update,
                };
                entry.digest = difference.after.digest;
                entry.specs = new.spec.as_ref().ok().map(|after| Specs {
                    before: old.as_ref().and_then(|old| old.spec.as_ref().ok().cloned()),
                    after: after.clone(),
                });
                entry.difference = Some(Box::new(difference));
            }
            Err(failure) => {
                entry.action = Action::Failed;
                entry.error = Some(failure);
            }
        }
        report.pipelines.push(entry);
    }
    if let Some(plan) = &mut report.plan {
        plan.drift.extend(before.iter().map(|old| Drift {
            file: Some(old.file.clone()),
            ..Drift::new(DriftKind::Orphan, &old.name)
        }));
    }
}

fn compare(old: Option<&Loaded>, new: &Loaded) -> Result<Difference, Failure> {
    let after = new.spec.as_ref().map_err(|(_, why)| {
        Failure::usage(Phase::Plan, why.to_string())
            .file(&new.file)
            .hint("the new side must be a pipeline of Kubeflow Pipelines 2")
    })?;
    Ok(match old.map(|old| &old.spec) {
        None => diff(None, after),
        Some(Ok(before)) => diff(Some(before), after),
        Some(Err((value, why))) => diff_unreadable(value, why, after),
    })
}
