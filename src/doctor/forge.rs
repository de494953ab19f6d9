//! What may the job's token do on the forge?

use super::run::{PATIENCE, strict_transport};
use super::{Finding, Subject};
use crate::kfp::error::message;
use crate::kfp::transport::{Request, Transport};
use http::Method;
use http::header::{AUTHORIZATION, HeaderValue};

/// The finding, from one read of the repository, which tells the token's permissions.
pub async fn check(subject: &Subject) -> Finding {
    let Some(forge) = &subject.forge else {
        return Finding::skipped("forge", "no forge is configured, and this is no CI job");
    };
    let (Some(token), Some(repository)) = (&forge.token, &forge.repository) else {
        return Finding::skipped(
            "forge",
            "no token is given: no commit status and no comment will be posted",
        );
    };
    let transport = match strict_transport(subject) {
        Ok(transport) => transport,
        Err(failure) => return Finding::failed("forge", failure.message, failure.hint.unwrap_or_default()),
    };
    let mut url = forge.api.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("repos").extend(repository.split('/'));
    }
    let mut request = Request::new(Method::GET, url);
    request.timeout = PATIENCE;
    request.response_limit = 1 << 20;
    if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
    }
    let place = forge.api.origin().ascii_serialization();
    let unreachable = |cause: String| {
        Finding::failed(
            "forge",
            format!("{place} cannot be reached: {cause}"),
            "set the address of the forge's API as seen from the runner",
        )
    };
    let response = match tokio::time::timeout(PATIENCE, transport.send(request)).await {
        Err(_) => return unreachable(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => return unreachable(error.message),
        Ok(Ok(response)) => response,
    };
    let text = String::from_utf8_lossy(&response.body);
    match response.status.as_u16() {
        200 => {}
        401 | 403 => {
            let said = message(&text).unwrap_or_default();
            return Finding::failed(
                "forge",
                format!("the token is refused: {said}"),
                "give the job's own token (`KFP_GITOPS_FORGE_TOKEN`)",
            );
        }
        404 => {
            return Finding::failed(
                "forge",
                format!("the token does not see `{repository}`"),
                "give a token that may read the repository and write commit statuses",
            );
        }
        status => return Finding::skipped("forge", format!("{place} answered with status {status}")),
    }
    let repository_facts: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    match repository_facts["permissions"]["push"].as_bool() {
        Some(true) => Finding::passed(
            "forge",
            format!("the token may write to `{repository}`: statuses can be posted"),
        ),
        Some(false) => Finding::failed(
            "forge",
            format!("the token may only read `{repository}`: no commit status can be posted"),
            "give the job `permissions: statuses: write, pull-requests: write` (GitHub), or a token with write access (Gitea)",
        ),
        None => Finding::passed(
            "forge",
            format!("the token reads `{repository}`; the forge does not say whether it may write"),
        ),
    }
}
