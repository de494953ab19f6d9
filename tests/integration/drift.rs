//! Orphans, uploads by hand, renames: listed, never touched.

use crate::support::sample::{apply, compiled, pipeline, repository_of, upload_by_hand};
use crate::support::{Said, git, kfp_gitops, run, write};
use serde_json::Value;
use std::path::Path;

fn check(root: &Path, arguments: &[&str]) -> Said {
    run(kfp_gitops(root)
        .args(["plan", "--expect-no-changes", "--format", "json"])
        .args(arguments))
}

fn drift(said: &Said) -> Vec<(String, String)> {
    said.json()["plan"]["drift"]
        .as_array()
        .expect("drift")
        .iter()
        .map(|one| (text(&one["kind"]), text(&one["name"])))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned()))
        .collect()
}

#[test]
fn each_kind_is_told() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    let said = check(root, &[]);
    assert_eq!(said.code, 6, "{said:?}");
    assert_eq!(
        drift(&said),
        pairs(&[("missing", "first"), ("missing", "second")])
    );

    apply(root);
    let said = check(root, &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(drift(&said), []);

    write(root, "first_pipeline.py", &pipeline("first", "edited"));
    upload_by_hand(root, "second", "by-hand", &compiled(root, "first_pipeline.py"));
    let said = check(root, &[]);
    assert_eq!(said.code, 6, "{said:?}");
    assert_eq!(
        drift(&said),
        pairs(&[("pending", "first"), ("by-hand", "second")])
    );
    let report = said.json();
    assert_eq!(report["plan"]["drift"][1]["version_name"], "by-hand");
    assert!(report["plan"]["drift"][1]["created_at"].is_string());
    let first = &report["plan"]["drift"][0];
    assert!(
        first["author"].as_str().is_some_and(|name| !name.is_empty()),
        "{first}"
    );
    // A server keeps no name of who uploaded something: what the version says of itself is all there is.
    assert_eq!(report["plan"]["drift"][1]["said"], "tried out by ann");
    let shown = run(kfp_gitops(root).args(["plan", "--expect-no-changes"]));
    assert_eq!(shown.code, 6, "{shown:?}");
    assert!(
        shown
            .out
            .contains("; drift: 1 changed by hand, 1 not deployed as in the repository in "),
        "{shown:?}"
    );
    let shown = run(kfp_gitops(root).args(["plan", "--html", "page.html"]));
    let page = std::fs::read_to_string(root.join("page.html")).expect("the page");
    // The versions that are known: the one by hand, and ours before it.
    for version in [
        r#""name":"by-hand""#,
        r#""by":"tried out by ann""#,
        r#""by":"ml/pipelines""#,
    ] {
        assert!(page.contains(version), "{version} in {page}");
    }
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(
        shown
            .out
            .contains("drift: `second` was changed by hand: version `by-hand` was uploaded at 20")
            && shown.out.contains("without a mark; it says `tried out by ann`"),
        "{shown:?}"
    );
    assert!(
        !shown.out.contains("drift: `first`"),
        "a pending change is the plan: {shown:?}"
    );
}

#[test]
fn an_orphan_is_listed_and_kept_and_offered_as_a_rename() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    apply(root);
    // Uploaded by hand, so nobody's orphan.
    upload_by_hand(root, "unmanaged", "by-hand", &compiled(root, "first_pipeline.py"));
    std::fs::remove_file(root.join("second_pipeline.py")).expect("removed");
    let said = check(root, &[]);
    assert_eq!(said.code, 6, "{said:?}");
    assert_eq!(drift(&said), pairs(&[("orphan", "second")]));
    assert_eq!(said.json()["plan"]["drift"][0]["file"], "second_pipeline.py");

    // Of a file that does not compile, nothing is said; nor of one that `--only` leaves out.
    write(root, "second_pipeline.py", "boom(\n");
    assert_eq!(drift(&check(root, &[])), []);
    write(root, "second_pipeline.py", &pipeline("second", "a"));
    assert_eq!(drift(&check(root, &["--only", "first"])), []);

    git(root, &["mv", "second_pipeline.py", "renamed_pipeline.py"]);
    write(
        root,
        "renamed_pipeline.py",
        &pipeline("second", "a").replace("name='second'", "name='renamed'"),
    );
    let said = run(kfp_gitops(root).args(["plan", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(drift(&said), pairs(&[("orphan", "second")]));
    let rename = said.json()["plan"]["drift"][0]["rename"].clone();
    assert_eq!(rename["name"], "renamed");
    write(root, "kfp-gitops.yaml", &format!("{}\n", text(&rename["config"])));
    let adopted = run(kfp_gitops(root).args(["plan", "--format", "json"]));
    assert_eq!(drift(&adopted), [], "{adopted:?}");
    let report = adopted.json();
    assert_eq!(report["counts"]["created"], 0, "{adopted:?}");
    assert_eq!(report["counts"]["updated"], 1, "the name in the spec is new");
    std::fs::remove_file(root.join("kfp-gitops.yaml")).expect("removed");

    let report = apply(root);
    assert_eq!(report["plan"]["drift"][0]["kind"], "orphan");
    assert_eq!(report["exit_code"], 0, "an orphan fails no apply");
    assert_eq!(
        run(kfp_gitops(root).args(["list", "all", "--format", "json"])).json()["total"],
        4,
        "nothing was deleted"
    );
}

#[test]
fn pipelines_of_other_projects_are_no_orphans() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    apply(root);
    for line in ["project: other\n", "target: prod\n"] {
        write(root, "kfp-gitops.yaml", line);
        std::fs::create_dir_all(root.join("part")).expect("a folder");
        let said = run(kfp_gitops(root).args([
            "plan",
            "part",
            "--config",
            "kfp-gitops.yaml",
            "--expect-no-changes",
            "--format",
            "json",
        ]));
        assert_eq!(drift(&said), [], "{line}: {said:?}");
    }
}

#[test]
fn a_workflow_of_version_1_is_an_update_with_a_difference_of_text() {
    let root = repository_of(&["first"]);
    let root = root.path();
    apply(root);
    upload_by_hand(
        root,
        "first",
        "argo",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: x-}\nspec: {entrypoint: x}\n",
    );
    let said = run(kfp_gitops(root).args(["plan", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
    let one = &said.json()["pipelines"][0];
    assert_eq!(one["action"], "update", "{said:?}");
    assert_eq!(one["difference"]["status"], "unreadable");
    assert!(
        text(&one["difference"]["reason"]).contains("v1 (Argo) workflow"),
        "{one}"
    );
    assert!(
        text(&one["difference"]["changes"][0]["patch"]).contains("-"),
        "{one}"
    );
    assert!(one["notes"].to_string().contains("cannot be compared"), "{one}");
}
