//! [`ApiError`]: a call that did not give what was asked for, read from every shape of answer.
//!
//! Shapes seen on real servers: grpc-gateway v1 (2.0.5, 2.5.0: `error`, `code`, `message`, `details`),
//! grpc-gateway v2 (2.14 on: without `error`), the upload handlers (`error_message`, sometimes declared
//! `text/plain`), Go's plain text, an oauth2-proxy's `{}` with 401, and web pages of logins, proxies and UIs.

use super::retry;
use super::transport::{Response, TransportError, TransportFault};
use crate::error::{Failure, Phase};
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use std::time::Duration;

/// What kind of trouble, as far as the answer alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request never reached the server.
    Unreachable(TransportFault),
    /// The request may have arrived; no whole answer came back.
    NoAnswer(TransportFault),
    /// A success whose body is not what the API promises: cut, or of another type.
    Unreadable,
    /// A login page, a redirect to one, or a proxy's 401: not logged in, or not any more.
    NotLoggedIn,
    /// The API's own 401: it does not know who is calling.
    Unauthenticated,
    /// The API's 403: it knows the caller and says no.
    Forbidden,
    /// A service mesh's 403 (`RBAC: access denied`): the API was never asked.
    MeshDenied,
    /// A web page of something that is not the API: a proxy's error page or a UI.
    Page,
    /// A redirect to another place that does not look like a login.
    Redirected,
    /// 404 of the API.
    NotFound,
    /// 409: the name is taken, or is being taken.
    Conflict,
    /// 412: the newest version is not the one the upload named.
    Moved,
    /// Another 4xx: the request itself is refused.
    Refused,
    /// 408, 425, 429 and 5xx that are not web pages.
    Server,
    /// The run's time was up before the call could be made (or made again).
    Deadline,
    /// The credentials could not be had (token file, login, exchange); the request was not sent.
    Login,
}

/// Whether a write that failed so may have been carried out all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It surely was not.
    None,
    /// Only a look at the server can tell.
    Unknown,
}

/// A call that did not give what was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{call}: {message}")]
pub struct ApiError {
    /// What kind.
    pub kind: ErrorKind,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The cause in one line: the server's short message where it gave one. Secrets are removed.
    pub message: String,
    /// Method and path, such as `GET /apis/v2beta1/healthz`.
    pub call: String,
    /// How long the server asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The failure of the login itself, for [`ErrorKind::Login`].
    pub login: Option<Box<Failure>>,
    /// The credentials were refused, and there are new ones now: the next call may be taken.
    pub renewed: bool,
}

