//! Puts octocrab on the program's own transport: the same proxies, authorities, time and size limits as
//! for the pipelines server, and no repetition that nobody decided on.

use crate::kfp::transport::{Request, Transport};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use octocrab::OctoBody;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The largest answer that is read, in bytes: a page of a hundred long comments.
const ANSWER_LIMIT: usize = 16 << 20;

/// Any error, as tower wants it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// octocrab's lowest layer. It is given whole addresses and gives back whole answers.
#[derive(Clone)]
pub(super) struct OverTransport {
    pub transport: Arc<dyn Transport>,
}

/// How long the call may take, carried with the request.
#[derive(Clone, Copy)]
pub(super) struct TimeLimit(pub Duration);

impl tower_service::Service<http::Request<OctoBody>> for OverTransport {
    type Response = http::Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<OctoBody>) -> Self::Future {
        let transport = Arc::clone(&self.transport);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = url::Url::parse(&parts.uri.to_string())?;
            let mut headers = parts.headers;
            // The transport knows the length of what it sends.
            headers.remove(http::header::CONTENT_LENGTH);
            let mut sent = Request::new(parts.method, url);
            sent.headers = headers;
            sent.body = body.collect().await?.to_bytes();
            sent.response_limit = ANSWER_LIMIT;
            if let Some(TimeLimit(limit)) = parts.extensions.get::<TimeLimit>() {
                sent.timeout = *limit;
            }
            let answer = transport.send(sent).await?;
            let mut response = http::Response::new(Full::new(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
