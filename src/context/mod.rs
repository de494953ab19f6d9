//! Where a run happens: forge, event, commit, pull request and the run's own links.
//!
//! [`read()`] turns the environment and the event file, both handed in, into one typed [`Context`].
//! Nothing here touches the world, and nothing below asks the environment again.

pub mod auto;
mod event;
mod links;
mod read;
pub mod untrusted;
pub mod variables;

#[cfg(test)]
mod tests;

pub use links::RunLinks;
pub use read::{EVENT_FILE_LIMIT, read, read_event_file};

use std::path::PathBuf;

/// Which forge runs the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com or GitHub Enterprise.
    GitHub,
    /// Gitea, and Forgejo, which answers the same API.
    Gitea,
    /// There is a forge, but the environment does not tell which; `GET /version` does.
    Unknown,
    /// No forge: a person's terminal or another CI system.
    None,
}

/// `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The user or organization.
    pub owner: String,
    /// The repository's own name.
    pub name: String,
}

impl Repository {
    /// Reads `owner/name`; anything that would not be safe inside a URL's path is refused.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let fits = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        (fits(owner) && fits(name)).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// `owner/name`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// The pull request an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its newest commit, 40 or 64 hex digits: never the merge commit.
    pub head_sha: Option<String>,
    /// The branch it comes from.
    pub head_ref: Option<String>,
    /// The branch it wants to go to.
    pub base_ref: Option<String>,
    /// The commit of the base branch.
    pub base_sha: Option<String>,
    /// Whether it comes from another repository, so that secrets and write rights are missing.
    pub fork: bool,
    /// `pull_request_target`: the base branch's workflow, with its rights.
    pub target: bool,
    /// Whether it was merged already.
    pub merged: bool,
    /// Its page.
    pub html_url: Option<String>,
}

/// What caused the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A push to a branch.
    Push,
    /// A push of a tag.
    Tag,
    /// Something about a pull request.
    PullRequest(PullRequest),
    /// The clock.
    Schedule,
    /// Somebody pressed "run workflow".
    Dispatch,
    /// Any other event, by its name.
    Other(String),
    /// No event: not in CI, or the runner did not say.
    None,
}

impl Event {
    /// The word people know.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Push => "push",
            Self::Tag => "tag push",
            Self::PullRequest(_) => "pull request",
            Self::Schedule => "schedule",
            Self::Dispatch => "workflow_dispatch",
            Self::Other(name) => name,
            Self::None => "no event",
        }
    }
}

/// Where the run happens. Everything that is not known is `None`, never an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whether this is CI: `CI`, `GITHUB_ACTIONS` or `GITEA_ACTIONS` is true.
    pub ci: bool,
    /// Which forge.
    pub forge: ForgeKind,
    /// Whether the forge is Forgejo, whose run links are by number.
    pub forgejo: bool,
    /// What caused the run.
    pub event: Event,
    /// The commit that statuses belong to: a pull request's head, else the pushed commit.
    pub sha: Option<String>,
    /// The full ref, such as `refs/heads/main`.
    pub reference: Option<String>,
    /// The branch: pushed, dispatched or scheduled; a pull request's head branch.
    pub branch: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// The repository's default branch, from the event.
    pub default_branch: Option<String>,
    /// The repository.
    pub repository: Option<Repository>,
    /// Who caused the run (who ran it again, where told).
    pub actor: Option<String>,
    /// The forge's address as the job sees it, without a final slash.
    pub server_url: Option<String>,
    /// The repository's page as people see it, from the event.
    pub html_url: Option<String>,
    /// The API's address, without a final slash.
    pub api_url: Option<String>,
    /// The run's id.
    pub run_id: Option<u64>,
    /// The run's number.
    pub run_number: Option<u64>,
    /// Counted from 1.
    pub attempt: u64,
    /// The workflow's name.
    pub workflow: Option<String>,
    /// The job's id in the workflow.
    pub job: Option<String>,
    /// Where the step's outputs go.
    pub output: Option<PathBuf>,
    /// Where the job summary goes.
    pub step_summary: Option<PathBuf>,
    /// Whether the server shows job summaries: `None` where nobody says.
    pub summary_shown: Option<bool>,
    /// Where the checkout lies.
    pub workspace: Option<PathBuf>,
    /// Whether debug logs were asked for (`RUNNER_DEBUG=1`).
    pub debug: bool,
    /// What did not make sense, for the log.
    pub problems: Vec<String>,
}

impl Context {
    /// The pull request, if the event is about one.
    #[must_use]
    pub const fn pull_request(&self) -> Option<&PullRequest> {
        match &self.event {
            Event::PullRequest(pull) => Some(pull),
            _ => None,
        }
    }

    /// Whether the code under test comes from another repository.
    #[must_use]
    pub fn from_fork(&self) -> bool {
        self.pull_request().is_some_and(|pull| pull.fork)
    }

    /// Whether the forge is reached through `::workflow commands::` in the log.
    #[must_use]
    pub const fn takes_workflow_commands(&self) -> bool {
        matches!(
            self.forge,
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Unknown
        )
    }

    /// Whether somebody waits for an answer: a dispatch, or a run repeated by hand.
    #[must_use]
    pub const fn asked_by_hand(&self) -> bool {
        matches!(self.event, Event::Dispatch) || self.attempt > 1
    }

    /// The same for every attempt of one run, so that a notification is replaced instead of doubled.
    #[must_use]
    pub fn run_key(&self) -> Option<String> {
        let repository = self.repository.as_ref().map(Repository::full_name);
        match (self.run_id, repository) {
            (Some(id), Some(repository)) => Some(format!("{repository}/{id}")),
            (Some(id), None) => Some(id.to_string()),
            _ => None,
        }
    }

    /// The addresses the run's page may have.
    #[must_use]
    pub fn run_links(&self) -> RunLinks {
        links::candidates(self)
    }
}
