//! The findings as people read them.

use super::{Diagnosis, Finding, Verdict};
use crate::report::text::clean;

/// One line per check, cures and things to paste below those that need them.
#[must_use]
pub fn render(diagnosis: &Diagnosis) -> String {
    let mut text = format!("doctor: {}\n", diagnosis.endpoint);
    let width = diagnosis
        .checks
        .iter()
        .map(|finding| finding.check.len())
        .max()
        .unwrap_or(0);
    for finding in &diagnosis.checks {
        text.push_str(&lines(finding, width));
    }
    let count = |verdict| {
        diagnosis
            .checks
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    };
    text.push_str(&format!(
        "{} passed, {} failed, {} skipped\n",
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Skipped)
    ));
    text
}

/// Only what explains a failure, for the end of a run that could not begin.
#[must_use]
pub fn short(findings: &[Finding]) -> String {
    let told = findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Skipped);
    let width = findings
        .iter()
        .map(|finding| finding.check.len())
        .max()
        .unwrap_or(0);
    told.map(|finding| lines(finding, width)).collect()
}

fn lines(finding: &Finding, width: usize) -> String {
    let mark = match finding.verdict {
        Verdict::Passed => "ok     ",
        Verdict::Failed => "FAILED ",
        Verdict::Skipped => "skipped",
    };
    let mut text = format!("  {mark} {:width$}  {}\n", finding.check, clean(&finding.seen));
    let indent = " ".repeat(width + 12);
    if let Some(cure) = finding.cure.as_ref().filter(|cure| !cure.is_empty()) {
        let word = if finding.is_failed() { "cure" } else { "note" };
        text.push_str(&format!("{indent}{word}: {}\n", clean(cure)));
    }
    if let Some(paste) = finding
        .paste
        .as_ref()
        .filter(|_| finding.verdict != Verdict::Skipped)
    {
        for line in paste.lines() {
            text.push_str(&format!("{indent}  {}\n", clean(line)));
        }
    }
    text
}
