//! The end: notifications.

use super::{Known, Telling};
use crate::context::ForgeKind;
use crate::forge::limits::Deadline;
use crate::notify::ntfy::{self, Links, Ntfy};
use crate::notify::webhook::Webhook;
use crate::notify::{self};
use crate::report::Report;
use crate::report::wording::{self, Outcome};
use crate::report::wording_notice::{self, Notice, not_notified};
use crate::secret::Secret;
use std::future::Future;

/// Who is notified, and what is wrong with the addresses of the others.
struct Receivers {
    ntfy: Option<Ntfy>,
    webhook: Option<Webhook>,
    log: Vec<String>,
}

impl Telling {
    pub(super) async fn notify(&self, known: &Known, report: &Report, deadline: Deadline) -> Vec<String> {
        let mut receivers = self.receivers().await;
        if receivers.ntfy.is_none() && receivers.webhook.is_none() {
            return receivers.log;
        }
        let recovered = self.recovered(known, report, deadline).await;
        if !notify::wanted(report, &self.context, self.when, recovered) {
            return receivers.log;
        }
        let notice = wording_notice::notice(report, &self.context, recovered);
        let run = report.run_url.as_deref();
        let body = Webhook::body(Some(report), &notice.title, &self.context, run, recovered);
        let failed = self.send(&receivers, &notice, &body, run, deadline).await;
        receivers.log.extend(failed);
        receivers.log
    }

    pub(super) async fn notify_died(&self, known: &Known, result: &str, deadline: Deadline) -> Vec<String> {
        let mut receivers = self.receivers().await;
        let notice = wording_notice::died(result, &self.context);
        let run = known.link.as_deref();
        let body = Webhook::body(None, &notice.title, &self.context, run, false);
        let failed = self.send(&receivers, &notice, &body, run, deadline).await;
        receivers.log.extend(failed);
        receivers.log
    }

    async fn send(
        &self,
        receivers: &Receivers,
        notice: &Notice,
        body: &str,
        run: Option<&str>,
        deadline: Deadline,
    ) -> Vec<String> {
        let redactor = self.redactor();
        let sequence = notify::sequence(&self.context, self.target.as_deref());
        let sequence = sequence.as_deref();
        let links = Links {
            run: run.map(str::to_owned),
            ui: self.ui_url.clone(),
        };
        let (transport, limits) = (&*self.transport, &self.limits);
        let notice = Notice {
            title: redactor.clean(&notice.title),
            message: redactor.clean(&notice.message),
            ..notice.clone()
        };
        let (one, two) = tokio::join!(
            async {
                let ntfy = receivers.ntfy.as_ref()?;
                let body = ntfy.body(&notice, &links, sequence);
                in_time(
                    deadline,
                    "ntfy",
                    ntfy.send(transport, body, limits, &redactor, deadline),
                )
                .await
            },
            async {
                let webhook = receivers.webhook.as_ref()?;
                let body = redactor.clean(body);
                let sent = webhook.send(transport, body, sequence, limits, &redactor, deadline);
                in_time(deadline, "webhook", sent).await
            }
        );
        one.into_iter().chain(two).collect()
    }

    async fn receivers(&self) -> Receivers {
        let mut log = Vec::new();
        let ntfy = match &self.ntfy {
            // A job whose run another job tells of.
            Some(address) if address.expose().eq_ignore_ascii_case("none") => None,
            Some(address) => match Ntfy::parse(address, self.ntfy_token.as_ref()) {
                Ok(ntfy) => Some(ntfy),
                Err(why) => {
                    log.push(not_notified("ntfy", why));
                    None
                }
            },
            None => self.default_ntfy().await,
        };
        let webhook = match self.webhook.as_ref().map(Webhook::parse) {
            None => None,
            Some(Ok(webhook)) => Some(webhook),
            Some(Err(why)) => {
                log.push(not_notified("webhook", why));
                None
            }
        };
        Receivers { ntfy, webhook, log }
    }

    /// The first user's default: on Gitea only, never from a fork, and only where the name is known.
    async fn default_ntfy(&self) -> Option<Ntfy> {
        if self.context.forge != ForgeKind::Gitea || self.context.from_fork() || !self.context.ci {
            return None;
        }
        let address = Secret::new(ntfy::DEFAULT).ok()?;
        let ntfy = Ntfy::parse(&address, self.ntfy_token.as_ref()).ok()?;
        let (host, port) = ntfy.host();
        let limit = ntfy::RESOLVE_LIMIT.min(self.limits.call);
        ntfy::resolves(&host, port, limit).await.then_some(ntfy)
    }

    /// Whether the run before this one on the branch failed and this one did not.
    async fn recovered(&self, known: &Known, report: &Report, deadline: Deadline) -> bool {
        let well = matches!(wording::outcome(report), Outcome::Unchanged | Outcome::Changed);
        let place = (&known.client, &self.context.sha, &self.context.branch);
        let (Some(client), Some(sha), Some(branch)) = place else {
            return false;
        };
        if !well || report.command != "apply" || known.silent || self.context.pull_request().is_some() {
            return false;
        }
        let asked = client.failed_before(branch, sha, self.target.as_deref(), known.pending, deadline);
        // Not knowing is no reason to wait, nor to claim anything.
        matches!(tokio::time::timeout(self.limits.call, asked).await, Ok(Ok(true)))
    }
}

async fn in_time(
    deadline: Deadline,
    service: &str,
    sent: impl Future<Output = Result<(), String>>,
) -> Option<String> {
    let result = tokio::time::timeout_at(deadline.instant(), sent).await;
    let result = result.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    result.err().map(|why| not_notified(service, &why))
}
