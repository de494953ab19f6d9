//! What edits of a pipeline read like.

use super::*;
use crate::ir::fixtures::value;
use crate::report::diff::words::{as_text, sentence};
use serde_json::{Value, json};

/// `class: sentence` for every change from one value to the other.
fn said(before: &Value, after: &Value) -> Vec<String> {
    let spec = |value: &Value| Spec::from_server(value).unwrap();
    diff(Some(&spec(before)), &spec(after))
        .changes
        .iter()
        .map(|change| format!("{}: {}", change.class.as_str(), as_text(&sentence(change))))
        .collect()
}

fn edited(name: &str, edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let before = value(name);
    let mut after = before.clone();
    edit(&mut after);
    said(&before, &after)
}

fn set(value: &mut Value, pointer: &str, new: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{parent}"))
        .as_object_mut()
        .unwrap()
        .insert(name.replace("~1", "/"), new);
}

fn take(value: &mut Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(name)
        .unwrap_or_else(|| panic!("{pointer}"))
}

/// The text of a value with every occurrence replaced, as another compile would give it.
fn replaced(name: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let before = value(name);
    let mut text = before.to_string();
    for (from, to) in pairs {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    said(&before, &serde_json::from_str(&text).unwrap())
}

#[test]
fn parameters() {
    let one = "/pipeline_spec/root/inputDefinitions/parameters";
    let name = |value: &Value| {
        value
            .pointer(one)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .next()
            .unwrap()
            .clone()
    };
    let first = name(&value("evaluation"));
    let at = format!("{one}/{first}");
    let removed = edited("evaluation", |value| {
        take(value, &at);
    });
    assert!(
        removed[0].starts_with(&format!("interface: parameter `{first}` removed: `")),
        "{removed:#?}"
    );
    assert_eq!(
        edited("evaluation", |value| set(
            value,
            &format!("{one}/extra"),
            json!({"parameterType": "STRING"})
        )),
        ["interface: parameter `extra` added: `str, required`"]
    );
    assert_eq!(
        edited("evaluation", |value| set(
            value,
            &format!("{one}/extra"),
            json!({"parameterType": "STRING", "isOptional": true, "defaultValue": "1e3"})
        )),
        ["behaviour: parameter `extra` added: `str, default \"1e3\"`"]
    );
    let spec = |extra: Value| {
        let mut value = value("evaluation");
        set(&mut value, &format!("{one}/extra"), extra);
        value
    };
    let base =
        json!({"parameterType": "STRING", "isOptional": true, "defaultValue": "a", "description": "x"});
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut changed = base.clone();
        edit(&mut changed);
        said(&spec(base.clone()), &spec(changed))
    };
    assert_eq!(
        with(&|extra| extra["defaultValue"] = json!("b")),
        ["behaviour: parameter `extra`: default `\"a\"` → `\"b\"`"]
    );
    assert_eq!(
        with(&|extra| extra["parameterType"] = json!("LIST")),
        ["interface: parameter `extra`: type `str, default \"a\"` → `list, default \"a\"`"]
    );
    assert_eq!(
        with(&|extra| {
            take(extra, "/isOptional");
            take(extra, "/defaultValue");
        }),
        ["interface: parameter `extra` is now required: `str, default \"a\"` → `str, required`"]
    );
    assert_eq!(
        with(&|extra| extra["description"] = json!("y")),
        ["cosmetic: parameter `extra`: description `x` → `y`"]
    );
    assert_eq!(
        with(&|extra| extra["literals"] = json!(["a"])),
        ["interface: parameter `extra`: allowed values added: `[\"a\"]`"]
    );
    assert_eq!(
        with(&|extra| extra["newer"] = json!(3)),
        [
            "behaviour: parameter `extra`: field `pipeline.root.inputDefinitions.parameters.extra.newer` added: `3`"
        ]
    );
}

#[test]
fn a_task_renamed_with_all_that_follows_from_it() {
    let said = replaced("collected", &[("square-2", "power")]);
    assert!(
        said.contains(&"behaviour: task `square-2` in `for-loop-3/for-loop-5` renamed to `power`".to_owned()),
        "{said:#?}"
    );
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[1].starts_with("cosmetic: names that the compiler makes up changed in "),
        "{said:#?}"
    );
}

#[test]
fn a_renamed_function_is_a_renamed_task_with_edited_code() {
    let said = replaced(
        "venv",
        &[
            ("comp-with-packages", "comp-fetch"),
            ("exec-with-packages", "exec-fetch"),
            ("\"with-packages\"", "\"fetch\""),
            ("with_packages", "fetch"),
        ],
    );
    assert_eq!(
        said,
        [
            "behaviour: task `with-packages` renamed to `fetch`",
            "behaviour: task `fetch`: code changed, +1 −1 lines, function `with_packages` → `fetch`",
        ]
    );
}

#[test]
fn the_sdk_is_one_line() {
    let said = replaced(
        "collected",
        &[("kfp==2.17.0", "kfp==2.18.1"), ("kfp-2.17.0", "kfp-2.18.1")],
    );
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].starts_with("cosmetic: SDK `kfp-2.17.0` → `kfp-2.18.1`, in "),
        "{said:#?}"
    );
    let difference = diff(
        Some(&Spec::from_server(&value("collected")).unwrap()),
        &Spec::from_server(
            &serde_json::from_str(&value("collected").to_string().replace("2.17.0", "2.18.1")).unwrap(),
        )
        .unwrap(),
    );
    assert!(difference.is_sdk_only());
    assert_eq!(difference.step, Step::Patch);
}

#[test]
fn images_packages_and_code() {
    assert_eq!(
        replaced("packages", &[("'requests==2.32.3'", "'requests==2.33.0'")]),
        ["environment: task `one`: package `requests`: `requests==2.32.3` → `requests==2.33.0`"]
    );
}

#[test]
fn names_that_the_compiler_counts_up_are_no_news() {
    // A loop put in before another renumbers everything behind it.
    let before = value("exit-handler");
    let text = before
        .to_string()
        .replace("for-loop-3", "for-loop-7")
        .replace("loop-item-param-2", "loop-item-param-6");
    let after: Value = serde_json::from_str(&text).unwrap();
    let said = said(&before, &after);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].starts_with("cosmetic: names that the compiler makes up"),
        "{said:#?}"
    );
}
