//! The compiled spec (KFP's "IR"): its text, canonical form, digest and typed view.

use std::sync::Arc;

/// A compiled pipeline: one pipeline spec and, where `kfp-kubernetes` or a pipeline config is used,
/// one platform spec, both as the JSON that protobuf writes.
///
/// Kept as text, because a thousand of them are held at once; parse when you need to look inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pipeline: Arc<str>,
    platform: Option<Arc<str>>,
}

impl Spec {
    /// Takes the JSON text of both documents, unchecked.
    #[must_use]
    pub fn from_text(pipeline: impl Into<Arc<str>>, platform: Option<Arc<str>>) -> Self {
        Self {
            pipeline: pipeline.into(),
            platform,
        }
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
}
