//! What a plan adds to reading the server: digests, differences, pictures and the page.
//!
//! Limits: a difference of 500 tasks within 20 ms, the page of 300 pipelines within 2 s and 10 MB,
//! and linear growth.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kfp_gitops::ir::Spec;
use kfp_gitops::plan::diff::{diff, diff_drawn};
use kfp_gitops::report::diff::Entry;
use kfp_gitops::report::html::{HtmlPipeline, HtmlReport, render};
use serde_json::{Value, json};
use std::hint::black_box;

/// A pipeline of so many tasks, each a lightweight Python component as kfp 2.17.0 writes it.
fn pipeline(tasks: usize, edit: bool) -> Spec {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/ir/evaluation.json"
    ))
    .expect("the fixture is in the repository");
    let base: Value = serde_json::from_str(&text).expect("it is JSON");
    let base = &base["pipeline_spec"];
    let (component, executor) = (
        &base["components"]["comp-score"],
        &base["deploymentSpec"]["executors"]["exec-score"],
    );
    let mut value = json!({"pipelineInfo": {"name": "large"}, "root": {"dag": {"tasks": {}}}, "components": {},
        "deploymentSpec": {"executors": {}}, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0"});
    for number in 0..tasks {
        let name = format!("score-{number}");
        let mut executor = executor.clone();
        if edit && number % 50 == 7 {
            executor["container"]["image"] = json!("python:3.12-slim");
        }
        if edit && number % 50 == 9 {
            let source = executor["container"]["command"]
                .as_array_mut()
                .and_then(|command| command.last_mut());
            if let Some(Value::String(source)) = source {
                source.push_str("# one more line\nprint(1)\n");
            }
        }
        let mut component = component.clone();
        component["executorLabel"] = json!(format!("exec-{name}"));
        let after: Vec<String> = (number > 0)
            .then(|| format!("score-{}", number / 2))
            .into_iter()
            .collect();
        value["root"]["dag"]["tasks"][&name] = json!({"componentRef": {"name": format!("comp-{name}")},
            "cachingOptions": {"enableCache": true}, "dependentTasks": after, "taskInfo": {"name": name}});
        value["components"][format!("comp-{name}")] = component;
        value["deploymentSpec"]["executors"][format!("exec-{name}")] = executor;
    }
    Spec::from_text(value.to_string(), None)
}

fn differences(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(20);
    for tasks in [50, 500, 5_000] {
        let (before, after) = (pipeline(tasks, false), pipeline(tasks, true));
        group.throughput(Throughput::Elements(tasks as u64));
        group.bench_with_input(BenchmarkId::new("edited", tasks), &tasks, |bench, _| {
            bench.iter(|| black_box(diff(Some(&before), &after)));
        });
        group.bench_with_input(BenchmarkId::new("drawn", tasks), &tasks, |bench, _| {
            bench.iter(|| black_box(diff_drawn(Some(&before), &after, 2_000)));
        });
        group.bench_with_input(BenchmarkId::new("digest", tasks), &tasks, |bench, _| {
            bench.iter(|| black_box(after.digest()));
        });
    }
    group.finish();
}

fn page(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("html");
    group.sample_size(10);
    for count in [30, 300] {
        let (before, after) = (pipeline(12, false), pipeline(12, true));
        let (difference, graph) = diff_drawn(Some(&before), &after, 2_000);
        let report = HtmlReport {
            title: "Plan",
            facts: Vec::new(),
            pipelines: (0..count)
                .map(|_| HtmlPipeline {
                    entry: Entry {
                        name: "large",
                        file: None,
                        difference: &difference,
                        graph: Some(&graph),
                    },
                    spec: Some(&after),
                    action: None,
                    url: None,
                    versions: Vec::new(),
                    findings: Vec::new(),
                })
                .collect(),
        };
        group.bench_with_input(BenchmarkId::new("pipelines", count), &count, |bench, _| {
            bench.iter(|| black_box(render(&report)));
        });
    }
    group.finish();
}

criterion_group!(benches, differences, page);
criterion_main!(benches);
