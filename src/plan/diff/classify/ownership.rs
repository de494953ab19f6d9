//! Components and executors belong to the tasks that use them.

use super::Classifier;
use super::change::{change, task_or_component, verb};
use crate::plan::diff::edits::{Edit, Pointer};
use crate::plan::diff::{Aspect, Class, Subject, Verb};

/// Whom a component or executor that is only on one side belongs to.
pub(super) struct Owner {
    /// The path of its task.
    pub(super) task: Option<String>,
    /// Its own name.
    pub(super) name: String,
}

impl Classifier<'_, '_> {
    /// A component or executor that is on one side only, or is no object.
    pub(super) fn whole(&mut self, edit: &Edit<'_>, component: &str, name: &str) {
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
    pub(super) fn attach(&mut self, owner: Owner, verb: Verb, pointer: Pointer) {
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
}
