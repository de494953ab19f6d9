//! Tokens in files: a projected service-account token, or one that another step keeps fresh.

use crate::error::{Failure, Phase};
use crate::secret::Secret;
use std::path::{Path, PathBuf};

/// Where the official client looks for the projected token (audience `pipelines.kubeflow.org`).
pub const PROJECTED_TOKEN: &str = "/var/run/secrets/kubeflow/pipelines/token";

/// A file that holds a token. It is read again for every call: the kubelet replaces a projected token
/// well before it expires, and a read costs microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// A token in `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the token.
    ///
    /// # Errors
    /// When the file cannot be read or is empty.
    pub fn read(&self) -> Result<Secret, Failure> {
        let shown = self.path.display();
        let text = std::fs::read_to_string(&self.path).map_err(|error| {
            Failure::usage(Phase::Connect, format!("the token file {shown} cannot be read: {error}")).hint(
                "mount a projected service-account token with the audience `pipelines.kubeflow.org`, or give another login",
            )
        })?;
        Secret::new(&text).map_err(|_| {
            Failure::usage(Phase::Connect, format!("the token file {shown} is empty"))
                .hint("check what writes the token; an empty one is never sent")
        })
    }
}
