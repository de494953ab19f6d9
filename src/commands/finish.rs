//! The end of every command: the report goes to standard output, the results file and the job's outputs.

use super::{complain, telling};
use crate::cli::{Format, Global};
use crate::context::{self, Context};
use crate::error::Failure;
use crate::forge::publish::Publisher;
use crate::report::{Report, annotations, json, outputs, page, sarif, text};
use crate::settings::Settings;
use crate::settings::endpoint::Endpoint;
use crate::settings::environment::Environment;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Settles the report, writes all its forms, tells everybody, and gives the exit code.
pub async fn finish(settings: &Settings, mut report: Report, publisher: Option<Publisher>) -> u8 {
    let context = read_context(&settings.environment);
    report.settle();
    if matches!(settings.server.endpoint, Endpoint::Embedded { .. }) {
        // The registry in this process ends with it: its address leads nowhere.
        report
            .pipelines
            .iter_mut()
            .for_each(|pipeline| pipeline.url = None);
    }
    // First what the next step reads: a job that is killed while people are told still has it.
    let code = write_all(&mut report, &settings.output, &context);
    if let Some(publisher) = publisher {
        for line in publisher.finish(&report).await {
            complain(&line);
        }
    }
    code
}

/// The end of a run that stopped before anything was compiled.
pub async fn stopped(settings: &Settings, command: &str, failure: Failure) -> u8 {
    finish(
        settings,
        super::stopped(settings, command, failure),
        telling::summary(settings),
    )
    .await
}

/// The end of a run whose settings could not even be read.
#[must_use]
pub fn without_settings(command: &str, failure: Failure, global: &Global, environment: &Environment) -> u8 {
    let mut report = Report::new(command);
    report.stop(failure);
    let absolute =
        |path: &PathBuf| std::env::current_dir().map_or_else(|_| path.clone(), |folder| folder.join(path));
    let output = crate::settings::Output {
        json: global.format == Some(Format::Json),
        results: global.results.as_ref().map(absolute),
        sarif: global.sarif.as_ref().map(absolute),
        color: false,
        width: None,
        verbose: global.verbose,
        quiet: global.quiet,
        html: None,
    };
    write_all(&mut report, &output, &read_context(environment))
}

/// The CI job as the environment and the event file tell it.
#[must_use]
pub fn read_context(environment: &Environment) -> Context {
    let event = environment
        .text(context::variables::GITHUB_EVENT_PATH)
        .map(PathBuf::from)
        .and_then(|path| context::read_event_file(&path).ok().flatten());
    context::read(&environment.all_text(), event.as_deref())
}

fn write_all(report: &mut Report, output: &crate::settings::Output, context: &Context) -> u8 {
    let mut code = report.settle();
    if let Some(path) = &output.sarif
        && let Err(failure) = write_sarif(path, report)
    {
        report.error.get_or_insert(failure);
        code = report.settle();
    }
    if let Some(path) = &output.html {
        let written = write_whole(path, &page::render(report));
        if let Err(error) = written {
            report.error.get_or_insert(
                Failure::usage(
                    crate::error::Phase::Report,
                    format!("cannot write the page `{}`: {error}", path.display()),
                )
                .hint("give a path you may write to with `--html`"),
            );
            code = report.settle();
        }
    }
    if let Some(path) = &output.results
        && let Err(failure) = write_results(path, report)
    {
        report.error.get_or_insert(failure);
        code = report.settle();
    }
    let written = if output.json {
        json::render(report)
            .unwrap_or_else(|error| format!("{{\"schema\":1,\"error\":{:?}}}\n", error.to_string()))
    } else {
        let options = text::Options {
            color: output.color,
            verbose: output.verbose > 0,
            quiet: output.quiet,
            width: output.width,
        };
        let text = text::render(report, options);
        // No line that comes from a file or a server may command the runner.
        if context.ci {
            format!("{}\n", annotations::defused(&text))
        } else {
            text
        }
    };
    // A reader that went away (`| head`) does not change what happened on the server.
    let _ = std::io::stdout().write_all(written.as_bytes());
    let _ = std::io::stdout().flush();
    telling::annotate(report, context);
    if let Some(path) = &context.output {
        let results = output.results.as_ref().map(|path| path.display().to_string());
        if let Err(error) = outputs::append(path, &outputs::outputs(report, results.as_deref())) {
            complain(&format!(
                "warning: the job's outputs could not be written: {error}"
            ));
        }
    }
    code.code()
}

/// Writes the results file.
fn write_results(path: &Path, report: &Report) -> Result<(), Failure> {
    let failure = |error: &dyn std::fmt::Display| {
        Failure::usage(
            crate::error::Phase::Report,
            format!("cannot write the results file `{}`: {error}", path.display()),
        )
        .hint("give a path you may write to with `--results`")
    };
    let text = json::render(report).map_err(|error| failure(&error))?;
    write_whole(path, &text).map_err(|error| failure(&error))
}

/// Writes the SARIF file.
fn write_sarif(path: &Path, report: &Report) -> Result<(), Failure> {
    write_whole(path, &sarif::render(report)).map_err(|error| {
        Failure::usage(
            crate::error::Phase::Report,
            format!("cannot write the SARIF file `{}`: {error}", path.display()),
        )
        .hint("give a path you may write to with `--sarif`")
    })
}

/// Writes beside the file and renames, so that a reader never sees half of it; makes the folders.
pub(super) fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    write_whole_as(path, text.as_bytes(), 0o600)
}

/// The same for bytes and a mode, of which the process's mask takes away.
pub(super) fn write_whole_as(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a command's data to standard output.
pub(super) fn say(text: &str) {
    // A reader that went away (`| head`) is nobody's fault.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}
