//! The `filter` parameter: JSON predicates, decoded once more than anybody expects.

use super::answer::{Code, Refusal};
use super::body::camel_case;
use super::dialect::Dialect;
use super::store::{Listable, Operand, Operation, Predicate, Subject};
use chrono::DateTime;
use serde_json::{Map, Value};

/// Why a filter is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// It cannot be read at all.
    Unreadable(String),
    /// It can be read, but not followed.
    Unusable(String),
}

impl FilterError {
    /// The refusal in the words of the dialect. `context` is that of a list whose options cannot be followed.
    #[must_use]
    pub fn refusal(self, plural: &str, sent: &str, context: &str, dialect: &Dialect) -> Refusal {
        let refuse = |context: &str, short: String| Refusal::chain(Code::InvalidArgument, context, short);
        match self {
            Self::Unusable(short) => refuse(context, short),
            Self::Unreadable(cause) if dialect.has_tags() => refuse(
                &format!("Failed to list {plural} due to invalid tag filter in filter spec"),
                format!("failed to parse filter spec: {cause}"),
            ),
            Self::Unreadable(cause) => refuse(
                context,
                format!("failed to parse valid filter from {sent:?}: {cause}"),
            ),
        }
    }
}

/// The JSON of a filter. `text` has been decoded once as every query parameter; the server decodes it a
/// second time, so a name with `%` or `+` arrives damaged unless it was encoded twice
/// (recording 2.17.0: `pipelines_filter_plus_percent_encoded_once`; 2.5.0 does not even notice).
///
/// # Errors
/// Not JSON.
pub fn json_of(text: &str, dialect: &Dialect) -> Result<Value, FilterError> {
    let bytes = query_unescape(text.as_bytes())
        .map_err(|escape| FilterError::Unreadable(format!("invalid URL escape \"{escape}\"")))?;
    let syntax = |column: usize, problem: &str| {
        FilterError::Unreadable(format!("proto:\u{a0}syntax error (line 1:{column}): {problem}"))
    };
    let decoded = match String::from_utf8(bytes) {
        Ok(decoded) => decoded,
        Err(error) if dialect.old_gateway() => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        Err(error) => {
            let start = string_around(error.as_bytes(), error.utf8_error().valid_up_to());
            return Err(syntax(start + 1, "invalid UTF-8 in string"));
        }
    };
    serde_json::from_str(&decoded).map_err(|error| {
        let start = decoded.len() - decoded.trim_start().len();
        let word: String = decoded[start..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric())
            .collect();
        if word.is_empty() {
            syntax(error.column(), &error.to_string())
        } else {
            syntax(start + 1, &format!("invalid value {word}"))
        }
    })
}

/// The predicates of a filter on `listable`.
///
/// # Errors
/// A member nobody knows, a field that cannot be filtered on, an operation that does not fit its value.
pub fn predicates(
    json: &Value,
    listable: &Listable,
    dialect: &Dialect,
) -> Result<Vec<Predicate>, FilterError> {
    let Value::Object(filter) = json else {
        return Err(unreadable("syntax error (line 1:1): unexpected token"));
    };
    let mut predicates = Vec::new();
    for (name, value) in filter {
        match (name.as_str(), value) {
            ("predicates", Value::Array(list)) => {
                for item in list {
                    let Value::Object(item) = item else {
                        return Err(unreadable("syntax error (line 1:1): unexpected token"));
                    };
                    predicates.push(predicate(item, listable, dialect)?);
                }
            }
            ("predicates", _) => return Err(unreadable("syntax error (line 1:1): unexpected token")),
            (other, _) => return Err(unreadable(&format!("(line 1:2): unknown field \"{other}\""))),
        }
    }
    Ok(predicates)
}

fn unreadable(words: &str) -> FilterError {
    FilterError::Unreadable(format!("proto:\u{a0}{words}"))
}

const VALUES: [&str; 7] = [
    "int_value",
    "long_value",
    "string_value",
    "timestamp_value",
    "int_values",
    "long_values",
    "string_values",
];

