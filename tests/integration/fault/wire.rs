//! The server over a real network, for the real binary.

use super::dialect::{Dialect, Kind};
use super::kinds::Fault;
use super::server::Server;
use crate::support::{Said, folder, kfp_gitops, python};
use axum::body::{Body, to_bytes};
use axum::extract::Request as Incoming;
use axum::response::Response as Outgoing;
use kfp_gitops::kfp::transport::Request;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;

const BAD_GATEWAY: &str = "<html><title>502 Bad Gateway</title></html>";

/// The file of a pipeline; its content differs by `content`.
pub fn pipeline(name: &str, content: &str) -> String {
    format!(
        "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.11-slim')\ndef say(text: str):\n    \
         print(text)\n\n\n@dsl.pipeline(name='{name}')\ndef {name}(text: str = '{content}'):\n    say(text=text)\n"
    )
}

/// What happens to the calls of the process that is being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Fair,
    /// It is killed at the call with this number, before or after the server did the work.
    Kill(usize, bool),
    /// It gets a signal at the call with this number.
    Signal(usize, i32),
    /// It gets a signal at the call with this number, and another when it has heard the first; no answer comes.
    SignalTwice(usize, i32),
    /// No call from the one with this number on is answered.
    Silent(usize),
    /// It gets a signal at the call with this number; that call and all that follow are asked to come again in a minute.
    SignalBusy(usize, i32),
    /// Writes whose path ends so are answered with these statuses in turn, the last for ever; none is carried out.
    Answers(&'static str, &'static [u16]),
    /// Every third call goes wrong.
    Third(Fault),
}

/// The server on a socket, and the process that calls it.
pub struct Wire {
    pub server: Arc<Server>,
    plan: Mutex<Plan>,
    calls: AtomicUsize,
    /// How many calls a plan has answered in turn.
    turns: AtomicUsize,
    process: AtomicU32,
    /// Raised when the process says that it has heard the signal.
    heard: Notify,
}

