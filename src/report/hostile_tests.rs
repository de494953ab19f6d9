//! Specs that want to harm: every face stays within its size, ends, and shows what is hidden.

use super::text::Options;
use super::{Action, PipelineReport, PlanReport, Report, Specs, json, markdown_comment, page, summary, text};
use crate::ir::Spec;
use crate::ir::fixtures::value;
use crate::plan::diff::diff;
use serde_json::{Map, Value, json};

fn report(before: &Value, after: &Value) -> Report {
    let (before, after) = (
        Spec::from_server(before).unwrap(),
        Spec::from_server(after).unwrap(),
    );
    let mut report = Report::new("plan");
    report.plan = Some(PlanReport::default());
    report.pipelines.push(PipelineReport {
        name: Some("hostile".to_owned()),
        file: Some("hostile_pipeline.py".to_owned()),
        difference: Some(Box::new(diff(Some(&before), &after))),
        specs: Some(Specs {
            before: Some(before),
            after,
        }),
        ..PipelineReport::new(Action::Update)
    });
    report.settle();
    report
}

/// Every face within what its reader takes; the faces as texts.
fn faces(report: &Report, what: &str) -> Vec<String> {
    let comment = markdown_comment::comment(report);
    assert!(
        comment.len() <= markdown_comment::COMMENT_LIMIT,
        "{what}: {}",
        comment.len()
    );
    let summary = summary::summary(report);
    assert!(
        summary.len() <= summary::SUMMARY_LIMIT,
        "{what}: {}",
        summary.len()
    );
    let page = page::render(report);
    assert!(page.len() < 10 << 20, "{what}: {}", page.len());
    let shown = text::render(report, Options::default());
    assert!(shown.len() < 100_000, "{what}: {}", shown.len());
    let machine = json::render(report).unwrap();
    assert!(machine.len() < 20 << 20, "{what}: {}", machine.len());
    vec![comment, summary, page, shown]
}

#[test]
fn very_many_tasks_and_parameters() {
    let many = if cfg!(debug_assertions) { 5_000 } else { 100_000 };
    let mut tasks = Map::new();
    let mut parameters = Map::new();
    for number in 0..many {
        tasks.insert(format!("t-{number}"), json!({"componentRef": {"name": "comp-t"}}));
        parameters.insert(
            format!("p-{number}"),
            json!({"parameterType": "STRING", "description": "x".repeat(100)}),
        );
    }
    let after = json!({"pipelineInfo": {"name": "many"}, "components": {"comp-t": {"executorLabel": "e"}},
        "root": {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": parameters}}});
    let before = json!({"pipelineInfo": {"name": "many"}, "root": {"dag": {}}});
    for (before, after) in [(&before, &after), (&after, &before)] {
        let faces = faces(&report(before, after), "many");
        assert!(faces[0].contains("Callers break"), "{}", faces[0]);
    }
}

#[test]
fn very_long_texts() {
    let size = if cfg!(debug_assertions) {
        400 << 10
    } else {
        10 << 20
    };
    for long in ["x".repeat(size), "x y\n".repeat(size / 4)] {
        let mut after = value("packages");
        let pipeline = &mut after["pipeline_spec"];
        pipeline["pipelineInfo"]["description"] = json!(long);
        pipeline["root"]["inputDefinitions"] = json!({"parameters": {&long[..200_000]: {
            "parameterType": long, "defaultValue": long, "description": long}}});
        for executor in pipeline["deploymentSpec"]["executors"]
            .as_object_mut()
            .unwrap()
            .values_mut()
        {
            executor["container"]["image"] = json!(long);
            let source = executor["container"]["command"]
                .as_array_mut()
                .and_then(|list| list.last_mut());
            *source.unwrap() = json!(format!("def f():\n    return '''{long}'''\n"));
        }
        faces(&report(&value("packages"), &after), "long");
        faces(&report(&after, &value("packages")), "long, gone");
    }
}

#[test]
fn what_is_hidden_is_shown_escaped() {
    let hidden = "pay\u{202e}load\u{200b}\u{2066}\u{feff}\u{1b}[31m";
    let mut after = value("packages");
    let pipeline = &mut after["pipeline_spec"];
    pipeline["pipelineInfo"]["description"] = json!(hidden);
    let tasks = pipeline["root"]["dag"]["tasks"].as_object_mut().unwrap();
    let task = tasks.remove("one").unwrap();
    tasks.insert(hidden.to_owned(), task);
    tasks[hidden]["taskInfo"]["name"] = json!(hidden);
    pipeline["root"]["inputDefinitions"] = json!({"parameters": {hidden: {"parameterType": "STRING"}}});
    for face in faces(&report(&value("packages"), &after), "hidden") {
        for character in ['\u{202e}', '\u{200b}', '\u{2066}', '\u{feff}', '\u{1b}'] {
            assert!(!face.contains(character), "{character:?} in {face}");
        }
        assert!(face.contains("202e"), "{face}");
    }
}

#[test]
fn what_is_newer_than_this_program_is_compared_all_the_same() {
    let mut after = value("packages");
    let pipeline = &mut after["pipeline_spec"];
    pipeline["schemaVersion"] = json!("9.1.0");
    pipeline["sdkVersion"] = json!("kfp-9.0.0");
    pipeline["root"]["dag"]["tasks"]["one"]["quantumPolicy"] = json!({"qubits": 3});
    pipeline["deploymentSpec"]["executors"]["exec-new"] = json!({"wasm": {"module": "x.wasm"}});
    for (from, to) in [(&value("packages"), &after), (&after, &value("packages"))] {
        let report = report(from, to);
        let difference = report.pipelines[0].difference.as_ref().unwrap();
        let text = serde_json::to_string(difference).unwrap();
        assert!(text.contains("quantumPolicy") && text.contains("9.1.0"), "{text}");
        faces(&report, "newer");
    }
}
