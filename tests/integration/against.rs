//! `plan --against`: a commit without a server, and another server than one's own; `diff A B`.

use crate::support::registry::Served;
use crate::support::sample::{apply, commit, compiled, pipeline, repository_of};
use crate::support::{git, kfp_gitops, run, write};
use serde_json::Value;

fn actions(report: &Value) -> Vec<(String, String)> {
    report["pipelines"]
        .as_array()
        .expect("pipelines")
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap_or_default().to_owned(),
                one["action"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, action)| ((*name).to_owned(), (*action).to_owned()))
        .collect()
}

#[test]
fn a_branch_is_compared_without_touching_anything() {
    let root = repository_of(&["first", "second", "third"]);
    let root = root.path();
    // Attributes that would leave files out of an archive.
    write(root, ".gitattributes", "first_pipeline.py export-ignore\n");
    commit(root, "attributes");
    git(root, &["branch", "base"]);
    write(
        root,
        "first_pipeline.py",
        &pipeline("first", "a")
            .replace("(text: str = ", "(words: str = ")
            .replace("text=text", "text=words"),
    );
    std::fs::remove_file(root.join("second_pipeline.py")).expect("removed");
    write(root, "fourth_pipeline.py", &pipeline("fourth", "z"));
    let status = git(root, &["status", "--porcelain"]);
    // An endpoint that nobody answers: it must not be asked.
    let said = run(kfp_gitops(root).args([
        "plan",
        "--against",
        "base",
        "--endpoint",
        "http://127.0.0.1:9",
        "--format",
        "json",
    ]));
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(
        actions(&report),
        owned(&[("first", "update"), ("fourth", "create"), ("third", "unchanged")])
    );
    let difference = &report["pipelines"][0]["difference"];
    assert_eq!(difference["step"], "major", "{difference}");
    assert_eq!(difference["counts"]["interface"], 1, "{difference}");
    assert!(
        report["plan"]["against"]
            .as_str()
            .unwrap_or_default()
            .starts_with("base (")
    );
    assert_eq!(report["plan"]["drift"][0]["name"], "second");
    assert_eq!(git(root, &["status", "--porcelain"]), status);
    assert!(!root.join(".kfp-gitops").exists());

    let text = run(kfp_gitops(root).args(["plan", "--against", "base", "-v", "--expect-no-changes"]));
    assert_eq!(text.code, 6, "{text:?}");
    assert!(text.out.contains("against base ("), "{text:?}");
    assert!(text.out.contains("suggests a major version"), "{text:?}");
}

