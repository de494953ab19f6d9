//! Who is calling, and does the server take it?

use super::{Finding, Subject, manifests};
use crate::error::Phase;
use crate::kfp::auth::Login;
use crate::kfp::error::{ApiError, ErrorKind};
use crate::kfp::model::Pipeline;
use crate::kfp::{Client, advice};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The finding, and the pipelines that the server listed, where it let the call in.
pub async fn check(client: &Client, subject: &Subject) -> (Finding, Option<Vec<Pipeline>>) {
    let who = who(&subject.connection.login);
    match client.pipelines_page(None, 1, None).await {
        Ok(page) => (
            Finding::passed("login", format!("{who}: taken")),
            Some(page.items),
        ),
        Err(error) => (refused(&error, subject, &who), None),
    }
}

/// The same where the server did not even say what it is: `None` unless it is the login that it minds.
pub async fn objection(client: &Client, subject: &Subject) -> Option<Finding> {
    let error = client.pipelines_page(None, 1, None).await.err()?;
    let minds = matches!(
        error.kind,
        ErrorKind::Login
            | ErrorKind::NotLoggedIn
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::MeshDenied
    );
    minds.then(|| refused(&error, subject, &who(&subject.connection.login)))
}

/// What a refusal means.
pub fn refused(error: &ApiError, subject: &Subject, who: &str) -> Finding {
    let failure = advice::failure(error, Phase::Connect, who);
    let cure = failure
        .hint
        .clone()
        .unwrap_or_else(|| "look into the server's log".to_owned());
    let role = || {
        manifests::role(
            subject.connection.namespace.as_deref().unwrap_or("NAMESPACE"),
            caller(&subject.connection.login).as_deref(),
        )
    };
    match error.kind {
        ErrorKind::Login => {
            let failure = error.clone().into_failure(Phase::Connect, who);
            Finding::failed("login", failure.message, failure.hint.unwrap_or(cure))
        }
        ErrorKind::MeshDenied => {
            Finding::failed("login", failure.message, cure).paste(manifests::authorization_policy(subject))
        }
        ErrorKind::Forbidden => {
            Finding::failed("login", failure.message, "apply this Role and RoleBinding").paste(role())
        }
        ErrorKind::Unauthenticated if matches!(subject.connection.login, Login::None) => Finding::failed(
            "login",
            failure.message,
            "mount a projected service-account token with the audience `pipelines.kubeflow.org` at \
             `/var/run/secrets/kubeflow/pipelines/token`, or configure another login; then it needs these rights",
        )
        .paste(role()),
        // Once the server knows who is calling it asks what that caller may do: one trip less.
        ErrorKind::Unauthenticated => {
            Finding::failed("login", failure.message, format!("{cure}; then it needs these rights")).paste(role())
        }
        _ => Finding::failed("login", failure.message, cure),
    }
}

/// The caller as far as it is known here, without any secret.
fn who(login: &Login) -> String {
    let named = |what: &str| match caller(login) {
        Some(name) => format!("{what} of `{name}`"),
        None => what.to_owned(),
    };
    match login {
        Login::None => "without a login".to_owned(),
        Login::Bearer(_) => named("a bearer token"),
        Login::TokenFile(file) => format!("{} from {}", named("the token"), file.path().display()),
        Login::UserHeader { name, user } => format!("the header `{name}` as `{user}`"),
        Login::Cookie(_) => "a session cookie".to_owned(),
        Login::Dex(dex) => format!("a login at Dex as `{}`", dex.username),
        Login::CiIdentity(_) => "the CI platform's identity".to_owned(),
        Login::ClientCredentials(client) => format!("the client `{}`", client.client_id),
    }
}

/// The user the server will see: the subject of a token, or the header's user.
pub fn caller(login: &Login) -> Option<String> {
    match login {
        Login::UserHeader { user, .. } => Some(user.clone()),
        Login::Dex(dex) => Some(dex.username.clone()),
        Login::Bearer(token) => subject_of(token.expose()),
        Login::TokenFile(file) => subject_of(file.read().ok()?.expose()),
        _ => None,
    }
}

/// `sub` of a JWT, which is no secret. Not checked: the server does that.
pub(super) fn subject_of(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    claims["sub"]
        .as_str()
        .map(|subject| crate::kfp::error::one_line(subject, 120))
}
