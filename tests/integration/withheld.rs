//! A variable that is set but withheld from a pipeline that reads it: never deployed in silence.

mod ways;

use crate::support::{Said, folder, git, kfp_gitops, run, write};
use serde_json::Value;
use std::path::Path;

const READS: &str = "import os\n\nfrom kfp import dsl\n\n\n@dsl.component(base_image='python:3.11-slim')\n\
                     def say(text: str) -> str:\n    return text\n\n\n@dsl.pipeline(name='reads')\n\
                     def reads():\n    say(text=os.environ.get('IMAGE_TAG', 'latest'))\n";

fn repository() -> tempfile::TempDir {
    let root = folder(&[
        ("reads_pipeline.py", READS),
        (
            "plain_pipeline.py",
            &READS
                .replace("os.environ.get('IMAGE_TAG', 'latest')", "'x'")
                .replace("reads", "plain"),
        ),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    root
}

fn with_tag(root: &Path, arguments: &[&str]) -> Said {
    run(kfp_gitops(root)
        .args(arguments)
        .args(["--format", "json"])
        .env("IMAGE_TAG", "v7"))
}

fn pipeline(report: &Value, name: &str) -> Value {
    report["pipelines"]
        .as_array()
        .expect("pipelines")
        .iter()
        .find(|one| one["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {report}"))
        .clone()
}

#[test]
fn apply_fails_that_file_alone_until_the_variable_is_passed() {
    let root = repository();
    let said = with_tag(root.path(), &["apply"]);
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    let reads = pipeline(&report, "reads");
    assert_eq!(reads["action"], "failed");
    assert_eq!(reads["version_id"], Value::Null);
    let error = &reads["error"];
    assert_eq!(
        (&error["phase"], &error["class"]),
        (&"compile".into(), &"failed".into())
    );
    assert_eq!(error["file"], "reads_pipeline.py");
    assert!(
        error["message"].as_str().unwrap().contains("`IMAGE_TAG`"),
        "{error}"
    );
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("compile: {environment: [IMAGE_TAG]}"), "{hint}");
    assert_eq!(pipeline(&report, "plain")["action"], "created");

    // Not selected, not failed.
    let only = with_tag(root.path(), &["apply", "--only", "plain"]);
    assert_eq!(only.code, 0, "{only:?}");

    // Unset, it is the default that everybody sees.
    let unset = run(kfp_gitops(root.path()).args(["plan", "--format", "json"]));
    assert_eq!(
        pipeline(&unset.json(), "reads")["warnings"],
        serde_json::json!([])
    );

    write(
        root.path(),
        "kfp-gitops.yaml",
        "compile: {environment: [IMAGE_TAG]}\n",
    );
    let passed = with_tag(root.path(), &["apply"]);
    assert_eq!(passed.code, 0, "{passed:?}");
    assert_eq!(pipeline(&passed.json(), "reads")["action"], "created");
    let compiled = with_tag(root.path(), &["compile", "-o", "out"]);
    assert_eq!(compiled.code, 0, "{compiled:?}");
    let yaml = std::fs::read_to_string(root.path().join("out/reads_pipeline.yaml")).expect("compiled");
    assert!(yaml.contains("v7"), "{yaml}");
}

#[test]
fn what_looks_like_a_secret_is_noticed_too_and_passed_where_it_is_named() {
    let root = folder(&[
        (
            "reads_pipeline.py",
            &READS.replace("IMAGE_TAG", "MINIO_SECRET_NAME"),
        ),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    git(root.path(), &["init", "-q"]);
    let apply = |own: &str| {
        run(kfp_gitops(root.path())
            .args(["apply", "--format", "json"])
            .env("MINIO_SECRET_NAME", "minio-of-the-team")
            .env("KFP_GITOPS_TOKEN", own))
    };
    let said = apply("t0ken-of-the-job");
    assert_eq!(said.code, 1, "{said:?}");
    let error = &pipeline(&said.json(), "reads")["error"];
    assert!(
        error["message"].as_str().unwrap().contains("`MINIO_SECRET_NAME`"),
        "{error}"
    );
    write(
        root.path(),
        "kfp-gitops.yaml",
        "compile: {environment: [MINIO_SECRET_NAME, KFP_GITOPS_TOKEN]}\n",
    );
    let said = apply("t0ken-of-the-job");
    assert_eq!(said.code, 0, "{said:?}");
    let graph = run(kfp_gitops(root.path())
        .args(["compile", "-o", "out"])
        .env("MINIO_SECRET_NAME", "minio-of-the-team"));
    assert_eq!(graph.code, 0, "{graph:?}");
    let compiled = std::fs::read_to_string(root.path().join("out/reads_pipeline.yaml")).unwrap();
    assert!(compiled.contains("minio-of-the-team"), "{compiled}");

    // This program's own secrets are nobody's, whatever is named.
    write(
        root.path(),
        "reads_pipeline.py",
        &READS.replace("IMAGE_TAG", "KFP_GITOPS_TOKEN"),
    );
    let said = apply("t0ken-of-the-job");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(!said.out.contains("t0ken-of-the-job"), "{said:?}");
}

#[test]
fn a_secret_that_is_passed_is_in_nothing_that_is_said() {
    let leaks = "import os, warnings\nvalue = os.environ['MINIO_PASSWORD']\nprint('printed ' + value)\n\
                 warnings.warn('warned of ' + value)\nindex = os.environ['INDEX'].split(':')[2].split('@')[0]\n\
                 raise ValueError('raised ' + value + ' and ' + index)\n";
    let root = folder(&[
        ("leaks_pipeline.py", leaks),
        ("requirements.txt", "kfp==2.17.0\n"),
        (
            "kfp-gitops.yaml",
            "compile: {environment: [MINIO_PASSWORD, INDEX]}\n",
        ),
    ]);
    git(root.path(), &["init", "-q"]);
    for format in ["text", "json"] {
        let said = run(kfp_gitops(root.path())
            .args([
                "compile",
                "--format",
                format,
                "--results",
                "results.json",
                "--sarif",
                "out.sarif",
            ])
            .env("MINIO_PASSWORD", "minio-hunter2")
            .env("INDEX", "https://ann:index-hunter3@example.com/simple"));
        assert_eq!(said.code, 1, "{said:?}");
        let files = ["results.json", "out.sarif"]
            .map(|name| std::fs::read_to_string(root.path().join(name)).unwrap_or_default());
        let all = format!("{}{}{}", said.out, said.err, files.concat());
        assert!(all.contains("raised ***") && all.contains("printed ***"), "{all}");
        assert!(!all.contains("hunter"), "{all}");
    }
}

#[test]
fn plan_and_compile_warn() {
    let root = repository();
    for command in ["plan", "compile", "check"] {
        let said = with_tag(root.path(), &[command]);
        assert_eq!(said.code, 0, "{said:?}");
        let warnings = pipeline(&said.json(), "reads")["warnings"].to_string();
        assert!(
            warnings.contains("`IMAGE_TAG`") && warnings.contains("environment: [IMAGE_TAG]"),
            "{command}: {warnings}"
        );
        assert_eq!(pipeline(&said.json(), "plain")["warnings"], serde_json::json!([]));
    }
}
