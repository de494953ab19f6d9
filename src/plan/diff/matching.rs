//! Which task of the old spec is which task of the new one.
//!
//! In each pair of DAGs, beginning with the roots:
//! 1. the same name and the same doing;
//! 2. the same doing under a name of the same family (`score-2` became `score-3`, `for-loop-1`
//!    became `for-loop-2`), because one was put in before it;
//! 3. the same name, unless the compiler made it up;
//! 4. the same doing under any name: renamed;
//! 5. nearly the same doing: renamed and edited;
//! 6. the same made-up name for the same kind of frame.
//!
//! What is left was added or removed.

use super::form::Form;
use super::structure::{Memo, ROOT, Structure, family, is_made_up};
use crate::ir::view::{Body, Executor, Task};
use crate::ir::wiring;
use std::collections::{BTreeMap, BTreeSet};

/// Old names and the new names they stand for.
#[derive(Debug, Default)]
pub(super) struct Matching {
    /// By old component (empty for the root): old task to new task.
    pub(super) tasks: BTreeMap<String, BTreeMap<String, String>>,
    /// Old component to new component.
    pub(super) components: BTreeMap<String, String>,
    /// Old executor label to new executor label.
    pub(super) executors: BTreeMap<String, String>,
}

/// Most pairs that are compared for likeness in one DAG.
const PAIRS: usize = 4_000;
/// From which likeness on two tasks are one task renamed and edited.
const ALIKE: f64 = 0.6;

/// A structure with the fingerprints of what its tasks do, which take as long to make as the structure itself.
pub(super) struct Recognisable<'a> {
    pub(super) structure: Structure<'a>,
    memo: Memo<'a>,
}

impl<'a> Recognisable<'a> {
    pub(super) fn of(form: &'a Form) -> Self {
        let structure = Structure::of(form);
        let mut memo = Memo::default();
        // Of the root's tasks, and so of all that they are made of.
        structure.fingerprints(ROOT, &mut memo);
        Self { structure, memo }
    }
}

impl Matching {
    pub(super) fn between(old: &mut Recognisable<'_>, new: &mut Recognisable<'_>) -> Self {
        let (old_memo, new_memo) = (&mut old.memo, &mut new.memo);
        let (old, new) = (&old.structure, &new.structure);
        let mut matching = Self::default();
        let mut taken = BTreeSet::new();
        let mut taken_executors = BTreeSet::new();
        let mut waiting = vec![(ROOT, ROOT)];
        while let Some((old_name, new_name)) = waiting.pop() {
            let pairs = Dag::of(old, old_name, old_memo).matched(&Dag::of(new, new_name, new_memo));
            for (old_task, new_task) in &pairs {
                let (Some(a), Some(b)) = (old.task(old_name, old_task), new.task(new_name, new_task)) else {
                    continue;
                };
                let known = matching.components.contains_key(a.component) || taken.contains(b.component);
                let (Some(old_component), Some(new_component)) =
                    (old.component(a.component), new.component(b.component))
                else {
                    continue;
                };
                if known || a.component.is_empty() || b.component.is_empty() {
                    continue;
                }
                matching
                    .components
                    .insert(a.component.to_owned(), b.component.to_owned());
                taken.insert(b.component);
                match (&old_component.body, &new_component.body) {
                    (Body::Dag(_), Body::Dag(_)) => waiting.push((a.component, b.component)),
                    (Body::Executor(old_label), Body::Executor(new_label))
                        if !matching.executors.contains_key(*old_label)
                            && taken_executors.insert(*new_label) =>
                    {
                        matching
                            .executors
                            .insert((*old_label).to_owned(), (*new_label).to_owned());
                    }
                    _ => {}
                }
            }
            let pairs = pairs
                .into_iter()
                .map(|(old, new)| (old.to_owned(), new.to_owned()))
                .collect();
            matching.tasks.insert(old_name.to_owned(), pairs);
        }
        matching
    }
}

/// The tasks of one DAG with what they are recognised by.
struct Dag<'s, 'a> {
    structure: &'s Structure<'a>,
    name: &'s str,
    fingerprints: BTreeMap<&'a str, u64>,
}

impl<'s, 'a> Dag<'s, 'a> {
    fn of(structure: &'s Structure<'a>, name: &'s str, memo: &mut Memo<'a>) -> Self {
        Self {
            structure,
            name,
            fingerprints: structure.fingerprints(name, memo),
        }
    }

