//! Asking an authority for a token, and how long it may be used.

use crate::error::{Class, Failure, Phase};
use crate::kfp::error::{message, one_line};
use crate::kfp::transport::{Request, Response, Transport};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// A token, and when to ask for the next.
pub struct Grant {
    pub token: Secret,
    pub renew_in: Option<Duration>,
}

/// How long before its end a token is replaced: a call may take half a minute.
const MARGIN: u64 = 60;

/// The longest lifetime that is believed, in seconds: a run is over long before.
const LONGEST: f64 = 1e6;

/// How long an authority may be silent, all tries together: well below the budget of the first contact
/// (`Connection::first_contact`), within which a login happens. Otherwise the pipelines server would be blamed.
const SILENCE: Duration = Duration::from_secs(10);

/// How often an authority is asked at most. Asking twice only makes a second token.
const ATTEMPTS: u32 = 3;

/// RFC 6749 5.1, and `value` of the CI platforms' own end point.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl Answer {
    /// A number by RFC 6749; the v1 endpoint of Azure AD, among others, writes it as text.
    fn seconds(&self) -> Option<u64> {
        let told = self.expires_in.as_ref()?;
        let seconds = match told.as_str() {
            Some(text) => text.trim().parse().ok()?,
            None => told.as_f64()?,
        };
        // A negative rest is none, and nobody waits for years.
        (seconds >= 0.0).then_some(seconds.min(LONGEST) as u64)
    }
}

/// Sends the request and reads the token. `whose` names the authority: `the token endpoint https://…`.
pub async fn ask(transport: &dyn Transport, request: &Request, whose: &str) -> Result<Grant, Failure> {
    read(&send(transport, request, whose).await?, whose)
}

/// Reads the token out of an answer.
pub fn read(response: &Response, whose: &str) -> Result<Grant, Failure> {
    if !response.status.is_success() {
        return Err(refused(response, whose));
    }
    let unreadable = |what: &str| {
        Failure::usage(
            Phase::Connect,
            format!("{whose} answered without a token ({what})"),
        )
        .hint("check the address: it must be the token endpoint, not the issuer")
    };
    let answer: Answer =
        serde_json::from_slice(&response.body).map_err(|error| unreadable(&error.to_string()))?;
    let told = answer.seconds();
    let text = answer
        .access_token
        .or(answer.id_token)
        .or(answer.value)
        .unwrap_or_default();
    let token = Secret::new(&text).map_err(|_| unreadable("no `access_token`"))?;
    let lifetime = told.or_else(|| lifetime(token.expose(), response.date()));
    Ok(Grant {
        token,
        renew_in: lifetime.map(|seconds| Duration::from_secs(seconds.saturating_sub(MARGIN).max(1))),
    })
}

/// Sends a request; trouble that passes is waited out, briefly.
pub async fn send(transport: &dyn Transport, request: &Request, whose: &str) -> Result<Response, Failure> {
    let end = Instant::now() + SILENCE;
    let mut attempt = 1;
    loop {
        let limit = request.timeout.min(end.saturating_duration_since(Instant::now()));
        let mut request = request.clone();
        request.timeout = limit;
        let cause = match tokio::time::timeout(limit, transport.send(request)).await {
            Ok(Ok(response)) if response.status.is_server_error() => {
                format!("status {}", response.status.as_u16())
            }
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => error.message,
            Err(_) => format!("no answer within {} s", limit.as_secs().max(1)),
        };
        let pause = Duration::from_millis(500 << attempt);
        if attempt >= ATTEMPTS || Instant::now() + pause >= end {
            let text = format!("{whose} does not answer: {cause}");
            return Err(Failure::new(Phase::Connect, Class::Infrastructure, text)
                .hint("check its address, and that this runner may reach it"));
        }
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

fn refused(response: &Response, whose: &str) -> Failure {
    let text = String::from_utf8_lossy(&response.body);
    let told = message(&text).map_or_else(String::new, |text| format!(": {}", one_line(&text, 200)));
    Failure::usage(
        Phase::Connect,
        format!(
            "{whose} refused to give a token (status {}){told}",
            response.status.as_u16()
        ),
    )
    .hint("check client, secret and audience with whoever runs it")
}

/// Seconds a JWT is still valid by the clock of whoever gave it; nothing for tokens of other kinds. The
/// signature is the server's to check.
fn lifetime(token: &str, now: Option<chrono::DateTime<chrono::Utc>>) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let payload = token.split('.').nth(1)?;
    let claims: Claims =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    let now = now.unwrap_or_else(chrono::Utc::now).timestamp();
    let left = claims.exp - now as f64;
    // A negative or absurd rest is not a lifetime.
    (0.0..1e9).contains(&left).then_some(left as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_however_they_are_written() {
        let seconds = |told: &str| {
            let text = format!(r#"{{"access_token":"t","expires_in":{told}}}"#);
            serde_json::from_str::<Answer>(&text).unwrap().seconds()
        };
        assert_eq!(seconds("300"), Some(300));
        assert_eq!(seconds(r#""3599""#), Some(3599));
        assert_eq!(seconds("3599.5"), Some(3599));
        assert_eq!(seconds("18446744073709551615"), Some(1_000_000));
        for none in ["null", "-1", r#""soon""#, "[]", r#""NaN""#] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }

    #[test]
    fn the_rest_of_a_jwt_is_read_by_the_givers_clock() {
        let jwt = |payload: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload));
        let now = chrono::DateTime::from_timestamp(1_795_219_200, 0);
        assert_eq!(lifetime(&jwt(r#"{"exp":1795219500}"#), now), Some(300));
        assert_eq!(lifetime(&jwt(r#"{"exp":1}"#), now), None);
        assert_eq!(lifetime(&jwt("{}"), now), None);
        assert_eq!(lifetime("opaque", now), None);
    }
}
