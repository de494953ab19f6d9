//! Properties that hold for any two specs; what single edits read like is in `scenarios.rs`.

use super::form::Form;
use super::matching::Matching;
use super::structure::Structure;
use super::*;
use crate::ir::fixtures::{NAMES, fixture, value};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The new form, the old one aligned to it, and the changes.
fn compared(before: &Form, after: &Form) -> (Form, Vec<Change>) {
    let matching = Matching::between(&mut Recognisable::of(before), &mut Recognisable::of(after));
    let aligned = align::aligned(before, &matching).into_owned();
    let changes = classify::changes(&Structure::of(&aligned), &Structure::of(after), &matching);
    (aligned, changes)
}

type Key<'c> = (&'c Subject, Aspect, Verb, &'c Option<String>);

fn key(change: &Change) -> Key<'_> {
    (&change.subject, change.aspect, change.verb, &change.name)
}

/// What every difference must satisfy. Gives the changes.
fn check(before: &Spec, after: &Spec, one_by_one: bool) -> Vec<Change> {
    let difference = diff(Some(before), after);
    assert_eq!(difference.changes.is_empty(), before.digest() == after.digest());
    let (before, after) = (Form::of(before).unwrap(), Form::of(after).unwrap());
    let (aligned, changes) = compared(&before, &after);
    let whole = apply(&aligned, &after, &changes);
    // The digest is the one of the spec that the form was made of, so only the content is compared.
    assert_eq!(
        whole.root, after.root,
        "all changes carried out do not make the new spec: {changes:#?}"
    );
    if one_by_one {
        for change in &changes {
            let applied = apply(&aligned, &after, std::slice::from_ref(change));
            // The names are the new ones by now; matching anew could pair half-carried-out specs otherwise.
            let left = classify::changes(
                &Structure::of(&applied),
                &Structure::of(&after),
                &Matching::default(),
            );
            // One line may stand for many places: it is still there if one of its own is.
            let shares = |other: &Change| other.paths.iter().any(|path| change.paths.contains(path));
            let still: Vec<_> = left
                .iter()
                .filter(|other| key(other) == key(change) && (other.paths.is_empty() || shares(other)))
                .collect();
            assert!(
                still.is_empty(),
                "still there after it was carried out: {still:#?}"
            );
        }
    }
    changes
}

fn spec(value: &Value) -> Spec {
    Spec::from_server(value).unwrap()
}

#[test]
fn a_spec_does_not_differ_from_itself() {
    for name in NAMES {
        let spec = fixture(name);
        let difference = diff(Some(&spec), &spec);
        assert_eq!(
            (difference.status, difference.step),
            (Status::Unchanged, Step::None),
            "{name}"
        );
        assert!(difference.changes.is_empty(), "{name}");
        let (_, changes) = compared(&Form::of(&spec).unwrap(), &Form::of(&spec).unwrap());
        assert!(changes.is_empty(), "{name}: {changes:#?}");
    }
}

#[test]
fn any_pipeline_turns_into_any_other() {
    for before in NAMES {
        for after in NAMES {
            check(&fixture(before), &fixture(after), true);
        }
    }
}

#[test]
fn a_new_pipeline_is_created() {
    let difference = diff(None, &fixture("evaluation"));
    assert_eq!(
        (difference.status, difference.step),
        (Status::Created, Step::Minor)
    );
    assert_eq!(difference.pipeline, "evaluation");
}

#[test]
fn differences_survive_json() {
    let difference = diff(Some(&fixture("one-of")), &fixture("in-loops"));
    let text = serde_json::to_string(&difference).unwrap();
    let mut again: Difference = serde_json::from_str(&text).unwrap();
    for (change, original) in again.changes.iter_mut().zip(&difference.changes) {
        change.paths.clone_from(&original.paths);
    }
    assert_eq!(again, difference);
}

