//! [`Authenticator`]: attaches credentials to calls and renews them when they run out or are refused.

use super::Login;
use super::client_credentials::shown;
use super::dex::NoSession;
use super::grant::Grant;
use crate::error::{Class, Failure, Phase};
use crate::kfp::transport::Transport;
use crate::secret::Secret;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use std::sync::Mutex as PlainMutex;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

/// Attaches the credentials of one [`Login`] to calls.
pub struct Authenticator {
    login: Login,
    endpoint: Url,
    extra: HeaderMap,
    // One at a time: eight calls that find the session over must not log in eight times.
    session: Mutex<Session>,
    // Everything secret that was ever sent, so that no message repeats it.
    hidden: PlainMutex<Vec<String>>,
}

/// The credentials in use, where they had to be fetched.
#[derive(Default)]
struct Session {
    /// Counts logins, so that a caller can say which one was refused.
    number: u64,
    header: Option<(HeaderName, HeaderValue)>,
    renew_at: Option<Instant>,
    /// The password was refused: it is not sent again, because directories close an account after a few times.
    refusal: Option<Failure>,
    /// What the token file held when it was read last.
    file: Option<Secret>,
}

/// A header with credentials, and when to fetch the next.
type Fetched = ((HeaderName, HeaderValue), Option<Duration>);

/// How long a whole login may take: it happens within the first contact's 15 s, and must end before it.
const LOGIN: Duration = Duration::from_secs(12);

impl Authenticator {
    /// An authenticator for `login` at `endpoint` that also sends `headers`.
    ///
    /// # Errors
    /// When a header's name or value is not one HTTP can carry.
    pub fn new(login: Login, endpoint: &Url, headers: &[(String, Secret)]) -> Result<Self, Failure> {
        let mut extra = HeaderMap::new();
        for (name, value) in headers {
            extra.append(header_name(name)?, header_value(name, value.expose())?);
        }
        let authenticator = Self {
            login,
            endpoint: endpoint.clone(),
            extra,
            session: Mutex::default(),
            hidden: PlainMutex::default(),
        };
        for (_, value) in headers {
            authenticator.hide_later(value.expose());
        }
        for secret in authenticator.login_secrets() {
            authenticator.hide_later(secret.expose());
        }
        Ok(authenticator)
    }

    /// The headers for one call, and the number of the login they belong to (for [`Self::renew`]).
    ///
    /// # Errors
    /// When the credentials cannot be had.
    pub async fn headers(&self, transport: &dyn Transport) -> Result<(HeaderMap, u64), Failure> {
        let mut headers = self.extra.clone();
        let mut number = 0;
        match &self.login {
            Login::None => {}
            Login::Bearer(token) => {
                headers.insert(AUTHORIZATION, bearer(token)?);
            }
            Login::TokenFile(file) => {
                let token = file.read()?;
                self.hide_later(token.expose());
                headers.insert(AUTHORIZATION, bearer(&token)?);
                self.session.lock().await.file = Some(token);
            }
            Login::UserHeader { name, user } => {
                headers.insert(header_name(name)?, header_value(name, user)?);
            }
            Login::Cookie(cookie) => {
                headers.insert(COOKIE, header_value("Cookie", cookie.expose())?);
            }
            Login::Dex(_) | Login::CiIdentity(_) | Login::ClientCredentials(_) => {
                let mut session = self.session.lock().await;
                if session.renew_at.is_some_and(|at| Instant::now() >= at) {
                    session.header = None;
                }
                if session.header.is_none() {
                    self.log_in(transport, &mut session).await?;
                }
                if let Some((name, value)) = &session.header {
                    headers.insert(name.clone(), value.clone());
                }
                number = session.number;
            }
        }
        Ok((headers, number))
    }

    /// Gets new credentials after those of login number `seen` were refused. `false` means there are no
    /// others to be had.
    ///
    /// # Errors
    /// When logging in again fails.
    pub async fn renew(&self, transport: &dyn Transport, seen: u64) -> Result<bool, Failure> {
        match &self.login {
            Login::Dex(_) | Login::CiIdentity(_) | Login::ClientCredentials(_) => {
                let mut session = self.session.lock().await;
                // Another call may have renewed it while this one waited.
                if session.number == seen {
                    self.log_in(transport, &mut session).await?;
                }
                Ok(true)
            }
            Login::TokenFile(file) => {
                let last = self.session.lock().await.file.clone();
                Ok(last != Some(file.read()?))
            }
            Login::None | Login::Bearer(_) | Login::UserHeader { .. } | Login::Cookie(_) => Ok(false),
        }
    }

