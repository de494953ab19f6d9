//! The main job from outside: find, compile, compare, upload, report, into the embedded registry.

use crate::support::{Said, folder, git, kfp_gitops, run, write};
use serde_json::Value;
use std::path::Path;

/// A pipeline with one component and a string default.
fn pipeline(name: &str, default: &str) -> String {
    format!(
        "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.11-slim')\ndef say(text: str) -> str:\n    \
         return text\n\n\n@dsl.pipeline(name='{name}')\ndef {}(text: str = {default:?}):\n    say(text=text)\n",
        name.replace('-', "_")
    )
}

fn two() -> tempfile::TempDir {
    let root = folder(&[
        ("first_pipeline.py", &pipeline("first", "a")),
        ("second_pipeline.py", &pipeline("second", "b")),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    root
}

fn apply(root: &Path, arguments: &[&str]) -> Said {
    run(kfp_gitops(root)
        .args(["apply", "--format", "json"])
        .args(arguments))
}

fn actions(report: &Value) -> Vec<(String, String)> {
    let mut actions: Vec<(String, String)> = report["pipelines"]
        .as_array()
        .expect("pipelines")
        .iter()
        .map(|one| {
            let name = one["name"].as_str().or(one["file"].as_str()).unwrap_or_default();
            (
                name.to_owned(),
                one["action"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    actions.sort();
    actions
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, action)| ((*name).to_owned(), (*action).to_owned()))
        .collect()
}

#[test]
fn created_then_unchanged_then_updated_then_created_again() {
    let root = two();
    let said = apply(root.path(), &[]);
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(
        actions(&report),
        owned(&[("first", "created"), ("second", "created")])
    );
    let version = report["version_name"]
        .as_str()
        .expect("a version name")
        .to_owned();
    assert!(
        report["pipelines"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["version_name"] == version.as_str())
    );

    let again = apply(root.path(), &[]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(
        actions(&again.json()),
        owned(&[("first", "unchanged"), ("second", "unchanged")])
    );
    assert_eq!(
        again.json()["pipelines"][0]["version_name"],
        version.as_str(),
        "the version that holds it"
    );

    write(root.path(), "first_pipeline.py", &pipeline("first", "changed"));
    let edited = apply(root.path(), &[]).json();
    assert_eq!(
        actions(&edited),
        owned(&[("first", "updated"), ("second", "unchanged")])
    );

    std::fs::remove_dir_all(root.path().join(".kfp-gitops")).expect("the registry's folder");
    let fresh = apply(root.path(), &[]).json();
    assert_eq!(
        actions(&fresh),
        owned(&[("first", "created"), ("second", "created")])
    );
}

#[test]
fn a_revert_is_uploaded_and_called_one() {
    let root = two();
    assert_eq!(apply(root.path(), &[]).code, 0);
    write(root.path(), "first_pipeline.py", &pipeline("first", "z"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(apply(root.path(), &[]).json()["counts"]["updated"], 1);
    write(root.path(), "first_pipeline.py", &pipeline("first", "a"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let report = apply(root.path(), &["--only", "first"]).json();
    assert_eq!(actions(&report), owned(&[("first", "updated")]));
    assert_eq!(report["pipelines"][0]["reason"], "reverted");
}

#[test]
fn force_uploads_what_did_not_change() {
    let root = two();
    assert_eq!(apply(root.path(), &[]).code, 0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let report = apply(root.path(), &["--force", "--only", "second_pipeline"]).json();
    assert_eq!(actions(&report), owned(&[("second", "updated")]));
    assert_eq!(report["pipelines"][0]["reason"], "forced");
}

#[test]
fn one_bad_file_hides_no_other() {
    let root = two();
    write(root.path(), "third_pipeline.py", "import kfp\n\nboom()\n");
    write(root.path(), "fourth_pipeline.py", "import sys\nsys.exit(3)\n");
    let said = apply(root.path(), &[]);
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    assert_eq!(
        actions(&report),
        owned(&[
            ("first", "created"),
            ("fourth_pipeline.py", "failed"),
            ("second", "created"),
            ("third_pipeline.py", "failed")
        ])
    );
    let pipelines = report["pipelines"].as_array().unwrap();
    let third = pipelines
        .iter()
        .find(|one| one["file"] == "third_pipeline.py")
        .unwrap();
    assert_eq!(third["error"]["line"], 3, "{third:#}");
    assert_eq!(third["error"]["phase"], "compile");
}

#[test]
fn all_or_nothing_uploads_nothing() {
    let root = two();
    write(root.path(), "third_pipeline.py", "boom()\n");
    let report = apply(root.path(), &["--all-or-nothing"]);
    assert_eq!(report.code, 1);
    assert_eq!(
        actions(&report.json()),
        owned(&[
            ("first", "skipped"),
            ("second", "skipped"),
            ("third_pipeline.py", "failed")
        ])
    );
    std::fs::remove_file(root.path().join("third_pipeline.py")).unwrap();
    assert_eq!(
        actions(&apply(root.path(), &[]).json()),
        owned(&[("first", "created"), ("second", "created")])
    );
}

#[test]
fn two_files_of_one_name_stop_before_any_write() {
    let root = two();
    write(root.path(), "third_pipeline.py", &pipeline("first", "other"));
    let said = apply(root.path(), &[]);
    assert_eq!(said.code, 2, "{said:?}");
    let message = said.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("`first_pipeline.py`") && message.contains("`third_pipeline.py`"),
        "{message}"
    );
    let compile = run(kfp_gitops(root.path()).args(["compile", "--format", "json"]));
    assert_eq!(compile.code, 0, "{compile:?}");
    std::fs::remove_file(root.path().join("third_pipeline.py")).unwrap();
    assert_eq!(
        actions(&apply(root.path(), &[]).json()),
        owned(&[("first", "created"), ("second", "created")])
    );
}

#[test]
fn a_plan_writes_nothing() {
    let root = two();
    let plan = |arguments: &[&str]| {
        run(kfp_gitops(root.path())
            .args(["plan", "--format", "json"])
            .args(arguments))
    };
    let said = plan(&[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        actions(&said.json()),
        owned(&[("first", "create"), ("second", "create")])
    );
    assert_eq!(plan(&["--expect-no-changes"]).code, 6);
    assert_eq!(apply(root.path(), &[]).json()["counts"]["created"], 2);
    assert_eq!(plan(&["--expect-no-changes"]).code, 0);
}

#[test]
fn a_pipeline_of_another_repository_is_refused() {
    let root = two();
    git(
        root.path(),
        &[
            "remote",
            "add",
            "origin",
            "https://git.example.com/team-a/pipelines.git",
        ],
    );
    assert_eq!(apply(root.path(), &[]).code, 0);
    git(
        root.path(),
        &[
            "remote",
            "set-url",
            "origin",
            "https://git.example.com/team-b/pipelines.git",
        ],
    );
    write(root.path(), "first_pipeline.py", &pipeline("first", "theirs"));
    let said = apply(root.path(), &[]);
    assert_eq!(said.code, 2, "{said:?}");
    let first = &said.json()["pipelines"][0]["error"];
    assert_eq!(first["message"], "`first` is managed by team-a/pipelines");
    let adopted = apply(root.path(), &["--adopt"]).json();
    assert_eq!(
        actions(&adopted),
        owned(&[("first", "updated"), ("second", "unchanged")])
    );
    assert_eq!(adopted["pipelines"][0]["reason"], "adopted");
}

#[test]
fn the_results_are_written_in_every_case() {
    let root = two();
    let outputs = root.path().join("outputs");
    let mut command = kfp_gitops(root.path());
    command
        .args(["apply", "--results", "out/results.json"])
        .env("GITHUB_OUTPUT", &outputs);
    assert_eq!(run(&mut command).code, 0);
    let results: Value =
        serde_json::from_str(&std::fs::read_to_string(root.path().join("out/results.json")).unwrap())
            .unwrap();
    assert_eq!(results["schema"], 1);
    assert_eq!(results["command"], "apply");
    assert_eq!(results["endpoint"], "embedded");
    assert_eq!(results["counts"]["created"], 2);
    assert_eq!(results["exit_code"], 0);
    for key in ["url", "error", "output"] {
        assert!(
            results["pipelines"][0].as_object().unwrap().contains_key(key),
            "absent values are null: {key}"
        );
    }
    let outputs = std::fs::read_to_string(outputs).unwrap();
    for name in [
        "compiled",
        "uploaded",
        "unchanged",
        "failed",
        "failed-names",
        "version",
        "changes",
        "results",
        "summary",
    ] {
        assert!(
            outputs.lines().any(|line| line.starts_with(&format!("{name}<<"))),
            "{name} in {outputs}"
        );
    }

    let mut broken = kfp_gitops(root.path());
    broken.args([
        "apply",
        "--results",
        "out/broken.json",
        "--endpoint",
        "ftp://nowhere",
    ]);
    assert_eq!(run(&mut broken).code, 2);
    let results: Value =
        serde_json::from_str(&std::fs::read_to_string(root.path().join("out/broken.json")).unwrap()).unwrap();
    assert_eq!(results["exit_code"], 2);
    assert_eq!(results["error"]["phase"], "settings");
}

#[test]
fn an_unreachable_server_is_infrastructure() {
    let root = two();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = apply(root.path(), &["--endpoint", &format!("http://{free}")]);
    assert_eq!(said.code, 75, "{said:?}");
    assert_eq!(said.json()["error"]["phase"], "connect");
    assert_eq!(said.json()["counts"]["skipped"], 2);
}

#[test]
fn in_ci_the_embedded_registry_is_never_silent() {
    let root = two();
    let mut command = kfp_gitops(root.path());
    command
        .args(["plan", "--format", "json"])
        .env("CI", "true")
        .env("GITHUB_ACTIONS", "true");
    let said = run(&mut command);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.json()["error"]["hint"]
            .as_str()
            .unwrap()
            .starts_with("set `endpoint`")
    );
    command.args(["--endpoint", "embedded"]);
    assert_eq!(run(&mut command).code, 0);
}
