mod compiler;
mod forge;
mod places;
mod refusals;
mod rights;
mod tls;

use super::*;
use crate::compile::Outlook;
use crate::error::{Failure, Phase};
use crate::kfp::auth::Login;
use crate::kfp::embedded::{Store, router};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

fn subject(endpoint: &str) -> Subject {
    let mut connection = Connection::new(endpoint.parse().unwrap());
    connection.seed = Some(1);
    Subject {
        connection,
        embedded: false,
        shared: false,
        proxies: Proxies::default(),
        own_namespace: None,
        cluster: None,
        forge_url: None,
        ntfy: None,
        forge: None,
        run_link: None,
    }
}

/// What the engine would find on a machine with everything.
fn compiler() -> Outlook {
    Outlook {
        python: "/usr/bin/python3".into(),
        python_version: "3.11.7".to_owned(),
        installed: Some("2.17.0".to_owned()),
        kfp_version: "2.17.0".to_owned(),
        kfp_from: "requirements.txt:3".to_owned(),
        pinned: true,
        notes: Vec::new(),
    }
}

async fn examine(subject: &Subject) -> Vec<Finding> {
    super::examine(subject, &Ok(compiler())).await
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A server that answers every call the same.
async fn always(status: u16, content_type: &'static str, body: &'static str) -> SocketAddr {
    let answer = move || async move {
        (
            StatusCode::from_u16(status).unwrap(),
            [(header::CONTENT_TYPE, content_type)],
            body,
        )
            .into_response()
    };
    serve(Router::new().fallback(answer)).await
}

fn registry() -> Router {
    router(Arc::new(Store::in_memory().unwrap()))
}

/// A multi-user server that lets nobody do anything.
fn guarded(status: u16, body: &'static str) -> Router {
    let health = r#"{"tag_name":"2.17.0","multi_user":true,"pipeline_store":"database"}"#;
    Router::new()
        .route(
            "/apis/v2beta1/healthz",
            axum::routing::get(move || async move { ([(header::CONTENT_TYPE, "application/json")], health) }),
        )
        .fallback(move || async move {
            (
                StatusCode::from_u16(status).unwrap(),
                [(header::CONTENT_TYPE, "application/json")],
                body,
            )
        })
}

fn found<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings
        .iter()
        .find(|finding| finding.check == check)
        .unwrap_or_else(|| panic!("no {check} in {findings:#?}"))
}

#[tokio::test]
async fn a_server_that_is_well_passes() {
    let address = serve(registry()).await;
    let findings = examine(&subject(&format!("http://{address}"))).await;
    for check in ["proxy", "dns", "tcp", "http", "server", "login", "clock"] {
        assert_eq!(found(&findings, check).verdict, Verdict::Passed, "{findings:#?}");
    }
    assert_eq!(
        found(&findings, "server").seen,
        "version 2.17.0, single user, pipelines are kept in a database"
    );
    assert_eq!(found(&findings, "tls").verdict, Verdict::Skipped);
    assert_eq!(found(&findings, "rights").verdict, Verdict::Skipped);
    let diagnosis = Diagnosis::new(
        "x".to_owned(),
        findings
            .into_iter()
            .filter(|finding| finding.check != "python")
            .collect(),
    );
    assert_eq!(diagnosis.exit_code, 0);
    assert!(
        render(&diagnosis).contains("ok      http"),
        "{}",
        render(&diagnosis)
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_from_a_port_where_nobody_listens() {
    let findings = first_contact(&subject("http://ml-pipeline.kubeflow.svc.invalid:8888"), false).await;
    let dns = found(&findings, "dns");
    assert!(
        dns.is_failed() && dns.cure.as_ref().unwrap().contains("cluster"),
        "{dns:?}"
    );
    assert_eq!(found(&findings, "http").verdict, Verdict::Skipped);

    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let findings = first_contact(&subject(&format!("http://{free}")), false).await;
    assert!(
        found(&findings, "tcp").seen.contains("nothing listens"),
        "{findings:#?}"
    );
}

#[tokio::test]
async fn dropped_packets_in_a_cluster_get_a_network_policy() {
    // A listener whose queue is full answers no further attempt: what a dropped packet looks like.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await);
    }
    let mut subject = subject("http://ml-pipeline.kubeflow.svc.cluster.local:8888");
    subject.forge_url = Some("http://gitea.git.svc.cluster.local:3000".parse().unwrap());
    let finding = reach::check(&subject, &subject.connection.endpoint.clone(), &[address]).await;
    assert!(
        finding.is_failed() && finding.seen.contains("dropped in silence"),
        "{finding:?}"
    );
    let policy = finding.paste.unwrap();
    for line in [
        "namespace: kubeflow",
        "app: ml-pipeline",
        "kubernetes.io/metadata.name: git",
        "port: 8888",
    ] {
        assert!(policy.contains(line), "{line} is missing in\n{policy}");
    }
    serde_yaml::from_str::<serde_json::Value>(&policy).unwrap();
}

#[test]
fn the_runners_namespace_is_its_service_accounts_or_asked_for() {
    let mut subject = subject("http://ml-pipeline-ui.kubeflow:80");
    let policy = manifests::network_policy(&subject, "ml-pipeline-ui.kubeflow", 80);
    assert!(
        policy.contains("RUNNER_NAMESPACE  # in which namespace"),
        "{policy}"
    );
    assert!(policy.contains("app: ml-pipeline-ui") && policy.contains("port: 3000"));
    subject.own_namespace = Some("runners".to_owned());
    assert!(
        manifests::network_policy(&subject, "ml-pipeline.kubeflow", 8888)
            .contains("metadata.name: runners\n")
    );
}

#[tokio::test]
async fn a_reset_is_told_from_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_zero_linger().unwrap();
        }
    });
    let findings = first_contact(&subject(&format!("http://{address}")), false).await;
    assert!(
        found(&findings, "tcp")
            .seen
            .contains("closed the connection at once"),
        "{findings:#?}"
    );
}

