//! Whether a YAML file says what a specification does.
//!
//! The compiler's own bytes are made beside a stranger's code, which can say one thing to this program and write
//! another into the file; and the compiler itself writes text into the comment at the top that ends the comment.

use super::Spec;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Checks the documents of a file, written by PyYAML, against the specification.
///
/// # Errors
/// The first difference, as a fragment.
pub fn says(yaml: &str, spec: &Spec) -> Result<(), String> {
    let texts = [Some(spec.pipeline_text()), spec.platform_text()];
    let mut expected = Vec::new();
    for text in texts.into_iter().flatten() {
        expected.push(serde_json::from_str::<Value>(text).map_err(|error| error.to_string())?);
    }
    let mut documents = serde_yaml::Deserializer::from_str(yaml);
    for one in &expected {
        let document = documents.next().ok_or("a document is missing")?;
        Expected(one)
            .deserialize(document)
            .map_err(|error| error.to_string())?;
    }
    if documents.next().is_some() {
        return Err("there is a document more".to_owned());
    }
    // the shape is known to be sound now: what is quoted is left
    for (one, document) in expected.iter().zip(serde_yaml::Deserializer::from_str(yaml)) {
        let found = <serde_yaml::Value as serde::Deserialize>::deserialize(document)
            .map_err(|error| error.to_string())?;
        quoted(one, &found)?;
    }
    Ok(())
}

/// One node as it has to be. A text is read as one whether it is quoted or not.
struct Expected<'a>(&'a Value);

impl<'de> DeserializeSeed<'de> for Expected<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Value::String(_) => deserializer.deserialize_str(self),
            Value::Array(_) => deserializer.deserialize_seq(self),
            Value::Object(_) => deserializer.deserialize_map(self),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl Expected<'_> {
    fn is<E: serde::de::Error>(&self, same: bool) -> Result<(), E> {
        if same {
            Ok(())
        } else {
            Err(E::custom("a value differs"))
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "KFP keeps numbers as 64-bit floats")]
    fn number<E: serde::de::Error>(&self, float: f64, integer: Option<i128>) -> Result<(), E> {
        let same = match self.0 {
            Value::Number(number) => match (number.as_i128(), integer) {
                (Some(known), Some(found)) => known == found,
                (Some(known), None) => (known as f64).to_bits() == float.to_bits(),
                (None, _) => number
                    .as_f64()
                    .is_some_and(|known| known.to_bits() == float.to_bits()),
            },
            _ => false,
        };
        self.is(same)
    }
}

impl<'de> Visitor<'de> for Expected<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a mapping",
            Value::Number(_) => "a number",
            Value::Bool(_) => "a boolean",
            Value::Null => "nothing",
        })
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.is(matches!(self.0, Value::String(known) if known == text))
    }

    fn visit_bool<E: serde::de::Error>(self, found: bool) -> Result<(), E> {
        self.is(*self.0 == Value::Bool(found))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.is(self.0.is_null())
    }

    #[expect(clippy::cast_precision_loss, reason = "KFP keeps numbers as 64-bit floats")]
    fn visit_i64<E: serde::de::Error>(self, found: i64) -> Result<(), E> {
        self.number(found as f64, Some(found.into()))
    }

    #[expect(clippy::cast_precision_loss, reason = "KFP keeps numbers as 64-bit floats")]
    fn visit_u64<E: serde::de::Error>(self, found: u64) -> Result<(), E> {
        self.number(found as f64, Some(found.into()))
    }

    #[expect(clippy::cast_precision_loss, reason = "KFP keeps numbers as 64-bit floats")]
    fn visit_i128<E: serde::de::Error>(self, found: i128) -> Result<(), E> {
        self.number(found as f64, Some(found))
    }

    #[expect(clippy::cast_precision_loss, reason = "KFP keeps numbers as 64-bit floats")]
    fn visit_u128<E: serde::de::Error>(self, found: u128) -> Result<(), E> {
        self.number(found as f64, i128::try_from(found).ok())
    }

    fn visit_f64<E: serde::de::Error>(self, found: f64) -> Result<(), E> {
        self.number(found, None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut found: A) -> Result<(), A::Error> {
        let Value::Array(known) = self.0 else {
            return Err(A::Error::custom("a value differs"));
        };
        for one in known {
            found
                .next_element_seed(Expected(one))?
                .ok_or_else(|| A::Error::custom("a list is shorter"))?;
        }
        match found.next_element::<serde::de::IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("a list is longer")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut found: A) -> Result<(), A::Error> {
        let Value::Object(known) = self.0 else {
            return Err(A::Error::custom("a value differs"));
        };
        let mut seen = std::collections::BTreeSet::new();
        while let Some(key) = found.next_key::<String>()? {
            let value = known
                .get(&key)
                .ok_or_else(|| A::Error::custom(format_args!("the key `{key}` is none of the pipeline's")))?;
            found.next_value_seed(Expected(value))?;
            if !seen.insert(key) {
                return Err(A::Error::custom("a key comes twice"));
            }
        }
        if seen.len() == known.len() {
            Ok(())
        } else {
            Err(A::Error::custom("a key is missing"))
        }
    }
}

