use super::*;
use crate::ir::fixtures::{canonical_of, fixture};
use crate::ir::graph::{Graph, NodeKind};
use crate::ir::{Spec, canonical};
use serde_json::json;

#[test]
fn parameters_tasks_and_images_of_a_compiled_pipeline() {
    let form = canonical_of("qlora-pdf");
    let pipeline = Pipeline::of(&form);
    assert_eq!(pipeline.name, "qlora-pdf");
    assert_eq!(pipeline.sdk_version, "kfp-2.17.0");
    assert!(!pipeline.description.is_empty());
    assert!(
        pipeline
            .root
            .parameters
            .iter()
            .all(|parameter| !parameter.kind.is_empty())
    );
    assert!(
        pipeline
            .root
            .parameters
            .iter()
            .any(|parameter| parameter.default.is_some() && parameter.optional)
    );
    assert!(!pipeline.images().is_empty());
    assert!(!pipeline.packages().is_empty());
    assert!(
        pipeline
            .packages()
            .iter()
            .all(|package| !package.starts_with("kfp=="))
    );
    assert!(pipeline.kubernetes.contains_key("exec-train-qlora"));
    for task in pipeline.root.tasks() {
        assert!(pipeline.component_of(task).is_some(), "{}", task.name);
    }
}

#[test]
fn loops_conditions_and_exit_tasks() {
    let form = canonical_of("exit-handler");
    let pipeline = Pipeline::of(&form);
    let exit = pipeline
        .root
        .tasks()
        .find(|task| task.runs_after_failure)
        .unwrap();
    assert!(
        exit.dependencies
            .iter()
            .any(|task| task.starts_with("exit-handler-"))
    );
    let graph = Graph::of(&pipeline, 1000);
    assert!(graph.nodes.iter().any(|node| node.kind == NodeKind::ExitHandler));
    let condition = graph
        .nodes
        .iter()
        .find(|node| node.kind == NodeKind::Condition)
        .unwrap();
    assert_eq!(condition.detail.as_deref(), Some("work-2.Output == 'x'"));
    let items = graph
        .nodes
        .iter()
        .find(|node| node.kind == NodeKind::Loop)
        .unwrap();
    assert_eq!(items.detail.as_deref(), Some("[\"a\", \"b\"]"));
    assert!(!graph.truncated);
}

#[test]
fn values_are_followed_through_frames() {
    let form = canonical_of("collected");
    let graph = Graph::of(&Pipeline::of(&form), 1000);
    let square = graph.find("for-loop-1/square").unwrap();
    assert_eq!(
        square.inputs,
        [("number".to_owned(), "item of numbers".to_owned())]
    );
    let inner = graph.find("for-loop-3/for-loop-5/square-2").unwrap();
    assert_eq!(inner.inputs, [("number".to_owned(), "item of [3, 4]".to_owned())]);
    let form = canonical_of("one-of");
    let graph = Graph::of(&Pipeline::of(&form), 1000);
    let tails = graph.nodes.iter().find(|node| node.label == "tails").unwrap();
    assert_eq!(
        tails.detail.as_deref(),
        Some("!(flip.Output == 'heads') && flip.Output == 'tails'")
    );
}

#[test]
fn every_fixture_can_be_drawn_and_keeps_its_digest() {
    for name in crate::ir::fixtures::NAMES {
        let spec = fixture(name);
        let form = canonical(&spec).unwrap();
        let graph = Graph::of(&Pipeline::of(&form), 1000);
        assert!(graph.task_count() > 0, "{name}");
        assert!(
            graph.nodes.iter().all(|node| node.kind != NodeKind::Unknown),
            "{name}"
        );
        assert!(
            graph
                .edges
                .iter()
                .all(|edge| graph.nodes[edge.from].parent == graph.nodes[edge.to].parent),
            "{name}"
        );
        let again = Spec::from_text(
            form.pipeline.to_string(),
            form.platform.as_ref().map(|value| value.to_string().into()),
        );
        assert_eq!(spec.digest(), again.digest(), "{name}");
        let paths: std::collections::BTreeSet<_> = graph.nodes.iter().map(|node| &node.path).collect();
        assert_eq!(paths.len(), graph.nodes.len(), "{name}");
    }
}

#[test]
fn nothing_odd_breaks_the_view() {
    for odd in [
        json!(null),
        json!([]),
        json!({"root": []}),
        json!({"root": {"dag": {"tasks": [1]}}, "components": 3, "deploymentSpec": "x"}),
        json!({"root": {"dag": {"tasks": {"a": null, "b": 3, "c": {"inputs": {"parameters": {"x": 3}}, "dependentTasks": [3, "a"]}}}}}),
        json!({"deploymentSpec": {"executors": {"e": null, "f": {"container": {"env": [3], "command": {}}}}}}),
    ] {
        let form = canonical(&Spec::from_text(odd.to_string(), Some("[]".into()))).unwrap();
        let pipeline = Pipeline::of(&form);
        let _ = Graph::of(&pipeline, 100);
        let _ = crate::ir::wiring::environments(&pipeline);
    }
}

#[test]
fn circles_and_explosions_are_cut() {
    let users = |component: &str| {
        let tasks: serde_json::Map<String, Value> = (0..10)
            .map(|n| (format!("t{n}"), json!({"componentRef": {"name": component}})))
            .collect();
        json!({"dag": {"tasks": tasks}})
    };
    let circle = json!({"root": users("a"), "components": {"a": users("b"), "b": users("a")}});
    let chain: serde_json::Map<String, Value> = (0..50)
        .map(|n| (format!("c{n}"), users(&format!("c{}", n + 1))))
        .collect();
    let explosion = json!({"root": users("c0"), "components": chain});
    for spec in [circle, explosion] {
        let form = canonical(&Spec::from_text(spec.to_string(), None)).unwrap();
        let pipeline = Pipeline::of(&form);
        let graph = Graph::of(&pipeline, 500);
        assert!(graph.truncated);
        assert!(graph.nodes.len() <= 500);
        let _ = crate::ir::wiring::environments(&pipeline);
    }
}
