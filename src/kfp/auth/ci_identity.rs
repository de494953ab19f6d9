//! The identity token of the CI platform: GitHub gives one to jobs with `permissions: id-token: write`.

use super::client_credentials::{form_request, shown};
use super::grant::{Grant, ask};
use crate::error::{Failure, Phase};
use crate::kfp::transport::{Request, Transport};
use crate::secret::Secret;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use url::Url;
use url::form_urlencoded::Serializer;

/// The CI platform's own token end point.
#[derive(Clone, Debug)]
pub struct CiIdentity {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
    pub request_url: Url,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub request_token: Secret,
    /// For whom the token is; the platform's own default otherwise.
    pub audience: Option<String>,
    /// Where to exchange it for a token the server takes; directly used otherwise.
    pub exchange: Option<TokenExchange>,
}

/// RFC 8693: one token for another, as Dex and Keycloak offer it.
#[derive(Clone, Debug)]
pub struct TokenExchange {
    /// The token endpoint.
    pub token_url: Url,
    /// The client's id, where the authority wants one.
    pub client_id: Option<String>,
    /// The client's secret, where it has one.
    pub client_secret: Option<Secret>,
    /// For whom the new token is.
    pub audience: Option<String>,
    /// Dex: the connector that trusts the CI platform.
    pub connector: Option<String>,
}

impl CiIdentity {
    /// Gets the platform's token, and exchanges it where that is configured.
    pub(super) async fn token(&self, transport: &dyn Transport) -> Result<Grant, Failure> {
        let mut url = self.request_url.clone();
        if let Some(audience) = &self.audience {
            url.query_pairs_mut().append_pair("audience", audience);
        }
        let mut request = Request::new(Method::GET, url);
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.request_token.expose()))
            .map_err(|_| Failure::usage(Phase::Connect, "the CI platform's request token cannot be sent"))?;
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
        request
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        let grant = ask(transport, &request, "the CI platform's identity endpoint").await?;
        match &self.exchange {
            None => Ok(grant),
            Some(exchange) => exchange.token(transport, &grant.token).await,
        }
    }

    pub(super) fn secrets(&self) -> Vec<&Secret> {
        let exchanged = self
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.client_secret.as_ref());
        std::iter::once(&self.request_token).chain(exchanged).collect()
    }
}

impl TokenExchange {
    async fn token(&self, transport: &dyn Transport, subject: &Secret) -> Result<Grant, Failure> {
        let whose = format!("the token exchange {}", shown(&self.token_url));
        ask(transport, &self.request(subject), &whose).await
    }

    fn request(&self, subject: &Secret) -> Request {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")
            .append_pair(
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            )
            .append_pair("scope", "openid")
            .append_pair("subject_token", subject.expose());
        let optional = [
            ("client_id", self.client_id.as_deref()),
            ("client_secret", self.client_secret.as_ref().map(Secret::expose)),
            ("audience", self.audience.as_deref()),
            ("connector_id", self.connector.as_deref()),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                form.append_pair(key, value);
            }
        }
        form_request(&self.token_url, form.finish())
    }
}
