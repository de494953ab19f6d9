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
mod tests {
    use super::*;
    use crate::ir::Spec;
    use crate::ir::fixtures::{NAMES, fixture, value};
    use crate::plan::diff::{diff, diff_drawn};

    fn all_against(name: &str) -> Vec<(String, crate::plan::diff::Difference, Graph)> {
        NAMES
            .iter()
            .map(|other| {
                let (difference, graph) = diff_drawn(Some(&fixture(name)), &fixture(other), 1000);
                ((*other).to_owned(), difference, graph)
            })
            .collect()
    }

    #[test]
    fn many_pipelines_stay_within_the_budget() {
        let owned = all_against("evaluation");
        let many: Vec<Entry<'_>> = owned
            .iter()
            .cycle()
            .take(300)
            .map(|(name, difference, graph)| Entry {
                name,
                file: Some("a_pipeline.py"),
                difference,
                graph: Some(graph),
            })
            .collect();
        for budget in [1_000, 5_000, BUDGET] {
            let text = folds(&many, budget);
            assert!(text.len() <= budget, "{} > {budget}", text.len());
            assert_eq!(
                text.matches("<details>").count(),
                text.matches("</details>").count()
            );
            assert!(text.contains("Too long to show here"), "{budget}");
        }
        assert!(table(&many, 100).lines().count() < 110);
    }

    #[test]
    fn what_breaks_callers_is_said_in_the_open() {
        let mut changed = value("evaluation");
        let parameters = changed["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
            .as_object_mut()
            .unwrap();
        let first = parameters.keys().next().unwrap().clone();
        parameters.remove(&first);
        let difference = diff(
            Some(&fixture("evaluation")),
            &Spec::from_server(&changed).unwrap(),
        );
        let entry = Entry {
            name: "evaluation",
            file: None,
            difference: &difference,
            graph: None,
        };
        let text = breaking(&[entry]);
        assert!(text.starts_with("> [!WARNING]\n"), "{text}");
        assert!(
            text.contains(&format!("`evaluation`: parameter `{first}` removed")),
            "{text}"
        );
        assert_eq!(count_line(&[entry]), "0 to create, 1 to update, 0 unchanged");
        assert!(table(&[entry], 10).contains("| major |"));
        let same = diff(Some(&fixture("venv")), &fixture("venv"));
        assert_eq!(
            breaking(&[Entry {
                name: "venv",
                file: None,
                difference: &same,
                graph: None
            }]),
            ""
        );
    }

    #[test]
    fn another_sdk_is_one_line_for_all() {
        let difference = |name: &str| {
            let text = value(name)
                .to_string()
                .replace("kfp-2.17.0", "kfp-2.16.1")
                .replace("kfp==2.17.0", "kfp==2.16.1");
            let older = Spec::from_server(&serde_json::from_str(&text).unwrap()).unwrap();
            diff(Some(&older), &fixture(name))
        };
        let owned: Vec<_> = ["packages", "venv", "evaluation"].map(difference).into();
        let entries: Vec<Entry<'_>> = owned
            .iter()
            .cycle()
            .take(30)
            .map(|difference| Entry {
                name: &difference.pipeline,
                file: None,
                difference,
                graph: None,
            })
            .collect();
        let text = folds(&entries, BUDGET);
        assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 1, "{text}");
        assert!(
            text.starts_with("Only the SDK changed in 30 pipelines (`kfp-2.16.1` → `kfp-2.17.0`): `"),
            "{text}"
        );
        assert!(text.contains(" and 20 more."), "{text}");
    }

    #[test]
    fn code_is_shown_as_a_difference() {
        let text = value("packages")
            .to_string()
            .replace("def one():", "def one(x=1):");
        let changed = Spec::from_server(&serde_json::from_str(&text).unwrap()).unwrap();
        let (difference, graph) = diff_drawn(Some(&fixture("packages")), &changed, 1000);
        let entry = Entry {
            name: "packages",
            file: None,
            difference: &difference,
            graph: Some(&graph),
        };
        let text = folds(&[entry], BUDGET);
        assert!(text.contains("```diff\n@@ "), "{text}");
        assert!(text.contains("\n-def one():\n+def one(x=1):\n"), "{text}");
        assert!(
            text.contains("```mermaid\nflowchart TD\n") && text.contains("\"~ one\""),
            "{text}"
        );
    }

    #[test]
    fn nothing_from_a_spec_becomes_markup() {
        let evil = "`]</summary><script>alert(1)</script> @everyone ![x](http://x) \\u202e | ~~~ ```";
        let mut changed = value("packages");
        changed["pipeline_spec"]["pipelineInfo"]["name"] = evil.into();
        changed["pipeline_spec"]["pipelineInfo"]["description"] = format!("{evil}\n```\n<script>").into();
        let tasks = changed["pipeline_spec"]["root"]["dag"]["tasks"]
            .as_object_mut()
            .unwrap();
        let task = tasks.remove("one").unwrap();
        tasks.insert(evil.to_owned(), task);
        let (difference, graph) = diff_drawn(
            Some(&fixture("packages")),
            &Spec::from_server(&changed).unwrap(),
            1000,
        );
        let entry = Entry {
            name: evil,
            file: Some(evil),
            difference: &difference,
            graph: Some(&graph),
        };
        let text = format!(
            "{}{}{}",
            table(&[entry], 10),
            breaking(&[entry]),
            folds(&[entry], BUDGET)
        );
        // Outside of code, and inside HTML, none of it is left.
        let mut fence = String::new();
        for line in text.lines() {
            let ticks = line.chars().take_while(|character| *character == '`').count();
            if fence.is_empty() && ticks >= 3 {
                fence = "`".repeat(ticks);
            } else if !fence.is_empty() && line == fence {
                fence.clear();
            } else if fence.is_empty() && !line.contains('`') {
                assert!(
                    !line.contains("<script") && !line.contains("@everyone") && !line.contains("!["),
                    "{line}"
                );
            }
        }
        assert_eq!(fence, "", "a block is left open");
        assert_eq!(text.matches("<details>").count(), 1);
        assert!(!text.contains('\u{202e}'));
    }
}
