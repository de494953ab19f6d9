//! The OAuth 2 client-credentials grant (RFC 6749 4.4).

use super::grant::{Grant, ask, read, send};
use crate::error::{Failure, Phase};
use crate::kfp::transport::{Request, Transport};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

/// A client that proves itself with its own secret.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// The token endpoint.
    pub token_url: Url,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// The audience, where the authority wants one.
    pub audience: Option<String>,
    /// The scope, where the authority wants one.
    pub scope: Option<String>,
}

impl ClientCredentials {
    /// Asks for a token.
    pub(super) async fn token(&self, transport: &dyn Transport) -> Result<Grant, Failure> {
        let whose = format!("the token endpoint {}", shown(&self.token_url));
        // RFC 6749 2.3.1: every authority must take Basic; some only take the body, and say 401 to Basic.
        let first = send(transport, &self.request(true)?, &whose).await?;
        if first.status.as_u16() == 401 {
            return ask(transport, &self.request(false)?, &whose).await;
        }
        read(&first, &whose)
    }

    fn request(&self, basic: bool) -> Result<Request, Failure> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if let Some(audience) = &self.audience {
            form.append_pair("audience", audience);
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        if !basic {
            form.append_pair("client_id", &self.client_id);
            form.append_pair("client_secret", self.client_secret.expose());
        }
        let mut request = form_request(&self.token_url, form.finish());
        if basic {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!(
                "{}:{}",
                encoded(&self.client_id),
                encoded(self.client_secret.expose())
            );
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
                .map_err(|_| Failure::internal(Phase::Connect, "a client id that no header can carry"))?;
            value.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

/// A POST of a form.
pub(super) fn form_request(url: &Url, body: String) -> Request {
    let mut request = Request::new(Method::POST, url.clone());
    request.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.body = Bytes::from(body);
    request.response_limit = 1 << 20;
    request
}

/// An address without what may be secret in it.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