fn predicate(
    item: &Map<String, Value>,
    listable: &Listable,
    dialect: &Dialect,
) -> Result<Predicate, FilterError> {
    let (mut key, mut operation, mut values) = ("", None, Vec::new());
    let mut several = false;
    for (name, value) in item {
        match name.as_str() {
            "key" => key = value.as_str().unwrap_or_default(),
            "operation" => operation = Some(operation_of(value)?),
            name => {
                let Some(kind) = VALUES
                    .iter()
                    .find(|known| **known == name || camel_case(known) == name)
                else {
                    return Err(unreadable(&format!("(line 1:2): unknown field \"{name}\"")));
                };
                several = kind.ends_with("_values");
                values = operands(kind, value)
                    .ok_or_else(|| unreadable(&format!("(line 1:2): invalid value for {kind}")))?;
            }
        }
    }
    let unusable = |words: String| Err(FilterError::Unusable(words));
    let Some(operation) = operation else {
        return unusable("invalid predicate operation: OPERATION_UNSPECIFIED".to_owned());
    };
    if key.is_empty() {
        return unusable("Predicate key cannot be empty".to_owned());
    }
    if values.is_empty() && !several {
        return unusable("predicate has no value".to_owned());
    }
    let subject = match key.strip_prefix("tags.") {
        Some(tag) if listable.tagged && dialect.has_tags() => {
            if operation != Operation::Equals {
                return unusable(format!("tag filter on {tag:?} only supports EQUALS"));
            }
            Subject::Tag(tag.to_owned())
        }
        _ => match listable.field(key, dialect) {
            Some(field) => Subject::Field(field),
            None => {
                return unusable(format!(
                    "no support for filtering on unrecognized field \"{key}\""
                ));
            }
        },
    };
    use Operation::{Equals, In, IsSubstring, NotEquals};
    if !dialect.on_database() && !matches!(operation, Equals | NotEquals | In | IsSubstring) {
        return unusable(format!(
            "Filter {operation:?} is not implemented for Kubernetes pipeline store. Supported filters are eq, neq, in, \
             and substring."
        ));
    }
    match (operation, several) {
        (Operation::In, false) => unusable("cannot use IN operator with scalar type".to_owned()),
        (Operation::In, true) | (_, false) => Ok(Predicate {
            subject,
            operation,
            values,
        }),
        (_, true) => unusable(format!("cannot use scalar operator {operation:?} on array type")),
    }
}

/// By name or by number; the official client sends numbers.
fn operation_of(value: &Value) -> Result<Operation, FilterError> {
    let operation = match value {
        Value::String(name) => match name.as_str() {
            "EQUALS" => Operation::Equals,
            "NOT_EQUALS" => Operation::NotEquals,
            "GREATER_THAN" => Operation::GreaterThan,
            "GREATER_THAN_EQUALS" => Operation::GreaterThanEquals,
            "LESS_THAN" => Operation::LessThan,
            "LESS_THAN_EQUALS" => Operation::LessThanEquals,
            "IN" => Operation::In,
            "IS_SUBSTRING" => Operation::IsSubstring,
            other => {
                return Err(unreadable(&format!(
                    "(line 1:2): invalid value for enum field operation: \"{other}\""
                )));
            }
        },
        Value::Number(number) => match number.as_u64() {
            Some(1) => Operation::Equals,
            Some(2) => Operation::NotEquals,
            Some(3) => Operation::GreaterThan,
            Some(5) => Operation::GreaterThanEquals,
            Some(6) => Operation::LessThan,
            Some(7) => Operation::LessThanEquals,
            Some(8) => Operation::In,
            Some(9) => Operation::IsSubstring,
            _ => {
                return Err(FilterError::Unusable(format!(
                    "invalid predicate operation: {number}"
                )));
            }
        },
        other => {
            return Err(unreadable(&format!(
                "(line 1:2): invalid value for enum field operation: {other}"
            )));
        }
    };
    Ok(operation)
}

