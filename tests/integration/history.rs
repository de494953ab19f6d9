//! `list`, `show`, `history`, and `graph` of what the server holds.

use crate::support::sample::{apply, commit, compiled, pipeline, repository_of, upload_by_hand};
use crate::support::{kfp_gitops, run, write};
use serde_json::Value;
use std::path::Path;

fn json(root: &Path, arguments: &[&str]) -> Value {
    let said = run(kfp_gitops(root).args(arguments).args(["--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    said.json()
}

#[test]
fn what_the_server_holds_is_told() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    let old = apply(root);
    write(root, "first_pipeline.py", &pipeline("first", "edited"));
    let head = commit(root, "edit");
    let new = apply(root);
    let (old, new) = (
        old["version_name"].as_str().unwrap(),
        new["version_name"].as_str().unwrap(),
    );
    upload_by_hand(
        root,
        "unmanaged",
        "by-hand",
        &compiled(root, "second_pipeline.py"),
    );

    let names = |which: &str| -> Vec<String> {
        json(root, &["list", which])["pipelines"]
            .as_array()
            .expect("pipelines")
            .iter()
            .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names("mine"), ["first", "second"]);
    assert_eq!(names("unmanaged"), ["unmanaged"]);
    assert_eq!(names("all"), ["first", "second", "unmanaged"]);
    let text = run(kfp_gitops(root).args(["list"]));
    assert!(text.out.starts_with("PIPELINE  NEWEST"), "{text:?}");
    assert!(text.out.contains("ml/pipelines"), "{text:?}");
    assert!(text.out.contains("2 pipelines, 1 not listed"), "{text:?}");

    let shown = json(root, &["show", "FIRST"]);
    assert_eq!(shown["name"], "first");
    assert_eq!(shown["mine"], true);
    assert_eq!(shown["newest"]["version_name"], new);
    assert_eq!(shown["newest"]["owner"]["commit"], head.as_str());
    assert_eq!(shown["newest"]["owner"]["file"], "first_pipeline.py");
    let inside = &shown["newest"]["pipeline"];
    assert_eq!(inside["parameters"][0]["default"], "edited");
    assert_eq!(inside["images"][0], "python:3.11-slim");
    assert_eq!(inside["tasks"], 1);
    let text = run(kfp_gitops(root).args(["show", "first"]));
    assert!(
        text.out.contains("PARAMETER") && text.out.contains("\"edited\""),
        "{text:?}"
    );

    let history = json(root, &["history", "first"]);
    let versions = history["versions"].as_array().expect("versions");
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0]["version_name"], new);
    assert_eq!(versions[0]["author"], "A", "from this clone's history");
    assert!(
        versions[0]["changes"]["counts"]["behaviour"].as_u64() > Some(0),
        "{history}"
    );
    assert_eq!(versions[1]["changes"], Value::Null);
    let between = json(root, &["history", "first", old, "newest"]);
    assert_eq!(between["difference"]["status"], "changed");
    let back = json(root, &["history", "first", new, old]);
    assert_eq!(back["to"], old);
    let text = run(kfp_gitops(root).args(["history", "first", old, "-v"]));
    assert!(text.out.contains("+    print(\"edited\")\n"), "{text:?}");
    let short = json(root, &["history", "first", "--limit", "1"]);
    assert_eq!(
        (short["versions"].as_array().map(Vec::len), &short["more"]),
        (Some(1), &Value::Bool(true))
    );

    let graph = run(kfp_gitops(root).args(["graph", "first"]));
    assert_eq!(graph.code, 0, "{graph:?}");
    assert!(graph.out.starts_with("flowchart"), "{graph:?}");

    for arguments in [
        &["show", "none"][..],
        &["history", "none"],
        &["history", "first", "none"],
        &["graph", "none"],
    ] {
        let said = run(kfp_gitops(root).args(arguments));
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.out.contains("hint:"), "{said:?}");
    }
}
