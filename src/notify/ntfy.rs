//! ntfy: one JSON message to the server's root.

use super::deliver::{Letter, deliver, headers, sensitive};
use crate::forge::limits::{Deadline, Limits};
use crate::forge::redact::Redactor;
use crate::kfp::transport::Transport;
use crate::report::cut;
use crate::report::wording_notice::{MESSAGE_LIMIT, Notice};
use crate::secret::Secret;
use base64::Engine;
use bytes::Bytes;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::json;
use std::time::Duration;
use url::Url;

/// The first user's topic, used on Gitea when nothing else is configured and the name resolves at once.
pub const DEFAULT: &str = "http://ntfy.observability.svc.cluster.local/gitea-ci";

/// How long that name may take to resolve.
pub const RESOLVE_LIMIT: Duration = Duration::from_millis(500);

/// Servers refuse a larger JSON body with 413 (recorded on 2.27: the limit is 8 192).
const BODY_LIMIT: usize = 8_000;

/// A topic on a server.
#[derive(Clone, Debug)]
pub struct Ntfy {
    root: Url,
    topic: Secret,
    authorization: Option<HeaderValue>,
    secrets: Vec<Secret>,
}

/// Links of a notification.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// The run's page.
    pub run: Option<String>,
    /// The pipelines server's pages.
    pub ui: Option<String>,
}

impl Ntfy {
    /// Reads `scheme://[user:password@]host[/prefix]/topic`; `token` is `tk_…` or `user:password`.
    ///
    /// # Errors
    /// What is wrong with the address, without the address.
    pub fn parse(address: &Secret, token: Option<&Secret>) -> Result<Self, &'static str> {
        let mut root = Url::parse(address.expose()).map_err(|_| "`ntfy-url` is not `scheme://host/topic`")?;
        if !matches!(root.scheme(), "http" | "https") || root.host_str().is_none() {
            return Err("`ntfy-url` is not `http(s)://host/topic`");
        }
        if root.query().is_some() || root.fragment().is_some() {
            return Err("`ntfy-url` may not have a query: give a token as `ntfy-token`");
        }
        let path = root.path().trim_end_matches('/').to_owned();
        let (prefix, topic) = path.rsplit_once('/').unwrap_or(("", ""));
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if topic.is_empty() || topic.len() > 64 || !topic.chars().all(letters) {
            return Err("`ntfy-url` names no topic: it must end in `/topic` of letters, digits, `-` and `_`");
        }
        let topic = Secret::new(topic).map_err(|_| "`ntfy-url` names no topic")?;
        let mut secrets: Vec<Secret> = vec![address.clone()];
        let user = percent_decoded(root.username());
        let password = root.password().map(percent_decoded);
        let embedded = password.map(|password| format!("{user}:{password}"));
        let credentials = token.map(|token| token.expose().to_owned()).or(embedded);
        let authorization = match &credentials {
            None => None,
            Some(text) => {
                let value = match text.split_once(':') {
                    Some((_, password)) => {
                        secrets.extend(Secret::new(password).ok());
                        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
                    }
                    None => format!("Bearer {text}"),
                };
                secrets.extend(Secret::new(text).ok());
                Some(sensitive(&value).ok_or("`ntfy-token` holds characters that cannot be sent")?)
            }
        };
        root.set_path(&format!("{prefix}/"));
        root.set_username("")
            .and_then(|()| root.set_password(None))
            .map_err(|()| "`ntfy-url` is no address")?;
        Ok(Self {
            root,
            topic,
            authorization,
            secrets,
        })
    }

    /// The call that tells whether the topic would be taken, and sends nothing to anybody.
    #[must_use]
    pub fn question(&self) -> (Url, Option<HeaderValue>) {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([self.topic.expose(), "auth"]);
        }
        (url, self.authorization.clone())
    }

    /// What must never be shown.
    #[must_use]
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The server's host and port, to ask whether the name resolves.
    #[must_use]
    pub fn host(&self) -> (String, u16) {
        (
            self.root.host_str().unwrap_or_default().to_owned(),
            self.root.port_or_known_default().unwrap_or(80),
        )
    }

    /// The JSON body. `sequence` makes a later message with the same one replace this one (servers from
    /// 2.16 on; older ones show both, recorded on 2.11).
    #[must_use]
    pub fn body(&self, notice: &Notice, links: &Links, sequence: Option<&str>) -> String {
        let mut limit = MESSAGE_LIMIT;
        loop {
            let body = self.body_within(notice, links, sequence, limit).to_string();
            // Escapes may double a message's length; cut until the whole fits.
            if body.len() <= BODY_LIMIT || limit < 16 {
                return body;
            }
            limit = limit * 3 / 4;
        }
    }

    fn body_within(
        &self,
        notice: &Notice,
        links: &Links,
        sequence: Option<&str>,
        limit: usize,
    ) -> serde_json::Value {
        let mut body = json!({
            "topic": self.topic.expose(),
            "title": cut::ellipsis(&notice.title, 250),
            "message": cut::ellipsis(&notice.message, limit),
            "tags": notice.tags,
            "priority": notice.priority,
        });
        let fits = |link: &&String| link.len() <= 1_000;
        let run = links.run.as_ref().filter(fits);
        let ui = links.ui.as_ref().filter(fits);
        let actions: Vec<serde_json::Value> = [(run, "Open run"), (ui, "Open pipelines")]
            .into_iter()
            .filter_map(|(link, label)| Some(json!({ "action": "view", "label": label, "url": link? })))
            .collect();
        if let Some(link) = run.or(ui) {
            body["click"] = link.as_str().into();
        }
        if !actions.is_empty() {
            body["actions"] = actions.into();
        }
        if let Some(sequence) = sequence {
            body["sequence_id"] = sequence.into();
        }
        body
    }

    /// Sends a notification. Repeating one is harmless, because of its sequence.
    ///
    /// # Errors
    /// The reason in one line, without address and secrets.
    pub async fn send(
        &self,
        transport: &dyn Transport,
        body: String,
        limits: &Limits,
        redactor: &Redactor,
        deadline: Deadline,
    ) -> Result<(), String> {
        let own = Redactor::new(&self.secrets);
        let letter = Letter {
            url: self.root.clone(),
            headers: headers(self.authorization.clone().map(|value| (AUTHORIZATION, value))),
            body: Bytes::from(body),
            idempotent: true,
            answers_json: true,
        };
        deliver(transport, &letter, limits, redactor, deadline)
            .await
            .map_err(|reason| own.clean(&reason))
    }
}

fn percent_decoded(text: &str) -> String {
    // `form_urlencoded` also turns `+` into a space, which a password may hold.
    let escaped = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={escaped}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Whether a name resolves at once: the first user's default is tried only then.
pub async fn resolves(host: &str, port: u16, limit: Duration) -> bool {
    let found = tokio::time::timeout(limit, tokio::net::lookup_host((host, port))).await;
    found.is_ok_and(|answer| answer.is_ok_and(|addresses| addresses.count() > 0))
}
