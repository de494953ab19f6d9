//! A forge, an ntfy server and a webhook in this process, that answer as recorded and can break before or
//! after they did the work, at any call.

use super::{SHA, TOKEN};
use crate::kfp::transport::{BoxFuture, Request, Response, Transport, TransportError, TransportFault};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Nobody listens.
    Refused,
    /// A status, without doing the work.
    Status(u16),
    /// 429 with `Retry-After`, in seconds.
    RetryAfter(u64),
    /// An HTML page with a 200, without doing the work.
    Html,
    /// The work is done, and the answer's body ends half-way (a whole HTTP answer, half a JSON).
    CutJson,
    /// The work is done, and the connection breaks.
    LostAfter,
    /// The work is not done, and the connection breaks.
    LostBefore,
    /// The work is done, and no answer comes for 30 seconds.
    SilentAfter,
    /// 500 after the work is done.
    ErrorAfter,
    /// An error whose body repeats what was sent.
    Echo,
}

impl Broken {
    pub(crate) const ALL: &'static [Self] = &[
        Self::Refused,
        Self::Status(401),
        Self::Status(403),
        Self::Status(404),
        Self::Status(422),
        Self::Status(429),
        Self::RetryAfter(1),
        Self::RetryAfter(3600),
        Self::Status(500),
        Self::Status(503),
        Self::Html,
        Self::CutJson,
        Self::LostAfter,
        Self::LostBefore,
        Self::SilentAfter,
        Self::ErrorAfter,
        Self::Echo,
    ];

    /// Whether nobody knows if the work was done.
    pub(crate) const fn uncertain(self) -> bool {
        matches!(self, Self::LostAfter | Self::LostBefore | Self::SilentAfter)
    }

    /// Whether the very next call works again and nothing but patience is needed.
    pub(crate) const fn passes(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Status(429 | 500 | 503)
                | Self::RetryAfter(1)
                | Self::CutJson
                | Self::LostAfter
                | Self::LostBefore
                | Self::SilentAfter
                | Self::ErrorAfter
        )
    }
}

/// Which calls break.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    Never,
    /// The n-th call, counted from 0.
    At(usize, Broken),
    /// Every call to a host.
    Host(&'static str, Broken),
}

#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub id: u64,
    pub login: &'static str,
    pub body: String,
}

#[derive(Debug)]
pub(crate) struct State {
    pub plan: Plan,
    pub calls: Vec<String>,
    pub statuses: BTreeMap<String, Vec<(u64, String, String, String)>>,
    pub comments: Vec<Comment>,
    pub messages: Vec<Value>,
    pub hooks: Vec<Value>,
    pub commits: Vec<&'static str>,
    pub version: &'static str,
    pub runs: bool,
    pub merged: Option<u64>,
    pub page: usize,
    /// Everything that arrived or was answered, to be searched for secrets.
    pub authorizations: BTreeSet<String>,
    next: u64,
    github: bool,
}

/// The stand-ins.
pub(crate) struct Fake {
    pub state: Mutex<State>,
    /// How often a call gives way to others before it is answered, so that two runs mix differently.
    pub order: Mutex<u64>,
}

impl Fake {
    pub(crate) fn new(github: bool) -> Self {
        Self {
            order: Mutex::new(0),
            state: Mutex::new(State {
                plan: Plan::Never,
                calls: Vec::new(),
                statuses: BTreeMap::new(),
                comments: Vec::new(),
                messages: Vec::new(),
                hooks: Vec::new(),
                commits: vec![SHA, "0000000000000000000000000000000000000001"],
                version: "1.24.3",
                runs: false,
                merged: None,
                page: 1000,
                authorizations: BTreeSet::new(),
                next: 1,
                github,
            }),
        }
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("no panic while locked"))
    }

    pub(crate) fn own_comments(&self) -> Vec<Comment> {
        self.with(|state| {
            let bot = state.bot();
            let ours =
                |comment: &&Comment| comment.login == bot && comment.body.starts_with("<!-- kfp-gitops");
            state.comments.iter().filter(ours).cloned().collect()
        })
    }

    /// The words of this tool's statuses on a commit, in order.
    pub(crate) fn words(&self, sha: &str) -> Vec<String> {
        self.with(|state| {
            let list = state.statuses.get(sha).cloned().unwrap_or_default();
            list.into_iter().map(|(_, word, ..)| word).collect()
        })
    }
}

impl Transport for Fake {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            for _ in 0..self.turns() {
                tokio::task::yield_now().await;
            }
            let (answer, delay) = self.with(|state| state.receive(&request));
            if delay > request.timeout {
                tokio::time::sleep(request.timeout).await;
                return Err(TransportError::new(
                    TransportFault::Timeout,
                    "operation timed out",
                ));
            }
            tokio::time::sleep(delay).await;
            answer
        })
    }
}

