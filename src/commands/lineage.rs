//! Which commit comes after which: asked of the local git, and of the forge where the clone is shallow.

use super::telling;
use crate::apply::Lineage;
use crate::context::Context;
use crate::forge::Client;
use crate::forge::limits::Deadline;
use crate::forge::publish::Telling;
use crate::git::Git;
use crate::kfp::transport::BoxFuture;
use crate::plan::mark::Mark;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};

/// How long the forge may take for one question: a guard that cannot be asked is a guard that lets pass.
const PATIENCE: Duration = Duration::from_secs(5);

/// The history as far as git and the forge know it.
pub struct History {
    git: Git,
    telling: Option<Telling>,
    forge: OnceCell<Option<Client>>,
}

impl History {
    /// The history of the settings' root.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            git: Git::new(&settings.root),
            telling: telling::telling(settings),
            forge: OnceCell::new(),
        }
    }

    /// The forge, asked what it is only when somebody wants to know something of it.
    async fn forge(&self) -> Option<&Client> {
        let telling = self.telling.as_ref()?;
        self.forge.get_or_init(|| telling.found_client()).await.as_ref()
    }

    /// Whether one commit (or branch) is an ancestor of another; `None` where nobody can prove it.
    pub async fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Option<bool> {
        if let Some(known) = self.git.is_ancestor(ancestor, descendant) {
            return Some(known);
        }
        let forge = self.forge().await?;
        let descendant = descendant.strip_prefix("origin/").unwrap_or(descendant);
        forge
            .is_ancestor(ancestor, descendant, Deadline::after(PATIENCE))
            .await
            .ok()
            .flatten()
    }

    /// A branch's newest commit: the forge's word first, because a checkout only knows what it fetched.
    async fn head(&self, branch: &str) -> Option<String> {
        if let Some(forge) = self.forge().await
            && let Ok(Some(head)) = forge.branch_head(branch, Deadline::after(PATIENCE)).await
        {
            return Some(head);
        }
        self.git
            .commit_of(&format!("refs/remotes/origin/{branch}"))
            .or_else(|| self.git.commit_of(&format!("refs/heads/{branch}")))
    }
}

/// Whether a later commit of the branch that this run deploys is deployed already.
pub struct RunLineage {
    history: History,
    ours: String,
    branch: String,
    /// What was found out: as a rule all pipelines were deployed from the same few commits.
    known: Mutex<BTreeMap<String, bool>>,
}

impl RunLineage {
    /// Only a run that knows its commit and branch can be superseded, and local changes are later than any
    /// commit.
    #[must_use]
    pub fn of(settings: &Settings, context: &Context, mark: &Mark) -> Option<Arc<dyn Lineage>> {
        let ours = mark.commit.clone().filter(|_| !mark.dirty)?;
        let of_ref = || {
            mark.git_ref
                .as_deref()?
                .strip_prefix("refs/heads/")
                .map(str::to_owned)
        };
        // A tag or an old commit run by hand is compared with the branch that is deployed as a rule.
        let branch = context
            .branch
            .clone()
            .or_else(of_ref)
            .or_else(|| context.default_branch.clone())?;
        Some(Arc::new(Self {
            history: History::of(settings),
            ours,
            branch,
            known: Mutex::default(),
        }))
    }
}

impl Lineage for RunLineage {
    fn is_superseded_by(&self, deployed: &str) -> BoxFuture<'_, bool> {
        let deployed = deployed.to_owned();
        Box::pin(async move {
            // Held while git or the forge is asked: who asks the same meanwhile waits for that answer.
            let mut known = self.known.lock().await;
            if let Some(known) = known.get(&deployed) {
                return *known;
            }
            let answer = self.comes_later(&deployed).await;
            known.insert(deployed, answer);
            answer
        })
    }
}

impl RunLineage {
    async fn comes_later(&self, deployed: &str) -> bool {
        deployed != self.ours
            && self.history.is_ancestor(&self.ours, deployed).await == Some(true)
            && self
                .history
                .head(&self.branch)
                .await
                .is_some_and(|head| head != self.ours)
    }
}
