//! The server: the embedded registry on a virtual clock, behind faults and a dialect.

use super::dialect::Dialect;
use super::kinds::{Fault, Schedule};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kfp_gitops::kfp::embedded::{Clock, Identifiers, Store, router};
use kfp_gitops::kfp::transport::{BoxFuture, Request, Response, Transport, TransportError, TransportFault};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tower::ServiceExt;

/// The server's clock: virtual time since a fixed moment.
#[derive(Clone, Copy)]
pub struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let start = DateTime::from_timestamp(1_795_219_200, 400_000_000).expect("a moment");
        start + TimeDelta::from_std(self.0.elapsed()).expect("a short time")
    }
}

/// Ids in an order that depends on the seed, because ties are broken by id.
struct SeededIds(Mutex<SmallRng>);

impl Identifiers for SeededIds {
    fn next(&self) -> String {
        format!("{:032x}", self.0.lock().unwrap().random::<u128>())
    }
}

/// A server. It stays the same over several runs.
pub struct Server {
    clock: VirtualClock,
    router: axum::Router,
    pub dialect: Dialect,
    writes: AtomicUsize,
}

impl Server {
    /// An empty server; must be made inside a runtime.
    pub fn new(dialect: Dialect, seed: u64) -> Arc<Self> {
        let clock = VirtualClock(Instant::now());
        let store = Store::in_memory()
            .expect("memory")
            .with_clock(Arc::new(clock))
            .with_identifiers(Arc::new(SeededIds(Mutex::new(SmallRng::seed_from_u64(seed)))));
        Arc::new(Self {
            clock,
            router: router(Arc::new(store)),
            dialect,
            writes: AtomicUsize::new(0),
        })
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// How many writes arrived.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request) -> Response {
        if request.method != http::Method::GET {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        let mut response = match self.dialect.before(&request, self.now()) {
            Some(response) => response,
            None => {
                let sent = self.dialect.rewrite(&request);
                let mut builder =
                    http::Request::builder()
                        .method(sent.method)
                        .uri(sent.url.query().map_or_else(
                            || sent.url.path().to_owned(),
                            |query| format!("{}?{query}", sent.url.path()),
                        ));
                *builder.headers_mut().expect("a request") = sent.headers;
                let request_out = builder
                    .body(axum::body::Body::from(sent.body))
                    .expect("a request");
                let answer = self
                    .router
                    .clone()
                    .oneshot(request_out)
                    .await
                    .expect("a router never fails");
                let (parts, body) = answer.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX)
                    .await
                    .expect("a body in memory");
                let response = Response {
                    status: parts.status,
                    headers: parts.headers,
                    body,
                };
                self.dialect.after(&request, response, self.now())
            }
        };
        if self.dialect.tells_time {
            let date = httpdate::fmt_http_date(self.now().into());
            response
                .headers
                .insert(header::DATE, HeaderValue::from_str(&date).expect("a date"));
        }
        response
    }
}

/// A way to the server on which things go wrong.
pub struct Faulty {
    pub server: Arc<Server>,
    schedule: Schedule,
    calls: AtomicUsize,
    log: Mutex<Vec<String>>,
    /// Every call asks here before it goes on, when somebody schedules them.
    gate: Option<mpsc::UnboundedSender<oneshot::Sender<()>>>,
    /// After that many calls the client is no more: nothing is answered.
    dies_at: Option<(usize, bool)>,
    died: tokio::sync::Notify,
}

impl Faulty {
    pub fn new(server: &Arc<Server>, schedule: Schedule) -> Arc<Self> {
        Arc::new(Self::plain(server, schedule))
    }

    fn plain(server: &Arc<Server>, schedule: Schedule) -> Self {
        Self {
            server: Arc::clone(server),
            schedule,
            calls: AtomicUsize::new(0),
            log: Mutex::new(Vec::new()),
            gate: None,
            dies_at: None,
            died: tokio::sync::Notify::new(),
        }
    }

