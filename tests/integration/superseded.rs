//! A job that comes late: a later commit of its branch is deployed already, and its clone is too shallow to know.

use crate::fault::dialect::Kind;
use crate::fault::truth::truth;
use crate::fault::wire::{Wire, root};
use crate::support::{Said, git, write};
use serde_json::json;
use std::path::Path;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// One CI run of a commit of `main`.
async fn job(wire: &Wire, url: &str, folder: &Path, forge: &str, commit: &str, run: &str) -> Said {
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_REPOSITORY", "ml/pipelines"),
        ("GITHUB_SERVER_URL", forge),
        ("GITHUB_API_URL", forge),
        ("KFP_GITOPS_FORGE_TOKEN", "t0ken-of-the-job"),
        ("GITHUB_SHA", commit),
        ("GITHUB_RUN_ID", run),
        ("NO_PROXY", "*"),
    ];
    wire.run_in(folder, &["apply", "--endpoint", url], &environment)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_clone_asks_the_forge_and_skips_only_on_proof() {
    let full = root();
    let folder = full.path();
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "one"]);
    let earlier = git(folder, &["rev-parse", "HEAD"]);
    git(folder, &["branch", "old"]);
    let text = std::fs::read_to_string(folder.join("one_pipeline.py")).unwrap();
    write(folder, "one_pipeline.py", &text.replace("'a'", "'b'"));
    git(folder, &["commit", "-qam", "two"]);
    let later = git(folder, &["rev-parse", "HEAD"]);
    let clones = tempfile::tempdir().unwrap();
    let origin = format!("file://{}", folder.display());
    git(
        clones.path(),
        &[
            "clone", "-q", "--depth", "1", "--branch", "old", &origin, "shallow",
        ],
    );
    let shallow = clones.path().join("shallow");

    let forge = MockServer::start().await;
    let answer = |at: String, body: serde_json::Value| {
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
    };
    answer(
        format!("/repos/ml/pipelines/compare/{later}...{earlier}"),
        json!({"total_commits": 0}),
    )
    .mount(&forge)
    .await;
    answer(
        "/repos/ml/pipelines/branches/main".to_owned(),
        json!({"commit": {"sha": later}}),
    )
    .mount(&forge)
    .await;

    // The job does not tell which forge it is on, so the server is asked.
    answer("/api/v1/version".to_owned(), json!({"version": "1.24.0"}))
        .mount(&forge)
        .await;

    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    let said = job(&wire, &url, folder, &forge.uri(), &later, "1").await;
    assert_eq!(said.json()["pipelines"][0]["action"], "created", "{said:?}");
    let writes = wire.server.writes();

    let said = job(&wire, &url, &shallow, &forge.uri(), &earlier, "2").await;
    let one = &said.json()["pipelines"][0];
    assert_eq!(
        (&one["action"], &one["reason"]),
        (&"skipped".into(), &"superseded".into()),
        "{said:?}\n{:#?}",
        forge.received_requests().await
    );
    assert!(one["notes"].to_string().contains(&later[..7]), "{one:#}");
    assert_eq!((said.code, wire.server.writes()), (0, writes), "{said:?}");

    // A forge that knows nothing proves nothing: the run goes on.
    let silent = MockServer::start().await;
    let said = job(&wire, &url, &shallow, &silent.uri(), &earlier, "3").await;
    assert_eq!(said.json()["pipelines"][0]["action"], "updated", "{said:?}");
    assert_eq!(truth(&wire.server).await["one"].len(), 2);
}
