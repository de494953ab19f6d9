//! `history`: a pipeline's versions, and what changed between any two.

use super::remote::{Owner, Remote, end, failed, find, reach, versions};
use super::{finish, stopped};
use crate::cli::HistoryArgs;
use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::ids::{Digest, PipelineId, VersionId, VersionName};
use crate::ir::Spec;
use crate::kfp::model::{Pipeline, Version};
use crate::plan::RemoteVersion;
use crate::plan::decide::against;
use crate::plan::diff::{ClassCounts, Difference, Step, diff};
use crate::plan::mark::Mark;
use crate::report::table::table;
use crate::report::text::{Options, Paint};
use crate::report::text_changes;
use crate::settings::Settings;
use serde::Serialize;

/// A pipeline's versions, newest first.
#[derive(Debug, Serialize)]
pub struct History {
    schema: u32,
    command: &'static str,
    endpoint: String,
    name: String,
    pipeline_id: PipelineId,
    /// Whether there are older ones.
    more: bool,
    versions: Vec<Listed>,
}

/// One version.
#[derive(Debug, Serialize)]
pub struct Listed {
    version_id: VersionId,
    version_name: VersionName,
    created_at: Option<String>,
    /// `null` where the version holds no spec that can be read.
    digest: Option<Digest>,
    /// Why not.
    error: Option<String>,
    /// `null` for what was uploaded by hand.
    owner: Option<Owner>,
    /// Who wrote the commit, where this clone has it.
    author: Option<String>,
    /// What changed since the version before, strongest class first; `null` for the oldest shown.
    changes: Option<Changes>,
    /// `null` where no browser would find anything.
    url: Option<String>,
}

/// What changed since the version before.
#[derive(Debug, Serialize)]
pub struct Changes {
    step: Step,
    counts: ClassCounts,
}

/// What changed between two versions.
#[derive(Debug, Serialize)]
pub struct Between {
    schema: u32,
    command: &'static str,
    name: String,
    from: VersionName,
    to: VersionName,
    difference: Difference,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: &HistoryArgs) -> u8 {
    let paint = Paint(settings.output.color);
    let remote = match reach(settings).await {
        Ok(remote) => remote,
        Err(failure) => return finish::finish(settings, stopped(settings, "history", failure), None).await,
    };
    let code = match &arguments.from {
        None => {
            let result = list(settings, &remote, arguments).await;
            end(settings, "history", result, |history| {
                text(history, paint, settings.output.width)
            })
            .await
        }
        Some(from) => {
            let to = arguments.to.as_deref().unwrap_or("newest");
            let result = between(&remote, &arguments.name, from, to).await;
            let verbose = settings.output.verbose > 0;
            end(settings, "history", result, |between| {
                let mut text = format!(
                    "{}\n",
                    paint.bold(&crate::report::text::clean(&format!(
                        "{}: {} to {}",
                        between.name, between.from, between.to
                    )))
                );
                let options = Options {
                    color: settings.output.color,
                    verbose,
                    quiet: false,
                    width: settings.output.width,
                };
                text.push_str(&text_changes::below(&between.difference, None, options));
                text
            })
            .await
        }
    };
    remote.connected.close().await;
    code
}

async fn list(settings: &Settings, remote: &Remote, arguments: &HistoryArgs) -> Result<History, Failure> {
    let pipeline = find(remote, &arguments.name).await?;
    let limit = arguments.limit.max(1);
    // One more, so that the oldest shown can be compared with the one before.
    let mut found = versions(remote, &pipeline, limit.saturating_add(1)).await?;
    let changes: Vec<Option<Changes>> = found
        .windows(2)
        .map(|pair| {
            let difference = compare(&pair[1], &pair[0])?;
            Some(Changes {
                step: difference.step,
                counts: difference.counts,
            })
        })
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let git = Git::new(&settings.root);
    let links = remote.connected.client.links();
    let mut changes = changes.into_iter();
    let versions = found
        .into_iter()
        .map(|version| {
            let mark = Mark::parse(&version.description);
            Listed {
                digest: version.spec.as_ref().map(Spec::digest),
                author: mark
                    .as_ref()
                    .and_then(|mark| mark.commit.as_deref())
                    .and_then(|commit| git.author(commit)),
                owner: mark.as_ref().map(Owner::of),
                changes: changes.next().flatten(),
                url: links.version(&pipeline.id, &version.id),
                created_at: version.created_at.map(|time| time.to_rfc3339()),
                error: version.error,
                version_id: version.id,
                version_name: version.name,
            }
        })
        .collect();
    Ok(History {
        schema: 1,
        command: "history",
        endpoint: settings.server.endpoint.display(),
        name: pipeline.name.as_str().to_owned(),
        pipeline_id: pipeline.id,
        more,
        versions,
    })
}

