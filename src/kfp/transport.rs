//! One request, one answer: the seam between the client and the network.
//!
//! The client never sees a socket. In the program the seam is [`super::http::HttpTransport`]; in
//! tests it is a server in the same process, on virtual time, that loses and breaks answers.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use url::Url;

/// A boxed future, because a trait object cannot return an unnamed one.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one request and returns the one answer. Follows no redirect, repeats nothing, keeps no cookie.
pub trait Transport: Send + Sync {
    /// Sends `request` once.
    ///
    /// # Errors
    /// When no whole answer arrived; [`TransportError::sent`] says whether the server can have seen the request.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}

/// A request. Cloning is cheap: the body is shared.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address with its query.
    pub url: Url,
    /// All headers but `Host`, `Content-Length` and `User-Agent`.
    pub headers: HeaderMap,
    /// The body; empty means none.
    pub body: Bytes,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// How many bytes of body are read before giving up.
    pub response_limit: usize,
}

impl Request {
    /// A request without headers or body, with the default time limit (30 s) and size limit (64 MiB).
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            response_limit: 64 << 20,
        }
    }
}

// Headers may hold credentials, so `Debug` names only method and path.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url.path())
    }
}

/// An answer with its whole body.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, not longer than the request's limit.
    pub body: Bytes,
}

impl Response {
    /// A header as text, or an empty string.
    #[must_use]
    pub fn header(&self, name: http::header::HeaderName) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    /// The server's clock when it answered, to the second, from the `Date` header. Go's HTTP server,
    /// which every pipelines server is built on, always sends it.
    #[must_use]
    pub fn date(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        httpdate::parse_http_date(self.header(http::header::DATE))
            .ok()
            .map(Into::into)
    }
}

// Headers may set session cookies, bodies may hold a user's code.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// What kept an answer from arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFault {
    /// The name does not resolve.
    Dns,
    /// The connection was refused.
    Refused,
    /// Nothing answered the attempt to connect: packets are dropped.
    ConnectTimeout,
    /// TLS could not be agreed on: certificate, host name, protocol.
    Tls,
    /// The proxy could not be reached or refused to connect.
    Proxy,
    /// Another failure to connect.
    Connect,
    /// The connection was lost before the whole answer arrived.
    Lost,
    /// No answer in time.
    Timeout,
    /// The answer is larger than the limit.
    TooLarge,
    /// Not HTTP, or HTTP that cannot be read.
    Protocol,
}

/// No whole answer arrived.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What kind of failure.
    pub fault: TransportFault,
    /// The cause in one line, without the address' query and without credentials.
    pub message: String,
}

impl TransportError {
    /// An error with a message.
    #[must_use]
    pub fn new(fault: TransportFault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
        }
    }

    /// Whether the server can have seen the request, and so can have acted on it.
    #[must_use]
    pub const fn sent(&self) -> bool {
        !matches!(
            self.fault,
            TransportFault::Dns
                | TransportFault::Refused
                | TransportFault::ConnectTimeout
                | TransportFault::Tls
                | TransportFault::Proxy
                | TransportFault::Connect
        )
    }
}
