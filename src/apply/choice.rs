//! Which of equal versions stays. Pure: every run that sees the same versions chooses the same.

use crate::ids::{Digest, VersionId};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a run takes at most to move its version; after that it has died.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);

/// A version as far as the choice needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub id: VersionId,
    pub created: Option<DateTime<Utc>>,
    /// What it holds; `None` is like nothing else.
    pub content: Option<Digest>,
    /// Holds our content and carries our project's mark.
    pub same: bool,
    /// Was uploaded by this intent.
    pub owned: bool,
    /// Was uploaded by this program: its run keeps the same rules.
    pub marked: bool,
}

impl View {
    /// Whether it shares its second with other content, so that "the newest" is left to chance, and it is
    /// this one whose run moves it. Of two the larger id moves; what was uploaded by hand never does.
    fn is_shaky(&self, views: &[Self]) -> bool {
        self.marked
            && self.created.is_some()
            && views.iter().any(|other| {
                other.id != self.id
                    && other.created == self.created
                    && (other.content.is_none() || other.content != self.content)
                    && (!other.marked || other.id < self.id)
            })
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The version that stays.
    pub stays: VersionId,
    /// Our own that go.
    pub remove: Vec<VersionId>,
    /// What stays must be moved into another second by its run.
    pub moves: bool,
}

/// Chooses among the versions newer than the one seen before the upload.
pub(super) fn choose(views: &[View], own: &VersionId) -> Choice {
    let alone = Choice {
        stays: own.clone(),
        remove: Vec::new(),
        moves: false,
    };
    let Some(ours) = views.iter().find(|view| view.id == *own) else {
        return alone;
    };
    let Some(created) = ours.created else { return alone };
    // Equal content next to each other belongs together; other content in between makes the later one a
    // revert, unless that other is about to be moved away.
    let parted = |other: DateTime<Utc>| {
        let (from, to) = (created.min(other), created.max(other));
        from != to
            && views.iter().any(|view| {
                let moves =
                    view.is_shaky(views) && view.created.is_some_and(|time| created - time <= PATIENCE);
                !view.same && view.created.is_some_and(|time| (from..=to).contains(&time)) && !moves
            })
    };
    let group: Vec<&View> = views
        .iter()
        .filter(|view| view.id == ours.id || (view.same && view.created.is_some_and(|time| !parted(time))))
        .collect();
    let Some(stays) = group
        .iter()
        .min_by_key(|view| (view.is_shaky(views), view.created, &view.id))
    else {
        return alone;
    };
    let remove = group
        .iter()
        .filter(|view| view.owned && view.id != stays.id)
        .map(|view| view.id.clone())
        .collect();
    Choice {
        stays: stays.id.clone(),
        remove,
        moves: stays.is_shaky(views),
    }
}

#[cfg(test)]
mod tests;
