//! Tasks: there or not, their inputs, what they wait for, and how they run.

use super::Classifier;
use super::change::{change, verb, with_texts, with_values};
use super::renaming::mentions_channel;
use crate::ir::graph::NodeKind;
use crate::ir::view::{Body, Iterator, Source, Task};
use crate::ir::wiring::{self, CHANNEL};
use crate::plan::diff::edits::Edit;
use crate::plan::diff::structure::Structure;
use crate::plan::diff::{Aspect, Class, Subject, Verb, text};

impl<'a> Classifier<'_, 'a> {
    pub(super) fn whole_task(&mut self, component: &str, name: &str, edit: &Edit<'_>) {
        let path = |structure: &Structure<'_>| structure.path(component, name);
        match (edit.before, edit.after) {
            (None, Some(_)) => {
                let path = path(self.new);
                let mut change = change(Class::Behaviour, Subject::Task(path), Aspect::Itself, Verb::Added);
                change.after = self
                    .new
                    .task(component, name)
                    .map(|task| summary(self.new, component, task));
                self.push(change, edit);
            }
            (Some(_), None) => {
                let path = path(self.old);
                let task = self.old.task(component, name);
                // Its component is still there, used by another task: it moved.
                let moved = task
                    .and_then(|task| self.new.owner(task.component))
                    .filter(|new| {
                        *new != path && task.is_some_and(|task| self.old.owner(task.component) == Some(&path))
                    })
                    .map(str::to_owned);
                let verb = if moved.is_some() {
                    Verb::Moved
                } else {
                    Verb::Removed
                };
                let mut change = change(
                    Class::Behaviour,
                    Subject::Task(path.clone()),
                    Aspect::Itself,
                    verb,
                );
                change.before = match &moved {
                    Some(_) => Some(path),
                    None => task.map(|task| summary(self.old, component, task)),
                };
                change.after = moved;
                self.push(change, edit);
            }
            _ => self.other(Subject::Task(path(self.new)), edit),
        }
    }

    pub(super) fn task(&mut self, component: &'a str, name: &'a str, rest: &[&'a str], edit: &Edit<'a>) {
        let subject = Subject::Task(self.new.path(component, name));
        let (Some(old), Some(new)) = (self.old.task(component, name), self.new.task(component, name)) else {
            return self.other(subject, edit);
        };
        let (old_around, new_around) = (self.old.environment(component), self.new.environment(component));
        let (aspect, before, after) = match rest {
            ["taskInfo", ..] => {
                let mut change = change(Class::Cosmetic, subject, Aspect::DisplayName, Verb::Changed);
                change.before = Some(text::short(old.label));
                change.after = Some(text::short(new.label));
                return self.push(change, edit);
            }
            ["inputs", _, input, ..] if input.starts_with(CHANNEL) => return self.wiring(edit),
            ["inputs", ..] if self.is_replumbed(edit) => return self.wiring(edit),
            ["inputs", _, _, field, ..] if !SOURCES.contains(field) => return self.other(subject, edit),
            ["inputs", group, input, ..] => {
                let artifact = *group == "artifacts";
                let find = |task: &Task<'a>| {
                    task.inputs
                        .iter()
                        .find(|one| one.name == *input && one.artifact == artifact)
                        .copied()
                };
                let (before, after) = (find(old), find(new));
                let before_text = before.map(|input| wiring::whole_source(&input, old_around));
                let after_text = after.map(|input| wiring::whole_source(&input, new_around));
                let shape = |source: Option<Source<'_>>| {
                    matches!(source, Some(Source::Constant(_) | Source::Unknown(_)))
                };
                let written = shape(before.map(|one| one.source)) || shape(after.map(|one| one.source));
                if before_text == after_text
                    && !(written && self.replumbed.is_empty() && !mentions_channel(edit))
                {
                    return self.wiring(edit);
                }
                let mut change = change(
                    Class::Behaviour,
                    subject,
                    Aspect::Input,
                    verb(before.is_some(), after.is_some()),
                );
                change.name = Some((*input).to_owned());
                return self.push(with_texts(change, before_text, after_text), edit);
            }
            ["dependentTasks", ..] => return self.dependencies(subject, old, new, edit),
            ["cachingOptions", ..] => (Aspect::Caching, on_off(old.caching), on_off(new.caching)),
            ["componentRef", ..] => (
                Aspect::Component,
                old.component.to_owned(),
                new.component.to_owned(),
            ),
            ["triggerPolicy", "condition"] => {
                let before = wiring::whole_condition(old, old_around);
                let after = wiring::whole_condition(new, new_around);
                if before == after {
                    return self.wiring(edit);
                }
                let change = change(
                    Class::Behaviour,
                    subject,
                    Aspect::Condition,
                    verb(before.is_some(), after.is_some()),
                );
                return self.push(with_texts(change, before, after), edit);
            }
            ["triggerPolicy", "strategy"] => (Aspect::Trigger, trigger(old), trigger(new)),
            ["parameterIterator" | "artifactIterator"]
            | [
                "parameterIterator" | "artifactIterator",
                "items" | "itemInput",
                ..,
            ] => {
                let (before, after) = (wiring::items(old, old_around), wiring::items(new, new_around));
                let raw = |task: &Task<'a>| match task.iterator {
                    Some(Iterator::Raw(raw)) => Some(raw),
                    _ => None,
                };
                if before == after && raw(old) == raw(new) {
                    return self.wiring(edit);
                }
                let change = change(
                    Class::Behaviour,
                    subject,
                    Aspect::Items,
                    verb(before.is_some(), after.is_some()),
                );
                return self.push(
                    with_texts(
                        change,
                        raw(old).map(str::to_owned).or(before),
                        raw(new).map(str::to_owned).or(after),
                    ),
                    edit,
                );
            }
            ["iteratorPolicy", ..] => (
                Aspect::Parallelism,
                limit(old.parallelism),
                limit(new.parallelism),
            ),
            ["retryPolicy", ..] => {
                let change = change(
                    Class::Behaviour,
                    subject,
                    Aspect::Retries,
                    verb(edit.before.is_some(), edit.after.is_some()),
                );
                return self.push(with_values(change, edit.before, edit.after), edit);
            }
            _ => return self.other(subject, edit),
        };
        let change = change(Class::Behaviour, subject, aspect, Verb::Changed);
        let change = if before == after {
            with_values(change, edit.before, edit.after)
        } else {
            with_texts(change, Some(before), Some(after))
        };
        self.push(change, edit);
    }

    fn dependencies(&mut self, subject: Subject, old: &Task<'_>, new: &Task<'_>, edit: &Edit<'_>) {
        let produced_by = |task: &Task<'_>, name: &str| {
            task.inputs
                .iter()
                .any(|input| matches!(input.source, Source::Output { task, .. } if task == name))
        };
        let removed: Vec<&str> = old.dependencies.difference(&new.dependencies).copied().collect();
        let added: Vec<&str> = new.dependencies.difference(&old.dependencies).copied().collect();
        // What follows from an input that comes from elsewhere is told there.
        let told = removed.iter().all(|name| produced_by(old, name))
            && added.iter().all(|name| produced_by(new, name));
        if told {
            return self.wiring(edit);
        }
        let mut change = change(
            Class::Behaviour,
            subject,
            Aspect::Dependencies,
            verb(!removed.is_empty(), !added.is_empty()),
        );
        change.before = (!removed.is_empty()).then(|| text::short(&removed.join(", ")));
        change.after = (!added.is_empty()).then(|| text::short(&added.join(", ")));
        self.push(change, edit);
    }
}