    async fn log_in(&self, transport: &dyn Transport, session: &mut Session) -> Result<(), Failure> {
        session.header = None;
        if let Some(refusal) = &session.refusal {
            return Err(refusal.clone());
        }
        // Each authority has its own limit; this one is for several slow steps in a row.
        let Ok(fetched) = tokio::time::timeout(LOGIN, self.fetch(transport)).await else {
            return Err(self.endless());
        };
        let fetched = fetched.map_err(|NoSession { failure, refused }| {
            session.refusal = refused.then(|| (*failure).clone());
            *failure
        });
        let Some((header, lifetime)) = fetched? else {
            return Ok(());
        };
        session.number += 1;
        session.header = Some(header);
        session.renew_at = lifetime.map(|lifetime| Instant::now() + lifetime);
        Ok(())
    }

    /// Whether the password was refused.
    pub async fn password_refused(&self) -> bool {
        self.session.lock().await.refusal.is_some()
    }

    /// New credentials; `None` where this login needs none.
    async fn fetch(&self, transport: &dyn Transport) -> Result<Option<Fetched>, NoSession> {
        Ok(match &self.login {
            Login::Dex(dex) => {
                let cookies = dex.log_in(transport, &self.endpoint).await?;
                self.hide_later(cookies.expose());
                Some(((COOKIE, header_value("Cookie", cookies.expose())?), None))
            }
            Login::CiIdentity(identity) => Some(self.granted(identity.token(transport).await?)?),
            Login::ClientCredentials(credentials) => Some(self.granted(credentials.token(transport).await?)?),
            _ => None,
        })
    }

    /// The failure of a login that would not end.
    fn endless(&self) -> Failure {
        let whose = match &self.login {
            Login::CiIdentity(identity) => {
                let exchange = identity.exchange.as_ref().map(|exchange| &exchange.token_url);
                format!("at {}", shown(exchange.unwrap_or(&identity.request_url)))
            }
            Login::ClientCredentials(credentials) => format!("at {}", shown(&credentials.token_url)),
            _ => format!("in front of {}", shown(&self.endpoint)),
        };
        Failure::new(
            Phase::Connect,
            Class::Infrastructure,
            format!("the login {whose} was not done within {} s", LOGIN.as_secs()),
        )
        .hint(
            "look at what gives out tokens or sessions there: the pipelines server itself was not asked yet",
        )
    }

    fn granted(&self, grant: Grant) -> Result<Fetched, Failure> {
        self.hide_later(grant.token.expose());
        Ok(((AUTHORIZATION, bearer(&grant.token)?), grant.renew_in))
    }

    /// The text without any secret that was sent.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let Ok(hidden) = self.hidden.lock() else {
            return "(message withheld)".to_owned();
        };
        hidden.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "***")
        })
    }

    /// The failure without any secret that was sent.
    #[must_use]
    pub fn hide_failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.hide(&failure.message);
        failure.detail = failure.detail.map(|detail| self.hide(&detail));
        failure
    }

    fn login_secrets(&self) -> Vec<&Secret> {
        match &self.login {
            Login::None | Login::TokenFile(_) | Login::UserHeader { .. } => Vec::new(),
            Login::Bearer(secret) | Login::Cookie(secret) => vec![secret],
            Login::Dex(dex) => vec![&dex.password],
            Login::CiIdentity(identity) => identity.secrets(),
            Login::ClientCredentials(credentials) => vec![&credentials.client_secret],
        }
    }

    fn hide_later(&self, secret: &str) {
        if let Ok(mut hidden) = self.hidden.lock()
            // Very short values ("1", "yes") would tear holes into every message.
            && secret.len() >= 4
            && !hidden.iter().any(|known| known == secret)
        {
            hidden.push(secret.to_owned());
        }
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, Failure> {
    header_value("Authorization", &format!("Bearer {}", token.expose()))
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        Failure::usage(Phase::Settings, format!("`{name}` is not a header's name"))
            .hint("write headers as `Name: value`")
    })
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Failure::usage(
            Phase::Settings,
            format!("the value of the header `{name}` holds characters HTTP cannot carry"),
        )
        .hint("check for line breaks in the value; it is not shown here because it may be a secret")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
