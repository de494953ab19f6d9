//! What a pull request may decide through its own configuration, and what a fork's job does without a server.

use crate::support::{Said, folder, git, http, kfp_gitops, registry, run, sample, write};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const HOSTILE: &str = "\
endpoint: HOSTILE
ui_url: HOSTILE
ca_file: mine.pem
headers: {X-Mine: '1'}
auth: {kind: bearer, token_file: /etc/passwd}
compile: {sandbox: 'off', network: allow, environment: [DATABASE_PASSWORD], kfp: 2.17.0}
apply: {refs: ['refs/heads/*']}
notify: {ntfy: HOSTILE/topic, webhook: HOSTILE}
forge: {api_url: HOSTILE}
";

/// A repository whose `origin/main` has `base` as configuration, and whose work tree has `own`.
fn repository(base: Option<&str>, own: Option<&str>) -> tempfile::TempDir {
    let root = folder(&[("one_pipeline.py", &sample::pipeline("one", "a"))]);
    let path = root.path();
    git(path, &["init", "-q"]);
    if let Some(base) = base {
        write(path, "kfp-gitops.yaml", base);
    }
    git(path, &["add", "-A"]);
    git(path, &["commit", "-qm", "base"]);
    git(path, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    if base.is_some() {
        std::fs::remove_file(path.join("kfp-gitops.yaml")).unwrap();
    }
    if let Some(own) = own {
        write(path, "kfp-gitops.yaml", own);
    }
    git(path, &["add", "-A"]);
    git(path, &["commit", "-qm", "pull request", "--allow-empty"]);
    root
}

/// The program in the job of a pull request on GitHub, as its documentation describes the event.
fn job(root: &Path, fork: bool) -> Command {
    let head = git(root, &["rev-parse", "HEAD"]);
    let owner = if fork { "stranger" } else { "ml" };
    let event = json!({
        "action": "opened",
        "number": 7,
        "pull_request": {
            "number": 7,
            "base": {"ref": "main", "sha": "", "repo": {"full_name": "ml/pipelines", "fork": false}},
            "head": {"ref": "work", "sha": head.trim(), "repo": {"full_name": format!("{owner}/pipelines"), "fork": fork}},
        },
        "repository": {"full_name": "ml/pipelines", "default_branch": "main"},
    });
    let file = root.join(".git/event.json");
    std::fs::write(&file, event.to_string()).unwrap();
    let mut command = kfp_gitops(root);
    command
        .env("CI", "true")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", file)
        .env("GITHUB_REPOSITORY", "ml/pipelines")
        .env("GITHUB_REF", "refs/pull/7/merge")
        .env("GITHUB_BASE_REF", "main")
        .env("GITHUB_HEAD_REF", "work")
        .env("KFP_GITOPS_KFP_VERSION", "2.17.0")
        .env("KFP_GITOPS_FORMAT", "json");
    command
}

fn plan(root: &Path, fork: bool) -> Said {
    run(job(root, fork).arg("plan"))
}

/// A server that must never be asked anything.
async fn trap() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = axum::Router::new().fallback(move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        "{}"
    });
    (format!("http://{}", http::serve(router).await), asked)
}

