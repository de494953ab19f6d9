//! Lines that a runner reads: annotations, groups, masks, and the fence around foreign output.
//!
//! Runners act on every line that begins with `::` (and on `##[…]`), from whatever program it comes. So
//! nothing foreign is ever printed without [`quoted`], and values inside commands are always escaped.

use super::wording::{self, harmless, one_line};
use super::{PipelineReport, Report, cut};
use crate::context::ForgeKind;
use crate::error::Failure;

/// GitHub shows ten errors and ten warnings of a step.
pub const LIMIT: usize = 10;

/// GitHub cuts a message at 4 096 characters.
const MESSAGE_LIMIT: usize = 4000;

/// The annotations of a run: errors on their file and line, then warnings about the run. At most
/// [`LIMIT`] of each kind, the rest summed up in the last one. Gitea keeps no annotations and its page
/// drops the properties, so there the place is part of the text.
#[must_use]
pub fn annotations(report: &Report, forge: ForgeKind) -> Vec<String> {
    let mut errors: Vec<Note> = report.error.iter().map(|error| Note::of(None, error)).collect();
    errors.extend(
        report
            .pipelines
            .iter()
            .filter_map(|p| Some(Note::of(Some(p), p.error.as_ref()?))),
    );
    let warnings: Vec<Note> = report
        .warnings
        .iter()
        .map(|text| Note {
            file: None,
            line: None,
            column: None,
            title: None,
            message: text.clone(),
        })
        .collect();
    let failed = report.counts.failed + usize::from(report.error.is_some());
    let mut lines = limited("error", &errors, failed.max(errors.len()), forge);
    lines.extend(limited("warning", &warnings, warnings.len(), forge));
    lines
}

/// One annotation before it is put in a forge's form.
struct Note {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    title: Option<String>,
    message: String,
}

impl Note {
    fn of(pipeline: Option<&PipelineReport>, failure: &Failure) -> Self {
        let mut message = failure.message.clone();
        if let Some(hint) = &failure.hint {
            message.push_str(&format!("\nhint: {hint}"));
        }
        let name = pipeline.and_then(|pipeline| pipeline.name.clone());
        Self {
            file: failure.file.clone().or_else(|| pipeline?.file.clone()),
            line: failure.line,
            column: failure.column,
            title: Some(name.unwrap_or_else(|| format!("kfp-gitops {}", failure.phase.as_str()))),
            message,
        }
    }

    fn line(&self, level: &str, forge: ForgeKind) -> String {
        let message = visible(&cut::ellipsis(&self.message, MESSAGE_LIMIT));
        if forge == ForgeKind::Gitea {
            let mut place = self.file.clone().unwrap_or_default();
            if let (false, Some(line)) = (place.is_empty(), self.line) {
                place.push_str(&format!(":{line}"));
            }
            let text = if place.is_empty() {
                message
            } else {
                format!("{place}: {message}")
            };
            return format!("::{level}::{}", one_line(&text.replace("\nhint: ", "; hint: ")));
        }
        let mut properties = Vec::new();
        if let Some(file) = &self.file {
            properties.push(format!("file={}", property(&visible(file))));
            if let Some(line) = self.line {
                properties.push(format!("line={line}"));
                if let Some(column) = self.column {
                    properties.push(format!("col={column}"));
                }
            }
        }
        if let Some(title) = &self.title {
            properties.push(format!(
                "title={}",
                property(&visible(&cut::ellipsis(title, 200)))
            ));
        }
        let space = if properties.is_empty() { "" } else { " " };
        format!("::{level}{space}{}::{}", properties.join(","), data(&message))
    }
}

/// A text without what moves a terminal's cursor or turns the order of letters round. Lines stay lines, a carriage
/// return too: [`data`] encodes both.
fn visible(text: &str) -> String {
    harmless(text, &['\n', '\r'])
}

fn limited(level: &str, notes: &[Note], all: usize, forge: ForgeKind) -> Vec<String> {
    let shown = if all > LIMIT {
        notes.len().min(LIMIT - 1)
    } else {
        notes.len()
    };
    let mut lines: Vec<String> = notes[..shown]
        .iter()
        .map(|note| note.line(level, forge))
        .collect();
    if all > shown {
        let rest = wording::number(all - shown, level);
        lines.push(format!(
            "::{level}::and {rest} more: see the job summary, or the log"
        ));
    }
    lines
}

/// A command's text: everything that would end or change the line is encoded.
#[must_use]
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A command's property: as [`data`], and what separates properties.
#[must_use]
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Opens a fold in the log.
#[must_use]
pub fn group(title: &str) -> String {
    format!("::group::{}", data(&one_line(title)))
}

/// Closes it.
pub const END_GROUP: &str = "::endgroup::";

/// The lines that make a runner hide a secret from the log, to be printed before anything else. Runners
/// match line by line, so every line of a secret is masked; very short ones would blank out the log.
#[must_use]
pub fn masks(secret: &crate::secret::Secret) -> Vec<String> {
    secret
        .expose()
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= 4)
        .map(|line| format!("::add-mask::{}", data(line)))
        .collect()
}

/// Foreign output (what a pipeline's file printed), so that no line of it can be a command: each is
/// prefixed and freed of control characters, and on a forge the whole stands between `::stop-commands::`
/// and the only word that ends it, `token`, drawn at random for this one use.
#[must_use]
pub fn quoted(output: &str, token: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(token) = token {
        text.push_str(&format!("::stop-commands::{token}\n"));
    }
    let unified = output.replace("\r\n", "\n").replace('\r', "\n");
    for line in unified.lines() {
        let clean = harmless(line, &['\t']);
        // `##[` is an old form of commands that counts anywhere in a line.
        text.push_str(&format!("  | {}\n", clean.replace("##[", "## [")));
    }
    if let Some(token) = token {
        text.push_str(&format!("::{token}::\n"));
    }
    text
}

/// A fresh word for [`quoted`].
#[must_use]
pub fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A text for the log that comes partly from files or servers: it cannot begin a command.
#[must_use]
pub fn defused(text: &str) -> String {
    let lines: Vec<String> = text
        .replace('\r', "\n")
        .lines()
        .map(|line| {
            let clean = harmless(line, &['\t']);
            let start = clean.trim_start();
            let clean = if start.starts_with("::") {
                format!(": {}", &start[1..])
            } else {
                clean
            };
            clean.replace("##[", "## [")
        })
        .collect();
    lines.join("\n")
}
