//! Compiled specs for tests (`tests/fixtures/ir`).

use super::{Canonical, Spec, canonical};
use serde_json::Value;

/// All of them.
pub const NAMES: &[&str] = &[
    "collected",
    "concat",
    "dictionary-items",
    "evaluation",
    "exit-handler",
    "in-loops",
    "nested-control-flow",
    "one-of",
    "optional",
    "optional-artifacts",
    "packages",
    "platform-config-outer",
    "qlora-pdf",
    "venv",
];

/// The JSON of one.
pub fn value(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ir/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// One as a spec.
pub fn fixture(name: &str) -> Spec {
    Spec::from_server(&value(name)).unwrap()
}

/// One in canonical form.
pub fn canonical_of(name: &str) -> Canonical {
    canonical(&fixture(name)).unwrap()
}
