//! A [`Report`] for the faces that draw: the Markdown of a comment and the HTML page.

use super::diff::Entry;
use super::html::{HtmlPipeline, HtmlReport, Version, render as render_html};
use super::{Action, PipelineReport, Report, headline, text_changes};
use crate::ir::graph::Graph;
use crate::plan::KnownVersion;
use crate::plan::diff::{Difference, diff_drawn};

/// Most nodes of a graph on each side.
const MOST: usize = 1_000;

/// A pipeline with what changes in it and its marked graph.
pub struct Drawn<'a> {
    pipeline: &'a PipelineReport,
    difference: Difference,
    graph: Option<Graph>,
}

/// The pipelines of a run that were compiled, drawn; `all` takes the unchanged ones too.
#[must_use]
pub fn drawn(report: &Report, all: bool) -> Vec<Drawn<'_>> {
    report
        .pipelines
        .iter()
        .filter(|pipeline| all || pipeline.difference.is_some())
        .filter_map(draw)
        .collect()
}

fn draw(pipeline: &PipelineReport) -> Option<Drawn<'_>> {
    let Some(specs) = &pipeline.specs else {
        return Some(Drawn {
            pipeline,
            difference: pipeline.difference.as_deref()?.clone(),
            graph: None,
        });
    };
    let (drawn, graph) = diff_drawn(specs.before.as_ref(), &specs.after, MOST);
    Some(Drawn {
        pipeline,
        // What was there may have been no spec, which only the plan's own difference tells.
        difference: pipeline.difference.as_deref().cloned().unwrap_or(drawn),
        graph: Some(graph).filter(|graph| !graph.nodes.is_empty()),
    })
}

/// What the faces of differences take.
#[must_use]
pub fn entries<'a>(drawn: &'a [Drawn<'a>]) -> Vec<Entry<'a>> {
    drawn.iter().map(entry).collect()
}

fn entry<'a>(drawn: &'a Drawn<'a>) -> Entry<'a> {
    Entry {
        name: drawn.pipeline.name.as_deref().unwrap_or("?"),
        file: drawn.pipeline.file.as_deref(),
        difference: &drawn.difference,
        graph: drawn.graph.as_ref(),
    }
}

/// The whole run as one HTML page.
#[must_use]
pub fn render(report: &Report) -> String {
    let drawn = drawn(report, true);
    let title = match &report.target {
        Some(target) => format!("{}: {target}", report.command),
        None => format!("kfp-gitops {}", report.command),
    };
    let pipelines = drawn.iter().map(pipeline).collect();
    render_html(&HtmlReport {
        title: &title,
        facts: facts(report),
        pipelines,
    })
}

fn pipeline<'a>(drawn: &'a Drawn<'a>) -> HtmlPipeline<'a> {
    let pipeline = drawn.pipeline;
    let mut findings = pipeline.warnings.clone();
    findings.extend(pipeline.notes.iter().cloned());
    findings.extend(pipeline.error.as_ref().map(ToString::to_string));
    HtmlPipeline {
        entry: entry(drawn),
        spec: pipeline.specs.as_ref().map(|specs| &specs.after),
        action: Some(pipeline.action.as_str()),
        url: pipeline.url.as_deref(),
        versions: versions(pipeline),
        findings,
    }
}

/// What the server holds, with what this run uploaded or would upload on top.
fn versions(pipeline: &PipelineReport) -> Vec<Version> {
    let known = pipeline.versions.iter().map(|one| Version {
        name: one.name.as_str().to_owned(),
        created: one.created_at.clone().unwrap_or_default(),
        commit: one.commit.as_ref().map(|commit| commit.chars().take(7).collect()),
        digest: one.digest.map(|digest| digest.short()),
        by: one.by.clone(),
    });
    let own = pipeline.version_name.iter().filter(|name| {
        let is_known = |one: &KnownVersion| one.name == **name;
        !pipeline.versions.iter().any(is_known)
    });
    let own = own.map(|name| Version {
        name: name.as_str().to_owned(),
        digest: pipeline.digest.map(|digest| digest.short()),
        by: Some(match pipeline.action {
            Action::Create | Action::Update => "what would be uploaded".to_owned(),
            _ => "this run".to_owned(),
        }),
        ..Version::default()
    });
    own.chain(known).collect()
}

fn facts(report: &Report) -> Vec<String> {
    let mut facts = vec![headline::headline(report)];
    facts.extend(report.endpoint.clone());
    if let Some(plan) = &report.plan {
        facts.extend(plan.against.as_ref().map(|side| format!("against {side}")));
        facts.extend(plan.digest.map(|digest| format!("plan {}", digest.short())));
    }
    if let Some(commit) = &report.commit {
        facts.push(format!("commit {}", commit.get(..7).unwrap_or(commit)));
    }
    facts.extend(
        report
            .engine
            .as_ref()
            .map(|engine| format!("kfp {}", engine.kfp_version)),
    );
    facts.extend(
        report
            .server
            .as_ref()
            .and_then(|server| server.version.as_ref())
            .map(|version| format!("server {version}")),
    );
    // Files that gave nothing have no place among the pipelines.
    facts.extend(
        report
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.specs.is_none())
            .filter_map(|pipeline| pipeline.error.as_ref())
            .map(ToString::to_string),
    );
    facts.extend(report.error.as_ref().map(ToString::to_string));
    if let Some(plan) = &report.plan {
        facts.extend(
            plan.drift
                .iter()
                .map(|one| text_changes::drift_sentence(one, plan.against.as_deref())),
        );
    }
    facts
}
