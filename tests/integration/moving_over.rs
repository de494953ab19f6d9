//! Moving over from the old workflow leaves no twins: the pipelines it uploaded by file stem are adopted.

use crate::support::{examples, kfp_gitops, python, run};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// `kfp-gitops serve` on a free port; killed when dropped.
struct Served {
    child: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(folder: &std::path::Path) -> Served {
    let mut child = kfp_gitops(folder)
        .args(["serve", "--listen", "127.0.0.1:0", "--data", "data"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut url = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped"))
        .read_line(&mut url)
        .expect("an address");
    Served {
        child,
        url: url.trim().to_owned(),
    }
}

#[test]
fn six_pipelines_stay_six_and_nothing_is_uploaded() {
    let root = examples();
    let server = serve(root.path());
    let output = Command::new(python::with_kfp())
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/integration/support/old_workflow.py"
        ))
        .args([&server.url, "examples"])
        .current_dir(root.path())
        .env("HOME", root.path())
        .env("NO_PROXY", "*")
        .env_remove("PYTHONPATH")
        .output()
        .expect("python starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    for round in 0..2 {
        let said = run(kfp_gitops(root.path())
            .args(["apply", "examples", "--format", "json", "--kfp-version", "2.17.0"])
            .args(["--endpoint", &server.url]));
        assert_eq!(said.code, 0, "{said:?}");
        let report = said.json();
        assert_eq!(report["counts"]["unchanged"], 6, "round {round}: {report:#}");
        let pipelines = report["pipelines"].as_array().expect("pipelines");
        assert!(pipelines.iter().all(|one| one["reason"] == "adopted"));
        let names: BTreeSet<&str> = pipelines
            .iter()
            .map(|one| one["name"].as_str().expect("a name"))
            .collect();
        assert!(names.contains("document_ingestion_pipeline"), "{names:?}");
        let ids: BTreeSet<&str> = pipelines
            .iter()
            .map(|one| one["pipeline_id"].as_str().expect("an id"))
            .collect();
        assert_eq!(ids.len(), 6);
    }
}
