//! What each server version can do: the one table that code asks instead of comparing versions.

use super::model::{Server, Store};
use crate::ids::{PipelineName, VersionName};
use semver::Version;

/// What a server can do, and how it misbehaves. Facts are from the recordings of 2.0.5, 2.5.0, 2.16.1 and
/// 2.17.0; a version newer than all of them is taken for the newest, an untold one for what probing found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // A table of independent yes/no facts is what this is.
pub struct Capabilities {
    /// Pipelines and versions have `name` beside `display_name` (2.14.0 on). Before, `display_name` is
    /// the identity, and a `name` sent is dropped in silence.
    pub name_field: bool,
    /// Uploads take `tags` (2.17.0 on). Before, they are dropped in silence.
    pub tags: bool,
    /// A pipeline with versions can be deleted at once (2.14.0 on).
    pub cascading_delete: bool,
    /// A taken version name answers 500, told from others only by its text (2.0.x).
    pub taken_name_is_500: bool,
    /// A spec the server cannot read answers 500 (before 2.17.0).
    pub bad_spec_is_500: bool,
    /// Refusals of uploads say nothing but "Failed to create a pipeline version" (2.15.0 on).
    pub silent_refusals: bool,
    /// Bytes a pipeline's name may have.
    pub pipeline_name_limit: usize,
    /// Bytes a version's name may have.
    pub version_name_limit: usize,
    /// Names must be DNS-1123 subdomains, and lists may lag behind writes (Kubernetes store).
    pub kubernetes_store: bool,
    /// One version name cannot serve two pipelines of a namespace (Kubernetes store, 2.14.0 to 2.16.x).
    pub version_names_collide: bool,
    /// An upload can name the version that must be the newest, so that no other comes in between (the
    /// embedded registry alone; no released server has a compare-and-swap).
    pub conditional_uploads: bool,
}

impl Capabilities {
    /// The capabilities of a server.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        Self {
            conditional_uploads: server.conditional_uploads,
            ..Self::for_version(server.version.as_ref(), server.store)
        }
    }

    /// The name of a version on this server: with the pipeline's where two pipelines cannot share one.
    #[must_use]
    pub fn version_name(&self, name: &VersionName, pipeline: &PipelineName) -> VersionName {
        if self.version_names_collide {
            VersionName::new(format!("{name}-{pipeline}"))
        } else {
            name.clone()
        }
    }

    /// The capabilities of a version; `None` and anything newer mean the newest known.
    #[must_use]
    pub fn for_version(version: Option<&Version>, store: Store) -> Self {
        // A release candidate behaves as its release: compare numbers only.
        let from =
            |major: u64, minor: u64| version.is_none_or(|told| (told.major, told.minor) >= (major, minor));
        let kubernetes_store = store == Store::Kubernetes;
        Self {
            name_field: from(2, 14),
            tags: from(2, 17),
            cascading_delete: from(2, 14),
            taken_name_is_500: !from(2, 1),
            bad_spec_is_500: !from(2, 17),
            silent_refusals: from(2, 15),
            pipeline_name_limit: match store {
                _ if from(2, 15) => 128,
                Store::Kubernetes => 253,
                Store::Database => 255,
            },
            version_name_limit: match store {
                _ if from(2, 15) => 127,
                Store::Kubernetes => 253,
                Store::Database => 255,
            },
            kubernetes_store,
            version_names_collide: kubernetes_store && !from(2, 17),
            conditional_uploads: false,
        }
    }
}
