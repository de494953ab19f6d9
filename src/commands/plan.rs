//! `plan`: what `apply` would do. Writes nothing to the server.

use super::deploy::{entry, prepare};
use super::{finish, telling};
use crate::settings::Settings;

/// Runs the command.
pub async fn run(settings: &Settings, expect_no_changes: bool) -> u8 {
    let started = std::time::Instant::now();
    let publisher = telling::start(settings, false);
    let mut prepared = match prepare(settings, "plan").await {
        Ok(prepared) => prepared,
        Err(report) => return finish::finish(settings, *report, publisher).await,
    };
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