/// A text must be one for those who read the file, too. PyYAML leaves the quotes off what it reads as text
/// itself, which is more than this program's reader does: `1e3` and `0o10`.
fn quoted(known: &Value, found: &serde_yaml::Value) -> Result<(), String> {
    use serde_yaml::Value as Yaml;
    match (known, found) {
        (Value::String(text), Yaml::Number(_)) if is_text_for_pyyaml(text) => Ok(()),
        (Value::String(text), found) if !found.is_string() => {
            Err(format!("the text `{text}` is written without its quotes"))
        }
        (Value::Array(known), Yaml::Sequence(found)) => known
            .iter()
            .zip(found)
            .try_for_each(|(known, found)| quoted(known, found)),
        (Value::Object(known), Yaml::Mapping(found)) => known.iter().try_for_each(|(key, known)| {
            found
                .get(key.as_str())
                .map_or(Ok(()), |found| quoted(known, found))
        }),
        _ => Ok(()),
    }
}

/// A number for YAML 1.2 that is none for PyYAML: an exponent without a point or without its sign, `0o`.
fn is_text_for_pyyaml(text: &str) -> bool {
    let body = text.trim_start_matches(['+', '-']);
    if body.starts_with("0o") {
        return true;
    }
    if body.starts_with("0x") {
        return false;
    }
    match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => !(mantissa.contains('.') && exponent.starts_with(['+', '-'])),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const SPEC: &str =
        r#"{"a": "x", "n": 1.0, "i": 2, "t": "1e3", "q": "123", "b": true, "l": ["y", null], "m": {}}"#;
    const YAML: &str = "# a comment\na: x\nn: 1.0\ni: 2\nt: 1e3\nq: '123'\nb: true\nl:\n- y\n- null\nm: {}\n";

    fn spec(platform: bool) -> Spec {
        Spec::from_text(SPEC, platform.then(|| Arc::from(r#"{"p": 1}"#)))
    }

    #[test]
    fn the_same_in_another_form_is_the_same() {
        assert_eq!(says(YAML, &spec(false)), Ok(()));
        assert_eq!(says(&format!("{YAML}---\np: 1\n"), &spec(true)), Ok(()));
    }

    #[test]
    fn anything_else_is_not() {
        for (from, to) in [
            ("a: x", "a: z"),
            ("a: x", "a: x\nc: d"),
            ("a: x\n", ""),
            ("a: x", "a: x\na: x"),
            ("n: 1.0", "n: 1.5"),
            ("i: 2", "i: 3"),
            ("i: 2", "i: '2'"),
            ("t: 1e3", "t: 1000.0"),
            ("q: '123'", "q: 123"),
            ("b: true", "b: false"),
            ("b: true", "b: 'true'"),
            ("- null", "- null\n- z"),
            ("\n- null", ""),
            ("m: {}", "m: []"),
            ("m: {}", "m: {}\n---\np: 1"),
            ("# a comment", "x\n---\nstolen: document\n---"),
            ("# a comment", "\t:"),
        ] {
            let changed = YAML.replacen(from, to, 1);
            assert!(says(&changed, &spec(false)).is_err(), "{changed}");
        }
        assert!(says(YAML, &spec(true)).is_err());
    }
}