    fn task(&self, name: &str) -> Option<&Task<'a>> {
        self.structure.task(self.name, name)
    }

    /// Old names to new names.
    fn matched<'n>(&self, new: &Dag<'_, 'n>) -> BTreeMap<&'a str, &'n str> {
        let mut pairs = Pairs {
            pairs: BTreeMap::new(),
            left: self.fingerprints.keys().copied().collect(),
            right: new.fingerprints.keys().copied().collect(),
        };
        for (name, fingerprint) in &self.fingerprints {
            if let Some((twin, other)) = new.fingerprints.get_key_value(*name)
                && other == fingerprint
            {
                pairs.add(name, twin);
            }
        }
        self.by_doing(new, &mut pairs, family);
        for name in pairs.left.clone() {
            if !is_made_up(name)
                && let Some(&twin) = pairs.right.get(name)
            {
                pairs.add(name, twin);
            }
        }
        self.by_doing(new, &mut pairs, |_| "");
        for (old_name, new_name) in self.alike(new, &pairs.left, &pairs.right) {
            pairs.add(old_name, new_name);
        }
        for name in pairs.left.clone() {
            if let Some(&twin) = pairs.right.get(name)
                && let (Some(a), Some(b)) = (self.task(name), new.task(twin))
                && shape(self.structure, a) == shape(new.structure, b)
            {
                pairs.add(name, twin);
            }
        }
        pairs.pairs
    }

    /// Pairs tasks with one fingerprint among those whose names `group` puts together.
    fn by_doing<'n>(&self, new: &Dag<'_, 'n>, pairs: &mut Pairs<'a, 'n>, group: impl Fn(&str) -> &str) {
        let mut twins: BTreeMap<(u64, &str), Vec<&'n str>> = BTreeMap::new();
        // From the back, because the first is popped first.
        for name in pairs.right.iter().rev() {
            twins
                .entry((new.fingerprints[name], group(name)))
                .or_default()
                .push(name);
        }
        let mut found = Vec::new();
        for name in &pairs.left {
            if let Some(twin) = twins
                .get_mut(&(self.fingerprints[name], group(name)))
                .and_then(Vec::pop)
            {
                found.push((*name, twin));
            }
        }
        for (name, twin) in found {
            pairs.add(name, twin);
        }
    }

    /// The most alike first, each task once.
    fn alike<'n>(
        &self,
        new: &Dag<'_, 'n>,
        left: &BTreeSet<&'a str>,
        right: &BTreeSet<&'n str>,
    ) -> Vec<(&'a str, &'n str)> {
        if left.is_empty() || right.is_empty() || left.len().saturating_mul(right.len()) > PAIRS {
            return Vec::new();
        }
        let old_features: Vec<_> = left
            .iter()
            .filter_map(|name| Some((*name, Features::of(self, self.task(name)?))))
            .collect();
        let new_features: Vec<_> = right
            .iter()
            .filter_map(|name| Some((*name, Features::of(new, new.task(name)?))))
            .collect();
        let mut scores = Vec::new();
        for (old_name, a) in &old_features {
            for (new_name, b) in &new_features {
                let score = a.likeness(b);
                if score >= ALIKE {
                    scores.push((score, *old_name, *new_name));
                }
            }
        }
        scores.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        let (mut old_taken, mut new_taken) = (BTreeSet::new(), BTreeSet::new());
        scores
            .into_iter()
            .filter(|(_, old, new)| {
                let free = !old_taken.contains(old) && !new_taken.contains(new);
                if free {
                    old_taken.insert(*old);
                    new_taken.insert(*new);
                }
                free
            })
            .map(|(_, old, new)| (old, new))
            .collect()
    }
}

/// Pairs found so far, and what is left on both sides.
struct Pairs<'a, 'n> {
    pairs: BTreeMap<&'a str, &'n str>,
    left: BTreeSet<&'a str>,
    right: BTreeSet<&'n str>,
}

impl<'a, 'n> Pairs<'a, 'n> {
    fn add(&mut self, old: &'a str, new: &'n str) {
        self.left.remove(old);
        self.right.remove(new);
        self.pairs.insert(old, new);
    }
}

/// What a task is at all; only tasks of one shape can be the same.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Loop,
    Condition,
    Frame,
    Container,
    Importer,
    Other,
}