impl Fake {
    /// A small generator: the same seed mixes the same way every time.
    fn turns(&self) -> u64 {
        let mut seed = self.order.lock().expect("no panic while locked");
        if *seed == 0 {
            return 0;
        }
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 60) & 7
    }
}

type Answered = Result<Response, TransportError>;

fn answer(status: u16, body: impl Into<Bytes>, headers: &[(&'static str, String)]) -> Answered {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("a header"));
    }
    Ok(Response {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: map,
        body: body.into(),
    })
}

fn json_answer(status: u16, value: &Value) -> Answered {
    answer(status, value.to_string(), &[])
}

impl State {
    fn bot(&self) -> &'static str {
        if self.github {
            "github-actions[bot]"
        } else {
            "gitea-actions"
        }
    }

    fn receive(&mut self, request: &Request) -> (Answered, Duration) {
        let number = self.calls.len();
        let host = request.url.host_str().unwrap_or_default().to_owned();
        self.calls
            .push(format!("{} {host}{}", request.method, request.url.path()));
        if let Some(value) = request.headers.get("authorization") {
            self.authorizations
                .insert(format!("{host} {}", value.to_str().unwrap_or_default()));
        }
        let broken = match self.plan {
            Plan::At(at, broken) if at == number => Some(broken),
            Plan::Host(name, broken) if host.contains(name) => Some(broken),
            _ => None,
        };
        let soon = Duration::ZERO;
        let lost = Err(TransportError::new(
            TransportFault::Lost,
            "connection reset by peer",
        ));
        let Some(broken) = broken else {
            return (self.work(&host, request), soon);
        };
        match broken {
            Broken::Refused => (
                Err(TransportError::new(TransportFault::Refused, "connection refused")),
                soon,
            ),
            Broken::Status(code) => (
                json_answer(
                    code,
                    &json!({"message": "user should have a permission", "error": "forbidden"}),
                ),
                soon,
            ),
            Broken::RetryAfter(seconds) => (answer(429, "{}", &[("retry-after", seconds.to_string())]), soon),
            Broken::Html => (answer(200, "<html><body>Sign in</body></html>", &[]), soon),
            Broken::CutJson => match self.work(&host, request) {
                Ok(mut done) if done.body.len() > 1 => {
                    done.body = done.body.slice(..done.body.len() / 2);
                    (Ok(done), soon)
                }
                other => (other, soon),
            },
            Broken::LostAfter => {
                let _ = self.work(&host, request);
                (lost, soon)
            }
            Broken::LostBefore => (lost, soon),
            Broken::SilentAfter => (self.work(&host, request), Duration::from_secs(30)),
            Broken::ErrorAfter => {
                let _ = self.work(&host, request);
                (
                    json_answer(500, &json!({"message": "database table is locked"})),
                    soon,
                )
            }
            Broken::Echo => {
                let headers: Vec<String> = request
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
                    .collect();
                let body = String::from_utf8_lossy(&request.body);
                let said = format!("{} {} {body}", request.url, headers.join("; "));
                (json_answer(400, &json!({"message": said, "error": said})), soon)
            }
        }
    }

    fn work(&mut self, host: &str, request: &Request) -> Answered {
        match host {
            "ntfy.test" => {
                let value: Value = serde_json::from_slice(&request.body).expect("JSON for ntfy");
                assert_eq!(
                    request.url.path(),
                    "/",
                    "JSON sent to a topic's path is shown as text"
                );
                self.messages.push(value);
                json_answer(200, &json!({"id": "2I2f3XyFfuf3", "event": "message"}))
            }
            "hook.test" => {
                self.hooks
                    .push(serde_json::from_slice(&request.body).expect("JSON for the webhook"));
                answer(204, "", &[])
            }
            _ => self.forge(request),
        }
    }

    fn forge(&mut self, request: &Request) -> Answered {
        let expected = format!("Bearer {TOKEN}");
        let given = request
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let path = request
            .url
            .path()
            .strip_prefix("/api/v1")
            .unwrap_or(request.url.path())
            .to_owned();
        if path == "/version" && !self.github {
            return json_answer(200, &json!({"version": self.version}));
        }
        if given != Some(expected.as_str()) {
            return json_answer(401, &json!({"message": "token is required"}));
        }
        if path == "/user" {
            return if self.github {
                json_answer(403, &json!({"message": "Resource not accessible by integration"}))
            } else {
                json_answer(200, &json!({"id": -2, "login": "gitea-actions"}))
            };
        }
        let Some(rest) = path.strip_prefix("/repos/ml/pipelines/") else {
            return json_answer(404, &json!({"message": "The target couldn't be found."}));
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        match (&request.method, parts.as_slice()) {
            (&Method::POST, ["statuses", sha]) => self.post_status(sha, &body),
            (&Method::GET, ["statuses", sha] | ["commits", sha, "statuses"]) => {
                let list: Vec<Value> = self.listed(sha);
                json_answer(200, &Value::from(list))
            }
            (&Method::GET, ["commits", sha, "status"]) => {
                // The combined view has the newest of each context.
                let newest: Vec<Value> = self.listed(sha).into_iter().next_back().into_iter().collect();
                json_answer(200, &json!({"state": "pending", "statuses": newest}))
            }
            (&Method::GET, ["commits"]) => {
                let list: Vec<Value> = self.commits.iter().map(|sha| json!({"sha": sha})).collect();
                json_answer(200, &Value::from(list))
            }
            (&Method::GET, ["actions", "runs", id]) if self.runs => json_answer(
                200,
                &json!({"html_url": format!("http://forge.public/ml/pipelines/actions/runs/{id}")}),
            ),
            (&Method::GET, ["commits", _, "pull"]) if self.merged.is_some() => json_answer(
                200,
                &json!({"number": self.merged, "merged_at": "2026-02-13T14:30:22Z"}),
            ),
            (&Method::GET, ["commits", _, "pulls"]) => {
                let list: Vec<Value> = self
                    .merged
                    .iter()
                    .map(|n| json!({"number": n, "merged_at": "2026-02-13T14:30:22Z"}))
                    .collect();
                json_answer(200, &Value::from(list))
            }
            (&Method::GET, ["issues", "1", "comments"]) => self.list_comments(&query),
            (&Method::POST, ["issues", "1", "comments"]) => {
                let id = self.id();
                let text = body["body"].as_str().expect("a body").to_owned();
                let login = self.bot();
                self.comments.push(Comment {
                    id,
                    login,
                    body: text,
                });
                json_answer(201, &json!({"id": id, "issue_url": "", "user": {"login": login}}))
            }
            (method, ["issues", "comments", id]) => self.one_comment(method, id.parse().unwrap_or(0), &body),
            _ => answer(404, "404 page not found\n", &[]),
        }
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Another run's status.
    pub(crate) fn add_status(&mut self, sha: &str, word: &str) {
        let status = (self.id(), word.to_owned(), "kfp-gitops".to_owned(), String::new());
        self.statuses.entry(sha.to_owned()).or_default().push(status);
    }

    fn post_status(&mut self, sha: &str, body: &Value) -> Answered {
        let word = body["state"].as_str().expect("a state").to_owned();
        assert!(
            ["pending", "success", "failure", "error", "warning"].contains(&word.as_str()),
            "{word}"
        );
        assert!(
            body["description"]
                .as_str()
                .expect("a description")
                .chars()
                .count()
                <= 140
        );
        let id = self.id();
        let context = body["context"].as_str().expect("a context").to_owned();
        let said = body["description"].as_str().unwrap_or_default().to_owned();
        self.statuses
            .entry(sha.to_owned())
            .or_default()
            .push((id, word.clone(), context, said));
        let key = if self.github { "state" } else { "status" };
        json_answer(201, &json!({"id": id, key: word, "creator": null}))
    }

    fn listed(&self, sha: &str) -> Vec<Value> {
        let key = if self.github { "state" } else { "status" };
        let list = self.statuses.get(sha).cloned().unwrap_or_default();
        list.into_iter()
            .map(|(id, word, context, _)| json!({"id": id, key: word, "context": context}))
            .collect()
    }

    fn list_comments(&self, query: &BTreeMap<String, String>) -> Answered {
        let page: usize = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        let list: Vec<Value> = self
            .comments
            .iter()
            .skip((page - 1) * self.page)
            .take(self.page)
            .map(|comment| json!({"id": comment.id, "body": comment.body, "user": {"login": comment.login}}))
            .collect();
        let total = self.comments.len().to_string();
        let headers = if self.github {
            vec![]
        } else {
            vec![("x-total-count", total)]
        };
        answer(200, Value::from(list).to_string(), &headers)
    }

    fn one_comment(&mut self, method: &Method, id: u64, body: &Value) -> Answered {
        let bot = self.bot();
        let Some(at) = self.comments.iter().position(|comment| comment.id == id) else {
            return json_answer(
                404,
                &json!({"errors": ["comment does not exist"], "message": "not found"}),
            );
        };
        assert_eq!(self.comments[at].login, bot, "nobody edits what others wrote");
        if method == Method::DELETE {
            self.comments.remove(at);
            return answer(204, "", &[]);
        }
        self.comments[at].body = body["body"].as_str().expect("a body").to_owned();
        // The recorded answer to an edit has no user.
        json_answer(200, &json!({"id": id, "issue_url": "", "user": null}))
    }
}
