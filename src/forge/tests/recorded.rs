//! The client against the recorded exchanges of Gitea 1.22-dev: every call it makes there was recorded, and
//! is answered with the recorded answer.

use super::{TOKEN, limits, secret};
use crate::context;
use crate::forge::limits::Deadline;
use crate::forge::publish::{Telling, begin};
use crate::forge::redact::Redactor;
use crate::forge::{Client, Fault, Kind, Options, State};
use crate::kfp::transport::{BoxFuture, Request, Response, Transport, TransportError};
use crate::notify::When;
use crate::report::fixtures;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings/forge")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Answers by method and path, the last recorded exchange that fits.
struct Recorded {
    exchanges: Vec<Value>,
    asked: Mutex<Vec<String>>,
}

impl Recorded {
    fn new(name: &str) -> Arc<Self> {
        let file: Value = serde_json::from_str(&file(name)).expect("a recording");
        let exchanges = file["exchanges"].as_array().expect("exchanges").clone();
        Arc::new(Self {
            exchanges,
            asked: Mutex::new(Vec::new()),
        })
    }

    fn find(&self, request: &Request) -> Value {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let same_path = |exchange: &&Value| {
            let recorded = exchange["request"]["path"].as_str().unwrap_or_default();
            exchange["request"]["method"] == request.method.as_str()
                && recorded.split('?').next() == Some(request.url.path())
        };
        // Statuses were recorded with every state: the same state is the same exchange.
        let same_state = |exchange: &&Value| exchange["request"]["json"]["state"] == body["state"];
        let fitting = self.exchanges.iter().filter(same_path);
        fitting
            .clone()
            .find(same_state)
            .or_else(|| fitting.clone().next())
            .map_or(Value::Null, |one| one["response"].clone())
    }
}

impl Transport for Recorded {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            self.asked
                .lock()
                .unwrap()
                .push(format!("{} {}", request.method, request.url.path()));
            let answer = self.find(&request);
            let (status, body) = match answer["status"].as_u64() {
                Some(status) => (
                    status,
                    answer["json"].as_object().map_or_else(
                        || {
                            answer["json"].as_array().map_or_else(
                                || answer["text"].as_str().unwrap_or_default().to_owned(),
                                |list| Value::from(list.clone()).to_string(),
                            )
                        },
                        |object| Value::from(object.clone()).to_string(),
                    ),
                ),
                None => (404, "404 page not found\n".to_owned()),
            };
            let mut headers = http::HeaderMap::new();
            if let Some(total) = answer["headers"]["X-Total-Count"].as_str() {
                headers.insert("x-total-count", total.parse().unwrap());
            }
            let status = http::StatusCode::from_u16(u16::try_from(status).unwrap()).unwrap();
            Ok(Response {
                status,
                headers,
                body: body.into(),
            })
        })
    }
}

fn recorded_context(name: &str) -> context::Context {
    let env: BTreeMap<String, String> = file(&format!("gitea-{name}.env"))
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    context::read(&env, Some(&file(&format!("gitea-{name}.event.json"))))
}

fn telling(transport: &Arc<Recorded>, context: context::Context) -> Telling {
    Telling {
        transport: Arc::clone(transport) as Arc<_>,
        context: context::Context {
            output: None,
            step_summary: None,
            ..context
        },
        target: Some("prod".to_owned()),
        kind: None,
        api_url: None,
        token: Some(secret(TOKEN)),
        status: true,
        comment: true,
        summary: true,
        // Nobody listens there, and nothing is told: the default must not be looked up in a test.
        ntfy: None,
        ntfy_token: None,
        webhook: None,
        when: When::Remarkable,
        ui_url: None,
        secrets: Vec::new(),
        limits: limits(),
    }
}

