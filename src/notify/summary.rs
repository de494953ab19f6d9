//! What one job hands to another: the `summary` output and the job's result.

use crate::error::{Failure, Phase};
use crate::report::Report;

/// The report inside a `summary` output. Empty text is no report: the job died, or was skipped.
///
/// # Errors
/// When it is something else (exit 2).
pub fn parse(text: &str) -> Result<Option<Report>, Failure> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let report: Report = serde_json::from_str(text).map_err(|error| {
        Failure::usage(
            Phase::Report,
            format!(
                "the summary is no report of kfp-gitops (line {}, column {})",
                error.line(),
                error.column()
            ),
        )
        .hint("pass the output `summary` of the step that deployed, or its results file")
    })?;
    if report.schema != 1 {
        return Err(Failure::usage(
            Phase::Report,
            format!("the summary has schema {}, known is 1", report.schema),
        )
        .hint("use the same version of kfp-gitops in both jobs"));
    }
    Ok(Some(report))
}

/// `needs.<job>.result`; anything unknown counts as a failure, because silence must never look like success.
#[must_use]
pub fn result(text: &str) -> &'static str {
    match text.trim() {
        "success" => "success",
        "cancelled" => "cancelled",
        "skipped" => "skipped",
        _ => "failure",
    }
}
