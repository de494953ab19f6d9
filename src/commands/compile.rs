//! `compile`: compile only, and write the compiler's own YAML where asked.

use super::changed::Changes;
use super::{engine, finish, stopped, telling};
use crate::compile::Compiled;
use crate::discover::discover;
use crate::error::{Failure, Phase};
use crate::report::{Action, PipelineReport, Report};
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// Runs the command.
pub async fn run(settings: &Settings, output: Option<PathBuf>) -> u8 {
    let started = std::time::Instant::now();
    let discovered = match discover(settings) {
        Ok(discovered) => discovered,
        Err(failure) => {
            return finish::finish(
                settings,
                stopped(settings, "compile", failure),
                telling::summary(settings),
            )
            .await;
        }
    };
    let mut report = Report::new("compile");
    let changes = match Changes::since(settings) {
        Ok(changes) => changes,
        Err(failure) => {
            return finish::finish(
                settings,
                stopped(settings, "compile", failure),
                telling::summary(settings),
            )
            .await;
        }
    };
    let mut result = engine::compile(settings, &discovered, None, output.is_some()).await;
    if let Some(changes) = &changes {
        let unaffected = changes.take_out(&mut result);
        report
            .pipelines
            .extend(unaffected.into_iter().map(|(_, entry)| entry));
    }
    for (compiled, seconds, warnings) in engine::take(settings, &mut report, &discovered, result) {
        let mut entry = PipelineReport::of(&compiled, Action::Compiled);
        entry.seconds = seconds;
        entry.warnings = warnings;
        entry.digest = Some(compiled.spec.digest());
        if let Some(folder) = &output {
            match write(settings, folder, &compiled) {
                Ok(path) => entry.output = Some(path),
                Err(failure) => {
                    entry.action = Action::Failed;
                    entry.error = Some(failure);
                }
            }
        }
        report.pipelines.push(entry);
    }
    report.seconds = started.elapsed().as_secs_f64();
    finish::finish(settings, report, telling::summary(settings)).await
}

/// `DIR/<source path without .py>.yaml`, or `….<pipeline>.yaml` where a file holds several.
fn write(settings: &Settings, folder: &Path, compiled: &Compiled) -> Result<String, Failure> {
    let source = compiled.source.path.as_str();
    let stem = source.strip_suffix(".py").unwrap_or(source);
    let name = if compiled.one_of_several {
        format!("{stem}.{}.yaml", compiled.name)
    } else {
        format!("{stem}.yaml")
    };
    let shown = folder.join(&name);
    let path = settings.working_directory.join(&shown);
    let yaml = compiled.yaml.as_deref().unwrap_or_default();
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, yaml));
    written.map_err(|error| {
        Failure::failed(
            Phase::Report,
            format!("cannot write `{}`: {error}", shown.display()),
        )
        .file(source)
        .hint("give a folder you may write to with `-o`")
    })?;
    Ok(shown.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}
