//! `notify`: tells what another job did, and closes a status that nobody closed because that job died.

use super::{complain, telling};
use crate::cli::NotifyArgs;
use crate::error::{Failure, Phase};
use crate::exit::ExitCode;
use crate::forge::publish::relaying;
use crate::notify::summary;
use crate::settings::Settings;
use std::io::Read;

/// Runs the command.
pub async fn run(settings: &Settings, arguments: NotifyArgs) -> u8 {
    let report = match read(&arguments).and_then(|text| summary::parse(&text)) {
        Ok(report) => report,
        Err(failure) => {
            complain(&format!("error: {failure}"));
            if let Some(hint) = &failure.hint {
                complain(&format!("  hint: {hint}"));
            }
            return failure.exit_code().code();
        }
    };
    let Some(telling) = telling::telling(settings) else {
        complain("nobody is to be told: this is no CI job, and neither ntfy nor a webhook is set");
        return ExitCode::Success.code();
    };
    // Without the job's own word: what its report says, and silence never looks like success.
    let result = arguments.deploy_result.as_deref().unwrap_or(match &report {
        Some(report) if report.exit_code == 0 => "success",
        _ => "failure",
    });
    for line in relaying(telling)
        .relay(report.as_ref(), summary::result(result))
        .await
    {
        complain(&line);
    }
    ExitCode::Success.code()
}

fn read(arguments: &NotifyArgs) -> Result<String, Failure> {
    match arguments.deploy_summary.as_deref() {
        None => Ok(String::new()),
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map(|_| text)
                .map_err(|error| unreadable("standard input", &error))
        }
        // The output of a job comes as text, a results file as a path.
        Some(text) if text.trim().is_empty() || text.trim_start().starts_with('{') => Ok(text.to_owned()),
        Some(path) => std::fs::read_to_string(path).map_err(|error| unreadable(path, &error)),
    }
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::usage(
        Phase::Report,
        format!("cannot read the summary from `{what}`: {error}"),
    )
    .hint("pass the output `summary` of the step that deployed, a results file, or `-`")
}
