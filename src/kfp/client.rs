//! [`Client`]: what all calls share; the reads are in `reads.rs`.

use super::auth::Authenticator;
use super::capabilities::Capabilities;
use super::connection::Connection;
use super::error::{ApiError, ErrorKind, is_page};
use super::http::HttpTransport;
use super::links::Links;
use super::model::{self, Server};
use super::retry::Patience;
use super::transport::{Request, Response, Transport, TransportFault};
use crate::error::{Failure, Phase};
use chrono::{DateTime, Utc};
use http::Method;
use http::header::{ACCEPT, HeaderValue};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

mod reads;

/// The largest page a server returns (larger requests are clamped, every version).
pub const PAGE: usize = 200;

/// A client of one server. Cloning is cheap; clones share the budget, the deadline and the login.
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) connection: Connection,
    pub(super) transport: Arc<dyn Transport>,
    auth: Authenticator,
    pub(super) patience: Patience,
    permits: Semaphore,
    calls: AtomicU64,
    // The server's `Date` seen last, and when it was seen here.
    clock: Mutex<Option<(DateTime<Utc>, Instant)>>,
    pub(super) server: OnceLock<Server>,
}

impl Client {
    /// A client over the network. Nothing is sent yet.
    ///
    /// # Errors
    /// When the connection's settings cannot be used (exit 2).
    pub fn new(connection: Connection) -> Result<Self, Failure> {
        let transport = HttpTransport::new(
            connection.ca_file.as_deref(),
            connection.insecure_skip_tls_verify,
            connection.connect_timeout,
        )?;
        Self::with_transport(connection, Arc::new(transport))
    }

    /// A client over another transport: the embedded registry, or a test's.
    ///
    /// # Errors
    /// When the connection's settings cannot be used (exit 2).
    pub fn with_transport(connection: Connection, transport: Arc<dyn Transport>) -> Result<Self, Failure> {
        if !matches!(connection.endpoint.scheme(), "http" | "https") || connection.endpoint.host().is_none() {
            return Err(Failure::usage(
                Phase::Settings,
                format!(
                    "the endpoint `{}` is not an http or https address",
                    without_credentials(&connection.endpoint)
                ),
            )
            .hint("write it as `http://ml-pipeline.kubeflow.svc.cluster.local:8888`"));
        }
        let shared = Shared {
            auth: Authenticator::new(
                connection.login.clone(),
                &connection.endpoint,
                &connection.headers,
            )?,
            patience: Patience::new(connection.deadline, connection.seed),
            permits: Semaphore::new(connection.concurrency.max(1)),
            calls: AtomicU64::new(0),
            clock: Mutex::new(None),
            server: OnceLock::new(),
            transport,
            connection,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Where the server is and how it is called.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// Links to the UI.
    #[must_use]
    pub fn links(&self) -> Links {
        Links::new(
            self.shared.connection.ui_url.as_ref(),
            &self.shared.connection.endpoint,
        )
    }

    /// The run's budget and deadline.
    #[must_use]
    pub fn patience(&self) -> &Patience {
        &self.shared.patience
    }

    /// How many requests were sent so far, repeats included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// The earliest it can be by the server's clock, or `None` when no answer told the time. `Date` is cut
    /// to the second, so the truth is up to a second later.
    #[must_use]
    pub fn server_now(&self) -> Option<DateTime<Utc>> {
        let (date, seen) = (*self.shared.clock.lock().ok()?)?;
        Some(date + seen.elapsed())
    }

    /// What the server can do; the newest known set until [`Client::server`] was asked.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.shared.server.get().map_or_else(
            || Capabilities::for_version(None, model::Store::Database),
            Capabilities::of,
        )
    }

    /// The server as far as it was asked; [`Client::server`] asks.
    #[must_use]
    pub fn known_server(&self) -> Option<Server> {
        self.shared.server.get().cloned()
    }

    /// Whether the login refused the password: it is not to be tried again, with this client or another.
    pub async fn password_refused(&self) -> bool {
        self.shared.auth.password_refused().await
    }

