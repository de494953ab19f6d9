//! What changes in a pipeline, and where server and repository disagree, below the rows at a terminal.

use super::diff::words::headline;
use super::diff::{Entry, text};
use super::text::{Options, Paint, clean};
use super::wrap::line;
use crate::plan::diff::{Difference, Status};
use crate::plan::drift::{Drift, DriftKind, Rename};
use std::fmt::Write as _;

/// The changes of one pipeline below its row: a headline, then one line each.
#[must_use]
pub fn below(difference: &Difference, suggested: Option<&str>, options: Options) -> String {
    if difference.status == Status::Created {
        return String::new();
    }
    let paint = Paint(options.color);
    let mut head = headline(difference);
    if let Some(version) = suggested {
        let _ = write!(head, " ({version})");
    }
    let entry = Entry {
        name: "",
        file: None,
        difference,
        graph: None,
    };
    let rendered = text::render(
        &[entry],
        text::Options {
            color: options.color,
            verbose: options.verbose,
            // What it writes is moved to the right below.
            width: options.width.map(|width| width.saturating_sub(4)),
        },
    );
    let mut out = String::new();
    line(
        &mut out,
        &format!("      {}", paint.dim(&clean(&head))),
        options.width,
    );
    // The first line names the pipeline, which the row above has done.
    for text in rendered.lines().skip(1) {
        let _ = writeln!(out, "    {text}");
    }
    out
}

/// The disagreements, one line each and the rename beneath. `against` is the commit that was compared
/// with, where there is no server.
#[must_use]
pub fn drift(drift: &[Drift], against: Option<&str>, paint: Paint, width: Option<usize>) -> String {
    let mut text = String::new();
    for one in drift {
        let sentence = clean(&drift_sentence(one, against));
        line(
            &mut text,
            &format!("  {} {sentence}", paint.yellow("drift:")),
            width,
        );
        if let Some(rename) = &one.rename {
            let sentence = clean(&rename_sentence(rename));
            line(
                &mut text,
                &format!("    {} {sentence}", paint.cyan("renamed?")),
                width,
            );
            let _ = writeln!(text, "      {}", clean(&rename.config));
        }
    }
    text
}

/// The offer to keep a pipeline under its old name.
#[must_use]
pub fn rename_sentence(rename: &Rename) -> String {
    format!(
        "`{}` in `{}` is {} % the same: to keep the old pipeline and its versions, write into `kfp-gitops.yaml`",
        rename.name, rename.file, rename.similarity
    )
}

/// What the disagreement is.
#[must_use]
pub fn drift_sentence(drift: &Drift, against: Option<&str>) -> String {
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
                |commit| {
                    let short: String = commit.chars().take(7).collect();
                    match &drift.author {
                        Some(author) => format!("commit {short} by {author}"),
                        None => format!("commit {short}"),
                    }
                }
            )
        ),
        DriftKind::ByHand => {
            let said = drift
                .said
                .as_ref()
                .map_or_else(String::new, |said| format!("; it says `{said}`"));
            format!("`{name}` was changed by hand: {version} was uploaded{when} without a mark{said}")
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
                    let last = drift.author.as_ref().map_or_else(String::new, |author| {
                        format!("; last uploaded from a commit by {author}")
                    });
                    format!(
                        "`{name}`{file} is on the server under our mark and no longer in the repository{last}"
                    )
                }
            }
        }
    }
}