#[tokio::test]
async fn a_missing_prefix_is_found() {
    let app = Router::new().nest("/pipeline", registry()).fallback(|| async {
        axum::response::Html("<!doctype html><title>Kubeflow Central Dashboard</title>")
    });
    let address = serve(app).await;
    let http = found(
        &first_contact(&subject(&format!("http://{address}")), false).await,
        "http",
    )
    .clone();
    assert!(
        http.is_failed() && http.seen.contains("Kubeflow Central Dashboard"),
        "{http:?}"
    );
    assert_eq!(
        http.cure.unwrap(),
        format!("use `http://{address}/pipeline` as the endpoint")
    );
    let findings = first_contact(&subject(&format!("http://{address}/pipeline")), false).await;
    assert_eq!(found(&findings, "http").verdict, Verdict::Passed);
    let findings = first_contact(&subject(&format!("http://{address}/wrong")), false).await;
    assert!(
        found(&findings, "http")
            .cure
            .as_ref()
            .unwrap()
            .ends_with("/pipeline` as the endpoint")
    );
}

#[tokio::test]
async fn a_login_page_and_a_mesh_are_recognised() {
    let address = always(
        403,
        "text/html",
        "<html><form action=\"/oauth2/start\">Sign in with OpenID Connect</form>",
    )
    .await;
    let findings = examine(&subject(&format!("http://{address}"))).await;
    assert!(
        found(&findings, "http").seen.contains("a login stands in front"),
        "{findings:#?}"
    );
    let server = found(&findings, "server");
    assert!(
        server.is_failed() && server.seen.contains("not logged in"),
        "{server:?}"
    );

    let address = always(403, "text/plain", "RBAC: access denied").await;
    let http = found(
        &first_contact(&subject(&format!("http://{address}")), false).await,
        "http",
    )
    .clone();
    assert!(http.is_failed() && http.paste.unwrap().contains("kind: AuthorizationPolicy"));
}

