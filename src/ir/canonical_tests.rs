use super::super::archive::tests::source;
use super::*;
use proptest::prelude::*;
use serde_json::json;

fn of(value: &Value) -> Digest {
    Spec::from_text(value.to_string(), None).digest()
}

fn base() -> Value {
    json!({
        "pipelineInfo": {"name": "demo"},
        "root": {
            "dag": {"tasks": {"a": {"cachingOptions": {"enableCache": true}, "componentRef": {"name": "comp-a"}}}},
            "inputDefinitions": {"parameters": {"n": {"defaultValue": 3, "parameterType": "NUMBER_INTEGER", "isOptional": true}}},
        },
        "components": {"comp-a": {"executorLabel": "exec-a"}},
        "deploymentSpec": {"executors": {"exec-a": {"container": {"image": "python:3.11", "command": ["sh"], "env": []}}}},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
    })
}

/// The base with the value at a JSON pointer replaced.
fn with(pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut spec = base();
    spec.pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
    spec
}

fn without(pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut spec = base();
    spec.pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(name)
        .unwrap();
    spec
}

const DEFAULT: &str = "/root/inputDefinitions/parameters/n/defaultValue";

#[test]
fn spelling_does_not_matter() {
    let text = r#"{"b": 1, "a": [3, -0.0, 1e3, 9007199254740993]}"#;
    let other = "{\"a\":[3.0,0,1000 , 9007199254740992],\n\"b\":1.0}";
    assert_eq!(
        Spec::from_text(text, None).digest(),
        Spec::from_text(other, None).digest()
    );
}

#[test]
fn fields_that_the_server_drops_do_not_matter() {
    for (pointer, value) in [
        ("/pipelineInfo/description", json!("")),
        ("/pipelineInfo/displayName", json!(null)),
        ("/defaultPipelineRoot", json!("")),
        ("/root/dag/tasks/a/dependentTasks", json!([])),
        ("/root/dag/tasks/a/cachingOptions/cacheKey", json!("")),
        ("/root/inputDefinitions/artifacts", json!({})),
        ("/root/inputDefinitions/parameters/n/literals", json!([])),
        (
            "/root/inputDefinitions/parameters/n/type",
            json!("PRIMITIVE_TYPE_UNSPECIFIED"),
        ),
        ("/root/inputDefinitions/parameters/n/description", json!("")),
    ] {
        assert_eq!(of(&with(pointer, value)), of(&base()), "{pointer}");
    }
    assert_eq!(
        of(&with(
            "/root/inputDefinitions/parameters/n/isOptional",
            json!(false)
        )),
        of(&without("/root/inputDefinitions/parameters/n/isOptional"))
    );
}

#[test]
fn every_change_of_meaning_matters() {
    let changes = [
        with("/sdkVersion", json!("kfp-2.17.1")),
        with("/pipelineInfo/name", json!("demo2")),
        with("/pipelineInfo/description", json!("x")),
        with("/newerThanUs", json!("")),
        with("/root/dag/tasks/a/newerThanUs", json!(false)),
        with("/root/inputDefinitions/parameters/n/isOptional", json!(false)),
        // A message is present or not, also when empty: caching is then off.
        with("/root/dag/tasks/a/cachingOptions", json!({})),
        without("/root/dag/tasks/a/cachingOptions"),
        with("/root/outputDefinitions", json!({})),
        // Everything inside Value and Struct is meaning.
        with(DEFAULT, json!(4)),
        with(DEFAULT, json!("3")),
        with(DEFAULT, json!(0)),
        with(DEFAULT, json!("")),
        with(DEFAULT, json!(false)),
        with(DEFAULT, json!(null)),
        with(DEFAULT, json!([])),
        with(DEFAULT, json!({})),
        with(DEFAULT, json!({"a": null})),
        without(DEFAULT),
        with("/root/inputDefinitions/parameters/n/literals", json!([null])),
        with("/root/inputDefinitions/parameters/n/literals", json!([""])),
        with("/deploymentSpec/executors/exec-a/container/env", json!([{}])),
        without("/deploymentSpec/executors/exec-a/container/env"),
        with("/deploymentSpec/executors/exec-a/container/args", json!([])),
        with(
            "/deploymentSpec/executors/exec-a/container/command",
            json!(["sh", ""]),
        ),
        with("/deploymentSpec/executors/exec-a/container/image", json!("")),
        // A member of a oneof has presence.
        with("/components/comp-a/executorLabel", json!("")),
        with("/components/comp-b", json!({})),
    ];
    let mut seen = std::collections::BTreeMap::new();
    seen.insert(of(&base()), "the base".to_owned());
    for change in changes {
        if let Some(twin) = seen.insert(of(&change), change.to_string()) {
            panic!("{change}\nhas the digest of\n{twin}");
        }
    }
}

