//! From an [`ApiError`] to the [`Failure`] people read: whose fault it is, and the next step.

use super::error::{ApiError, ErrorKind};
use super::transport::TransportFault;
use crate::error::{Class, Failure, Phase};

/// The failure for an error that was met while `doing` something.
#[must_use]
pub fn failure(error: &ApiError, phase: Phase, doing: &str) -> Failure {
    let (class, hint) = judge(error);
    let status = match error.status {
        Some(status) if !error.message.contains(&format!("status {status}")) => format!("status {status}: "),
        _ => String::new(),
    };
    let failure = Failure::new(
        phase,
        class,
        format!("{doing}: {}{status}{}", kind_words(error.kind), error.message),
    )
    .detail(error.call.clone());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

const fn kind_words(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unreachable(TransportFault::Dns) => "the server's name does not resolve: ",
        ErrorKind::Unreachable(TransportFault::Refused) => "the connection was refused: ",
        ErrorKind::Unreachable(TransportFault::ConnectTimeout) => "nothing answered the attempt to connect: ",
        ErrorKind::Unreachable(TransportFault::Tls) => "TLS could not be agreed on: ",
        ErrorKind::Unreachable(TransportFault::Proxy) => "the proxy did not connect: ",
        ErrorKind::Unreachable(_) => "no connection: ",
        ErrorKind::NoAnswer(TransportFault::Timeout) => "no answer in time: ",
        ErrorKind::NoAnswer(TransportFault::TooLarge) => "the answer is too large: ",
        ErrorKind::NoAnswer(_) => "the answer was lost: ",
        ErrorKind::NotLoggedIn => "not logged in: ",
        ErrorKind::Unauthenticated => "the server does not know who is calling: ",
        ErrorKind::Forbidden => "not allowed: ",
        ErrorKind::MeshDenied => "refused by the service mesh: ",
        ErrorKind::Deadline => "out of time: ",
        ErrorKind::Unreadable
        | ErrorKind::Page
        | ErrorKind::Redirected
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Refused
        | ErrorKind::Moved
        | ErrorKind::Server
        | ErrorKind::Login => "",
    }
}

/// Whose fault it is and what helps.
fn judge(error: &ApiError) -> (Class, Option<&'static str>) {
    match error.kind {
        ErrorKind::Unreachable(fault) => match fault {
            TransportFault::Dns => (
                Class::Infrastructure,
                Some("check the host name of the endpoint; `kfp-gitops doctor` tries it step by step"),
            ),
            TransportFault::ConnectTimeout => (
                Class::Infrastructure,
                Some(
                    "run `kfp-gitops doctor`: inside a cluster a NetworkPolicy that drops packets looks like this",
                ),
            ),
            // rustls' word for a signature that leads to nobody trusted.
            TransportFault::Tls if error.message.contains("UnknownIssuer") => (
                Class::Usage,
                Some("give the authority that signed the server's certificate with `--ca-file`"),
            ),
            TransportFault::Tls => (
                Class::Usage,
                Some("`kfp-gitops doctor` says what is wrong with the certificate, or whether there is any"),
            ),
            TransportFault::Proxy => (
                Class::Infrastructure,
                Some(
                    "check the proxy in `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`, or add the host to `NO_PROXY`",
                ),
            ),
            _ => (
                Class::Infrastructure,
                Some(
                    "check that the server is up and the port is right; `kfp-gitops doctor` tries it step by step",
                ),
            ),
        },
        ErrorKind::NoAnswer(TransportFault::TooLarge) => (Class::Failed, None),
        ErrorKind::NoAnswer(_) | ErrorKind::Unreadable | ErrorKind::Server => (
            Class::Infrastructure,
            Some("run again: what is already on the server is recognised"),
        ),
        ErrorKind::NotLoggedIn => (
            Class::Usage,
            Some(
                "configure a login for this server: a token, a cookie, or a Dex user; `kfp-gitops doctor` says which it asks for",
            ),
        ),
        ErrorKind::Unauthenticated => (
            Class::Usage,
            Some(
                "give a token with the audience `pipelines.kubeflow.org`, or the user header inside the mesh",
            ),
        ),
        ErrorKind::Forbidden => (
            Class::Usage,
            Some("run `kfp-gitops doctor`: it prints the Role and RoleBinding this identity needs"),
        ),
        ErrorKind::MeshDenied => (
            Class::Usage,
            Some(
                "allow this workload in an AuthorizationPolicy of the API's namespace, or call through the gateway with a token",
            ),
        ),
        ErrorKind::Page
            if error
                .status
                .is_some_and(|status| status >= 500 || super::retry::passes(status)) =>
        {
            (
                Class::Infrastructure,
                Some("a proxy answered in the server's place: run again, or check that the server is up"),
            )
        }
        ErrorKind::Page | ErrorKind::Refused if error.status == Some(407) => (
            Class::Usage,
            Some("give the proxy's user and password in its variable, or add the host to `NO_PROXY`"),
        ),
        ErrorKind::Page => (
            Class::Usage,
            Some("point the endpoint at the API: behind Kubeflow's gateway it ends in `/pipeline`"),
        ),
        ErrorKind::Redirected => (
            Class::Usage,
            Some("use the address it redirects to as the endpoint; credentials are not sent along redirects"),
        ),
        ErrorKind::Deadline => (
            Class::Infrastructure,
            Some(
                "run again: what is done is recognised, and the rest goes on; `--deadline` gives a run more time",
            ),
        ),
        ErrorKind::Login => (Class::Usage, None),
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Refused | ErrorKind::Moved => {
            (Class::Failed, None)
        }
    }
}