#[test]
fn an_unknown_commit_and_one_that_does_not_compile() {
    let root = repository_of(&["first"]);
    let root = root.path();
    let said = run(kfp_gitops(root).args(["plan", "--against", "origin/main"]));
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.out.contains("git knows no commit `origin/main`"), "{said:?}");
    assert!(said.out.contains("git fetch --depth=1 origin main"), "{said:?}");
    for reference in ["--output=x", "HEAD --all"] {
        let argument = format!("--against={reference}");
        assert_eq!(run(kfp_gitops(root).args(["plan", &argument])).code, 2);
    }
    write(root, "first_pipeline.py", "boom(\n");
    commit(root, "broken");
    write(root, "first_pipeline.py", &pipeline("first", "a"));
    let said = run(kfp_gitops(root).args(["plan", "--against", "HEAD", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(actions(&report), owned(&[("first", "update")]));
    assert!(
        report["warnings"].to_string().contains("does not compile in"),
        "{said:?}"
    );
}

#[test]
fn files_are_compared() {
    let root = repository_of(&["first"]);
    let root = root.path();
    write(root, "before.yaml", &compiled(root, "first_pipeline.py"));
    write(root, "first_pipeline.py", &pipeline("first", "edited"));
    let equal = run(kfp_gitops(root).args(["diff", "before.yaml", "before.yaml", "--expect-no-changes"]));
    assert_eq!(equal.code, 0, "{equal:?}");
    let said = run(kfp_gitops(root).args([
        "diff",
        "before.yaml",
        "first_pipeline.py",
        "-v",
        "--html",
        "page/diff.html",
    ]));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("-    print(\"a\")\n"), "{said:?}");
    assert!(said.out.contains("+    print(\"edited\")\n"), "{said:?}");
    assert!(said.out.contains("1 changed"), "{said:?}");
    let page = std::fs::read_to_string(root.join("page/diff.html")).expect("the page");
    assert!(
        page.starts_with("<!doctype html>") && page.contains("first"),
        "{page}"
    );
    let code =
        run(kfp_gitops(root).args(["diff", "before.yaml", "first_pipeline.py", "--expect-no-changes"])).code;
    assert_eq!(code, 6);

    write(
        root,
        "v1.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {}\n",
    );
    let said = run(kfp_gitops(root).args(["diff", "v1.yaml", "before.yaml", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["pipelines"][0]["difference"]["status"], "unreadable");
    let said = run(kfp_gitops(root).args(["diff", "before.yaml", "v1.yaml"]));
    assert_eq!(said.code, 2, "{said:?}");
    for missing in ["none.yaml", "none.py", "requirements.txt"] {
        assert_eq!(
            run(kfp_gitops(root).args(["diff", "before.yaml", missing])).code,
            2,
            "{missing}"
        );
    }
}

#[test]
fn graphs_of_sources_and_compiled_files() {
    let root = repository_of(&["first"]);
    let root = root.path();
    write(root, "first.yaml", &compiled(root, "first_pipeline.py"));
    let of = |pipeline: &str, form: &str| {
        let said = run(kfp_gitops(root).args(["graph", pipeline, "--as", form]));
        assert_eq!(said.code, 0, "{said:?}");
        said.out
    };
    assert!(of("first.yaml", "mermaid").starts_with("flowchart"));
    assert_eq!(of("first.yaml", "mermaid"), of("first_pipeline.py", "mermaid"));
    assert!(of("first.yaml", "svg").starts_with("<svg"));
    let json: Value = serde_json::from_str(&of("first.yaml", "json")).expect("JSON");
    assert_eq!(json["graph"]["nodes"][0]["name"], "say");
    assert_eq!(run(kfp_gitops(root).args(["graph", "none.py"])).code, 2);
}

#[test]
fn another_server_is_compared_and_never_written_to() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    // The own registry holds both as they are; the other holds the first, and another second.
    apply(root);
    let other = tempfile::tempdir().expect("a folder");
    let served = Served::start(&other.path().join("data"));
    let deploy = |arguments: &[&str]| {
        let said = run(kfp_gitops(root)
            .args(["apply", "--endpoint", &served.url])
            .args(arguments));
        assert_eq!(said.code, 0, "{said:?}");
    };
    write(root, "second_pipeline.py", &pipeline("second", "other"));
    deploy(&[]);
    write(root, "second_pipeline.py", &pipeline("second", "a"));
    let compare = |side: &str| {
        let said = run(kfp_gitops(root).args(["plan", "--against", side, "--format", "json"]));
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    };
    assert_eq!(
        actions(&run(kfp_gitops(root).args(["plan", "--format", "json"])).json()),
        owned(&[("first", "unchanged"), ("second", "unchanged")])
    );
    write(
        root,
        "staging.yaml",
        &format!("endpoint: {}\ntarget: staging\n", served.url),
    );
    for side in [
        format!("endpoint:{}", served.url),
        "config:staging.yaml".to_owned(),
    ] {
        let report = compare(&side);
        assert_eq!(
            actions(&report),
            owned(&[("first", "unchanged"), ("second", "update")]),
            "{side}"
        );
        assert_eq!(report["endpoint"], served.url.as_str(), "{side}");
        assert_eq!(report["plan"]["digest"], Value::Null, "nothing to carry out");
        let notes = report["notes"].to_string();
        assert!(notes.contains("this is not what `apply` would do"), "{notes}");
    }
    assert_eq!(compare("config:staging.yaml")["target"], "staging");

    write(root, "nothing.yaml", "target: staging\n");
    for (side, why) in [
        ("config:nothing.yaml", "names no server"),
        ("config:absent.yaml", "absent.yaml"),
        ("endpoint:", "address"),
    ] {
        let said = run(kfp_gitops(root).args(["plan", "--against", side, "--format", "json"]));
        assert_eq!(said.code, 2, "{side}: {said:?}");
        let error = said.json()["error"].to_string();
        assert!(error.contains(why), "{side}: {error}");
    }
}
