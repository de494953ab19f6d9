//! What is told outside the run's own pages: notifications, missing rights, what could not be said.

use super::cut;
use super::headline;
use super::wording::{self, Outcome, one_line};
use super::{Report, outputs};
use crate::context::{Context, ForgeKind};

/// The longest ntfy message in bytes. Servers refuse 4 096 or answer 500 (recorded on 2.27).
pub const MESSAGE_LIMIT: usize = 4000;

/// A notification in words, before it is put in a service's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub title: String,
    /// Some lines of plain text within [`MESSAGE_LIMIT`].
    pub message: String,
    /// Names of emoji, as ntfy knows them.
    pub tags: Vec<&'static str>,
    /// 1 to 5; 3 is normal.
    pub priority: u8,
}

/// The notification of a run. `recovered` says that the run before this one on the branch failed.
#[must_use]
pub fn notice(report: &Report, context: &Context, recovered: bool) -> Notice {
    let (tag, priority) = match wording::outcome(report) {
        Outcome::Changed if report.command == "plan" => ("clipboard", 3),
        Outcome::Changed => ("white_check_mark", 3),
        Outcome::Unchanged => ("ballot_box_with_check", 2),
        Outcome::NothingFound => ("warning", 2),
        Outcome::Unsettled => ("warning", 3),
        Outcome::SomeFailed | Outcome::AllFailed => ("x", 4),
        Outcome::Infrastructure => ("rotating_light", 4),
    };
    let headline = headline::headline(report).replace('`', "");
    let title = if recovered {
        format!("Recovered: {headline}")
    } else {
        headline
    };
    let mut lines = vec![format!(
        "{} compiled, {}",
        report.counts.compiled,
        uploaded(report)
    )];
    if let (Some(version), "apply") = (&report.version_name, report.command.as_str()) {
        lines.push(format!("Version: {}", one_line(version.as_str())));
    }
    if report.counts.failed > 0 {
        lines.push(format!("Failed: {}", wording::failed_names(report, 20)));
    }
    if let Some(target) = &report.target {
        lines.push(format!("Target: {}", one_line(target)));
    }
    lines.extend(place(context, report));
    if wording::outcome(report) == Outcome::NothingFound {
        lines.extend(
            report
                .warnings
                .first()
                .map(|text| one_line(&cut::ellipsis(text, 500))),
        );
    }
    if let Some(step) = wording::next_step(report) {
        lines.push(format!("Next: {step}"));
    }
    Notice {
        title: with_repository(context, &title),
        message: cut::ellipsis(&lines.join("\n"), MESSAGE_LIMIT),
        tags: vec![tag],
        priority,
    }
}

fn uploaded(report: &Report) -> String {
    if report.command != "apply" {
        return wording::counts(report);
    }
    let counts = &report.counts;
    let mut text = format!("{} uploaded", wording::changes(report));
    for (count, word) in [
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.unknown, "unknown"),
        (counts.failed, "failed"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    text
}

/// `main at 6875ae4 by ann`.
fn place(context: &Context, report: &Report) -> Option<String> {
    let reference = context.branch.as_ref().or(context.tag.as_ref());
    let commit = report
        .commit
        .as_deref()
        .or(context.sha.as_deref())
        .and_then(|sha| sha.get(..7));
    let mut words = Vec::new();
    if let Some(pull) = context.pull_request() {
        words.push(format!("pull request {}", pull.number));
    } else if let Some(reference) = reference {
        words.push(one_line(reference));
    }
    if let Some(commit) = commit {
        words.push(format!("at {commit}"));
    }
    if let Some(actor) = &context.actor {
        words.push(format!("by {}", one_line(actor)));
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn with_repository(context: &Context, title: &str) -> String {
    let text = match &context.repository {
        Some(repository) => format!("{}: {title}", repository.full_name()),
        None => title.to_owned(),
    };
    cut::ellipsis(&text, 250)
}

/// The notification when the deployment's job ended without a report: `result` is what the forge says of
/// that job (`failure`, `cancelled`, `skipped`, `success`).
#[must_use]
pub fn died(result: &str, context: &Context) -> Notice {
    let title = died_headline(result);
    let mut lines = vec![died_sentence(result).to_owned()];
    if let Some(reference) = context.branch.as_ref().or(context.tag.as_ref()) {
        let commit = context.sha.as_deref().and_then(|sha| sha.get(..7)).unwrap_or("?");
        lines.push(format!("{} at {commit}", one_line(reference)));
    }
    Notice {
        title: with_repository(context, title),
        message: lines.join("\n"),
        tags: vec![if result == "skipped" {
            "warning"
        } else {
            "rotating_light"
        }],
        priority: if result == "skipped" { 3 } else { 4 },
    }
}

/// The same in one line, for a status that nobody closed.
#[must_use]
pub fn died_headline(result: &str) -> &'static str {
    match result {
        "cancelled" => "The deployment was cancelled before it could report",
        "skipped" => "The deployment did not run",
        "success" => "The deployment ended without a report",
        _ => "The deployment died before it could report",
    }
}

const fn died_sentence(result: &str) -> &'static str {
    match result.as_bytes() {
        b"skipped" => "Its job was skipped: nothing was compiled or uploaded.",
        b"success" => "Its job says success, but left no summary: look at its log.",
        _ => "Nobody can say what was uploaded. Running it again settles it and uploads nothing twice.",
    }
}

/// What could not be told, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The commit's status.
    Status,
    /// The comment on the pull request.
    Comment,
}