    /// The namespace to send: the configured one on multi-user servers, none on single-user ones, which
    /// must not be sent any.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        let multi_user = self.shared.server.get().is_none_or(|server| server.multi_user);
        self.shared.connection.namespace.as_deref().filter(|_| multi_user)
    }

    /// The address of a resource below `/apis/v2beta1`.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.shared.connection.endpoint.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["apis", "v2beta1"]).extend(segments);
        }
        url
    }

    /// Sends a read until it succeeds or repeating is over, and reads the answer.
    pub(super) async fn read<T>(
        &self,
        url: Url,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        self.read_until(&url, &parse, self.shared.patience.deadline())
            .await
    }

    /// The same, but over at `end` at the latest, with the error met last.
    pub(super) async fn read_until<T>(
        &self,
        url: &Url,
        parse: &impl Fn(&[u8]) -> Result<T, String>,
        end: Instant,
    ) -> Result<T, ApiError> {
        let mut attempt = 1;
        let mut last = None;
        loop {
            let error = match tokio::time::timeout_at(end, self.read_once(url, parse)).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(last.unwrap_or_else(|| out_of_time(url))),
            };
            // A page where the API has answered before is a proxy's hiccup; at first it is the wrong address.
            let hiccup = error.kind == ErrorKind::Page && self.shared.server.get().is_some();
            if !error.passes() && !hiccup {
                return Err(error);
            }
            let Some(wait) = self.shared.patience.wait(attempt, error.retry_after) else {
                return Err(error);
            };
            if Instant::now() + wait >= end {
                return Err(error);
            }
            tracing::debug!(call = %error.call, cause = %error.message, ?wait, attempt, "reading again");
            if !self.shared.patience.pause(wait).await {
                return Err(error);
            }
            last = Some(error);
            attempt += 1;
        }
    }

    /// Sends a read once (once more after a renewed login) and reads the answer.
    pub(super) async fn read_once<T>(
        &self,
        url: &Url,
        parse: &impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        let request = Request::new(Method::GET, url.clone());
        let call = name_of(&request);
        let (mut result, login) = self.send(request.clone()).await;
        if let Err(error) = &result
            && error.credentials_refused()
            && self.renew(&call, login).await?
        {
            result = self.send(request).await.0;
        }
        let response = result?;
        parse(&response.body).map_err(|cause| self.hidden(ApiError::unreadable(&call, &response, &cause)))
    }

    /// Sends a request once. Any answer but a success of the API is an error. Also returns the number of
    /// the login it was sent with.
    pub(super) async fn send(&self, request: Request) -> (Result<Response, ApiError>, u64) {
        let call = name_of(&request);
        let (result, login) = self.exchange(request).await;
        let result = match result {
            Ok(response) if response.status.is_success() && !is_page(&response, &start(&response)) => {
                self.shared.patience.succeeded();
                Ok(response)
            }
            Ok(response) => Err(ApiError::from_response(&call, &response)),
            Err(error) => Err(error),
        };
        (result.map_err(|error| self.hidden(error)), login)
    }

    /// Sends a request once, within the limits, and returns any answer. Also returns the number of the
    /// login it was sent with.
    pub(super) async fn exchange(&self, mut request: Request) -> (Result<Response, ApiError>, u64) {
        let shared = &*self.shared;
        let call = name_of(&request);
        // The semaphore is never closed, so an error cannot happen; going on without a permit is harmless.
        let _permit = shared.permits.acquire().await.ok();
        let (headers, login) = match shared.auth.headers(&*shared.transport).await {
            Ok(found) => found,
            Err(failure) => return (Err(ApiError::login(&call, shared.auth.hide_failure(failure))), 0),
        };
        request.headers.extend(headers);
        request
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        let Some(left) = shared.patience.remaining() else {
            let why = if shared.patience.is_hurried() {
                "the run was asked to stop".to_owned()
            } else {
                format!("the run's {} are over", seconds(shared.connection.deadline))
            };
            return (Err(ApiError::new(ErrorKind::Deadline, &call, why)), login);
        };
        let limit = shared.connection.timeout.min(left);
        request.timeout = limit;
        shared.calls.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let result = match tokio::time::timeout(limit, shared.transport.send(request)).await {
            Ok(Ok(response)) => {
                if let (Some(date), Ok(mut clock)) = (response.date(), shared.clock.lock()) {
                    *clock = Some((date, Instant::now()));
                }
                Ok(response)
            }
            Ok(Err(error)) => Err(ApiError::from_transport(&call, &error)),
            Err(_) => Err(ApiError::new(
                ErrorKind::NoAnswer(TransportFault::Timeout),
                &call,
                format!("nothing came back within {}", seconds(limit)),
            )),
        };
        tracing::debug!(%call, elapsed = ?started.elapsed(), answer = ?result.as_ref().ok(), "call");
        (result, login)
    }

    /// Logs in again after login number `seen` was refused.
    pub(super) async fn renew(&self, call: &str, seen: u64) -> Result<bool, ApiError> {
        let shared = &*self.shared;
        shared
            .auth
            .renew(&*shared.transport, seen)
            .await
            .map_err(|failure| ApiError::login(call, shared.auth.hide_failure(failure)))
    }

    fn hidden(&self, error: ApiError) -> ApiError {
        error.redacted(|text| self.shared.auth.hide(text))
    }
}

/// The error of a read that was still under way when its time was up.
fn out_of_time(url: &Url) -> ApiError {
    ApiError::new(
        ErrorKind::NoAnswer(TransportFault::Timeout),
        &format!("GET {}", url.path()),
        "nothing came back in time",
    )
}

/// Enough of the body to recognise a web page.
fn start(response: &Response) -> String {
    String::from_utf8_lossy(&response.body[..response.body.len().min(512)]).into_owned()
}

/// Method and path: the query may hold names, never secrets, but it is long.
pub(super) fn name_of(request: &Request) -> String {
    format!("{} {}", request.method, request.url.path())
}

fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests;