fn client(transport: &Arc<Recorded>, context: &context::Context) -> Client {
    let options = Options {
        kind: Kind::Gitea,
        api_url: context.api_url.clone().unwrap(),
        repository: context.repository.clone().unwrap(),
        token: Some(secret(TOKEN)),
        limits: limits(),
        redactor: Redactor::default(),
    };
    Client::new(Arc::clone(transport) as Arc<_>, options).unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

#[tokio::test]
async fn every_state_is_taken_and_its_answer_understood() {
    let transport = Recorded::new("gitea-push.json");
    let context = recorded_context("push");
    let client = client(&transport, &context);
    let sha = context.sha.as_deref().unwrap();
    for state in [
        State::Pending,
        State::Success,
        State::Failure,
        State::Error,
        State::Warning,
    ] {
        let id = client
            .set_status(sha, state, Some("prod"), "2 uploaded", None, soon())
            .await
            .unwrap();
        assert!(id.is_some(), "{state:?}");
    }
    assert_eq!(
        client
            .own_status(sha, Some("prod"), soon())
            .await
            .unwrap()
            .as_deref(),
        Some("success")
    );
    assert_eq!(client.own_status(sha, Some("other"), soon()).await.unwrap(), None);
    assert_eq!(
        client.version(soon()).await.unwrap().as_deref(),
        Some("development")
    );
    assert_eq!(
        client.branch_head("main", soon()).await.unwrap().as_deref(),
        Some(sha)
    );
    assert_eq!(
        client.default_branch(soon()).await.unwrap().as_deref(),
        Some("main")
    );
    assert_eq!(
        client.merged_pull(sha, soon()).await.unwrap(),
        None,
        "1.22 has no such route"
    );
    assert_eq!(
        client.run_link(&context, soon()).await.as_deref(),
        Some("http://127.0.0.1:3000/admin1/demo/actions/runs/1")
    );
    let unknown = client
        .set_status(&"0".repeat(40), State::Success, None, "x", None, soon())
        .await
        .unwrap_err();
    assert_eq!(
        unknown.fault,
        Fault::Server,
        "an unknown commit is a 500 on 1.22: {unknown}"
    );
}

#[tokio::test]
async fn a_pull_request_is_told_whole() {
    let transport = Recorded::new("gitea-pull-request.json");
    let telling = telling(&transport, recorded_context("pull_request"));
    let log = begin(
        Telling {
            ntfy: Some(secret("http://x/bad topic")),
            ..telling
        },
        false,
    )
    .finish(&fixtures::plan())
    .await;
    assert_eq!(
        log,
        [
            "the ntfy notification was not sent: `ntfy-url` names no topic: it must end in `/topic` of letters, digits, `-` and `_`"
        ]
    );
    let asked = transport.asked.lock().unwrap().clone();
    let statuses = asked
        .iter()
        .filter(|call| call.contains("/statuses/ac5b61b0"))
        .count();
    assert_eq!(statuses, 2, "pending and the end, on the head commit: {asked:?}");
    assert!(asked.contains(&"GET /api/v1/user".to_owned()), "{asked:?}");
    assert!(
        asked.contains(&"POST /api/v1/repos/admin1/demo/issues/1/comments".to_owned()),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_fork_gets_a_comment_and_no_status() {
    let transport = Recorded::new("gitea-fork-pull-request.json");
    let telling = telling(&transport, recorded_context("pull_request-from-fork"));
    let log = begin(telling, false).finish(&fixtures::plan()).await;
    assert_eq!(
        log,
        [
            "the commit status could not be set: Gitea development gives pull requests from forks a token that may only read (403); the result is in this log and in the job summary"
        ]
    );
    let asked = transport.asked.lock().unwrap().clone();
    assert!(
        asked.contains(&"POST /api/v1/repos/admin1/demo/issues/2/comments".to_owned()),
        "{asked:?}"
    );
    assert_eq!(
        asked
            .iter()
            .filter(|call| call.contains("POST") && call.contains("statuses"))
            .count(),
        1,
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_expired_token_is_explained() {
    let transport = Recorded::new("gitea-expired-token.json");
    let mut context = recorded_context("pull_request");
    context.sha = Some("dd84d2804d36729cf2cd616c41cb9f384a307a80".to_owned());
    let log = begin(telling(&transport, context), false)
        .finish(&fixtures::plan())
        .await;
    assert_eq!(
        log,
        [
            "the commit status could not be set: Gitea refuses the token (401), which is wrong or has expired; the job's own token ends with its job",
            "the comment on the pull request could not be written: Gitea refuses the token (401), which is wrong or has expired; the job's own token ends with its job",
        ]
    );
}
