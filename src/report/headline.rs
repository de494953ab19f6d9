//! The one sentence that says how a run ended, and its short form for a commit status.

use super::Report;
use super::cut;
use super::wording::{
    DESCRIPTION_LIMIT, changes, counts, drift_kinds, interrupted, number, one_line, only_compiled, split,
    total,
};
use crate::error::Phase;

/// The one sentence that says how the run ended. Plain text, one line, without names of pipelines.
#[must_use]
pub fn headline(report: &Report) -> String {
    if let Some(error) = &report.error {
        return one_line(&format!("{}: {}", stopped(report), error.message));
    }
    let total = total(report);
    if total == 0 {
        return match drift_kinds(report) {
            Some(kinds) => format!("No pipelines found here, and on the server {kinds}"),
            None => "No pipelines found".to_owned(),
        };
    }
    if interrupted(report) {
        return format!("Interrupted: {}", split(report));
    }
    if report.counts.failed > 0 {
        return failed_headline(report, total);
    }
    match report.command.as_str() {
        "plan" if only_compiled(report) => format!(
            "Compiled {}; not compared with the server",
            of_all(report.counts.compiled, total)
        ),
        "plan" => plan_headline(report, total),
        "diff" => format!("Compared: {}", counts(report)),
        "compile" => format!("Compiled {}", of_all(report.counts.compiled, total)),
        "check" => format!("Checked {}", of_all(report.counts.compiled, total)),
        _ => apply_headline(report, total),
    }
}

fn stopped(report: &Report) -> &'static str {
    match report.command.as_str() {
        "plan" => "No plan",
        "compile" => "Not compiled",
        "check" => "Not checked",
        "diff" => "Not compared",
        _ if changes(report) > 0 => "Deployment stopped half-way",
        _ => "Nothing deployed",
    }
}

fn failed_headline(report: &Report, total: usize) -> String {
    let failed = report.counts.failed;
    let mut failures = report
        .pipelines
        .iter()
        .filter_map(|pipeline| pipeline.error.as_ref());
    let compile = report.command == "compile" || failures.all(|error| error.phase == Phase::Compile);
    let which = if total == 1 {
        "The pipeline".to_owned()
    } else if failed >= total {
        format!("All {total} pipelines")
    } else {
        format!("{failed} of {total} pipelines")
    };
    let verb = match (compile, report.command.as_str(), failed == 1) {
        (true, _, true) => "does not compile",
        (true, _, false) => "do not compile",
        (false, "plan" | "check", _) => "cannot be deployed",
        (false, ..) => "failed",
    };
    let changes = changes(report);
    let rest = match report.command.as_str() {
        _ if failed >= total => String::new(),
        _ if only_compiled(report) => format!(", {} compiled", report.counts.compiled),
        "plan" if changes > 0 => format!(", {changes} would be deployed"),
        "plan" => ", nothing else changes".to_owned(),
        _ if changes > 0 => format!(", {changes} deployed{}", as_version(report)),
        _ => ", nothing deployed".to_owned(),
    };
    let unknown = match report.counts.unknown {
        0 => String::new(),
        count => format!(", {count} unknown"),
    };
    format!("{which} {verb}{rest}{unknown}")
}

fn plan_headline(report: &Report, total: usize) -> String {
    if let Some(kinds) = drift_kinds(report) {
        return format!("Server and repository differ: {kinds}");
    }
    let changes = changes(report);
    if changes > 0 {
        return format!("Would deploy {}: {}", of_all(changes, total), counts(report));
    }
    if report.counts.skipped > 0 {
        return format!("No changes: {}", counts(report));
    }
    match total {
        1 => "No changes: the pipeline is as on the server".to_owned(),
        _ => format!("No changes: all {total} pipelines are as on the server"),
    }
}

fn apply_headline(report: &Report, total: usize) -> String {
    let changes = changes(report);
    if report.counts.unknown > 0 {
        let unknown = number(report.counts.unknown, "pipeline");
        return format!("Nobody can say whether {unknown} arrived: {}", counts(report));
    }
    if changes > 0 {
        return format!(
            "Deployed {}{}: {}",
            of_all(changes, total),
            as_version(report),
            counts(report)
        );
    }
    if report.counts.skipped > 0 {
        return format!("Nothing deployed: {}", counts(report));
    }
    match total {
        1 => "Nothing to deploy: the pipeline is unchanged".to_owned(),
        _ => format!("Nothing to deploy: all {total} pipelines are unchanged"),
    }
}

fn of_all(some: usize, total: usize) -> String {
    match (some, total) {
        (_, 1) => "the pipeline".to_owned(),
        _ if some >= total => format!("all {total} pipelines"),
        _ => format!("{some} of {total} pipelines"),
    }
}

fn as_version(report: &Report) -> String {
    report
        .version_name
        .as_ref()
        .map(|name| format!(" as {name}"))
        .unwrap_or_default()
}

/// The status's description: the headline within [`DESCRIPTION_LIMIT`] characters.
#[must_use]
pub fn description(report: &Report) -> String {
    cut::ellipsis_chars(&headline(report).replace('`', ""), DESCRIPTION_LIMIT)
}
