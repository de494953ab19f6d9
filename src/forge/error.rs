//! [`ForgeError`]: why the forge did not do what it was asked, in words for the log.

use crate::kfp::transport::TransportError;
use crate::report::cut;
use crate::report::wording::one_line;
use serde::Deserialize;
use std::time::Duration;

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was sent: no name, no connection, no TLS.
    Unreachable,
    /// It was sent, and no whole answer came: the forge may have done it.
    Lost,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404 or 410.
    NotFound,
    /// 400, 409, 413, 422: the request itself.
    Refused,
    /// 429, or GitHub's 403 for too many requests.
    RateLimited,
    /// 5xx.
    Server,
    /// An answer that is not the API's: a page, half of a JSON, a redirect.
    NotTheApi,
}

/// Why the forge did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ForgeError {
    /// What kind of trouble.
    pub fault: Fault,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// In one line, without secrets.
    pub message: String,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl ForgeError {
    /// A trouble without an answer's status.
    #[must_use]
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self {
            fault,
            status: None,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(super) fn transport(error: &TransportError) -> Self {
        let fault = if error.sent() {
            Fault::Lost
        } else {
            Fault::Unreachable
        };
        Self::new(fault, format!("no answer from the forge: {error}"))
    }

    /// From an answer that is no success.
    pub(super) fn answer(status: u16, headers: &http::HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let asked = header("retry-after").and_then(super::limits::retry_after);
        let exhausted = header("x-ratelimit-remaining") == Some("0") || asked.is_some();
        let fault = match status {
            401 => Fault::Unauthorized,
            403 if exhausted => Fault::RateLimited,
            403 => Fault::Forbidden,
            404 | 410 => Fault::NotFound,
            429 => Fault::RateLimited,
            300..=399 => Fault::NotTheApi,
            500..=599 => Fault::Server,
            _ => Fault::Refused,
        };
        let said = excerpt(body).map(|text| format!(": {text}")).unwrap_or_default();
        let mut message = format!("the forge answered {status}{said}");
        if let (300..=399, Some(location)) = (status, header("location")) {
            let place = url::Url::parse(location)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned));
            let place = place
                .map(|host| format!(" to `{}`", one_line(&host)))
                .unwrap_or_default();
            message = format!(
                "the forge answered {status}, a redirect{place}: set `forge-api-url` to the API's final address"
            );
        }
        if fault == Fault::RateLimited {
            message.push_str(" (too many requests)");
        }
        Self {
            fault,
            status: Some(status),
            message,
            retry_after: asked,
        }
    }

    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub const fn passing(&self) -> bool {
        matches!(
            self.fault,
            Fault::Unreachable | Fault::Lost | Fault::RateLimited | Fault::Server
        )
    }

    /// Whether the forge may have done it although this error came back.
    #[must_use]
    pub const fn perhaps_done(&self) -> bool {
        matches!(self.fault, Fault::Lost | Fault::Server | Fault::NotTheApi)
    }
}

/// What an error body says, short: both forges send `{"message": …}`.
fn excerpt(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: serde_json::Value,
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(65_536)]);
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.starts_with('<') {
        return Some("an HTML page".to_owned());
    }
    let said = match serde_json::from_str::<Said>(text) {
        Ok(said) => {
            let more = match &said.errors {
                serde_json::Value::Array(list) if !list.is_empty() => format!(" {}", said.errors),
                _ => String::new(),
            };
            format!("{}{more}", said.message)
        }
        Err(_) => text.to_owned(),
    };
    let said = one_line(&cut::ellipsis(&said, 300));
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> ForgeError {
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        ForgeError::answer(status, &map, body.as_bytes())
    }

    #[test]
    fn answers_are_told_in_a_line() {
        let gitea = answer(
            403,
            &[],
            r#"{"message":"user should have a permission to write to a repo","url":"x"}"#,
        );
        assert_eq!(gitea.fault, Fault::Forbidden);
        assert_eq!(
            gitea.message,
            "the forge answered 403: user should have a permission to write to a repo"
        );
        let github = answer(
            422,
            &[],
            r#"{"message":"Validation Failed","errors":[{"code":"custom"}]}"#,
        );
        assert_eq!(
            github.message,
            r#"the forge answered 422: Validation Failed [{"code":"custom"}]"#
        );
        assert_eq!(
            answer(502, &[], "<html>\n<b>Bad</b>").message,
            "the forge answered 502: an HTML page"
        );
        assert_eq!(
            answer(500, &[], r#"{"message":""}"#).message,
            "the forge answered 500"
        );
        assert_eq!(
            answer(404, &[], "404 page not found\n").message,
            "the forge answered 404: 404 page not found"
        );
    }

    #[test]
    fn limits_are_no_missing_rights() {
        assert_eq!(
            answer(403, &[("x-ratelimit-remaining", "0")], "{}").fault,
            Fault::RateLimited
        );
        let secondary = answer(403, &[("retry-after", "2")], "{}");
        assert_eq!(
            (secondary.fault, secondary.retry_after),
            (Fault::RateLimited, Some(Duration::from_secs(2)))
        );
        assert_eq!(
            answer(403, &[("x-ratelimit-remaining", "12")], "{}").fault,
            Fault::Forbidden
        );
    }

    #[test]
    fn a_redirect_says_where_without_the_query() {
        let error = answer(301, &[("location", "https://git.example/api?token=secret")], "");
        assert!(
            error.message.contains("`git.example`") && !error.message.contains("secret"),
            "{error}"
        );
    }
}
