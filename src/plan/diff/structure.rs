//! A form with what the comparison asks of it again and again: who uses which component, what
//! values the compiler's names stand for, and fingerprints of what tasks do.

use super::form::Form;
use crate::ir::view::{Body, Component, Executor, Pipeline, Source, Task};
use crate::ir::wiring::{self, CHANNEL, Environment};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// The name under which the pipeline's own DAG is kept beside the components'.
pub(super) const ROOT: &str = "";

/// Deepest nesting that is looked into; compiled pipelines stay far below.
const DEPTH: usize = 64;

/// Most names that a frame is recognised by.
const NAMES: usize = 200;

pub(super) struct Structure<'a> {
    pub(super) form: &'a Form,
    pub(super) view: Pipeline<'a>,
    /// What the inputs of each DAG hold, by component.
    environments: BTreeMap<&'a str, Environment>,
    /// The first task that uses a component, by component: its path from the root.
    owners: BTreeMap<&'a str, String>,
    /// The component behind an executor's label.
    executors: BTreeMap<&'a str, &'a str>,
    empty: Environment,
}

impl<'a> Structure<'a> {
    pub(super) fn of(form: &'a Form) -> Self {
        let view = form.view();
        let environments = wiring::environments(&view);
        let mut owners = BTreeMap::new();
        let mut executors = BTreeMap::new();
        let mut waiting = vec![(ROOT, String::new(), 0)];
        while let Some((component, path, depth)) = waiting.pop() {
            let Some(component) = named(&view, component) else {
                continue;
            };
            for task in component.tasks() {
                let Some((name, inner)) = view.components.get_key_value(task.component) else {
                    continue;
                };
                if owners.contains_key(name) || depth > DEPTH {
                    continue;
                }
                let path = if path.is_empty() {
                    task.name.to_owned()
                } else {
                    format!("{path}/{}", task.name)
                };
                owners.insert(*name, path.clone());
                match inner.body {
                    Body::Executor(label) => {
                        executors.entry(label).or_insert(*name);
                    }
                    Body::Dag(_) => waiting.push((name, path, depth + 1)),
                    Body::Unknown => {}
                }
            }
        }
        Self {
            form,
            view,
            environments,
            owners,
            executors,
            empty: Environment::new(),
        }
    }

