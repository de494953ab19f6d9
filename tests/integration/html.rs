//! The HTML report in a real browser: nothing on the console, nothing fetched, nothing from a spec
//! executed, and everything reachable by keyboard and by address.
//!
//! Without a browser the tests say that they did nothing; with `KFP_GITOPS_TEST_BROWSER=required`
//! they fail instead.

use crate::browser::Browser;
use kfp_gitops::ir::Spec;
use kfp_gitops::ir::graph::Graph;
use kfp_gitops::plan::diff::{Difference, diff_drawn};
use kfp_gitops::report::diff::Entry;
use kfp_gitops::report::html::{HtmlPipeline, HtmlReport, Version, render};
use serde_json::{Value, json};

/// A compiled spec as a server gives it back.
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ir/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
        .unwrap()
}

struct Shown {
    name: String,
    difference: Difference,
    graph: Graph,
    spec: Spec,
}

fn shown(name: &str, before: Option<&Value>, after: &Value) -> Shown {
    let spec = Spec::from_server(after).unwrap();
    let before = before.map(|value| Spec::from_server(value).unwrap());
    let (difference, graph) = diff_drawn(before.as_ref(), &spec, 2_000);
    Shown {
        name: name.to_owned(),
        difference,
        graph,
        spec,
    }
}

fn page(title: &str, pipelines: &[Shown]) -> String {
    render(&HtmlReport {
        title,
        facts: vec!["https://kfp.example.org".to_owned(), "commit 0123456".to_owned()],
        pipelines: pipelines
            .iter()
            .map(|one| HtmlPipeline {
                entry: Entry {
                    name: &one.name,
                    file: Some("some_pipeline.py"),
                    difference: &one.difference,
                    graph: Some(&one.graph),
                },
                spec: Some(&one.spec),
                action: Some("update"),
                url: Some("https://kfp.example.org/#/pipelines/details/1"),
                versions: vec![Version {
                    name: "v20260213-143022".to_owned(),
                    created: "2026-02-13T14:30:22Z".to_owned(),
                    commit: Some("0123456".to_owned()),
                    digest: None,
                    by: Some("ml/pipelines".to_owned()),
                }],
                findings: Vec::new(),
            })
            .collect(),
    })
}

/// The edits that a reviewer should understand: a task renamed, an image bumped, a parameter
/// removed, a loop added, a description edited, code changed.
fn reviewed() -> (Value, Value) {
    let before = fixture("evaluation");
    let text = before
        .to_string()
        .replace("comp-decide", "comp-judge")
        .replace("exec-decide", "exec-judge")
        .replace("\"decide\"", "\"judge\"");
    let mut after: Value = serde_json::from_str(&text).unwrap();
    let pipeline = &mut after["pipeline_spec"];
    pipeline["pipelineInfo"]["description"] = json!("Rates a model and says so.");
    let parameters = pipeline["root"]["inputDefinitions"]["parameters"]
        .as_object_mut()
        .unwrap();
    let first = parameters.keys().next().unwrap().clone();
    parameters.remove(&first);
    let executors = pipeline["deploymentSpec"]["executors"].as_object_mut().unwrap();
    for executor in executors.values_mut().take(2) {
        if let Some(container) = executor.get_mut("container") {
            container["image"] = json!("registry.example.org/ml/base:2.1");
            let source = container["command"]
                .as_array_mut()
                .and_then(|command| command.last_mut());
            if let Some(Value::String(source)) = source {
                *source = source.replace("import os", "import os\n    import time");
            }
        }
    }
    let looped: Value = serde_json::from_str(
        &fixture("collected")
            .to_string()
            .replace("for-loop-1", "for-loop-9"),
    )
    .unwrap();
    let looped = &looped["pipeline_spec"];
    for name in ["comp-for-loop-9", "comp-square"] {
        pipeline["components"][name] = looped["components"][name].clone();
    }
    pipeline["deploymentSpec"]["executors"]["exec-square"] =
        looped["deploymentSpec"]["executors"]["exec-square"].clone();
    pipeline["root"]["dag"]["tasks"]["for-loop-9"] = looped["root"]["dag"]["tasks"]["for-loop-9"].clone();
    (before, after)
}

/// A pipeline of many tasks.
fn many_tasks(count: usize) -> Value {
    let mut value = json!({"pipelineInfo": {"name": "many"}, "root": {"dag": {"tasks": {}}}, "components": {},
        "deploymentSpec": {"executors": {}}});
    for number in 0..count {
        let name = format!("task-{number}");
        let mut after = vec![];
        if number > 0 {
            after.push(format!("task-{}", (number - 1) / 2));
            after.push(format!("task-{}", number.saturating_sub(7)));
        }
        value["root"]["dag"]["tasks"][&name] = json!({"componentRef": {"name": format!("comp-{name}")}, "taskInfo": {"name": name}, "dependentTasks": after});
        value["components"][format!("comp-{name}")] = json!({"executorLabel": format!("exec-{name}")});
        value["deploymentSpec"]["executors"][format!("exec-{name}")] =
            json!({"container": {"image": "python:3.11"}});
    }
    value
}

const EVIL: &str = "</script><script>window.pwned=1</script><img src=x onerror=\"window.pwned=1\"><svg onload=window.pwned=1>javascript:window.pwned=1 {{constructor}} \u{202e}";

