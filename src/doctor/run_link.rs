//! Does the link to the CI run lead anywhere?

use super::run::{PATIENCE, strict_transport};
use super::{Finding, Subject};
use crate::kfp::transport::{Request, Transport};
use http::Method;

/// The finding. A private forge answers 404 or a redirect to its login to strangers, which proves as little
/// as it disproves.
pub async fn check(subject: &Subject) -> Finding {
    let Some(link) = &subject.run_link else {
        return Finding::skipped("run link", "this is no CI job");
    };
    let transport = match strict_transport(subject) {
        Ok(transport) => transport,
        Err(failure) => return Finding::skipped("run link", failure.message),
    };
    let shown = format!("{}{}", link.origin().ascii_serialization(), link.path());
    let mut request = Request::new(Method::GET, link.clone());
    request.timeout = PATIENCE;
    request.response_limit = 8 << 20;
    match tokio::time::timeout(PATIENCE, transport.send(request)).await {
        Ok(Ok(response)) if response.status.is_success() => Finding::passed("run link", shown),
        Ok(Ok(response))
            if response.status.is_redirection() || matches!(response.status.as_u16(), 401 | 403 | 404) =>
        {
            Finding::passed(
                "run link",
                format!("{shown} (only shown to those who are logged in)"),
            )
        }
        Ok(Ok(response)) => Finding::failed(
            "run link",
            format!("{shown} answers with status {}", response.status.as_u16()),
            "check the forge's public address (`ROOT_URL` of Gitea)",
        ),
        Ok(Err(_)) | Err(_) => Finding::failed(
            "run link",
            format!("{shown} cannot be reached from here; people who click it may be luckier"),
            "check the forge's public address (`ROOT_URL` of Gitea)",
        ),
    }
}
