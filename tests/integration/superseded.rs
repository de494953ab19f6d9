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
    let event = Event {
        name: "push",
        reference: "refs/heads/main",
        commit,
        run,
    };
    started_by(&event, wire, url, folder, forge, &[]).await
}

/// What a job was started by.
struct Event<'a> {
    name: &'a str,
    reference: &'a str,
    commit: &'a str,
    run: &'a str,
}

async fn started_by(
    event: &Event<'_>,
    wire: &Wire,
    url: &str,
    folder: &Path,
    forge: &str,
    more: &[&str],
) -> Said {
    let Event { commit, run, .. } = *event;
    let payload = tempfile::NamedTempFile::new().unwrap();
    let text = json!({"ref": event.reference, "repository": {"full_name": "ml/pipelines", "default_branch": "main"}});
    std::fs::write(payload.path(), text.to_string()).unwrap();
    let payload = payload.path().to_str().unwrap();
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event.name),
        ("GITHUB_EVENT_PATH", payload),
        ("GITHUB_REF", event.reference),
        ("GITHUB_REPOSITORY", "ml/pipelines"),
        ("GITHUB_SERVER_URL", forge),
        ("GITHUB_API_URL", forge),
        ("KFP_GITOPS_FORGE_TOKEN", "t0ken-of-the-job"),
        ("GITHUB_SHA", commit),
        ("GITHUB_RUN_ID", run),
        ("NO_PROXY", "*"),
    ];
    let arguments = [&["apply", "--endpoint", url], more].concat();
    wire.run_in(folder, &arguments, &environment).await
}

/// A branch of two commits, the second of which changes the pipeline.
fn two_commits(folder: &Path) -> (String, String) {
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "one"]);
    let one = git(folder, &["rev-parse", "HEAD"]);
    let text = std::fs::read_to_string(folder.join("one_pipeline.py")).unwrap();
    write(folder, "one_pipeline.py", &text.replace("'a'", "'b'"));
    git(folder, &["commit", "-qam", "two"]);
    (one, git(folder, &["rev-parse", "HEAD"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_and_a_run_by_hand_of_an_old_commit_are_superseded_too() {
    let tree = root();
    let folder = tree.path();
    let (earlier, later) = two_commits(folder);
    git(folder, &["tag", "v1.0.0", &earlier]);
    // A forge that knows nothing: all is told by the clone.
    let silent = MockServer::start().await;
    let forge = silent.uri();
    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    let said = job(&wire, &url, folder, &forge, &later, "1").await;
    assert_eq!(said.json()["counts"]["created"], 1, "{said:?}");
    let writes = wire.server.writes();

    git(folder, &["checkout", "-q", "v1.0.0"]);
    let old = |name, reference, run| Event {
        name,
        reference,
        commit: &earlier,
        run,
    };
    for event in [
        old("push", "refs/tags/v1.0.0", "2"),
        old("workflow_dispatch", "refs/tags/v1.0.0", "3"),
        old("workflow_dispatch", "refs/heads/main", "4"),
        old("push", "refs/heads/main", "5"),
    ] {
        let said = started_by(&event, &wire, &url, folder, &forge, &[]).await;
        let one = &said.json()["pipelines"][0];
        let told = (&one["action"], &one["reason"], said.code);
        assert_eq!(
            told,
            (&"skipped".into(), &"superseded".into(), 0),
            "{} {}: {said:?}",
            event.name,
            event.reference
        );
    }
    assert_eq!(wire.server.writes(), writes);

    // Who means it says so, and the newest commit may always be deployed again.
    let event = old("workflow_dispatch", "refs/tags/v1.0.0", "6");
    let said = started_by(&event, &wire, &url, folder, &forge, &["--force"]).await;
    assert_eq!(said.json()["counts"]["updated"], 1, "{said:?}");
    git(folder, &["checkout", "-q", "main"]);
    let said = job(&wire, &url, folder, &forge, &later, "7").await;
    assert_eq!(said.json()["counts"]["updated"], 1, "{said:?}");
    assert_eq!(truth(&wire.server).await["one"].len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_was_rewritten_proves_nothing() {
    let tree = root();
    let folder = tree.path();
    let (base, dropped) = two_commits(folder);
    let silent = MockServer::start().await;
    let forge = silent.uri();
    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    let said = job(&wire, &url, folder, &forge, &dropped, "1").await;
    assert_eq!(said.json()["counts"]["created"], 1, "{said:?}");
    // The branch goes back by force: what is deployed descends from it, and is no longer on it.
    git(folder, &["reset", "-q", "--hard", &base]);
    let said = job(&wire, &url, folder, &forge, &base, "2").await;
    assert_eq!(said.json()["counts"]["updated"], 1, "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_clone_asks_the_forge_and_skips_only_on_proof() {
    let full = root();
    let folder = full.path();
    let (earlier, later) = two_commits(folder);
    git(folder, &["branch", "old", &earlier]);
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