/// Every place in a value, as a list of steps.
fn places(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), member))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(at, one)| (at.to_string(), one))
            .collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        at.push(key);
        found.push(at.clone());
        places(child, at, found);
        at.pop();
    }
}

fn child<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(members) => members.get_mut(key),
        Value::Array(elements) => elements.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Changes the value at one place, in one of a few ways.
fn mutate(value: &mut Value, choice: usize, how: u8) {
    let mut found = Vec::new();
    places(value, &mut Vec::new(), &mut found);
    if found.is_empty() {
        return;
    }
    let path = &found[choice % found.len()];
    let (last, parents) = path.split_last().unwrap();
    let mut parent = value;
    for key in parents {
        match child(parent, key) {
            Some(inner) => parent = inner,
            None => return,
        }
    }
    match (how % 5, &mut *parent) {
        (0, Value::Object(members)) => {
            members.remove(last);
        }
        (0, Value::Array(elements)) => {
            if let Ok(at) = last.parse::<usize>()
                && at < elements.len()
            {
                elements.remove(at);
            }
        }
        (1, Value::Object(members)) => {
            if let Some(twin) = members.get(last).cloned() {
                members.insert(format!("{last}-2"), twin);
            }
        }
        (2, Value::Object(members)) => {
            if let Some(moved) = members.remove(last) {
                members.insert(format!("{last}-x"), moved);
            }
        }
        _ => {
            if let Some(place) = child(parent, last) {
                *place = match place {
                    Value::String(text) => json!(format!("{text}!")),
                    Value::Bool(flag) => json!(!*flag),
                    Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
                    Value::Null => json!(1),
                    Value::Array(elements) => {
                        elements.push(json!("more"));
                        Value::Array(std::mem::take(elements))
                    }
                    Value::Object(members) => {
                        members.insert("more".to_owned(), json!({"a": 1}));
                        Value::Object(std::mem::take(members))
                    }
                };
            }
        }
    }
}

proptest! {
    // 256 cases; `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn nothing_goes_unreported_and_every_change_disappears_when_carried_out(
        name in prop::sample::select(NAMES.to_vec()),
        mutations in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        backwards in any::<bool>(),
    ) {
        let mut changed = value(name);
        for (choice, how) in mutations {
            let document = if choice % 4 == 0 && changed.get("platform_spec").is_some() { "platform_spec" } else { "pipeline_spec" };
            let mut inner = changed[document].take();
            mutate(&mut inner, choice / 4, how);
            changed[document] = inner;
        }
        let (Ok(before), Ok(after)) = (Spec::from_server(&value(name)), Spec::from_server(&changed)) else {
            return Ok(());
        };
        let (before, after) = if backwards { (after, before) } else { (before, after) };
        if Form::of(&before).is_ok() && Form::of(&after).is_ok() {
            // One by one holds for the scenarios; two wiring changes of one task that meet in a random
            // mutation still share a key, so here all changes are carried out together.
            check(&before, &after, true);
        }
    }

    #[test]
    fn any_text_has_a_difference(before in ".{0,40}", after in ".{0,40}") {
        let (before, after) = (Spec::from_text(before, None), Spec::from_text(after, None));
        let difference = diff(Some(&before), &after);
        prop_assert_eq!(difference.changes.is_empty(), before.digest() == after.digest());
    }
}

#[test]
fn what_is_no_spec_is_compared_as_text() {
    let after = fixture("venv");
    let workflow = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {}});
    let why = Spec::from_server(&workflow).unwrap_err();
    let difference = diff_unreadable(&workflow, &why, &after);
    assert_eq!(
        (difference.status, difference.step),
        (Status::Unreadable, Step::Minor)
    );
    assert!(difference.reason.unwrap().contains("v1"));
    assert!(
        difference.changes[0]
            .patch
            .as_ref()
            .unwrap()
            .contains("-  \"apiVersion\": \"argoproj.io/v1alpha1\"")
    );
    let broken = Spec::from_text("{", None);
    let difference = diff(Some(&broken), &after);
    assert_eq!(difference.status, Status::Unreadable);
    assert_eq!(difference.changes.len(), 1);
}

