//! Which documents are pipeline specs and platform specs, and how the server writes them out again.
//!
//! The server reads a document into protobuf messages and gives back what those hold: unknown members refuse
//! the document, members that say nothing disappear, 64-bit numbers become text.

mod needs;
mod schema;

pub use needs::{Need, Needs, needs_of_pipeline, needs_of_platform};
pub use schema::{EVER, Release};

use super::body::camel_case;
use schema::{Kind, Message, PARAMETER_TYPES, PIPELINE_SPEC, PLATFORM_SPEC, TASK_CONFIG_SINCE};
use serde_json::{Map, Number, Value};

/// The document as the server keeps it, where it is a pipeline spec.
pub fn pipeline_spec(document: &Map<String, Value>, release: Release) -> Option<Value> {
    let spec = rewrite(document, &PIPELINE_SPEC, release)?;
    let named = spec.get("pipelineInfo")?.get("name").is_some();
    (named && spec.contains_key("root")).then_some(Value::Object(spec))
}

/// The document as the server keeps it, where it is a platform spec for Kubernetes. Any other document beside
/// a pipeline spec is dropped without a word.
pub fn platform_spec(document: &Map<String, Value>, release: Release) -> Option<Value> {
    let spec = rewrite(document, &PLATFORM_SPEC, release)?;
    spec.get("platforms")?.get("kubernetes")?;
    Some(Value::Object(spec))
}

/// A message read and written out again; `None` where it does not fit.
fn rewrite(object: &Map<String, Value>, message: &Message, release: Release) -> Option<Map<String, Value>> {
    let mut written = Map::new();
    let mut groups = Vec::new();
    for (name, value) in object {
        let member = message.0.iter().find(|member| {
            (member.name == name || camel_case(name) == member.name)
                && member.since <= release
                && release < member.until
        })?;
        if value.is_null() && !matches!(member.kind, Kind::Value) {
            continue;
        }
        if !member.one_of.is_empty() {
            if groups.contains(&member.one_of) {
                return None;
            }
            groups.push(member.one_of);
        }
        let value = convert(value, &member.kind, release)?;
        // Both spellings of one member are one member too many.
        if (!member.one_of.is_empty() || says_something(&value, &member.kind))
            && written.insert(member.name.to_owned(), value).is_some()
        {
            return None;
        }
    }
    Some(written)
}

/// Whether a member is worth writing: plain values and collections are not when they are empty.
fn says_something(value: &Value, kind: &Kind) -> bool {
    match kind {
        Kind::Text => value.as_str() != Some(""),
        Kind::Bool => value.as_bool() != Some(false),
        Kind::Int32 | Kind::Double => value.as_f64() != Some(0.0),
        Kind::Int64 => value.as_str() != Some("0"),
        Kind::Enum(names) => value.as_str() != names.first().copied(),
        Kind::ParameterType => value.as_str() != PARAMETER_TYPES.first().copied(),
        Kind::List(_) => value.as_array().is_some_and(|list| !list.is_empty()),
        Kind::Map(_) => value.as_object().is_some_and(|map| !map.is_empty()),
        Kind::Duration | Kind::Struct | Kind::Value | Kind::Message(_) => true,
    }
}

