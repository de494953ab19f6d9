//! The canonical form of a spec, and the digest over it.
//!
//! Two specs have one canonical form exactly when a server treats them alike:
//! * key order and white space do not matter;
//! * numbers are doubles, because `google.protobuf.Value` and `Struct` hold nothing else: `3` is
//!   `3.0`, `-0` is `0`, and integers beyond 2^53 are what they round to;
//! * fields that the server drops because they hold a default are absent (see [`super::schema`]);
//! * an absent platform spec is an empty one;
//! * embedded archives are their members (see [`super::archive`]).
//!
//! The digest is taken over a tagged, length-prefixed stream of that form, so that no text can be
//! taken for structure, and no long string is built.

use super::archive::{self, Budget, Member, Piece};
use super::schema::{self, Kind};
use super::{Spec, SpecError};
use crate::ids::Digest;
use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// Changes whenever the stream below changes its meaning.
const DOMAIN: &[u8] = b"kfp-gitops canonical spec 1\n";

/// A spec as parsed values in canonical form, for looking inside. Archives stay as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Canonical {
    /// The pipeline spec.
    pub pipeline: Value,
    /// The platform spec; an empty one is `None`.
    pub platform: Option<Value>,
}

/// Parses both documents and brings them into canonical form.
///
/// # Errors
/// [`SpecError::Unparsable`] when a document is not JSON.
pub fn canonical(spec: &Spec) -> Result<Canonical, SpecError> {
    let (mut pipeline, mut platform) = parse(spec)?;
    prune(&mut pipeline, Some(schema::PIPELINE));
    if let Some(platform) = &mut platform {
        prune(platform, Some(schema::PLATFORM));
    }
    Ok(Canonical {
        pipeline,
        platform: platform.filter(|platform| !is_empty_message(platform)),
    })
}

/// The digest over the canonical form. Text that is not JSON has a digest over its bytes.
#[must_use]
pub fn digest(spec: &Spec) -> Digest {
    if let Ok((pipeline, platform)) = parse(spec) {
        return digest_of_values(&pipeline, platform.as_ref());
    }
    let mut stream = Stream::new();
    stream.bytes(DOMAIN);
    stream.tag(b'?');
    stream.text(spec.pipeline_text());
    stream.text(spec.platform_text().unwrap_or_default());
    stream.finish()
}

impl Canonical {
    /// The digest of the spec that this is the canonical form of.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_of_values(&self.pipeline, self.platform.as_ref())
    }
}

fn digest_of_values(pipeline: &Value, platform: Option<&Value>) -> Digest {
    let mut stream = Stream::new();
    stream.bytes(DOMAIN);
    stream.tag(b'P');
    stream.value(pipeline, Some(schema::PIPELINE), Place::Start);
    match platform {
        Some(platform) if !is_default_platform(platform) => {
            stream.tag(b'K');
            stream.value(platform, Some(schema::PLATFORM), Place::Elsewhere);
        }
        _ => {}
    }
    stream.finish()
}

fn parse(spec: &Spec) -> Result<(Value, Option<Value>), SpecError> {
    let unparsable = |document: &'static str| {
        move |error: serde_json::Error| SpecError::Unparsable {
            document,
            message: error.to_string(),
        }
    };
    let pipeline = serde_json::from_str(spec.pipeline_text()).map_err(unparsable("pipeline spec"))?;
    let platform = spec
        .platform_text()
        .map(serde_json::from_str)
        .transpose()
        .map_err(unparsable("platform spec"))?;
    Ok((pipeline, platform))
}

