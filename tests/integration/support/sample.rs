//! Small repositories of pipelines, and a hand that uploads to their embedded registry.

use super::{folder, git, kfp_gitops, run};
use kfp_gitops::ids::{PipelineId, PipelineName, VersionName};
use kfp_gitops::kfp::client::Client;
use kfp_gitops::kfp::connection::Connection;
use kfp_gitops::kfp::embedded::{EmbeddedOptions, start};
use kfp_gitops::kfp::write::{NewPipeline, NewVersion};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// A pipeline with one component, whose code and string default hold `text`.
#[must_use]
pub fn pipeline(name: &str, text: &str) -> String {
    let function = name.replace('-', "_");
    format!(
        "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.11-slim')\ndef say(text: str) -> str:\n    \
         print({text:?})\n    return text\n\n\n@dsl.pipeline(name='{name}')\ndef {function}(text: str = {text:?}):\n    \
         say(text=text)\n"
    )
}

/// A git repository `ml/pipelines` with these pipelines, each in `<name>_pipeline.py`, committed.
#[must_use]
pub fn repository_of(names: &[&str]) -> tempfile::TempDir {
    let files: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            (
                format!("{}_pipeline.py", name.replace('-', "_")),
                pipeline(name, "a"),
            )
        })
        .collect();
    let mut files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    files.push(("requirements.txt", "kfp==2.17.0\n"));
    let root = folder(&files);
    git(root.path(), &["init", "-q"]);
    git(
        root.path(),
        &[
            "remote",
            "add",
            "origin",
            "https://git.example.com/ml/pipelines.git",
        ],
    );
    commit(root.path(), "first");
    root
}

/// Commits everything.
pub fn commit(root: &Path, message: &str) -> String {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", message]);
    git(root, &["rev-parse", "HEAD"])
}

/// `apply`, which must succeed; one second later than what was uploaded before, because servers order
/// versions by the second.
pub fn apply(root: &Path) -> serde_json::Value {
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let said = run(kfp_gitops(root).args(["apply", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    said.json()
}

/// Uploads to the repository's embedded registry what no mark tells of: as a new version of the pipeline
/// of that name, or of a new pipeline.
pub fn upload_by_hand(root: &Path, name: &str, version: &str, document: &str) {
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let registry = start(EmbeddedOptions {
            data: root.join(".kfp-gitops/registry"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        })
        .await
        .expect("a registry");
        let url = registry.url().parse().expect("an address");
        let client = Client::new(Connection::new(url)).expect("a client");
        let found = client
            .find_pipelines(&PipelineName::new(name))
            .await
            .expect("a list");
        let id: PipelineId = match found.into_iter().next() {
            Some(pipeline) => pipeline.id,
            None => {
                let new = NewPipeline {
                    name: PipelineName::new(name),
                    display_name: None,
                    description: "by hand".to_owned(),
                    tags: BTreeMap::new(),
                };
                client.create_pipeline(&new).await.expect("created").id
            }
        };
        client
            .upload_version(&NewVersion {
                pipeline_id: id,
                name: VersionName::new(version),
                display_name: None,
                description: "tried out by ann".to_owned(),
                tags: BTreeMap::new(),
                document: document.as_bytes().to_vec().into(),
                after: None,
            })
            .await
            .expect("uploaded");
        registry.stop().await;
    });
}

/// What the compiler makes of a pipeline's file.
#[must_use]
pub fn compiled(root: &Path, file: &str) -> String {
    let said = run(kfp_gitops(root).args(["compile", file, "-o", "compiled"]));
    assert_eq!(said.code, 0, "{said:?}");
    let name = file.replace(".py", ".yaml");
    std::fs::read_to_string(root.join("compiled").join(name)).expect("what was compiled")
}
