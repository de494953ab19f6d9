//! [`HttpTransport`]: the network, through reqwest.

use super::tls::{self, SystemRoots};
use super::transport::{BoxFuture, Request, Response, Transport, TransportError, TransportFault};
use crate::error::{Failure, Phase};
use bytes::{Bytes, BytesMut};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// How this program calls itself.
pub const USER_AGENT: &str = concat!("kfp-gitops/", env!("CARGO_PKG_VERSION"));

/// HTTP/1.1 and HTTP/2 over TCP and TLS, through the proxy of the environment (`HTTP_PROXY`,
/// `HTTPS_PROXY`, `NO_PROXY`).
pub struct HttpTransport {
    ca_file: Option<PathBuf>,
    trust_everybody: bool,
    connect_timeout: Duration,
    // Reading the system's certificates takes milliseconds that a plain in-cluster address need not pay.
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
}

impl HttpTransport {
    /// A transport; nothing is sent yet.
    ///
    /// # Errors
    /// When `ca_file` cannot be used.
    pub fn new(
        ca_file: Option<&Path>,
        trust_everybody: bool,
        connect_timeout: Duration,
    ) -> Result<Self, Failure> {
        tls::install_provider();
        if let Some(path) = ca_file {
            tls::certificates(path)?;
        }
        Ok(Self {
            ca_file: ca_file.map(Path::to_owned),
            trust_everybody,
            connect_timeout,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        })
    }

    fn client(&self, secure: bool) -> Result<reqwest::Client, TransportError> {
        let cell = if secure { &self.secure } else { &self.plain };
        if let Some(client) = cell.get() {
            return Ok(client.clone());
        }
        let client = self
            .build(secure)
            .map_err(|failure| TransportError::new(TransportFault::Tls, failure.message))?;
        Ok(cell.get_or_init(|| client).clone())
    }

    fn build(&self, secure: bool) -> Result<reqwest::Client, Failure> {
        // Without `https` only a proxy spoken to over TLS needs roots at all.
        let system = if secure {
            SystemRoots::Read
        } else {
            SystemRoots::Leave
        };
        let config = tls::client_config(self.ca_file.as_deref(), self.trust_everybody, system)?;
        reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .tls_backend_preconfigured(config)
            .connect_timeout(self.connect_timeout)
            // The client decides about redirects and repeats, call by call.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .build()
            .map_err(|error| {
                Failure::internal(
                    Phase::Connect,
                    format!("the HTTP client cannot be set up: {error}"),
                )
            })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let client = self.client(request.url.scheme() == "https")?;
            let limit = request.response_limit;
            let mut builder = client
                .request(request.method, request.url)
                .headers(request.headers)
                .timeout(request.timeout);
            if !request.body.is_empty() {
                builder = builder.body(request.body);
            }
            let answer = builder.send().await.map_err(|error| describe(error, false))?;
            let status = answer.status();
            let headers = answer.headers().clone();
            let body = read(answer, limit).await?;
            Ok(Response {
                status,
                headers,
                body,
            })
        })
    }
}

async fn read(mut answer: reqwest::Response, limit: usize) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| describe(error, true))? {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::new(
                TransportFault::TooLarge,
                format!("the answer is larger than {} MiB", limit >> 20),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Says what happened in words, without the address: its query may hold what nobody should log.
fn describe(error: reqwest::Error, answering: bool) -> TransportError {
    let error = error.without_url();
    let chain = causes(&error);
    let text = chain.join(": ");
    let fault = if answering {
        if error.is_timeout() {
            TransportFault::Timeout
        } else {
            TransportFault::Lost
        }
    } else if error.is_dns() {
        TransportFault::Dns
    } else if error.is_connect() {
        connect_fault(&error, &text)
    } else if error.is_timeout() {
        TransportFault::Timeout
    } else if text.contains("invalid HTTP") || text.contains("parse error") || text.contains("frame") {
        TransportFault::Protocol
    } else {
        TransportFault::Lost
    };
    TransportError::new(fault, text)
}

fn connect_fault(error: &reqwest::Error, text: &str) -> TransportFault {
    if has_cause(error, &|cause| cause.is::<rustls::Error>()) {
        return TransportFault::Tls;
    }
    let refused = |cause: &(dyn Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    // Whatever keeps a proxy from connecting, the server is not to blame, and is not what has to be mended.
    if text.contains("tunnel") || text.contains("proxy") {
        TransportFault::Proxy
    } else if has_cause(error, &refused) {
        TransportFault::Refused
    } else if error.is_timeout() {
        TransportFault::ConnectTimeout
    } else {
        TransportFault::Connect
    }
}

/// Looks through the causes; an I/O error hides what it wraps from `source`.
fn has_cause(error: &(dyn Error + 'static), is: &dyn Fn(&(dyn Error + 'static)) -> bool) -> bool {
    if is(error) {
        return true;
    }
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref)
        .is_some_and(|inner| has_cause(inner, is));
    wrapped || error.source().is_some_and(|cause| has_cause(cause, is))
}

/// The chain of causes from the outermost in, each once.
fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut chain: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        // reqwest's own layers say little ("error sending request"); hyper repeats its source.
        let repeated = chain.iter().any(|said| said.contains(&text));
        let empty = text == "error sending request" || text == "client error (Connect)";
        if !repeated && !empty {
            chain.push(text);
        }
        next = cause.source();
    }
    if chain.is_empty() {
        chain.push(error.to_string());
    }
    chain
}