#[tokio::test]
async fn a_refused_caller_gets_the_role_to_apply() {
    let denied = r#"{"code":7,"message":"User 'alice' is not authorized"}"#;
    let address = serve(guarded(403, denied)).await;
    let mut subject = subject(&format!("http://{address}"));
    let findings = examine(&subject).await;
    assert!(
        found(&findings, "server")
            .cure
            .as_ref()
            .unwrap()
            .contains("namespace"),
        "{findings:#?}"
    );

    subject.connection.namespace = Some("team-a".to_owned());
    // `sub` of a token that the API server gave: a service account of the runner's namespace.
    let claims = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        r#"{"sub":"system:serviceaccount:runners:deployer"}"#,
    );
    subject.connection.login = Login::Bearer(Secret::new(&format!("e30.{claims}.sig")).unwrap());
    let findings = examine(&subject).await;
    let login = found(&findings, "login");
    assert!(
        login.is_failed() && login.seen.contains("system:serviceaccount:runners:deployer"),
        "{login:?}"
    );
    let role = login.paste.clone().unwrap();
    for line in [
        "namespace: team-a",
        "verbs: [get, list, create, delete]",
        "kind: ServiceAccount",
        "name: deployer",
        "namespace: runners",
    ] {
        assert!(role.contains(line), "{line} is missing in\n{role}");
    }
    assert!(!format!("{findings:?}").contains(&claims), "the token is shown");

    let nobody = serve(guarded(
        401,
        r#"{"code":16,"message":"User identity is empty in the request header"}"#,
    ))
    .await;
    subject.connection.endpoint = format!("http://{nobody}").parse().unwrap();
    subject.connection.login = Login::None;
    let login = found(&examine(&subject).await, "login").clone();
    assert!(
        login
            .cure
            .unwrap()
            .contains("/var/run/secrets/kubeflow/pipelines/token")
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_said() {
    let app = registry().layer(axum::middleware::map_response(
        |mut answer: axum::response::Response| async move {
            answer
                .headers_mut()
                .insert(header::DATE, "Sat, 21 Nov 2020 00:00:00 GMT".parse().unwrap());
            answer
        },
    ));
    let address = serve(app).await;
    let clock = found(&examine(&subject(&format!("http://{address}"))).await, "clock").clone();
    assert!(
        clock.is_failed() && clock.seen.contains("ahead of the server"),
        "{clock:?}"
    );
}

#[test]
fn a_proxy_is_only_in_the_way_of_cluster_names() {
    let mut subject = subject("http://ml-pipeline.kubeflow.svc:8888");
    subject.proxies.http = Some("proxy.example:3128".to_owned());
    let (finding, through) = proxy::check(&subject);
    assert!(finding.is_failed() && finding.cure.unwrap().contains("NO_PROXY"));
    assert_eq!(through.unwrap().port(), Some(3128));
    for exempt in [".svc", "svc", "*", "ml-pipeline.kubeflow.svc", "a,.kubeflow.svc"] {
        subject.proxies.no_proxy = Some(exempt.to_owned());
        assert_eq!(proxy::check(&subject).0.verdict, Verdict::Passed, "{exempt}");
    }
    subject.proxies.no_proxy = Some("10.0.0.0/8".to_owned());
    subject.connection.endpoint = "http://10.1.2.3:8888".parse().unwrap();
    assert!(proxy::check(&subject).1.is_none());
}

#[tokio::test]
async fn a_proxy_that_does_not_work_is_not_the_servers_fault() {
    // SOCKS, which `ALL_PROXY` may name, has a port of its own.
    assert_eq!(proxy::port(&"socks5://proxy.example".parse().unwrap()), 1080);
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mut subject = subject("http://kubeflow.example:8888/pipeline");
    subject.proxies.http = Some(format!("http://user:sEcReT-0123456789@{closed}"));
    let findings = first_contact(&subject, false).await;
    let cure = found(&findings, "tcp").cure.clone().unwrap();
    assert!(
        cure.contains("check the proxy in `HTTP_PROXY`")
            && cure.contains("add `kubeflow.example` to `NO_PROXY`"),
        "{findings:#?}"
    );
    assert!(!format!("{findings:?}").contains("sEcReT"), "{findings:#?}");

    let page = "<html><title>Proxy Authentication Required</title></html>";
    let asking = always(407, "text/html", page).await;
    subject.proxies = Proxies::default();
    subject.connection.endpoint = format!("http://{asking}").parse().unwrap();
    let findings = first_contact(&subject, false).await;
    let http = found(&findings, "http");
    let cure = http.cure.as_deref().unwrap();
    assert!(
        http.is_failed() && cure.contains("user and password"),
        "{findings:#?}"
    );
}

#[tokio::test]
async fn json_of_something_else_is_said_to_be_that() {
    let other = always(200, "application/json", r#"{"status":"green"}"#).await;
    let findings = first_contact(&subject(&format!("http://{other}")), false).await;
    let http = found(&findings, "http");
    assert!(
        http.is_failed() && http.seen.contains("`multi_user` is missing"),
        "{findings:#?}"
    );
}

#[tokio::test]
async fn a_server_of_the_first_api_is_said_to_be_that() {
    let health = axum::routing::get(async || r#"{"commit_sha":"0","tag_name":"1.8.5"}"#);
    let old = serve(Router::new().route("/apis/v1beta1/healthz", health)).await;
    let findings = first_contact(&subject(&format!("http://{old}")), false).await;
    let http = found(&findings, "http");
    assert!(http.is_failed() && http.seen.contains("v1 API"), "{findings:#?}");
}