fn operands(kind: &str, value: &Value) -> Option<Vec<Operand>> {
    let text = |value: &Value| value.as_str().map(|text| Operand::Text(text.to_owned()));
    // 64-bit numbers come as text in protobuf's JSON.
    let number = |value: &Value| {
        value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .map(Operand::Number)
    };
    match kind {
        "string_value" => Some(vec![text(value)?]),
        "int_value" | "long_value" => Some(vec![number(value)?]),
        "timestamp_value" => Some(vec![Operand::Number(
            DateTime::parse_from_rfc3339(value.as_str()?).ok()?.timestamp(),
        )]),
        "string_values" => value.get("values")?.as_array()?.iter().map(text).collect(),
        "int_values" | "long_values" => value.get("values")?.as_array()?.iter().map(number).collect(),
        _ => None,
    }
}

/// Decodes `%41` and `+`; a bad escape is the error.
fn query_unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = tail.get(..2).and_then(|digits| hex::decode(digits).ok());
                let Some(decoded) = digits else {
                    let escape = &tail[..tail.len().min(2)];
                    return Err(format!("%{}", String::from_utf8_lossy(escape)));
                };
                bytes.extend(decoded);
                rest = &tail[2..];
            }
            byte => bytes.push(byte),
        }
    }
    Ok(bytes)
}

/// Where the JSON string around `offset` starts.
fn string_around(bytes: &[u8], offset: usize) -> usize {
    let (mut start, mut inside, mut index) = (offset, false, 0);
    while index < offset.min(bytes.len()) {
        match bytes[index] {
            b'\\' if inside => index += 1,
            b'"' => {
                inside = !inside;
                start = index;
            }
            _ => {}
        }
        index += 1;
    }
    if inside { start } else { offset }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kfp::embedded::store::{Listed, Pipeline};

    fn read(text: &str) -> Result<Vec<Predicate>, FilterError> {
        let dialect = Dialect::default();
        predicates(&json_of(text, &dialect)?, &Pipeline::LISTABLE, &dialect)
    }

    #[test]
    fn the_official_clients_spelling_is_understood() {
        let found =
            read(r#"{"predicates":[{"operation":1,"key":"display_name","stringValue":"a"}]}"#).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].operation, Operation::Equals);
    }

    #[test]
    fn messages_are_the_servers() {
        let words = |text| match read(text).unwrap_err() {
            FilterError::Unreadable(words) | FilterError::Unusable(words) => words,
        };
        assert_eq!(
            words("nope"),
            "proto:\u{a0}syntax error (line 1:1): invalid value nope"
        );
        assert_eq!(
            words(
                r#"{"predicates": [{"operation": "EQUALS", "key": "name", "string_value": "A+B 100%demoe537"}]}"#
            ),
            "proto:\u{a0}syntax error (line 1:72): invalid UTF-8 in string"
        );
        assert_eq!(
            words(r#"{"predicates":[{"operation":"EQUALS","key":"nope","string_value":"x"}]}"#),
            "no support for filtering on unrecognized field \"nope\""
        );
        assert!(words("100%").contains("invalid URL escape \"%\""));
    }

    #[test]
    fn operations_must_fit_their_values() {
        for text in [
            r#"{"predicates":[{"operation":"IN","key":"name","string_value":"x"}]}"#,
            r#"{"predicates":[{"operation":"EQUALS","key":"name","string_values":{"values":["x"]}}]}"#,
            r#"{"predicates":[{"operation":"NOT_EQUALS","key":"tags.a","string_value":"x"}]}"#,
            r#"{"predicates":[{"operation":"EQUALS","key":"name"}]}"#,
            r#"{"predicates":[{"key":"name","string_value":"x"}]}"#,
            r#"{"other":1}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(
            read(r#"{"predicates":[{"operation":"IN","key":"name","string_values":{"values":["x"]}}]}"#)
                .is_ok()
        );
        assert!(read("{}").unwrap().is_empty());
    }
}
