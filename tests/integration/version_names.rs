//! `{semver}` in version names: each pipeline counts on from the nearest tag by what changes in it.

use crate::support::sample::{apply, commit, compiled, pipeline, repository_of, upload_by_hand};
use crate::support::{git, kfp_gitops, run, write};
use serde_json::Value;
use std::path::Path;

fn configured(names: &[&str]) -> tempfile::TempDir {
    let root = repository_of(names);
    write(
        root.path(),
        "kfp-gitops.yaml",
        "naming:\n  version: \"v{semver}\"\n",
    );
    commit(root.path(), "named");
    root
}

/// Names of pipelines and their versions, as far as something is or would be written.
fn versions(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["pipelines"]
        .as_array()
        .expect("pipelines")
        .iter()
        .filter(|one| one["action"] != "unchanged")
        .map(|one| (text(&one["name"]), text(&one["version_name"])))
        .collect()
}

fn planned(root: &Path, arguments: &[&str]) -> Value {
    let said = run(kfp_gitops(root)
        .args(["plan", "--format", "json"])
        .args(arguments));
    assert_eq!(said.code, 0, "{said:?}");
    said.json()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
        .collect()
}

#[test]
fn each_pipeline_counts_on_by_itself() {
    let root = configured(&["first", "second"]);
    let root = root.path();
    git(root, &["tag", "v1.2.0"]);
    // The commit has the tag: its number is the name.
    let report = apply(root);
    assert_eq!(
        versions(&report),
        pairs(&[("first", "v1.2.0"), ("second", "v1.2.0")])
    );
    assert_eq!(report["version_name"], Value::Null);

    // A parameter that becomes required breaks callers; another default does not.
    let required = pipeline("first", "a").replace("def first(text: str = \"a\")", "def first(text: str)");
    assert!(required.contains("def first(text: str):"), "{required}");
    write(root, "first_pipeline.py", &required);
    write(root, "second_pipeline.py", &pipeline("second", "b"));
    commit(root, "second");
    let expected = pairs(&[("first", "v2.0.0"), ("second", "v1.3.0")]);
    assert_eq!(versions(&planned(root, &["--out", "plan.json"])), expected);
    // What was planned keeps its names, whatever is tagged since.
    git(root, &["tag", "v7.0.0"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let said = run(kfp_gitops(root).args(["apply", "--plan", "plan.json", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&said.json()), expected);
    let again = run(kfp_gitops(root).args(["apply", "--plan", "plan.json", "--format", "json"]));
    assert_eq!(
        (again.code, versions(&again.json())),
        (0, Vec::new()),
        "{again:?}"
    );
    git(root, &["tag", "-d", "v7.0.0"]);

    // The count goes on from what was deployed, not from the tag, and not from what was uploaded by hand.
    upload_by_hand(root, "second", "v9.0.0", &compiled(root, "first_pipeline.py"));
    write(
        root,
        "first_pipeline.py",
        &required.replace("python:3.11", "python:3.12"),
    );
    commit(root, "third");
    let report = planned(root, &[]);
    let found = versions(&report);
    assert_eq!(found[0], ("first".to_owned(), "v2.0.1".to_owned()), "{report:#}");
    assert_eq!(found[1].0, "second");
    assert!(
        found[1].1.starts_with("v1.") || found[1].1.starts_with("v2."),
        "{report:#}"
    );
}

#[test]
fn without_a_tag_the_mistake_is_named() {
    let root = configured(&["first"]);
    let said = run(kfp_gitops(root.path()).args(["plan", "--format", "json"]));
    assert_eq!(said.code, 2, "{said:?}");
    let error = &said.json()["error"];
    let text = format!("{} {}", error["message"], error["hint"]);
    assert!(
        text.contains("no git tag that is a semantic version") && text.contains("fetch-depth: 0"),
        "{text}"
    );
}
