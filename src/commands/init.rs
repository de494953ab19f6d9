//! `init`: writes a workflow for the forge it finds and a commented configuration, and shows what the
//! first deployment would do.

use super::{deploy, entries, finish};
use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::report::Report;
use crate::report::build::TOOL_VERSION;
use crate::settings::Settings;
use crate::settings::file::FILE_NAME;
use std::path::PathBuf;

const CONFIGURATION: &str = include_str!("templates/kfp-gitops.yaml");
const WORKFLOW: &str = include_str!("templates/workflow.yaml");

/// Runs the command.
pub async fn run(settings: &Settings, overwrite: bool) -> u8 {
    let started = std::time::Instant::now();
    let mut report = Report::new("init");
    report.notes.extend(settings.notes.iter().cloned());
    for (path, text) in files(settings) {
        match write(settings, &path, &text, overwrite) {
            Ok(said) => report.notes.push(said),
            Err(failure) => {
                report.stop(failure);
                return finish::finish(settings, report, None).await;
            }
        }
    }
    match deploy::prepare(settings, "init").await {
        Ok(prepared) => {
            let client = prepared.connected.as_ref().map(|connected| &connected.client);
            report.pipelines = prepared
                .planned
                .iter()
                .map(|timed| entries::entry(timed, client))
                .collect();
            report.pipelines.splice(0..0, prepared.report.pipelines);
            report.endpoint = prepared.report.endpoint;
            report.server = prepared.report.server;
            report.engine = prepared.report.engine;
            report.warnings = prepared.report.warnings;
            report.counts = prepared.report.counts;
            report.notes.push("what the first `apply` would do:".to_owned());
            if let Some(connected) = prepared.connected {
                connected.close().await;
            }
        }
        // The files are written; that the server cannot be seen from here is no failure of `init`.
        Err(stopped) => {
            report.pipelines = stopped.pipelines;
            if let Some(failure) = stopped.error {
                report
                    .warnings
                    .push(format!("cannot show what would be adopted: {failure}"));
            }
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    finish::finish(settings, report, None).await
}

fn files(settings: &Settings) -> Vec<(PathBuf, String)> {
    let github = is_github(settings);
    let (folder, permissions) = if github {
        (
            ".github/workflows",
            "  contents: read\n  statuses: write\n  issues: write\n  pull-requests: write",
        )
    } else {
        // Gitea has no scope for statuses: they need write on the code.
        (
            ".gitea/workflows",
            "  contents: write\n  issues: write\n  pull-requests: write",
        )
    };
    let endpoint = if github {
        "          endpoint: https://kubeflow.example.com/pipeline # your server\n          token: ${{ secrets.KFP_TOKEN }}"
    } else {
        "          endpoint: http://ml-pipeline.kubeflow.svc.cluster.local:8888"
    };
    let workflow = WORKFLOW
        .replace("@PERMISSIONS@", permissions)
        .replace("@VERSION@", TOOL_VERSION)
        .replace("@ENDPOINT@", endpoint);
    vec![
        (PathBuf::from(FILE_NAME), CONFIGURATION.to_owned()),
        (PathBuf::from(folder).join("kfp-gitops.yaml"), workflow),
    ]
}

fn is_github(settings: &Settings) -> bool {
    use crate::settings::file::ForgeKind;
    if let Some(kind) = settings.forge.kind {
        return kind == ForgeKind::Github;
    }
    if settings.root.join(".gitea").is_dir() {
        return false;
    }
    settings.root.join(".github").is_dir()
        || Git::new(&settings.root)
            .remote_url()
            .is_some_and(|url| url.contains("github.com"))
}

fn write(settings: &Settings, path: &PathBuf, text: &str, overwrite: bool) -> Result<String, Failure> {
    let absolute = settings.root.join(path);
    if absolute.exists() && !overwrite {
        return Ok(format!(
            "kept `{}`, which exists (`--overwrite` replaces it)",
            path.display()
        ));
    }
    let written = absolute
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&absolute, text));
    written.map_err(|error| {
        Failure::usage(
            Phase::Report,
            format!("cannot write `{}`: {error}", path.display()),
        )
        .hint("run `init` where you may write")
    })?;
    Ok(format!("wrote `{}`", path.display()))
}