#[test]
fn a_reviewer_finds_what_changes() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (before, after) = reviewed();
    let pipelines = [
        shown("evaluation", Some(&before), &after),
        shown("qlora-pdf", None, &fixture("qlora-pdf")),
        shown("collected", Some(&fixture("collected")), &fixture("collected")),
    ];
    browser.open(&page("Plan for production", &pipelines), "");
    assert_eq!(
        browser.text("main h2"),
        "1 to create, 1 to update, 1 unchanged; callers of 1 pipeline break"
    );
    assert_eq!(browser.count("#list a"), 3);
    browser.picture("overview");

    // By address, and with the browser's own memory of where it was.
    browser.go("#pipeline=evaluation");
    assert!(
        browser.text("main").contains("Interface: callers break"),
        "{}",
        browser.text("main")
    );
    assert!(
        browser.text("main").contains("task for-loop-9 added: loop over"),
        "{}",
        browser.text("main")
    );
    assert!(browser.count("svg .node") > 3);
    assert_eq!(browser.count("svg .frame.added"), 1);
    browser.picture("pipeline");
    browser.go("#pipeline=evaluation&task=for-loop-9%2Fsquare");
    assert!(
        browser.text(".task").contains("item of"),
        "{}",
        browser.text(".task")
    );
    assert_eq!(browser.count("svg [aria-pressed=true]"), 1);
    browser.picture("task");

    // By keyboard alone: filter, open the first, open a task, close it.
    browser.go("#");
    browser.key("/");
    for letter in ["q", "l", "o", "r", "a"] {
        browser.key(letter);
    }
    assert_eq!(browser.count("#list a"), 1);
    browser.evaluate("document.querySelector('#list a').focus()");
    browser.key("Enter");
    assert!(
        browser.text("main h2").starts_with("qlora-pdf"),
        "{}",
        browser.text("main h2")
    );
    browser.evaluate("document.querySelector('svg .node').focus()");
    browser.key("Enter");
    assert_eq!(browser.count(".task"), 1);
    browser.key("Escape");
    assert_eq!(browser.count(".task"), 0);
    browser.key("Escape");
    browser.assert_quiet();
}

#[test]
fn it_works_on_a_phone_and_in_the_dark() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (before, after) = reviewed();
    browser.size(390, 844, true);
    browser.open(
        &page("Plan", &[shown("evaluation", Some(&before), &after)]),
        "#pipeline=evaluation",
    );
    let overflow = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    assert_eq!(overflow, json!(0), "nothing sticks out to the side");
    browser.picture("phone-dark");
    let background = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    assert_eq!(background, json!("rgb(13, 17, 23)"));
    browser.assert_quiet();
}

#[test]
fn text_from_pipelines_is_never_executed() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let mut value = fixture("packages");
    let pipeline = &mut value["pipeline_spec"];
    pipeline["pipelineInfo"]["description"] = json!(EVIL);
    pipeline["root"]["inputDefinitions"] =
        json!({"parameters": {EVIL: {"parameterType": EVIL, "defaultValue": EVIL, "description": EVIL}}});
    let tasks = pipeline["root"]["dag"]["tasks"].as_object_mut().unwrap();
    let task = tasks.remove("one").unwrap();
    tasks.insert(EVIL.to_owned(), task);
    tasks[EVIL]["taskInfo"]["name"] = json!(EVIL);
    for executor in pipeline["deploymentSpec"]["executors"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        executor["container"]["image"] = json!(EVIL);
        let source = executor["container"]["command"]
            .as_array_mut()
            .and_then(|command| command.last_mut());
        *source.unwrap() = json!(format!("def f():\n    {EVIL}\n"));
    }
    let mut shown = shown(EVIL, Some(&fixture("packages")), &value);
    shown.name = EVIL.to_owned();
    browser.open(&page(EVIL, &[shown]), "");
    let id = browser.evaluate("document.querySelector('#list a').getAttribute('href')");
    browser.go(id.as_str().unwrap());
    browser.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
    assert!(browser.count("pre.diff") > 0);
    for node in 0..3 {
        browser.evaluate(&format!("document.querySelectorAll('svg .node')[{node}].dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"));
        assert_eq!(browser.count(".task"), 1);
    }
    assert_eq!(browser.evaluate("typeof window.pwned"), json!("undefined"));
    assert_eq!(
        browser.count("main img, main script, nav img, nav script, header img"),
        0
    );
    browser.assert_quiet();
}

#[test]
fn three_hundred_pipelines_and_two_hundred_tasks() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let names = ["evaluation", "qlora-pdf", "collected", "one-of", "in-loops"];
    let mut pipelines: Vec<Shown> = (0..299)
        .map(|number| {
            let before = fixture(names[number % 5]);
            let after = fixture(names[(number + number % 3) % 5]);
            let mut one = shown("x", Some(&before), &after);
            one.name = format!("pipeline-{number}");
            one
        })
        .collect();
    pipelines.push(shown("many", None, &many_tasks(200)));
    let page = page("Plan", &pipelines);
    assert!(page.len() < 10 << 20, "{}", page.len());
    browser.open(&page, "#pipeline=many");
    assert_eq!(browser.count("svg .node"), 200);
    assert_eq!(browser.count("#list a"), 300);
    browser.picture("two-hundred-tasks");
    browser.go("#pipeline=many&task=task-137");
    assert!(browser.text(".task").contains("task-137"));
    browser.assert_quiet();
}
