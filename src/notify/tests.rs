//! ntfy against its recorded answers and limits, and what one job hands to another.

use super::ntfy::{Links, Ntfy};
use super::summary;
use crate::forge::limits::{Deadline, Limits};
use crate::forge::redact::Redactor;
use crate::kfp::transport::{BoxFuture, Request, Response, Transport, TransportError};
use crate::report::wording_notice::Notice;
use crate::report::{fixtures, outputs};
use crate::secret::Secret;
use base64::Engine;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("a secret")
}

fn ntfy(address: &str, token: Option<&str>) -> Result<Ntfy, &'static str> {
    Ntfy::parse(&secret(address), token.map(secret).as_ref())
}

fn notice(message: &str) -> Notice {
    Notice {
        title: "title".to_owned(),
        message: message.to_owned(),
        tags: vec!["x"],
        priority: 4,
    }
}

fn body(message: &str) -> Value {
    let text = ntfy("http://ntfy.test/gitea-ci", None).unwrap().body(
        &notice(message),
        &Links::default(),
        Some("run-7"),
    );
    assert!(text.len() <= 8_000, "{} bytes", text.len());
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_message_is_at_most_4000_bytes_and_ends_with_a_character() {
    let long = body(&"ä".repeat(4_000));
    let message = long["message"].as_str().unwrap();
    assert!(
        message.len() <= 4_000 && message.len() > 3_990 && message.ends_with("ä…"),
        "{}",
        message.len()
    );
    assert_eq!(body("short")["message"], "short");
    // Escaped, this is twice as long, and the server takes no body over 8 192 bytes.
    assert!(body(&"\"".repeat(4_000))["message"].as_str().unwrap().len() > 2_000);
    assert!(body(&"\u{1}".repeat(4_000))["message"].as_str().unwrap().len() > 500);
}

#[test]
fn links_become_click_and_actions() {
    let links = Links {
        run: Some("https://git/r/1".to_owned()),
        ui: Some("https://kfp".to_owned()),
    };
    let text = ntfy("http://ntfy.test/a", None)
        .unwrap()
        .body(&notice("m"), &links, None);
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["click"], "https://git/r/1");
    assert_eq!(body["actions"].as_array().unwrap().len(), 2);
    assert_eq!(body.get("sequence_id"), None);
    let endless = Links {
        run: Some(format!("https://git/{}", "x".repeat(9_000))),
        ui: None,
    };
    let text = ntfy("http://ntfy.test/a", None)
        .unwrap()
        .body(&notice("m"), &endless, None);
    assert!(!text.contains("xxx"));
}

#[test]
fn addresses_are_checked_and_never_repeated() {
    for address in [
        "ntfy.test/topic",
        "ftp://ntfy.test/topic",
        "http://ntfy.test",
        "http://ntfy.test/",
        "http://ntfy.test/a b",
        "http://ntfy.test/topic?auth=QmVhcmVy",
        "http://ntfy.test/topic#x",
        "http://ntfy.test/../",
    ] {
        let error = ntfy(address, None).unwrap_err();
        assert!(
            error.starts_with("`ntfy-url`") && !error.contains("ntfy.test"),
            "{address}: {error}"
        );
    }
    assert!(
        ntfy("http://ntfy.test/a", Some("tk_a\u{7f}b"))
            .unwrap_err()
            .contains("ntfy-token")
    );
    let prefixed = ntfy("https://ntfy.test:8443/base/gitea-ci/", None).unwrap();
    assert_eq!(prefixed.host(), ("ntfy.test".to_owned(), 8443));
}

/// Answers with what was recorded, and keeps what was sent.
struct Recorded {
    answer: Value,
    sent: Mutex<Vec<Request>>,
}

impl Transport for Recorded {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            self.sent.lock().unwrap().push(request);
            let status = u16::try_from(self.answer["status"].as_u64().unwrap()).unwrap();
            Ok(Response {
                status: http::StatusCode::from_u16(status).unwrap(),
                headers: http::HeaderMap::new(),
                body: self.answer["json"].to_string().into(),
            })
        })
    }
}

