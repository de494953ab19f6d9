//! Every environment variable that describes the CI job, named once.
//!
//! Gitea's runner sets GitHub's names (recorded: `tests/recordings/forge/*.env`); what it leaves out
//! or fills differently is said at each name.

/// Set to `true` by nearly every CI system.
pub const CI: &str = "CI";
/// `true` on GitHub, Gitea and Forgejo.
pub const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// `true` on Gitea, and on Forgejo's runner too.
pub const GITEA_ACTIONS: &str = "GITEA_ACTIONS";
/// `true` on Forgejo's runner since its version 7.
pub const FORGEJO_ACTIONS: &str = "FORGEJO_ACTIONS";
/// What the Gitea server can do, separated by commas: `job-summary` since 1.27.
pub const GITEA_ACTIONS_CAPABILITIES: &str = "GITEA_ACTIONS_CAPABILITIES";
/// The event's name. Gitea says `workflow_call` inside a reusable workflow, whatever the event was.
pub const GITHUB_EVENT_NAME: &str = "GITHUB_EVENT_NAME";
/// Path of the event file.
pub const GITHUB_EVENT_PATH: &str = "GITHUB_EVENT_PATH";
/// The commit. On a pull request: the merge commit on GitHub, the head on Gitea.
pub const GITHUB_SHA: &str = "GITHUB_SHA";
/// The full ref. On a pull request: `refs/pull/N/merge` on GitHub, `refs/pull/N/head` on Gitea.
pub const GITHUB_REF: &str = "GITHUB_REF";
/// The base branch of a pull request.
pub const GITHUB_BASE_REF: &str = "GITHUB_BASE_REF";
/// The head branch of a pull request.
pub const GITHUB_HEAD_REF: &str = "GITHUB_HEAD_REF";
/// `owner/name`.
pub const GITHUB_REPOSITORY: &str = "GITHUB_REPOSITORY";
/// Who caused the event.
pub const GITHUB_ACTOR: &str = "GITHUB_ACTOR";
/// Who pressed the button; absent on Gitea up to 1.25.
pub const GITHUB_TRIGGERING_ACTOR: &str = "GITHUB_TRIGGERING_ACTOR";
/// The forge's address. On Gitea the one the runner was registered with, so perhaps an internal name.
pub const GITHUB_SERVER_URL: &str = "GITHUB_SERVER_URL";
/// The address of its API: `…/api/v1` on Gitea, `https://api.github.com` or `…/api/v3` on GitHub.
pub const GITHUB_API_URL: &str = "GITHUB_API_URL";
/// The run's id.
pub const GITHUB_RUN_ID: &str = "GITHUB_RUN_ID";
/// The run's number: per workflow on GitHub, per repository on Gitea.
pub const GITHUB_RUN_NUMBER: &str = "GITHUB_RUN_NUMBER";
/// Counted from 1; more than 1 when somebody ran it again.
pub const GITHUB_RUN_ATTEMPT: &str = "GITHUB_RUN_ATTEMPT";
/// The workflow's name, or its file.
pub const GITHUB_WORKFLOW: &str = "GITHUB_WORKFLOW";
/// The job's id in the workflow.
pub const GITHUB_JOB: &str = "GITHUB_JOB";
/// The file that takes the step's outputs.
pub const GITHUB_OUTPUT: &str = "GITHUB_OUTPUT";
/// The file that takes the step's summary.
pub const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// Where the checkout lies.
pub const GITHUB_WORKSPACE: &str = "GITHUB_WORKSPACE";
/// `1` when somebody asked for debug logs.
pub const RUNNER_DEBUG: &str = "RUNNER_DEBUG";

/// All of them with what they are for, in the order of the README's table.
pub const TABLE: &[(&str, &str)] = &[
    (CI, "in CI at all"),
    (GITHUB_ACTIONS, "in CI, in the way of GitHub"),
    (GITEA_ACTIONS, "the forge is Gitea or Forgejo"),
    (FORGEJO_ACTIONS, "the forge is Forgejo"),
    (GITEA_ACTIONS_CAPABILITIES, "whether Gitea shows job summaries"),
    (GITHUB_EVENT_NAME, "the event"),
    (GITHUB_EVENT_PATH, "the event file"),
    (GITHUB_SHA, "the commit, outside pull requests"),
    (GITHUB_REF, "the branch or tag"),
    (GITHUB_BASE_REF, "the base branch of a pull request"),
    (GITHUB_HEAD_REF, "the head branch of a pull request"),
    (GITHUB_REPOSITORY, "the repository"),
    (GITHUB_ACTOR, "who caused the event"),
    (GITHUB_TRIGGERING_ACTOR, "who pressed the button"),
    (GITHUB_SERVER_URL, "the forge"),
    (GITHUB_API_URL, "the forge's API"),
    (GITHUB_RUN_ID, "the run, for links"),
    (GITHUB_RUN_NUMBER, "the run, for links and version names"),
    (GITHUB_RUN_ATTEMPT, "whether the run was repeated by hand"),
    (GITHUB_WORKFLOW, "the workflow's name"),
    (GITHUB_JOB, "the job's id"),
    (GITHUB_OUTPUT, "where the step's outputs go"),
    (GITHUB_STEP_SUMMARY, "where the job summary goes"),
    (GITHUB_WORKSPACE, "where the checkout lies"),
    (RUNNER_DEBUG, "`1` turns on debug logs"),
];
