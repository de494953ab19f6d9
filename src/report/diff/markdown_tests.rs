//! What the Markdown of differences says, and what it keeps out.

use super::*;
use crate::ir::Spec;
use crate::ir::fixtures::{NAMES, fixture, value};
use crate::plan::diff::{diff, diff_drawn};

fn all_against(name: &str) -> Vec<(String, crate::plan::diff::Difference, Graph)> {
    NAMES
        .iter()
        .map(|other| {
            let (difference, graph) = diff_drawn(Some(&fixture(name)), &fixture(other), 1000);
            ((*other).to_owned(), difference, graph)
        })
        .collect()
}

#[test]
fn many_pipelines_stay_within_the_budget() {
    let owned = all_against("evaluation");
    let many: Vec<Entry<'_>> = owned
        .iter()
        .cycle()
        .take(300)
        .map(|(name, difference, graph)| Entry {
            name,
            file: Some("a_pipeline.py"),
            difference,
            graph: Some(graph),
        })
        .collect();
    for budget in [1_000, 5_000, BUDGET] {
        let text = folds(&many, budget);
        assert!(text.len() <= budget, "{} > {budget}", text.len());
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
        assert!(text.contains("Too long to show here"), "{budget}");
    }
    assert!(table(&many, 100).lines().count() < 110);
}

#[test]
fn what_breaks_callers_is_said_in_the_open() {
    let mut changed = value("evaluation");
    let parameters = changed["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
        .as_object_mut()
        .unwrap();
    let first = parameters.keys().next().unwrap().clone();
    parameters.remove(&first);
    let difference = diff(
        Some(&fixture("evaluation")),
        &Spec::from_server(&changed).unwrap(),
    );
    let entry = Entry {
        name: "evaluation",
        file: None,
        difference: &difference,
        graph: None,
    };
    let text = breaking(&[entry]);
    assert!(text.starts_with("> [!WARNING]\n"), "{text}");
    assert!(
        text.contains(&format!("`evaluation`: parameter `{first}` removed")),
        "{text}"
    );
    assert_eq!(count_line(&[entry]), "0 to create, 1 to update, 0 unchanged");
    assert!(table(&[entry], 10).contains("| major |"));
    let same = diff(Some(&fixture("venv")), &fixture("venv"));
    assert_eq!(
        breaking(&[Entry {
            name: "venv",
            file: None,
            difference: &same,
            graph: None
        }]),
        ""
    );
}

#[test]
fn another_sdk_is_one_line_for_all() {
    let difference = |name: &str| {
        let text = value(name)
            .to_string()
            .replace("kfp-2.17.0", "kfp-2.16.1")
            .replace("kfp==2.17.0", "kfp==2.16.1");
        let older = Spec::from_server(&serde_json::from_str(&text).unwrap()).unwrap();
        diff(Some(&older), &fixture(name))
    };
    let owned: Vec<_> = ["packages", "venv", "evaluation"].map(difference).into();
    let entries: Vec<Entry<'_>> = owned
        .iter()
        .cycle()
        .take(30)
        .map(|difference| Entry {
            name: &difference.pipeline,
            file: None,
            difference,
            graph: None,
        })
        .collect();
    let text = folds(&entries, BUDGET);
    assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 1, "{text}");
    assert!(
        text.starts_with("Only the SDK changed in 30 pipelines (`kfp-2.16.1` → `kfp-2.17.0`): `"),
        "{text}"
    );
    assert!(text.contains(" and 20 more."), "{text}");
}

#[test]
fn code_is_shown_as_a_difference() {
    let text = value("packages")
        .to_string()
        .replace("def one():", "def one(x=1):");
    let changed = Spec::from_server(&serde_json::from_str(&text).unwrap()).unwrap();
    let (difference, graph) = diff_drawn(Some(&fixture("packages")), &changed, 1000);
    let entry = Entry {
        name: "packages",
        file: None,
        difference: &difference,
        graph: Some(&graph),
    };
    let text = folds(&[entry], BUDGET);
    assert!(text.contains("```diff\n@@ "), "{text}");
    assert!(text.contains("\n-def one():\n+def one(x=1):\n"), "{text}");
    assert!(
        text.contains("```mermaid\nflowchart TD\n") && text.contains("\"~ one\""),
        "{text}"
    );
}

#[test]
fn nothing_from_a_spec_becomes_markup() {
    let evil = "`]</summary><script>alert(1)</script> @everyone ![x](http://x) \\u202e | ~~~ ```";
    let mut changed = value("packages");
    changed["pipeline_spec"]["pipelineInfo"]["name"] = evil.into();
    changed["pipeline_spec"]["pipelineInfo"]["description"] = format!("{evil}\n```\n<script>").into();
    let tasks = changed["pipeline_spec"]["root"]["dag"]["tasks"]
        .as_object_mut()
        .unwrap();
    let task = tasks.remove("one").unwrap();
    tasks.insert(evil.to_owned(), task);
    let (difference, graph) = diff_drawn(
        Some(&fixture("packages")),
        &Spec::from_server(&changed).unwrap(),
        1000,
    );
    let entry = Entry {
        name: evil,
        file: Some(evil),
        difference: &difference,
        graph: Some(&graph),
    };
    let text = format!(
        "{}{}{}",
        table(&[entry], 10),
        breaking(&[entry]),
        folds(&[entry], BUDGET)
    );
    // Outside of code, and inside HTML, none of it is left.
    let mut fence = String::new();
    for line in text.lines() {
        let ticks = line.chars().take_while(|character| *character == '`').count();
        if fence.is_empty() && ticks >= 3 {
            fence = "`".repeat(ticks);
        } else if !fence.is_empty() && line == fence {
            fence.clear();
        } else if fence.is_empty() && !line.contains('`') {
            assert!(
                !line.contains("<script") && !line.contains("@everyone") && !line.contains("!["),
                "{line}"
            );
        }
    }
    assert_eq!(fence, "", "a block is left open");
    assert_eq!(text.matches("<details>").count(), 1);
    assert!(!text.contains('\u{202e}'));
}
