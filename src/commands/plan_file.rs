//! The plan as a file: made by `plan --out`, read by `apply --plan`.

use super::deploy::Prepared;
use super::finish;
use crate::error::{Failure, Phase};
use crate::plan::file::{Entry, PlanFile, PlanSettings, SCHEMA};
use crate::report::Action;
use crate::report::build::TOOL_VERSION;
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// The plan that was prepared, to be written or compared.
#[must_use]
pub fn of(settings: &Settings, prepared: &Prepared) -> PlanFile {
    let failed = prepared
        .report
        .pipelines
        .iter()
        .filter(|one| one.action == Action::Failed)
        .map(|one| Entry::failed(one.file.clone()));
    let planned = prepared.planned.iter().map(|timed| Entry::of(&timed.planned));
    let mut pipelines: Vec<Entry> = failed.chain(planned).collect();
    pipelines.sort_by(|a, b| (&a.file, &a.function).cmp(&(&b.file, &b.function)));
    pipelines.dedup();
    PlanFile {
        schema: SCHEMA,
        digest: None,
        tool_version: TOOL_VERSION.to_owned(),
        commit: prepared.mark.commit.clone(),
        version_name: prepared.version_name.clone(),
        settings: PlanSettings {
            endpoint: settings.server.endpoint.display(),
            namespace: settings.server.namespace.clone(),
            target: settings.target.clone(),
            repo: prepared.mark.repo.clone(),
            project: prepared.mark.project.clone(),
            paths: settings
                .paths
                .iter()
                .map(|path| relative(&settings.root, path))
                .collect(),
            only: settings.only.clone(),
            adopt: settings.apply.adopt,
            force: settings.apply.force,
        },
        server: prepared.report.server.as_ref().map(Into::into),
        kfp: prepared
            .report
            .engine
            .as_ref()
            .map(|engine| engine.kfp_version.clone()),
        pipelines,
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let text = path
        .strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/");
    if text.is_empty() { ".".to_owned() } else { text }
}

/// Writes the plan.
///
/// # Errors
/// When the file cannot be written (exit 2).
pub fn write(path: &Path, plan: &PlanFile) -> Result<(), Failure> {
    finish::write_whole(path, &plan.render()).map_err(|error| {
        Failure::usage(
            Phase::Report,
            format!("cannot write the plan to `{}`: {error}", path.display()),
        )
        .hint("give a path you may write to with `--out`")
    })
}

/// Reads a plan.
///
/// # Errors
/// When there is none, or it is not as it was made (exit 2).
pub fn read(path: &Path) -> Result<PlanFile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(
            Phase::Settings,
            format!("cannot read the plan `{}`: {error}", path.display()),
        )
        .hint("make it with `kfp-gitops plan --out FILE`")
    })?;
    PlanFile::parse(&text, &path.display().to_string())
}

/// Where the plan searched, for an `apply` that names no PATH.
#[must_use]
pub fn paths(plan: &PlanFile, given: &[PathBuf]) -> Vec<PathBuf> {
    if !given.is_empty() {
        return given.to_vec();
    }
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let root = crate::git::work_tree(&folder).unwrap_or(folder);
    plan.settings.paths.iter().map(|path| root.join(path)).collect()
}

/// The settings of an `apply` that carries the plan out: what it was not told otherwise is as planned.
pub fn take_over(settings: &mut Settings, plan: &PlanFile) {
    if settings.only.is_empty() {
        settings.only.clone_from(&plan.settings.only);
    }
    settings.apply.adopt |= plan.settings.adopt;
    settings.apply.force |= plan.settings.force;
}
