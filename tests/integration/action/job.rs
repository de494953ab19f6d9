//! Whole jobs: the recorded environments of Gitea, the real binary downloaded from a local server, the examples
//! deployed to the embedded registry on a port, and everybody told.

use super::runner::{Ran, Runner};
use crate::forge::{StandIn, TOKEN};
use crate::support::registry::{self, Api};
use crate::support::{self, http, repository};
use sha2::{Digest, Sha256};
use std::path::Path;
use tokio::sync::OnceCell;

/// The binary under test as a release.
struct Release {
    url: String,
    checksums: String,
}

static RELEASE: OnceCell<(String, bytes::Bytes)> = OnceCell::const_new();

/// Serves the binary under test as the release of this version.
async fn release() -> Release {
    let (sum, binary) = RELEASE
        .get_or_init(|| async {
            let binary = bytes::Bytes::from(std::fs::read(env!("CARGO_BIN_EXE_kfp-gitops")).unwrap());
            (hex::encode(Sha256::digest(&binary)), binary)
        })
        .await
        .clone();
    let router = axum::Router::new().fallback(move || async move { binary });
    let url = format!("http://{}", http::serve(router).await);
    let version = env!("CARGO_PKG_VERSION");
    let checksums = format!(
        "{sum}  kfp-gitops-v{version}-{}-unknown-linux-musl\n",
        std::env::consts::ARCH
    );
    Release { url, checksums }
}

