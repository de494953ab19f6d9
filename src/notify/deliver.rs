//! One notification on its way: a little patience, then a reason.

use crate::forge::limits::{Deadline, Limits, retry_after, wait};
use crate::forge::redact::Redactor;
use crate::kfp::transport::{Request, Response, Transport};
use crate::report::cut;
use crate::report::wording::one_line;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

/// What is sent where.
pub(super) struct Letter {
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Whether sending it twice is the same as once for the receiver.
    pub idempotent: bool,
    /// Whether a success has a JSON object as its body; a page of a proxy has not.
    pub answers_json: bool,
}

/// Sends; repeats what may pass (429, 5xx, no connection, and silence where repeating is harmless).
///
/// # Errors
/// The reason in one line, without address and secrets.
pub(super) async fn deliver(
    transport: &dyn Transport,
    letter: &Letter,
    limits: &Limits,
    redactor: &Redactor,
    deadline: Deadline,
) -> Result<(), String> {
    let mut number = 0;
    loop {
        let limit = limits.call.min(deadline.left());
        if limit.is_zero() {
            return Err("no answer in time".to_owned());
        }
        let mut request = Request::new(Method::POST, letter.url.clone());
        request.headers = letter.headers.clone();
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = letter.body.clone();
        request.timeout = limit;
        request.response_limit = 1 << 20;
        let (reason, passing, asked) = match transport.send(request).await {
            Ok(answer) if answer.status.is_success() => {
                if !letter.answers_json || answer.body.trim_ascii_start().starts_with(b"{") {
                    return Ok(());
                }
                return Err("something else than the service answered (a proxy's or login page?)".to_owned());
            }
            Ok(answer) => {
                let passing =
                    answer.status == StatusCode::TOO_MANY_REQUESTS || answer.status.is_server_error();
                (refused(&answer), passing, retry_after(answer.header(RETRY_AFTER)))
            }
            Err(error) if error.sent() && !letter.idempotent => {
                (format!("{error}; it may have arrived"), false, None)
            }
            Err(error) => (error.to_string(), true, None),
        };
        let reason = redactor.clean(&reason);
        if !passing {
            return Err(reason);
        }
        let Some(pause) = wait(limits, number, asked, deadline) else {
            return Err(reason);
        };
        tokio::time::sleep(pause).await;
        number += 1;
    }
}

/// `the server answered 403: forbidden`.
fn refused(answer: &Response) -> String {
    let status = answer.status.as_u16();
    let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(4096)])
        .trim()
        .to_owned();
    let said = if text.starts_with('<') {
        "an HTML page".to_owned()
    } else {
        serde_json::from_str::<serde_json::Value>(&text)
            .ok()
            .and_then(|json| {
                json["error"]
                    .as_str()
                    .or(json["message"].as_str())
                    .map(str::to_owned)
            })
            .unwrap_or_default()
    };
    let said = one_line(&cut::ellipsis(&said, 200));
    let said = if said.is_empty() {
        said
    } else {
        format!(": {said}")
    };
    let hint = match status {
        300..=399 => " (a redirect: give the final address)",
        401 => " (the token or password is wrong)",
        403 => " (the token may not write here)",
        _ => "",
    };
    format!("the server answered {status}{said}{hint}")
}

/// A header whose value is never shown.
pub(super) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// One header.
pub(super) fn headers(pairs: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> HeaderMap {
    pairs.into_iter().collect()
}
