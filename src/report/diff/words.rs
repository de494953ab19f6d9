//! What a change is called, in words with the parts that come from specs kept apart.

use crate::plan::diff::{Aspect, Change, Class, Difference, Status, Step, Subject, Verb};
use crate::report::cut::ellipsis_chars;
use std::borrow::Cow;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Ours.
    Plain(Cow<'static, str>),
    /// From a spec: shown as code, and never trusted.
    Code(String),
}

/// A sentence without its period.
pub type Sentence = Vec<Word>;

fn plain(text: impl Into<Cow<'static, str>>) -> Word {
    Word::Plain(text.into())
}

/// Longest name that a sentence holds, in characters. Values are shortened already.
const NAME: usize = 300;

fn code(text: &str) -> Word {
    Word::Code(visible(&ellipsis_chars(text, NAME)))
}

/// The text with every character that cannot be seen, or that turns the direction of reading,
/// written as `\u{202e}`, and line breaks as `\n`.
#[must_use]
pub fn visible(text: &str) -> String {
    escaped(text, false)
}

/// As [`visible`], for a text of several lines: line breaks and tabs stay.
#[must_use]
pub fn visible_block(text: &str) -> String {
    escaped(text, true)
}

fn escaped(text: &str, block: bool) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' if block => out.push(character),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if is_unseen(character) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

/// Controls, separators, characters without width, and those that turn the direction of reading.
#[must_use]
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// What a change says.
#[must_use]
pub fn sentence(change: &Change) -> Sentence {
    let mut words = Vec::new();
    match (change.aspect, change.verb) {
        (Aspect::Itself, Verb::Renamed) => {
            let outer = match &change.subject {
                Subject::Task(path) => path.rsplit_once('/').map(|(outer, _)| outer),
                _ => None,
            };
            words.push(plain("task "));
            words.push(code(change.before.as_deref().unwrap_or_default()));
            if let Some(outer) = outer {
                words.push(plain(" in "));
                words.push(code(outer));
            }
            words.push(plain(" renamed to "));
            words.push(code(change.after.as_deref().unwrap_or_default()));
            return words;
        }
        (Aspect::Itself, Verb::Moved) => {
            words.push(plain("task "));
            words.push(code(change.before.as_deref().unwrap_or_default()));
            words.push(plain(" moved to "));
            words.push(code(change.after.as_deref().unwrap_or_default()));
            return words;
        }
        (Aspect::Itself, verb) => {
            subject(&change.subject, &mut words);
            words.push(plain(if verb == Verb::Added { " added" } else { " removed" }));
            if let Some(what) = change
                .after
                .as_ref()
                .or(change.before.as_ref())
                .filter(|what| !what.is_empty())
            {
                words.push(plain(": "));
                words.push(code(what));
            }
            return words;
        }
        (Aspect::Sdk, _) => {
            words.push(plain("SDK "));
            arrow(change, &mut words);
            if change.count > 1 {
                words.push(plain(format!(", in {}", counted(change.count - 1, "component"))));
            }
            return words;
        }
        (Aspect::Wiring, _) => {
            words.push(plain(format!(
                "names that the compiler makes up changed in {}",
                counted(change.count, "place")
            )));
            return words;
        }
        (Aspect::Dependencies, _) => {
            subject(&change.subject, &mut words);
            match (&change.before, &change.after) {
                (Some(before), Some(after)) => {
                    words.extend([
                        plain(" waits for "),
                        code(after),
                        plain(" instead of "),
                        code(before),
                    ]);
                }
                (None, Some(after)) => words.extend([plain(" now waits for "), code(after)]),
                (Some(before), None) => words.extend([plain(" no longer waits for "), code(before)]),
                (None, None) => words.push(plain(" waits for other tasks")),
            }
            return words;
        }
        (Aspect::Required, _) => {
            subject(&change.subject, &mut words);
            words.push(plain(if change.class == Class::Interface {
                " is now required: "
            } else {
                " is now optional: "
            }));
            arrow(change, &mut words);
            return words;
        }
        (Aspect::Code, _) => {
            subject(&change.subject, &mut words);
            words.push(plain(match change.class {
                Class::Cosmetic => ": code reformatted or commented",
                _ => ": code changed",
            }));
            if change.patch.is_some() {
                words.push(plain(format!(", {}", lines(change))));
            }
            if change.before.is_some() || change.after.is_some() {
                words.push(plain(", function "));
                arrow(change, &mut words);
            }
            return words;
        }
        (Aspect::Other, _) if change.name.is_none() => {
            words.push(plain(match &change.patch {
                Some(_) => Cow::Borrowed("the text of the spec changed, "),
                None => Cow::Borrowed("something changed that cannot be shown"),
            }));
            if change.patch.is_some() {
                words.push(plain(lines(change)));
            }
            return words;
        }
        _ => {}
    }
    subject(&change.subject, &mut words);
    words.push(plain(": "));
    words.push(plain(label(change.aspect)));
    if let Some(name) = &change.name {
        words.push(plain(" "));
        words.push(code(name));
    }
    let pair = change.patch.is_none()
        && !matches!(change.verb, Verb::Added | Verb::Removed)
        && change.name.is_some();
    words.push(plain(if pair { ": " } else { " " }));
    match (&change.patch, change.verb) {
        (Some(_), _) => words.push(plain(format!("changed, {}", lines(change)))),
        (None, Verb::Added) if change.after.is_some() => {
            words.push(plain("added: "));
            words.push(code(change.after.as_deref().unwrap_or_default()));
        }
        (None, Verb::Removed) if change.before.is_some() => {
            words.push(plain("removed: "));
            words.push(code(change.before.as_deref().unwrap_or_default()));
        }
        (None, Verb::Added) => words.push(plain("added")),
        (None, Verb::Removed) => words.push(plain("removed")),
        (None, _) => arrow(change, &mut words),
    }
    words
}

