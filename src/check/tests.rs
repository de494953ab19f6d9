use super::*;
use crate::discover::Source;
use crate::ids::{PipelineName, SourcePath};
use crate::ir::Spec;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn compiled(pipeline: &Value, platform: Option<&Value>) -> Compiled {
    Compiled {
        source: Source {
            path: SourcePath::new("a_pipeline.py"),
            absolute: PathBuf::from("/a_pipeline.py"),
            function: None,
            parameters: BTreeMap::new(),
        },
        function: "a".to_owned(),
        one_of_several: false,
        name: PipelineName::new(pipeline["pipelineInfo"]["name"].as_str().unwrap()),
        description: String::new(),
        spec: Spec::from_text(
            pipeline.to_string(),
            platform.map(|value| value.to_string().into()),
        ),
        yaml: None,
    }
}

fn pipeline(parameters: &Value, source: &str) -> Value {
    json!({
        "pipelineInfo": {"name": "p"},
        "schemaVersion": "2.1.0",
        "root": {"dag": {"tasks": {}}, "inputDefinitions": {"parameters": parameters}},
        "components": {"comp-a": {"executorLabel": "exec-a"}},
        "deploymentSpec": {"executors": {"exec-a": {"container": {"image": "i", "command": ["sh", "-c", source]}}}},
    })
}

fn of(pipeline: &Value, server: Option<(u64, u64)>) -> Findings {
    let server = server.map(|(minor, patch)| Version::new(2, minor, patch));
    check(&compiled(pipeline, None), server.as_ref())
}

#[test]
fn a_plain_pipeline_has_nothing_to_say() {
    assert_eq!(of(&pipeline(&json!({}), ""), None), Findings::default());
    assert_eq!(of(&pipeline(&json!({}), ""), Some((0, 5))), Findings::default());
}

#[test]
fn members_that_a_server_does_not_know_are_errors_for_it_and_a_note_otherwise() {
    let literals = pipeline(
        &json!({"a": {"parameterType": "STRING", "defaultValue": "x", "literals": ["x"]}}),
        "",
    );
    let unknown = of(&literals, None);
    assert!(unknown.errors.is_empty(), "{unknown:?}");
    assert!(unknown.notes[0].contains("from 2.16 on"), "{unknown:?}");
    let old = of(&literals, Some((15, 2)));
    assert!(
        old.errors[0].message.contains("parameters.a.literals`"),
        "{old:?}"
    );
    assert_eq!(old.errors[0].file.as_deref(), Some("a_pipeline.py"));
    assert_eq!(of(&literals, Some((16, 0))).errors, []);
}

#[test]
fn a_renamed_platform_member_is_dropped_by_newer_servers() {
    let platform = json!({"platforms": {"kubernetes": {"pipelineConfig": {"resourceTtl": 60}}}});
    let one = compiled(&pipeline(&json!({}), ""), Some(&platform));
    assert!(check(&one, None).notes[0].contains("from 2.5 on, before 2.17"));
    let new = check(&one, Some(&Version::new(2, 17, 0)));
    assert!(new.errors[0].message.contains("went with 2.17"), "{new:?}");
    assert!(new.errors[0].message.contains("without a word"), "{new:?}");
    assert_eq!(check(&one, Some(&Version::new(2, 16, 1))).errors, []);
}

#[test]
fn defaults_that_do_not_fit_are_told() {
    let findings = of(
        &pipeline(
            &json!({
                "a": {"parameterType": "NUMBER_INTEGER", "defaultValue": "one"},
                "b": {"parameterType": "NUMBER_INTEGER", "defaultValue": 2.0},
                "c": {"parameterType": "STRING"},
                "d": {"parameterType": "STRING", "isOptional": true},
                "e": {"parameterType": "STRING", "defaultValue": "z", "literals": ["x"]},
            }),
            "",
        ),
        Some((17, 0)),
    );
    assert_eq!(findings.warnings.len(), 2, "{findings:?}");
    assert!(findings.warnings[0].contains("`a` is `\"one\"`"));
    assert!(findings.warnings[1].contains("none of its allowed values"));
    assert_eq!(findings.notes, ["every run has to set `c`"]);
}

#[test]
fn sizes_bite_one_after_the_other() {
    let sized = |bytes: usize, server| of(&pipeline(&json!({}), &"x".repeat(bytes)), server);
    assert_eq!(sized(100_000, None), Findings::default());
    let argument = sized(140_000, None);
    assert!(argument.warnings[0].contains("`exec-a`") && argument.notes.is_empty());
    let annotations = sized(270_000, None);
    assert!(
        annotations.notes[0].starts_with("servers before 2.3"),
        "{annotations:?}"
    );
    assert!(
        sized(270_000, Some((0, 5))).errors[0]
            .message
            .contains("no run starts")
    );
    assert_eq!(sized(270_000, Some((3, 0))).errors, []);
    assert!(sized(1_100_000, None).warnings[1].contains("1 048 576"));
    assert!(sized(1_600_000, None).warnings[1].contains("1 572 864"));
    let refused = sized(34 << 20, None);
    assert!(refused.errors[0].message.contains("32 MiB"), "{refused:?}");
}

#[test]
fn names_that_no_server_takes_are_errors() {
    let mut bad = pipeline(&json!({}), "");
    bad["pipelineInfo"]["name"] = json!("Not a name");
    assert!(of(&bad, None).errors[0].message.contains("lower-case"));
}