impl Place {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Status => "the commit status could not be set",
            Self::Comment => "the comment on the pull request could not be written",
        }
    }

    /// The permission that is needed, by forge.
    #[must_use]
    pub const fn permission(self, forge: ForgeKind) -> &'static str {
        match (self, forge) {
            // Gitea has no scope of its own for statuses: the route needs write on code.
            (Self::Status, ForgeKind::Gitea) => "contents: write",
            (Self::Status, _) => "statuses: write",
            (Self::Comment, ForgeKind::Gitea) => "issues: write` and `pull-requests: write",
            (Self::Comment, _) => "pull-requests: write",
        }
    }
}

/// The forge answered 401 or 403: which right is missing, and how to give it.
#[must_use]
pub fn missing_permission(
    place: Place,
    code: u16,
    forge: ForgeKind,
    version: Option<&str>,
    fork: bool,
) -> String {
    let what = place.sentence();
    let server = match (forge, version) {
        (ForgeKind::GitHub, _) => "GitHub".to_owned(),
        (ForgeKind::Gitea, Some(version)) => format!("Gitea {}", one_line(&cut::ellipsis(version, 40))),
        (ForgeKind::Gitea, None) => "Gitea".to_owned(),
        _ => "the forge".to_owned(),
    };
    if code == 401 {
        return format!(
            "{what}: {server} refuses the token (401), which is wrong or has expired; the job's own token ends \
             with its job"
        );
    }
    if fork {
        return format!(
            "{what}: {server} gives pull requests from forks a token that may only read (403); the result is \
             in this log and in the job summary"
        );
    }
    let permission = place.permission(forge);
    let how = match forge {
        ForgeKind::Gitea if before_permissions(version) => format!(
            "the token needs write access to the repository (from Gitea 1.26 on: `permissions: {permission}`); \
             give one as `forge-token`"
        ),
        _ => format!("add `permissions: {permission}` to the job"),
    };
    format!("{what}: {server} says that the token may not (403); {how}")
}

/// Gitea honours `permissions:` from 1.26 on; older ones ignore the key.
fn before_permissions(version: Option<&str>) -> bool {
    let Some((major, rest)) = version.and_then(|version| version.split_once('.')) else {
        return false;
    };
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    match (major.parse::<u64>(), minor.parse::<u64>()) {
        (Ok(major), Ok(minor)) => (major, minor) < (1, 26),
        _ => false,
    }
}

/// Any other reason why something could not be told.
#[must_use]
pub fn could_not(place: Place, reason: &str) -> String {
    format!("{}: {}", place.sentence(), one_line(&cut::ellipsis(reason, 600)))
}

/// A notification that did not arrive.
#[must_use]
pub fn not_notified(service: &str, reason: &str) -> String {
    format!(
        "the {service} notification was not sent: {}",
        one_line(&cut::ellipsis(reason, 600))
    )
}

/// The names that failed as a webhook's list.
#[must_use]
pub fn failed(report: &Report) -> Vec<String> {
    outputs::failed_names(report)
}
