//! Which files are taken, which are refused, and what is said when there are none.

use crate::support::{folder, git, kfp_gitops, run, write};
use std::os::unix::fs::symlink;

const EMPTY: &str = "";

/// Files the program found, by `compile` with an interpreter that does not exist: discovery comes first.
fn found(folder: &std::path::Path, arguments: &[&str]) -> (i32, serde_json::Value) {
    let said = run(kfp_gitops(folder)
        .args(["compile", "--format", "json", "--python", "/nonexistent/python3"])
        .args(arguments));
    (said.code, said.json())
}

fn files(report: &serde_json::Value) -> Vec<String> {
    let pipelines = report["pipelines"].as_array().expect("pipelines");
    pipelines
        .iter()
        .map(|one| one["file"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_folder_itself_and_nothing_deeper() {
    let root = folder(&[
        ("b_pipeline.py", EMPTY),
        ("a_pipeline.py", EMPTY),
        ("deeper/c_pipeline.py", EMPTY),
        ("helper.py", EMPTY),
        ("a_pipeline.pyc", EMPTY),
    ]);
    assert_eq!(
        files(&found(root.path(), &[]).1),
        ["a_pipeline.py", "b_pipeline.py"]
    );
    let (_, report) = found(
        root.path(),
        &["--include", "**/*_pipeline.py", "--exclude", "deeper"],
    );
    assert_eq!(files(&report), ["a_pipeline.py", "b_pipeline.py"]);
    let (_, report) = found(root.path(), &["--include", "**/*_pipeline.py"]);
    assert_eq!(
        files(&report),
        ["a_pipeline.py", "b_pipeline.py", "deeper/c_pipeline.py"]
    );
    assert_eq!(files(&found(root.path(), &["deeper"]).1), ["c_pipeline.py"]);
}

#[test]
fn gitignore_is_honoured() {
    let root = folder(&[
        (".gitignore", "b_*\n"),
        ("a_pipeline.py", EMPTY),
        ("b_pipeline.py", EMPTY),
    ]);
    assert_eq!(files(&found(root.path(), &[]).1), ["a_pipeline.py"]);
}

#[test]
fn odd_names_are_taken_or_refused_by_name() {
    let root = folder(&[
        ("with space_pipeline.py", EMPTY),
        ("quote'\"_pipeline.py", EMPTY),
        ("-dash_pipeline.py", EMPTY),
        ("line\nbreak_pipeline.py", EMPTY),
    ]);
    let (code, report) = found(root.path(), &[]);
    assert_eq!(code, 2, "no interpreter: {report:#}");
    let names = files(&report);
    assert_eq!(names.len(), 4, "{names:?}");
    let refused = report["pipelines"]
        .as_array()
        .expect("pipelines")
        .iter()
        .find(|one| one["file"] == "line\\nbreak_pipeline.py")
        .expect("named");
    assert_eq!(
        refused["error"]["message"],
        "the file's name holds a control character"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_is_refused_and_not_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let root = folder(&[("a_pipeline.py", EMPTY)]);
    let name = std::ffi::OsStr::from_bytes(b"b\xff_pipeline.py");
    std::fs::write(root.path().join(name), EMPTY).expect("written");
    let (_, report) = found(root.path(), &[]);
    let refused = report["pipelines"]
        .as_array()
        .expect("pipelines")
        .iter()
        .find(|one| one["file"] == "b\u{fffd}_pipeline.py")
        .expect("named");
    assert_eq!(refused["error"]["message"], "the file's name is not UTF-8");
    let (_, report) = found(root.path(), &["--exclude", "b*"]);
    assert_eq!(files(&report), ["a_pipeline.py"]);
}

#[test]
fn links_stay_inside() {
    let outside = folder(&[("x.py", EMPTY)]);
    let root = folder(&[("lib/real.py", EMPTY)]);
    symlink(outside.path().join("x.py"), root.path().join("out_pipeline.py")).expect("link");
    symlink("lib/real.py", root.path().join("in_pipeline.py")).expect("link");
    symlink("nowhere.py", root.path().join("dead_pipeline.py")).expect("link");
    let (_, report) = found(root.path(), &[]);
    let of = |name: &str| {
        report["pipelines"]
            .as_array()
            .expect("pipelines")
            .iter()
            .find(|one| one["file"] == name)
            .expect("named")["error"]["message"]
            .as_str()
            .expect("message")
            .to_owned()
    };
    assert_eq!(of("out_pipeline.py"), "the link leads out of the repository");
    assert!(of("dead_pipeline.py").starts_with("the link leads nowhere"));
    assert!(!of("in_pipeline.py").contains("link"));
}

#[test]
fn nothing_found_says_what_lies_near() {
    let root = folder(&[
        (".gitignore", "old_*\n"),
        ("jobs/a_pipeline.py", EMPTY),
        ("old_pipeline.py", EMPTY),
    ]);
    git(root.path(), &["init", "-q"]);
    git(root.path(), &["add", "-f", "old_pipeline.py"]);
    let said = run(kfp_gitops(root.path()).args(["apply"]));
    assert_eq!(said.code, 0, "{said:?}");
    for part in [
        "no pipeline found",
        "`jobs/a_pipeline.py`",
        "include: [\"**/*_pipeline.py\"]",
        "`old_pipeline.py`",
    ] {
        assert!(said.out.contains(part), "{part} in {}", said.out);
    }
}

#[test]
fn a_named_file_must_exist() {
    let root = folder(&[("notes.txt", "")]);
    for (name, message) in [
        ("gone_pipeline.py", "cannot find `gone_pipeline.py`"),
        ("notes.txt", "does not end in `.py`"),
    ] {
        let said = run(kfp_gitops(root.path()).args(["apply", name]));
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.out.contains(message), "{said:?}");
    }
}

#[test]
fn a_named_file_is_taken_whatever_ignores_it() {
    let root = folder(&[(".gitignore", "*.py\n")]);
    write(root.path(), "odd name.py", EMPTY);
    assert_eq!(files(&found(root.path(), &["odd name.py"]).1), ["odd name.py"]);
    assert_eq!(
        files(&found(root.path(), &["--", "./odd name.py"]).1),
        ["odd name.py"]
    );
}
