//! What the forge and ntfy are asked, and what their answers mean.

use super::*;
use crate::secret::Secret;
use axum::routing::{get, post};

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

fn access(api: String) -> ForgeAccess {
    ForgeAccess {
        api: api.parse().unwrap(),
        token: Some(Secret::new("forge-secret").unwrap()),
        repository: Some("ml/pipelines".to_owned()),
    }
}

/// What the doctor says of a forge that answers so.
async fn asked(app: Router, api: &str) -> Finding {
    let address = serve(app).await;
    let mut subject = subject("http://127.0.0.1:1");
    subject.forge = Some(access(format!("http://{address}{api}")));
    let finding = crate::doctor::forge::check(&subject).await;
    assert!(!format!("{finding:?}").contains("forge-secret"), "{finding:?}");
    finding
}

#[tokio::test]
async fn ntfy_and_gitea_are_asked_without_writing() {
    let address = serve(registry()).await;
    let mut subject = subject(&format!("http://{address}"));
    let ntfy = serve(Router::new().route("/gitea-ci/auth", get(|| async { "{\"success\":true}" }))).await;
    subject.ntfy = Some((Secret::new(&format!("http://{ntfy}/gitea-ci")).unwrap(), None));
    for (push, verdict, seen) in [
        ("false", Verdict::Failed, "may only read"),
        ("true", Verdict::Passed, "statuses and comments"),
        ("null", Verdict::Passed, "does not say"),
    ] {
        // Anything but this one read would be answered with 404 or 405.
        let repository = serve(Router::new().route(
            "/api/v1/repos/ml/pipelines",
            get(move || async move { (JSON, format!(r#"{{"permissions":{{"push":{push}}}}}"#)) }),
        ))
        .await;
        subject.forge = Some(access(format!("http://{repository}/api/v1")));
        let findings = examine(&subject).await;
        assert_eq!(found(&findings, "ntfy").verdict, Verdict::Passed, "{findings:#?}");
        let forge = found(&findings, "forge");
        assert_eq!(forge.verdict, verdict, "{forge:?}");
        assert!(forge.seen.contains(seen), "{forge:?}");
        assert!(!format!("{findings:?}").contains("forge-secret"));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_or_blind_is_told_apart() {
    for (status, seen) in [
        (401, "is refused: Bad credentials"),
        (404, "does not see `ml/pipelines`"),
    ] {
        let finding = asked(
            Router::new().fallback(move || async move {
                let status = StatusCode::from_u16(status).unwrap();
                (status, JSON, r#"{"message":"Bad credentials"}"#)
            }),
            "/api/v1",
        )
        .await;
        assert!(finding.is_failed() && finding.seen.contains(seen), "{finding:?}");
    }
    let mut subject = subject("http://127.0.0.1:1");
    subject.forge = Some(access("http://127.0.0.1:1/api/v1".to_owned()));
    let finding = crate::doctor::forge::check(&subject).await;
    assert!(
        finding.is_failed() && finding.seen.contains("cannot be reached"),
        "{finding:?}"
    );
}

#[tokio::test]
async fn github_is_asked_for_each_right_with_what_it_must_refuse() {
    for (statuses, comments, missing) in [
        (422, 404, None),
        (403, 404, Some("permissions: {statuses: write}")),
        (422, 403, Some("permissions: {pull-requests: write}")),
        (
            403,
            403,
            Some("permissions: {statuses: write, pull-requests: write}"),
        ),
    ] {
        let answer = |status: u16| {
            move |body: String| async move {
                // Nothing that could be carried out.
                assert_eq!(body, "{}");
                let status = StatusCode::from_u16(status).unwrap();
                (status, JSON, r#"{"message":"no"}"#)
            }
        };
        let app = Router::new()
            // The job's token has no `contents: write`, which says nothing of statuses.
            .route(
                "/repos/ml/pipelines",
                get(|| async { (JSON, r#"{"permissions":{"push":false}}"#) }),
            )
            .route(
                "/repos/ml/pipelines/statuses/0000000000000000000000000000000000000000",
                post(answer(statuses)),
            )
            .route("/repos/ml/pipelines/issues/0/comments", post(answer(comments)));
        let finding = asked(app, "").await;
        assert_eq!(finding.is_failed(), missing.is_some(), "{finding:?}");
        let cure = finding.cure.unwrap_or_default();
        assert!(cure.contains(missing.unwrap_or_default()), "{cure}");
    }
}

#[tokio::test]
async fn ntfy_says_whether_it_takes_the_topic() {
    for (status, seen) in [
        (401, "refuses this topic (status 401)"),
        (403, "refuses this topic (status 403)"),
        (404, "answers with status 404"),
    ] {
        let address = serve(Router::new().route(
            "/gitea-ci/auth",
            get(move |headers: axum::http::HeaderMap| async move {
                assert_eq!(headers[header::AUTHORIZATION], "Bearer tk_secret");
                StatusCode::from_u16(status).unwrap()
            }),
        ))
        .await;
        let mut subject = subject("http://127.0.0.1:1");
        let topic = Secret::new(&format!("http://{address}/gitea-ci")).unwrap();
        subject.ntfy = Some((topic, Secret::new("tk_secret").ok()));
        let finding = crate::doctor::ntfy::check(&subject).await;
        assert!(finding.is_failed() && finding.seen.contains(seen), "{finding:?}");
        assert!(!format!("{finding:?}").contains("tk_secret"), "{finding:?}");
    }
    let mut subject = subject("http://127.0.0.1:1");
    subject.ntfy = Some((Secret::new("http://127.0.0.1:1/gitea-ci").unwrap(), None));
    let finding = crate::doctor::ntfy::check(&subject).await;
    assert!(
        finding.is_failed() && finding.seen.contains("cannot be reached"),
        "{finding:?}"
    );
}

#[tokio::test]
async fn ntfy_is_asked_as_it_will_be_told() {
    // `user:password` is Basic, in the address too.
    let address = serve(Router::new().route(
        "/gitea-ci/auth",
        get(async |headers: axum::http::HeaderMap| {
            assert_eq!(headers[header::AUTHORIZATION], "Basic YW5uOnNFY1JlVA==");
            StatusCode::OK
        }),
    ))
    .await;
    let mut subject = subject("http://127.0.0.1:1");
    for (topic, token) in [
        (format!("http://{address}/gitea-ci"), Some("ann:sEcReT")),
        (format!("http://ann:sEcReT@{address}/gitea-ci"), None),
    ] {
        let token = token.map(|token| Secret::new(token).unwrap());
        subject.ntfy = Some((Secret::new(&topic).unwrap(), token));
        let finding = crate::doctor::ntfy::check(&subject).await;
        assert_eq!(finding.verdict, Verdict::Passed, "{finding:?}");
        assert!(!format!("{finding:?}").contains("sEcReT"), "{finding:?}");
    }
    // One that is no address is configured all the same.
    subject.ntfy = Some((Secret::new("ntfy.example/gitea-ci").unwrap(), None));
    let finding = crate::doctor::ntfy::check(&subject).await;
    assert!(
        finding.is_failed() && finding.seen.contains("scheme://host/topic"),
        "{finding:?}"
    );
}
