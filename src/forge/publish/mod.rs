//! Tells everybody about a run: `pending` when it begins; status, comment, summary and notifications side
//! by side when it ends. Nothing here can fail a deployment.

mod begin;
mod end;
mod notices;

use super::Kind;
use super::client::Client;
use super::limits::{Deadline, Limits};
use super::redact::Redactor;
use crate::context::{Context, ForgeKind};
use crate::kfp::transport::Transport;
use crate::notify::When;
use crate::report::Report;
use crate::report::wording_notice::{Place, could_not};
use crate::secret::Secret;
use std::future::Future;
use std::sync::Arc;

/// Everything that decides who is told what.
#[derive(Clone)]
pub struct Telling {
    /// The program's transport, with the proxies and authorities of the user.
    pub transport: Arc<dyn Transport>,
    /// The CI job.
    pub context: Context,
    /// The target's label.
    pub target: Option<String>,
    /// `--forge`.
    pub kind: Option<Kind>,
    /// `--forge-api-url`.
    pub api_url: Option<String>,
    /// The forge's token.
    pub token: Option<Secret>,
    /// Whether a commit status is wanted.
    pub status: bool,
    /// Whether a comment is wanted.
    pub comment: bool,
    /// Whether a job summary is wanted.
    pub summary: bool,
    /// `scheme://host/topic`; without one the first user's default is tried on Gitea.
    pub ntfy: Option<Secret>,
    /// `tk_…` or `user:password`.
    pub ntfy_token: Option<Secret>,
    /// Gets the report as JSON.
    pub webhook: Option<Secret>,
    /// When notifications are wanted.
    pub when: When,
    /// The pipelines server's pages, for a link.
    pub ui_url: Option<String>,
    /// Everything that must never be shown.
    pub secrets: Vec<Secret>,
    /// Time limits.
    pub limits: Limits,
}

/// A run that is being told about.
pub struct Publisher {
    telling: Arc<Telling>,
    begun: Option<tokio::task::JoinHandle<Known>>,
}

/// What was found out while the run was under way.
#[derive(Clone, Default)]
struct Known {
    client: Option<Arc<Client>>,
    link: Option<String>,
    /// The id of the pending status.
    pending: Option<u64>,
    /// The status was refused for want of a right, and said so: it is not tried again.
    refused: bool,
    /// The forge did not answer at all so far.
    silent: bool,
    log: Vec<String>,
}

/// Begins to tell: finds the run's link and sets the status to pending, in the background.
#[must_use]
pub fn begin(telling: Telling, deploys: bool) -> Publisher {
    start(telling, Some(deploys))
}

/// Begins to tell about another job's run: finds the run's link only.
#[must_use]
pub fn relaying(telling: Telling) -> Publisher {
    start(telling, None)
}

fn start(telling: Telling, pending: Option<bool>) -> Publisher {
    let telling = Arc::new(telling);
    let wanted = telling.context.ci && telling.context.forge != ForgeKind::None;
    let begun = wanted.then(|| {
        let telling = Arc::clone(&telling);
        tokio::spawn(async move { telling.begin(pending).await })
    });
    Publisher { telling, begun }
}

impl Publisher {
    /// Tells how the run ended and gives back what could not be told, as lines for the log. Takes at most
    /// [`Limits::total`].
    pub async fn finish(mut self, report: &Report) -> Vec<String> {
        let telling = Arc::clone(&self.telling);
        let deadline = Deadline::after(telling.limits.total);
        let known = self.known().await;
        let report = Report {
            run_url: known.link.clone().or_else(|| report.run_url.clone()),
            ..report.clone()
        };
        let mut log = known.log.clone();
        log.extend(telling.write_summary(&report));
        let (status, comment, notified) = tokio::join!(
            in_time(
                deadline,
                Place::Status,
                telling.end_status(&known, &report, deadline)
            ),
            in_time(
                deadline,
                Place::Comment,
                telling.end_comment(&known, &report, deadline)
            ),
            telling.notify(&known, &report, deadline),
        );
        log.extend(status);
        log.extend(comment);
        log.extend(notified);
        log
    }

    /// `kfp-gitops notify`: tells what another job did. `report` is that job's summary, `result` what the
    /// forge says of it (see [`crate::notify::summary::result`]). A status that is still pending is closed.
    pub async fn relay(mut self, report: Option<&Report>, result: &str) -> Vec<String> {
        let telling = Arc::clone(&self.telling);
        let deadline = Deadline::after(telling.limits.total);
        let known = self.known().await;
        let report = report.map(|report| Report {
            run_url: known.link.clone().or_else(|| report.run_url.clone()),
            ..report.clone()
        });
        let report = report.as_ref();
        let mut log = known.log.clone();
        let (closed, notified) = tokio::join!(
            in_time(
                deadline,
                Place::Status,
                telling.close_pending(&known, report, result, deadline)
            ),
            async {
                match report {
                    Some(report) => telling.notify(&known, report, deadline).await,
                    None => telling.notify_died(&known, result, deadline).await,
                }
            }
        );
        log.extend(closed);
        log.extend(notified);
        log
    }

    /// What the beginning found out. It had the whole run for it, so little more time is given.
    async fn known(&mut self) -> Known {
        let Some(begun) = self.begun.take() else {
            return Known::default();
        };
        let stop = begun.abort_handle();
        if let Ok(Ok(known)) = tokio::time::timeout(self.telling.limits.call, begun).await {
            return known;
        }
        stop.abort();
        Known {
            client: self.telling.client(None).ok().flatten().map(Arc::new),
            link: self.telling.context.run_links().guess,
            silent: true,
            ..Known::default()
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            begun.abort();
        }
    }
}

/// A purpose that gives up at the deadline.
async fn in_time(
    deadline: Deadline,
    place: Place,
    purpose: impl Future<Output = Option<String>>,
) -> Option<String> {
    tokio::time::timeout_at(deadline.instant(), purpose)
        .await
        .unwrap_or_else(|_| Some(could_not(place, "no answer from the forge in time")))
}

impl Telling {
    fn redactor(&self) -> Redactor {
        let own = [&self.token, &self.ntfy, &self.ntfy_token, &self.webhook];
        Redactor::new(self.secrets.iter().chain(own.into_iter().flatten()))
    }
}
