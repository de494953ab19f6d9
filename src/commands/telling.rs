//! Settings and the CI job -> who is told what, and the lines a runner reads.

use super::{complain, finish};
use crate::context::{self, Context};
use crate::forge::Kind;
use crate::forge::limits::Limits;
use crate::forge::publish::{Publisher, Telling, begin};
use crate::kfp::http::HttpTransport;
use crate::notify::When;
use crate::report::{Report, annotations};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::settings::environment::Environment;
use crate::settings::file::ForgeKind;
use std::sync::Arc;
use std::time::Duration;

/// How long connecting to the forge or to ntfy may take.
const CONNECT: Duration = Duration::from_secs(3);

/// Makes the runner hide every secret, before anything else is printed.
pub fn mask(environment: &Environment) {
    if environment.is_ci() {
        for line in environment.secret_values().iter().flat_map(annotations::masks) {
            // A mask is an instruction to the runner, which takes it out of the log.
            super::instruct(&line);
        }
    }
}

/// Begins to tell about a run; `None` where nobody is to be told.
#[must_use]
pub fn start(settings: &Settings, deploys: bool) -> Option<Publisher> {
    telling(settings).map(|telling| begin(telling, deploys))
}

/// For commands that decide nothing: the job summary alone, so that the pull request keeps its status and
/// its comment.
#[must_use]
pub fn summary(settings: &Settings) -> Option<Publisher> {
    let mut telling = telling(settings)?;
    telling.context.forge = context::ForgeKind::None;
    telling.status = false;
    telling.comment = false;
    telling.ntfy = Secret::new("none").ok();
    telling.webhook = None;
    Some(begin(telling, false))
}

/// Everything that decides who is told what.
#[must_use]
pub fn telling(settings: &Settings) -> Option<Telling> {
    let context = finish::read_context(&settings.environment);
    let asked = settings.notify.ntfy.is_some() || settings.notify.webhook.is_some();
    if !context.ci && !asked {
        return None;
    }
    let server = &settings.server;
    // `--insecure-skip-tls-verify` is about the pipelines server; the forge's token goes to nobody else.
    let transport = match HttpTransport::new(server.ca_file.as_deref(), false, CONNECT) {
        Ok(transport) => transport,
        Err(failure) => {
            complain(&format!("warning: nobody can be told: {failure}"));
            return None;
        }
    };
    Some(Telling {
        transport: Arc::new(transport),
        context,
        target: settings.target.clone(),
        kind: settings.forge.kind.map(|kind| match kind {
            ForgeKind::Gitea => Kind::Gitea,
            ForgeKind::Github => Kind::GitHub,
        }),
        api_url: settings.forge.api_url.clone(),
        token: settings.forge.token.clone(),
        status: settings.forge.status,
        comment: settings.forge.comment,
        summary: settings.forge.summary,
        ntfy: settings.notify.ntfy.clone(),
        ntfy_token: settings.notify.ntfy_token.clone(),
        webhook: settings.notify.webhook.clone(),
        when: if settings.notify.unchanged {
            When::Always
        } else {
            When::Remarkable
        },
        ui_url: server.ui_url.clone(),
        secrets: settings.environment.secret_values(),
        limits: Limits::default(),
    })
}

/// The annotations of a report, as lines for the runner.
pub fn annotate(report: &Report, context: &Context) {
    if context.ci && context.takes_workflow_commands() {
        for line in annotations::annotations(report, context.forge) {
            super::instruct(&line);
        }
    }
}
