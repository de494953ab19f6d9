//! The event file: only the fields used, all of them optional.

use serde::Deserialize;

/// The parts of the event file that matter, on Gitea and GitHub alike.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventFile {
    /// A pull request's number.
    pub number: Option<u64>,
    /// The pull request.
    pub pull_request: Option<PullRequestPart>,
    /// The repository.
    pub repository: Option<RepositoryPart>,
    /// A push: the new commit.
    pub after: Option<String>,
    /// A push, a dispatch: the ref.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// A dispatch: the workflow's file.
    pub workflow: Option<serde_json::Value>,
    /// A schedule: the cron line.
    pub schedule: Option<serde_json::Value>,
    /// Who acted.
    pub sender: Option<UserPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PullRequestPart {
    pub number: Option<u64>,
    pub html_url: Option<String>,
    pub merged: Option<bool>,
    pub head: Option<SidePart>,
    pub base: Option<SidePart>,
}

/// One side of a pull request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SidePart {
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub sha: Option<String>,
    /// `null` on GitHub when the fork was deleted.
    pub repo: Option<RepositoryPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RepositoryPart {
    pub full_name: Option<String>,
    pub default_branch: Option<String>,
    pub html_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UserPart {
    pub login: Option<String>,
}
