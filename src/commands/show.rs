//! `show`: one pipeline on the server.

use super::remote::{Owner, Remote, end, find, reach, versions};
use crate::error::Failure;
use crate::ids::{Digest, PipelineId, VersionId, VersionName};
use crate::ir::graph::Graph;
use crate::ir::{Pipeline, Spec, canonical};
use crate::kfp::model::Version;
use crate::plan::mark::Mark;
use crate::report::table::table;
use crate::report::text::{Paint, clean};
use crate::settings::Settings;
use serde::Serialize;

/// Versions that are looked at.
const RECENT: usize = 10;
/// Tasks that are counted.
const MOST_TASKS: usize = 10_000;

/// One pipeline.
#[derive(Debug, Serialize)]
pub struct Shown {
    schema: u32,
    command: &'static str,
    endpoint: String,
    name: String,
    display_name: Option<String>,
    pipeline_id: PipelineId,
    namespace: Option<String>,
    created_at: Option<String>,
    /// What people wrote, without our mark.
    description: String,
    /// `null` for what was uploaded by hand.
    owner: Option<Owner>,
    mine: bool,
    /// `null` where no browser would find anything.
    url: Option<String>,
    /// The newest version.
    newest: Option<Newest>,
    /// The newest ten.
    versions: Vec<VersionName>,
}

/// The newest version.
#[derive(Debug, Serialize)]
pub struct Newest {
    version_id: VersionId,
    version_name: VersionName,
    created_at: Option<String>,
    digest: Option<Digest>,
    owner: Option<Owner>,
    /// `null` where no browser would find anything.
    url: Option<String>,
    /// Why it holds nothing that can be shown.
    error: Option<String>,
    /// What it holds.
    pipeline: Option<Inside>,
}

/// What a version holds.
#[derive(Debug, Serialize)]
pub struct Inside {
    name: String,
    description: String,
    sdk_version: String,
    tasks: usize,
    parameters: Vec<Parameter>,
    images: Vec<String>,
    packages: Vec<String>,
}

/// A parameter of a pipeline.
#[derive(Debug, Serialize)]
pub struct Parameter {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    optional: bool,
    default: Option<serde_json::Value>,
    description: String,
}

/// Runs the command.
pub async fn run(settings: &Settings, name: &str) -> u8 {
    let result = async {
        let remote = reach(settings).await?;
        let shown = read(settings, &remote, name).await;
        remote.connected.close().await;
        shown
    }
    .await;
    end(settings, "show", result, |shown| {
        text(shown, Paint(settings.output.color), settings.output.width)
    })
    .await
}

async fn read(settings: &Settings, remote: &Remote, name: &str) -> Result<Shown, Failure> {
    let pipeline = find(remote, name).await?;
    let found = versions(remote, &pipeline, RECENT).await?;
    let names = found.iter().map(|version| version.name.clone()).collect();
    let links = remote.connected.client.links();
    let mark = Mark::parse(&pipeline.description);
    let newest = found.into_iter().next().map(|version| Newest {
        url: links.version(&pipeline.id, &version.id),
        digest: version.spec.as_ref().map(Spec::digest),
        owner: Mark::parse(&version.description).as_ref().map(Owner::of),
        pipeline: inside(&version),
        version_id: version.id,
        version_name: version.name,
        created_at: version.created_at.map(|time| time.to_rfc3339()),
        error: version.error,
    });
    Ok(Shown {
        schema: 1,
        command: "show",
        endpoint: settings.server.endpoint.display(),
        url: links.pipeline(&pipeline.id),
        name: pipeline.name.as_str().to_owned(),
        display_name: pipeline.display_name,
        pipeline_id: pipeline.id,
        namespace: pipeline.namespace,
        created_at: pipeline.created_at.map(|time| time.to_rfc3339()),
        description: pipeline
            .description
            .lines()
            .filter(|line| Mark::parse(line).is_none())
            .collect::<Vec<_>>()
            .join("\n"),
        mine: mark
            .as_ref()
            .is_some_and(|theirs| remote.mark.is_same_owner(theirs)),
        owner: mark.as_ref().map(Owner::of),
        newest,
        versions: names,
    })
}