/// A job on Gitea as recorded, in a checkout of the examples, telling the stand-in.
fn job(recording: &str, release: &Release, stand_in: &StandIn) -> Runner {
    let mut runner = Runner::new(&release.checksums, &["python3"]);
    let recordings = repository().join("tests/recordings/forge");
    let text = std::fs::read_to_string(recordings.join(format!("gitea-{recording}.env"))).unwrap();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let of_runner = [
            "PATH",
            "OUTPUT",
            "SUMMARY",
            "WORKSPACE",
            "TEMP",
            "TOOL_CACHE",
            "_ENV",
            "_STATE",
        ];
        if !of_runner.iter().any(|word| name.ends_with(word)) {
            runner.set(name, value);
        }
    }
    let event = std::fs::read_to_string(recordings.join(format!("gitea-{recording}.event.json"))).unwrap();
    std::fs::write(runner.path("files/event.json"), event).unwrap();
    let event = runner.path("files/event.json").display().to_string();
    runner.set("GITHUB_EVENT_PATH", event);
    runner.set("GITHUB_SERVER_URL", &stand_in.url);
    runner.set("GITHUB_API_URL", format!("{}/api/v1", stand_in.url));
    runner.set("GITEA_ACTIONS_CAPABILITIES", "job-summary");
    // One tool cache for all tests, so that kfp is fetched once; the release is too large to keep there.
    runner.set("RUNNER_TOOL_CACHE", "");
    runner.set("XDG_CACHE_HOME", support::cache().display().to_string());
    for entry in std::fs::read_dir(repository().join("examples"))
        .unwrap()
        .flatten()
    {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "py")
        {
            std::fs::copy(entry.path(), runner.path("work").join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(
        runner.path("work/requirements.txt"),
        "kfp==2.17.0\nkfp-kubernetes==2.17.0\n",
    )
    .unwrap();
    support::git(&runner.path("work"), &["init", "-q"]);
    runner
}

async fn run(runner: &std::sync::Arc<Runner>, inputs: Vec<(&'static str, String)>) -> Ran {
    let runner = std::sync::Arc::clone(runner);
    tokio::task::spawn_blocking(move || {
        let given: Vec<(&str, &str)> = inputs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        runner.run(&given)
    })
    .await
    .unwrap()
}

fn inputs(release: &Release, api: &Api, stand_in: &StandIn) -> Vec<(&'static str, String)> {
    vec![
        ("download-url", release.url.clone()),
        ("endpoint", api.base.trim_end_matches("/apis/v2beta1").to_owned()),
        ("ntfy-url", format!("{}/gitea-ci", stand_in.url)),
        ("ntfy-token", "tk_harness0token0harness0token00".to_owned()),
    ]
}

async fn pipelines(api: &Api) -> usize {
    let list = api.get("/pipelines?page_size=100").await;
    list["pipelines"].as_array().map_or(0, Vec::len)
}

fn secrets_are_nowhere(runner: &Runner, ran: &Ran, stand_in: &StandIn) {
    let told = stand_in.told.lock().unwrap();
    let mut written = format!(
        "{:?}{:?}{:?}{}",
        told.statuses, told.comments, told.messages, ran.summary
    );
    written.push_str(&ran.outputs.values().cloned().collect::<String>());
    // A mask is how a runner learns what to hide; it takes the line out of its log.
    written.extend(
        ran.log
            .lines()
            .filter(|line| !line.starts_with("::add-mask::"))
            .map(|line| format!("{line}\n")),
    );
    for file in walk(&runner.path("temp"))
        .into_iter()
        .chain(walk(&runner.path("work")))
    {
        written.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()));
    }
    for secret in [TOKEN, "tk_harness0token0harness0token00"] {
        assert!(!written.contains(secret), "{secret} was written");
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if entry.metadata().is_ok_and(|about| about.len() < 10 << 20) {
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_deploys_the_examples_and_tells_everybody() {
    let (release, stand_in) = (release().await, StandIn::start().await);
    let data = tempfile::tempdir().unwrap();
    let (registry, api) = registry::running(data.path()).await;
    let runner = std::sync::Arc::new(job("push", &release, &stand_in));
    let ran = run(&runner, inputs(&release, &api, &stand_in)).await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_eq!(ran.outputs["compiled"], "6");
    assert_eq!(ran.outputs["uploaded"], "6");
    assert_eq!(ran.outputs["failed-names"], "[]");
    assert!(ran.outputs["version"].starts_with('v'), "{:?}", ran.outputs);
    let report: serde_json::Value = serde_json::from_str(&ran.outputs["summary"]).unwrap();
    assert_eq!(report["counts"]["created"], 6);
    let file = std::fs::read_to_string(&ran.outputs["results"]).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&file).unwrap()["counts"],
        report["counts"]
    );
    assert_eq!(pipelines(&api).await, 6);
    assert_eq!(stand_in.words(), ["pending", "success"]);
    {
        let told = stand_in.told.lock().unwrap();
        assert_eq!(told.statuses[1].0, "6875ae4fd7a2bc8cfc5c8bc00f3ca4fb00e6ec58");
        assert_eq!(told.statuses[1].1["context"], "kfp-gitops");
        assert_eq!(told.messages.len(), 1);
        assert!(
            told.messages[0]["title"]
                .as_str()
                .unwrap()
                .starts_with("admin1/demo: Deployed all 6"),
            "{:?}",
            told.messages
        );
        assert_eq!(told.comments.len(), 0);
    }
    assert!(
        ran.summary.contains("Deployed all 6 pipelines"),
        "{}",
        ran.summary
    );
    secrets_are_nowhere(&runner, &ran, &stand_in);

    // Again: nothing to upload, and on a push nobody is disturbed.
    let again = run(&runner, inputs(&release, &api, &stand_in)).await;
    assert_eq!(
        (
            again.code,
            again.outputs["unchanged"].as_str(),
            again.outputs["uploaded"].as_str()
        ),
        (0, "6", "0")
    );
    assert_eq!(stand_in.told.lock().unwrap().messages.len(), 1);
    drop(registry);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_planned_and_gets_one_comment() {
    for (recording, sha, number) in [
        ("pull_request", "ac5b61b0350837a6feb801634f0e84f1430c8291", 1),
        (
            "pull_request-from-fork",
            "1bbc7ca571726d0e1712ae7befe4823cd1d74e19",
            2,
        ),
    ] {
        let (release, stand_in) = (release().await, StandIn::start().await);
        let data = tempfile::tempdir().unwrap();
        let (registry, api) = registry::running(data.path()).await;
        let runner = std::sync::Arc::new(job(recording, &release, &stand_in));
        for _ in 0..2 {
            let ran = run(&runner, inputs(&release, &api, &stand_in)).await;
            assert_eq!(ran.code, 0, "{}", ran.log);
            assert_eq!(
                (ran.outputs["changes"].as_str(), ran.outputs["uploaded"].as_str()),
                ("6", "0")
            );
            secrets_are_nowhere(&runner, &ran, &stand_in);
        }
        assert_eq!(pipelines(&api).await, 0, "a plan writes nothing");
        let told = stand_in.told.lock().unwrap();
        assert!(
            told.statuses.iter().all(|(on, _)| on == sha),
            "{:?}",
            told.statuses
        );
        assert_eq!(told.comments.len(), 1);
        assert!(
            told.comments[0].1.contains("Would deploy all 6 pipelines"),
            "{:?}",
            told.comments
        );
        assert!(told.calls.contains(&format!(
            "POST /api/v1/repos/admin1/demo/issues/{number}/comments"
        )));
        assert_eq!(told.messages.len(), 0);
        drop(registry);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_nobody_can_place_is_planned() {
    let (release, stand_in) = (release().await, StandIn::start().await);
    let data = tempfile::tempdir().unwrap();
    let (registry, api) = registry::running(data.path()).await;
    let runner = std::sync::Arc::new(job("tag", &release, &stand_in));
    let ran = run(&runner, inputs(&release, &api, &stand_in)).await;
    assert_eq!(
        (ran.code, ran.outputs["uploaded"].as_str()),
        (0, "0"),
        "{}",
        ran.log
    );
    assert!(ran.log.contains("v1.2.0"), "{}", ran.log);
    assert_eq!(pipelines(&api).await, 0);
    drop(registry);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_changes_nothing_but_the_log() {
    let (release, stand_in) = (release().await, StandIn::start().await);
    let data = tempfile::tempdir().unwrap();
    let (registry, api) = registry::running(data.path()).await;
    let runner = std::sync::Arc::new(job("push", &release, &stand_in));
    let mut given = inputs(&release, &api, &stand_in);
    given.push(("forge-token", "expired-t0ken-1234".to_owned()));
    let ran = run(&runner, given).await;
    assert_eq!(
        (ran.code, ran.outputs["uploaded"].as_str()),
        (0, "6"),
        "{}",
        ran.log
    );
    assert!(ran.log.contains("refuses the token (401)"), "{}", ran.log);
    assert!(ran.summary.contains("Deployed all 6 pipelines"));
    assert_eq!(stand_in.told.lock().unwrap().messages.len(), 1);
    drop(registry);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_job_tells_what_the_first_one_did() {
    let (release, stand_in) = (release().await, StandIn::start().await);
    let data = tempfile::tempdir().unwrap();
    let (registry, api) = registry::running(data.path()).await;
    let runner = std::sync::Arc::new(job("push", &release, &stand_in));
    let mut given = inputs(&release, &api, &stand_in);
    given.retain(|(name, _)| *name != "ntfy-url");
    given.push(("ntfy-url", "none".to_owned()));
    let deployed = run(&runner, given).await;
    assert_eq!(deployed.code, 0, "{}", deployed.log);
    assert_eq!(stand_in.told.lock().unwrap().messages.len(), 0);

    // The second job has no checkout, no endpoint, and only what the first one handed over. On GitHub, where a
    // deployment would have to name its server.
    let mut second = job("push", &release, &stand_in);
    second.set("GITEA_ACTIONS", "");
    let second = std::sync::Arc::new(second);
    let tell = |summary: &str, result: &str| {
        let mut given = vec![
            ("download-url", release.url.clone()),
            ("command", "notify".to_owned()),
            ("ntfy-url", format!("{}/gitea-ci", stand_in.url)),
        ];
        given.push(("deploy-summary", summary.to_owned()));
        given.push(("deploy-result", result.to_owned()));
        given
    };
    let told = run(&second, tell(&deployed.outputs["summary"], "success")).await;
    assert_eq!(told.code, 0, "{}", told.log);
    let title = |number: usize| {
        stand_in.told.lock().unwrap().messages[number]["title"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(title(0).contains("Deployed all 6 pipelines"), "{}", title(0));
    let died = run(&second, tell("", "failure")).await;
    assert_eq!(died.code, 0, "{}", died.log);
    assert!(title(1).contains("died before it could report"), "{}", title(1));
    let broken = run(&second, tell("{\"schema\": 1", "failure")).await;
    assert_eq!(broken.code, 2, "{}", broken.log);
    drop(registry);
}
