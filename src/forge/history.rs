//! What the forge knows of branches and ancestry, for clones that are too shallow to know themselves.

use super::Kind;
use super::client::Client;
use super::error::{Fault, ForgeError};
use super::limits::Deadline;
use serde::Deserialize;

/// The most commits that are walked where the forge cannot compare.
const WALK: usize = 500;

/// Commits a page. Gitea gives at most 50 by default.
const PAGE: usize = 50;

#[derive(Deserialize)]
struct Branch {
    commit: BranchCommit,
}

/// Gitea calls the commit `id` (recorded), GitHub `sha`.
#[derive(Deserialize)]
struct BranchCommit {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    sha: Option<String>,
}

#[derive(Deserialize)]
struct Comparison {
    /// The commits of the head that the base does not have; both forges tell it.
    total_commits: u64,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    #[serde(default)]
    merged_at: Option<String>,
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    default_branch: Option<String>,
}

impl Client {
    /// The newest commit of a branch; `None` when there is no such branch.
    ///
    /// # Errors
    /// When the forge does not tell.
    pub async fn branch_head(&self, branch: &str, deadline: Deadline) -> Result<Option<String>, ForgeError> {
        match self
            .get(
                &self.repository_path(&format!("branches/{}", path_of(branch))),
                deadline,
            )
            .await
        {
            Ok(answer) => {
                let commit = answer.json::<Branch>()?.commit;
                Ok(commit.id.or(commit.sha))
            }
            Err(error) if error.fault == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The repository's default branch, for events that do not tell it.
    ///
    /// # Errors
    /// When the forge does not tell.
    pub async fn default_branch(&self, deadline: Deadline) -> Result<Option<String>, ForgeError> {
        let path = format!("/repos/{}/{}", self.repository.owner, self.repository.name);
        Ok(self.get(&path, deadline).await?.json::<About>()?.default_branch)
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors; both are commits, branches or tags.
    /// `None` when the forge cannot prove it either way.
    ///
    /// # Errors
    /// When the forge does not answer.
    pub async fn is_ancestor(
        &self,
        ancestor: &str,
        descendant: &str,
        deadline: Deadline,
    ) -> Result<Option<bool>, ForgeError> {
        if ancestor == descendant {
            return Ok(Some(true));
        }
        // What the ancestor has and the descendant has not: nothing, if it is one.
        let path = self.repository_path(&format!(
            "compare/{}...{}",
            path_of(descendant),
            path_of(ancestor)
        ));
        match self.get(&path, deadline).await {
            Ok(answer) => match answer.json::<Comparison>() {
                Ok(comparison) => Ok(Some(comparison.total_commits == 0)),
                Err(_) => self.walk(ancestor, descendant, deadline).await,
            },
            // Gitea 1.22 cannot compare (recorded); or one of the two is unknown.
            Err(error) if error.fault == Fault::NotFound => self.walk(ancestor, descendant, deadline).await,
            Err(error) => Err(error),
        }
    }

    /// Looks for the ancestor in the descendant's list of commits.
    async fn walk(
        &self,
        ancestor: &str,
        descendant: &str,
        deadline: Deadline,
    ) -> Result<Option<bool>, ForgeError> {
        let start: String = url::form_urlencoded::byte_serialize(descendant.as_bytes()).collect();
        for page in 1..=WALK / PAGE {
            let path = self.repository_path(&format!(
                "commits?sha={start}&per_page={PAGE}&limit={PAGE}&page={page}&stat=false&files=false&verification=false"
            ));
            let commits: Vec<Commit> = match self.get(&path, deadline).await {
                Ok(answer) => answer.json()?,
                Err(error) if error.fault == Fault::NotFound && page == 1 => return Ok(None),
                Err(error) if error.fault == Fault::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            if commits.iter().any(|commit| commit.sha == ancestor) {
                return Ok(Some(true));
            }
            // Only an empty page is the end: a server may give fewer than asked for. And only a full object
            // name can be missed surely; a branch or tag may be one of those seen.
            if commits.is_empty() {
                return Ok((page > 1 && ancestor.len() >= 40).then_some(false));
            }
        }
        Ok(None)
    }

    /// The merged pull request that brought a commit, `None` where none is known. The route is missing on
    /// Gitea 1.22 (recorded).
    ///
    /// # Errors
    /// When the forge does not answer.
    pub async fn merged_pull(&self, sha: &str, deadline: Deadline) -> Result<Option<u64>, ForgeError> {
        let route = if self.kind == Kind::GitHub {
            "pulls"
        } else {
            "pull"
        };
        let path = self.repository_path(&format!("commits/{sha}/{route}"));
        let answer = match self.get(&path, deadline).await {
            Ok(answer) => answer,
            Err(error) if error.fault == Fault::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let pulls: Vec<Pull> = if self.kind == Kind::GitHub {
            answer.json()?
        } else {
            vec![answer.json()?]
        };
        Ok(pulls
            .into_iter()
            .find(|pull| pull.merged_at.is_some())
            .map(|pull| pull.number))
    }
}

/// A ref inside a path: every part encoded, slashes kept, as both forges want it.
fn path_of(reference: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in reference.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
