//! From an uploaded text to the spec the server keeps, or its reason not to.

use super::dialect::Dialect;
use super::ir::{self, Release};
use super::yaml::{self, Document, YamlError};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, json};

/// The only IR schema every 2.x server takes.
const SCHEMA_VERSION: &str = "2.1.0";

/// Most bytes of `pipelineInfo.name`.
const MAX_NAME: usize = 128;

/// Why a text is not kept; the words are the server's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing in it (recording 2.17.0: `version_upload_empty_file` answers 500).
    #[error("unknown template format")]
    Empty,
    /// Not YAML.
    #[error("failed to parse pipeline spec YAML: {0}")]
    Broken(#[from] YamlError),
    /// Not a pipeline, or not one of a known schema.
    #[error("{0}")]
    Format(String),
    /// A pipeline of a name that the server does not take.
    #[error("{0}")]
    Name(&'static str),
    /// An Argo workflow, which the Kubernetes store does not take.
    #[error("Failed to store an Argo workflow")]
    Workflow,
}

/// Reads a spec as the server of that dialect does: pipeline and perhaps platform in several YAML documents, or an
/// Argo workflow. `None` is a spec that the server takes and cannot read again.
///
/// # Errors
/// As the server refuses it.
pub fn read(text: &[u8], dialect: &Dialect) -> Result<Option<Box<RawValue>>, TemplateError> {
    if text.is_empty() {
        return Err(TemplateError::Empty);
    }
    let documents = yaml::documents(text)?;
    let spec = match documents.first() {
        Some(Document::Mapping(first)) if is_workflow(first) => {
            if !dialect.on_database() {
                return Err(TemplateError::Workflow);
            }
            super::workflow::stored(first, dialect)
        }
        _ => pipeline(documents, dialect.release())?,
    };
    if holds_delete(&spec) {
        return Ok(None);
    }
    Ok(RawValue::from_string(as_doubles(spec).to_string()).ok())
}

/// The server writes U+007F into its own YAML as it is and cannot read that back: such a version is stored and
/// answers without a spec (seen on 2.0.5 to 2.17.0).
fn holds_delete(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\u{7f}'),
        Value::Array(values) => values.iter().any(holds_delete),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key.contains('\u{7f}') || holds_delete(value)),
        _ => false,
    }
}

fn is_workflow(document: &Map<String, Value>) -> bool {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    text("apiVersion").starts_with("argoproj.io/") && text("kind") == "Workflow"
}

