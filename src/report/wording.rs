//! What a run says to people, as plain text: the outcome first, then names and numbers.
//!
//! Every face that is read by people takes its sentences from here and from [`super::wording_notice`];
//! what differs between faces is only the markup around them.

use super::cut;
use super::{Action, PipelineReport, Reason, Report};
use crate::error::Class;
use crate::plan::drift::DriftKind;

/// The most characters GitHub takes as a status's description; Gitea takes thousands (recorded).
pub const DESCRIPTION_LIMIT: usize = 140;

/// How a run ended, as far as its face, colour and urgency go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No file matched.
    NothingFound,
    /// The server holds all of it already (`plan`: nothing to do).
    Unchanged,
    /// Something was deployed (`plan`: would be), and nothing went wrong.
    Changed,
    /// Something was left out on purpose, or nobody can say whether a write took effect.
    Unsettled,
    /// Some pipelines failed, others did not.
    SomeFailed,
    /// Every pipeline failed, or the run as a whole could not be done because of the user's input.
    AllFailed,
    /// The world was in the way: running again may help.
    Infrastructure,
}

/// How a run ended.
#[must_use]
pub fn outcome(report: &Report) -> Outcome {
    let counts = &report.counts;
    if let Some(error) = &report.error {
        return if error.class == Class::Infrastructure {
            Outcome::Infrastructure
        } else {
            Outcome::AllFailed
        };
    }
    if counts.failed > 0 {
        let world = |pipeline: &PipelineReport| {
            pipeline
                .error
                .as_ref()
                .is_some_and(|error| error.class == Class::Infrastructure)
        };
        let mut failed = report
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.action == Action::Failed);
        if report.exit_code == 75 && failed.all(world) {
            return Outcome::Infrastructure;
        }
        return if counts.failed >= total(report) {
            Outcome::AllFailed
        } else {
            Outcome::SomeFailed
        };
    }
    if counts.unknown > 0 {
        return if report.exit_code == 75 {
            Outcome::Infrastructure
        } else {
            Outcome::Unsettled
        };
    }
    if total(report) == 0 {
        return Outcome::NothingFound;
    }
    if counts.skipped > 0 {
        return Outcome::Unsettled;
    }
    if changes(report) > 0 || drift_kinds(report).is_some() {
        Outcome::Changed
    } else {
        Outcome::Unchanged
    }
}

/// Created and updated; under `plan` those that would be.
#[must_use]
pub const fn changes(report: &Report) -> usize {
    report.counts.created + report.counts.updated
}

/// All pipelines of the run, those left out of a shortened report included.
#[must_use]
pub fn total(report: &Report) -> usize {
    let counts = &report.counts;
    if only_compiled(report) {
        return counts.compiled + counts.failed;
    }
    counts.created + counts.updated + counts.unchanged + counts.failed + counts.skipped + counts.unknown
}

/// Whether the run compared the pipelines with nothing: `compile`, `check`, and the plan of a job that may
/// not read the server.
#[must_use]
pub fn only_compiled(report: &Report) -> bool {
    matches!(report.command.as_str(), "compile" | "check")
        || report.plan.as_ref().is_some_and(|plan| plan.compiled_only)
}

