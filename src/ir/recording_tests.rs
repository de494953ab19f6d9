//! What was sent and what real servers gave back, compared.

use super::*;
use std::collections::BTreeMap;

const SERVERS: [&str; 6] = [
    "2.0.5",
    "2.5.0",
    "2.16.1",
    "2.17.0",
    "2.17.0-kubernetes-store",
    "2.17.0-multiuser",
];

fn recording_file(name: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/kfp/").to_owned() + name;
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every `pipeline_spec` in a recording with the name of its exchange, `same_as` followed.
fn recorded_specs(server: &str) -> Vec<(String, Value)> {
    fn collect(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if name == "pipeline_spec" {
                        found.push(member.clone());
                    } else {
                        collect(member, found);
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
            _ => {}
        }
    }
    let recording: Value = serde_json::from_str(&recording_file(&format!("{server}.json"))).unwrap();
    let mut specs = Vec::new();
    for exchange in recording["exchanges"].as_array().unwrap() {
        let mut found = Vec::new();
        collect(&exchange["response"], &mut found);
        let name = exchange["name"].as_str().unwrap();
        specs.extend(found.into_iter().map(|spec| (name.to_owned(), spec)));
    }
    let full: BTreeMap<String, Value> = specs
        .iter()
        .filter(|(_, spec)| spec.get("same_as").is_none())
        .cloned()
        .collect();
    for (_, spec) in &mut specs {
        if let Some(name) = spec.get("same_as") {
            *spec = full[name.as_str().unwrap()].clone();
        }
    }
    specs
}

/// The file as the KFP compiler wrote it, read the way a YAML 1.1 reader or a server reads it: the
/// default `1e3` as text or as a number.
fn compiled(file: &str, note: Value) -> Spec {
    let text = recording_file(file);
    let mut documents = serde_yaml::Deserializer::from_str(&text)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect::<Vec<Value>>()
        .into_iter();
    let mut pipeline = documents.next().unwrap();
    *pipeline
        .pointer_mut("/root/inputDefinitions/parameters/note/defaultValue")
        .unwrap() = note;
    Spec::from_text(
        pipeline.to_string(),
        documents.next().map(|platform| platform.to_string().into()),
    )
}

#[test]
fn what_comes_back_equals_what_was_sent_on_every_server() {
    let number = Value::from(1000);
    let (plain, on_gpu) = (
        compiled("evaluation.yaml", number.clone()),
        compiled("evaluation-on-gpu.yaml", number),
    );
    let as_meant = compiled("evaluation.yaml", Value::from("1e3"));
    for server in SERVERS {
        let mut seen = 0;
        for (exchange, value) in recorded_specs(server) {
            let spec = match Spec::from_server(&value) {
                Ok(spec) => spec,
                Err(SpecError::V1Workflow) => continue,
                Err(error) => panic!("{server} {exchange}: {error}"),
            };
            let digest = spec.digest();
            let sent = match (spec.platform_text().is_some(), exchange.as_str()) {
                (true, _) => &on_gpu,
                (false, "version_upload_json") => &as_meant,
                (false, _) if digest == as_meant.digest() => &as_meant,
                (false, _) => &plain,
            };
            assert_eq!(digest, sent.digest(), "{server} {exchange}");
            assert_eq!(
                canonical(&spec).unwrap(),
                canonical(sent).unwrap(),
                "{server} {exchange}"
            );
            // And it survives another turn.
            let file = String::from_utf8(upload_documents(&spec).unwrap()).unwrap();
            let (pipeline, platform) = match file.split_once("\n---\n") {
                Some((pipeline, platform)) => (pipeline, Some(platform.into())),
                None => (file.as_str(), None),
            };
            assert_eq!(
                Spec::from_text(pipeline, platform).digest(),
                digest,
                "{server} {exchange}"
            );
            seen += 1;
        }
        assert!(seen >= 2, "{server}: only {seen} specs");
    }
    assert_ne!(plain.digest(), as_meant.digest());
    assert_ne!(plain.digest(), on_gpu.digest());
}

#[test]
fn a_v1_workflow_is_recognised_on_every_server() {
    // A Kubernetes store takes pipeline specs only, and nobody tried with several users.
    for server in ["2.0.5", "2.5.0", "2.16.1", "2.17.0"] {
        let specs = recorded_specs(server);
        let (_, workflow) = specs
            .iter()
            .find(|(name, _)| name == "version_upload_v1_workflow")
            .unwrap();
        assert_eq!(
            Spec::from_server(workflow),
            Err(SpecError::V1Workflow),
            "{server}"
        );
    }
}

#[test]
fn what_is_no_spec_is_told() {
    use serde_json::json;
    assert_eq!(Spec::from_server(&json!(null)), Err(SpecError::Empty));
    assert_eq!(Spec::from_server(&json!({})), Err(SpecError::Empty));
    assert_eq!(
        Spec::from_server(&json!({"pipeline_spec": {}})),
        Err(SpecError::Empty)
    );
    for odd in [
        json!([]),
        json!("x"),
        json!(3),
        json!({"a": 1}),
        json!({"pipeline_spec": []}),
    ] {
        assert!(
            matches!(Spec::from_server(&odd), Err(SpecError::NotAPipeline { .. })),
            "{odd}"
        );
    }
}

#[test]
fn the_size_is_close_to_that_of_the_upload() {
    let spec = compiled("evaluation-on-gpu.yaml", Value::from("1e3"));
    let file = upload_documents(&spec).unwrap().len();
    assert!(
        spec.size() <= file && file < spec.size() * 2,
        "{} {file}",
        spec.size()
    );
}