impl ApiError {
    /// An error without an answer.
    #[must_use]
    pub fn new(kind: ErrorKind, call: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: message.into(),
            call: call.to_owned(),
            retry_after: None,
            login: None,
            renewed: false,
        }
    }

    /// The credentials could not be had.
    #[must_use]
    pub fn login(call: &str, failure: Failure) -> Self {
        let mut error = Self::new(ErrorKind::Login, call, failure.message.clone());
        error.login = Some(Box::new(failure));
        error
    }

    /// From a transport that returned no answer.
    #[must_use]
    pub fn from_transport(call: &str, error: &TransportError) -> Self {
        let kind = if error.sent() {
            ErrorKind::NoAnswer(error.fault)
        } else {
            ErrorKind::Unreachable(error.fault)
        };
        Self::new(kind, call, error.message.clone())
    }

    /// From an answer that is no success, or a success that is a web page or a redirect.
    #[must_use]
    pub fn from_response(call: &str, response: &Response) -> Self {
        let status = response.status.as_u16();
        let text = String::from_utf8_lossy(&response.body);
        let (kind, message) = classify(status, response, &text);
        let mut error = Self::new(kind, call, message);
        error.status = Some(status);
        error.retry_after = retry::retry_after(
            response.header(RETRY_AFTER),
            response.date().unwrap_or_else(chrono::Utc::now),
        );
        error
    }

    /// From a success whose body cannot be read as what the API promises.
    #[must_use]
    pub fn unreadable(call: &str, response: &Response, cause: &str) -> Self {
        let mut error = Self::new(
            ErrorKind::Unreadable,
            call,
            format!(
                "status {} with a body that cannot be read ({} bytes of {}): {cause}",
                response.status.as_u16(),
                response.body.len(),
                content_type(response),
            ),
        );
        error.status = Some(response.status.as_u16());
        error
    }

    /// Whether a read that failed so is worth sending again.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable(fault) => fault != TransportFault::Tls,
            ErrorKind::NoAnswer(fault) => fault != TransportFault::TooLarge,
            // No read conflicts with anything: something in between answered.
            ErrorKind::Unreadable | ErrorKind::Conflict => true,
            ErrorKind::Server => self.status.is_some_and(retry::passes),
            // A proxy's page with 200 or 404 comes from the wrong address and stays.
            ErrorKind::Page => self.status.is_some_and(retry::passes),
            _ => false,
        }
    }

    /// Whether a write that failed so may have been carried out all the same.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        match self.kind {
            ErrorKind::Unreachable(_)
            | ErrorKind::NotLoggedIn
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::MeshDenied
            | ErrorKind::Redirected
            | ErrorKind::NotFound
            | ErrorKind::Refused
            | ErrorKind::Moved
            | ErrorKind::Deadline
            | ErrorKind::Login => Effect::None,
            // 500 is what a 2.0.5 answers to a duplicate upload; 409 may answer our own earlier try.
            ErrorKind::NoAnswer(_)
            | ErrorKind::Unreadable
            | ErrorKind::Page
            | ErrorKind::Conflict
            | ErrorKind::Server => Effect::Unknown,
        }
    }

    /// Whether whoever waited for the answer stopped waiting, so that the server may still be at it: this program,
    /// or a gateway in between (504, and 524 of Cloudflare).
    #[must_use]
    pub const fn may_come_late(&self) -> bool {
        matches!(self.kind, ErrorKind::NoAnswer(TransportFault::Timeout))
            || matches!(self.status, Some(504 | 524))
    }

    /// Whether the credentials sent are not, or no longer, taken: a login that can renew them should.
    #[must_use]
    pub const fn credentials_refused(&self) -> bool {
        matches!(self.kind, ErrorKind::NotLoggedIn | ErrorKind::Unauthenticated)
    }

    /// Removes what must not be shown.
    #[must_use]
    pub fn redacted(mut self, hide: impl Fn(&str) -> String) -> Self {
        self.message = hide(&self.message);
        self
    }

    /// The failure people read. `doing` says what was attempted: `reading the versions of demo`.
    #[must_use]
    pub fn into_failure(self, phase: Phase, doing: &str) -> Failure {
        if let Some(failure) = self.login {
            return *failure;
        }
        super::advice::failure(&self, phase, doing)
    }
}

/// Most characters of a header that are shown.
const HEADER_SHOWN: usize = 500;

/// The media type as declared, or `no type`.
fn content_type(response: &Response) -> String {
    let declared = response.header(CONTENT_TYPE);
    if declared.is_empty() {
        "no type".to_owned()
    } else {
        one_line(declared, HEADER_SHOWN)
    }
}

