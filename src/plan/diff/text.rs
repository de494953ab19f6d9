//! Texts of a change: shortened values, and unified differences.

use serde_json::Value;
use similar::{Algorithm, TextDiff};
use std::fmt::Write as _;
use std::time::Duration;

/// Longest value that a change carries, in characters.
const SHOWN: usize = 160;
/// Longest texts, in bytes and in lines, that are compared line by line.
const COMPARED_BYTES: usize = 1 << 20;
/// Lines on both sides together up to which the shortest difference is looked for, however long that takes: at
/// worst their square.
const COMPARED_LINES: usize = 4_000;
/// How long the shortest difference of two large texts is looked for.
const PATIENCE: Duration = Duration::from_millis(50);
/// Longest unified difference of one change, in bytes.
const PATCH: usize = 64 * 1024;

/// The text, cut with an ellipsis.
pub(super) fn short(text: &str) -> String {
    cut(text, SHOWN)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A value as people write it: a text without quotes where it is alone, else JSON.
pub(super) fn value(value: &Value) -> String {
    short(&whole(value))
}

fn whole(value: &Value) -> String {
    value.to_string()
}

/// Two texts shortened so that the first place where they differ can be seen.
pub(super) fn pair(before: &str, after: &str) -> (String, String) {
    let (a, b) = (short(before), short(after));
    if a != b {
        return (a, b);
    }
    let common = before
        .chars()
        .zip(after.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let from = common.saturating_sub(SHOWN / 4);
    let tail = |text: &str| format!("…{}", short(&text.chars().skip(from).collect::<String>()));
    (tail(before), tail(after))
}

/// The unified difference of two texts; a sentence where they are too large.
pub(super) fn patch(before: &str, after: &str) -> String {
    let (old_lines, new_lines) = (before.lines().count(), after.lines().count());
    if before.len() + after.len() > COMPARED_BYTES {
        return format!(
            "@@ too large to compare line by line: {} bytes in {old_lines} lines, now {} bytes in {new_lines} lines @@\n",
            before.len(),
            after.len()
        );
    }
    let mut config = TextDiff::configure();
    // Beyond this Myers may take minutes. Patience compares unique lines first, which is quick for code; a text
    // without any, as nobody writes it, gets a clumsier difference once its time is up.
    if old_lines + new_lines > COMPARED_LINES {
        config.algorithm(Algorithm::Patience).timeout(PATIENCE);
    }
    let difference = config.diff_lines(before, after);
    let mut out = String::new();
    for hunk in difference.unified_diff().context_radius(3).iter_hunks() {
        let _ = write!(out, "{hunk}");
        if out.len() > PATCH {
            let mut end = PATCH;
            while !out.is_char_boundary(end) {
                end -= 1;
            }
            out.truncate(out[..end].rfind('\n').map_or(end, |at| at + 1));
            out.push_str("@@ the rest is left out @@\n");
            break;
        }
    }
    out
}
