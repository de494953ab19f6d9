//! Every edit into a change: what it is about, what happened, and what it means for users.

use super::edits::{Edit, Pointer, edits};
use super::matching::Matching;
use super::structure::{ROOT, Structure, is_made_up};
use super::{Aspect, Change, Class, Subject, Verb, text};
use crate::ir::graph::NodeKind;
use crate::ir::view::{Artifact, Body, Parameter, Source, Task};
use crate::ir::wiring::{self, CHANNEL};
use serde_json::Value;
use std::collections::BTreeMap;

/// All changes between an aligned old form and a new one.
pub(super) fn changes(old: &Structure<'_>, new: &Structure<'_>, matching: &Matching) -> Vec<Change> {
    let mut classifier = Classifier {
        old,
        new,
        changes: Vec::new(),
        index: BTreeMap::new(),
        replumbed: replumbed(matching),
        later: Vec::new(),
    };
    classifier.renamed(matching);
    for edit in edits(&old.form.root, &new.form.root) {
        classifier.edit(&edit);
    }
    for (owner, verb, pointer) in std::mem::take(&mut classifier.later) {
        classifier.attach(owner, verb, pointer);
    }
    classifier.settle();
    classifier.changes
}

/// Beginnings of made-up names before and after, the longest first.
fn replumbed(matching: &Matching) -> Vec<(String, String)> {
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

pub(super) struct Classifier<'s, 'a> {
    pub(super) old: &'s Structure<'a>,
    pub(super) new: &'s Structure<'a>,
    pub(super) changes: Vec<Change>,
    index: BTreeMap<(Subject, Aspect, Option<String>), usize>,
    replumbed: Vec<(String, String)>,
    /// Whole components and executors, which belong to the task that uses them.
    later: Vec<(Owner, Verb, Pointer)>,
}

/// Whom a component or executor that is only on one side belongs to.
pub(super) struct Owner {
    /// The path of its task.
    pub(super) task: Option<String>,
    /// Its own name.
    pub(super) name: String,
}

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

impl<'a> Classifier<'_, 'a> {
    /// Adds a change, or the paths to one about the same thing.
    pub(super) fn push(&mut self, mut change: Change, edit: &Edit<'_>) {
        change.paths.push(edit.pointer());
        self.add(change);
    }

    fn add(&mut self, change: Change) {
        let key = (change.subject.clone(), change.aspect, change.name.clone());
        match self.index.get(&key) {
            Some(&at) => {
                let known = &mut self.changes[at];
                known.class = known.class.min(change.class);
                known.before = known.before.take().or(change.before);
                known.after = known.after.take().or(change.after);
                known.patch = known.patch.take().or(change.patch);
                for path in change.paths {
                    if !known.paths.contains(&path) {
                        known.paths.push(path);
                        known.count += usize::from(matches!(known.aspect, Aspect::Wiring | Aspect::Sdk));
                    }
                }
            }
            None => {
                self.index.insert(key, self.changes.len());
                self.changes.push(change);
            }
        }
    }

    pub(super) fn wiring(&mut self, edit: &Edit<'_>) {
        self.push(
            change(Class::Cosmetic, Subject::Pipeline, Aspect::Wiring, Verb::Changed),
            edit,
        );
    }

    fn other(&mut self, subject: Subject, edit: &Edit<'_>) {
        let mut change = change(
            Class::Behaviour,
            subject,
            Aspect::Other,
            verb(edit.before.is_some(), edit.after.is_some()),
        );
        change.name = Some(text::short(&edit.path.join(".")));
        self.push(with_values(change, edit.before, edit.after), edit);
    }

    pub(super) fn other_of_task(&mut self, path: Option<String>, name: &str, edit: &Edit<'_>) {
        self.other(task_or_component(path, name), edit);
    }

    fn renamed(&mut self, matching: &Matching) {
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

    fn edit(&mut self, edit: &Edit<'a>) {
        let path = edit.path.clone();
        match path.as_slice() {
            ["pipeline", "pipelineInfo", "name"] => self.info(Class::Behaviour, Aspect::Name, edit),
            ["pipeline", "pipelineInfo", "displayName"] => {
                self.info(Class::Cosmetic, Aspect::DisplayName, edit)
            }
            ["pipeline", "pipelineInfo", "description"] => {
                self.info(Class::Cosmetic, Aspect::Description, edit)
            }
            ["pipeline", "sdkVersion"] => self.info(Class::Cosmetic, Aspect::Sdk, edit),
            ["pipeline", "schemaVersion"] => self.info(Class::Environment, Aspect::SchemaVersion, edit),
            ["pipeline", "defaultPipelineRoot"] => self.info(Class::Environment, Aspect::PipelineRoot, edit),
            ["pipeline", "root", rest @ ..] => self.component(ROOT, rest, edit),
            ["pipeline", "components", name] => self.whole(edit, name, name),
            ["pipeline", "components", name, rest @ ..] => self.component(name, rest, edit),
            ["pipeline", "deploymentSpec", "executors", label] => {
                let structure = if edit.before.is_some() { self.old } else { self.new };
                let component = structure.component_of_executor(label).unwrap_or_default();
                self.whole(edit, component, label);
            }
            ["pipeline", "deploymentSpec", "executors", label, rest @ ..] => self.executor(label, rest, edit),
            ["platform", rest @ ..] => self.platform(rest, edit),
            _ => self.other(Subject::Pipeline, edit),
        }
    }

    /// A text of the pipeline as a whole.
    fn info(&mut self, class: Class, aspect: Aspect, edit: &Edit<'_>) {
        let (Some(before), Some(after)) = (text_of(edit.before), text_of(edit.after)) else {
            return self.other(Subject::Pipeline, edit);
        };
        let mut change = change(
            class,
            Subject::Pipeline,
            aspect,
            verb(!before.is_empty(), !after.is_empty()),
        );
        if aspect == Aspect::Description && (before.contains('\n') || after.contains('\n')) {
            change.patch = Some(text::patch(before, after));
        }
        let (before, after) = text::pair(before, after);
        change.before = Some(before).filter(|text| !text.is_empty());
        change.after = Some(after).filter(|text| !text.is_empty());
        self.push(change, edit);
    }

    /// A component or executor that is on one side only, or is no object.
    fn whole(&mut self, edit: &Edit<'_>, component: &str, name: &str) {
        let one_side = edit.before.is_none() || edit.after.is_none();
        let structure = if edit.after.is_some() { self.new } else { self.old };
        let task = structure.owner(component).map(str::to_owned);
        if one_side {
            let owner = Owner {
                task,
                name: name.to_owned(),
            };
            self.later.push((
                owner,
                verb(edit.before.is_some(), edit.after.is_some()),
                edit.pointer(),
            ));
        } else {
            self.other_of_task(task, name, edit);
        }
    }

    /// Gives a whole component or executor to the change of the task that uses it.
    fn attach(&mut self, owner: Owner, verb: Verb, pointer: Pointer) {
        if let Some(task) = &owner.task {
            let mut path = task.as_str();
            loop {
                for aspect in [Aspect::Itself, Aspect::Component] {
                    let key = (Subject::Task(path.to_owned()), aspect, None);
                    if let Some(&at) = self.index.get(&key)
                        && (aspect == Aspect::Component || self.changes[at].verb != Verb::Renamed)
                    {
                        self.changes[at].paths.push(pointer);
                        return;
                    }
                }
                match path.rsplit_once('/') {
                    Some((outer, _)) => path = outer,
                    None => break,
                }
            }
        }
        let class = if owner.task.is_some() {
            Class::Behaviour
        } else {
            Class::Cosmetic
        };
        let mut change = change(
            class,
            task_or_component(owner.task, &owner.name),
            Aspect::Component,
            verb,
        );
        change.name = Some(owner.name);
        change.paths.push(pointer);
        self.add(change);
    }

    fn component(&mut self, component: &'a str, rest: &[&'a str], edit: &Edit<'a>) {
        match rest {
            ["inputDefinitions", group, name, rest @ ..] if component == ROOT => {
                self.pipeline_input(group, name, rest, edit)
            }
            ["outputDefinitions", group, name, rest @ ..] if component == ROOT => {
                self.pipeline_output(group, name, rest, edit)
            }
            ["inputDefinitions" | "outputDefinitions", _, name, rest @ ..] => {
                self.declaration(component, name, rest, edit)
            }
            ["dag", "tasks", task] => self.whole_task(component, task, edit),
            ["dag", "tasks", task, rest @ ..] => self.task(component, task, rest, edit),
            ["dag", "outputs", _, name, ..] => self.output_source(component, name, edit),
            _ => self.other_of_task(self.owner(component), component, edit),
        }
    }

    pub(super) fn owner(&self, component: &str) -> Option<String> {
        self.new
            .owner(component)
            .or_else(|| self.old.owner(component))
            .map(str::to_owned)
    }

    fn pipeline_input(&mut self, group: &str, name: &str, rest: &[&str], edit: &Edit<'_>) {
        let describe = |structure: &Structure<'_>| match group {
            "parameters" => structure
                .view
                .root
                .parameters
                .iter()
                .find(|one| one.name == name)
                .map(parameter_text),
            _ => structure
                .view
                .root
                .artifacts
                .iter()
                .find(|one| one.name == name)
                .map(artifact_text),
        };
        let is_optional = |structure: &Structure<'_>| {
            let parameter = structure
                .view
                .root
                .parameters
                .iter()
                .find(|one| group == "parameters" && one.name == name);
            let artifact = structure
                .view
                .root
                .artifacts
                .iter()
                .find(|one| group == "artifacts" && one.name == name);
            parameter.is_some_and(|one| one.optional || one.default.is_some())
                || artifact.is_some_and(|one| one.optional)
        };
        let (was_optional, optional) = (is_optional(self.old), is_optional(self.new));
        let verb = verb(edit.before.is_some(), edit.after.is_some());
        let (class, aspect) = match (rest.first().copied(), verb) {
            (None, Verb::Added) if optional => (Class::Behaviour, Aspect::Itself),
            (None, _) => (Class::Interface, Aspect::Itself),
            (Some("parameterType" | "type" | "artifactType" | "isArtifactList"), _) => {
                (Class::Interface, Aspect::Type)
            }
            (Some("isOptional" | "defaultValue"), _) if was_optional && !optional => {
                (Class::Interface, Aspect::Required)
            }
            (Some("isOptional" | "defaultValue"), _) if was_optional != optional => {
                (Class::Behaviour, Aspect::Required)
            }
            (Some("isOptional" | "defaultValue"), _) => (Class::Behaviour, Aspect::Default),
            (Some("literals"), _) => {
                let list =
                    |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
                let (old, new) = (list(edit.before), list(edit.after));
                let narrower =
                    (old.is_empty() || old.iter().any(|value| !new.contains(value))) && !new.is_empty();
                (
                    if narrower {
                        Class::Interface
                    } else {
                        Class::Behaviour
                    },
                    Aspect::AllowedValues,
                )
            }
            (Some("description"), _) => (Class::Cosmetic, Aspect::Description),
            (Some(_), _) => return self.other(Subject::Input(name.to_owned()), edit),
        };
        let mut change = change(class, Subject::Input(name.to_owned()), aspect, verb);
        match aspect {
            Aspect::Itself | Aspect::Type | Aspect::Required => {
                if rest.is_empty() {
                    change.before = edit.before.and(describe(self.old));
                    change.after = edit.after.and(describe(self.new));
                } else {
                    change.verb = Verb::Changed;
                    change.before = describe(self.old);
                    change.after = describe(self.new);
                }
                self.push(change, edit);
            }
            Aspect::Description => {
                let (before, after) = (
                    text_of(edit.before).unwrap_or_default(),
                    text_of(edit.after).unwrap_or_default(),
                );
                let (before, after) = text::pair(before, after);
                change.before = Some(before).filter(|text| !text.is_empty());
                change.after = Some(after).filter(|text| !text.is_empty());
                self.push(change, edit);
            }
            _ => self.push(with_values(change, edit.before, edit.after), edit),
        }
    }

    fn pipeline_output(&mut self, group: &str, name: &str, rest: &[&str], edit: &Edit<'_>) {
        let describe = |structure: &Structure<'_>| match group {
            "parameters" => structure
                .view
                .root
                .output_parameters
                .iter()
                .find(|one| one.name == name)
                .map(parameter_text),
            _ => structure
                .view
                .root
                .output_artifacts
                .iter()
                .find(|one| one.name == name)
                .map(artifact_text),
        };
        let verb = verb(edit.before.is_some(), edit.after.is_some());
        let (class, aspect) = match (rest.first().copied(), verb) {
            (None, Verb::Added) => (Class::Behaviour, Aspect::Itself),
            (None, _) => (Class::Interface, Aspect::Itself),
            (Some("description"), _) => (Class::Cosmetic, Aspect::Description),
            (Some("properties" | "customProperties" | "metadata"), _) => (Class::Behaviour, Aspect::Other),
            (Some(_), _) => (Class::Interface, Aspect::Type),
        };
        let mut change = change(
            class,
            Subject::Output(name.to_owned()),
            aspect,
            if rest.is_empty() { verb } else { Verb::Changed },
        );
        if matches!(aspect, Aspect::Itself | Aspect::Type) {
            change.before = describe(self.old);
            change.after = describe(self.new);
        } else {
            change = with_values(change, edit.before, edit.after);
        }
        self.push(change, edit);
    }

    /// What a component inside declares.
    fn declaration(&mut self, component: &str, name: &str, rest: &[&str], edit: &Edit<'_>) {
        if name.starts_with(CHANNEL) {
            return self.wiring(edit);
        }
        let subject = task_or_component(self.owner(component), component);
        let description = rest == ["description"];
        let (class, aspect) = if description {
            (Class::Cosmetic, Aspect::Description)
        } else {
            (Class::Behaviour, Aspect::Declaration)
        };
        let mut change = change(
            class,
            subject,
            aspect,
            verb(edit.before.is_some(), edit.after.is_some()),
        );
        if !rest.is_empty() {
            change.verb = Verb::Changed;
        }
        change.name = Some(name.to_owned());
        if description {
            change = with_values(change, edit.before, edit.after);
        } else {
            let describe = |structure: &Structure<'_>| {
                let component = structure.component(component)?;
                let parameters = component.parameters.iter().chain(&component.output_parameters);
                let artifacts = component.artifacts.iter().chain(&component.output_artifacts);
                parameters
                    .filter(|one| one.name == name)
                    .map(parameter_text)
                    .chain(artifacts.filter(|one| one.name == name).map(artifact_text))
                    .next()
            };
            change.before = describe(self.old);
            change.after = describe(self.new);
        }
        self.push(change, edit);
    }

    fn output_source(&mut self, component: &str, name: &str, edit: &Edit<'_>) {
        let same = match (edit.before, edit.after) {
            (Some(before), Some(after)) => self.replumb_equals(before, after),
            _ => true,
        };
        if component != ROOT && name.starts_with(CHANNEL) && same {
            return self.wiring(edit);
        }
        let subject = if component == ROOT {
            Subject::Output(name.to_owned())
        } else {
            task_or_component(self.owner(component), component)
        };
        let mut change = change(
            Class::Behaviour,
            subject,
            Aspect::OutputSource,
            verb(edit.before.is_some(), edit.after.is_some()),
        );
        change.name = Some(wiring::plain(name).to_owned());
        self.push(with_values(change, edit.before, edit.after), edit);
    }

    /// Whether nothing but the made-up names of renamed tasks differs.
    fn is_replumbed(&self, edit: &Edit<'_>) -> bool {
        match (edit.before, edit.after) {
            (Some(before), Some(after)) if !self.replumbed.is_empty() => self.replumb_equals(before, after),
            _ => false,
        }
    }

    /// Whether a value becomes the other once names are replumbed. Compared as text: a JSON value that is
    /// compared with a string is only its content.
    fn replumb_equals(&self, before: &Value, after: &Value) -> bool {
        let after = after.to_string();
        self.replumb(&before.to_string()) == after
    }

    /// A text with the made-up names that the renamed tasks have now.
    fn replumb(&self, text: &str) -> String {
        self.replumbed
            .iter()
            .fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
    }

    fn whole_task(&mut self, component: &str, name: &str, edit: &Edit<'_>) {
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

    fn task(&mut self, component: &'a str, name: &'a str, rest: &[&'a str], edit: &Edit<'a>) {
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
                    Some(crate::ir::view::Iterator::Raw(raw)) => Some(raw),
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

    /// Last words: wiring alone means that something was not understood.
    fn settle(&mut self) {
        if let [only] = self.changes.as_mut_slice()
            && only.aspect == Aspect::Wiring
            && self.replumbed.is_empty()
        {
            only.class = Class::Behaviour;
        }
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

/// Whether an edit is about nothing but made-up names.
fn mentions_channel(edit: &Edit<'_>) -> bool {
    [edit.before, edit.after]
        .into_iter()
        .flatten()
        .any(|value| value.to_string().contains(CHANNEL))
}

pub(super) fn task_or_component(task: Option<String>, name: &str) -> Subject {
    match task {
        Some(path) => Subject::Task(path),
        None => Subject::Component(name.to_owned()),
    }
}

fn text_of(value: Option<&Value>) -> Option<&str> {
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

fn parameter_text(parameter: &Parameter<'_>) -> String {
    let mut out = if parameter.kind.is_empty() {
        "untyped".to_owned()
    } else {
        parameter.kind.to_owned()
    };
    match (parameter.default, parameter.optional) {
        (Some(default), _) => {
            out.push_str(", default ");
            out.push_str(&text::value(default));
        }
        (None, true) => out.push_str(", optional"),
        (None, false) => out.push_str(", required"),
    }
    out
}

fn artifact_text(artifact: &Artifact<'_>) -> String {
    let mut out = if artifact.list {
        format!("list of {}", artifact.kind)
    } else {
        artifact.kind.to_owned()
    };
    if artifact.optional {
        out.push_str(", optional");
    }
    out
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
