//! The official `kfp.Client` 2.17 against the embedded registry.

use crate::support::python;
use kfp_gitops::kfp::embedded::{EmbeddedOptions, start};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn lists_uploads_gets_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let registry = start(EmbeddedOptions {
        data: folder.path().join("data"),
        listen,
    })
    .await
    .unwrap();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/integration/support/kfp_client.py"
    );
    let mut client = Command::new(python::with_kfp());
    client
        .arg(script)
        .arg(registry.url())
        // The client writes its context to the home folder.
        .env("HOME", folder.path())
        .env("NO_PROXY", "*")
        .env_remove("PYTHONPATH")
        .env_remove("KF_PIPELINES_ENDPOINT");
    let output = tokio::task::spawn_blocking(move || client.output().unwrap())
        .await
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.trim_end().ends_with("done"),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    registry.stop().await;
}
