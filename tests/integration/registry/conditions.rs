//! Uploads that name the version that must be the newest: the registry's own, no released server has it.

use crate::fault::wire;
use crate::support::registry::{Api, running, spec};
use crate::support::{http, kfp_gitops, python, write};
use kfp_gitops::kfp::embedded::{Dialect, Store, router_as};
use reqwest::StatusCode;
use serde_json::Value;
use std::process::Stdio;
use std::sync::Arc;

/// Uploads a version on a condition; the status, and the version's id.
async fn upload(
    api: &Api,
    pipeline: &str,
    name: &str,
    condition: (&'static str, String),
) -> (StatusCode, String) {
    let file = reqwest::multipart::Part::bytes(spec(name)).file_name("p.yaml");
    let answer = api
        .client
        .post(format!(
            "{}/pipelines/upload_version?pipelineid={pipeline}&name={name}",
            api.base
        ))
        .header(condition.0, condition.1)
        .multipart(reqwest::multipart::Form::new().part("uploadfile", file))
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    let id = body["pipeline_version_id"].as_str().unwrap_or_default();
    (status, id.to_owned())
}

fn first() -> (&'static str, String) {
    ("if-none-match", "*".to_owned())
}

fn after(id: &str) -> (&'static str, String) {
    ("if-match", format!("\"{id}\""))
}

#[tokio::test]
async fn only_the_upload_on_top_of_the_newest_version_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, api) = running(folder.path()).await;
    assert_eq!(api.get("/healthz").await["conditional_uploads"], true);
    let pipeline = api.pipeline("demo").await;
    let refused = StatusCode::PRECONDITION_FAILED;
    assert_eq!(upload(&api, &pipeline, "v0", after("nobody")).await.0, refused);
    let (status, v1) = upload(&api, &pipeline, "v1", first()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(upload(&api, &pipeline, "v2", first()).await.0, refused);
    // The newest is the newest by second.
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    let (status, v2) = upload(&api, &pipeline, "v2", after(&v1)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(upload(&api, &pipeline, "v3", after(&v1)).await.0, refused);
    let held = api.get(&format!("/pipelines/{pipeline}/versions")).await;
    assert_eq!(held["pipeline_versions"].as_array().map(Vec::len), Some(2));
    assert!(held.to_string().contains(&v2));
    registry.stop().await;
}

#[tokio::test]
async fn a_registry_that_passes_for_a_released_server_knows_no_conditions() {
    let store = Arc::new(Store::in_memory().unwrap());
    let router = router_as(store, Dialect::of("2.17.0").unwrap());
    let api = Api::new(&format!("http://{}", http::serve(router).await));
    assert!(api.get("/healthz").await["conditional_uploads"].is_null());
    let pipeline = api.pipeline("demo").await;
    let (status, _) = upload(&api, &pipeline, "v1", after("nobody")).await;
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn many_processes_at_once_upload_one_version() {
    let folder = wire::root();
    let command = || {
        let mut command = kfp_gitops(folder.path());
        command
            .args(["apply", "--format", "json", "--python"])
            .arg(python::with_kfp())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    for (round, content) in ["1", "2"].into_iter().enumerate() {
        write(folder.path(), "one_pipeline.py", &wire::pipeline("one", content));
        let running: Vec<_> = (0..6).map(|_| command().spawn().unwrap()).collect();
        let mut written = 0;
        let mut ids = std::collections::BTreeSet::new();
        for child in running {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let one = &report["pipelines"][0];
            written += usize::from(one["action"] != "unchanged");
            ids.insert(one["version_id"].to_string());
        }
        // Each says which version holds the content, and it is the same for all.
        assert_eq!((written, ids.len()), (1, 1), "round {round}: {ids:?}");
    }
}
