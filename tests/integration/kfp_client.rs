//! The official `kfp.Client` 2.17 against `kfp-gitops serve`.

use crate::support::python;
use crate::support::registry::Served;
use std::process::Command;

#[test]
fn lists_uploads_gets_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("data"));
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/integration/support/kfp_client.py"
    );
    let mut client = Command::new(python::with_kfp());
    client
        .arg(script)
        .arg(&served.url)
        // The client writes its context to the home folder.
        .env("HOME", folder.path())
        .env("NO_PROXY", "*")
        .env_remove("PYTHONPATH")
        .env_remove("KF_PIPELINES_ENDPOINT");
    let output = client.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.trim_end().ends_with("done"),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
