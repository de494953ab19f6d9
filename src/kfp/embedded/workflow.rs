//! Argo workflows of KFP version 1, which the server still takes.

use super::dialect::Dialect;
use serde_json::{Map, Value, json};

/// The workflow as the server gives it back: written out from its own types, so that members that are
/// never absent there appear although nobody sent them (recording 2.17.0: `version_upload_v1_workflow`).
pub fn stored(document: &Map<String, Value>, dialect: &Dialect) -> Value {
    let mut workflow = Value::Object(document.clone());
    if !workflow["metadata"].is_object() {
        workflow["metadata"] = json!({});
    }
    if dialect.dates_workflows() {
        workflow["metadata"]["creationTimestamp"] = Value::Null;
    }
    if !workflow["spec"].is_object() {
        workflow["spec"] = json!({});
    }
    workflow["status"] = json!({"finishedAt": null, "startedAt": null});
    let spec = &mut workflow["spec"];
    fill(spec, "arguments");
    if let Some(templates) = spec["templates"].as_array_mut() {
        for template in templates {
            for member in ["inputs", "metadata", "outputs"] {
                fill(template, member);
            }
            if let Some(container) = template.get_mut("container").and_then(Value::as_object_mut) {
                container.entry("name").or_insert_with(|| json!(""));
                container.entry("resources").or_insert_with(|| json!({}));
            }
        }
    }
    workflow
}

fn fill(value: &mut Value, member: &str) {
    if let Some(object) = value.as_object_mut() {
        object.entry(member).or_insert_with(|| json!({}));
    }
}
