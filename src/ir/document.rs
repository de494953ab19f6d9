//! The bytes to upload: the spec as JSON documents in a file named `.yaml`.
//!
//! JSON, because the compiler's YAML loses string defaults like `1e3` on every server. But the
//! server reads it with yaml.v3, for which JSON is not quite YAML, and a parse error gets no answer
//! and keeps a core of the server busy until it is restarted (2.0.0 to 2.17.0). So:
//! * characters beyond the basic plane stand raw: yaml.v3 refuses surrogate pairs;
//! * C0, U+FEFF, U+FFFE and U+FFFF are escaped: yaml.v3 refuses them raw;
//! * U+007F to U+009F, U+2028 and U+2029 are refused: raw they are parse errors, and escaped the
//!   version reads back without a spec (U+007F) or changed (U+0085, U+2028 beside spaces);
//! * `/` is never escaped, and a key takes at most 1 024 bytes as written, quotes included;
//! * everything is read again as YAML before it is handed out, and must be what was meant.

use super::Spec;
use super::place::Path;
use crate::error::{Failure, Phase};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;

/// The server's limit on an uploaded file: `common.MaxFileLength`, 32 MiB, on every version.
pub const MAX_BYTES: usize = 32 << 20;

/// How far yaml.v3 looks for the `:` of a key, in characters from the opening quote. Counted in
/// bytes here, because the libyaml that checks the result does so; keys that need the difference
/// are not worth a second parser.
const MAX_KEY_BYTES: usize = 1024;

/// Why a spec cannot be uploaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A document is not JSON, or not an object.
    #[error("the {document} is not a JSON object: {message}")]
    Unparsable {
        /// `pipeline spec` or `platform spec`.
        document: &'static str,
        /// What the parser said.
        message: String,
    },
    /// A character that the server's YAML parser refuses or changes.
    #[error("{} at `{path}` holds U+{:04X}, which no pipelines server stores unchanged", if *.in_key { "the key" } else { "the text" }, u32::from(*.character))]
    Character {
        /// Where, such as `root.inputDefinitions.parameters.note.defaultValue`.
        path: String,
        /// Whether it is in the key itself.
        in_key: bool,
        /// The character.
        character: char,
    },
    /// A key that yaml.v3 does not recognise as one.
    #[error("the key at `{path}` takes {bytes} bytes as JSON, the server's parser reads {MAX_KEY_BYTES}")]
    KeyTooLong {
        /// Where; the key is cut.
        path: String,
        /// As written, with quotes and escapes.
        bytes: usize,
    },
    /// Over [`MAX_BYTES`].
    #[error("the compiled pipeline has {bytes} bytes, the server takes {MAX_BYTES} (32 MiB)")]
    TooLarge {
        /// Bytes of the whole file.
        bytes: usize,
    },
    /// What was written does not read back as what was meant; nothing was sent.
    #[error("the {document} written as JSON reads back differently as YAML: {message}")]
    Reread {
        /// `pipeline spec` or `platform spec`.
        document: &'static str,
        /// What the parser said.
        message: String,
    },
}

impl DocumentError {
    /// As a failure of the pipeline, with the way to mend it.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let failure = match self {
            Self::Reread { .. } => Failure::internal(Phase::Plan, self.to_string()),
            _ => Failure::failed(Phase::Plan, self.to_string()),
        };
        let hint = match self {
            Self::Character { path, character, .. } if path.starts_with("deploymentSpec.") => format!(
                "write the character as an escape in the component's source: `\\u{:04x}`",
                u32::from(*character)
            ),
            Self::Character { .. } => {
                "remove the character, or pass the text another way, such as base64".to_owned()
            }
            Self::KeyTooLong { .. } => "shorten the key".to_owned(),
            Self::TooLarge { .. } => {
                "move embedded files and large constants to an image or an object store".to_owned()
            }
            Self::Unparsable { .. } | Self::Reread { .. } => return failure,
        };
        failure.hint(hint)
    }
}

