//! YAML read the way the real server reads it.
//!
//! The server parses with Go's yaml.v3, which is a port of libyaml that follows YAML 1.2 for most scalars
//! and YAML 1.1 for some. `serde_yaml` stands on libyaml as well, so both agree on what is well-formed; what
//! differs is which plain scalars are numbers, and that is decided here. The differences matter: kfp writes
//! the string default `1e3` without quotes and the server stores the number 1000 (recording 2.17.0:
//! `version_upload`, parameter `note`).

mod reader;
mod scalar;

use reader::{Node, Reader};
use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value};

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
        let reader = Reader::new(text);
        let value = Node(&reader)
            .deserialize(document)
            .map_err(|error| broken(&error))?;
        documents.push(match value {
            Value::Object(map) if !reader.met_unsayable() => Document::Mapping(map),
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

/// JSON may escape a slash; libyaml accepts it, yaml.v3 does not. Only looked for in documents that are JSON,
/// because elsewhere `\/` may stand outside double quotes, where it is harmless.
fn escaped_slash(text: &[u8]) -> Option<YamlError> {
    if !text.windows(2).any(|pair| pair == b"\\/") {
        return None;
    }
    let (mut start, mut line) = (0, 1);
    while start < text.len() {
        let rest = &text[start..];
        let end = rest
            .windows(5)
            .position(|window| window == b"\n---\n")
            .map_or(rest.len(), |end| end + 1);
        let document = &rest[..end];
        let is_json = document.trim_ascii_start().starts_with(b"{")
            && serde_json::from_slice::<serde::de::IgnoredAny>(document).is_ok();
        let mut escaped = false;
        for byte in document {
            match byte {
                b'\n' => line += 1,
                b'/' if escaped && is_json => {
                    return Some(YamlError {
                        line,
                        problem: "found unknown escape character".to_owned(),
                    });
                }
                _ => {}
            }
            escaped = *byte == b'\\' && !escaped;
        }
        line += 1;
        start += end + "---\n".len();
    }
    None
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
        for text in [
            "a: .nan",
            "a: -.inf",
            "1: a",
            "a: 1\na: 2",
            "? [1]\n: a",
            "1.5: a",
            "~: a",
            "hello",
            "[1]",
            "~",
        ] {
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
    fn an_escaped_slash_is_refused_in_json_only() {
        let error = documents(b"{\"a\": 1}\n---\n{\"a\":\n\"\\/\"}").unwrap_err();
        assert_eq!(
            (error.line, error.problem.as_str()),
            (4, "found unknown escape character")
        );
        assert!(documents(b"a: '\\/'\nb: \\/\n").is_ok());
        assert!(documents(b"{\"a\": \"\\\\/\"}").is_ok());
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
        let quoted = super::documents(br#"{"<<": [1]}"#).unwrap();
        assert_eq!(
            quoted,
            vec![Document::Mapping(json!({"<<": [1]}).as_object().unwrap().clone())]
        );
    }
}