/// `1 pipeline`, `2 pipelines`.
#[must_use]
pub fn number(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// The counts that are not zero: `1 created, 2 unchanged`.
#[must_use]
pub fn counts(report: &Report) -> String {
    let counts = &report.counts;
    let (created, updated) = match report.command.as_str() {
        "plan" => ("to create", "to update"),
        "diff" => ("added", "changed"),
        _ => ("created", "updated"),
    };
    let compiled = if only_compiled(report) { counts.compiled } else { 0 };
    [
        (compiled, "compiled"),
        (counts.created, created),
        (counts.updated, updated),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.unknown, "unknown"),
        (counts.failed, "failed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}

/// The names that failed, at most `limit` of them: `a, b and 3 more`.
#[must_use]
pub fn failed_names(report: &Report, limit: usize) -> String {
    let names = super::outputs::failed_names(report);
    let shown = names.len().min(limit);
    let mut text = names[..shown]
        .iter()
        .map(|name| one_line(&cut::ellipsis(name, 100)))
        .collect::<Vec<_>>()
        .join(", ");
    let hidden = report.counts.failed.max(names.len()) - shown;
    if hidden > 0 {
        text.push_str(&if shown == 0 {
            number(hidden, "pipeline")
        } else {
            format!(" and {hidden} more")
        });
    }
    text
}

/// Whether the run was asked to stop before all was done.
#[must_use]
pub fn interrupted(report: &Report) -> bool {
    report
        .pipelines
        .iter()
        .any(|pipeline| pipeline.reason == Some(Reason::Interrupted))
}

/// Whether a deployment leaves something undone, so that it is to be said what.
#[must_use]
pub fn is_partial(report: &Report) -> bool {
    report.command == "apply" && report.counts.failed + report.counts.skipped + report.counts.unknown > 0
}

/// What is done (or was so before), what is not, and what nobody can say: `2 done, 1 not done, 0 unknown`.
#[must_use]
pub fn split(report: &Report) -> String {
    let counts = &report.counts;
    let done = counts.created + counts.updated + counts.unchanged;
    let not_done = counts.failed + counts.skipped;
    format!("{done} done, {not_done} not done, {} unknown", counts.unknown)
}

/// Which kinds of disagreement a drift check found: `1 changed by hand, 2 not deployed`; `None` without a
/// server, without drift, and where nobody asked.
#[must_use]
pub fn drift_kinds(report: &Report) -> Option<String> {
    let plan = report.plan.as_ref().filter(|plan| plan.against.is_none())?;
    let kinds = [
        (DriftKind::ByHand, "changed by hand"),
        (DriftKind::Foreign, "changed by others"),
        (DriftKind::Orphan, "without a file"),
        (DriftKind::Missing, "missing on the server"),
        (DriftKind::Pending, "not deployed as in the repository"),
    ];
    let said: Vec<String> = kinds
        .into_iter()
        .filter_map(|(kind, words)| {
            let count = plan.drift.iter().filter(|one| one.kind == kind).count();
            (count > 0).then(|| format!("{count} {words}"))
        })
        .collect();
    (report.expect_no_changes && !said.is_empty()).then(|| said.join(", "))
}

/// The description while the run is under way.
#[must_use]
pub const fn pending(deploys: bool) -> &'static str {
    if deploys {
        "Deploying pipelines"
    } else {
        "Planning pipelines"
    }
}

/// What became of one pipeline, in a few words.
#[must_use]
pub fn action(pipeline: &PipelineReport) -> String {
    let word = match pipeline.action {
        Action::Create => "would be created",
        Action::Update => "would get a new version",
        Action::Updated => "new version",
        other => other.as_str(),
    };
    match pipeline.reason {
        Some(reason) => format!("{word} ({})", reason_words(reason)),
        None => word.to_owned(),
    }
}

const fn reason_words(reason: super::Reason) -> &'static str {
    use super::Reason;
    match reason {
        Reason::Adopted => "taken over",
        Reason::Reverted => "back to an older version",
        Reason::Superseded => "a later commit is deployed",
        Reason::Forced => "forced",
        Reason::AllOrNothing => "another pipeline failed",
        Reason::Unsupported => "not supported by the server",
        Reason::SdkPin => "only the SDK pin changed",
        Reason::Interrupted => "interrupted",
        Reason::Unaffected => "nothing changed for it",
        Reason::Moved => "not as planned",
    }
}

/// The sign in front of a pipeline.
#[must_use]
pub const fn sign(action: Action) -> &'static str {
    match action {
        Action::Created | Action::Create => "🆕",
        Action::Updated | Action::Update => "🔄",
        Action::Unchanged | Action::Compiled => "✅",
        Action::Failed => "❌",
        Action::Skipped => "⏭️",
        Action::Unknown => "❓",
    }
}

/// What to do next after this outcome, where there is something to do.
#[must_use]
pub fn next_step(report: &Report) -> Option<String> {
    if let Some(hint) = report.error.as_ref().and_then(|error| error.hint.clone()) {
        return Some(one_line(&hint));
    }
    if interrupted(report) {
        return Some("run it again: it goes on where this one stopped and uploads nothing twice".to_owned());
    }
    match outcome(report) {
        Outcome::Infrastructure => Some("run it again: what arrived is not uploaded twice".to_owned()),
        Outcome::Unsettled if report.counts.unknown > 0 => {
            Some("run it again: it looks at the server first and uploads nothing twice".to_owned())
        }
        Outcome::SomeFailed if report.command == "apply" && changes(report) > 0 => {
            Some("mend what failed and push: what was deployed stays and is not uploaded again".to_owned())
        }
        _ => None,
    }
}

/// A text as one line without control characters, for places that take one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    harmless(text, &[]).trim().to_owned()
}

/// A text with a space for each harmful character, but for those to keep: what encodes or splits lines keeps them.
pub(super) fn harmless(text: &str, keep: &[char]) -> String {
    text.chars()
        .map(|c| if harmful(c) && !keep.contains(&c) { ' ' } else { c })
        .collect()
}

/// Characters that move the cursor, end the line or turn the direction of reading.
pub(super) fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
