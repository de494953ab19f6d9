//! Whether what is deployed comes from a later commit of the same branch.

use crate::kfp::transport::BoxFuture;

/// Knows how commits follow each other: the local git, or the forge where the clone is shallow.
pub trait Lineage: Send + Sync {
    /// Whether the deployed commit (40 hex digits) descends from ours *and* our branch's head is no longer
    /// ours. `false` on any doubt: an unknown commit, a force-push, a history cut off.
    fn is_superseded_by(&self, deployed: &str) -> BoxFuture<'_, bool>;
}