/// What says where an input of a task comes from.
const SOURCES: [&str; 7] = [
    "componentInputParameter",
    "componentInputArtifact",
    "taskOutputParameter",
    "taskOutputArtifact",
    "runtimeValue",
    "taskFinalStatus",
    "parameterExpressionSelector",
];

fn on_off(flag: bool) -> String {
    if flag { "on" } else { "off" }.to_owned()
}

fn limit(count: u64) -> String {
    if count == 0 {
        "no limit".to_owned()
    } else {
        count.to_string()
    }
}

fn trigger(task: &Task<'_>) -> String {
    if task.runs_after_failure {
        "whatever happened before"
    } else {
        "only after success"
    }
    .to_owned()
}

/// Most names of tasks inside a frame that are listed.
const LISTED: usize = 8;

/// What a task is, in a few words: `python:3.11`, `loop over rows: a, b`.
fn summary(structure: &Structure<'_>, component: &str, task: &Task<'_>) -> String {
    let around = structure.environment(component);
    let Some(Body::Dag(tasks)) = structure
        .component(task.component)
        .map(|component| &component.body)
    else {
        return match structure.view.container_of(task) {
            Some(container) => text::short(container.image),
            None => "importer".to_owned(),
        };
    };
    let kind = if task.iterator.is_some() {
        NodeKind::Loop
    } else if task.condition.is_some() {
        NodeKind::Condition
    } else {
        NodeKind::Pipeline
    };
    let what = match kind {
        NodeKind::Loop => format!("loop over {}", wiring::items(task, around).unwrap_or_default()),
        NodeKind::Condition => format!("if {}", wiring::condition(task, around).unwrap_or_default()),
        _ => "group".to_owned(),
    };
    let names: Vec<&str> = tasks.keys().take(LISTED).copied().collect();
    let more = if tasks.len() > LISTED { ", …" } else { "" };
    format!("{}: {}{more}", text::short(&what), text::short(&names.join(", ")))
}
