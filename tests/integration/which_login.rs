//! Which login is chosen from environment and configuration, seen from what the server is sent.

use crate::support::{Said, folder, kfp_gitops, run};
use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;
use wiremock::matchers::{any, body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const SECRET: &str = "sEcReT-0123456789";

fn json(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text.to_owned(), "application/json")
}

/// A single-user server without pipelines, and whatever else answers first.
async fn server(others: Vec<Mock>) -> MockServer {
    let server = MockServer::start().await;
    for mock in others {
        mock.mount(&server).await;
    }
    Mock::given(path("/apis/v2beta1/healthz"))
        .respond_with(json(
            r#"{"tag_name":"2.17.0","multi_user":false,"pipeline_store":"database"}"#,
        ))
        .mount(&server)
        .await;
    Mock::given(path("/apis/v2beta1/pipelines"))
        .respond_with(json("{}"))
        .mount(&server)
        .await;
    server
}

/// `list all` with a configuration (`URL` is the server's address) and an environment.
async fn list(server: &MockServer, config: &str, environment: &[(&str, &str)]) -> Said {
    let uri = server.uri();
    let config = config.replace("URL", &uri);
    let environment: Vec<(String, String)> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("URL", &uri)))
        .collect();
    tokio::task::spawn_blocking(move || {
        let root = folder(&[("kfp-gitops.yaml", config.as_str())]);
        let mut command = kfp_gitops(root.path());
        run(command
            .args(["list", "all", "--endpoint", &uri])
            .env("NO_PROXY", "*")
            .envs(environment))
    })
    .await
    .expect("the test's thread")
}

/// The values of a header in the calls to the API.
async fn sent(server: &MockServer, name: &str) -> Vec<Option<String>> {
    let requests = server.received_requests().await.expect("recorded");
    let calls = requests
        .iter()
        .filter(|request| request.url.path().starts_with("/apis/"))
        .map(|request| {
            let value = request.headers.get(name);
            value.map(|value| value.to_str().expect("text").to_owned())
        });
    calls.collect()
}

async fn assert_sent(name: &str, value: Option<&str>, config: &str, environment: &[(&str, &str)]) {
    let server = server(Vec::new()).await;
    let said = list(&server, config, environment).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        !said.out.contains(SECRET) && !said.err.contains(SECRET),
        "{said:?}"
    );
    let sent = sent(&server, name).await;
    assert!(
        sent.len() > 1 && sent.iter().all(|one| one.as_deref() == value),
        "{config} {environment:?}: {sent:?}"
    );
}

fn form(request: &Request) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

async fn forms(server: &MockServer, at: &str) -> Vec<BTreeMap<String, String>> {
    let requests = server.received_requests().await.expect("recorded");
    let asked = requests.iter().filter(|request| request.url.path() == at);
    asked.map(form).collect()
}

/// A form holds these values.
fn holds(form: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(form.get(*key).map(String::as_str), Some(*value), "{form:?}");
    }
}