/// Writes the file to upload, and checks that it reads back as what was meant.
///
/// Name the file `….yaml`: the server goes by the suffix.
///
/// # Errors
/// See [`DocumentError`]; nothing that a server would choke on is ever returned.
pub fn upload_documents(spec: &Spec) -> Result<Vec<u8>, DocumentError> {
    let mut file = document("pipeline spec", spec.pipeline_text())?;
    if let Some(platform) = spec.platform_text() {
        let platform = document("platform spec", platform)?;
        file.push_str("\n---\n");
        file.push_str(&platform);
    }
    file.push('\n');
    if file.len() > MAX_BYTES {
        return Err(DocumentError::TooLarge { bytes: file.len() });
    }
    Ok(file.into_bytes())
}

fn document(name: &'static str, text: &str) -> Result<String, DocumentError> {
    let unparsable = |message: String| DocumentError::Unparsable {
        document: name,
        message,
    };
    let value: Value = serde_json::from_str(text).map_err(|error| unparsable(error.to_string()))?;
    if !value.is_object() {
        return Err(unparsable("it is no object".to_owned()));
    }
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    write_value(&mut out, &value, &mut Path::default())?;
    if out.len() > MAX_BYTES {
        return Err(DocumentError::TooLarge { bytes: out.len() });
    }
    reread(name, &out, &value)?;
    Ok(out)
}

/// Reads the document as YAML and compares.
///
/// libyaml and yaml.v3 are one scanner in two languages: the same characters allowed raw, the same
/// refusal of surrogates, the same 1 024 for a key (in bytes instead of characters). Where they differ does not occur in
/// what [`write_value`] writes: `\/` (libyaml takes it), nesting (libyaml's caller stops at 128
/// like serde_json, yaml.v3 at 10 000), and YAML 1.1 against 1.2 in plain scalars, of which only
/// `true`, `false`, `null` and decimal numbers are written.
fn reread(name: &'static str, text: &str, meant: &Value) -> Result<(), DocumentError> {
    let failed = |message: String| DocumentError::Reread {
        document: name,
        message,
    };
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let first = documents
        .next()
        .ok_or_else(|| failed("nothing was found in it".to_owned()))?;
    let read = Value::deserialize(first).map_err(|error| failed(error.to_string()))?;
    if documents.next().is_some() {
        return Err(failed("it holds a second document".to_owned()));
    }
    let mut path = Path::default();
    if same(&read, meant, &mut path) {
        Ok(())
    } else {
        Err(failed(format!("`{path}` changed")))
    }
}

/// Equality with numbers as doubles; on a difference `path` says where.
fn same(read: &Value, meant: &Value, path: &mut Path) -> bool {
    match (read, meant) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).enumerate().all(|(index, (a, b))| {
                    path.push_index(index);
                    let same = same(a, b, path);
                    if same {
                        path.pop();
                    }
                    same
                })
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && b.iter().all(|(key, b)| {
                    path.push_key(key);
                    let same = a.get(key).is_some_and(|a| same(a, b, path));
                    if same {
                        path.pop();
                    }
                    same
                })
        }
        _ => read == meant,
    }
}

fn write_value(out: &mut String, value: &Value, path: &mut Path) -> Result<(), DocumentError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_string(out, text).map_err(|character| DocumentError::Character {
            path: path.to_string(),
            in_key: false,
            character,
        })?,
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                path.push_index(index);
                write_value(out, element, path)?;
                path.pop();
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                path.push_key(key);
                write_key(out, key, path)?;
                out.push_str(": ");
                write_value(out, member, path)?;
                path.pop();
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_key(out: &mut String, key: &str, path: &Path) -> Result<(), DocumentError> {
    let from = out.len();
    write_string(out, key).map_err(|character| DocumentError::Character {
        path: path.to_string(),
        in_key: true,
        character,
    })?;
    let bytes = out.len() - from;
    if bytes > MAX_KEY_BYTES {
        return Err(DocumentError::KeyTooLong {
            path: path.to_string(),
            bytes,
        });
    }
    Ok(())
}

/// Writes the text in quotes.
///
/// # Errors
/// The first character that no server stores unchanged.
fn write_string(out: &mut String, text: &str) -> Result<(), char> {
    out.push('"');
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        let escape = match character {
            '"' | '\\' | '\0'..='\x1F' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => character,
            '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' => return Err(character),
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        plain_from = at + character.len_utf8();
        match escape {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
    Ok(())
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
