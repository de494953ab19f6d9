//! YAML read the way the real server reads it.
//!
//! The server parses with Go's yaml.v3, which is a port of libyaml that follows YAML 1.2 for most scalars
//! and YAML 1.1 for some. `serde_yaml` stands on libyaml as well, so both agree on what is well-formed; what
//! differs is which plain scalars are numbers, and that is decided here. The differences matter: kfp writes
//! the string default `1e3` without quotes and the server stores the number 1000 (recording 2.17.0:
//! `version_upload`, parameter `note`).

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// Text that is not YAML. Released servers never answer such an upload; the development branch of August 2026
/// answers 400 with this text, and so do we.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {line}: {problem}")]
pub struct YamlError {
    /// Counted from 1.
    pub line: usize,
    /// libyaml's words.
    pub problem: String,
}

/// One document, as far as it can be said in JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A mapping.
    Mapping(Map<String, Value>),
    /// Something else, or a mapping with what JSON cannot hold: NaN, infinities, keys that are not text, the
    /// same key twice. The server skips such documents.
    Other,
}

/// Reads all documents.
///
/// # Errors
/// The text is not YAML.
pub fn documents(text: &[u8]) -> Result<Vec<Document>, YamlError> {
    if let Some(error) = escaped_slash(text) {
        return Err(error);
    }
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_slice(text) {
        let reader = Reader {
            text,
            unsayable: Cell::new(false),
        };
        let value = Node(&reader)
            .deserialize(document)
            .map_err(|error| broken(&error))?;
        documents.push(match value {
            Value::Object(map) if !reader.unsayable.get() => Document::Mapping(map),
            _ => Document::Other,
        });
    }
    Ok(documents)
}

fn broken(error: &serde_yaml::Error) -> YamlError {
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or(&text).to_owned();
    YamlError {
        line: error.location().map_or(1, |location| location.line()),
        problem,
    }
}

/// JSON may escape a slash; libyaml accepts it, yaml.v3 does not. Only looked for in text that is JSON,
/// because elsewhere `\/` may stand outside double quotes, where it is harmless.
fn escaped_slash(text: &[u8]) -> Option<YamlError> {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace())?;
    if text[start] != b'{' || !text.windows(2).any(|pair| pair == b"\\/") {
        return None;
    }
    let mut line = 1;
    let mut escaped = false;
    let mut first_document = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    first_document.next()?.ok()?;
    for byte in &text[..first_document.byte_offset()] {
        match byte {
            b'\n' => line += 1,
            b'/' if escaped => {
                return Some(YamlError {
                    line,
                    problem: "found unknown escape character".to_owned(),
                });
            }
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped;
    }
    None
}

struct Reader<'text> {
    text: &'text [u8],
    unsayable: Cell<bool>,
}

impl Reader<'_> {
    fn unsayable(&self) -> Value {
        self.unsayable.set(true);
        Value::Null
    }

    fn number(&self, number: f64) -> Value {
        Number::from_f64(number).map_or_else(|| self.unsayable(), Value::Number)
    }

    /// Whether the scalar, a slice of the text, stands in quotes there.
    fn quoted(&self, scalar: &str) -> bool {
        let offset = (scalar.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        offset
            .checked_sub(1)
            .and_then(|before| self.text.get(before))
            .is_some_and(|before| matches!(before, b'"' | b'\''))
    }
}

struct Node<'reader, 'text>(&'reader Reader<'text>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    // Beyond 64 bits yaml.v3 falls back to a floating-point number.
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(self.0.number(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(self.0.number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(self.0.number(value))
    }

    // Text that is not a slice of the input: escaped, folded, literal or over several lines. Never a number.
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value, E> {
        if !self.0.quoted(value) {
            if let Some(number) = number_of_yaml_v3(value) {
                return Ok(number);
            }
            if let Some(time) = timestamp(value) {
                return Ok(Value::String(time));
            }
        }
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(Node(self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        while let Some(key) = mapping.next_key_seed(Node(self.0))? {
            let value = mapping.next_value_seed(Node(self.0))?;
            match key {
                Value::String(key) if key == "<<" => merged.push(value),
                Value::String(key) => {
                    if map.insert(key, value).is_some() {
                        self.0.unsayable();
                    }
                }
                _ => {
                    self.0.unsayable();
                }
            }
        }
        for source in merged {
            self.0.merge(&mut map, source);
        }
        Ok(Value::Object(map))
    }

    // `!tag value`: the server ignores tags it does not know.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (_tag, value) = tagged.variant_seed(Tag)?;
        value.newtype_variant_seed(Node(self.0))
    }
}

impl Reader<'_> {
    /// `<<: *other`: the keys of the other mapping that this one does not have itself.
    fn merge(&self, map: &mut Map<String, Value>, source: Value) {
        match source {
            Value::Object(source) => {
                for (key, value) in source {
                    map.entry(key).or_insert(value);
                }
            }
            Value::Array(sources) => {
                for source in sources {
                    self.merge(map, source);
                }
            }
            _ => {
                self.unsayable();
            }
        }
    }
}

struct Tag;

impl<'de> DeserializeSeed<'de> for Tag {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer).map_err(D::Error::custom)
    }
}