fn shape(structure: &Structure<'_>, task: &Task<'_>) -> Shape {
    match structure
        .component(task.component)
        .map(|component| &component.body)
    {
        Some(Body::Dag(_)) if task.iterator.is_some() => Shape::Loop,
        Some(Body::Dag(_)) if task.condition.is_some() => Shape::Condition,
        Some(Body::Dag(_)) => Shape::Frame,
        _ => match structure.executor(task) {
            Some(Executor::Container(_)) => Shape::Container,
            Some(Executor::Importer(_)) => Shape::Importer,
            _ => Shape::Other,
        },
    }
}

/// What a task is recognised by when neither name nor doing is the same.
struct Features<'a> {
    shape: Shape,
    detail: Option<String>,
    inside: BTreeSet<&'a str>,
    interface: BTreeSet<String>,
    image: &'a str,
    lines: BTreeMap<&'a str, usize>,
}

/// Longest code that is compared line by line.
const CODE: usize = 256 * 1024;

impl<'a> Features<'a> {
    fn of(dag: &Dag<'_, 'a>, task: &Task<'a>) -> Self {
        let structure = dag.structure;
        let around = structure.environment(dag.name);
        let component = structure.component(task.component);
        let mut interface = BTreeSet::new();
        if let Some(component) = component {
            interface.extend(
                component
                    .parameters
                    .iter()
                    .map(|one| format!("in {} {}", one.name, one.kind)),
            );
            interface.extend(
                component
                    .artifacts
                    .iter()
                    .map(|one| format!("in {} {}", one.name, one.kind)),
            );
            interface.extend(
                component
                    .output_parameters
                    .iter()
                    .map(|one| format!("out {} {}", one.name, one.kind)),
            );
            interface.extend(
                component
                    .output_artifacts
                    .iter()
                    .map(|one| format!("out {} {}", one.name, one.kind)),
            );
        }
        let (mut image, mut lines) = ("", BTreeMap::new());
        if let Some(Executor::Container(container)) = structure.executor(task) {
            image = container.image;
            let texts: Vec<&'a str> = match &container.python {
                Some(python) => vec![python.source],
                None => [container.command, container.args]
                    .into_iter()
                    .flatten()
                    .filter_map(serde_json::Value::as_array)
                    .flatten()
                    .filter_map(serde_json::Value::as_str)
                    .collect(),
            };
            if texts.iter().map(|text| text.len()).sum::<usize>() <= CODE {
                for line in texts.iter().flat_map(|text| text.lines()).map(str::trim) {
                    if !line.is_empty()
                        && !line.starts_with("import kfp")
                        && !line.starts_with("from kfp")
                        && line != "from typing import *"
                    {
                        *lines.entry(line).or_default() += 1;
                    }
                }
            }
        }
        Self {
            shape: shape(structure, task),
            detail: wiring::items(task, around).or_else(|| wiring::condition(task, around)),
            inside: if component.is_some_and(|component| matches!(component.body, Body::Dag(_))) {
                structure.names_inside(task.component)
            } else {
                BTreeSet::new()
            },
            interface,
            image,
            lines,
        }
    }

    /// From 0 for nothing in common to 1 for the same.
    fn likeness(&self, other: &Features<'_>) -> f64 {
        if self.shape != other.shape {
            return 0.0;
        }
        match self.shape {
            Shape::Loop | Shape::Condition | Shape::Frame => {
                0.6 * shared(&self.inside, &other.inside)
                    + if self.detail == other.detail { 0.4 } else { 0.0 }
            }
            _ => {
                let image = if self.image == other.image { 0.15 } else { 0.0 };
                0.5 * self.shared_lines(other) + image + 0.35 * shared(&self.interface, &other.interface)
            }
        }
    }

    fn shared_lines(&self, other: &Features<'_>) -> f64 {
        let common: usize = self
            .lines
            .iter()
            .map(|(line, count)| (*count).min(other.lines.get(line).copied().unwrap_or_default()))
            .sum();
        let all = self.lines.values().sum::<usize>() + other.lines.values().sum::<usize>();
        ratio(common * 2, all)
    }
}

/// Members in common by members in all; two empty sets share everything.
fn shared<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    ratio(a.intersection(b).count(), a.union(b).count())
}

#[allow(clippy::cast_precision_loss)]
fn ratio(part: usize, all: usize) -> f64 {
    if all == 0 { 1.0 } else { part as f64 / all as f64 }
}
