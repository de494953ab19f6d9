//! What a plan adds to reading the server: digests, differences, pictures and the page.
//!
//! Limits: a difference of 500 tasks within 20 ms; a plan of 1 000 unchanged pipelines within 150 ms beyond
//! reading and hashing them; the page of 300 pipelines within 2 s and 10 MB; and linear growth, which the
//! series show.
#![allow(missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kfp_gitops::compile::Compiled;
use kfp_gitops::discover::Source;
use kfp_gitops::ids::{PipelineId, PipelineName, SourcePath, VersionId, VersionName};
use kfp_gitops::ir::Spec;
use kfp_gitops::plan::decide::{Held, Options, decide, identify_all};
use kfp_gitops::plan::diff::{diff, diff_drawn};
use kfp_gitops::plan::identity::Rules;
use kfp_gitops::plan::mark::Mark;
use kfp_gitops::plan::{RemotePipeline, RemoteVersion};
use kfp_gitops::report::diff::Entry;
use kfp_gitops::report::html::{HtmlPipeline, HtmlReport, render};
use kfp_gitops::report::{Action, PipelineReport, Report, json as report_json, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
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

/// The same spec, of which nobody has asked the digest yet.
fn fresh(spec: &Spec) -> Spec {
    Spec::from_text(spec.pipeline_text(), None)
}

fn differences(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(20);
    for tasks in [50, 500, 5_000] {
        let (before, after) = (pipeline(tasks, false), pipeline(tasks, true));
        group.throughput(Throughput::Elements(tasks as u64));
        group.bench_with_input(BenchmarkId::new("edited", tasks), &tasks, |bench, _| {
            bench.iter_batched(
                || (fresh(&before), fresh(&after)),
                |(before, after)| black_box(diff(Some(&before), &after)),
                BatchSize::LargeInput,
            );
        });
        group.bench_with_input(BenchmarkId::new("drawn", tasks), &tasks, |bench, _| {
            bench.iter_batched(
                || (fresh(&before), fresh(&after)),
                |(before, after)| black_box(diff_drawn(Some(&before), &after, 2_000)),
                BatchSize::LargeInput,
            );
        });
        group.bench_with_input(BenchmarkId::new("digest", tasks), &tasks, |bench, _| {
            bench.iter_batched(
                || fresh(&after),
                |after| black_box(after.digest()),
                BatchSize::LargeInput,
            );
        });
        // As in a plan, which has asked for the digests before.
        let known = (before.digest(), after.digest());
        assert_ne!(known.0, known.1);
        group.bench_with_input(BenchmarkId::new("planned", tasks), &tasks, |bench, _| {
            bench.iter(|| black_box(diff(Some(&before), &after)));
        });
    }
    group.finish();
}

fn page(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("html");
    group.sample_size(10);
    for count in [30, 300, 3_000] {
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
        let size = render(&report).len();
        assert!(
            size < (10 << 20) * (count / 300).max(1),
            "{count} pipelines: {size} bytes"
        );
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("pipelines", count), &count, |bench, _| {
            bench.iter(|| black_box(render(&report)));
        });
    }
    group.finish();
}

/// A compiled pipeline under another name each.
fn compiled(number: usize, spec: &Spec) -> Compiled {
    let name = format!("pipeline-{number}");
    Compiled {
        source: Source {
            path: SourcePath::new(format!("{name}_pipeline.py")),
            absolute: name.clone().into(),
            function: None,
            parameters: BTreeMap::new(),
        },
        function: format!("pipeline_{number}"),
        one_of_several: false,
        name: PipelineName::new(name),
        description: String::new(),
        spec: spec.clone(),
        yaml: None,
    }
}

/// The plan of a repository in which nothing changed: who is who, what to do, and telling it.
fn unchanged(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10);
    let spec = pipeline(12, false);
    let digest = spec.digest();
    let rules = Rules {
        naming: "spec".to_owned(),
        ..Rules::default()
    };
    for count in [100, 1_000, 10_000] {
        let pipelines: Vec<Compiled> = (0..count).map(|number| compiled(number, &spec)).collect();
        let remote: Vec<RemotePipeline> = (0..count)
            .map(|number| RemotePipeline {
                id: PipelineId::new(format!("id-{number}")),
                name: PipelineName::new(format!("pipeline-{number}")),
                mark: Some(Mark::default()),
            })
            .collect();
        let held: BTreeMap<PipelineId, Held> = remote
            .iter()
            .map(|pipeline| {
                let newest = RemoteVersion {
                    id: VersionId::new("v"),
                    name: VersionName::new("v20260213-143022"),
                    digest: Some(digest),
                    mark: Some(Mark::default()),
                    created_at: None,
                    said: None,
                    spec: None,
                    unreadable: None,
                };
                let held = Held {
                    newest: Some(newest),
                    older: Vec::new(),
                };
                (pipeline.id.clone(), held)
            })
            .collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("hashing-alone", count), &count, |bench, _| {
            bench.iter(|| {
                for one in &pipelines {
                    black_box(fresh(&one.spec).digest());
                }
            });
        });
        group.bench_with_input(BenchmarkId::new("with-hashing", count), &count, |bench, _| {
            bench.iter_batched(
                || {
                    let mut pipelines = pipelines.clone();
                    for one in &mut pipelines {
                        one.spec = fresh(&one.spec);
                    }
                    pipelines
                },
                |pipelines| {
                    let identified = identify_all(pipelines, &remote, &rules).expect("no two alike");
                    black_box(decide(identified, &held, &Options::default()))
                },
                BatchSize::LargeInput,
            );
        });
        let mut report = Report::new("plan");
        report.pipelines = pipelines
            .iter()
            .map(|one| PipelineReport::of(one, Action::Unchanged))
            .collect();
        report.counts.unchanged = count;
        group.bench_with_input(BenchmarkId::new("told", count), &count, |bench, _| {
            bench.iter(|| {
                black_box(text::render(&report, text::Options::default()));
                black_box(report_json::render(&report).expect("JSON"));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, differences, unchanged, page);
criterion_main!(benches);
