//! Restarts, processes side by side, and processes killed in the middle.

use crate::support::registry::{Api, running, spec};
use reqwest::StatusCode;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where [`serve_for_another_test`] keeps its data.
const DATA: &str = "KFP_GITOPS_TEST_REGISTRY_DATA";

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, api) = running(folder.path()).await;
    let pipeline = api.pipeline("Demo").await;
    let query = format!("pipelineid={pipeline}&name=v1");
    let version: Value = api
        .upload("upload_version", &query, spec("p"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    registry.stop().await;

    let (registry, api) = running(folder.path()).await;
    let id = version["pipeline_version_id"].as_str().unwrap();
    assert_eq!(
        api.get(&format!("/pipelines/{pipeline}/versions/{id}")).await,
        version
    );
    assert_eq!(api.get("/pipelines/names/demo").await["pipeline_id"], pipeline);
    registry.stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let options = kfp_gitops::kfp::embedded::EmbeddedOptions {
        data: file.join("data"),
        listen,
    };
    let failure = kfp_gitops::kfp::embedded::start(options).await.unwrap_err();
    assert!(failure.message.contains("file/data"), "{failure}");
    assert!(failure.hint.is_some());

    let garbage = folder.path().join("garbage");
    std::fs::create_dir(&garbage).unwrap();
    std::fs::write(
        garbage.join("registry.sqlite3"),
        "not a database, but long enough to be looked at",
    )
    .unwrap();
    let options = kfp_gitops::kfp::embedded::EmbeddedOptions {
        data: garbage,
        listen,
    };
    let failure = kfp_gitops::kfp::embedded::start(options).await.unwrap_err();
    assert!(failure.message.contains("registry.sqlite3"), "{failure}");
}

/// Not a test by itself: the body of the processes that other tests start and kill. It ends with its parent's
/// end of the pipe.
#[tokio::test]
#[ignore = "run by other tests as a process of its own"]
async fn serve_for_another_test() {
    let Some(data) = std::env::var_os(DATA) else {
        return;
    };
    let (registry, _) = running(Path::new(&data)).await;
    let file = Path::new(&data).join(format!("url-{}", std::process::id()));
    std::fs::write(file.with_extension("new"), registry.url()).unwrap();
    std::fs::rename(file.with_extension("new"), file).unwrap();
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await
        .unwrap()
        .unwrap();
    registry.stop().await;
}

struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "registry::durability::serve_for_another_test",
            ])
            .env(DATA, data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let file = data.join(format!("url-{}", child.id()));
        let deadline = Instant::now() + Duration::from_secs(60);
        let url = loop {
            if let Ok(url) = std::fs::read_to_string(&file) {
                break url;
            }
            assert!(
                child.try_wait().unwrap().is_none() && Instant::now() < deadline,
                "the process did not start"
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        Self { child, url }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two processes over one folder, one of them killed while both are written to: whatever was answered is there,
/// no name is there twice, and the other process goes on.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_folder_and_one_is_killed() {
    const NAMES: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let (mut doomed, healthy) = (Process::start(folder.path()), Process::start(folder.path()));
    let pipeline = Api::new(&healthy.url).pipeline("p").await;

    // Every name is tried on both, so that exactly one may win each.
    let upload = |url: &str| {
        let (api, pipeline) = (Api::new(url), pipeline.clone());
        async move {
            let mut answers = BTreeMap::new();
            for index in 0..NAMES {
                let query = format!("pipelineid={pipeline}&name=v{index}");
                match api.upload("upload_version", &query, spec("p")).await {
                    Ok(answer) => answers.insert(index, answer.status()),
                    Err(_) => break,
                };
            }
            answers
        }
    };
    let killed = tokio::spawn(upload(&doomed.url));
    let other = tokio::spawn(upload(&healthy.url));
    // Killed after some answers, wherever that is.
    let api = Api::new(&healthy.url);
    let path = format!("/pipelines/{pipeline}/versions?page_size=200");
    while api.get(&path).await["total_size"].as_u64().unwrap_or(0) < NAMES as u64 / 4 {
        tokio::task::yield_now().await;
    }
    doomed.child.kill().unwrap();
    let (killed, other) = (killed.await.unwrap(), other.await.unwrap());

    assert_eq!(other.len(), NAMES, "the healthy process stopped answering");
    let stored: Vec<String> = api.get(&path).await["pipeline_versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        stored.len(),
        stored.iter().collect::<BTreeSet<_>>().len(),
        "a name is there twice: {stored:?}"
    );
    assert_eq!(stored.len(), NAMES);
    for index in 0..NAMES {
        let won = |answers: &BTreeMap<usize, StatusCode>| answers.get(&index) == Some(&StatusCode::OK);
        assert!(!(won(&killed) && won(&other)), "v{index} was given to both");
        assert!(
            won(&other) || other[&index] == StatusCode::CONFLICT,
            "v{index}: {}",
            other[&index]
        );
    }
}
