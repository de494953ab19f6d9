//! `serve`: the embedded registry as a pipelines API for others.

use super::{complain, connect, finish};
use crate::cli::ServeArgs;
use crate::exit::ExitCode;
use crate::kfp::embedded::{EmbeddedOptions, start};
use crate::report::Report;
use crate::settings::Settings;
use std::io::Write;

/// Serves until SIGINT or SIGTERM.
pub async fn run(settings: &Settings, arguments: ServeArgs) -> u8 {
    let data = match (&arguments.data, &settings.server.endpoint) {
        (Some(data), _) => settings.working_directory.join(data),
        (None, crate::settings::endpoint::Endpoint::Embedded { data }) => data.clone(),
        (None, _) => settings.root.join(".kfp-gitops").join("registry"),
    };
    let running = match connect::hide_from_git(&data) {
        Ok(()) => {
            start(EmbeddedOptions {
                data: data.clone(),
                listen: arguments.listen,
            })
            .await
        }
        Err(failure) => Err(failure),
    };
    let running = match running {
        Ok(running) => running,
        Err(failure) => {
            let mut report = Report::new("serve");
            report.stop(failure);
            return finish::finish(settings, report, None).await;
        }
    };
    // The address is data: a script that asked for port 0 reads it here.
    let _ = writeln!(std::io::stdout(), "{}", running.url());
    let _ = std::io::stdout().flush();
    complain(&format!(
        "serving the pipelines API from `{}`; stop it with Ctrl-C",
        data.display()
    ));
    super::signals::Signals::hear().asked_to_stop().await;
    running.stop().await;
    ExitCode::Success.code()
}
