//! A forge, an ntfy server and a webhook on a port, answering as Gitea 1.22 and ntfy 2.27 were recorded; and
//! the binary telling them about real runs.

use crate::support::http;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The job's token that the stand-in takes.
pub const TOKEN: &str = "job-t0ken-0123456789";

/// What was told.
#[derive(Default)]
pub struct Told {
    /// `(sha, body)` of every status.
    pub statuses: Vec<(String, Value)>,
    /// `(id, body)` of every comment.
    pub comments: Vec<(u64, String)>,
    /// Every ntfy message.
    pub messages: Vec<Value>,
    /// Every webhook body.
    pub hooks: Vec<Value>,
    /// Every call, as `METHOD /path`.
    pub calls: Vec<String>,
    next: u64,
}

/// The stand-in.
#[derive(Clone)]
pub struct StandIn {
    /// Its address without a final slash.
    pub url: String,
    /// What was told so far.
    pub told: Arc<Mutex<Told>>,
}

impl StandIn {
    /// Starts it on a free port, for as long as the runtime lives.
    pub async fn start() -> Self {
        let told: Arc<Mutex<Told>> = Arc::default();
        let shared = Arc::clone(&told);
        let router = axum::Router::new().fallback(
            move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
                shared.lock().unwrap().receive(&method, &uri, &headers, &body)
            },
        );
        let address = http::serve(router).await;
        Self {
            url: format!("http://{address}"),
            told,
        }
    }

    /// The words of all statuses, in order.
    pub fn words(&self) -> Vec<String> {
        let told = self.told.lock().unwrap();
        told.statuses
            .iter()
            .map(|(_, body)| body["state"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [("content-type", "application/json;charset=utf-8")],
        body.to_string(),
    )
        .into_response()
}

impl Told {
    fn receive(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let path = uri.path();
        self.calls.push(format!("{method} {path}"));
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        if path == "/" && *method == Method::POST {
            self.messages.push(value);
            return answer(200, &json!({"id": "2I2f3XyFfuf3", "event": "message"}));
        }
        if path == "/hook" {
            self.hooks.push(value);
            return answer(200, &json!({}));
        }
        let Some(rest) = path.strip_prefix("/api/v1/") else {
            return answer(404, &json!({}));
        };
        if rest == "version" {
            return answer(200, &json!({"version": "development"}));
        }
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        if given != Some(&format!("Bearer {TOKEN}")) {
            return answer(
                401,
                &json!({"message": "user does not exist [uid: 0, name: , keyid: 0]"}),
            );
        }
        if rest == "user" {
            return answer(200, &json!({"id": -2, "login": "gitea-actions"}));
        }
        let parts: Vec<&str> = rest.split('/').skip(3).collect();
        self.repository(method, &parts, &value)
    }

    fn repository(&mut self, method: &Method, parts: &[&str], value: &Value) -> Response {
        self.next += 1;
        let id = self.next;
        match (method.as_str(), parts) {
            ("POST", ["statuses", sha]) => {
                self.statuses.push(((*sha).to_owned(), value.clone()));
                answer(201, &json!({"id": id, "status": value["state"], "creator": null}))
            }
            ("GET", ["commits", _, "status"]) => answer(200, &json!({"state": "pending", "statuses": []})),
            ("GET", ["statuses", _] | ["commits"]) => answer(200, &json!([])),
            ("GET", ["issues", _, "comments"]) => {
                let list: Vec<Value> = self
                    .comments
                    .iter()
                    .map(|(id, body)| json!({"id": id, "body": body, "user": {"login": "gitea-actions"}}))
                    .collect();
                answer(200, &Value::from(list))
            }
            ("POST", ["issues", _, "comments"]) => {
                self.comments
                    .push((id, value["body"].as_str().unwrap_or_default().to_owned()));
                answer(
                    201,
                    &json!({"id": id, "issue_url": "", "user": {"login": "gitea-actions"}}),
                )
            }
            ("PATCH", ["issues", "comments", number]) => {
                let number: u64 = number.parse().unwrap_or(0);
                let Some(comment) = self.comments.iter_mut().find(|(id, _)| *id == number) else {
                    return answer(404, &json!({"message": "The target couldn't be found."}));
                };
                value["body"]
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut comment.1);
                answer(200, &json!({"id": number, "user": null}))
            }
            _ => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
        }
    }
}
