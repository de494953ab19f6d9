//! `plan`: what `apply` would do. Writes nothing to the server.

use super::deploy::prepare_with;
use super::entries::entry;
use super::{finish, plan_file, telling};
use crate::report::PlanReport;
use crate::settings::Settings;
use std::path::PathBuf;

/// What the plan is for.
pub enum Use {
    /// `apply` may carry it out; it is written to the file.
    CarryOut(Option<PathBuf>),
    /// It shows what another server holds, where nothing will be written.
    Compare,
}

/// Runs the command.
pub async fn run(settings: &Settings, expect_no_changes: bool, plan: Use) -> u8 {
    let started = std::time::Instant::now();
    let publisher = telling::start(settings, false);
    let mut prepared = match prepare_with(settings, "plan", expect_no_changes).await {
        Ok(prepared) => prepared,
        Err(report) => return finish::finish(settings, *report, publisher).await,
    };
    if prepared.report.plan.is_some() {
        // Nothing was compared, so there is no plan to keep.
        prepared.report.seconds = started.elapsed().as_secs_f64();
        return finish::finish(settings, prepared.report, publisher).await;
    }
    let file = plan_file::of(settings, &prepared);
    let drift = prepared
        .drift
        .iter()
        .filter(|drift| expect_no_changes || drift.kind.is_unexpected())
        .cloned()
        .collect();
    prepared.report.plan = Some(PlanReport {
        digest: matches!(plan, Use::CarryOut(_)).then(|| file.digest()),
        drift,
        ..PlanReport::default()
    });
    if let (Use::CarryOut(Some(path)), Some(plan)) = (&plan, prepared.report.plan.as_mut()) {
        match plan_file::write(&settings.working_directory.join(path), &file) {
            Ok(()) => plan.file = Some(path.display().to_string()),
            Err(failure) => prepared.report.stop(failure),
        }
    }
    let client = prepared.connected.as_ref().map(|connected| &connected.client);
    let entries: Vec<_> = prepared
        .planned
        .iter()
        .map(|timed| entry(timed, client))
        .collect();
    prepared.report.pipelines.extend(entries);
    prepared.report.seconds = started.elapsed().as_secs_f64();
    prepared.report.expect_no_changes = expect_no_changes;
    let report = prepared.report;
    if let Some(connected) = prepared.connected {
        connected.close().await;
    }
    finish::finish(settings, report, publisher).await
}
