//! The plan as a file: `apply --plan` carries out exactly that, or refuses and says what moved.

use crate::support::sample::{commit, compiled, pipeline, repository_of, upload_by_hand};
use crate::support::{Said, kfp_gitops, run, write};
use std::path::Path;

fn plan(root: &Path, arguments: &[&str]) -> Said {
    run(kfp_gitops(root)
        .args(["plan", "--out", "plan.json", "--format", "json"])
        .args(arguments))
}

fn apply_plan(root: &Path) -> Said {
    run(kfp_gitops(root).args(["apply", "--plan", "plan.json", "--format", "json"]))
}

/// The failure's list of what moved.
fn moved(said: &Said) -> String {
    assert_eq!(said.code, 2, "{said:?}");
    let report = said.json();
    assert_eq!(report["counts"]["created"], 0, "{said:?}");
    assert_eq!(report["counts"]["updated"], 0, "{said:?}");
    report["error"]["detail"].as_str().expect("what moved").to_owned()
}

#[test]
fn exactly_that_and_only_once() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    let said = plan(root, &["--only", "first"]);
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    let digest = report["plan"]["digest"].as_str().expect("a digest").to_owned();
    let version = report["version_name"].as_str().expect("a version").to_owned();
    let file: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(root.join("plan.json")).expect("the plan"))
            .expect("JSON");
    assert_eq!(file["digest"], digest.as_str());
    assert_eq!(file["pipelines"][0]["action"], "create");

    let done = apply_plan(root);
    assert_eq!(done.code, 0, "{done:?}");
    let report = done.json();
    assert_eq!(report["counts"]["created"], 1, "`--only` is the plan's");
    assert_eq!(report["version_name"], version.as_str());
    assert_eq!(report["pipelines"][0]["version_name"], version.as_str());
    assert_eq!(report["plan"]["digest"], digest.as_str());

    let again = apply_plan(root);
    assert_eq!(again.code, 0, "what this plan did has not moved: {again:?}");
    assert_eq!(again.json()["counts"]["unchanged"], 1);

    let text = run(kfp_gitops(root).args(["apply", "--plan", "plan.json"]));
    assert!(
        text.out
            .contains(&format!("plan {}", &digest["sha256:".len()..][..7])),
        "{text:?}"
    );
}

#[test]
fn what_moved_is_named_and_nothing_is_uploaded() {
    let root = repository_of(&["first", "second"]);
    let root = root.path();
    assert_eq!(plan(root, &[]).code, 0);
    write(root, "first_pipeline.py", &pipeline("first", "edited"));
    let said = apply_plan(root);
    assert!(moved(&said).contains("`first`: its content was"), "{said:?}");
    let skipped = said.json();
    assert_eq!(skipped["pipelines"][0]["action"], "skipped");
    assert_eq!(skipped["pipelines"][0]["reason"], "moved");

    write(root, "first_pipeline.py", &pipeline("first", "a"));
    write(root, "third_pipeline.py", &pipeline("third", "a"));
    assert!(moved(&apply_plan(root)).contains("`third` is not in the plan"));
    std::fs::remove_file(root.join("third_pipeline.py")).expect("removed");
    std::fs::rename(root.join("second_pipeline.py"), root.join("second")).expect("moved");
    assert!(moved(&apply_plan(root)).contains("`second` is in the plan and no longer in the repository"));
    std::fs::rename(root.join("second"), root.join("second_pipeline.py")).expect("moved");

    let other = run(kfp_gitops(root).args([
        "apply",
        "--plan",
        "plan.json",
        "--target",
        "prod",
        "--format",
        "json",
    ]));
    assert!(moved(&other).contains("the target was `none` when planned and is `prod` now"));

    upload_by_hand(root, "first", "by-hand", &compiled(root, "second_pipeline.py"));
    assert!(moved(&apply_plan(root)).contains("`first`: the server did not hold it when planned"));
    assert_eq!(
        run(kfp_gitops(root).args(["list", "all", "--format", "json"])).json()["total"],
        1,
        "nothing but what was uploaded by hand"
    );
}

#[test]
fn a_plan_that_is_none_is_refused() {
    let root = repository_of(&["first"]);
    let root = root.path();
    assert_eq!(plan(root, &[]).code, 0);
    commit(root, "the plan's commit decides nothing");
    let text = std::fs::read_to_string(root.join("plan.json")).expect("the plan");
    write(root, "plan.json", &text.replace("\"create\"", "\"update\""));
    let said = apply_plan(root);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .contains("was changed after it was made")
    );
    let none = run(kfp_gitops(root).args(["apply", "--plan", "none.json"]));
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.out.contains("cannot read the plan"), "{none:?}");
}
