//! Notifications: ntfy and a generic JSON webhook. They never fail a run and never hold it up for more
//! than [`Limits::total`](crate::forge::Limits).

mod deliver;
pub mod ntfy;
pub mod summary;
pub mod webhook;

#[cfg(test)]
mod tests;

use crate::context::{Context, Event};
use crate::report::Report;
use crate::report::wording::{self, Outcome};

/// When people want to hear of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// When something changed, failed or recovered, and always for a run started by hand.
    #[default]
    Remarkable,
    /// Always.
    Always,
}

/// Whether a run is told. Plans are looked at where they were asked for (the pull request), so nobody's
/// phone rings for them.
#[must_use]
pub fn wanted(report: &Report, context: &Context, when: When, recovered: bool) -> bool {
    if when == When::Always {
        return true;
    }
    if report.command != "apply" {
        return false;
    }
    match wording::outcome(report) {
        Outcome::Unchanged | Outcome::NothingFound => {
            recovered || context.asked_by_hand() || context.event == Event::None
        }
        _ => true,
    }
}

/// Stays the same for every attempt of one run, so that a repetition replaces what was told: letters,
/// digits, `-` and `_`, at most 64, as ntfy wants it.
#[must_use]
pub fn sequence(context: &Context, target: Option<&str>) -> Option<String> {
    use sha2::{Digest, Sha256};
    let run = context.run_key()?;
    let digest = Sha256::digest(format!("{run}\n{}", target.unwrap_or_default()).as_bytes());
    Some(format!(
        "kfp-gitops-{}-{}",
        context.run_id?,
        hex::encode(&digest[..6])
    ))
}