/// Plain scalars that are numbers to yaml.v3 and text to `serde_yaml`: underscores between digits, octal
/// numbers spelled `017`, hexadecimal ones spelled `0X1F`.
fn number_of_yaml_v3(text: &str) -> Option<Value> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let lower = digits.to_ascii_lowercase();
    let integer = if let Some(hexadecimal) = lower.strip_prefix("0x") {
        u64::from_str_radix(hexadecimal, 16)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        u64::from_str_radix(binary, 2)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        u64::from_str_radix(octal, 8)
    } else if lower.len() > 1 && lower.starts_with('0') {
        u64::from_str_radix(&lower, 8)
    } else {
        lower.parse()
    };
    // `u64::from_str_radix` takes a sign of its own, which here would be a second one.
    if !digits.starts_with(['+', '-'])
        && let Ok(integer) = integer
    {
        return match (negative, i64::try_from(integer)) {
            (false, _) => Some(integer.into()),
            (true, Ok(integer)) => Some((-integer).into()),
            (true, Err(_)) => Number::from_f64(-(integer as f64)).map(Value::Number),
        };
    }
    let decimal = digits
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && digits.chars().any(|c| c.is_ascii_digit())
        && !digits.starts_with(['e', 'E', '+', '-']);
    if !decimal {
        return None;
    }
    plain.parse().ok().and_then(Number::from_f64).map(Value::Number)
}

/// Plain scalars that are times to yaml.v3, and what the server makes of them.
fn timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zoned = |format| DateTime::parse_from_str(text, format).ok();
    if let Some(time) = zoned("%Y-%m-%dT%H:%M:%S%.f%:z").or_else(|| zoned("%Y-%m-%dt%H:%M:%S%.f%:z")) {
        return Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    }
    let utc = text.strip_suffix('Z').and_then(|text| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dt%H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    });
    let time = utc
        .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok())
        .or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        })?;
    Some(
        time.and_local_timezone(Utc)
            .single()?
            .to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(scalar: &str) -> Value {
        match documents(format!("a: {scalar}\n").as_bytes()).unwrap().remove(0) {
            Document::Mapping(mut map) => map.remove("a").unwrap(),
            Document::Other => panic!("{scalar} cannot be said in JSON"),
        }
    }

    #[test]
    fn plain_scalars_are_what_the_server_takes_them_for() {
        for (text, expected) in [
            ("1e3", json!(1000.0)),
            ("0o10", json!(8)),
            ("1_000", json!(1000)),
            ("017", json!(15)),
            ("08", json!(8.0)),
            ("0x1F", json!(31)),
            ("0X1F", json!(31)),
            ("-0x1F", json!(-31)),
            ("0b101", json!(5)),
            ("+12", json!(12)),
            ("1_0.5", json!(10.5)),
            (".5", json!(0.5)),
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("True", json!(true)),
            ("~", json!(null)),
            ("12:30:45", json!("12:30:45")),
            ("NaN", json!("NaN")),
            ("nan", json!("nan")),
            ("inf", json!("inf")),
            ("1.2.3", json!("1.2.3")),
            ("--1", json!("--1")),
            ("1-2", json!("1-2")),
            ("1e", json!("1e")),
            ("_1", json!("_1")),
            ("12345678901234567890123", json!(1.2345678901234568e22)),
            ("2024-01-31", json!("2024-01-31T00:00:00Z")),
            ("2024-01-31T10:20:30Z", json!("2024-01-31T10:20:30Z")),
            ("2024-01-31 10:20:30", json!("2024-01-31T10:20:30Z")),
            ("2024-13-31", json!("2024-13-31")),
        ] {
            assert_eq!(value(text), expected, "plain {text}");
            if !text.is_empty() {
                assert_eq!(value(&format!("\"{text}\"")), json!(text), "double-quoted {text}");
                assert_eq!(value(&format!("'{text}'")), json!(text), "single-quoted {text}");
            }
        }
    }

    #[test]
    fn quotes_are_seen_in_json_too() {
        let documents = documents(br#"{"a":["1_000","1e3",1e3],"b":"0o10"}"#).unwrap();
        assert_eq!(
            documents,
            vec![Document::Mapping(
                json!({"a": ["1_000", "1e3", 1000.0], "b": "0o10"})
                    .as_object()
                    .unwrap()
                    .clone()
            )]
        );
    }

    #[test]
    fn what_json_cannot_say_is_told_apart_from_what_yaml_cannot() {
        for text in ["a: .nan", "a: -.inf", "1: a", "a: 1\na: 2", "hello", "[1]", "~"] {
            assert_eq!(
                documents(text.as_bytes()).unwrap(),
                vec![Document::Other],
                "{text}"
            );
        }
        for text in [
            "a: [1, 2",
            "a: b: c",
            "\"\\ud83d\\ude80\": 1",
            "{\"a\":\"\\/\"}",
            "a: \u{7f}",
        ] {
            assert!(documents(text.as_bytes()).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_broken_second_document_is_found_and_its_line_named() {
        let error = documents(b"a: 1\n---\nb: [\n").unwrap_err();
        assert!(error.line >= 3, "{error}");
        assert!(error.to_string().starts_with("yaml: line "), "{error}");
    }

    #[test]
    fn a_long_key_is_refused_as_by_the_server() {
        let json = |length: usize| format!("{{\"{}\": 1}}", "k".repeat(length));
        assert!(documents(json(1000).as_bytes()).is_ok());
        assert!(documents(json(1100).as_bytes()).is_err());
    }

    #[test]
    fn merge_keys_are_followed() {
        let documents = documents(b"base: &base {x: 1, y: 2}\na:\n  <<: *base\n  y: 3\n").unwrap();
        let Document::Mapping(map) = &documents[0] else {
            panic!("not a mapping")
        };
        assert_eq!(map["a"], json!({"x": 1, "y": 3}));
    }
}
