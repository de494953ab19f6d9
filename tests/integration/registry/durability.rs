//! Restarts, processes side by side, and processes killed in the middle.

use crate::support::registry::{Api, Served, running, spec};
use reqwest::StatusCode;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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

/// Two processes over one folder, one of them killed while both are written to: whatever was answered is there,
/// no name is there twice, and the other process goes on.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_folder_and_one_is_killed() {
    const NAMES: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut doomed, healthy) = (Served::start(&data), Served::start(&data));
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
    doomed.kill();
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