/// What changes from one version to another; `None` where the new one is no spec that can be read.
fn compare(old: &Version, new: &Version) -> Option<Difference> {
    let after = new.spec.as_ref()?;
    Some(match &old.spec {
        Some(before) => diff(Some(before), after),
        None => against(&RemoteVersion::of(old.clone()), after),
    })
}

async fn between(remote: &Remote, name: &str, from: &str, to: &str) -> Result<Between, Failure> {
    let pipeline = find(remote, name).await?;
    let old = version(remote, &pipeline, from).await?;
    let new = version(remote, &pipeline, to).await?;
    let difference = compare(&old, &new).ok_or_else(|| {
        let why = new.error.clone().unwrap_or_default();
        Failure::usage(
            Phase::Plan,
            format!("version `{}` holds no pipeline that can be read: {why}", new.name),
        )
        .hint("name a version that holds a pipeline of Kubeflow Pipelines 2 as the second")
    })?;
    Ok(Between {
        schema: 1,
        command: "history",
        name: pipeline.name.as_str().to_owned(),
        from: old.name,
        to: new.name,
        difference,
    })
}

/// A version by name, by id, or the newest.
///
/// # Errors
/// When there is none (exit 2), or the server cannot be read.
pub async fn version(remote: &Remote, pipeline: &Pipeline, name: &str) -> Result<Version, Failure> {
    let client = &remote.connected.client;
    let reading = |error| failed(&error, "read the version");
    if let Some(version) = client
        .find_version(&pipeline.id, &VersionName::new(name))
        .await
        .map_err(reading)?
    {
        return Ok(version);
    }
    let found = if name == "newest" {
        client.newest_version(&pipeline.id).await
    } else {
        client.version(&pipeline.id, &VersionId::new(name)).await
    };
    // Servers give a version of any pipeline by its id.
    found
        .map_err(reading)?
        .filter(|version| version.pipeline_id == pipeline.id)
        .ok_or_else(|| {
            Failure::usage(
                Phase::Plan,
                format!("`{}` has no version `{name}`", pipeline.name),
            )
            .hint(format!("`kfp-gitops history {}` names them", pipeline.name))
        })
}

fn text(history: &History, paint: Paint, width: Option<usize>) -> String {
    let rows: Vec<[String; 6]> = history
        .versions
        .iter()
        .map(|one| {
            let owner = one.owner.as_ref();
            let commit = owner.and_then(|owner| {
                let short: String = owner.commit.as_ref()?.chars().take(7).collect();
                Some(if owner.dirty {
                    format!("{short}+dirty")
                } else {
                    short
                })
            });
            let by = match (&one.author, owner) {
                (Some(author), _) => author.clone(),
                (None, Some(owner)) => owner.repo.clone().unwrap_or_default(),
                (None, None) => "by hand".to_owned(),
            };
            let changes = match (&one.changes, &one.error) {
                (_, Some(error)) if one.digest.is_none() => error.clone(),
                (Some(changes), _) => counted(&changes.counts),
                (None, _) => String::new(),
            };
            [
                one.version_name.to_string(),
                one.created_at.clone().unwrap_or_default(),
                commit.unwrap_or_default(),
                one.digest.map_or_else(String::new, |digest| digest.short()),
                by,
                changes,
            ]
        })
        .collect();
    let mut text = table(
        ["VERSION", "CREATED", "COMMIT", "DIGEST", "BY", "CHANGES"],
        &rows,
        paint,
        width,
    );
    if history.more {
        text.push_str(&paint.dim("older ones are shown with `--limit N`"));
        text.push('\n');
    }
    text
}

/// `1 interface, 2 behaviour`, or `none`.
fn counted(counts: &ClassCounts) -> String {
    let parts: Vec<String> = [
        (counts.interface, "interface"),
        (counts.behaviour, "behaviour"),
        (counts.environment, "environment"),
        (counts.cosmetic, "cosmetic"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, class)| format!("{count} {class}"))
    .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}
