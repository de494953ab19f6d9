//! The old form with the new names, so that what was only renamed does not differ.

use super::form::Form;
use super::matching::Matching;
use super::structure::ROOT;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Old names to new names in one place; names that are left over but taken by another get a mark.
struct Names<'m> {
    map: Cow<'m, BTreeMap<String, String>>,
}

impl<'m> Names<'m> {
    /// `existing` are all old names of the place.
    fn of<'k>(
        pairs: Option<&'m BTreeMap<String, String>>,
        existing: impl Iterator<Item = &'k String>,
    ) -> Self {
        let mut map = pairs.map_or_else(|| Cow::Owned(BTreeMap::new()), Cow::Borrowed);
        if map.iter().any(|(old, new)| old != new) {
            let targets: std::collections::BTreeSet<String> = map.values().cloned().collect();
            let left_over: Vec<String> = existing
                .filter(|name| !map.contains_key(*name) && targets.contains(*name))
                .cloned()
                .collect();
            for name in left_over {
                let mut free = format!("{name}{LEFT_OVER}");
                while targets.contains(&free) || map.contains_key(&free) {
                    free.push_str(LEFT_OVER);
                }
                map.to_mut().insert(name, free);
            }
        }
        Self { map }
    }

    fn new_name<'n>(&'n self, old: &'n str) -> &'n str {
        self.map.get(old).map_or(old, String::as_str)
    }

    fn changes_nothing(&self) -> bool {
        self.map.iter().all(|(old, new)| old == new)
    }
}

/// Marks an old name that another one has taken over.
pub(super) const LEFT_OVER: &str = " (before)";

/// The old form under the new names.
pub(super) fn aligned<'f>(old: &'f Form, matching: &Matching) -> Cow<'f, Form> {
    let pipeline = old.pipeline();
    let keys = |pointer: &str| {
        pipeline
            .pointer(pointer)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::keys)
    };
    let components = Names::of(Some(&matching.components), keys("/components"));
    let executors = Names::of(Some(&matching.executors), keys("/deploymentSpec/executors"));
    let tasks_change = matching
        .tasks
        .values()
        .any(|pairs| pairs.iter().any(|(old, new)| old != new));
    if components.changes_nothing() && executors.changes_nothing() && !tasks_change {
        return Cow::Borrowed(old);
    }
    let mut root = old.root.clone();
    let mut producers = BTreeMap::new();
    if let Some(pipeline) = root.get_mut("pipeline") {
        if let Some(component) = pipeline.get_mut("root") {
            rename_component(component, ROOT, matching, &components, &executors, &mut producers);
        }
        if let Some(all) = pipeline.get_mut("components").and_then(Value::as_object_mut) {
            for (name, component) in all.iter_mut() {
                rename_component(component, name, matching, &components, &executors, &mut producers);
            }
            rename_keys(all, &components);
        }
        if let Some(all) = pipeline
            .pointer_mut("/deploymentSpec/executors")
            .and_then(Value::as_object_mut)
        {
            rename_keys(all, &executors);
        }
    }
    if let Some(all) = root
        .pointer_mut("/platform/platforms/kubernetes/deploymentSpec/executors")
        .and_then(Value::as_object_mut)
    {
        for (label, settings) in all.iter_mut() {
            if let Some(names) = producers.get(label.as_str()) {
                rename_producers(settings, names);
            }
        }
        rename_keys(all, &executors);
    }
    Cow::Owned(Form {
        root,
        digest: old.digest,
    })
}

/// By old executor label: the names of the DAG in which its task stands.
type Producers<'m> = BTreeMap<String, BTreeMap<String, String>>;

fn rename_component(
    component: &mut Value,
    name: &str,
    matching: &Matching,
    components: &Names<'_>,
    executors: &Names<'_>,
    producers: &mut Producers<'_>,
) {
    if let Some(Value::String(label)) = component.get_mut("executorLabel") {
        *label = executors.new_name(label).to_owned();
    }
    let Some(dag) = component.get_mut("dag") else {
        return;
    };
    let existing: Vec<String> = dag
        .get("tasks")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .cloned()
        .collect();
    let tasks = Names::of(matching.tasks.get(name), existing.iter());
    if let Some(outputs) = dag.get_mut("outputs") {
        rename_producers(outputs, &tasks.map);
    }
    let Some(all) = dag.get_mut("tasks").and_then(Value::as_object_mut) else {
        return;
    };
    for (task_name, task) in all.iter_mut() {
        if let Some(Value::String(component)) = task.pointer_mut("/componentRef/name") {
            if !tasks.changes_nothing() {
                // `comp-x` runs `exec-x`, which is all that platform settings know of their task.
                producers.insert(
                    component.replacen("comp-", "exec-", 1),
                    tasks.map.clone().into_owned(),
                );
            }
            *component = components.new_name(component).to_owned();
        }
        if let Some(Value::String(label)) = task.pointer_mut("/taskInfo/name")
            && *label == *task_name
        {
            *label = tasks.new_name(label).to_owned();
        }
        if let Some(inputs) = task.get_mut("inputs") {
            rename_producers(inputs, &tasks.map);
        }
        if let Some(list) = task.get_mut("dependentTasks").and_then(Value::as_array_mut) {
            let sorted = list.is_sorted_by(|a, b| a.as_str() <= b.as_str());
            for name in list.iter_mut() {
                if let Value::String(name) = name {
                    *name = tasks.new_name(name).to_owned();
                }
            }
            if sorted {
                list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
        }
    }
    rename_keys(all, &tasks);
}

fn rename_keys(members: &mut Map<String, Value>, names: &Names<'_>) {
    if names.changes_nothing() {
        return;
    }
    *members = std::mem::take(members)
        .into_iter()
        .map(|(name, value)| (names.new_name(&name).to_owned(), value))
        .collect();
}

/// Renames `producerTask` and `producerSubtask` wherever they stand in `value`.
fn rename_producers(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                match member {
                    Value::String(name) if key == "producerTask" || key == "producerSubtask" => {
                        if let Some(new) = names.get(name.as_str()) {
                            new.clone_into(name);
                        }
                    }
                    // A constant is the author's.
                    _ if key == "runtimeValue" => {}
                    other => rename_producers(other, names),
                }
            }
        }
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|element| rename_producers(element, names)),
        _ => {}
    }
}
