//! `check`: everything that can be said about the pipelines without a server and without a network.

use super::found::Found;
use super::{finish, telling};
use crate::check::check;
use crate::compile::Compiled;
use crate::error::Failure;
use crate::git::Git;
use crate::ids::PipelineName;
use crate::plan::decide::identify_all;
use crate::plan::identity::{Identity, Rules};
use crate::plan::naming::{VersionFacts, version_name};
use crate::report::{Action, PipelineReport, Report};
use crate::settings::Settings;
use semver::Version;

/// Runs the command.
pub async fn run(settings: &Settings, server: Option<Version>) -> u8 {
    let started = std::time::Instant::now();
    let found = match Found::look(settings) {
        Ok(found) => found,
        Err(failure) => return finish::stopped(settings, "check", failure).await,
    };
    let mut report = Report::new("check");
    if let Err(failure) = version_name(&settings.naming.version, &any_facts()) {
        report.stop(failure);
    }
    let compilation = found.compile(settings, &mut report, server.clone(), false).await;
    let (compiled, timings): (Vec<Compiled>, Vec<(f64, Vec<String>)>) = compilation
        .selected
        .into_iter()
        .map(|one| (one.compiled, (one.seconds, one.warnings)))
        .unzip();
    let names = match names(settings, &compiled) {
        Ok(names) => names,
        Err(failure) => {
            report.error.get_or_insert(failure);
            compiled.iter().map(|one| Ok(one.name.clone())).collect()
        }
    };
    for ((one, (seconds, warnings)), name) in compiled.iter().zip(timings).zip(names) {
        let mut entry = entry(one, name, server.as_ref());
        entry.seconds = seconds;
        entry.warnings.splice(..0, warnings);
        report.pipelines.push(entry);
    }
    report.seconds = started.elapsed().as_secs_f64();
    finish::finish(settings, report, telling::summary(settings)).await
}

/// One pipeline's line. The first error is its error; the others follow as lines.
fn entry(
    compiled: &Compiled,
    name: Result<PipelineName, Failure>,
    server: Option<&Version>,
) -> PipelineReport {
    let findings = check(compiled, server);
    let mut entry = PipelineReport {
        digest: Some(compiled.spec.digest()),
        warnings: findings.warnings,
        notes: findings.notes,
        ..PipelineReport::of(compiled, Action::Compiled)
    };
    let (name, refused) = match name {
        Ok(name) => (Some(name), None),
        Err(failure) => (None, Some(failure)),
    };
    if let Some(name) = name {
        entry.name = Some(name.as_str().to_owned());
    }
    let mut errors = refused.into_iter().chain(findings.errors);
    if let Some(mut first) = errors.next() {
        let others: Vec<String> = errors
            .map(|failure| format!("also: {}", failure.message))
            .collect();
        if !others.is_empty() {
            let detail = first.detail.take().into_iter().chain(others);
            first.detail = Some(detail.collect::<Vec<_>>().join("\n"));
        }
        entry.action = Action::Failed;
        entry.error = Some(first);
    }
    entry
}

/// The names that a server without any pipelines would give; an error where two would be the same.
fn names(settings: &Settings, compiled: &[Compiled]) -> Result<Vec<Result<PipelineName, Failure>>, Failure> {
    let context = finish::read_context(&settings.environment);
    let mark = super::origin::mark(settings, &context, &Git::new(&settings.root));
    let rules = Rules {
        naming: settings.naming.pipeline.clone(),
        project: mark.project,
        configured: settings.pipelines.clone(),
        kubernetes_store: false,
    };
    let identified = identify_all(compiled.to_vec(), &[], &rules)?;
    Ok(identified
        .into_iter()
        .map(|one| {
            one.identity.map(|identity| match identity {
                Identity::New { name, .. } => name,
                Identity::Existing(pipeline, _) => pipeline.name,
            })
        })
        .collect())
}

/// Facts for a template of version names, which is to be right even where this clone has no tag and no CI run.
fn any_facts() -> VersionFacts {
    VersionFacts {
        now: chrono::Utc::now(),
        commit: Some("0".repeat(40)),
        tag: Some("v1.0.0".to_owned()),
        semver: Some(Version::new(1, 0, 0)),
        tagged: false,
        run: Some("1".to_owned()),
    }
}
