//! What is said when the endpoint is not a pipelines server, or does not answer.

use crate::support::{Said, folder, kfp_gitops, run};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PIPELINE: &str = "from kfp import dsl\n\n\n@dsl.component\ndef say():\n    pass\n\n\n\
                        @dsl.pipeline(name='one')\ndef one():\n    say()\n";

/// `plan` against a server; writes are what no test here may see.
async fn plan(server: &MockServer, environment: &'static [(&'static str, &'static str)]) -> Said {
    let uri = server.uri();
    tokio::task::spawn_blocking(move || {
        let root = folder(&[("one_pipeline.py", PIPELINE)]);
        run(kfp_gitops(root.path())
            .args([
                "apply",
                "--format",
                "json",
                "--endpoint",
                &uri,
                "--kfp-version",
                "2.17.0",
            ])
            .envs(environment.iter().copied()))
    })
    .await
    .expect("the test's thread")
}

async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

async fn only_reads(server: &MockServer) {
    let requests = server.received_requests().await.expect("recorded");
    assert!(
        requests.iter().all(|request| request.method == http::Method::GET),
        "{requests:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_is_usage() {
    let page = "<!DOCTYPE html><html><head><title>Log in</title></head><body><form action=\"/dex/auth\"></form></body></html>";
    let server = answering(ResponseTemplate::new(200).set_body_raw(page, "text/html")).await;
    let said = plan(&server, &[]).await;
    assert_eq!(said.code, 2, "{said:?}");
    let error = &said.json()["error"];
    assert_eq!(error["phase"], "connect");
    assert!(
        error["hint"].as_str().is_some_and(|hint| !hint.is_empty()),
        "{error:#}"
    );
    only_reads(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_version_1_is_usage() {
    let server = MockServer::start().await;
    Mock::given(path("/apis/v1beta1/healthz"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_raw(r#"{"commit_sha":"x","tag_name":"1.8.5"}"#, "application/json"),
        )
        .mount(&server)
        .await;
    let said = plan(&server, &[]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .contains("v1"),
        "{said:?}"
    );
    only_reads(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_named_and_never_printed() {
    let server = answering(ResponseTemplate::new(401).set_body_raw(
        r#"{"error":"bad token sEcReT-0123456789","code":16}"#,
        "application/json",
    ))
    .await;
    let said = plan(&server, &[("KFP_GITOPS_TOKEN", "sEcReT-0123456789")]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        !said.out.contains("sEcReT") && !said.err.contains("sEcReT"),
        "{said:?}"
    );
    let sent = server.received_requests().await.expect("recorded");
    assert_eq!(sent[0].headers["authorization"], "Bearer sEcReT-0123456789");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_each_check_as_text_and_as_json() {
    let root = crate::fault::wire::root();
    let (wire, _) = crate::fault::wire::Wire::start(crate::fault::dialect::Kind::V2_17_0).await;
    // A registry that knows what time it is, as the stand-in does not.
    let data = tempfile::tempdir().unwrap();
    let (_registry, api) = crate::support::registry::running(data.path()).await;
    let url = api.base.trim_end_matches("/apis/v2beta1").to_owned();
    // A port that nobody listens on any more.
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let verdict = |report: &serde_json::Value, check: &str| {
        let all = report["checks"].as_array().cloned().unwrap_or_default();
        let found = all.iter().find(|one| one["check"] == check);
        found.unwrap_or_else(|| panic!("{check} in {report:#}")).clone()
    };
    let environment = [("NO_PROXY", "*")];
    let well = wire
        .run_in(root.path(), &["doctor", "--endpoint", &url], &environment)
        .await;
    assert_eq!(well.code, 0, "{well:?}");
    for check in [
        "config", "python", "dns", "tcp", "http", "server", "login", "clock",
    ] {
        assert_eq!(
            verdict(&well.json(), check)["verdict"],
            "passed",
            "{check}: {well:?}"
        );
    }
    assert_eq!(verdict(&well.json(), "rights")["verdict"], "skipped");
    let held = api.get("/pipelines").await;
    assert!(held["pipelines"].as_array().is_none_or(Vec::is_empty), "{held}");
    let ill = wire
        .run_in(root.path(), &["doctor", "--endpoint", &closed], &environment)
        .await;
    assert_eq!(ill.code, 1, "{ill:?}");
    let report = ill.json();
    assert_eq!(report["exit_code"], 1);
    let tcp = verdict(&report, "tcp");
    assert_eq!(tcp["verdict"], "failed", "{tcp:#}");
    assert!(
        tcp["cure"].as_str().is_some_and(|cure| !cure.is_empty()),
        "{tcp:#}"
    );
    assert_eq!(verdict(&report, "login")["verdict"], "skipped");
    let mut command = kfp_gitops(root.path());
    let text = run(command
        .args(["doctor", "--endpoint", &closed])
        .env("NO_PROXY", "*"));
    assert_eq!(text.code, 1, "{text:?}");
    assert!(
        text.out.contains("tcp") && text.out.contains("refused"),
        "{text:?}"
    );
}

/// The check of that name.
fn check(report: &serde_json::Value, name: &str) -> serde_json::Value {
    let all = report["checks"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|one| one["check"] == name);
    found.unwrap_or_else(|| panic!("{name} in {report:#}")).clone()
}

#[test]
fn doctor_calls_a_broken_configuration_a_finding() {
    let root = folder(&[("kfp-gitops.yaml", "project: a\ndiscover:\n  inclde: [x]\n")]);
    let said = run(kfp_gitops(root.path()).args(["doctor", "--format", "json"]));
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    let config = check(&report, "config");
    assert_eq!(config["verdict"], "failed");
    assert_eq!(
        config["seen"],
        "kfp-gitops.yaml:3:3: discover: unknown field `inclde`, expected `include` or `exclude`"
    );
    assert_eq!(config["cure"], "did you mean `include`?");
    for name in ["python", "dns", "http", "server", "login", "rights", "run link"] {
        assert_eq!(check(&report, name)["verdict"], "skipped", "{report:#}");
    }
    let said = run(kfp_gitops(root.path()).arg("doctor"));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.out.contains("FAILED  config") && said.out.contains("kfp-gitops.yaml:3:3"),
        "{said:?}"
    );
}

#[test]
fn doctor_lets_no_file_command_the_runner() {
    let root = folder(&[("kfp-gitops.yaml", "\"a\\n::add-mask::x ##[error]y\": 1\n")]);
    let said = run(kfp_gitops(root.path()).arg("doctor").env("CI", "true"));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("unknown field"), "{said:?}");
    let commands = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    assert!(!said.out.lines().any(commands), "{said:?}");
}

#[test]
fn doctor_without_what_its_login_needs_still_looks_at_python() {
    let root = folder(&[("kfp-gitops.yaml", "auth:\n  kind: cookie\n")]);
    let mut command = kfp_gitops(root.path());
    let said = run(command.args(["doctor", "--format", "json", "--endpoint", "http://127.0.0.1:1"]));
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    assert!(
        check(&report, "config")["cure"]
            .as_str()
            .is_some_and(|cure| cure.contains("KFP_GITOPS_COOKIE")),
        "{report:#}"
    );
    assert_eq!(check(&report, "python")["verdict"], "passed");
    assert_eq!(check(&report, "tcp")["verdict"], "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_pins_and_interpreters_as_the_engine_does() {
    let data = tempfile::tempdir().unwrap();
    let (_registry, api) = crate::support::registry::running(data.path()).await;
    let url = api.base.trim_end_matches("/apis/v2beta1").to_owned();
    let report = tokio::task::spawn_blocking(move || {
        use std::os::unix::fs::PermissionsExt;
        let root = folder(&[
            ("one_pipeline.py", PIPELINE),
            ("requirements.txt", "pandas\nkfp==2.16.1\n"),
        ]);
        // The only Python on PATH is not called `python3`.
        let real =
            run(std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]));
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", real.out.trim());
        crate::support::write(root.path(), "bin/python3.11", &script);
        let program = root.path().join("bin/python3.11");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = kfp_gitops(root.path());
        command
            .args(["doctor", "--format", "json", "--endpoint", &url])
            .env("NO_PROXY", "*")
            .env("PATH", root.path().join("bin"));
        run(&mut command).json()
    })
    .await
    .expect("the test's thread");
    let python = check(&report, "python");
    assert_eq!(python["verdict"], "passed", "{report:#}");
    let versions = check(&report, "versions");
    assert_eq!(versions["verdict"], "passed", "{report:#}");
    assert!(
        versions["seen"]
            .as_str()
            .is_some_and(|seen| seen.contains("kfp 2.16.1 (from `requirements.txt:2`)")),
        "{versions:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_refused_is_explained() {
    let server = MockServer::start().await;
    let health = r#"{"tag_name":"2.17.0","multi_user":true,"pipeline_store":"database"}"#;
    Mock::given(path("/apis/v2beta1/healthz"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(health, "application/json"))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(403).set_body_raw(
            r#"{"code":7,"message":"User 'ci' is not authorized"}"#,
            "application/json",
        ))
        .mount(&server)
        .await;
    let said = plan(
        &server,
        &[
            ("KFP_GITOPS_TOKEN", "sEcReT-0123456789"),
            ("KFP_GITOPS_NAMESPACE", "team-a"),
        ],
    )
    .await;
    assert_eq!(said.code, 2, "{said:?}");
    let error = &said.json()["error"];
    assert_eq!(error["phase"], "plan", "{error:#}");
    let detail = error["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("kind: RoleBinding") && detail.contains("namespace: team-a"),
        "{error:#}"
    );
    assert!(!said.out.contains("sEcReT"), "{said:?}");
    only_reads(&server).await;
}
