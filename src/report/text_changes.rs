//! What changes in a pipeline, and where server and repository disagree, for people at a terminal.

use super::text::{Paint, clean};
use crate::plan::diff::{Aspect, Change, Class, Difference, Status, Step, Subject, Verb};
use crate::plan::drift::{Drift, DriftKind};
use std::fmt::Write as _;

/// Changes of one pipeline that are shown without `-v`.
const FEW: usize = 12;

/// The changes, one line each, strongest first; with `verbose` all of them and the code.
#[must_use]
pub fn render(difference: &Difference, verbose: bool, paint: Paint, indent: &str) -> String {
    let mut text = String::new();
    if difference.status == Status::Created {
        return text;
    }
    if let Some(reason) = &difference.reason {
        let _ = writeln!(text, "{indent}{}", paint.yellow(&clean(reason)));
    }
    if difference.changes.is_empty() && difference.status == Status::Unchanged {
        let _ = writeln!(text, "{indent}{}", paint.dim("nothing changes"));
        return text;
    }
    let shown = if verbose { usize::MAX } else { FEW };
    for change in difference.changes.iter().take(shown) {
        let line = clean(&sentence(change));
        let sign = match change.class {
            Class::Interface => paint.red("! breaks callers:"),
            Class::Behaviour => "~ behaviour:".to_owned(),
            Class::Environment => "~ environment:".to_owned(),
            Class::Cosmetic => paint.dim("· cosmetic:"),
        };
        let _ = writeln!(text, "{indent}{sign} {line}");
        if verbose {
            for row in change.patch.iter().flat_map(|patch| patch.lines()) {
                let row = clean(row);
                let row = match row.as_bytes().first() {
                    Some(b'+') => paint.green(&row),
                    Some(b'-') => paint.red(&row),
                    _ => paint.dim(&row),
                };
                let _ = writeln!(text, "{indent}    {row}");
            }
        }
    }
    let hidden = difference.changes.len().saturating_sub(shown);
    if hidden > 0 {
        let _ = writeln!(
            text,
            "{indent}{}",
            paint.dim(&format!("and {hidden} more, shown with -v"))
        );
    }
    text
}

/// The step of a semantic version as a suggestion, where there is one.
#[must_use]
pub fn suggestion(difference: &Difference, version: Option<&str>) -> Option<String> {
    if difference.status == Status::Created || difference.step == Step::None {
        return None;
    }
    Some(match version {
        Some(version) => format!("semantic version: {} ({version})", difference.step.as_str()),
        None => format!("semantic version: {}", difference.step.as_str()),
    })
}

fn sentence(change: &Change) -> String {
    let subject = match &change.subject {
        Subject::Pipeline => "pipeline".to_owned(),
        Subject::Input(name) => format!("parameter `{name}`"),
        Subject::Output(name) => format!("output `{name}`"),
        Subject::Task(name) => format!("task `{name}`"),
        Subject::Component(name) => format!("component `{name}`"),
    };
    let mut text = subject;
    if change.aspect != Aspect::Itself {
        text.push_str(&format!(": {}", aspect(change.aspect)));
    }
    if let Some(name) = &change.name {
        text.push_str(&format!(" `{name}`"));
    }
    text.push_str(match change.verb {
        Verb::Added => " added",
        Verb::Removed => " removed",
        Verb::Changed => " changed",
        Verb::Renamed => " renamed",
        Verb::Moved => " moved",
    });
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => text.push_str(&format!(": {before} → {after}")),
        (None, Some(value)) | (Some(value), None) => text.push_str(&format!(": {value}")),
        (None, None) => {}
    }
    if change.count > 1 {
        text.push_str(&format!(" ({} places)", change.count));
    }
    text
}

fn aspect(aspect: Aspect) -> String {
    // The words of JSON, with spaces: `environment-variable` is "environment variable".
    serde_json::to_value(aspect)
        .ok()
        .and_then(|value| value.as_str().map(|word| word.replace('-', " ")))
        .unwrap_or_default()
}

/// The disagreements, one line each and the rename beneath. `against` is the commit that was compared
/// with, where there is no server.
#[must_use]
pub fn drift(drift: &[Drift], against: Option<&str>, paint: Paint) -> String {
    let mut text = String::new();
    for one in drift {
        let _ = writeln!(
            text,
            "  {} {}",
            paint.yellow("drift:"),
            clean(&drift_sentence(one, against))
        );
        if let Some(rename) = &one.rename {
            let line = format!(
                "`{}` in `{}` is {} % the same: to keep the old pipeline and its versions, write into kfp-gitops.yaml",
                rename.name, rename.file, rename.similarity
            );
            let _ = writeln!(text, "    {} {}", paint.cyan("renamed?"), clean(&line));
            let _ = writeln!(text, "      {}", clean(&rename.config));
        }
    }
    text
}

fn drift_sentence(drift: &Drift, against: Option<&str>) -> String {
    let name = &drift.name;
    let when = drift
        .created_at
        .as_ref()
        .map_or_else(String::new, |time| format!(" at {time}"));
    let version = drift.version_name.as_ref().map_or_else(
        || "its newest version".to_owned(),
        |version| format!("version `{version}`"),
    );
    match drift.kind {
        DriftKind::Missing => format!("`{name}` is in the repository and not on the server"),
        DriftKind::Pending => format!(
            "`{name}` is not deployed as it is in the repository: {version} is of {}{when}",
            drift.commit.as_ref().map_or_else(
                || "an unknown commit".to_owned(),
                |commit| format!("commit {}", commit.chars().take(7).collect::<String>())
            )
        ),
        DriftKind::ByHand => {
            format!("`{name}` was changed by hand: {version} was uploaded{when} without a mark")
        }
        DriftKind::Foreign => format!(
            "`{name}` was changed by {}: {version} was uploaded{when}",
            drift.owner.as_deref().unwrap_or("another repository")
        ),
        DriftKind::Orphan => {
            let file = drift
                .file
                .as_ref()
                .map_or_else(String::new, |file| format!(" (`{file}`)"));
            match against {
                Some(reference) => {
                    format!("`{name}`{file} is in {reference} and not here; the server would keep it")
                }
                None => {
                    format!("`{name}`{file} is on the server under our mark and no longer in the repository")
                }
            }
        }
    }
}
