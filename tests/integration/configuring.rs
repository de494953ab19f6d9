//! Settings from flags, environment and file; the commands that start a repository off.

use crate::support::{Said, folder, git, kfp_gitops, run, sample, write};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;

fn repository() -> tempfile::TempDir {
    let root = folder(&[
        ("one_pipeline.py", &sample::pipeline("one", "a")),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    root
}

fn plan(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    run(kfp_gitops(root)
        .args(["plan", "--format", "json"])
        .args(arguments)
        .envs(variables.iter().copied()))
}

fn error(said: &Said) -> Value {
    assert_eq!(said.code, 2, "{said:?}");
    said.json()["error"].clone()
}

#[test]
fn a_mistake_in_the_file_is_shown_where_it_is() {
    let root = repository();
    for (text, line, message, hint) in [
        (
            "project: ml\ncompile:\n  sandbx: auto\n",
            3,
            "unknown field `sandbx`",
            "did you mean `sandbox`?",
        ),
        (
            "compile:\n  sandbox: sometimes\n",
            2,
            "unknown variant `sometimes`",
            "known keys here: require, auto, off",
        ),
        ("apply: {concurrency: many}\n", 1, "invalid type", "schema"),
        ("project: ml: b\n", 1, "", "schema"),
    ] {
        write(root.path(), "kfp-gitops.yaml", text);
        let error = error(&plan(root.path(), &[], &[]));
        assert_eq!(
            (&error["phase"], &error["file"], &error["line"]),
            (&"settings".into(), &"kfp-gitops.yaml".into(), &line.into()),
            "{error:#}"
        );
        assert!(error["message"].as_str().unwrap().contains(message), "{error:#}");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{error:#}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_done() {
    let root = repository();
    for (arguments, part) in [
        (
            &["--config", "nowhere.yaml"][..],
            "no configuration file at `nowhere.yaml`",
        ),
        (
            &["--endpoint", "ftp://server"],
            "the endpoint from --endpoint is no address",
        ),
        (&["--version-name", "v{nonsense}"], "nonsense"),
        (&["--concurrency", "0"], "concurrency"),
        (&["--jobs", "0"], "jobs"),
        (&["--include", "["], "["),
    ] {
        let said = plan(root.path(), arguments, &[]);
        let error = error(&said);
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{arguments:?}: {error:#}"
        );
        assert!(
            error["hint"].is_string(),
            "{arguments:?} names no next step: {error:#}"
        );
    }
    let unknown = run(kfp_gitops(root.path()).args(["plan", "--endpiont", "embedded"]));
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.err.contains("--endpoint"), "{unknown:?}");
    assert!(!root.path().join(".kfp-gitops").exists(), "something was done");
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let root = repository();
    let name = |arguments: &[&str], variables: &[(&str, &str)]| {
        let said = plan(root.path(), arguments, variables);
        assert_eq!(said.code, 0, "{said:?}");
        said.json()["version_name"].clone()
    };
    write(root.path(), "kfp-gitops.yaml", "naming: {version: from-file}\n");
    let variable = ("KFP_GITOPS_VERSION_NAME", "from-environment");
    assert_eq!(name(&[], &[]), "from-file");
    assert_eq!(name(&[], &[variable]), "from-environment");
    assert_eq!(name(&["--version-name", "from-flag"], &[variable]), "from-flag");
    // What an action's input leaves out arrives as an empty variable.
    assert_eq!(name(&[], &[("KFP_GITOPS_VERSION_NAME", "")]), "from-file");
    // A file nearer to PATH is the one that is read.
    write(root.path(), "team/one_pipeline.py", &sample::pipeline("one", "a"));
    write(
        root.path(),
        "team/kfp-gitops.yaml",
        "naming: {version: from-the-nearest}\n",
    );
    assert_eq!(name(&["team"], &[]), "from-the-nearest");
}

#[test]
fn kfps_own_variable_names_the_server() {
    let root = repository();
    for (given, endpoint) in [
        (
            "ml-pipeline.nowhere.svc:8888",
            "http://ml-pipeline.nowhere.svc:8888",
        ),
        ("localhost:9", "http://localhost:9"),
        ("kfp.invalid", "https://kfp.invalid"),
    ] {
        let said = plan(
            root.path(),
            &["--timeout", "1"],
            &[("KF_PIPELINES_ENDPOINT", given)],
        );
        assert_eq!(said.code, 75, "{said:?}");
        let report = said.json();
        assert_eq!(report["endpoint"], endpoint);
        assert!(report["notes"].to_string().contains("scheme"), "{report:#}");
    }
}

#[test]
fn a_start_is_written_for_the_forge_and_nothing_is_overwritten() {
    for (remote, workflow, status) in [
        (
            "https://gitea.example.com/ml/pipelines.git",
            ".gitea",
            "contents: write",
        ),
        ("git@github.com:ml/pipelines.git", ".github", "statuses: write"),
    ] {
        let root = repository();
        git(root.path(), &["remote", "add", "origin", remote]);
        let said = run(kfp_gitops(root.path()).arg("init"));
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("+ create     one"), "{said:?}");
        assert!(said.out.contains("1 to create"), "{said:?}");
        let path = format!("{workflow}/workflows/kfp-gitops.yaml");
        let text = std::fs::read_to_string(root.path().join(&path)).unwrap();
        assert!(text.contains(status), "{text}");
        // What was written is a configuration, and says nothing yet.
        let plan = plan(root.path(), &[], &[]);
        assert_eq!(plan.json()["counts"]["created"], 1, "{plan:?}");

        write(root.path(), &path, "mine\n");
        let again = run(kfp_gitops(root.path()).arg("init"));
        assert_eq!(again.code, 0, "{again:?}");
        assert!(again.out.contains(&format!("kept `{path}`")), "{again:?}");
        assert_eq!(
            std::fs::read_to_string(root.path().join(&path)).unwrap(),
            "mine\n"
        );
    }
}

#[test]
fn every_line_of_the_commented_configuration_is_one() {
    let root = repository();
    let said = run(kfp_gitops(root.path()).arg("init"));
    assert_eq!(said.code, 0, "{said:?}");
    let path = root.path().join("kfp-gitops.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let uncommented: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(code) if code.starts_with("  ") || code.split(' ').next().unwrap_or("").ends_with(':') => {
                format!("{code}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(uncommented.contains("\ncompile:\n"), "{uncommented}");
    std::fs::write(&path, &uncommented).unwrap();
    let said = run(kfp_gitops(root.path()).args(["compile", "--format", "json"]));
    assert_eq!(said.code, 0, "{uncommented}\n{said:?}");
}

#[test]
fn completions_and_a_reader_that_goes_away() {
    let root = repository();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = run(kfp_gitops(root.path()).args(["completions", shell]));
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("all-or-nothing"), "{shell}");
    }
    let mut child = kfp_gitops(root.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!said.contains("panicked"), "{status}: {said}");
}
