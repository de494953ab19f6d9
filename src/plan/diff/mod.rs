//! What changes between two specs, at the level at which people think: tasks, parameters, images,
//! code, settings; not lines of YAML.
//!
//! How it works, and why nothing can go unreported:
//! 1. both specs are brought into canonical form ([`form`]);
//! 2. tasks of the one are matched to tasks of the other by name and by structure ([`matching`]),
//!    and the old spec is rewritten with the new names ([`align`]); each renaming is one change;
//! 3. what still differs is collected value by value ([`edits`]);
//! 4. every one of those edits goes into exactly one or more changes ([`classify`]); what no rule
//!    knows becomes a change of the aspect [`Aspect::Other`].
//!
//! So the union of all changes is the whole difference, and carrying out all of them makes the new
//! spec of the old one, which is what the property tests do.

mod align;
mod change;
mod classify;
mod drawn;
mod edits;
mod form;
mod matching;
#[cfg(test)]
mod scenarios;
mod structure;
#[cfg(test)]
mod tests;
mod text;
mod textual;

pub use change::{Aspect, Change, Class, Step, Subject, Verb};
pub use textual::diff_unreadable;

use crate::ids::Digest;
use crate::ir::Spec;
use crate::ir::graph::Graph;
use matching::{Matching, Recognisable};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Whether there was something before, and whether it could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There was nothing before.
    Created,
    /// Something changed.
    Changed,
    /// Nothing changed.
    Unchanged,
    /// One side is no pipeline spec that this program can read; the difference is one of text.
    Unreadable,
}

/// One side of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    /// Digest of the spec; absent for what is no spec.
    pub digest: Option<Digest>,
    /// `sdkVersion`, such as `kfp-2.17.0`.
    pub sdk: Option<String>,
}

/// How many changes of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[allow(missing_docs)]
pub struct ClassCounts {
    pub interface: usize,
    pub behaviour: usize,
    pub environment: usize,
    pub cosmetic: usize,
}

/// What changes in one pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Difference {
    /// `pipelineInfo.name` of the new spec.
    pub pipeline: String,
    /// Whether there was something before.
    pub status: Status,
    /// Why a side could not be read, for [`Status::Unreadable`].
    pub reason: Option<String>,
    /// The old side.
    pub before: Option<Side>,
    /// The new side.
    pub after: Side,
    /// The suggested step of a semantic version.
    pub step: Step,
    /// How many changes of each class.
    pub counts: ClassCounts,
    /// The changes, strongest first.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Whether callers break.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.counts.interface > 0
    }

    /// Whether only the SDK changed.
    #[must_use]
    pub fn is_sdk_only(&self) -> bool {
        !self.changes.is_empty() && self.changes.iter().all(|change| change.aspect == Aspect::Sdk)
    }

    /// Completes a difference from its changes.
    fn of(
        pipeline: String,
        status: Status,
        before: Option<Side>,
        after: Side,
        mut changes: Vec<Change>,
    ) -> Self {
        changes.sort_by(|a, b| {
            (a.class, &a.subject, a.aspect, &a.name).cmp(&(b.class, &b.subject, b.aspect, &b.name))
        });
        let mut counts = ClassCounts::default();
        for change in &changes {
            *match change.class {
                Class::Interface => &mut counts.interface,
                Class::Behaviour => &mut counts.behaviour,
                Class::Environment => &mut counts.environment,
                Class::Cosmetic => &mut counts.cosmetic,
            } += 1;
        }
        let step = match (status, changes.first().map(|change| change.class)) {
            (Status::Created, _) => Step::Minor,
            (_, None) => Step::None,
            (_, Some(Class::Interface)) => Step::Major,
            (_, Some(Class::Behaviour)) => Step::Minor,
            (_, Some(Class::Environment | Class::Cosmetic)) => Step::Patch,
        };
        Self {
            pipeline,
            status,
            reason: None,
            before,
            after,
            step,
            counts,
            changes,
        }
    }
}

/// What changes from `before` to `after`; without `before` the pipeline is new.
///
/// Empty exactly when the digests are equal. A side that cannot be read gives a difference of text,
/// never an error.
#[must_use]
pub fn diff(before: Option<&Spec>, after: &Spec) -> Difference {
    compare(before, after, None).0
}

/// As [`diff`], with the task graph of both, marked, of at most `most` nodes a side. A spec that
/// cannot be read has an empty graph.
#[must_use]
pub fn diff_drawn(before: Option<&Spec>, after: &Spec, most: usize) -> (Difference, Graph) {
    compare(before, after, Some(most))
}

fn compare(before: Option<&Spec>, after: &Spec, most: Option<usize>) -> (Difference, Graph) {
    let graph_of = |form: &form::Form| most.map(|most| Graph::of(&form.view(), most)).unwrap_or_default();
    let large = before.is_some_and(|before| before.size().min(after.size()) >= LARGE);
    let (old, new) = both(large, || before.map(form::Form::of), || form::Form::of(after));
    let new = match new {
        Ok(new) => new,
        Err(error) => return (textual::of_texts(before, after, &error), Graph::default()),
    };
    let after_side = new.side();
    let name = new.name().to_owned();
    let old = match old {
        Some(Ok(old)) => old,
        Some(Err(error)) => return (textual::of_texts(before, after, &error), graph_of(&new)),
        None => {
            let difference = Difference::of(name, Status::Created, None, after_side, Vec::new());
            return (difference, graph_of(&new));
        }
    };
    let before_side = Some(old.side());
    if old.digest == new.digest {
        let difference = Difference::of(name, Status::Unchanged, before_side, after_side, Vec::new());
        return (difference, graph_of(&new));
    }
    let (mut old_tasks, mut new_tasks) = both(large, || Recognisable::of(&old), || Recognisable::of(&new));
    let matching = Matching::between(&mut old_tasks, &mut new_tasks);
    let (old_structure, new_structure) = (old_tasks.structure, new_tasks.structure);
    let aligned = align::aligned(&old, &matching);
    let mut changes = match &aligned {
        Cow::Borrowed(_) => classify::changes(&old_structure, &new_structure, &matching),
        Cow::Owned(aligned) => {
            drop(old_structure);
            classify::changes(&structure::Structure::of(aligned), &new_structure, &matching)
        }
    };
    if changes.is_empty() {
        // The digests differ and the forms do not: two archives that are described alike.
        changes.push(textual::unexplained());
    }
    let graph = most
        .map(|most| drawn::drawn(&aligned, &new, &changes, most))
        .unwrap_or_default();
    let difference = Difference::of(name, Status::Changed, before_side, after_side, changes);
    (difference, graph)
}

/// From which size on, in bytes of JSON, a thread costs less than it spares.
const LARGE: usize = 64 << 10;

/// Both results: reading and looking through a spec is most of the work, and the two sides have nothing to do with
/// each other. A panic of either is ours.
fn both<A: Send, B>(large: bool, old: impl FnOnce() -> A + Send, new: impl FnOnce() -> B) -> (A, B) {
    if !large {
        return (old(), new());
    }
    std::thread::scope(|scope| {
        let old = scope.spawn(old);
        let new = new();
        let old = old
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (old, new)
    })
}

/// Carries out changes: every value that they are made of is taken from `after`. Works on the
/// canonical forms with `before` already aligned, and is how the tests prove that a difference is whole.
#[cfg(test)]
fn apply(before: &form::Form, after: &form::Form, changes: &[Change]) -> form::Form {
    let mut result = before.clone();
    for path in changes.iter().flat_map(|change| &change.paths) {
        edits::copy(&mut result.root, &after.root, path);
    }
    result
}
