//! Differences as Markdown for the comment on a pull request.
//!
//! The count line and the table belong to the comment itself; here is what stands below them: what
//! breaks callers, in the open, and one fold for each pipeline with the rest, the picture first.
//! Everything from a spec passes [`code`] or a fenced block.

use super::super::graph::mermaid;
use super::super::markdown::code;
use super::Entry;
use super::words::{self, Word, counted, headline, sentence, visible_block};
use crate::ir::graph::Graph;
use crate::plan::diff::{Change, Class, Status};
use std::fmt::Write as _;

/// Most bytes of everything here, unless the caller has less left: the comment has 60 000.
pub const BUDGET: usize = 50_000;
/// Most bytes for one pipeline, so that the first does not take it all.
const PIPELINE: usize = 16_000;
/// Most bytes for one difference of code.
const CODE: usize = 3_000;
/// Most lines about breaking changes in the open.
const BREAKING: usize = 20;
/// Most names of pipelines in which only the SDK changed.
const PINS: usize = 10;
/// Most changes listed for one class of one pipeline.
const LISTED: usize = 30;

/// `2 to create, 1 to update, 3 unchanged`, for a comment that has no other count line.
#[must_use]
pub fn count_line(entries: &[Entry<'_>]) -> String {
    let count = |wanted: fn(Status) -> bool| {
        entries
            .iter()
            .filter(|entry| wanted(entry.difference.status))
            .count()
    };
    format!(
        "{} to create, {} to update, {} unchanged",
        count(|status| status == Status::Created),
        count(|status| matches!(status, Status::Changed | Status::Unreadable)),
        count(|status| status == Status::Unchanged)
    )
}

/// A row for each pipeline that differs: its name, what it is, and the step of its version.
#[must_use]
pub fn table(entries: &[Entry<'_>], most: usize) -> String {
    let differing: Vec<_> = entries
        .iter()
        .filter(|entry| entry.difference.status != Status::Unchanged)
        .collect();
    if differing.is_empty() {
        return String::new();
    }
    let mut out = "| Pipeline | Changes | Suggested version |\n|---|---|---|\n".to_owned();
    for entry in differing.iter().take(most) {
        let step = match entry.difference.status {
            Status::Created => "first",
            _ => entry.difference.step.as_str(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {step} |",
            code(entry.name),
            plain_cell(&headline_without_step(entry))
        );
    }
    if differing.len() > most {
        let _ = writeln!(out, "\nand {} more", counted(differing.len() - most, "pipeline"));
    }
    out
}

fn headline_without_step(entry: &Entry<'_>) -> String {
    let head = headline(entry.difference);
    head.split("; suggests").next().unwrap_or_default().to_owned()
}

fn plain_cell(text: &str) -> String {
    // Only the reason why something is unreadable comes from outside, and it goes as code.
    match text.split_once(": ") {
        Some((ours, reason)) => format!("{ours}: {}", code(reason)),
        None => text.to_owned(),
    }
}

/// What breaks callers, as a warning in the open; empty where nothing does.
#[must_use]
pub fn breaking(entries: &[Entry<'_>]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut left = 0;
    for entry in entries {
        for change in entry
            .difference
            .changes
            .iter()
            .filter(|change| change.class == Class::Interface)
        {
            if lines.len() < BREAKING {
                lines.push(format!(
                    "> - {}: {}",
                    code(entry.name),
                    marked_up(&sentence(change))
                ));
            } else {
                left += 1;
            }
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut out = "> [!WARNING]\n> **Callers break:**\n".to_owned();
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    if left > 0 {
        let _ = writeln!(out, "> - and {left} more");
    }
    // Without an empty line, what follows would belong to the quote.
    out.push('\n');
    out
}

/// One fold for each pipeline that differs, within `budget` bytes in all. What does not fit is
/// named in one line at the end.
#[must_use]
pub fn folds(entries: &[Entry<'_>], budget: usize) -> String {
    let (pins, entries): (Vec<&Entry<'_>>, Vec<&Entry<'_>>) = entries
        .iter()
        .filter(|entry| entry.difference.status != Status::Unchanged)
        .partition(|entry| entry.difference.is_sdk_only());
    let mut out = if pins.is_empty() {
        String::new()
    } else {
        only_pins(&pins)
    };
    let mut left_out = Vec::new();
    for entry in entries {
        // The line that names what is left out needs some room itself.
        let room = budget.saturating_sub(out.len() + 600).min(PIPELINE);
        match fold(entry, room) {
            Some(text) => out.push_str(&text),
            None => left_out.push(entry.name),
        }
    }
    if !left_out.is_empty() {
        let names: Vec<String> = left_out
            .iter()
            .take(5)
            .map(|name| code(&words_cut(name)))
            .collect();
        let more = if left_out.len() > 5 {
            format!(" and {} more", left_out.len() - 5)
        } else {
            String::new()
        };
        let _ = writeln!(out, "_Too long to show here: {}{more}._\n", names.join(", "));
    }
    out
}

/// One line for all pipelines that another SDK compiled and nothing else changed.
fn only_pins(pins: &[&Entry<'_>]) -> String {
    let mut releases: Vec<String> = pins
        .iter()
        .flat_map(|entry| &entry.difference.changes)
        .filter_map(|change| {
            Some(format!(
                "{} → {}",
                code(change.before.as_ref()?),
                code(change.after.as_ref()?)
            ))
        })
        .collect();
    releases.sort();
    releases.dedup();
    releases.truncate(3);
    let names: Vec<String> = pins
        .iter()
        .take(PINS)
        .map(|entry| code(&words_cut(entry.name)))
        .collect();
    let more = match pins.len().saturating_sub(PINS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "Only the SDK changed in {} ({}): {}{more}.\n\n",
        counted(pins.len(), "pipeline"),
        releases.join(", "),
        names.join(", ")
    )
}

fn words_cut(name: &str) -> String {
    name.chars().take(60).collect()
}

/// One pipeline within `room` bytes: all of it, else without code, else without the picture.
fn fold(entry: &Entry<'_>, room: usize) -> Option<String> {
    for (with_code, with_graph) in [(true, true), (false, true), (false, false)] {
        let text = one(entry, with_code, with_graph);
        if text.len() <= room {
            return Some(text);
        }
    }
    None
}

fn one(entry: &Entry<'_>, with_code: bool, with_graph: bool) -> String {
    let difference = entry.difference;
    // Markdown is not read inside `<summary>`, so the name stands there as HTML.
    let mut out = format!(
        "<details><summary><code>{}</code>: {}</summary>\n\n",
        html(entry.name),
        html(&headline(difference))
    );
    if let Some(file) = entry.file {
        let _ = writeln!(out, "From {}.\n", code(file));
    }
    if with_graph && let Some(graph) = entry.graph {
        out.push_str(&picture(graph));
    }
    let shown: &[Class] = &Class::ALL;
    for class in shown {
        let changes: Vec<&Change> = difference
            .changes
            .iter()
            .filter(|change| change.class == *class)
            .collect();
        if changes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "**{}**\n", words::class_title(*class));
        for change in changes.iter().take(LISTED) {
            let _ = writeln!(out, "- {}", marked_up(&sentence(change)));
        }
        if changes.len() > LISTED {
            let _ = writeln!(out, "- and {} more", changes.len() - LISTED);
        }
        out.push('\n');
    }
    if with_code {
        for change in difference
            .changes
            .iter()
            .filter(|change| change.class != Class::Cosmetic)
            .take(LISTED)
        {
            if let Some(patch) = &change.patch {
                let _ = writeln!(
                    out,
                    "{}:\n\n{}",
                    marked_up(&subject_of(change)),
                    diff_block(patch, CODE)
                );
            }
        }
    }
    // Markdown is read again only after an empty line.
    out.push_str("</details>\n\n");
    out
}

/// The beginning of a change's sentence, as the title of its code.
fn subject_of(change: &Change) -> Vec<Word> {
    sentence(change).into_iter().take(2).collect()
}

/// The picture, or a sentence where none is drawn.
#[must_use]
pub fn picture(graph: &Graph) -> String {
    if graph.nodes.is_empty() {
        return String::new();
    }
    match mermaid::fitting(graph, mermaid::LIMIT) {
        Some(source) => format!("```mermaid\n{source}```\n\n"),
        None => format!(
            "The graph has {}, too many to draw here.\n\n",
            counted(graph.task_count(), "task")
        ),
    }
}

/// A sentence with the spec's parts as code.
fn marked_up(sentence: &[Word]) -> String {
    let mut out = String::new();
    for word in sentence {
        match word {
            Word::Plain(text) => out.push_str(text),
            Word::Code(text) => {
                // Two spans side by side would be read as one.
                if out.ends_with('`') {
                    out.push(' ');
                }
                out.push_str(&code(text));
            }
        }
    }
    out
}

/// A unified difference as a block that is coloured.
fn diff_block(patch: &str, limit: usize) -> String {
    let text = visible_block(patch);
    let mut kept = text.as_str();
    if kept.len() > limit {
        let mut end = limit;
        while !kept.is_char_boundary(end) {
            end -= 1;
        }
        kept = &kept[..kept[..end].rfind('\n').map_or(end, |at| at + 1)];
    }
    let mut run = 0;
    let mut longest = 0;
    for character in kept.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let rest = if kept.len() < text.len() {
        "… the rest is left out\n"
    } else {
        ""
    };
    let end = if kept.ends_with('\n') { "" } else { "\n" };
    format!("{fence}diff\n{kept}{end}{rest}{fence}\n")
}

/// Text inside HTML inside Markdown: no sign that either reads survives.
fn html(text: &str) -> String {
    let mut out = String::new();
    for character in words::visible(text).chars().take(200) {
        if character.is_alphanumeric()
            || matches!(character, ' ' | '-' | '.' | '/' | ',' | ';' | ':' | '(' | ')')
        {
            out.push(character);
        } else {
            let _ = write!(out, "&#{};", u32::from(character));
        }
    }
    out
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
