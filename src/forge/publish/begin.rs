//! The beginning: which forge, which link, and the pending status.

use super::{Known, Telling};
use crate::context::ForgeKind;
use crate::forge::client::{Client, Options};
use crate::forge::error::{Fault, ForgeError};
use crate::forge::limits::Deadline;
use crate::forge::status::State;
use crate::forge::{Kind, link};
use crate::report::wording;
use crate::report::wording_notice::{Place, could_not};
use std::sync::Arc;

impl Telling {
    /// `pending` says whether the run deploys, for the status; `None` sets no status.
    pub(super) async fn begin(&self, pending: Option<bool>) -> Known {
        let mut known = Known {
            link: self.context.run_links().guess,
            ..Known::default()
        };
        let found = if self.kind.is_none() && self.context.forge == ForgeKind::Unknown && self.wants_forge() {
            self.probe().await
        } else {
            None
        };
        let client = match self.client(found) {
            Ok(Some(client)) => Arc::new(client),
            Ok(None) => return known,
            Err(error) => {
                known.log.push(could_not(Place::Status, &error.message));
                return known;
            }
        };
        if let Some(link) = client
            .run_link(&self.context, Deadline::after(self.limits.call))
            .await
        {
            known.link = Some(link);
        }
        if let (Some(deploys), true, Some(sha)) = (pending, self.status, &self.context.sha) {
            let deadline = Deadline::after(self.limits.call);
            let text = wording::pending(deploys);
            let target = self.target.as_deref();
            let link = known.link.as_deref();
            match client
                .set_status(sha, State::Pending, target, text, link, deadline)
                .await
            {
                Ok(id) => known.pending = id,
                Err(error) if matches!(error.fault, Fault::Forbidden | Fault::Unauthorized) => {
                    known.refused = true;
                    known
                        .log
                        .push(self.why_not(Place::Status, &client, &error, deadline).await);
                }
                // The end of the run tries again, and says it if that fails too.
                Err(error) => {
                    known.silent = matches!(error.fault, Fault::Unreachable | Fault::Lost);
                }
            }
        }
        known.client = Some(client);
        known
    }

    async fn probe(&self) -> Option<(Kind, String)> {
        let server = self.context.server_url.as_ref()?;
        link::probe(&*self.transport, server, self.limits.call).await
    }

    const fn wants_forge(&self) -> bool {
        self.status || self.comment
    }

    /// The forge's client, asking the server what it is where the job does not tell (GitHub Enterprise, a runner
    /// of an unknown kind); `None` where nobody can tell.
    pub(crate) async fn found_client(&self) -> Option<Client> {
        if let Ok(Some(client)) = self.client(None) {
            return Some(client);
        }
        let found = self.probe().await?;
        self.client(Some(found)).ok().flatten()
    }

    /// The forge's client, `None` where nothing can or shall be told there. Asks nobody: `found` is what
    /// asking an unknown address gave.
    pub(crate) fn client(&self, found: Option<(Kind, String)>) -> Result<Option<Client>, ForgeError> {
        let Some(repository) = self.context.repository.clone() else {
            return Ok(None);
        };
        if self.token.is_none() {
            if !self.wants_forge() {
                return Ok(None);
            }
            let reason = "there is no token; give the job's own as `forge-token`";
            return Err(ForgeError::new(Fault::Unauthorized, reason));
        }
        let (found_kind, found_api) = found.unzip();
        let Some(kind) = self.kind.or_else(|| Kind::of(self.context.forge)).or(found_kind) else {
            let reason = "nobody can tell which forge this is; say `--forge gitea` or `--forge github`";
            return if self.wants_forge() {
                Err(ForgeError::new(Fault::Unreachable, reason))
            } else {
                Ok(None)
            };
        };
        let of_server = || {
            let server = self.context.server_url.as_ref()?;
            Some(format!(
                "{server}/api/{}",
                if kind == Kind::Gitea { "v1" } else { "v3" }
            ))
        };
        let address = self
            .api_url
            .clone()
            .or_else(|| self.context.api_url.clone())
            .or(found_api);
        let Some(api_url) = address.or_else(of_server) else {
            let reason = "the forge's API has no address; set `forge-api-url`";
            return Err(ForgeError::new(Fault::Unreachable, reason));
        };
        let options = Options {
            kind,
            api_url,
            repository,
            token: self.token.clone(),
            limits: self.limits,
            redactor: self.redactor(),
        };
        Client::new(Arc::clone(&self.transport), options).map(Some)
    }
}