    /// Calls wait until somebody lets them through.
    pub fn gated(
        server: &Arc<Server>,
        schedule: Schedule,
        gate: mpsc::UnboundedSender<oneshot::Sender<()>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            gate: Some(gate),
            ..Self::plain(server, schedule)
        })
    }

    /// The process dies at call `number`, before or `after` the server did the work.
    pub fn dying(server: &Arc<Server>, number: usize, after: bool) -> Arc<Self> {
        Arc::new(Self {
            dies_at: Some((number, after)),
            ..Self::plain(server, Schedule::Fair)
        })
    }

    /// Returns when the process died.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// What was called, with its fault, for messages of failed tests.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        if let Some(gate) = &self.gate {
            let (open, opened) = oneshot::channel();
            gate.send(open).ok();
            opened.await.ok();
        }
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = self.schedule.fault(number);
        let query = request
            .url
            .query()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect::<String>();
        let shown = format!(
            "{number:3} {:?} {} {}?{query} {fault:?}",
            self.server.now().format("%S%.3f").to_string(),
            request.method,
            request.url.path()
        );
        self.log.lock().unwrap().push(shown);
        if let Some((at, after)) = self.dies_at
            && number >= at
        {
            if number == at && after {
                self.server.answer(request).await;
            }
            self.died.notify_one();
            return std::future::pending().await;
        }
        // A little time passes with every call, so that seconds end in the middle of things.
        tokio::time::sleep(Duration::from_millis(7)).await;
        let answer = self.broken(request, fault).await;
        let outcome = match &answer {
            Ok(response) => response.status.to_string(),
            Err(error) => error.message.clone(),
        };
        if let Some(line) = self.log.lock().unwrap().get_mut(number) {
            line.push_str(" -> ");
            line.push_str(&outcome);
        }
        answer
    }

    async fn broken(&self, request: Request, fault: Option<Fault>) -> Result<Response, TransportError> {
        let lost = |message: &str| Err(TransportError::new(TransportFault::Lost, message));
        let Some(fault) = fault else {
            return Ok(self.server.answer(request).await);
        };
        match fault {
            Fault::Refused => Err(TransportError::new(TransportFault::Refused, "connection refused")),
            Fault::ResetBefore => lost("connection reset by peer"),
            Fault::ResetAfter => {
                self.server.answer(request).await;
                lost("connection reset by peer")
            }
            Fault::AnswerCut => {
                self.server.answer(request).await;
                lost("end of file before the end of the message")
            }
            Fault::SilenceBefore => std::future::pending().await,
            Fault::SilenceAfter => {
                self.server.answer(request).await;
                std::future::pending().await
            }
            Fault::Late => {
                let server = Arc::clone(&self.server);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(31_500)).await;
                    server.answer(request).await;
                });
                std::future::pending().await
            }
            Fault::TooMany => Ok(plain(429, "text/plain", "slow down")),
            Fault::TooManySeconds => Ok(retry_after(HeaderValue::from_static("7"))),
            Fault::TooManyDate => {
                let date = httpdate::fmt_http_date((self.server.now() + TimeDelta::seconds(9)).into());
                Ok(retry_after(HeaderValue::from_str(&date).expect("a date")))
            }
            Fault::Status500 => Ok(internal(&request)),
            Fault::BadGateway => Ok(bad_gateway()),
            Fault::BadGatewayAfter => {
                self.server.answer(request).await;
                Ok(bad_gateway())
            }
            Fault::Unavailable => Ok(plain(503, "text/plain", "no healthy upstream")),
            Fault::UnavailableAfter => {
                self.server.answer(request).await;
                Ok(plain(
                    503,
                    "text/plain",
                    "upstream connect error or disconnect/reset before headers",
                ))
            }
            Fault::TruncatedJson => {
                let mut response = self.server.answer(request).await;
                response.body = response.body.slice(..response.body.len() / 2);
                Ok(response)
            }
            Fault::WrongType => {
                self.server.answer(request).await;
                Ok(plain(
                    200,
                    "text/html",
                    "<html><head><title>Welcome</title></head><body>hello</body></html>",
                ))
            }
            Fault::Conflict => Ok(plain(
                409,
                "application/json",
                r#"{"code":6,"message":"already exists"}"#,
            )),
            Fault::Duplicate => {
                self.server.answer(request.clone()).await;
                Ok(self.server.answer(request).await)
            }
            Fault::DoubleBody => {
                let mut response = self.server.answer(request).await;
                response.body = Bytes::from([response.body.as_ref(), response.body.as_ref()].concat());
                Ok(response)
            }
        }
    }
}

impl Transport for Faulty {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// An answer with a body.
pub fn plain(status: u16, content_type: &'static str, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Response {
        status: StatusCode::from_u16(status).expect("a status"),
        headers,
        body: Bytes::from(body.to_owned()),
    }
}

fn retry_after(value: HeaderValue) -> Response {
    let mut response = plain(429, "text/plain", "slow down");
    response.headers.insert(header::RETRY_AFTER, value);
    response
}

fn bad_gateway() -> Response {
    plain(
        502,
        "text/html",
        "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    )
}

fn internal(request: &Request) -> Response {
    if request.url.path().ends_with("/upload_version") {
        let text = r#"{"error_message":"Failed to create a pipeline version","error_details":"Failed to create a pipeline version"}"#;
        return plain(500, "application/json", text);
    }
    plain(
        500,
        "application/json",
        r#"{"code":13,"message":"InternalServerError: deadlock","details":[{"@type":"type.googleapis.com/google.rpc.Status","code":13,"message":"Internal Server Error"}]}"#,
    )
}
