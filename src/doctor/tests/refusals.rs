//! What is said of servers that turn some away and let others in.

use super::tls::secure_server;
use super::*;
use axum::extract::{Path, Query, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use std::collections::HashMap;

const TOKEN: &str = "sEcReT-0123456789";

/// Answers `status` and `body` to everybody without the token, and as `app` to others.
fn behind_a_gateway(app: Router, status: u16, body: &'static str) -> Router {
    app.layer(from_fn(move |request: Request, next: Next| async move {
        let known = request
            .headers()
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value.to_str().is_ok_and(|text| text == format!("Bearer {TOKEN}")));
        if known {
            next.run(request).await
        } else {
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
    }))
}

fn bearer() -> Login {
    Login::Bearer(Secret::new(TOKEN).unwrap())
}

#[tokio::test]
async fn a_gateway_that_turns_strangers_away_is_asked_with_the_login() {
    for (status, body) in [
        (403, "RBAC: access denied"),
        (403, "no"),
        (401, ""),
        (401, "who are you"),
    ] {
        let address = serve(behind_a_gateway(registry(), status, body)).await;
        let mut subject = subject(&format!("http://{address}"));
        subject.connection.login = bearer();
        let findings = examine(&subject).await;
        let http = found(&findings, "http");
        assert_eq!(http.verdict, Verdict::Passed, "{status} {body}: {findings:#?}");
        assert!(http.seen.contains("with the configured login"), "{http:?}");
        for check in ["server", "login", "clock"] {
            assert_eq!(found(&findings, check).verdict, Verdict::Passed, "{findings:#?}");
        }
        assert!(!format!("{findings:?}").contains(TOKEN));

        subject.connection.login = Login::Bearer(Secret::new("another-token").unwrap());
        let findings = examine(&subject).await;
        let failed: Vec<&Finding> = findings.iter().filter(|finding| finding.is_failed()).collect();
        assert!(
            failed
                .iter()
                .any(|finding| ["http", "server", "login"].contains(&finding.check)),
            "{status} {body}: {findings:#?}"
        );
    }
}

#[tokio::test]
async fn a_missing_prefix_is_found_behind_a_gateway() {
    let app = Router::new().nest("/pipeline", registry()).fallback(|| async {
        axum::response::Html("<!doctype html><title>Kubeflow Central Dashboard</title>")
    });
    let address = serve(behind_a_gateway(app, 403, "RBAC: access denied")).await;
    let mut subject = subject(&format!("http://{address}"));
    subject.connection.login = bearer();
    let http = found(&first_contact(&subject, false).await, "http").clone();
    assert_eq!(
        http.cure.as_deref(),
        Some(format!("use `http://{address}/pipeline` as the endpoint").as_str()),
        "{http:?}"
    );
}

#[tokio::test]
async fn a_mesh_that_denies_the_login_too_is_named() {
    let address = always(403, "text/plain", "RBAC: access denied").await;
    let mut subject = subject(&format!("http://{address}"));
    subject.connection.login = bearer();
    let http = found(&first_contact(&subject, false).await, "http").clone();
    assert!(
        http.is_failed() && http.seen.contains("with the configured login, too"),
        "{http:?}"
    );
    assert!(http.paste.unwrap().contains("kind: AuthorizationPolicy"));
}

#[tokio::test]
async fn certificates_that_are_not_checked_stop_nothing() {
    let (address, authority) = secure_server("localhost", 2090).await;
    let mut subject = subject(&format!("https://localhost:{}", address.port()));
    subject.connection.insecure_skip_tls_verify = true;
    let findings = examine(&subject).await;
    let tls = found(&findings, "tls");
    assert_eq!(tls.verdict, Verdict::Passed, "{findings:#?}");
    assert!(
        tls.seen.contains("verification is off") && tls.seen.contains("signed by `Homelab CA`"),
        "{tls:?}"
    );
    assert!(tls.cure.as_ref().unwrap().contains("--ca-file"));
    for check in ["http", "server", "login"] {
        assert_eq!(found(&findings, check).verdict, Verdict::Passed, "{findings:#?}");
    }

    subject.connection.ca_file = Some(authority.path().to_owned());
    let tls = found(&first_contact(&subject, false).await, "tls").clone();
    assert!(tls.cure.unwrap().contains("leave the flag out"));
}

/// A multi-user server with these pipelines in `team-a`, whose `get` is answered with `status`. As real ones
/// do, it looks a pipeline up before it asks for rights.
pub(super) fn multi_user(pipelines: &'static [&'static str], status: u16) -> Router {
    let json = |text: String| ([(header::CONTENT_TYPE, "application/json")], text).into_response();
    let entry = |id: &str| {
        format!(
            r#"{{"pipeline_id":"{id}","display_name":"{id}","name":"{id}","namespace":"team-a","created_at":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let health = r#"{"tag_name":"2.17.0","multi_user":true,"pipeline_store":"database"}"#;
    let refused = r#"{"code":7,"message":"User 'alice' is not authorized"}"#;
    let list = move |Query(query): Query<HashMap<String, String>>| async move {
        if query.get("namespace").map(String::as_str) != Some("team-a") {
            return (StatusCode::FORBIDDEN, json(refused.to_owned())).into_response();
        }
        let all: Vec<String> = pipelines.iter().map(|id| entry(id)).collect();
        json(format!(r#"{{"pipelines":[{}]}}"#, all.join(",")))
    };
    let one = move |Path(id): Path<String>| async move {
        let known = pipelines.contains(&id.as_str());
        let answer: Response = match (known, status) {
            (false, _) => (
                StatusCode::NOT_FOUND,
                json(r#"{"code":5,"message":"not found"}"#.to_owned()),
            )
                .into_response(),
            (true, 200) => json(entry(&id)),
            (true, status) => {
                (StatusCode::from_u16(status).unwrap(), json(refused.to_owned())).into_response()
            }
        };
        answer
    };
    Router::new()
        .route(
            "/apis/v2beta1/healthz",
            get(move || async move { json(health.to_owned()) }),
        )
        .route("/apis/v2beta1/pipelines", get(list))
        .route("/apis/v2beta1/pipelines/{id}", get(one))
}

#[tokio::test]
async fn rights_are_told_as_far_as_reads_prove_them() {
    let rights = async |pipelines: &'static [&'static str], status: u16| {
        let address = serve(multi_user(pipelines, status)).await;
        let mut subject = subject(&format!("http://{address}"));
        subject.connection.namespace = Some("team-a".to_owned());
        found(&examine(&subject).await, "rights").clone()
    };
    let untried = "`create` and `delete` are not tested: no safe call tells, except from a pod with the same service account";

    let both = rights(&["p1"], 200).await;
    assert_eq!(both.verdict, Verdict::Passed, "{both:?}");
    assert_eq!(
        both.seen,
        format!("`list` and `get` are allowed in `team-a`; {untried}")
    );

    let none = rights(&[], 200).await;
    assert_eq!(none.verdict, Verdict::Passed, "{none:?}");
    assert!(
        none.seen
            .contains("`get` cannot be told while it has no pipeline")
            && none.seen.contains(untried),
        "{none:?}"
    );

    let refused = rights(&["p1"], 403).await;
    assert!(
        refused.is_failed() && refused.seen.contains("`get` is refused"),
        "{refused:?}"
    );
    assert!(refused.paste.unwrap().contains("namespace: team-a"));
}

#[tokio::test]
async fn what_minds_the_caller_is_said_in_the_short_form() {
    let denied = r#"{"code":7,"message":"User 'alice' is not authorized"}"#;
    let address = serve(guarded(403, denied)).await;
    let mut subject = subject(&format!("http://{address}"));
    subject.connection.namespace = Some("team-a".to_owned());
    let findings = first_contact(&subject, true).await;
    let login = found(&findings, "login");
    assert!(
        login.paste.as_ref().unwrap().contains("kind: RoleBinding"),
        "{findings:#?}"
    );
    assert!(
        first_contact(&subject, false)
            .await
            .iter()
            .all(|finding| finding.check != "login")
    );

    let unknown = r#"{"code":16,"message":"the token cannot be reviewed"}"#;
    let address = serve(guarded(401, unknown)).await;
    subject.connection.endpoint = format!("http://{address}").parse().unwrap();
    subject.connection.login = bearer();
    let login = found(&first_contact(&subject, true).await, "login").clone();
    assert!(
        login.is_failed()
            && login.cure.unwrap().contains("audience")
            && login.paste.unwrap().contains("kind: RoleBinding")
    );
}

#[tokio::test]
async fn an_address_without_a_route_does_not_hide_one_that_is_silent() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let silent = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(silent)).await);
    }
    // TCP to a group of hosts is "network is unreachable" on every machine.
    let unreachable: SocketAddr = "224.0.0.1:8888".parse().unwrap();
    let subject = subject("http://ml-pipeline.kubeflow.svc.cluster.local:8888");
    let target = subject.connection.endpoint.clone();
    let finding = reach::check(&subject, &target, &[silent, unreachable]).await;
    assert!(
        finding.seen.contains("224.0.0.1") && finding.seen.contains("dropped in silence"),
        "{finding:?}"
    );
    assert!(finding.paste.unwrap().contains("kind: NetworkPolicy"));
    let finding = reach::check(&subject, &target, &[unreachable]).await;
    assert!(finding.paste.is_none(), "{finding:?}");
}
