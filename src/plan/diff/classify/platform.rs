//! Edits of the platform spec: what `kfp-kubernetes` and the pipeline config set.

use super::Classifier;
use super::change::{change, task_or_component, verb, with_texts, with_values};
use crate::plan::diff::edits::Edit;
use crate::plan::diff::{Aspect, Class, Subject, Verb};
use serde_json::Value;

impl<'a> Classifier<'_, 'a> {
    pub(super) fn platform(&mut self, rest: &[&'a str], edit: &Edit<'a>) {
        match rest {
            [
                "platforms",
                "kubernetes",
                "deploymentSpec",
                "executors",
                label,
                key,
                ..,
            ] => self.setting(label, Some(key), edit),
            ["platforms", "kubernetes", "deploymentSpec", "executors", label] => {
                self.setting(label, None, edit)
            }
            ["platforms", "kubernetes", "pipelineConfig", keys @ ..] => {
                let verb = verb(edit.before.is_some(), edit.after.is_some());
                let mut change = change(
                    Class::Environment,
                    Subject::Pipeline,
                    Aspect::PipelineConfig,
                    verb,
                );
                change.name = (!keys.is_empty()).then(|| keys.join("."));
                self.push(with_values(change, edit.before, edit.after), edit);
            }
            _ => {
                let verb = verb(edit.before.is_some(), edit.after.is_some());
                let mut change = change(Class::Environment, Subject::Pipeline, Aspect::Platform, verb);
                change.name = (!rest.is_empty()).then(|| super::text::short(&rest.join(".")));
                self.push(with_values(change, edit.before, edit.after), edit);
            }
        }
    }

    /// One setting of one executor, as the elements that came and went.
    fn setting(&mut self, label: &str, key: Option<&str>, edit: &Edit<'a>) {
        let component = self
            .new
            .component_of_executor(label)
            .or_else(|| self.old.component_of_executor(label));
        let subject = task_or_component(component.and_then(|component| self.owner(component)), label);
        let values = |settings: Option<&&'a Value>| -> Option<&'a Value> {
            match key {
                Some(key) => settings?.get(key),
                None => settings.copied(),
            }
        };
        let old = values(self.old.view.kubernetes.get(label));
        let new = values(self.new.view.kubernetes.get(label));
        let mut change = change(
            Class::Environment,
            subject,
            Aspect::Platform,
            verb(old.is_some(), new.is_some()),
        );
        change.name = key.map(str::to_owned);
        let only = |one: Option<&Value>, other: Option<&Value>| -> Option<String> {
            let other: &[Value] = other
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let mine = match one? {
                Value::Array(elements) => elements
                    .iter()
                    .filter(|element| !other.contains(element))
                    .map(phrase)
                    .collect(),
                value => vec![phrase(value)],
            };
            (!mine.is_empty()).then(|| mine.join("; "))
        };
        let (before, after) = (only(old, new), only(new, old));
        if before.is_none() && after.is_none() {
            change.verb = Verb::Changed;
            return self.push(with_values(change, old, new), edit);
        }
        self.push(with_texts(change, before, after), edit);
    }
}

/// A value in the fewest words: `secretName=s3, optional=false`.
fn phrase(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let constants = |name: &str| name.ends_with("Parameter");
            let words: Vec<String> = members
                .iter()
                // `secretNameParameter` repeats `secretName` as a constant (kfp-kubernetes 2.x).
                .filter(|(name, _)| {
                    !(constants(name) && members.contains_key(name.trim_end_matches("Parameter")))
                })
                .map(|(name, value)| format!("{name}={}", phrase(value)))
                .collect();
            words.join(", ")
        }
        Value::Array(elements) => format!("[{}]", elements.iter().map(phrase).collect::<Vec<_>>().join("; ")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
