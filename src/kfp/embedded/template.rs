//! From an uploaded text to the spec the server keeps, or its reason not to.

use super::yaml::{self, Document};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, json};

/// The only IR schema every 2.x server takes.
const SCHEMA_VERSION: &str = "2.1.0";

/// Most bytes of `pipelineInfo.name`.
const MAX_NAME: usize = 128;

/// Why a text is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing in it (recording 2.17.0: `version_upload_empty_file` answers 500).
    #[error("the file is empty")]
    Empty,
    /// Not a pipeline, or one the server refuses; the words are the server's.
    #[error("{0}")]
    Invalid(String),
}

/// Reads a spec: pipeline and perhaps platform in several YAML documents, or an Argo workflow.
///
/// # Errors
/// As the server refuses it.
pub fn read(text: &[u8]) -> Result<Option<Box<RawValue>>, TemplateError> {
    if text.is_empty() {
        return Err(TemplateError::Empty);
    }
    let documents = yaml::documents(text)
        .map_err(|error| TemplateError::Invalid(format!("failed to parse pipeline spec YAML: {error}")))?;
    let spec = match documents.first() {
        Some(Document::Mapping(first)) if is_workflow(first) => super::workflow::stored(first),
        _ => pipeline(documents)?,
    };
    Ok(RawValue::from_string(as_doubles(spec).to_string()).ok())
}

fn is_workflow(document: &Map<String, Value>) -> bool {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    text("apiVersion").starts_with("argoproj.io/") && text("kind") == "Workflow"
}

fn pipeline(documents: Vec<Document>) -> Result<Value, TemplateError> {
    let invalid = |words: &str| Err(TemplateError::Invalid(words.to_owned()));
    let (mut spec, mut platform) = (None, None);
    for document in documents {
        let Document::Mapping(document) = document else {
            continue;
        };
        if let Some(document) = super::ir::pipeline_spec(&document) {
            if spec.replace(document).is_some() {
                return invalid("multiple pipeline specs provided");
            }
        } else if let Some(document) = super::ir::platform_spec(&document)
            && platform.replace(document).is_some()
        {
            return invalid("multiple platform specs provided");
        }
    }
    let Some(spec) = spec else {
        return invalid("unknown template format");
    };
    let version = spec["schemaVersion"].as_str().unwrap_or_default();
    if version != SCHEMA_VERSION {
        return invalid(&format!(
            "KFP only supports schema version {SCHEMA_VERSION}, but the pipeline spec has version {version}"
        ));
    }
    let name = spec["pipelineInfo"]["name"].as_str().unwrap_or_default();
    if name.len() > MAX_NAME {
        return invalid("pipeline's name must contain no more than 128 characters");
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(plain) || !name.chars().all(|c| plain(c) || c == '-') {
        return invalid(
            "pipeline's name must contain only lowercase alphanumeric characters or '-' and must start with \
             alphanumeric characters",
        );
    }
    Ok(match platform {
        Some(platform) => json!({"pipeline_spec": spec, "platform_spec": platform}),
        None => spec,
    })
}

/// The server answers with a protobuf `Struct`, where every number is a double.
fn as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => double(&number),
        Value::Array(values) => values.into_iter().map(as_doubles).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, as_doubles(value)))
            .collect(),
        other => other,
    }
}

fn double(number: &Number) -> Value {
    let Some(double) = number.as_f64() else {
        return Value::Null;
    };
    // Written without a fraction where it has none, up to the size at which the server takes to exponents.
    if double.fract() == 0.0 && double.abs() < 1e18 {
        return (double as i64).into();
    }
    Number::from_f64(double).map_or(Value::Null, Value::Number)
}
