//! Which files hold pipelines.

use crate::ids::SourcePath;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One Python file that holds pipelines, with what the configuration says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: SourcePath,
    /// Where it lies.
    pub absolute: PathBuf,
    /// `pipelines.<name>.function`: compile exactly this function (`kfp dsl compile --function`).
    pub function: Option<String>,
    /// `pipelines.<name>.parameters`: `kfp dsl compile --pipeline-parameters`.
    pub parameters: BTreeMap<String, serde_json::Value>,
}
