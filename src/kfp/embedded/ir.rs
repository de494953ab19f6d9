//! The IR's own rules: which documents are pipeline specs and platform specs.

use serde_json::{Map, Value};

/// The document as the server keeps it, where it is a pipeline spec.
pub fn pipeline_spec(document: &Map<String, Value>) -> Option<Value> {
    const KNOWN: [&str; 7] = [
        "pipelineInfo",
        "deploymentSpec",
        "schemaVersion",
        "sdkVersion",
        "components",
        "root",
        "defaultPipelineRoot",
    ];
    let named = document
        .get("pipelineInfo")?
        .get("name")?
        .as_str()
        .is_some_and(|name| !name.is_empty());
    let known = document.keys().all(|key| KNOWN.contains(&key.as_str()));
    (named && known && document.get("root")?.is_object()).then(|| Value::Object(document.clone()))
}

/// The document as the server keeps it, where it is a platform spec for Kubernetes.
pub fn platform_spec(document: &Map<String, Value>) -> Option<Value> {
    let known = document.keys().all(|key| key == "platforms");
    (known && document.get("platforms")?.get("kubernetes").is_some()).then(|| Value::Object(document.clone()))
}
