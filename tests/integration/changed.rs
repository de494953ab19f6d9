//! `--changed-since`: what nothing changed for is left out, and said to be.

use crate::support::sample::{apply, commit, pipeline, repository_of};
use crate::support::{Said, kfp_gitops, run, write};
use std::collections::BTreeMap;
use std::path::Path;

/// A repository with `first`, which imports `helper`, and `second`, which does not.
fn repository() -> tempfile::TempDir {
    let root = repository_of(&["first", "second"]);
    let first = format!(
        "from helper import TEXT\n{}",
        pipeline("first", "a").replace("= 'a'", "= TEXT")
    );
    let first = first.replace("= \"a\"", "= TEXT");
    assert!(first.contains("str = TEXT"), "{first}");
    write(root.path(), "first_pipeline.py", &first);
    write(root.path(), "helper.py", "TEXT = 'x'\n");
    write(root.path(), "README.md", "x");
    commit(root.path(), "a helper");
    root
}

fn run_since(root: &Path, command: &str, reference: &str, more: &[&str]) -> Said {
    run(kfp_gitops(root)
        .args([command, "--format", "json", "--changed-since", reference])
        .args(more))
}

/// Each pipeline's name with its action and reason.
fn actions(said: &Said) -> BTreeMap<String, String> {
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    let pipelines = report["pipelines"].as_array().unwrap();
    pipelines
        .iter()
        .map(|one| {
            let word = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            (
                word("name"),
                [word("action"), word("reason")].join(" ").trim().to_owned(),
            )
        })
        .collect()
}

fn expected(first: &str, second: &str) -> BTreeMap<String, String> {
    [("first", first), ("second", second)]
        .map(|(name, word)| (name.to_owned(), word.to_owned()))
        .into()
}

#[test]
fn shared_helpers_new_files_and_pins_count() {
    let root = repository();
    let root = root.path();
    let compiled = |more: &[&str]| actions(&run_since(root, "compile", "HEAD", more));
    assert_eq!(
        compiled(&[]),
        expected("skipped unaffected", "skipped unaffected")
    );
    write(root, "README.md", "y");
    assert_eq!(
        compiled(&[]),
        expected("skipped unaffected", "skipped unaffected")
    );
    write(root, "helper.py", "TEXT = 'y'\n");
    // the same from the cache, without it, and by the file that changed since an older commit
    for more in [&[][..], &[], &["--no-cache"]] {
        assert_eq!(
            compiled(more),
            expected("compiled", "skipped unaffected"),
            "{more:?}"
        );
    }
    commit(root, "a change");
    assert_eq!(
        compiled(&[]),
        expected("skipped unaffected", "skipped unaffected")
    );
    let since = actions(&run_since(root, "check", "HEAD~1", &[]));
    assert_eq!(since["second"], "skipped unaffected");
    assert_ne!(since["first"], "skipped unaffected");
    // a package that would be imported in place of the module, and that git does not know yet
    write(root, "helper/__init__.py", "TEXT = 'z'\n");
    assert_eq!(compiled(&[]), expected("compiled", "skipped unaffected"));
    std::fs::remove_dir_all(root.join("helper")).unwrap();
    // what git ignores may change in silence
    write(root, ".gitignore", "generated.py\n");
    write(root, "generated.py", "X = 1\n");
    let second = format!("import generated\n{}", pipeline("second", "a"));
    write(root, "second_pipeline.py", &second);
    commit(root, "ignored");
    assert_eq!(compiled(&[]), expected("skipped unaffected", "compiled"));
    write(root, "requirements.txt", "kfp==2.17.0\n# a comment\n");
    assert_eq!(compiled(&[]), expected("compiled", "compiled"));
}

#[test]
fn what_nobody_knows_the_inputs_of_is_never_left_out() {
    let root = repository();
    let root = root.path();
    let text = format!("import os\nos.listdir('.')\n{}", pipeline("second", "a"));
    write(root, "second_pipeline.py", &text);
    write(root, "broken_pipeline.py", "raise ValueError('no')\n");
    commit(root, "curious");
    let said = run_since(root, "compile", "HEAD", &[]);
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    let actions: Vec<_> = report["pipelines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["action"])
        .collect();
    for action in ["skipped", "compiled", "failed"] {
        assert!(actions.iter().any(|one| *one == action), "{actions:?}");
    }
}

#[test]
fn apply_leaves_them_alone_and_calls_them_no_orphans() {
    let root = repository();
    let root = root.path();
    apply(root);
    write(root, "helper.py", "TEXT = 'y'\n");
    write(root, "second_pipeline.py", &pipeline("second", "b"));
    commit(root, "both");
    write(root, "helper.py", "TEXT = 'z'\n");
    let plan = run_since(root, "plan", "HEAD", &[]);
    assert_eq!(actions(&plan), expected("update", "skipped unaffected"));
    assert_eq!(plan.json()["plan"]["drift"], serde_json::json!([]));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let done = run_since(root, "apply", "HEAD", &[]);
    assert_eq!(actions(&done), expected("updated", "skipped unaffected"));
    let all = apply(root);
    assert_eq!(all["counts"]["updated"], 1, "the second was still to do");
    let text = run(kfp_gitops(root).args(["plan", "--changed-since", "HEAD"]));
    assert!(
        text.out.contains("nothing it compiles from changed since `HEAD`"),
        "{text:?}"
    );
}

#[test]
fn a_commit_that_git_does_not_know_is_a_mistake() {
    let root = repository();
    for (command, reference) in [
        ("compile", "origin/main"),
        ("plan", "nothing"),
        ("check", "--help"),
    ] {
        let said = run(kfp_gitops(root.path()).args([command, &format!("--changed-since={reference}")]));
        assert_eq!(said.code, 2, "{said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(all.contains("git knows no commit"), "{said:?}");
        assert!(all.contains("fetch"), "{said:?}");
    }
}