impl Wire {
    /// A server of a kind, and its address.
    pub async fn start(kind: Kind) -> (Arc<Self>, String) {
        let wire = Arc::new(Self {
            server: Server::new(Dialect::new(kind), 1),
            plan: Mutex::new(Plan::Fair),
            calls: AtomicUsize::new(0),
            turns: AtomicUsize::new(0),
            process: AtomicU32::new(0),
            heard: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&wire);
        let app = axum::Router::new().fallback(move |request: Incoming| {
            let shared = Arc::clone(&shared);
            async move { shared.answer(request).await }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        (wire, url)
    }

    /// What happens from now on; calls are counted from 0 again.
    pub fn plan(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
        self.calls.store(0, Ordering::SeqCst);
        self.turns.store(0, Ordering::SeqCst);
        self.process.store(0, Ordering::SeqCst);
    }

    async fn answer(&self, incoming: Incoming) -> Outgoing {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let plan = *self.plan.lock().unwrap();
        let (parts, body) = incoming.into_parts();
        let write = parts.method == http::Method::POST;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::new(
            parts.method,
            format!("http://pipelines.test{path}").parse().unwrap(),
        );
        request.headers = parts.headers;
        request.body = to_bytes(body, usize::MAX).await.unwrap();
        match plan {
            Plan::Kill(at, after) if at == number => {
                if after {
                    self.server.answer(request).await;
                }
                self.send(libc::SIGKILL).await;
                return std::future::pending().await;
            }
            Plan::Signal(at, signal) if at == number => {
                self.send(signal).await;
                self.heard.notified().await;
            }
            Plan::SignalTwice(at, signal) if at == number => {
                self.send(signal).await;
                self.heard.notified().await;
                self.send(signal).await;
                return std::future::pending().await;
            }
            Plan::SignalBusy(at, signal) if number >= at => {
                if number == at {
                    self.send(signal).await;
                    self.heard.notified().await;
                }
                let answer = Outgoing::builder().status(429).header("retry-after", "60");
                return answer.body(Body::from("slow down")).unwrap();
            }
            Plan::Answers(end, statuses) if write && request.url.path().ends_with(end) => {
                let turn = self.turns.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1);
                let answer = Outgoing::builder().status(statuses[turn]);
                return answer.body(Body::from(r#"{"code":7,"message":"no"}"#)).unwrap();
            }
            Plan::Silent(from) if number >= from => return std::future::pending().await,
            Plan::Third(fault) if number % 3 == 2 => return self.broken(request, fault).await,
            _ => {}
        }
        outgoing(self.server.answer(request).await)
    }

    async fn broken(&self, request: Request, fault: Fault) -> Outgoing {
        let page = |status: u16, text: &'static str| {
            Outgoing::builder()
                .status(status)
                .header("content-type", "text/html")
                .body(Body::from(text))
                .unwrap()
        };
        match fault {
            Fault::BadGateway => return page(502, BAD_GATEWAY),
            Fault::Unavailable => return page(503, "no healthy upstream"),
            Fault::TooManySeconds => {
                let mut answer = page(429, "slow down");
                answer
                    .headers_mut()
                    .insert("retry-after", http::HeaderValue::from_static("1"));
                return answer;
            }
            _ => {}
        }
        let mut answer = self.server.answer(request).await;
        match fault {
            Fault::BadGatewayAfter => page(502, BAD_GATEWAY),
            Fault::WrongType => page(200, "<html><title>Welcome</title></html>"),
            Fault::SilenceAfter => std::future::pending().await,
            Fault::TruncatedJson => {
                answer.body = answer.body.slice(..answer.body.len() / 2);
                outgoing(answer)
            }
            // The headers promise a whole body, half of it comes, and the connection ends.
            _ => {
                let half = answer.body.slice(..answer.body.len() / 2);
                let cut = futures::stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
                let mut response = Outgoing::new(Body::from_stream(cut));
                *response.status_mut() = answer.status;
                response
            }
        }
    }

    /// Sends a signal to the process that is being watched, once it is known.
    async fn send(&self, signal: i32) {
        let mut id = 0;
        while id == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            id = self.process.load(Ordering::SeqCst);
        }
        let id = i32::try_from(id).unwrap();
        // SAFETY: `kill` only sends a signal, to the process this test has started and not yet waited for.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    }

    /// How many calls there were since the last plan.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Runs `apply` to its end, whatever that is.
    pub async fn apply(&self, root: &Path, url: &str) -> Said {
        self.run(root, &["apply", "--timeout", "2", "--endpoint", url])
            .await
    }

    /// Runs a command to its end; its report is JSON.
    pub async fn run(&self, root: &Path, arguments: &[&str]) -> Said {
        self.run_in(root, arguments, &[]).await
    }

    /// The same with variables in its environment.
    pub async fn run_in(&self, root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = kfp_gitops(root);
        command
            .args(arguments)
            .args(["--format", "json", "--python"])
            .arg(python::with_kfp())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process.store(child.id().unwrap(), Ordering::SeqCst);
        let mut complaints = BufReader::new(child.stderr.take().unwrap()).lines();
        let listen = async {
            let mut heard = String::new();
            while let Some(line) = complaints.next_line().await.unwrap() {
                if line.starts_with("stopping: ") {
                    self.heard.notify_one();
                }
                heard.push_str(&line);
                heard.push('\n');
            }
            heard
        };
        let (err, output) = tokio::join!(listen, child.wait_with_output());
        let output = output.unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err,
        }
    }
}

fn outgoing(answer: kfp_gitops::kfp::transport::Response) -> Outgoing {
    let mut response = Outgoing::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response.headers_mut().remove("content-length");
    response
}

/// A repository with one pipeline, `one`.
pub fn root() -> tempfile::TempDir {
    folder(&[
        ("one_pipeline.py", &pipeline("one", "a")),
        ("requirements.txt", "kfp==2.17.0\n"),
    ])
}