fn is_empty_message(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether nothing is left of a platform spec in canonical form.
fn is_default_platform(platform: &Value) -> bool {
    match platform {
        Value::Null => true,
        Value::Object(members) => members
            .iter()
            .all(|(name, value)| is_absent(schema::PLATFORM.member(name), value)),
        _ => false,
    }
}

fn is_absent(kind: Option<Kind>, value: &Value) -> bool {
    kind.is_some_and(|kind| kind.is_absent(value))
}

fn prune(value: &mut Value, kind: Option<Kind>) {
    match value {
        Value::Object(members) => {
            if matches!(kind, Some(Kind::Message(_))) {
                members.retain(|name, value| !is_absent(kind.and_then(|kind| kind.member(name)), value));
            }
            for (name, member) in members.iter_mut() {
                prune(member, kind.and_then(|kind| kind.member(name)));
            }
        }
        Value::Array(elements) => {
            for element in elements {
                prune(element, kind.and_then(Kind::element));
            }
        }
        Value::Number(number) => *number = as_double(number),
        _ => {}
    }
}

/// The number as a double; an integral one that fits exactly is written as an integer.
fn as_double(number: &Number) -> Number {
    let double = double(number);
    #[allow(clippy::cast_possible_truncation)]
    let integer = double as i64;
    #[allow(clippy::cast_precision_loss)]
    if integer as f64 == double && integer.unsigned_abs() <= 1 << 53 {
        return Number::from(integer);
    }
    Number::from_f64(double).unwrap_or_else(|| number.clone())
}

fn double(number: &Number) -> f64 {
    let double = number.as_f64().unwrap_or(f64::NAN);
    if double == 0.0 { 0.0 } else { double }
}

/// Where in a pipeline spec a value stands, as far as embedded archives are concerned: they are
/// looked for in `deploymentSpec.executors.*.container.command` and `.args` alone.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    Deployment,
    Executors,
    Executor,
    Container,
    Command,
    Elsewhere,
}

impl Place {
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Start, "deploymentSpec") => Self::Deployment,
            (Self::Deployment, "executors") => Self::Executors,
            (Self::Executors, _) => Self::Executor,
            (Self::Executor, "container") => Self::Container,
            (Self::Container, "command" | "args") => Self::Command,
            _ => Self::Elsewhere,
        }
    }
}

/// Feeds the hash in pieces of a few KiB.
struct Stream {
    hash: Sha256,
    buffer: Vec<u8>,
    budget: Budget,
}

const BUFFER: usize = 8 * 1024;

impl Stream {
    fn new() -> Self {
        Self {
            hash: Sha256::new(),
            buffer: Vec::with_capacity(BUFFER),
            budget: Budget::default(),
        }
    }

    fn finish(mut self) -> Digest {
        self.hash.update(&self.buffer);
        Digest::from_bytes(self.hash.finalize().into())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.hash.update(&self.buffer);
            self.buffer.clear();
            if bytes.len() > BUFFER {
                self.hash.update(bytes);
                return;
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn tag(&mut self, tag: u8) {
        self.bytes(&[tag]);
    }

    fn length(&mut self, length: usize) {
        self.bytes(&(length as u64).to_be_bytes());
    }

    fn long(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.bytes(bytes);
    }

    fn text(&mut self, text: &str) {
        self.tag(b's');
        self.long(text.as_bytes());
    }

    fn value(&mut self, value: &Value, kind: Option<Kind>, place: Place) {
        match value {
            Value::Null => self.tag(b'n'),
            Value::Bool(false) => self.tag(b'f'),
            Value::Bool(true) => self.tag(b't'),
            Value::Number(number) => {
                self.tag(b'd');
                self.bytes(&double(number).to_bits().to_be_bytes());
            }
            Value::String(text) if place == Place::Command => self.command(text),
            Value::String(text) => self.text(text),
            Value::Array(elements) => {
                self.tag(b'a');
                self.length(elements.len());
                for element in elements {
                    self.value(element, kind.and_then(Kind::element), place);
                }
            }
            Value::Object(members) => self.object(members, kind, place),
        }
    }

    fn object(&mut self, members: &Map<String, Value>, kind: Option<Kind>, place: Place) {
        let message = matches!(kind, Some(Kind::Message(_)));
        let mut present: Vec<_> = members
            .iter()
            .map(|(name, value)| (name, value, kind.and_then(|kind| kind.member(name))))
            .filter(|(_, value, kind)| !(message && is_absent(*kind, value)))
            .collect();
        // Sorted already, unless some crate switches on serde_json's `preserve_order`.
        present.sort_unstable_by_key(|(name, _, _)| *name);
        self.tag(b'o');
        self.length(present.len());
        for (name, value, kind) in present {
            self.long(name.as_bytes());
            self.value(value, kind, place.member(name));
        }
    }

    fn command(&mut self, text: &str) {
        let pieces = archive::split(text, &mut self.budget);
        if let [Piece::Text(text)] = pieces[..] {
            self.text(text);
            return;
        }
        self.tag(b'x');
        self.length(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.text(text),
                Piece::Archive(members) => {
                    self.tag(b'z');
                    self.length(members.len());
                    for member in members {
                        self.member(&member);
                    }
                }
            }
        }
    }

    fn member(&mut self, member: &Member) {
        self.long(&member.name);
        self.bytes(&[member.kind, u8::from(member.executable)]);
        self.long(&member.link);
        self.bytes(&member.sha256);
    }
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
