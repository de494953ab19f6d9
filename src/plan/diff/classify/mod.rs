//! Every edit into a change: what it is about, what happened, and what it means for users.

mod change;
mod executor;
mod interface;
mod lightweight;
mod ownership;
mod platform;
mod renaming;
mod task;

use super::edits::{Edit, Pointer, edits};
use super::matching::Matching;
use super::structure::{ROOT, Structure};
use super::{Aspect, Change, Class, Subject, Verb, text};
use change::{change, task_or_component, text_of, verb, with_values};
use ownership::Owner;
use renaming::replumbed;
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

/// What has been understood so far.
struct Classifier<'s, 'a> {
    old: &'s Structure<'a>,
    new: &'s Structure<'a>,
    changes: Vec<Change>,
    index: BTreeMap<(Subject, Aspect, Option<String>), usize>,
    replumbed: Vec<(String, String)>,
    /// Whole components and executors, which belong to the task that uses them.
    later: Vec<(Owner, Verb, Pointer)>,
}

impl<'a> Classifier<'_, 'a> {
    /// Adds a change, or the paths to one about the same thing.
    fn push(&mut self, mut change: Change, edit: &Edit<'_>) {
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

    fn wiring(&mut self, edit: &Edit<'_>) {
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

    fn other_of_task(&mut self, path: Option<String>, name: &str, edit: &Edit<'_>) {
        self.other(task_or_component(path, name), edit);
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

    fn owner(&self, component: &str) -> Option<String> {
        self.new
            .owner(component)
            .or_else(|| self.old.owner(component))
            .map(str::to_owned)
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
