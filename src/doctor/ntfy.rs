//! Can ntfy be reached, and does it take the token?

use super::run::{PATIENCE, strict_transport};
use super::{Finding, Subject};
use crate::kfp::transport::{Request, Transport};
use crate::notify::ntfy::Ntfy;
use http::Method;
use http::header::AUTHORIZATION;

/// The finding. Asking whether the topic may be read (`/TOPIC/auth`) sends nothing to anybody.
pub async fn check(subject: &Subject) -> Finding {
    let Some((address, token)) = &subject.ntfy else {
        return Finding::skipped("ntfy", "no topic is configured");
    };
    let topic = match Ntfy::parse(address, token.as_ref()) {
        Ok(topic) => topic,
        Err(why) => {
            return Finding::failed(
                "ntfy",
                format!("no notification can be sent: {why}"),
                "write the topic as `https://ntfy.example.com/topic`; a deployment never fails because of ntfy",
            );
        }
    };
    let transport = match strict_transport(subject) {
        Ok(transport) => transport,
        Err(failure) => return Finding::failed("ntfy", failure.message, failure.hint.unwrap_or_default()),
    };
    let (url, authorization) = topic.question();
    let place = url.origin().ascii_serialization();
    let mut request = Request::new(Method::GET, url);
    request.timeout = PATIENCE;
    request.response_limit = 1 << 16;
    request
        .headers
        .extend(authorization.map(|value| (AUTHORIZATION, value)));
    let cure = "check the address of the topic; a deployment never fails because of ntfy";
    match tokio::time::timeout(PATIENCE, transport.send(request)).await {
        Err(_) => Finding::failed(
            "ntfy",
            format!("{place} does not answer within {} s", PATIENCE.as_secs()),
            cure,
        ),
        Ok(Err(error)) => Finding::failed(
            "ntfy",
            format!("{place} cannot be reached: {}", error.message),
            cure,
        ),
        Ok(Ok(response)) => match response.status.as_u16() {
            200 => Finding::passed("ntfy", format!("{place} answers and takes the topic")),
            401 | 403 => Finding::failed(
                "ntfy",
                format!("{place} refuses this topic (status {})", response.status.as_u16()),
                "give a token that may write to the topic (`KFP_GITOPS_NTFY_TOKEN`)",
            ),
            status => Finding::failed("ntfy", format!("{place} answers with status {status}"), cure),
        },
    }
}