/// A pipeline with many tasks, each with a component and an executor of its own.
fn large(tasks: usize, edited: bool) -> Value {
    let mut dag = serde_json::Map::new();
    let mut components = serde_json::Map::new();
    let mut executors = serde_json::Map::new();
    for number in 0..tasks {
        let last = if number == 0 {
            json!([])
        } else {
            json!([format!("t-{}", number - 1)])
        };
        dag.insert(
            format!("t-{number}"),
            json!({"componentRef": {"name": format!("comp-t-{number}")}, "dependentTasks": last}),
        );
        components.insert(
            format!("comp-t-{number}"),
            json!({"executorLabel": format!("exec-t-{number}")}),
        );
        let image = if edited {
            format!("python:3.{number}")
        } else {
            "python:3.11".to_owned()
        };
        executors.insert(
            format!("exec-t-{number}"),
            json!({"container": {"image": image, "args": [number]}}),
        );
    }
    json!({"pipelineInfo": {"name": "large"}, "root": {"dag": {"tasks": dag}}, "components": components,
        "deploymentSpec": {"executors": executors}})
}

#[test]
fn hostile_specs_end() {
    // All of them edited, all of them gone, all of them new. Unoptimised builds take a tenth.
    let tasks = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let (before, after) = (spec(&large(tasks, false)), spec(&large(tasks, true)));
    assert_eq!(diff(Some(&before), &after).changes.len(), tasks - 1);
    let empty = spec(&json!({"pipelineInfo": {"name": "large"}, "root": {"dag": {}}}));
    assert_eq!(diff(Some(&before), &empty).counts.behaviour, tasks);
    assert_eq!(diff(Some(&empty), &before).counts.behaviour, tasks);
    // Texts of ten megabytes, of one line and of many.
    for text in ["x".repeat(10 << 20), "x\n".repeat(5 << 20)] {
        let one = json!({"pipelineInfo": {"name": "a", "description": text}, "root": {}});
        let two = json!({"pipelineInfo": {"name": "a", "description": format!("{text}y")}, "root": {}});
        let difference = diff(Some(&spec(&one)), &spec(&two));
        let change = &difference.changes[0];
        let shown = change
            .patch
            .iter()
            .chain(&change.before)
            .chain(&change.after)
            .map(String::len)
            .sum::<usize>();
        assert!(shown < 100_000, "{shown}");
    }
}

#[test]
fn circles_end() {
    let circle = |image: &str| {
        spec(&json!({
            "root": {"dag": {"tasks": {"a": {"componentRef": {"name": "one"}}}}},
            "components": {
                "one": {"dag": {"tasks": {"b": {"componentRef": {"name": "two"}}}}},
                "two": {"dag": {"tasks": {"a": {"componentRef": {"name": "one"}}, "c": {"componentRef": {"name": "three"}}}}},
                "three": {"executorLabel": "e"},
            },
            "deploymentSpec": {"executors": {"e": {"container": {"image": image}}}},
        }))
    };
    let changes = check(&circle("a"), &circle("b"), true);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(changes[0].subject, Subject::Task("a/b/c".to_owned()));
    // A chain of components deeper than any stack.
    let mut components = serde_json::Map::new();
    for number in 0..if cfg!(debug_assertions) { 5_000 } else { 50_000 } {
        let tasks = json!({"t": {"componentRef": {"name": format!("c{}", number + 1)}}});
        components.insert(format!("c{number}"), json!({"dag": {"tasks": tasks}}));
    }
    let chain = |name: &str| {
        spec(&json!({"pipelineInfo": {"name": name}, "root": components["c0"], "components": components}))
    };
    assert_eq!(diff(Some(&chain("a")), &chain("b")).changes.len(), 1);
}