fn subject(subject: &Subject, words: &mut Sentence) {
    let (kind, name) = match subject {
        Subject::Pipeline => {
            words.push(plain("pipeline"));
            return;
        }
        Subject::Input(name) => ("parameter ", name),
        Subject::Output(name) => ("output ", name),
        Subject::Task(name) => ("task ", name),
        Subject::Component(name) => ("unused component ", name),
    };
    words.push(plain(kind));
    words.push(code(name));
}

fn arrow(change: &Change, words: &mut Sentence) {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => words.extend([code(before), plain(" → "), code(after)]),
        (None, Some(after)) => words.extend([plain("now "), code(after)]),
        (Some(before), None) => words.extend([code(before), plain(" taken away")]),
        (None, None) => words.push(plain("changed")),
    }
}

/// `+3 −1 lines`, counted in the unified difference.
#[must_use]
pub fn lines(change: &Change) -> String {
    let patch = change.patch.as_deref().unwrap_or_default();
    let added = patch.lines().filter(|line| line.starts_with('+')).count();
    let removed = patch.lines().filter(|line| line.starts_with('-')).count();
    format!("+{added} −{removed} lines")
}

const fn label(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Itself | Aspect::Other => "field",
        Aspect::Type => "type",
        Aspect::Default => "default",
        Aspect::Required => "required",
        Aspect::AllowedValues => "allowed values",
        Aspect::Description => "description",
        Aspect::Name => "name",
        Aspect::DisplayName => "display name",
        Aspect::Sdk => "SDK",
        Aspect::SchemaVersion => "schema version",
        Aspect::PipelineRoot => "pipeline root",
        Aspect::OutputSource => "source of output",
        Aspect::Component => "component",
        Aspect::Dependencies => "dependencies",
        Aspect::Input => "input",
        Aspect::Caching => "caching",
        Aspect::Retries => "retries",
        Aspect::Condition => "condition",
        Aspect::Items => "loop over",
        Aspect::Parallelism => "parallelism",
        Aspect::Trigger => "runs",
        Aspect::Declaration => "declared",
        Aspect::Code => "code",
        Aspect::Image => "image",
        Aspect::Package => "package",
        Aspect::PackageIndex => "package index",
        Aspect::VirtualEnvironment => "virtual environment",
        Aspect::Command => "command",
        Aspect::Arguments => "arguments",
        Aspect::EnvironmentVariable => "variable",
        Aspect::Resource | Aspect::Accelerator => "resource",
        Aspect::Importer => "importer",
        Aspect::Lifecycle => "lifecycle",
        Aspect::Platform => "Kubernetes setting",
        Aspect::PipelineConfig => "pipeline setting",
        Aspect::Wiring => "wiring",
    }
}

/// What a class is called above its changes.
#[must_use]
pub const fn class_title(class: Class) -> &'static str {
    match class {
        Class::Interface => "Interface: callers break",
        Class::Behaviour => "Behaviour",
        Class::Environment => "Environment",
        Class::Cosmetic => "Cosmetic",
    }
}

/// One line about a difference: `2 behaviour, 1 environment; suggests a minor version`.
#[must_use]
pub fn headline(difference: &Difference) -> String {
    match difference.status {
        Status::Created => return "new".to_owned(),
        Status::Unchanged => return "unchanged".to_owned(),
        Status::Unreadable => {
            let reason = difference.reason.as_deref().map(visible).unwrap_or_default();
            return format!("compared as text: {reason}");
        }
        Status::Changed if difference.is_sdk_only() => return "only the SDK changed".to_owned(),
        Status::Changed => {}
    }
    let counts = &difference.counts;
    let parts: Vec<String> = [
        (counts.interface, "interface"),
        (counts.behaviour, "behaviour"),
        (counts.environment, "environment"),
        (counts.cosmetic, "cosmetic"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, class)| format!("{count} {class}"))
    .collect();
    let step = match difference.step {
        Step::None => String::new(),
        step => format!("; suggests a {} version", step.as_str()),
    };
    format!("{}{step}", parts.join(", "))
}

/// `1 task`, `2 tasks`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The sentence as text with the spec's parts in backticks.
#[must_use]
pub fn as_text(sentence: &[Word]) -> String {
    let mut out = String::new();
    for word in sentence {
        match word {
            Word::Plain(text) => out.push_str(text),
            Word::Code(text) => {
                out.push('`');
                out.push_str(text);
                out.push('`');
            }
        }
    }
    out
}
