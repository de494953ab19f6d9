//! `compile`: compile only, and write the compiler's own YAML where asked.

use super::found::Found;
use super::{finish, telling};
use crate::compile::Compiled;
use crate::error::{Failure, Phase};
use crate::ir::says;
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
    if compiled.one_of_several && !is_part_of_a_file_name(compiled.name.as_str()) {
        return Err(Failure::failed(
            Phase::Report,
            "the pipeline's name cannot be part of a file's name",
        )
        .file(source)
        .hint("give it a name of letters, digits and `-`: `@dsl.pipeline(name=…)`"));
    }
    let base = settings.working_directory.join(folder);
    let path = settings.working_directory.join(&shown);
    let yaml = compiled.yaml.as_deref().unwrap_or_default();
    std::str::from_utf8(yaml)
        .map_err(|error| error.to_string())
        .and_then(|text| says(text, &compiled.spec))
        .map_err(|why| is_another(compiled, &why))?;
    put(&base, &path, yaml).map_err(|error| {
        Failure::failed(
            Phase::Report,
            format!("cannot write `{}`: {error}", shown.display()),
        )
        .file(source)
        .hint("give a folder you may write to with `-o`, without links in it that lead elsewhere")
    })?;
    Ok(shown.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}

/// The file would be something else than the pipeline that is shown and deployed.
fn is_another(compiled: &Compiled, why: &str) -> Failure {
    Failure::failed(
        Phase::Report,
        format!("the YAML that came with the pipeline does not say what the pipeline is: {why}"),
    )
    .file(compiled.source.path.as_str())
    .hint(
        "the compiler copies descriptions and defaults into the comment at the top of the file, where a line break or \
         a control character ends the comment: take those out; `apply` is not affected",
    )
}

/// The name comes out of the pipeline's own code.
fn is_part_of_a_file_name(name: &str) -> bool {
    !name.contains(['/', '\\']) && !name.chars().any(char::is_control) && name.len() <= 200
}

/// Writes a file beneath a folder, whole or not at all. What is there under its name is replaced, never written
/// through, and no link in the folder leads out of it: both may come from the repository.
fn put(base: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let parent = path.parent().unwrap_or(base);
    std::fs::create_dir_all(base)?;
    let base = base.canonicalize()?;
    // before anything is made beyond a link
    let existing = parent
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(parent);
    if !existing.canonicalize()?.starts_with(&base) {
        return Err(std::io::Error::other("a link leads out of the folder"));
    }
    finish::write_whole_as(path, bytes, 0o644)
}
