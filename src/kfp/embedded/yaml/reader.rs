//! YAML events to JSON values.

use super::scalar::{number_of_yaml_v3, timestamp};
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// The text being read, and whether it holds what JSON cannot say.
pub(super) struct Reader<'text> {
    text: &'text [u8],
    unsayable: Cell<bool>,
}

impl<'text> Reader<'text> {
    pub(super) fn new(text: &'text [u8]) -> Self {
        Self {
            text,
            unsayable: Cell::new(false),
        }
    }

    /// Whether anything was met that JSON cannot say.
    pub(super) fn met_unsayable(&self) -> bool {
        self.unsayable.get()
    }

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

/// Reads any value.
pub(super) struct Node<'reader, 'text>(pub(super) &'reader Reader<'text>);

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
        while let Some(key) = mapping.next_key_seed(Key(self.0))? {
            let value = mapping.next_value_seed(Node(self.0))?;
            match key {
                MappingKey::Merge => merged.push(value),
                MappingKey::Text(key) => {
                    if map.insert(key, value).is_some() {
                        self.0.unsayable();
                    }
                }
                MappingKey::Other => {
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

/// A key of a mapping.
enum MappingKey {
    /// `<<` without quotes.
    Merge,
    Text(String),
    /// Something that is no key in JSON.
    Other,
}

struct Key<'reader, 'text>(&'reader Reader<'text>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = MappingKey;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<MappingKey, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_> {
    type Value = MappingKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping's key")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<MappingKey, E> {
        if value == "<<" && !self.0.quoted(value) {
            return Ok(MappingKey::Merge);
        }
        Ok(match Node(self.0).visit_borrowed_str::<E>(value)? {
            Value::String(text) => MappingKey::Text(text),
            _ => MappingKey::Other,
        })
    }

    fn visit_str<E>(self, value: &str) -> Result<MappingKey, E> {
        Ok(MappingKey::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_i128<E>(self, _: i128) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<MappingKey, E> {
        Ok(MappingKey::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<MappingKey, A::Error> {
        Node(self.0).visit_seq(sequence).map(|_| MappingKey::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mapping: A) -> Result<MappingKey, A::Error> {
        Node(self.0).visit_map(mapping).map(|_| MappingKey::Other)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<MappingKey, A::Error> {
        Ok(match Node(self.0).visit_enum(tagged)? {
            Value::String(text) => MappingKey::Text(text),
            _ => MappingKey::Other,
        })
    }
}

struct Tag;

impl<'de> DeserializeSeed<'de> for Tag {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer).map_err(D::Error::custom)
    }
}
