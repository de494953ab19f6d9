//! `check`, `env`, SARIF and the hooks: what is known before any server is asked.

use crate::support::{examples, folder, git, kfp_gitops, repository, run, write};
use serde_json::Value;

/// What servers know from 2.15 on, and a default that does not fit its type.
const NEWER: &str = "from kfp import dsl\n\n\n\
                     @dsl.component(base_image='python:3.11-slim', \
                     task_config_passthroughs=[dsl.TaskConfigField.RESOURCES])\n\
                     def say(text: str, config: dsl.TaskConfig) -> str:\n    return text\n\n\n\
                     @dsl.pipeline(name='newer')\ndef newer(text: str = 'a', count: int = 1.5):\n    say(text=text)\n";

/// The results of a SARIF file, after what every one of them must have.
fn results(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a SARIF file");
    let log: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "kfp-gitops");
    let results = run["results"].as_array().expect("results").clone();
    for result in &results {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a uri");
        assert!(!uri.starts_with('/') && !uri.contains("://"), "{uri}");
        assert!(place["region"]["startLine"].as_u64() >= Some(1), "{result}");
        assert!(result["message"]["text"].is_string() && result["ruleId"].is_string());
    }
    results
}

#[test]
fn the_examples_are_fine() {
    let root = examples();
    let said = run(kfp_gitops(root.path()).args([
        "check",
        "examples",
        "--format",
        "json",
        "--sarif",
        "out/check.sarif",
    ]));
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(report["command"], "check");
    for one in report["pipelines"].as_array().expect("pipelines") {
        assert_eq!(one["action"], "compiled", "{one}");
        assert_eq!(one["warnings"], serde_json::json!([]), "{one}");
    }
    assert!(results(&root.path().join("out/check.sarif")).is_empty());
}

#[test]
fn what_a_server_cannot_take_is_said_before_it_is_asked() {
    let root = folder(&[
        ("newer_pipeline.py", NEWER),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    let any = run(kfp_gitops(root.path()).args(["check", "--format", "json"]));
    assert_eq!(any.code, 0, "{any:?}");
    let one = &any.json()["pipelines"][0];
    assert!(
        one["notes"][0].as_str().unwrap().contains("from 2.15 on"),
        "{one}"
    );
    assert!(one["warnings"].to_string().contains("`count`"), "{one}");

    let old =
        run(kfp_gitops(root.path()).args(["check", "--server-version", "2.14", "--sarif", "check.sarif"]));
    assert_eq!(old.code, 1, "{old:?}");
    assert!(
        old.out.contains("a server of version 2.14.0 does not know"),
        "{old:?}"
    );
    let results = results(&root.path().join("check.sarif"));
    let levels: Vec<&str> = results.iter().filter_map(|one| one["level"].as_str()).collect();
    assert_eq!(levels, ["error", "warning"], "{results:?}");

    let new = run(kfp_gitops(root.path()).args(["check", "newer_pipeline.py", "--server-version", "2.17.0"]));
    assert_eq!(new.code, 0, "{new:?}");
}

#[test]
fn what_would_only_fail_at_apply_fails_here() {
    let one = NEWER
        .replace("'newer'", "'same'")
        .replace(", count: int = 1.5", "");
    let root = folder(&[
        ("a_pipeline.py", &one),
        ("b_pipeline.py", &one),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    let twice = run(kfp_gitops(root.path()).args(["check"]));
    assert_eq!(twice.code, 2, "{twice:?}");
    assert!(
        twice.out.contains("two pipelines have the name `same`"),
        "{twice:?}"
    );
    write(
        root.path(),
        "kfp-gitops.yaml",
        "naming: {version: '{nonsense}'}\n",
    );
    let template = run(kfp_gitops(root.path()).args(["check", "a_pipeline.py"]));
    assert_eq!(template.code, 2, "{template:?}");
    assert!(template.out.contains("nonsense"), "{template:?}");
}

#[test]
fn failures_have_their_line_in_sarif() {
    let root = folder(&[
        ("deep/bad pipe_pipeline.py", "from kfp import dsl\n\nx = = 1\n"),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    for command in ["compile", "plan", "apply", "check"] {
        let said = run(kfp_gitops(root.path()).args([command, "deep", "--sarif", "out.sarif"]));
        assert_eq!(said.code, 1, "{said:?}");
        let results = results(&root.path().join("out.sarif"));
        assert_eq!(results.len(), 1, "{command}: {results:?}");
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "deep/bad%20pipe_pipeline.py");
        assert_eq!(place["region"]["startLine"], 3);
        assert!(place["region"]["startColumn"].as_u64() >= Some(1), "{place}");
        assert_eq!(results[0]["ruleId"], "compile");
    }
}

#[test]
fn env_says_what_would_be_used_and_prepares_it() {
    let root = examples();
    write(root.path(), "examples/requirements.txt", "kfp==2.17.0\n");
    let prepared = run(kfp_gitops(root.path()).args(["env", "examples", "--prepare", "--format", "json"]));
    assert_eq!(prepared.code, 0, "{prepared:?}");
    let found = prepared.json();
    assert_eq!(found["ready"], true);
    assert_eq!(found["kfp_version"], "2.17.0");
    assert!(
        found["kfp_from"].as_str().unwrap().contains("requirements.txt"),
        "{found}"
    );
    let told = run(kfp_gitops(root.path()).args(["env", "examples"]));
    assert_eq!(told.code, 0, "{told:?}");
    assert!(
        told.out.contains("kfp      2.17.0 from") && told.out.contains("sandbox"),
        "{told:?}"
    );
    assert!(!told.out.contains("to be installed"), "{told:?}");

    let missing = run(kfp_gitops(root.path()).args(["env", "--python", "/nowhere/python"]));
    assert_ne!(missing.code, 0, "{missing:?}");
    assert!(missing.out.contains("/nowhere/python"), "{missing:?}");
}

#[test]
fn the_hooks_run_a_command_that_exists() {
    let text = std::fs::read_to_string(repository().join(".pre-commit-hooks.yaml")).expect("hooks");
    let hooks: Vec<std::collections::BTreeMap<String, serde_yaml::Value>> =
        serde_yaml::from_str(&text).expect("YAML");
    let root = folder(&[
        ("newer_pipeline.py", NEWER),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    let mut arguments = Vec::new();
    for hook in &hooks {
        for member in ["id", "name", "language", "files"] {
            assert!(
                hook.get(member).and_then(serde_yaml::Value::as_str).is_some(),
                "{member} in {hook:?}"
            );
        }
        let entry = hook["entry"].as_str().expect("an entry");
        let words = entry.strip_prefix("kfp-gitops ").expect("this program");
        arguments.push(words.to_owned());
        let pattern = regex_lite::Regex::new(hook["files"].as_str().unwrap()).expect("a pattern");
        assert!(pattern.is_match("deep/a_pipeline.py") && !pattern.is_match("a_pipeline.yaml"));
    }
    arguments.dedup();
    assert_eq!(arguments.len(), 1);
    let said = run(kfp_gitops(root.path())
        .args(arguments[0].split_whitespace())
        .arg("newer_pipeline.py"));
    assert_eq!(said.code, 0, "{said:?}");
}