fn inside(version: &Version) -> Option<Inside> {
    let form = canonical(version.spec.as_ref()?).ok()?;
    let view = Pipeline::of(&form);
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    Some(Inside {
        name: view.name.to_owned(),
        description: view.description.to_owned(),
        sdk_version: view.sdk_version.to_owned(),
        tasks: Graph::of(&view, MOST_TASKS).task_count(),
        parameters: view
            .root
            .parameters
            .iter()
            .map(|parameter| Parameter {
                name: parameter.name.to_owned(),
                kind: parameter.kind.to_owned(),
                optional: parameter.optional || parameter.default.is_some(),
                default: parameter.default.cloned(),
                description: parameter.description.to_owned(),
            })
            .collect(),
        images: owned(view.images()),
        packages: owned(view.packages()),
    })
}

fn text(shown: &Shown, paint: Paint, width: Option<usize>) -> String {
    let mut text = format!("{}\n", paint.bold(&clean(&shown.name)));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            crate::report::wrap::line(&mut text, &format!("  {name:<12} {}", clean(value)), width);
        }
    };
    line("id", shown.pipeline_id.as_str());
    line("namespace", shown.namespace.as_deref().unwrap_or_default());
    line(
        "description",
        shown.description.lines().next().unwrap_or_default(),
    );
    line("managed by", &managed(shown.owner.as_ref()));
    if let Some(url) = &shown.url {
        line("link", url);
    }
    let Some(newest) = &shown.newest else {
        line("newest", "it has no version");
        return text;
    };
    line(
        "newest",
        &format!(
            "{} of {}",
            newest.version_name,
            newest.created_at.as_deref().unwrap_or("an unknown time")
        ),
    );
    line("by", &managed(newest.owner.as_ref()));
    if let Some(owner) = &newest.owner {
        let dirty = if owner.dirty { " with local changes" } else { "" };
        let commit = owner.commit.as_deref().unwrap_or_default();
        line(
            "commit",
            &if commit.is_empty() {
                String::new()
            } else {
                format!("{commit}{dirty}")
            },
        );
        line("file", owner.file.as_deref().unwrap_or_default());
        line("ref", owner.git_ref.as_deref().unwrap_or_default());
        line("run", owner.run.as_deref().unwrap_or_default());
    }
    line(
        "digest",
        &newest
            .digest
            .map_or_else(String::new, |digest| digest.to_string()),
    );
    if let Some(url) = &newest.url {
        line("link", url);
    }
    line("error", newest.error.as_deref().unwrap_or_default());
    if let Some(inside) = &newest.pipeline {
        line("compiled by", &inside.sdk_version);
        line("tasks", &inside.tasks.to_string());
        line("images", &inside.images.join(", "));
        line("packages", &inside.packages.join(", "));
    }
    let older: Vec<&str> = shown.versions.iter().skip(1).map(VersionName::as_str).collect();
    line("before it", &older.join(", "));
    if let Some(inside) = newest
        .pipeline
        .as_ref()
        .filter(|inside| !inside.parameters.is_empty())
    {
        let rows: Vec<[String; 4]> = inside
            .parameters
            .iter()
            .map(|parameter| {
                let default = match &parameter.default {
                    Some(value) => value.to_string(),
                    None if parameter.optional => "optional".to_owned(),
                    None => "required".to_owned(),
                };
                [
                    parameter.name.clone(),
                    parameter.kind.clone(),
                    default,
                    parameter.description.clone(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(
            ["PARAMETER", "TYPE", "DEFAULT", "MEANING"],
            &rows,
            paint,
            width,
        ));
    }
    text
}

fn managed(owner: Option<&Owner>) -> String {
    match owner {
        None => "nobody: it was uploaded by hand".to_owned(),
        Some(owner) => {
            let mut text = owner
                .repo
                .clone()
                .unwrap_or_else(|| "an unnamed repository".to_owned());
            if let Some(project) = &owner.project {
                text.push_str(&format!(", project {project}"));
            }
            if let Some(target) = &owner.target {
                text.push_str(&format!(", target {target}"));
            }
            text
        }
    }
}