/// Every call to the API carried this.
async fn always_sent(server: &MockServer, authorization: &str) {
    let sent = sent(server, "authorization").await;
    assert!(
        sent.iter().all(|one| one.as_deref() == Some(authorization)),
        "{sent:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_decides() {
    let bearer = format!("Bearer {SECRET}");
    let token = ("KFP_GITOPS_TOKEN", SECRET);
    let cookie = ("KFP_GITOPS_COOKIE", "session=sEcReT-0123456789");
    let user = ("KFP_GITOPS_USERNAME", "ci@example.com");
    let tokens = tempfile::tempdir().unwrap();
    let file = tokens.path().join("token");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let file = file.to_str().unwrap();

    assert_sent("authorization", None, "", &[]).await;
    assert_sent("authorization", Some(&bearer), "", &[token]).await;
    assert_sent(
        "authorization",
        Some(&bearer),
        "",
        &[("KFP_GITOPS_TOKEN_FILE", file)],
    )
    .await;
    assert_sent(
        "authorization",
        Some(&bearer),
        &format!("auth:\n  token_file: {file}\n"),
        &[],
    )
    .await;
    assert_sent(
        "authorization",
        Some(&bearer),
        "",
        &[("KF_PIPELINES_SA_TOKEN_PATH", file)],
    )
    .await;
    assert_sent("cookie", Some("session=sEcReT-0123456789"), "", &[cookie]).await;
    assert_sent("kubeflow-userid", Some("ci@example.com"), "", &[user]).await;
    assert_sent(
        "kubeflow-userid",
        Some("ci@example.com"),
        "auth:\n  username: ci@example.com\n",
        &[],
    )
    .await;

    // A token before a cookie before a user; the kind that is named before everything.
    assert_sent("authorization", Some(&bearer), "", &[token, cookie, user]).await;
    assert_sent("cookie", None, "", &[token, cookie]).await;
    assert_sent("kubeflow-userid", None, "", &[cookie, user]).await;
    assert_sent(
        "kubeflow-userid",
        Some("ci@example.com"),
        "auth:\n  kind: user-header\n",
        &[token, user],
    )
    .await;
    assert_sent("authorization", None, "", &[token, ("KFP_GITOPS_AUTH", "none")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_cannot_be_read_are_not_shown() {
    let server = server(Vec::new()).await;
    for headers in [
        // Without a colon, or with one in the middle of it, what stands first may be the secret.
        "X-One: a\nX-Key sEcReT-0123456789",
        "X-One: a\nsEcReT-0123456789 a:b",
        "X-One: a\nX-Key: sEcReT-0123456789\u{1}",
    ] {
        let said = list(&server, "", &[("KFP_GITOPS_HEADERS", headers)]).await;
        assert_eq!(said.code, 2, "{said:?}");
        assert!(!format!("{said:?}").contains("sEcReT"), "{said:?}");
        assert!(
            said.err.contains("line 2 of `KFP_GITOPS_HEADERS`")
                || said.out.contains("line 2 of `KFP_GITOPS_HEADERS`"),
            "{said:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_without_what_it_needs_is_usage() {
    let server = server(Vec::new()).await;
    for (kind, names) in [
        ("bearer", "KFP_GITOPS_TOKEN"),
        ("cookie", "KFP_GITOPS_COOKIE"),
        ("user-header", "--username"),
        ("dex", "--username"),
        ("client-credentials", "auth.token_url"),
        ("oidc", "id-token: write"),
        ("service-account", "audience"),
    ] {
        let said = list(&server, &format!("auth:\n  kind: {kind}\n"), &[]).await;
        assert_eq!(said.code, 2, "{kind}: {said:?}");
        assert!(said.out.contains(names), "{kind}: {said:?}");
    }
    assert!(server.received_requests().await.expect("recorded").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_fetches_a_token_with_audience_and_scope() {
    let token = Mock::given(path("/token"))
        .respond_with(json(r#"{"access_token":"fetched-token","expires_in":300}"#));
    let server = server(vec![token]).await;
    let config =
        "auth:\n  token_url: URL/token\n  client_id: ci\n  audience: pipelines\n  scope: from-the-file\n";
    let environment = [
        ("KFP_GITOPS_CLIENT_SECRET", SECRET),
        ("KFP_GITOPS_AUTH_SCOPE", "openid groups"),
    ];
    let said = list(&server, config, &environment).await;
    assert_eq!(said.code, 0, "{said:?}");
    let asked = forms(&server, "/token").await;
    assert_eq!(asked.len(), 1);
    holds(
        &asked[0],
        &[
            ("grant_type", "client_credentials"),
            ("audience", "pipelines"),
            ("scope", "openid groups"),
        ],
    );
    always_sent(&server, "Bearer fetched-token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ci_platforms_identity_is_used_as_it_is_or_exchanged() {
    let mocks = || {
        vec![
            Mock::given(path("/identity"))
                .and(header("authorization", format!("Bearer {SECRET}").as_str()))
                .respond_with(json(r#"{"value":"platform-token"}"#)),
            Mock::given(path("/token"))
                .respond_with(json(r#"{"access_token":"exchanged-token","expires_in":300}"#)),
        ]
    };
    let job = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "URL/identity?api-version=2"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRET),
    ];
    let direct = server(mocks()).await;
    let said = list(
        &direct,
        "auth:\n  kind: oidc\n  audience: pipelines.kubeflow.org\n",
        &job,
    )
    .await;
    assert_eq!(said.code, 0, "{said:?}");
    let requests = direct.received_requests().await.expect("recorded");
    assert_eq!(
        requests[0].url.query(),
        Some("api-version=2&audience=pipelines.kubeflow.org")
    );
    always_sent(&direct, "Bearer platform-token").await;

    let exchanging = server(mocks()).await;
    let config = "auth:\n  kind: oidc\n  token_url: URL/token\n  client_id: ci\n  connector: github-actions\n  \
                  exchange_audience: kubeflow\n";
    let said = list(&exchanging, config, &job).await;
    assert_eq!(said.code, 0, "{said:?}");
    let asked = forms(&exchanging, "/token").await;
    holds(
        &asked[0],
        &[
            ("subject_token", "platform-token"),
            ("client_id", "ci"),
            ("connector_id", "github-actions"),
            ("audience", "kubeflow"),
        ],
    );
    always_sent(&exchanging, "Bearer exchanged-token").await;
}

/// Dex with two connectors in front of the API; `ldap` logs in.
async fn dex() -> MockServer {
    let page = |body: &str| {
        ResponseTemplate::new(200).set_body_raw(format!("<!DOCTYPE html><html>{body}</html>"), "text/html")
    };
    let to = |place: &str| ResponseTemplate::new(302).insert_header("location", place);
    server(vec![
        Mock::given(path("/dex/auth")).respond_with(page(
            "<a href=\"/dex/auth/ldap?req=1\">LDAP</a><a href=\"/dex/auth/github?req=1\">GitHub</a>",
        )),
        Mock::given(path("/dex/auth/ldap"))
            .and(method("GET"))
            .respond_with(page("<form method=post action=\"/dex/auth/ldap?req=1\"><input name=login><input type=password name=password></form>")),
        Mock::given(path("/dex/auth/ldap"))
            .and(body_string_contains("login=ci%40example.com"))
            .and(body_string_contains(SECRET))
            .respond_with(to("/apis/v2beta1/pipelines").insert_header("set-cookie", "session=abcdef; Path=/")),
        Mock::given(path("/apis/v2beta1/healthz")).and(header("cookie", "session=abcdef")).respond_with(json(
            r#"{"tag_name":"2.17.0","multi_user":false,"pipeline_store":"database"}"#,
        )),
        Mock::given(path("/apis/v2beta1/pipelines")).and(header("cookie", "session=abcdef")).respond_with(json("{}")),
        Mock::given(path("/apis/v2beta1/pipelines")).respond_with(to("/dex/auth")),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dex_connector_can_be_named() {
    let login = [
        ("KFP_GITOPS_USERNAME", "ci@example.com"),
        ("KFP_GITOPS_PASSWORD", SECRET),
    ];
    let server = dex().await;
    let said = list(&server, "auth:\n  connector: ldap\n", &login).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        sent(&server, "cookie").await.last().cloned().flatten().as_deref(),
        Some("session=abcdef")
    );

    let server = dex().await;
    let named = [login[0], login[1], ("KFP_GITOPS_AUTH_CONNECTOR", "ldap")];
    let said = list(&server, "auth:\n  connector: github\n", &named).await;
    assert_eq!(said.code, 0, "{said:?}");

    for (config, cause) in [
        ("", "offers several connectors"),
        ("auth:\n  connector: local\n", "has no connector `local`"),
    ] {
        let said = list(&dex().await, config, &login).await;
        assert_eq!(said.code, 2, "{said:?}");
        assert!(
            said.out.contains(cause)
                && said.out.contains("auth.connector")
                && said.out.contains("ldap, github"),
            "{said:?}"
        );
        assert!(!said.out.contains(SECRET), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_authority_is_named_and_not_the_server() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = silent.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = silent.accept() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
            let _ = stream.read(&mut [0; 512]);
            held.push(stream);
        }
    });
    let server = server(Vec::new()).await;
    let config = format!("auth:\n  token_url: http://{authority}/token\n  client_id: ci\n");
    let said = list(&server, &config, &[("KFP_GITOPS_CLIENT_SECRET", SECRET)]).await;
    assert_eq!(said.code, 75, "{said:?}");
    assert!(
        said.out.contains(&format!(
            "the token endpoint http://{authority}/token does not answer"
        )),
        "{said:?}"
    );
    assert!(
        !said.out.contains("within 15 s") && !said.out.contains("NetworkPolicy"),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unchecked_certificates_are_warned_of_once_in_every_command() {
    let server = server(vec![
        Mock::given(path("/apis/v2beta1/pipelines/none")).respond_with(ResponseTemplate::new(404)),
        Mock::given(any())
            .and(path("/nowhere"))
            .respond_with(ResponseTemplate::new(404)),
    ])
    .await;
    let uri = server.uri();
    tokio::task::spawn_blocking(move || {
        let root = folder(&[("a_pipeline.py", "nothing = 1\n")]);
        for command in [
            &["list", "all"][..],
            &["show", "demo"],
            &["history", "demo"],
            &["plan"],
            &["apply"],
            &["doctor"],
        ] {
            for quiet in [&[][..], &["--quiet"]] {
                let mut program = kfp_gitops(root.path());
                program.env("NO_PROXY", "*").args(command).args(quiet);
                let said = run(program.args(["--endpoint", &uri, "--insecure-skip-tls-verify"]));
                assert_eq!(
                    said.err.matches("certificates are NOT checked").count(),
                    1,
                    "{command:?} {quiet:?}: {said:?}"
                );
            }
            let mut program = kfp_gitops(root.path());
            let said = run(program
                .env("NO_PROXY", "*")
                .args(command)
                .args(["--endpoint", &uri]));
            assert!(!said.err.contains("certificates"), "{command:?}: {said:?}");
        }
    })
    .await
    .expect("the test's thread");
}
