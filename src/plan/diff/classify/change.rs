//! One change, and the texts of what was and what is.

use crate::plan::diff::{Aspect, Change, Class, Subject, Verb, text};
use serde_json::Value;

/// A change without its paths.
pub(super) fn change(class: Class, subject: Subject, aspect: Aspect, verb: Verb) -> Change {
    Change {
        class,
        subject,
        aspect,
        verb,
        name: None,
        before: None,
        after: None,
        patch: None,
        count: 1,
        paths: Vec::new(),
    }
}

pub(super) fn verb(before: bool, after: bool) -> Verb {
    match (before, after) {
        (false, true) => Verb::Added,
        (true, false) => Verb::Removed,
        _ => Verb::Changed,
    }
}

pub(super) fn task_or_component(task: Option<String>, name: &str) -> Subject {
    match task {
        Some(path) => Subject::Task(path),
        None => Subject::Component(name.to_owned()),
    }
}

pub(super) fn text_of(value: Option<&Value>) -> Option<&str> {
    match value {
        None => Some(""),
        Some(value) => value.as_str(),
    }
}

/// The values as JSON, with a difference by line where a text has several.
pub(super) fn with_values(change: Change, before: Option<&Value>, after: Option<&Value>) -> Change {
    if let (Some(Value::String(old)), Some(Value::String(new))) = (before, after)
        && (old.contains('\n') || new.contains('\n'))
    {
        return Change {
            patch: Some(text::patch(old, new)),
            ..change
        };
    }
    with_texts(change, before.map(Value::to_string), after.map(Value::to_string))
}

pub(super) fn with_texts(change: Change, before: Option<String>, after: Option<String>) -> Change {
    match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = text::pair(&before, &after);
            Change {
                before: Some(before),
                after: Some(after),
                ..change
            }
        }
        (before, after) => Change {
            before: before.map(|text| text::short(&text)),
            after: after.map(|text| text::short(&text)),
            ..change
        },
    }
}
