//! One client for both APIs: sends a call through octocrab, repeats it only where that is harmless, and
//! turns every answer into a value or a [`ForgeError`].

use super::Kind;
use super::error::{Fault, ForgeError};
use super::limits::{Deadline, Limits, wait};
use super::redact::Redactor;
use super::service::{OverTransport, TimeLimit};
use crate::context::Repository;
use crate::kfp::transport::{Transport, TransportError};
use crate::secret::Secret;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, Method, Uri};
use http_body_util::BodyExt;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What the client needs.
pub struct Options {
    /// Which API.
    pub kind: Kind,
    /// The API's address, such as `https://git.example/api/v1`.
    pub api_url: String,
    /// The repository.
    pub repository: Repository,
    /// The job's token, or another.
    pub token: Option<Secret>,
    /// Time limits.
    pub limits: Limits,
    /// What is taken out of every message.
    pub redactor: Redactor,
}

/// A forge's API for one repository.
pub struct Client {
    octocrab: Octocrab,
    base: Uri,
    pub(super) kind: Kind,
    pub(super) repository: Repository,
    authorization: Option<HeaderValue>,
    pub(super) limits: Limits,
    redactor: Redactor,
}

/// A successful answer.
pub(super) struct Answer {
    pub headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// The body as the expected value.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body).map_err(|error| unreadable(&error, &self.body))
    }
}

/// A body that ends half-way came from a broken connection or proxy: the forge did what it was asked.
fn unreadable(error: &serde_json::Error, body: &[u8]) -> ForgeError {
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let (fault, what) = match start {
        Some(b'<') => (Fault::NotTheApi, "an HTML page"),
        Some(_) if error.is_eof() => (Fault::Lost, kind_of(error)),
        _ => (Fault::NotTheApi, kind_of(error)),
    };
    ForgeError::new(fault, format!("the forge's answer is not the API's: {what}"))
}

/// serde's message may quote the body, so only its kind is told.
fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends half-way",
        serde_json::error::Category::Data => "its fields are not the expected ones",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
    }
}

impl Client {
    /// A client on the program's transport. Must be called inside the runtime.
    ///
    /// # Errors
    /// When the address or the token cannot be used.
    pub fn new(transport: Arc<dyn Transport>, options: Options) -> Result<Self, ForgeError> {
        let broken = |what: &str| ForgeError::new(Fault::Unreachable, what.to_owned());
        let base: Uri = options
            .api_url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| broken("the API's address is no http address: see `forge-api-url`"))?;
        if !matches!(base.scheme_str(), Some("http" | "https")) || base.authority().is_none() {
            return Err(broken(
                "the API's address is no http address: see `forge-api-url`",
            ));
        }
        let authorization = options
            .token
            .as_ref()
            .map(|token| {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                    .map_err(|_| broken("the forge token holds characters that cannot be sent"))?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        let built = OctocrabBuilder::new_empty()
            .with_service(OverTransport { transport })
            .with_layer(&BaseUriLayer::new(base.clone()))
            .with_auth(AuthState::None)
            .build();
        let octocrab = match built {
            Ok(octocrab) => octocrab,
            Err(never) => match never {},
        };
        Ok(Self {
            octocrab,
            base,
            kind: options.kind,
            repository: options.repository,
            authorization,
            limits: options.limits,
            redactor: options.redactor,
        })
    }

    /// Which API.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether there is a token at all.
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// `/repos/{owner}/{name}/{rest}`.
    pub(super) fn repository_path(&self, rest: &str) -> String {
        format!("/repos/{}/{}/{rest}", self.repository.owner, self.repository.name)
    }

    /// A read, repeated a little when the forge is in trouble.
    pub(super) async fn get(&self, path: &str, deadline: Deadline) -> Result<Answer, ForgeError> {
        self.repeated(&Method::GET, path, None, deadline).await
    }

    /// A call whose repetition changes nothing: reads, edits to a given text, deletions, statuses (of which
    /// the newest counts).
    pub(super) async fn repeated(
        &self,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
        deadline: Deadline,
    ) -> Result<Answer, ForgeError> {
        let mut number = 0;
        loop {
            let error = match self.once(method, path, body, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.passing() => error,
                Err(error) => return Err(error),
            };
            let Some(pause) = wait(&self.limits, number, error.retry_after, deadline) else {
                return Err(error);
            };
            tokio::time::sleep(pause).await;
            number += 1;
        }
    }

    /// Sends a call exactly once, following at most one redirect that stays on the same server and keeps
    /// the method.
    pub(super) async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
        deadline: Deadline,
    ) -> Result<Answer, ForgeError> {
        let text = body.map(ToString::to_string);
        let (status, headers, answer) = self.exchange(method, path, text.clone(), deadline).await?;
        let (status, headers, answer) = match self.moved(method, status, &headers) {
            Some(place) => self.exchange(method, &place, text, deadline).await?,
            None => (status, headers, answer),
        };
        if (200..=299).contains(&status) {
            if method != Method::DELETE {
                serde_json::from_slice::<serde::de::IgnoredAny>(&answer)
                    .map_err(|error| unreadable(&error, &answer))?;
            }
            return Ok(Answer {
                headers,
                body: answer,
            });
        }
        let mut error = ForgeError::answer(status, &headers, &answer);
        error.message = self.redactor.clean(&error.message);
        Err(error)
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: Option<String>,
        deadline: Deadline,
    ) -> Result<(u16, HeaderMap, Bytes), ForgeError> {
        let limit = self.limits.call.min(deadline.left());
        if limit.is_zero() {
            return Err(ForgeError::new(Fault::Lost, "no answer from the forge in time"));
        }
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, "application/json")
            .extension(TimeLimit(limit));
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(body.map_or_else(OctoBody::empty, OctoBody::from))
            .map_err(|error| {
                ForgeError::new(Fault::Refused, format!("the call cannot be written: {error}"))
            })?;
        tracing::debug!(%method, path, "forge");
        let response = self
            .octocrab
            .execute(request)
            .await
            .map_err(|error| self.unsent(&error))?;
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| self.unsent(&error))?
            .to_bytes();
        Ok((parts.status.as_u16(), parts.headers, body))
    }

    /// octocrab wraps the transport's error; the kind of it decides what may be repeated.
    fn unsent(&self, error: &octocrab::Error) -> ForgeError {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = source {
            if let Some(transport) = cause.downcast_ref::<TransportError>() {
                let mut error = ForgeError::transport(transport);
                error.message = self.redactor.clean(&error.message);
                return error;
            }
            source = cause.source();
        }
        ForgeError::new(Fault::Lost, "no answer from the forge")
    }

    /// The path of a redirect that may be followed: GitHub moves renamed repositories.
    fn moved(&self, method: &Method, status: u16, headers: &HeaderMap) -> Option<String> {
        // 301 and 302 turn a POST into a GET in most clients: writes follow only what keeps the method.
        let follows = matches!(status, 307 | 308) || (matches!(status, 301 | 302) && method == Method::GET);
        if !follows {
            return None;
        }
        let target: Uri = headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
        let same = target.authority().is_none()
            || (target.authority() == self.base.authority() && target.scheme() == self.base.scheme());
        same.then(|| target.path_and_query().map(ToString::to_string))?
    }
}