async fn answered(
    recording: &str,
    name: &str,
    address: &str,
    token: Option<&str>,
) -> (Result<(), String>, Vec<Request>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings/forge")
        .join(recording);
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let exchange = file["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name)
        .expect("an exchange");
    let transport = Recorded {
        answer: exchange["response"].clone(),
        sent: Mutex::default(),
    };
    let ntfy = ntfy(address, token).unwrap();
    let limits = Limits {
        pause: Duration::from_millis(1),
        ..Limits::default()
    };
    let deadline = Deadline::after(limits.total);
    let body = ntfy.body(&notice("m"), &Links::default(), Some("run-7"));
    let result = ntfy
        .send(&transport, body, &limits, &Redactor::default(), deadline)
        .await;
    let sent = transport.sent.lock().unwrap().clone();
    (result, sent)
}

#[tokio::test(start_paused = true)]
async fn recorded_answers_are_understood() {
    let say = async |recording, name| answered(recording, name, "http://ntfy.test/gitea-ci", None).await;
    let (sent, requests) = say("ntfy-2.27.json", "publish_json").await;
    assert_eq!(sent, Ok(()));
    assert_eq!(
        (requests.len(), requests[0].url.as_str()),
        (1, "http://ntfy.test/")
    );
    for (recording, name, said) in [
        (
            "ntfy-2.27.json",
            "bad_topic",
            "the server answered 400: invalid request: topic invalid",
        ),
        (
            "ntfy-2.27.json",
            "message_4096_bytes",
            "the server answered 400: invalid request: attachments not allowed",
        ),
        (
            "ntfy-2.27-auth.json",
            "anonymous_refused",
            "the server answered 403: forbidden (the token may not write here)",
        ),
        (
            "ntfy-2.27-auth.json",
            "bad_token",
            "the server answered 401: unauthorized (the token or password is wrong)",
        ),
    ] {
        let (sent, requests) = say(recording, name).await;
        assert_eq!(sent, Err(said.to_owned()), "{name}");
        assert_eq!(requests.len(), 1, "{name} is not repeated");
    }
    let (sent, requests) = say("ntfy-2.27.json", "rate_limited").await;
    assert_eq!(
        sent,
        Err("the server answered 429: limit reached: too many requests".to_owned())
    );
    assert_eq!(requests.len(), 3, "429 is tried again a little");
}

#[tokio::test]
async fn every_way_to_log_in_is_a_header() {
    let header = async |address: &str, token: Option<&str>| {
        let (_, requests) = answered("ntfy-2.27-auth.json", "token_ok", address, token).await;
        let value = requests[0].headers.get("authorization").cloned();
        assert!(value.as_ref().is_none_or(http::HeaderValue::is_sensitive));
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let basic = |text: &str| {
        Some(format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(text)
        ))
    };
    assert_eq!(header("http://ntfy.test/a", None).await, None);
    assert_eq!(
        header("http://ntfy.test/a", Some("tk_abc")).await.as_deref(),
        Some("Bearer tk_abc")
    );
    assert_eq!(
        header("http://ntfy.test/a", Some("ann:pass word")).await,
        basic("ann:pass word")
    );
    assert_eq!(
        header("http://ann:p%40ss+w@ntfy.test/a", None).await,
        basic("ann:p@ss+w")
    );
    assert_eq!(
        header("http://ann:x@ntfy.test/a", Some("tk_abc"))
            .await
            .as_deref(),
        Some("Bearer tk_abc")
    );
}

#[test]
fn a_summary_crosses_jobs() {
    let report = fixtures::huge();
    let text = outputs::summary_json(&report, outputs::SUMMARY_LIMIT);
    let back = summary::parse(&text).unwrap().expect("a report");
    assert_eq!(back.counts, report.counts);
    assert!(summary::parse("  \n").unwrap().is_none());
    let error = summary::parse("{\"schema\":1,\"secret\":\"hunter2\"").unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let newer = text.replacen("\"schema\":1", "\"schema\":2", 1);
    assert!(summary::parse(&newer).unwrap_err().message.contains("schema 2"));
    for (text, result) in [
        ("success", "success"),
        (" skipped ", "skipped"),
        ("", "failure"),
        ("odd", "failure"),
    ] {
        assert_eq!(summary::result(text), result);
    }
}
