//! Request bodies, read as strictly as the gateway reads them.

use super::answer::{Code, Refusal};
use super::dialect::Dialect;
use super::store::Tags;
use serde_json::{Map, Value};

/// Go's protobuf library writes its own messages with a no-break space, so that nobody compares them.
const NBSP: char = '\u{a0}';

/// A JSON object whose members are all known. Members may be named in either of protobuf's ways
/// (`display_name`, `displayName`); they are found under the first.
#[derive(Debug)]
pub struct Body {
    members: Map<String, Value>,
}

impl Body {
    /// Reads the body of a request. An empty one is an empty object.
    ///
    /// # Errors
    /// Not a JSON object, or a member that is not in `known`, which the first servers ignored
    /// (recording 2.17.0: `pipeline_create_unknown_field`).
    pub fn read(bytes: &[u8], known: &[&str], dialect: &Dialect) -> Result<Self, Refusal> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self { members: Map::new() });
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            refuse(&format!(
                "syntax error (line {}:{}): {error}",
                error.line(),
                error.column()
            ))
        })?;
        let Value::Object(found) = value else {
            return Err(refuse("syntax error (line 1:1): unexpected token"));
        };
        let mut members = Map::new();
        for (name, value) in found {
            let Some(member) = known
                .iter()
                .find(|known| **known == name || camel_case(known) == name)
            else {
                if dialect.old_gateway() {
                    continue;
                }
                let (line, column) = position(bytes, &name);
                return Err(refuse(&format!(
                    "(line {line}:{column}): unknown field \"{name}\""
                )));
            };
            members.insert((*member).to_owned(), value);
        }
        Ok(Self { members })
    }

    /// A member that is text; absent, null and empty are the same.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, name: &str) -> Result<String, Refusal> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(refuse(&format!(
                "(line 1:1): invalid value for string field {name}: {other}"
            ))),
        }
    }

    /// The tags, where the body speaks of them.
    ///
    /// # Errors
    /// Not an object of texts.
    pub fn tags(&self) -> Result<Option<Tags>, Refusal> {
        match self.members.get("tags") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(tags)) => tags
                .iter()
                .map(|(key, value)| match value {
                    Value::String(value) => Ok((key.clone(), value.clone())),
                    other => Err(refuse(&format!(
                        "(line 1:1): invalid value for string field value: {other}"
                    ))),
                })
                .collect::<Result<Tags, _>>()
                .map(Some),
            Some(other) => Err(refuse(&format!(
                "syntax error (line 1:1): unexpected token {other}"
            ))),
        }
    }

    /// A member as it is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }
}

fn refuse(words: &str) -> Refusal {
    Refusal::gateway(Code::InvalidArgument, format!("proto:{NBSP}{words}"))
}

/// `display_name` as `displayName`.
#[must_use]
pub fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                camel.extend(c.to_uppercase());
                upper = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

/// Line and column, counted from 1, of the member `name` of the outermost object.
fn position(bytes: &[u8], name: &str) -> (usize, usize) {
    let (mut line, mut line_start, mut depth) = (1, 0, 0_usize);
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'\n' => (line, line_start) = (line + 1, index + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = index;
                index += 1;
                while index < bytes.len() && bytes[index] != b'"' {
                    index += if bytes[index] == b'\\' { 2 } else { 1 };
                }
                let is_key = bytes[(index + 1).min(bytes.len())..]
                    .trim_ascii_start()
                    .starts_with(b":");
                let text = bytes
                    .get(start..=index)
                    .and_then(|quoted| serde_json::from_slice::<String>(quoted).ok());
                if depth == 1 && is_key && text.as_deref() == Some(name) {
                    return (line, start - line_start + 1);
                }
            }
            _ => {}
        }
        index += 1;
    }
    (1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_member_is_named_with_its_place() {
        let body = br#"{"display_name": "demoe537-u", "labels": {"a": "b"}}"#;
        let Err(Refusal::Status { message, .. }) = Body::read(body, &["display_name"], &Dialect::default())
        else {
            panic!("accepted")
        };
        assert_eq!(message, "proto:\u{a0}(line 1:32): unknown field \"labels\"");
    }

    #[test]
    fn the_first_servers_ignore_unknown_members() {
        let old = Dialect::of("2.5.0").unwrap();
        let body = Body::read(br#"{"name": "x", "labels": 1}"#, &["name"], &old).unwrap();
        assert_eq!(body.text("name").unwrap(), "x");
        assert!(body.get("labels").is_none());
    }

    #[test]
    fn both_spellings_of_a_member_are_known() {
        for body in [r#"{"display_name": "x"}"#, r#"{"displayName": "x"}"#] {
            let body = Body::read(body.as_bytes(), &["display_name"], &Dialect::default()).unwrap();
            assert_eq!(body.text("display_name").unwrap(), "x");
        }
    }

    #[test]
    fn a_value_that_looks_like_the_member_is_not_taken_for_it() {
        let body = "{\"a\": {\"labels\": 1},\n \"b\": \"labels\", \"labels\": 1}";
        assert_eq!(position(body.as_bytes(), "labels"), (2, 17));
    }

    #[test]
    fn no_body_is_an_empty_one() {
        assert_eq!(
            Body::read(b" ", &[], &Dialect::default())
                .unwrap()
                .text("x")
                .unwrap(),
            ""
        );
        assert!(Body::read(b"[1]", &[], &Dialect::default()).is_err());
        assert!(Body::read(b"{", &[], &Dialect::default()).is_err());
    }
}
