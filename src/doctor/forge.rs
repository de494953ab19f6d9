//! What may the job's token do on the forge?

use super::run::{PATIENCE, strict_transport};
use super::{Finding, ForgeAccess, Subject};
use crate::kfp::error::message;
use crate::kfp::http::HttpTransport;
use crate::kfp::transport::{Request, Transport};
use crate::secret::Secret;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

/// A commit that no repository holds, and the number of no issue.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";
const NO_ISSUE: &str = "0";

/// The finding, from one read of the repository; on GitHub, which has a right for each, from two requests
/// more that it must refuse.
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
    let asking = Asking {
        transport,
        forge,
        token,
        repository,
    };
    match asking.send(Method::GET, &[]).await {
        Err(cause) => Finding::failed(
            "forge",
            format!("{} cannot be reached: {cause}", asking.place()),
            "set the address of the forge's API as seen from the runner",
        ),
        Ok((200, facts)) => asking.rights(&facts).await,
        Ok((401 | 403, text)) => Finding::failed(
            "forge",
            format!("the token is refused: {}", message(&text).unwrap_or_default()),
            "give the job's own token (`KFP_GITOPS_FORGE_TOKEN`)",
        ),
        Ok((404, _)) => Finding::failed(
            "forge",
            format!("the token does not see `{repository}`"),
            "give a token that may read the repository and write commit statuses",
        ),
        Ok((status, _)) => Finding::skipped(
            "forge",
            format!("{} answered with status {status}", asking.place()),
        ),
    }
}

/// One token asked about one repository.
struct Asking<'a> {
    transport: HttpTransport,
    forge: &'a ForgeAccess,
    token: &'a Secret,
    repository: &'a str,
}

impl Asking<'_> {
    fn place(&self) -> String {
        self.forge.api.origin().ascii_serialization()
    }

    /// What the repository's facts, and on GitHub two refusals, say of the token.
    async fn rights(&self, facts: &str) -> Finding {
        let repository = self.repository;
        let facts: serde_json::Value = serde_json::from_str(facts).unwrap_or_default();
        // Gitea's API ends in `/api/v1`. It knows one right for both, and its older releases would take
        // any status, even one of nothing.
        if !self.forge.api.path().trim_end_matches('/').ends_with("/api/v1") {
            return self.rights_on_github().await;
        }
        match facts["permissions"]["push"].as_bool() {
            Some(true) => Finding::passed(
                "forge",
                format!("the token may write to `{repository}`: statuses and comments can be posted"),
            ),
            Some(false) => Finding::failed(
                "forge",
                format!("the token may only read `{repository}`: no commit status can be posted"),
                "give the job `permissions: contents: write` (Gitea 1.26 and newer), or a token with write access",
            ),
            None => Finding::passed(
                "forge",
                format!("the token reads `{repository}`; the forge does not say whether it may write"),
            ),
        }
    }

    /// GitHub asks for the right before it looks at what is wanted: 403 (or 404, where it hides what the
    /// token may not know of) means no right, 422 a right to do what nobody can do. Nothing can come of
    /// either: there is no such commit and no such issue, and the bodies lack what they must have.
    async fn rights_on_github(&self) -> Finding {
        let repository = self.repository;
        let status = self.send(Method::POST, &["statuses", NO_COMMIT]).await;
        let comment = self.send(Method::POST, &["issues", NO_ISSUE, "comments"]).await;
        let statuses = match status {
            Ok((422, _)) => Some(true),
            Ok((403 | 404, _)) => Some(false),
            _ => None,
        };
        let comments = match comment {
            Ok((404 | 410 | 422, _)) => Some(true),
            Ok((403, _)) => Some(false),
            _ => None,
        };
        let word = |right: Option<bool>| match right {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not told",
        };
        let seen = format!(
            "the token reads `{repository}`; commit statuses: {}; comments on pull requests: {}",
            word(statuses),
            word(comments)
        );
        let missing: Vec<&str> = [(statuses, "statuses: write"), (comments, "pull-requests: write")]
            .into_iter()
            .filter(|(right, _)| *right == Some(false))
            .map(|(_, permission)| permission)
            .collect();
        if missing.is_empty() {
            return Finding::passed("forge", seen);
        }
        let cure = format!("give the job `permissions: {{{}}}`", missing.join(", "));
        Finding::failed("forge", seen, cure)
    }

    /// Status and text of an answer, or why there was none.
    async fn send(&self, method: Method, path: &[&str]) -> Result<(u16, String), String> {
        let mut url = self.forge.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .push("repos")
                .extend(self.repository.split('/'))
                .extend(path);
        }
        let mut request = Request::new(method.clone(), url);
        request.timeout = PATIENCE;
        request.response_limit = 1 << 20;
        if method == Method::POST {
            request.body = "{}".into();
            request
                .headers
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", self.token.expose())) {
            value.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, value);
        }
        match tokio::time::timeout(PATIENCE, self.transport.send(request)).await {
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            Ok(Err(error)) => Err(error.message),
            Ok(Ok(response)) => Ok((
                response.status.as_u16(),
                String::from_utf8_lossy(&response.body).into_owned(),
            )),
        }
    }
}