    /// A component by name, or the root.
    pub(super) fn component(&self, name: &str) -> Option<&Component<'a>> {
        named(&self.view, name)
    }

    /// A task of a component's DAG.
    pub(super) fn task(&self, component: &str, task: &str) -> Option<&Task<'a>> {
        match &self.component(component)?.body {
            Body::Dag(tasks) => tasks.get(task),
            _ => None,
        }
    }

    pub(super) fn environment(&self, component: &str) -> &Environment {
        self.environments.get(component).unwrap_or(&self.empty)
    }

    /// The path of a component's first user.
    pub(super) fn owner(&self, component: &str) -> Option<&str> {
        self.owners.get(component).map(String::as_str)
    }

    /// The component that starts an executor.
    pub(super) fn component_of_executor(&self, label: &str) -> Option<&'a str> {
        self.executors.get(label).copied()
    }

    /// The path of a task of a component's DAG.
    pub(super) fn path(&self, component: &str, task: &str) -> String {
        match self.owner(component) {
            Some(owner) => format!("{owner}/{task}"),
            None => task.to_owned(),
        }
    }

    /// Fingerprints of every task of a DAG: equal for tasks that do the same with the same inputs.
    pub(super) fn fingerprints(&self, component: &str, memo: &mut Memo<'a>) -> BTreeMap<&'a str, u64> {
        let Some(Component {
            body: Body::Dag(tasks),
            ..
        }) = self.component(component)
        else {
            return BTreeMap::new();
        };
        let environment = self.environment(component);
        tasks
            .iter()
            .map(|(name, task)| (*name, self.fingerprint(task, environment, memo, 0)))
            .collect()
    }

    fn fingerprint(&self, task: &Task<'a>, around: &Environment, memo: &mut Memo<'a>, depth: usize) -> u64 {
        let mut hash = Quick::default();
        self.component_fingerprint(task.component, memo, depth)
            .hash(&mut hash);
        (
            task.caching,
            task.runs_after_failure,
            task.parallelism,
            task.retries,
        )
            .hash(&mut hash);
        wiring::condition(task, around).hash(&mut hash);
        wiring::items(task, around).hash(&mut hash);
        for input in task
            .inputs
            .iter()
            .filter(|input| !input.name.starts_with(CHANNEL))
        {
            input.name.hash(&mut hash);
            match input.source {
                Source::Constant(value) => value.hash(&mut hash),
                _ => wiring::describe(input, around).hash(&mut hash),
            }
        }
        hash.finish()
    }

    fn component_fingerprint(&self, name: &'a str, memo: &mut Memo<'a>, depth: usize) -> u64 {
        if let Some(known) = memo.fingerprints.get(name) {
            return *known;
        }
        // A circle ends here, and so does what is nested too deeply.
        memo.fingerprints.insert(name, 0);
        let mut hash = Quick::default();
        if let Some(component) = self.component(name)
            && depth < DEPTH
        {
            match &component.body {
                Body::Executor(label) => {
                    self.form
                        .pipeline()
                        .pointer("/deploymentSpec/executors")
                        .and_then(|all| all.get(label))
                        .hash(&mut hash);
                    self.view.kubernetes.get(label).hash(&mut hash);
                    let raw = self
                        .form
                        .pipeline()
                        .get("components")
                        .and_then(|all| all.get(name));
                    raw.and_then(|raw| raw.get("inputDefinitions")).hash(&mut hash);
                    raw.and_then(|raw| raw.get("outputDefinitions")).hash(&mut hash);
                }
                Body::Dag(tasks) => {
                    let environment = self.environment(name);
                    for (task_name, task) in tasks {
                        task_name.hash(&mut hash);
                        self.fingerprint(task, environment, memo, depth + 1)
                            .hash(&mut hash);
                    }
                }
                Body::Unknown => {}
            }
        }
        let fingerprint = hash.finish();
        memo.fingerprints.insert(name, fingerprint);
        fingerprint
    }

    /// Names of the tasks inside a component, at any depth, without their numbers.
    pub(super) fn names_inside(&self, component: &str) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![component];
        while let Some(component) = waiting.pop() {
            for task in self
                .component(component)
                .into_iter()
                .flat_map(|component| component.tasks())
            {
                if names.len() >= NAMES {
                    return names;
                }
                if !is_made_up(task.name) {
                    names.insert(family(task.name));
                }
                if seen.insert(task.component) {
                    waiting.push(task.component);
                }
            }
        }
        names
    }

    /// The executor of a task as JSON.
    pub(super) fn executor(&self, task: &Task<'_>) -> Option<&Executor<'a>> {
        self.view.executor_of(task)
    }

    /// The executor's raw value.
    pub(super) fn raw_executor(&self, label: &str) -> Option<&'a Value> {
        self.form
            .pipeline()
            .pointer("/deploymentSpec/executors")?
            .get(label)
    }
}

/// A hash for fingerprints: fast, because it reads every component once, and the same in every run.
/// Two tasks taken for the same by chance or malice cost a clumsier difference, never a wrong one.
#[derive(Default)]
struct Quick(u64);

impl Quick {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.add(u64::from_le_bytes(eight));
        }
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.add(u64::from_le_bytes(last) ^ bytes.len() as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What was worked out already.
#[derive(Default)]
pub(super) struct Memo<'a> {
    fingerprints: BTreeMap<&'a str, u64>,
}

fn named<'v, 'a>(view: &'v Pipeline<'a>, name: &str) -> Option<&'v Component<'a>> {
    if name == ROOT {
        Some(&view.root)
    } else {
        view.components.get(name)
    }
}

/// A name without the number that the compiler adds to make it unique: `score-2` is a `score`.
pub(super) fn family(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, number))
            if !base.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            base
        }
        _ => name,
    }
}

/// Whether the compiler made the name up, so that it says nothing about the task.
pub(super) fn is_made_up(name: &str) -> bool {
    family(name) != name
        && matches!(
            family(name),
            "for-loop" | "condition" | "condition-branches" | "exit-handler"
        )
}
