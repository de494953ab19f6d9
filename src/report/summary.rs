//! The job summary: a page for one run, in Markdown.

use super::diff::markdown as changes;
use super::markdown::{clean_cut, code, fold};
use super::markdown_comment as parts;
use super::{Report, page, wording};
use std::io::Write;
use std::path::Path;

/// The longest summary in bytes. Both forges take 1 MiB for a step; Gitea counts all steps of a job
/// together (1.27).
pub const SUMMARY_LIMIT: usize = 900 * 1024;

/// Gitea draws diagrams of up to 5 000 characters by default.
const GRAPH_LIMIT: usize = 4_900;

/// Bytes for what changes in all pipelines together.
const DIFFERENCES_LIMIT: usize = 400 * 1024;

/// The most diagrams: more would make the page slow.
const GRAPHS: usize = 10;

/// A pipeline's tasks as a Mermaid diagram.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The pipeline's name.
    pub pipeline: String,
    /// The diagram's source, already escaped by who made it.
    pub mermaid: String,
}

/// The summary of a run. `details` is the semantic difference as Markdown, already escaped by who made
/// it; `graphs` are those of the changed pipelines.
#[must_use]
pub fn summary(report: &Report, details: Option<&str>, graphs: &[Graph]) -> String {
    let mut text = parts::heading(report).replacen("### ", "## ", 1);
    let all_done = report.counts.failed + report.counts.skipped + report.counts.unknown == 0;
    if report.command == "apply" && !all_done && !wording::interrupted(report) {
        text.push_str(&format!("{}.\n\n", wording::split(report)));
    }
    text.push_str(&parts::failures(report, 200_000));
    text.push_str(&parts::table(report, 2_000, true));
    text.push_str(&parts::warnings(report, 50));
    for graph in graphs.iter().take(GRAPHS).filter(|graph| fits(graph)) {
        let body = format!("```mermaid\n{}\n```\n", graph.mermaid.trim_end());
        text.push_str(&fold(
            &format!("Tasks of {}", inline_title(&graph.pipeline)),
            &body,
        ));
        text.push('\n');
    }
    if let Some(details) = details.filter(|details| !details.trim().is_empty()) {
        text.push_str(&fold("What changes", details));
        text.push('\n');
    }
    let drawn = page::drawn(report, false);
    let entries = page::entries(&drawn);
    text.push_str(&changes::breaking(&entries));
    text.push_str(&changes::folds(&entries, DIFFERENCES_LIMIT));
    let footer = parts::footer(report);
    let pointer = "_This is too long for a summary: the rest is in the results file._";
    let text = clean_cut(&text, SUMMARY_LIMIT - footer.len() - 1, pointer);
    parts::with_footer(text, &footer)
}

/// A graph that a forge draws, and that cannot end its own fence.
fn fits(graph: &Graph) -> bool {
    !graph.mermaid.trim().is_empty() && graph.mermaid.len() <= GRAPH_LIMIT && !graph.mermaid.contains("```")
}

/// Inside `<summary>` Markdown is not read, so the name is written as HTML.
fn inline_title(name: &str) -> String {
    let shown = code(name);
    let inner = shown.trim_matches('`').replace("\\|", "|");
    let escaped = inner
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    format!("<code>{escaped}</code>")
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
