//! [`Authenticator`]: attaches credentials to calls and renews them when they are refused.

use super::Login;
use crate::error::{Failure, Phase};
use crate::kfp::transport::Transport;
use crate::secret::Secret;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use std::sync::Mutex as PlainMutex;

/// Attaches the credentials of one [`Login`] to calls.
pub struct Authenticator {
    login: Login,
    extra: HeaderMap,
    // Everything secret that was ever sent, so that no message repeats it.
    hidden: PlainMutex<Vec<String>>,
}

impl Authenticator {
    /// An authenticator for `login` that also sends `headers`.
    ///
    /// # Errors
    /// When a header's name or value is not one HTTP can carry.
    pub fn new(login: Login, headers: &[(String, Secret)]) -> Result<Self, Failure> {
        let mut extra = HeaderMap::new();
        for (name, value) in headers {
            extra.append(header_name(name)?, header_value(name, value.expose())?);
        }
        let authenticator = Self {
            login,
            extra,
            hidden: PlainMutex::new(Vec::new()),
        };
        for (_, value) in headers {
            authenticator.hide_later(value.expose());
        }
        Ok(authenticator)
    }

    /// The headers for one call, and the number of the login they belong to (for [`Self::renew`]).
    ///
    /// # Errors
    /// When the credentials cannot be had.
    pub async fn headers(&self, _transport: &dyn Transport) -> Result<(HeaderMap, u64), Failure> {
        let mut headers = self.extra.clone();
        match &self.login {
            Login::None => {}
            Login::Bearer(token) => self.bearer(&mut headers, token)?,
            Login::TokenFile(file) => self.bearer(&mut headers, &file.read()?)?,
            Login::UserHeader { name, user } => {
                headers.insert(header_name(name)?, header_value(name, user)?);
            }
            Login::Cookie(cookie) => {
                self.hide_later(cookie.expose());
                headers.insert(COOKIE, header_value("Cookie", cookie.expose())?);
            }
        }
        Ok((headers, 0))
    }

    /// Gets new credentials after those of login number `seen` were refused. `false` means there are no
    /// others to be had.
    ///
    /// # Errors
    /// When logging in again fails.
    pub async fn renew(&self, _transport: &dyn Transport, _seen: u64) -> Result<bool, Failure> {
        Ok(matches!(self.login, Login::TokenFile(_)))
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

    fn bearer(&self, headers: &mut HeaderMap, token: &Secret) -> Result<(), Failure> {
        self.hide_later(token.expose());
        headers.insert(
            AUTHORIZATION,
            header_value("Authorization", &format!("Bearer {}", token.expose()))?,
        );
        Ok(())
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
