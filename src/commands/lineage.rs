//! Whether a later commit of the same branch is already deployed: asked of the local git.

use crate::apply::Lineage;
use crate::context::Context;
use crate::git::Git;
use crate::kfp::transport::BoxFuture;
use crate::plan::mark::Mark;
use crate::settings::Settings;
use std::sync::Arc;

/// What the local git knows of the branch this run deploys.
pub struct RunLineage {
    git: Git,
    ours: String,
    branch: Option<String>,
}

impl RunLineage {
    /// Only a run that knows its commit can be superseded, and local changes are later than any commit.
    #[must_use]
    pub fn of(settings: &Settings, context: &Context, mark: &Mark) -> Option<Arc<dyn Lineage>> {
        let ours = mark.commit.clone().filter(|_| !mark.dirty)?;
        let branch = context.branch.clone().or_else(|| {
            let full = mark.git_ref.as_deref()?;
            full.strip_prefix("refs/heads/").map(str::to_owned)
        });
        Some(Arc::new(Self {
            git: Git::new(&settings.root),
            ours,
            branch,
        }))
    }

    /// The branch's head as far as it was fetched.
    fn head(&self) -> Option<String> {
        let branch = self.branch.as_deref()?;
        self.git
            .commit_of(&format!("refs/remotes/origin/{branch}"))
            .or_else(|| self.git.commit_of(&format!("refs/heads/{branch}")))
    }
}

impl Lineage for RunLineage {
    fn is_superseded_by(&self, deployed: &str) -> BoxFuture<'_, bool> {
        let deployed = deployed.to_owned();
        Box::pin(async move {
            deployed != self.ours
                && self.git.is_ancestor(&self.ours, &deployed) == Some(true)
                && self.head().is_some_and(|head| head != self.ours)
        })
    }
}