fn classify(status: u16, response: &Response, text: &str) -> (ErrorKind, String) {
    if (300..400).contains(&status) {
        let target = response.header(LOCATION);
        let place = one_line(without_query(target), HEADER_SHOWN);
        return if is_login_address(target) {
            (
                ErrorKind::NotLoggedIn,
                format!("redirected to a login at {place}"),
            )
        } else {
            (
                ErrorKind::Redirected,
                format!("redirected to {place} (status {status})"),
            )
        };
    }
    if is_page(response, text) {
        let title = page_title(text).unwrap_or_else(|| "without a title".to_owned());
        return if status < 500 && is_login_page(text) {
            (
                ErrorKind::NotLoggedIn,
                format!("a login page instead of the API (status {status})"),
            )
        } else {
            (
                ErrorKind::Page,
                format!("a web page instead of the API (status {status}, {title})"),
            )
        };
    }
    let message = message(text).unwrap_or_else(|| format!("status {status} without a message"));
    let kind = match status {
        // An oauth2-proxy answers `{}` to a JSON caller without a session; the API always explains itself.
        401 if text.trim() == "{}" || text.trim().is_empty() => {
            return (
                ErrorKind::NotLoggedIn,
                "a login proxy answered 401: no session".to_owned(),
            );
        }
        401 => ErrorKind::Unauthenticated,
        403 if text.contains("RBAC: access denied") => ErrorKind::MeshDenied,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        412 => ErrorKind::Moved,
        408 | 425 | 429 | 500.. => ErrorKind::Server,
        400..500 => ErrorKind::Refused,
        _ => ErrorKind::Unreadable,
    };
    (kind, message)
}

/// Whether an answer is a web page, by declaration or by its first characters.
#[must_use]
pub fn is_page(response: &Response, text: &str) -> bool {
    let start = text
        .trim_start()
        .get(..64)
        .unwrap_or_else(|| text.trim_start())
        .to_ascii_lowercase();
    let tagged =
        start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head");
    let declared = response
        .header(CONTENT_TYPE)
        .to_ascii_lowercase()
        .starts_with("text/html");
    tagged || (declared && !start.starts_with('{'))
}

/// Whether a page asks for a login: oauth2-proxy's, Dex', Keycloak's and others have one of these.
fn is_login_page(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [
        "/oauth2/start",
        "/oauth2/sign_in",
        "/dex/auth",
        "type=\"password\"",
        "type='password'",
        "sign in with",
        "openid-connect/auth",
    ]
    .iter()
    .any(|sign| lower.contains(sign))
}

/// Whether a redirect leads to a login.
#[must_use]
pub fn is_login_address(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    [
        "/oauth2/",
        "/dex/",
        "/login",
        "/signin",
        "/sign_in",
        "openid-connect/auth",
        "accounts.google.com",
        "/oauth2/authorize",
        "response_type=code",
    ]
    .iter()
    .any(|sign| lower.contains(sign))
}

fn page_title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let open = start + lower[start..].find('>')? + 1;
    let end = open + lower[open..].find("</title")?;
    // `to_ascii_lowercase` keeps byte positions, so the slice is on character boundaries.
    let title = one_line(text.get(open..end)?, 80);
    (!title.is_empty()).then(|| format!("titled `{title}`"))
}

fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or(address)
}

/// The short message of an error body, whatever its shape.
#[must_use]
pub fn message(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let Ok(serde_json::Value::Object(body)) = serde_json::from_str(text) else {
        return Some(one_line(text, 300));
    };
    let string = |key: &str| {
        body.get(key)
            .and_then(serde_json::Value::as_str)
            .filter(|text| !text.is_empty())
    };
    // google.rpc.Status in `details` carries the message meant for people, except where it says nothing.
    let external = body
        .get("details")
        .and_then(|details| details.as_array())
        .and_then(|details| details.iter().find_map(|detail| detail.get("message")?.as_str()))
        .filter(|text| !text.is_empty() && *text != "Internal Server Error");
    external
        .or_else(|| string("error_message"))
        .or_else(|| string("message"))
        .or_else(|| string("error"))
        .or_else(|| string("error_description"))
        .map(|text| one_line(text, 300))
}

/// One line of at most `limit` characters, without control characters.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
            count += 1;
        }
        for character in word.chars().filter(|character| !character.is_control()) {
            if count >= limit {
                line.push('…');
                return line;
            }
            line.push(character);
            count += 1;
        }
    }
    line
}

#[cfg(test)]
mod tests;
