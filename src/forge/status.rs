//! The commit status.

use super::Kind;
use super::client::Client;
use super::error::ForgeError;
use super::limits::Deadline;
use crate::report::Report;
use crate::report::wording::{self, Outcome};
use http::Method;
use serde::Deserialize;
use serde_json::json;

/// A status's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Under way.
    Pending,
    /// Done.
    Success,
    /// The user's pipelines failed.
    Failure,
    /// The world was in the way.
    Error,
    /// Done, but worth a look; only Gitea has it, and from 1.23 on it does not block a merge.
    Warning,
}

impl State {
    /// How a run ended. On pull requests nothing is a warning, because older Gitea blocks a merge on it.
    #[must_use]
    pub fn of(report: &Report, on_pull_request: bool) -> Self {
        // Changes pending under `plan --expect-no-changes`.
        if report.exit_code == 6 {
            return Self::Failure;
        }
        match wording::outcome(report) {
            Outcome::NothingFound if !on_pull_request => Self::Warning,
            Outcome::Unsettled if report.counts.unknown > 0 => Self::Error,
            Outcome::NothingFound | Outcome::Unchanged | Outcome::Changed | Outcome::Unsettled => {
                Self::Success
            }
            Outcome::SomeFailed | Outcome::AllFailed => Self::Failure,
            Outcome::Infrastructure => Self::Error,
        }
    }

    /// The word the forge takes. Gitea 1.22 takes any word without complaint (recorded), so only these
    /// may ever be sent.
    #[must_use]
    pub const fn word(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Pending, _) => "pending",
            (Self::Warning, Kind::Gitea) => "warning",
            (Self::Success, _) | (Self::Warning, Kind::GitHub) => "success",
            (Self::Failure, _) => "failure",
            (Self::Error, _) => "error",
        }
    }
}

/// The status's context: `kfp-gitops`, or `kfp-gitops/<target>`.
#[must_use]
pub fn context(target: Option<&str>) -> String {
    target.map_or_else(
        || "kfp-gitops".to_owned(),
        |target| {
            format!(
                "kfp-gitops/{}",
                crate::report::cut::ellipsis(&wording::one_line(target), 100)
            )
        },
    )
}

/// One status of a commit. Gitea says `status` where GitHub says `state` (recorded on 1.22).
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    context: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

impl Listed {
    fn word(self) -> Option<String> {
        self.status.or(self.state)
    }
}

#[derive(Debug, Deserialize)]
struct Combined {
    #[serde(default)]
    statuses: Option<Vec<Listed>>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    sha: String,
}

/// How many earlier commits are asked for the last own status.
const LOOK_BACK: usize = 5;

impl Client {
    /// Sets a commit's status and gives its id. Every call adds one and the newest counts, so repeating it
    /// is harmless.
    ///
    /// # Errors
    /// When the forge does not take it.
    pub async fn set_status(
        &self,
        sha: &str,
        state: State,
        target: Option<&str>,
        description: &str,
        link: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<u64>, ForgeError> {
        let mut body = json!({
            "state": state.word(self.kind),
            "context": context(target),
            "description": crate::report::cut::ellipsis_chars(description, wording::DESCRIPTION_LIMIT),
        });
        if let Some(link) = link {
            body["target_url"] = link.into();
        }
        let path = self.repository_path(&format!("statuses/{sha}"));
        let answer = self.repeated(&Method::POST, &path, Some(&body), deadline).await?;
        // A success whose body is something else is no success: a proxy's page, say.
        Ok(answer.json::<Listed>()?.id)
    }

    /// The state of this tool's own status on a commit, `None` where there is none.
    ///
    /// # Errors
    /// When the forge does not tell.
    pub async fn own_status(
        &self,
        sha: &str,
        target: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<String>, ForgeError> {
        let path = self.repository_path(&format!("commits/{sha}/status?per_page=100&limit=50"));
        let combined: Combined = self.get(&path, deadline).await?.json()?;
        let wanted = context(target);
        let own = combined
            .statuses
            .unwrap_or_default()
            .into_iter()
            .find(|one| one.context == wanted);
        Ok(own.and_then(Listed::word))
    }

    /// Whether the run before this one on the branch failed, by its own status: on this commit (`before` is
    /// the id of this run's first status, later ones are its own), else on the commits before it.
    ///
    /// # Errors
    /// When the forge does not tell.
    pub async fn failed_before(
        &self,
        branch: &str,
        sha: &str,
        target: Option<&str>,
        before: Option<u64>,
        deadline: Deadline,
    ) -> Result<bool, ForgeError> {
        let (here, earlier) = tokio::join!(
            self.settled_on(sha, target, before, deadline),
            self.settled_earlier(branch, sha, target, deadline)
        );
        let last = match here? {
            Some(word) => Some(word),
            None => earlier?,
        };
        Ok(matches!(last.as_deref(), Some("failure" | "error")))
    }

    /// The last own status on a commit that is not pending and came before `before`.
    async fn settled_on(
        &self,
        sha: &str,
        target: Option<&str>,
        before: Option<u64>,
        deadline: Deadline,
    ) -> Result<Option<String>, ForgeError> {
        let route = match self.kind {
            Kind::GitHub => format!("commits/{sha}/statuses?per_page=100"),
            Kind::Gitea => format!("statuses/{sha}?limit=50"),
        };
        let listed: Option<Vec<Listed>> = self.get(&self.repository_path(&route), deadline).await?.json()?;
        let wanted = context(target);
        // The order of the list is not to be relied on (recorded on Gitea 1.22): ids grow.
        Ok(listed
            .unwrap_or_default()
            .into_iter()
            .filter(|one| one.context == wanted && one.id < before.or(Some(u64::MAX)))
            .max_by_key(|one| {
                (
                    one.status.as_deref().or(one.state.as_deref()) != Some("pending"),
                    one.id,
                )
            })
            .and_then(Listed::word)
            .filter(|word| word != "pending"))
    }

    /// The last own status on the branch's commits before `sha`.
    async fn settled_earlier(
        &self,
        branch: &str,
        sha: &str,
        target: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<String>, ForgeError> {
        let start: String = url::form_urlencoded::byte_serialize(branch.as_bytes()).collect();
        let count = LOOK_BACK + 1;
        let path = self.repository_path(&format!(
            "commits?sha={start}&per_page={count}&limit={count}&stat=false&files=false&verification=false"
        ));
        let commits: Vec<Commit> = self.get(&path, deadline).await?.json()?;
        let earlier = commits.iter().filter(|commit| commit.sha != sha).take(LOOK_BACK);
        let answers = earlier.map(|commit| self.own_status(&commit.sha, target, deadline));
        for answer in futures::future::join_all(answers).await {
            match answer?.as_deref() {
                Some("pending") | None => {}
                Some(word) => return Ok(Some(word.to_owned())),
            }
        }
        Ok(None)
    }
}
