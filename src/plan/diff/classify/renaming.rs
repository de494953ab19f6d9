//! Tasks that were renamed, and the names the compiler makes up from theirs.

use super::Classifier;
use super::change::change;
use crate::ir::wiring::CHANNEL;
use crate::plan::diff::edits::Edit;
use crate::plan::diff::matching::Matching;
use crate::plan::diff::structure::{ROOT, is_made_up};
use crate::plan::diff::{Aspect, Class, Subject, Verb};
use serde_json::Value;

/// Beginnings of made-up names before and after, the longest first.
pub(super) fn replumbed(matching: &Matching) -> Vec<(String, String)> {
    let mut names: Vec<_> = matching
        .tasks
        .values()
        .flatten()
        .filter(|(old, new)| old != new)
        .map(|(old, new)| (format!("{CHANNEL}{old}-"), format!("{CHANNEL}{new}-")))
        .collect();
    names.sort_by_key(|(old, _)| std::cmp::Reverse(old.len()));
    names.dedup();
    names
}

impl Classifier<'_, '_> {
    pub(super) fn renamed(&mut self, matching: &Matching) {
        let mut made_up = 0;
        for (component, pairs) in &matching.tasks {
            let component = matching.components.get(component).map_or(ROOT, String::as_str);
            for (old, new) in pairs.iter().filter(|(old, new)| old != new) {
                if is_made_up(old) && is_made_up(new) {
                    made_up += 1;
                    continue;
                }
                let subject = Subject::Task(self.new.path(component, new));
                let mut change = change(Class::Behaviour, subject, Aspect::Itself, Verb::Renamed);
                change.before = Some(old.clone());
                change.after = Some(new.clone());
                self.add(change);
            }
        }
        let components = matching.components.iter().any(|(old, new)| old != new);
        let executors = matching.executors.iter().any(|(old, new)| old != new);
        if made_up > 0 || ((components || executors) && self.changes.is_empty()) {
            let mut change = change(Class::Cosmetic, Subject::Pipeline, Aspect::Wiring, Verb::Changed);
            change.count = made_up.max(1);
            self.add(change);
        }
    }

    /// Whether nothing but the made-up names of renamed tasks differs.
    pub(super) fn is_replumbed(&self, edit: &Edit<'_>) -> bool {
        match (edit.before, edit.after) {
            (Some(before), Some(after)) if !self.replumbed.is_empty() => self.replumb_equals(before, after),
            _ => false,
        }
    }

    /// Whether a value becomes the other once names are replumbed. Compared as text: a JSON value that is
    /// compared with a string is only its content.
    pub(super) fn replumb_equals(&self, before: &Value, after: &Value) -> bool {
        let after = after.to_string();
        self.replumb(&before.to_string()) == after
    }

    /// A text with the made-up names that the renamed tasks have now.
    fn replumb(&self, text: &str) -> String {
        self.replumbed
            .iter()
            .fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
    }
}

/// Whether an edit is about nothing but made-up names.
pub(super) fn mentions_channel(edit: &Edit<'_>) -> bool {
    [edit.before, edit.after]
        .into_iter()
        .flatten()
        .any(|value| value.to_string().contains(CHANNEL))
}