#[test]
fn text_is_never_taken_for_structure() {
    let texts = [
        json!(["ab"]),
        json!(["a", "b"]),
        json!([["a"], "b"]),
        json!({"a": "b"}),
        json!(["a", {"b": null}]),
        json!("ab"),
        json!([true]),
        json!(["t"]),
        json!([]),
        json!({}),
        json!(null),
    ];
    let digests: std::collections::BTreeSet<_> = texts.iter().map(of).collect();
    assert_eq!(digests.len(), texts.len());
}

#[test]
fn the_platform_spec_counts_unless_it_is_empty() {
    let pipeline = base().to_string();
    let digest =
        |platform: Option<&str>| Spec::from_text(pipeline.as_str(), platform.map(Into::into)).digest();
    assert_eq!(digest(None), digest(Some("{}")));
    assert_eq!(digest(None), digest(Some(r#"{"platforms": {}}"#)));
    assert_eq!(digest(None), digest(Some("null")));
    let kubernetes = digest(Some(r#"{"platforms": {"kubernetes": {}}}"#));
    assert_ne!(digest(None), kubernetes);
    assert_ne!(digest(None), digest(Some(r#"{"newer": {}}"#)));
    assert_eq!(
        digest(Some(
            r#"{"platforms": {"kubernetes": {"pipelineConfig": {"resourceTtlOnCompletion": 0}}}}"#
        )),
        digest(Some(r#"{"platforms": {"kubernetes": {"pipelineConfig": {}}}}"#))
    );
    // Inside an executor's settings, a Struct, nothing is a default.
    assert_ne!(
        digest(Some(
            r#"{"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"e": {"x": 0}}}}}}"#
        )),
        digest(Some(
            r#"{"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"e": {}}}}}}"#
        ))
    );
}

#[test]
fn text_that_is_no_json_has_a_digest_of_its_own() {
    let broken = Spec::from_text("{", None);
    assert_eq!(broken.digest(), Spec::from_text("{", None).digest());
    assert_ne!(broken.digest(), Spec::from_text("{{", None).digest());
    assert!(matches!(
        canonical(&broken),
        Err(SpecError::Unparsable {
            document: "pipeline spec",
            ..
        })
    ));
}

#[test]
fn archives_count_by_their_members_and_only_where_kfp_puts_them() {
    let command = |source: String| {
        with(
            "/deploymentSpec/executors/exec-a/container/command",
            json!(["sh", source]),
        )
    };
    let one = source(&[("a.py", 0o644, b"A")], 1);
    let later = source(&[("a.py", 0o664, b"A")], 2);
    let changed = source(&[("a.py", 0o644, b"B")], 1);
    assert_eq!(of(&command(one.clone())), of(&command(later.clone())));
    assert_ne!(of(&command(one.clone())), of(&command(changed)));
    assert_ne!(of(&command(one.clone())), of(&command(one.clone() + "\n")));
    assert_ne!(of(&with(DEFAULT, json!(one))), of(&with(DEFAULT, json!(later))));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        let key = prop::sample::select(vec![
            "root",
            "dag",
            "tasks",
            "inputDefinitions",
            "parameters",
            "defaultValue",
            "isOptional",
            "literals",
            "x",
            "deploymentSpec",
            "components",
            "cachingOptions",
            "enableCache",
            "description",
            "artifacts",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The text with another key order and another spelling of its numbers.
fn respelled(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            out.push_str("{ ");
            for (index, (key, member)) in members.iter().rev().enumerate() {
                if index > 0 {
                    out.push_str(" ,\n");
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                respelled(member, out);
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                respelled(element, out);
            }
            out.push(']');
        }
        Value::Number(number) if number.is_i64() => out.push_str(&format!("{number}.0")),
        other => out.push_str(&other.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_digest_is_that_of_the_canonical_form(pipeline in any_value(), platform in proptest::option::of(any_value())) {
        let spec = Spec::from_text(pipeline.to_string(), platform.map(|platform| platform.to_string().into()));
        let form = canonical(&spec).unwrap();
        let again = Spec::from_text(
            form.pipeline.to_string(),
            form.platform.as_ref().map(|platform| platform.to_string().into()),
        );
        prop_assert_eq!(spec.digest(), again.digest());
        prop_assert_eq!(spec.digest(), form.digest());
        prop_assert_eq!(form, canonical(&again).unwrap());
    }

    #[test]
    fn order_and_spelling_never_matter(value in any_value()) {
        let mut text = String::new();
        respelled(&value, &mut text);
        prop_assert_eq!(of(&value), Spec::from_text(text, None).digest());
    }

    #[test]
    fn two_specs_share_a_digest_exactly_when_they_share_the_form(a in any_value(), b in any_value()) {
        let (a, b) = (Spec::from_text(a.to_string(), None), Spec::from_text(b.to_string(), None));
        prop_assert_eq!(a.digest() == b.digest(), canonical(&a).unwrap() == canonical(&b).unwrap());
    }
}
