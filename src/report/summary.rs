//! The job summary: a page for one run, in Markdown.

use super::diff::markdown as changes;
use super::markdown::clean_cut;
use super::markdown_comment as parts;
use super::{Report, page, wording};
use std::io::Write;
use std::path::Path;

/// The longest summary in bytes. Both forges take 1 MiB for a step; Gitea counts all steps of a job
/// together (1.27).
pub const SUMMARY_LIMIT: usize = 900 * 1024;

/// Bytes for what changes in all pipelines together.
const DIFFERENCES_LIMIT: usize = 400 * 1024;

/// The summary of a run.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut text = parts::heading(report).replacen("### ", "## ", 1);
    if wording::is_partial(report) && !wording::interrupted(report) {
        text.push_str(&format!("{}.\n\n", wording::split(report)));
    }
    text.push_str(&parts::failures(report, 200_000));
    text.push_str(&parts::table(report, 2_000, true));
    text.push_str(&parts::warnings(report, 50));
    let drawn = page::drawn(report, false);
    let entries = page::entries(&drawn);
    text.push_str(&changes::breaking(&entries));
    text.push_str(&changes::folds(&entries, DIFFERENCES_LIMIT));
    let footer = parts::footer(report);
    let pointer = "_This is too long for a summary: the rest is in the results file._";
    let text = clean_cut(&text, SUMMARY_LIMIT - footer.len() - 1, pointer);
    parts::with_footer(text, &footer)
}

/// Appends to the file that `GITHUB_STEP_SUMMARY` names.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")
}
