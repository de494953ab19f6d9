//! Executors: images, commands, environment, resources, importers.

use super::Classifier;
use super::change::{change, task_or_component, verb, with_texts, with_values};
use crate::ir::command::lightweight;
use crate::plan::diff::edits::Edit;
use crate::plan::diff::{Aspect, Change, Class, Subject, Verb, text};
use serde_json::Value;
use std::collections::BTreeMap;

impl<'a> Classifier<'_, 'a> {
    pub(super) fn executor(&mut self, label: &'a str, rest: &[&'a str], edit: &Edit<'a>) {
        let component = self
            .new
            .component_of_executor(label)
            .or_else(|| self.old.component_of_executor(label));
        let owner = component.and_then(|component| self.owner(component));
        let subject = task_or_component(owner.clone(), label);
        match rest {
            ["container", "image"] => {
                let change = change(Class::Environment, subject, Aspect::Image, Verb::Changed);
                self.push(with_texts(change, plain(edit.before), plain(edit.after)), edit);
            }
            ["container", "command"] => self.command(subject, edit),
            ["container", "args"] => self.arguments(subject, label, edit),
            ["container", "env"] => self.variables(&subject, edit),
            ["container", "resources", key, ..] => self.resource(subject, label, key, edit),
            ["container", "lifecycle", ..] => {
                let change = change(
                    Class::Behaviour,
                    subject,
                    Aspect::Lifecycle,
                    verb(edit.before.is_some(), edit.after.is_some()),
                );
                self.push(with_values(change, edit.before, edit.after), edit);
            }
            ["importer", key, ..] => {
                let mut change = change(
                    Class::Behaviour,
                    subject,
                    Aspect::Importer,
                    verb(edit.before.is_some(), edit.after.is_some()),
                );
                change.name = Some((*key).to_owned());
                self.push(with_values(change, edit.before, edit.after), edit);
            }
            _ => self.other_of_task(owner, label, edit),
        }
    }

    fn arguments(&mut self, subject: Subject, label: &str, edit: &Edit<'a>) {
        let is_python = |value: Option<&Value>| {
            value
                .and_then(|executor| executor.pointer("/container/command"))
                .and_then(lightweight)
                .is_some()
        };
        let both = is_python(self.old.raw_executor(label)) && is_python(self.new.raw_executor(label));
        if both && let (Some(old), Some(new)) = (function(edit.before), function(edit.after)) {
            // The function's new name; the code says the rest.
            let mut change = change(Class::Behaviour, subject, Aspect::Code, Verb::Changed);
            change.before = Some(text::short(old));
            change.after = Some(text::short(new));
            return self.push(change, edit);
        }
        let change = change(
            Class::Behaviour,
            subject,
            Aspect::Arguments,
            verb(edit.before.is_some(), edit.after.is_some()),
        );
        self.list(change, edit);
    }

    /// A list of texts: as one line each where one of them has several lines.
    pub(super) fn list(&mut self, change: Change, edit: &Edit<'_>) {
        let lines = |value: Option<&Value>| -> Option<String> {
            let mut out = String::new();
            for element in value?.as_array()? {
                out.push_str(
                    &element
                        .as_str()
                        .map_or_else(|| element.to_string(), str::to_owned),
                );
                out.push('\n');
            }
            Some(out)
        };
        match (lines(edit.before), lines(edit.after)) {
            (Some(old), Some(new)) if old != new && (old.len() > 200 || new.len() > 200) => {
                let change = Change {
                    patch: Some(text::patch(&old, &new)),
                    ..change
                };
                self.push(change, edit);
            }
            _ => self.push(with_values(change, edit.before, edit.after), edit),
        }
    }

    fn variables(&mut self, subject: &Subject, edit: &Edit<'a>) {
        let by_name = |value: Option<&'a Value>| {
            let mut names: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
            for variable in value.and_then(Value::as_array).into_iter().flatten() {
                let name = variable.get("name").and_then(Value::as_str).unwrap_or_default();
                names.entry(name).or_default().push(variable);
            }
            names
        };
        let (before, after) = (by_name(edit.before), by_name(edit.after));
        let shown = |variables: &Vec<&Value>| {
            let values = variables.iter().map(|variable| match variable.get("value") {
                Some(Value::String(value)) => value.clone(),
                _ => variable.to_string(),
            });
            values.collect::<Vec<_>>().join(", ")
        };
        let mut told = false;
        for name in before
            .keys()
            .chain(after.keys().filter(|name| !before.contains_key(*name)))
        {
            let (old, new) = (before.get(name), after.get(name));
            if old == new {
                continue;
            }
            told = true;
            let verb = verb(old.is_some(), new.is_some());
            let mut change = change(
                Class::Environment,
                subject.clone(),
                Aspect::EnvironmentVariable,
                verb,
            );
            change.name = Some(text::short(name));
            self.push(with_texts(change, old.map(shown), new.map(shown)), edit);
        }
        if !told {
            let change = change(
                Class::Environment,
                subject.clone(),
                Aspect::EnvironmentVariable,
                Verb::Changed,
            );
            self.push(with_values(change, edit.before, edit.after), edit);
        }
    }

    fn resource(&mut self, subject: Subject, label: &str, key: &str, edit: &Edit<'a>) {
        let resources =
            |value: Option<&'a Value>| value.and_then(|executor| executor.pointer("/container/resources"));
        let old = resources(self.old.raw_executor(label));
        let new = resources(self.new.raw_executor(label));
        let (aspect, name, keys): (_, _, &[&str]) = match key {
            "cpuLimit" | "resourceCpuLimit" => {
                (Aspect::Resource, "CPU limit", &["resourceCpuLimit", "cpuLimit"])
            }
            "memoryLimit" | "resourceMemoryLimit" => (
                Aspect::Resource,
                "memory limit",
                &["resourceMemoryLimit", "memoryLimit"],
            ),
            "cpuRequest" | "resourceCpuRequest" => (
                Aspect::Resource,
                "CPU request",
                &["resourceCpuRequest", "cpuRequest"],
            ),
            "memoryRequest" | "resourceMemoryRequest" => (
                Aspect::Resource,
                "memory request",
                &["resourceMemoryRequest", "memoryRequest"],
            ),
            "accelerator" => (Aspect::Accelerator, "accelerator", &["accelerator"]),
            other => (Aspect::Resource, other, &[]),
        };
        let shown = |resources: Option<&Value>| -> Option<String> {
            keys.iter()
                .chain([&key])
                .find_map(|key| resources?.get(key))
                .map(|value| match (aspect, value) {
                    (Aspect::Accelerator, value) => accelerator(value),
                    (_, Value::String(text)) => text.clone(),
                    (_, value) => value.to_string(),
                })
        };
        let (before, after) = (shown(old), shown(new));
        let mut change = change(
            Class::Environment,
            subject,
            aspect,
            verb(before.is_some(), after.is_some()),
        );
        change.name = Some(name.to_owned());
        let change = if before == after {
            with_values(change, edit.before, edit.after)
        } else {
            with_texts(change, before, after)
        };
        self.push(change, edit);
    }
}

fn accelerator(value: &Value) -> String {
    let text = |names: [&str; 2]| {
        names
            .into_iter()
            .find_map(|name| value.get(name))
            .map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
    };
    match (text(["resourceType", "type"]), text(["resourceCount", "count"])) {
        (Some(kind), Some(count)) => format!("{count} × {kind}"),
        _ => value.to_string(),
    }
}

fn plain(value: Option<&Value>) -> Option<String> {
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The function in the arguments of a lightweight component, when there is nothing else in them.
fn function(args: Option<&Value>) -> Option<&str> {
    let texts: Vec<&str> = args?
        .as_array()?
        .iter()
        .map(Value::as_str)
        .collect::<Option<_>>()?;
    match texts.as_slice() {
        ["--executor_input", "{{$}}", "--function_to_execute", name] => Some(name),
        _ => None,
    }
}
