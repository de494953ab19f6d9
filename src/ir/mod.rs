//! The compiled spec (KFP's "IR"): its text, canonical form, digest and typed view.

pub mod archive;
pub mod canonical;
pub mod command;
pub mod document;
pub mod graph;
pub mod names;
mod place;
pub mod python;
mod schema;
mod sdk;
pub mod view;
pub mod wiring;
mod written;

pub use canonical::{Canonical, canonical};
pub use document::{DocumentError, upload_documents};
pub use sdk::differs_only_by_sdk_pin;
pub use view::Pipeline;
pub use written::says;

use crate::ids::Digest;
use serde_json::Value;
use std::sync::{Arc, OnceLock};

/// A compiled pipeline: one pipeline spec and, where `kfp-kubernetes` or a pipeline config is used,
/// one platform spec, both as the JSON that protobuf writes.
///
/// Kept as text, because a thousand of them are held at once; parse when you need to look inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pipeline: Arc<str>,
    platform: Option<Arc<str>>,
    digest: KnownDigest,
}

/// The digest, once somebody asked for it: copies of a spec share it. It follows from the texts, so it does not
/// count where two are compared.
#[derive(Clone, Default)]
struct KnownDigest(Arc<OnceLock<Digest>>);

impl PartialEq for KnownDigest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KnownDigest {}

impl std::fmt::Debug for KnownDigest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0.get(), formatter)
    }
}

/// Why something is not a spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Nothing there: a 2.x server answers so after an upload whose text it could not keep.
    #[error("the version holds no pipeline spec")]
    Empty,
    /// A workflow of Kubeflow Pipelines 1, which every 2.x server still accepts.
    #[error("the version holds a v1 (Argo) workflow, not a pipeline spec")]
    V1Workflow,
    /// Something else.
    #[error("the version holds no pipeline spec, but {found}")]
    NotAPipeline {
        /// What it looks like.
        found: String,
    },
    /// Not JSON.
    #[error("the {document} is not JSON: {message}")]
    Unparsable {
        /// `pipeline spec` or `platform spec`.
        document: &'static str,
        /// What the parser said.
        message: String,
    },
}

impl Spec {
    /// Takes the JSON text of both documents, unchecked.
    #[must_use]
    pub fn from_text(pipeline: impl Into<Arc<str>>, platform: Option<Arc<str>>) -> Self {
        Self {
            pipeline: pipeline.into(),
            platform,
            digest: KnownDigest::default(),
        }
    }

    /// Takes the member `pipeline_spec` of a version as a server gives it back: the bare pipeline
    /// spec, or `{"pipeline_spec": …, "platform_spec": …}` where there is a platform spec (every
    /// version from 2.0.5 to 2.17.0, recording `version_upload_two_documents`).
    ///
    /// # Errors
    /// When it is no pipeline spec of Kubeflow Pipelines 2.
    pub fn from_server(value: &Value) -> Result<Self, SpecError> {
        let (pipeline, platform) = match value.get("pipeline_spec") {
            Some(pipeline) => (
                pipeline,
                value.get("platform_spec").filter(|platform| !platform.is_null()),
            ),
            None => (value, None),
        };
        check_shape(pipeline)?;
        Ok(Self {
            pipeline: pipeline.to_string().into(),
            platform: platform.map(|platform| platform.to_string().into()),
            digest: KnownDigest::default(),
        })
    }

    /// JSON text of the pipeline spec.
    #[must_use]
    pub fn pipeline_text(&self) -> &str {
        &self.pipeline
    }

    /// JSON text of the platform spec.
    #[must_use]
    pub fn platform_text(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// `sha256` over the canonical form: equal for what was sent and what a server gives back,
    /// unequal for any change of meaning. The first time it takes as long as parsing the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        *self.digest.0.get_or_init(|| canonical::digest(self))
    }

    /// The same for whoever has the canonical form of this spec at hand already.
    #[must_use]
    pub(crate) fn digest_with(&self, canonical: &Canonical) -> Digest {
        *self.digest.0.get_or_init(|| canonical.digest())
    }

    /// Bytes of both texts, a little less than what [`upload_documents`] makes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.pipeline.len() + self.platform.as_ref().map_or(0, |platform| platform.len())
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod recording_tests;

fn check_shape(pipeline: &Value) -> Result<(), SpecError> {
    let members = match pipeline {
        Value::Null => return Err(SpecError::Empty),
        Value::Object(members) if members.is_empty() => return Err(SpecError::Empty),
        Value::Object(members) => members,
        Value::Array(_) => return Err(not_a_pipeline("a list")),
        Value::String(_) => return Err(not_a_pipeline("a text")),
        Value::Bool(_) | Value::Number(_) => return Err(not_a_pipeline("a single value")),
    };
    let kind = members.get("kind").and_then(Value::as_str);
    let api = members
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if api.starts_with("argoproj.io/") || (kind == Some("Workflow") && members.contains_key("spec")) {
        return Err(SpecError::V1Workflow);
    }
    if members.contains_key("root") || members.contains_key("pipelineInfo") {
        return Ok(());
    }
    let names: Vec<_> = members.keys().take(5).map(|name| format!("{name:?}")).collect();
    Err(not_a_pipeline(&format!("an object with {}", names.join(", "))))
}

fn not_a_pipeline(found: &str) -> SpecError {
    SpecError::NotAPipeline {
        found: found.to_owned(),
    }
}
