//! A generic JSON webhook: the report and where it comes from, to any address.

use super::deliver::{Letter, deliver, headers, sensitive};
use crate::context::Context;
use crate::forge::limits::{Deadline, Limits};
use crate::forge::redact::Redactor;
use crate::kfp::transport::Transport;
use crate::report::wording;
use crate::report::{Report, outputs};
use crate::secret::Secret;
use base64::Engine;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};
use url::Url;

/// The longest report inside the body, in bytes.
const REPORT_LIMIT: usize = 256 * 1024;

/// An address that takes reports.
#[derive(Clone)]
pub struct Webhook {
    url: Url,
    address: Secret,
}

// The address is a secret as a whole.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook(***)")
    }
}

impl Webhook {
    /// Reads the address; a user and password in it are sent as basic authentication.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub fn parse(address: &Secret) -> Result<Self, &'static str> {
        let url = Url::parse(address.expose()).map_err(|_| "the webhook's address is no http address")?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("the webhook's address is no http address");
        }
        Ok(Self {
            url,
            address: address.clone(),
        })
    }

    /// The body: `{"schema": 1, "headline", "outcome", "recovered", "repository", "ref", "commit", "actor",
    /// "event", "run_url", "report"}`. `report` is `null` where a job died before it could report.
    #[must_use]
    pub fn body(
        report: Option<&Report>,
        headline: &str,
        context: &Context,
        run_url: Option<&str>,
        recovered: bool,
    ) -> String {
        let report_value: Value = report
            .and_then(|report| serde_json::from_str(&outputs::summary_json(report, REPORT_LIMIT)).ok())
            .unwrap_or(Value::Null);
        let outcome = report.map_or("died", |report| outcome(wording::outcome(report)));
        json!({
            "schema": 1,
            "headline": headline,
            "outcome": outcome,
            "recovered": recovered,
            "repository": context.repository.as_ref().map(crate::context::Repository::full_name),
            "ref": context.reference,
            "commit": context.sha,
            "actor": context.actor,
            "event": context.event.as_str(),
            "run_url": run_url,
            "report": report_value,
        })
        .to_string()
    }

    /// Sends it, with the sequence as `Idempotency-Key`. After silence it is not repeated: nobody knows
    /// what the receiver does with a second one.
    ///
    /// # Errors
    /// The reason in one line, without the address.
    pub async fn send(
        &self,
        transport: &dyn Transport,
        body: String,
        sequence: Option<&str>,
        limits: &Limits,
        redactor: &Redactor,
        deadline: Deadline,
    ) -> Result<(), String> {
        let mut url = self.url.clone();
        let credentials = (!url.username().is_empty() || url.password().is_some())
            .then(|| format!("{}:{}", url.username(), url.password().unwrap_or_default()));
        // An http address takes both.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let authorization = credentials.and_then(|text| {
            sensitive(&format!(
                "Basic {}",
                base64::engine::general_purpose::STANDARD.encode(text)
            ))
        });
        let key = sequence
            .and_then(sensitive)
            .map(|value| (HeaderName::from_static("idempotency-key"), value));
        let letter = Letter {
            url,
            headers: headers(
                authorization
                    .map(|value| (AUTHORIZATION, value))
                    .into_iter()
                    .chain(key),
            ),
            body: Bytes::from(body),
            idempotent: false,
            answers_json: false,
        };
        let own = Redactor::new([&self.address]);
        deliver(transport, &letter, limits, redactor, deadline)
            .await
            .map_err(|reason| own.clean(&reason))
    }
}

const fn outcome(outcome: wording::Outcome) -> &'static str {
    use wording::Outcome;
    match outcome {
        Outcome::NothingFound => "nothing-found",
        Outcome::Unchanged => "unchanged",
        Outcome::Changed => "changed",
        Outcome::Unsettled => "unsettled",
        Outcome::SomeFailed => "some-failed",
        Outcome::AllFailed => "failed",
        Outcome::Infrastructure => "infrastructure",
    }
}
