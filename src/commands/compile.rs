//! `compile`: compile only, and write the compiler's own YAML where asked.

use super::found::Found;
use super::{finish, telling};
use crate::compile::Compiled;
use crate::error::{Failure, Phase};
use crate::report::{Action, Report};
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// Runs the command.
pub async fn run(settings: &Settings, output: Option<PathBuf>) -> u8 {
    let started = std::time::Instant::now();
    let mut report = Report::new("compile");
    let found = match Found::look(settings) {
        Ok(found) => found,
        Err(failure) => return finish::stopped(settings, "compile", failure).await,
    };
    let compilation = found.compile(settings, &mut report, None, output.is_some()).await;
    for one in compilation.selected {
        let mut entry = one.report(Action::Compiled);
        if let Some(folder) = &output {
            match write(settings, folder, &one.compiled) {
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