fn convert(value: &Value, kind: &Kind, release: Release) -> Option<Value> {
    match (kind, value) {
        (Kind::Text, Value::String(_)) | (Kind::Bool, Value::Bool(_)) | (Kind::Struct, Value::Object(_)) => {
            Some(value.clone())
        }
        (Kind::Value, value) => Some(value.clone()),
        (Kind::Int32, value) => i32::try_from(whole(value)?).ok().map(Value::from),
        (Kind::Int64, value) => Some(whole(value)?.to_string().into()),
        (Kind::Double, Value::Number(_)) => Some(value.clone()),
        (Kind::Double, Value::String(text)) => Some(Value::Number(Number::from_f64(text.parse().ok()?)?)),
        (Kind::Enum(names), value) => enumerator(value, names),
        (Kind::ParameterType, value) => {
            let known = if release < TASK_CONFIG_SINCE {
                PARAMETER_TYPES.len() - 1
            } else {
                PARAMETER_TYPES.len()
            };
            enumerator(value, &PARAMETER_TYPES[..known])
        }
        (Kind::Duration, Value::String(text)) => duration(text).map(Value::String),
        (Kind::Message(message), Value::Object(object)) => {
            rewrite(object, message, release).map(Value::Object)
        }
        (Kind::List(kind), Value::Array(list)) => list
            .iter()
            .map(|value| convert(value, kind, release))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        (Kind::Map(kind), Value::Object(map)) => map
            .iter()
            .map(|(name, value)| Some((name.clone(), convert(value, kind, release)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Value::Object),
        _ => None,
    }
}

/// A name of an enumeration, written as itself or as its number.
fn enumerator(value: &Value, names: &[&str]) -> Option<Value> {
    let index = match value {
        Value::String(name) => names.iter().position(|known| known == name)?,
        Value::Number(number) => usize::try_from(number.as_u64()?).ok()?,
        _ => return None,
    };
    names.get(index).map(|name| (*name).into())
}

/// A whole number: written as one, as a fraction without a fraction, or as text.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let double = number.as_f64()?;
            (double.fract() == 0.0 && double.abs() < 9e15).then_some(double as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// `1.5s` with its fraction in three, six or nine digits, or none.
fn duration(text: &str) -> Option<String> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !plain(digits) || !plain(fraction) || fraction.len() > 9 {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let length = fraction.len().div_ceil(3) * 3;
    let dot = if length == 0 { "" } else { "." };
    Some(format!("{whole}{dot}{fraction:0<length$}s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NEWEST: Release = (17, 0);

    fn kept(document: Value, release: Release) -> Option<Value> {
        pipeline_spec(document.as_object().unwrap(), release)
    }

    fn with_root(root: Value) -> Value {
        json!({"pipelineInfo": {"name": "p"}, "root": root, "schemaVersion": "2.1.0"})
    }

    fn with_parameter(parameter: Value) -> Value {
        with_root(json!({"inputDefinitions": {"parameters": {"a": parameter}}}))
    }

    #[test]
    fn members_that_say_nothing_disappear() {
        let task = json!({
            "taskInfo": {"name": ""}, "cachingOptions": {"enableCache": false}, "dependentTasks": [], "inputs": {},
            "retryPolicy": {"maxRetryCount": 0, "backoffFactor": 2.0},
        });
        let spec = kept(
            with_root(json!({"dag": {"tasks": {"t": task}}, "inputDefinitions": null})),
            NEWEST,
        )
        .unwrap();
        assert_eq!(
            spec["root"],
            json!({"dag": {"tasks": {"t": {
                "taskInfo": {}, "cachingOptions": {}, "inputs": {}, "retryPolicy": {"backoffFactor": 2.0},
            }}}})
        );
    }

    #[test]
    fn what_a_user_wrote_is_never_touched() {
        let value = json!({"empty": "", "zero": 0, "no": false, "none": null, "list": [], "map": {}, "snake_case": 1});
        let spec = kept(
            with_parameter(json!({"parameterType": "STRUCT", "defaultValue": value})),
            NEWEST,
        )
        .unwrap();
        assert_eq!(
            spec["root"]["inputDefinitions"]["parameters"]["a"]["defaultValue"],
            value
        );
        let mut document = with_root(json!({}));
        document["deploymentSpec"] = value.clone();
        assert_eq!(kept(document, NEWEST).unwrap()["deploymentSpec"], value);
        let null = kept(with_parameter(json!({"defaultValue": null})), NEWEST).unwrap();
        assert_eq!(
            null["root"]["inputDefinitions"]["parameters"]["a"],
            json!({"defaultValue": null})
        );
    }

    #[test]
    fn unknown_members_refuse_the_document_at_every_depth() {
        assert!(kept(with_root(json!({"newField": 1})), NEWEST).is_none());
        assert!(kept(with_parameter(json!({"newField": 1})), NEWEST).is_none());
        assert!(kept(with_parameter(json!({"parameterType": "NEW"})), NEWEST).is_none());
        assert!(kept(with_parameter(json!({"isOptional": "true"})), NEWEST).is_none());
        assert!(kept(with_root(json!({"dag": {}, "executorLabel": "x"})), NEWEST).is_none());
        assert!(kept(json!({"pipelineInfo": {"name": "p"}}), NEWEST).is_none());
        assert!(kept(json!({"pipelineInfo": {"name": ""}, "root": {}}), NEWEST).is_none());
    }

    #[test]
    fn older_servers_know_fewer_members() {
        let literals = || with_parameter(json!({"parameterType": "STRING", "literals": ["a"]}));
        assert!(kept(literals(), (15, 2)).is_none());
        assert!(kept(literals(), (16, 1)).is_some());
        let task_config = || with_parameter(json!({"parameterType": "TASK_CONFIG"}));
        assert!(kept(task_config(), (14, 0)).is_none());
        assert!(kept(task_config(), (15, 0)).is_some());
        let cache_key = || with_root(json!({"dag": {"tasks": {"t": {"cachingOptions": {"cacheKey": "k"}}}}}));
        assert!(kept(cache_key(), (0, 5)).is_none());
        assert!(kept(cache_key(), (5, 0)).is_some());
    }

    #[test]
    fn a_platform_with_an_unknown_member_is_no_platform() {
        let workspace =
            json!({"platforms": {"kubernetes": {"pipelineConfig": {"workspace": {"size": "1Gi"}}}}});
        let workspace = workspace.as_object().unwrap();
        assert_eq!(platform_spec(workspace, (5, 0)), None);
        assert_eq!(
            platform_spec(workspace, NEWEST),
            Some(Value::Object(workspace.clone()))
        );
        let other = json!({"platforms": {"other": {}}});
        assert_eq!(platform_spec(other.as_object().unwrap(), NEWEST), None);
    }

    #[test]
    fn both_spellings_are_read_and_one_is_written() {
        let spec = kept(
            json!({"pipeline_info": {"name": "p", "display_name": "P"}, "root": {}}),
            NEWEST,
        )
        .unwrap();
        assert_eq!(
            spec,
            json!({"pipelineInfo": {"name": "p", "displayName": "P"}, "root": {}})
        );
    }

    #[test]
    fn numbers_and_durations_are_written_as_protobuf_writes_them() {
        let value = |value| convert(&value, &Kind::Int64, NEWEST);
        assert_eq!(value(json!(3)), Some(json!("3")));
        assert_eq!(value(json!("3")), Some(json!("3")));
        assert_eq!(value(json!(3.0)), Some(json!("3")));
        assert_eq!(value(json!(3.5)), None);
        for (text, written) in [
            ("3600s", "3600s"),
            ("0.5s", "0.500s"),
            ("1.0s", "1s"),
            ("1.0001s", "1.000100s"),
        ] {
            assert_eq!(duration(text).as_deref(), Some(written));
        }
        assert_eq!(duration("1h"), None);
    }
}
