//! The real binary over a real network: killed at every call, interrupted, and with a sample of faults.

use crate::fault::dialect::{Dialect, Kind};
use crate::fault::kinds::Fault;
use crate::fault::server::Server;
use crate::fault::truth::{self, truth};
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
use tokio::net::TcpListener;

const PIPELINE: &str = "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.11-slim')\ndef say(text: str):\n    \
                        print(text)\n\n\n@dsl.pipeline(name='one')\ndef one(text: str = 'a'):\n    say(text=text)\n";

/// What happens to the calls of the process that is being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Fair,
    /// It is killed at the call with this number, before or after the server did the work.
    Kill(usize, bool),
    /// It gets a signal at the call with this number.
    Signal(usize, i32),
    /// Every third call goes wrong.
    Third(Fault),
}

/// The server on a socket.
struct Wire {
    server: Arc<Server>,
    plan: Mutex<Plan>,
    calls: AtomicUsize,
    process: AtomicU32,
}

impl Wire {
    async fn start() -> (Arc<Self>, String) {
        let wire = Arc::new(Self {
            server: Server::new(Dialect::new(Kind::V2_17_0), 1),
            plan: Mutex::new(Plan::Fair),
            calls: AtomicUsize::new(0),
            process: AtomicU32::new(0),
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

    fn plan(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
        self.calls.store(0, Ordering::SeqCst);
        self.process.store(0, Ordering::SeqCst);
    }

    async fn answer(&self, incoming: Incoming) -> Outgoing {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let plan = *self.plan.lock().unwrap();
        let (parts, body) = incoming.into_parts();
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
                // The answer comes when the signal has been heard.
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Plan::Third(fault) if number % 3 == 2 => return self.broken(request, fault).await,
            _ => {}
        }
        outgoing(self.server.answer(request).await)
    }

    async fn broken(&self, request: Request, fault: Fault) -> Outgoing {
        let answer = self.server.answer(request).await;
        match fault {
            Fault::BadGatewayAfter => Outgoing::builder()
                .status(502)
                .header("content-type", "text/html")
                .body(Body::from("<html><title>502 Bad Gateway</title></html>"))
                .unwrap(),
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

    /// Runs `apply` to its end, whatever that is.
    async fn apply(&self, root: &Path, url: &str) -> Said {
        let mut command = kfp_gitops(root);
        command
            .args([
                "apply",
                "--format",
                "json",
                "--timeout",
                "2",
                "--endpoint",
                url,
                "--python",
            ])
            .arg(python::with_kfp())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process.store(child.id().unwrap(), Ordering::SeqCst);
        let output = child.wait_with_output().await.unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
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

fn root() -> tempfile::TempDir {
    folder(&[
        ("one_pipeline.py", PIPELINE),
        ("requirements.txt", "kfp==2.17.0\n"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_call() {
    let folder = root();
    let (wire, url) = Wire::start().await;
    let said = wire.apply(folder.path(), &url).await;
    assert_eq!(said.code, 0, "{said:?}");
    let calls = wire.calls.load(Ordering::SeqCst);
    assert!(calls >= 6, "{calls}");
    for number in 0..calls {
        for after in [false, true] {
            let (wire, url) = Wire::start().await;
            wire.plan(Plan::Kill(number, after));
            let killed = wire.apply(folder.path(), &url).await;
            assert_eq!(killed.code, -1, "call {number}, after {after}: {killed:?}");
            wire.plan(Plan::Fair);
            let clean = wire.apply(folder.path(), &url).await;
            assert_eq!(clean.code, 0, "call {number}, after {after}: {clean:?}");
            let held = truth(&wire.server).await;
            truth::no_duplicates(&held);
            assert_eq!(held["one"].len(), 1, "call {number}, after {after}: {held:#?}");
            let version = clean.json()["pipelines"][0]["version_id"]
                .as_str()
                .map(str::to_owned);
            assert_eq!(version.as_deref(), Some(held["one"][0].id.as_str()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_settles_what_is_in_flight_and_exits_75() {
    let folder = root();
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // The call that creates the pipeline: it is settled, and nothing more is started.
        let (wire, url) = Wire::start().await;
        wire.plan(Plan::Signal(3, signal));
        let said = wire.apply(folder.path(), &url).await;
        assert_eq!(said.code, 75, "{said:?}");
        let pipeline = &said.json()["pipelines"][0];
        assert_eq!(
            (&pipeline["action"], &pipeline["reason"]),
            (&"skipped".into(), &"interrupted".into()),
            "{pipeline:#}"
        );
        assert!(truth(&wire.server).await["one"].is_empty());
        wire.plan(Plan::Fair);
        let clean = wire.apply(folder.path(), &url).await;
        assert_eq!(clean.code, 0, "{clean:?}");
        assert_eq!(truth(&wire.server).await["one"].len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_third_call_fails() {
    let folder = root();
    for fault in [Fault::AnswerCut, Fault::BadGatewayAfter] {
        let (wire, url) = Wire::start().await;
        wire.plan(Plan::Third(fault));
        let said = wire.apply(folder.path(), &url).await;
        assert_eq!(said.code, 0, "{fault:?}: {said:?}");
        let held = truth(&wire.server).await;
        assert_eq!(held["one"].len(), 1, "{fault:?}: {held:#?}");
    }
}