fn said_of(report: &Value, key: &str) -> String {
    let lines = report["notes"].as_array().unwrap();
    let marked = format!("`{key}");
    lines
        .iter()
        .filter_map(Value::as_str)
        .find(|line| line.starts_with(&marked))
        .unwrap_or_else(|| panic!("nothing about `{key}` in {lines:#?}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_loosens_safety_or_moves_secrets_is_read_from_the_base_branch() {
    let data = tempfile::tempdir().unwrap();
    let (_registry, api) = registry::running(data.path()).await;
    let (hostile, asked) = trap().await;
    let server = api.base.trim_end_matches("/apis/v2beta1");
    let root = repository(
        Some(&format!("endpoint: {server}\n")),
        Some(&HOSTILE.replace("HOSTILE", &hostile)),
    );
    // A pipeline that tells what it could read.
    write(
        root.path(),
        "one_pipeline.py",
        &format!(
            "import os\n{}",
            sample::pipeline("one", "a").replace(
                "name='one'",
                "name='one-' + os.environ.get('DATABASE_PASSWORD', 'none')"
            )
        ),
    );
    let said = run(job(root.path(), false)
        .arg("plan")
        .env("DATABASE_PASSWORD", "hunter2")
        .env("KFP_GITOPS_TOKEN", "t0p-secret-token"));
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(report["endpoint"], server);
    assert_eq!(report["pipelines"][0]["name"], "one-none");
    assert_eq!(
        asked.load(Ordering::SeqCst),
        0,
        "somebody else's server was asked"
    );
    for key in [
        "endpoint",
        "ui_url",
        "ca_file",
        "headers",
        "auth",
        "compile.sandbox",
        "compile.network",
        "compile.environment",
        "apply.refs",
        "notify.ntfy",
        "notify.webhook",
        "forge.api_url",
    ] {
        assert!(
            said_of(&report, key).contains("the base branch's value is used"),
            "{key}"
        );
    }
    // Addresses may hold secrets: what the file says is not repeated.
    assert!(
        !said.out.contains(&hostile) && !said.err.contains(&hostile),
        "{said:?}"
    );
    assert!(
        !said.out.contains("hunter2") && !said.out.contains("t0p-secret"),
        "{said:?}"
    );

    // The same file on the default branch is somebody's decision.
    let dispatch = run(job(root.path(), false)
        .arg("compile")
        .env("GITHUB_EVENT_NAME", "workflow_dispatch")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_EVENT_PATH", "")
        .env("DATABASE_PASSWORD", "hunter2"));
    let report = dispatch.json();
    assert_eq!(report["engine"]["sandbox"], "environment", "{dispatch:?}");
    assert_eq!(report["pipelines"][0]["name"], "one-hunter2");
}

#[test]
fn a_pull_request_may_be_stricter() {
    let root = repository(
        Some("endpoint: embedded\ncompile: {network: allow, environment: [IMAGE_TAG, REGION]}\n"),
        Some("endpoint: embedded\ncompile: {network: deny, environment: [REGION]}\n"),
    );
    let said = plan(root.path(), false);
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    for key in ["compile.network", "compile.environment"] {
        assert!(said_of(&report, key).contains("is stricter"), "{key}");
    }
}

#[test]
fn a_nearer_file_does_not_hide_the_one_that_counts() {
    let root = repository(
        Some("endpoint: http://127.0.0.1:9\ncompile: {sandbox: require}\n"),
        Some("endpoint: http://127.0.0.1:9\ncompile: {sandbox: require}\n"),
    );
    write(root.path(), "team/one_pipeline.py", &sample::pipeline("one", "a"));
    write(
        root.path(),
        "team/kfp-gitops.yaml",
        "endpoint: embedded\ncompile: {sandbox: 'off'}\n",
    );
    let said = run(job(root.path(), false).args(["plan", "team", "--timeout", "1"]));
    let report = said.json();
    assert_eq!(report["endpoint"], "http://127.0.0.1:9", "{said:?}");
    assert!(said_of(&report, "compile.sandbox").contains("the base branch's value"));
}

#[test]
fn a_base_branch_that_cannot_be_read_decides_nothing() {
    let root = repository(None, Some("endpoint: embedded\ncompile: {sandbox: 'off'}\n"));
    git(root.path(), &["update-ref", "-d", "refs/remotes/origin/main"]);
    let said = plan(root.path(), false);
    assert_eq!(said.code, 2, "{said:?}");
    let report = said.json();
    assert_eq!(report["error"]["message"], "no pipelines server is named");
    let notes = report["notes"].to_string();
    assert!(notes.contains("`fetch-depth: 0`"), "{notes}");
}

#[test]
fn a_link_out_of_the_tree_is_no_configuration() {
    let secret = folder(&[("netrc", "password: s3cr3t-of-the-runner\n")]);
    let root = repository(None, None);
    std::os::unix::fs::symlink(secret.path().join("netrc"), root.path().join("kfp-gitops.yaml")).unwrap();
    let said = plan(root.path(), false);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.out.contains("is a link out of the repository"), "{said:?}");
    assert!(
        !said.out.contains("s3cr3t") && !said.err.contains("s3cr3t"),
        "{said:?}"
    );
}

#[test]
fn a_fork_without_a_server_compiles() {
    let root = repository(None, None);
    let summary = root.path().join(".git/summary.md");
    let said = run(job(root.path(), true)
        .arg("auto")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("KFP_GITOPS_STATUS", "false")
        .env("KFP_GITOPS_COMMENT", "false"));
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(report["plan"]["compiled_only"], true);
    assert_eq!(report["counts"]["compiled"], 1);
    assert_eq!(report["pipelines"][0]["action"], "compiled");
    assert!(
        report["warnings"][0]
            .as_str()
            .unwrap()
            .starts_with("the server cannot be read from a fork's job"),
        "{report:#}"
    );
    let written = std::fs::read_to_string(&summary).unwrap();
    assert!(
        written.contains("Compiled the pipeline; not compared with the server"),
        "{written}"
    );

    // An address that leads nowhere is no reason to fail either; broken Python is.
    write(root.path(), "two_pipeline.py", "import nothing_of_that_name\n");
    let said =
        run(job(root.path(), true).args(["plan", "--endpoint", "http://127.0.0.1:9", "--timeout", "1"]));
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(said.json()["counts"]["compiled"], 1);

    // Whoever is no fork asked for a comparison.
    let own = plan(root.path(), false);
    assert_eq!(own.code, 2, "{own:?}");
    assert_eq!(own.json()["error"]["message"], "no pipelines server is named");
}

#[test]
fn what_asks_no_server_needs_none() {
    let root = repository(None, None);
    let summary = root.path().join(".git/summary.md");
    for command in ["compile", "check"] {
        let said = run(job(root.path(), false)
            .arg(command)
            .env("GITHUB_STEP_SUMMARY", &summary));
        assert_eq!(said.code, 0, "{said:?}");
    }
    let written = std::fs::read_to_string(&summary).unwrap();
    assert!(
        written.contains("Compiled the pipeline") && written.contains("Checked the pipeline"),
        "{written}"
    );
}
