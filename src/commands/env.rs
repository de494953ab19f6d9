//! `env`: which Python and which kfp would compile, and why; with `--prepare` everything is made ready.

use super::progress::CompileProgress;
use super::{engine, finish, stopped};
use crate::compile::{Description, SandboxLevel, describe, prepare};
use crate::discover::discover;
use crate::exit::ExitCode;
use crate::report::text::clean;
use crate::settings::Settings;

/// Runs the command.
pub async fn run(settings: &Settings, prepares: bool) -> u8 {
    let discovered = match discover(settings) {
        Ok(discovered) => discovered,
        Err(failure) => return finish::finish(settings, stopped(settings, "env", failure), None).await,
    };
    let engine = engine::engine_settings(settings, None, false);
    let found = if prepares {
        let progress = CompileProgress::new(settings.output.quiet || settings.output.json, settings.ci);
        let found = prepare(&engine, &discovered.sources, &progress).await;
        progress.done();
        found
    } else {
        describe(&engine, &discovered.sources).await
    };
    match found {
        Ok(description) => {
            finish::say(&if settings.output.json {
                // Paths and texts only, which always serialize.
                serde_json::to_string_pretty(&description).unwrap_or_default() + "\n"
            } else {
                text(&description)
            });
            ExitCode::Success.code()
        }
        Err(failure) => finish::finish(settings, stopped(settings, "env", failure), None).await,
    }
}

fn text(found: &Description) -> String {
    let mut lines = vec![
        format!("python   {} ({})", found.python.display(), found.python_version),
        format!("kfp      {} from {}", found.kfp_version, found.kfp_from),
    ];
    lines.extend(found.pin_hint.iter().map(|hint| format!("         {hint}")));
    lines.push(match (&found.environment, found.ready, &found.installer) {
        (None, ..) => "packages those of the interpreter".to_owned(),
        (Some(folder), true, _) => format!("packages {}", folder.display()),
        (Some(folder), false, installer) => format!(
            "packages to be installed with {} into {}: `kfp-gitops env --prepare` does it now",
            installer.as_deref().unwrap_or("pip"),
            folder.display()
        ),
    });
    lines.push(format!("cache    {}", found.cache_directory.display()));
    lines.push(match (&found.sandbox_reason, found.sandbox) {
        (Some(reason), level) if level != SandboxLevel::Full => {
            format!("sandbox  {}: {reason}", level.as_str())
        }
        (_, level) => format!("sandbox  {}", level.as_str()),
    });
    lines.extend(found.notes.iter().map(|note| format!("note     {note}")));
    lines.iter().map(|line| clean(line) + "\n").collect()
}