fn pipeline(documents: Vec<Document>, release: Release) -> Result<Value, TemplateError> {
    let invalid = |words: &str| Err(TemplateError::Format(words.to_owned()));
    let (mut spec, mut platform) = (None, None);
    for document in documents {
        let Document::Mapping(document) = document else {
            continue;
        };
        if let Some(document) = ir::pipeline_spec(&document, release) {
            if spec.replace(document).is_some() {
                return invalid("multiple pipeline specs provided");
            }
        } else if let Some(document) = ir::platform_spec(&document, release)
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
        return Err(TemplateError::Name(
            "pipeline's name must contain no more than 128 characters",
        ));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(plain) || !name.chars().all(|c| plain(c) || c == '-') {
        return Err(TemplateError::Name(
            "pipeline's name must contain only lowercase alphanumeric characters or '-' and must start with \
             alphanumeric characters",
        ));
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
    if double.fract() == 0.0 && double.abs() < 1e18 && !(double == 0.0 && double.is_sign_negative()) {
        return (double as i64).into();
    }
    Number::from_f64(double).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "pipelineInfo: {name: p}\nroot: {}\nschemaVersion: 2.1.0\n";

    fn kept(text: &str) -> Value {
        let spec = read(text.as_bytes(), &Dialect::default()).unwrap().unwrap();
        serde_json::from_str(spec.get()).unwrap()
    }

    fn refused(text: &str) -> String {
        read(text.as_bytes(), &Dialect::default())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_platform_wraps_both() {
        assert_eq!(kept(SPEC)["schemaVersion"], "2.1.0");
        let platform = "---\nplatforms: {kubernetes: {deploymentSpec: {executors: {e: {n: 1.0}}}}}\n";
        let wrapped = kept(&format!("{SPEC}{platform}"));
        assert_eq!(wrapped["pipeline_spec"], kept(SPEC));
        assert_eq!(
            wrapped["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["e"]["n"],
            1
        );
        assert_eq!(kept(&format!("{platform}---\n{SPEC}")), wrapped);
        assert_eq!(kept(&format!("{SPEC}---\nother: 1\n")), kept(SPEC));
    }

    #[test]
    fn refusals_are_in_the_servers_words() {
        assert_eq!(refused("hello: world"), "unknown template format");
        assert_eq!(
            refused(&format!("{SPEC}---\n{SPEC}")),
            "multiple pipeline specs provided"
        );
        let name = |name: &str| refused(&SPEC.replace("name: p", &format!("name: {name}")));
        assert!(name("P").contains("lowercase alphanumeric"), "{}", name("P"));
        assert!(name(&"p".repeat(129)).contains("no more than 128"));
        assert!(refused("a: [1, 2\nb: }").starts_with("failed to parse pipeline spec YAML: yaml: line "));
        assert_eq!(read(b"", &Dialect::default()).unwrap_err(), TemplateError::Empty);
    }

    #[test]
    fn numbers_are_doubles() {
        let text = |default: &str| {
            SPEC.replace(
                "root: {}",
                &format!("root: {{inputDefinitions: {{parameters: {{a: {{defaultValue: {default}}}}}}}}}"),
            )
        };
        let default = |text: &str| {
            kept(text)["root"]["inputDefinitions"]["parameters"]["a"]["defaultValue"].to_string()
        };
        assert_eq!(default(&text("3.0")), "3");
        assert_eq!(default(&text("9007199254740993")), "9007199254740992");
        assert_eq!(default(&text("0.1")), "0.1");
        assert_eq!(default(&text("-0.0")), "-0.0");
        assert_eq!(default(&text("1e300")), "1e+300");
    }

    #[test]
    fn a_delete_character_is_taken_and_lost() {
        let text = SPEC.replace("name: p", "name: p, description: \"a\\x7fb\"");
        assert!(read(text.as_bytes(), &Dialect::default()).unwrap().is_none());
    }

    fn with_default(default: &str) -> String {
        let parameter = format!(r#"{{"parameterType": "STRUCT", "defaultValue": {default}}}"#);
        format!(
            r#"{{"pipelineInfo": {{"name": "p"}}, "schemaVersion": "2.1.0",
                 "root": {{"inputDefinitions": {{"parameters": {{"a": {parameter}}}}}}}}}"#
        )
    }

    /// Characters that yaml.v3 does not take as they are.
    fn unprintable(c: char) -> bool {
        matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    }

    proptest::proptest! {
        /// JSON is stored to the letter or refused, whatever text it holds. Only the line breaks that JSON does not
        /// know as such come back changed, as from the real server.
        #[test]
        fn json_documents_are_kept_as_they_are(text in ".*", key in ".{0,40}", number in proptest::num::f64::NORMAL) {
            let default = serde_json::json!({key.clone(): [text, {"x": key}, number]});
            let document = with_default(&default.to_string());
            let broken = |c| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
            match read(document.as_bytes(), &Dialect::default()) {
                Ok(kept) => {
                    let kept: Value = serde_json::from_str(kept.unwrap().get()).unwrap();
                    let kept = &kept["root"]["inputDefinitions"]["parameters"]["a"]["defaultValue"];
                    if !document.contains(broken) {
                        proptest::prop_assert_eq!(&kept[&key][0], &default[&key][0]);
                        proptest::prop_assert_eq!(&kept[&key][1], &default[&key][1]);
                        proptest::prop_assert_eq!(kept[&key][2].as_f64(), Some(number));
                    }
                }
                Err(error) => proptest::prop_assert!(
                    document.contains(unprintable) || document.contains(broken),
                    "{error}: {document:?}"
                ),
            }
        }
    }
}
