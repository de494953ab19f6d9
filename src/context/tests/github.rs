//! GitHub environments, written from GitHub's documentation of default variables and event payloads.

use crate::context::{Context, Event, ForgeKind, read};
use pretty_assertions::assert_eq;
use std::collections::BTreeMap;

const SHA: &str = "ffac537e6cbbf934b08745a378932722df287a53";
const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";

fn github(event_name: &str, reference: &str, changes: &[(&str, &str)], event: &str) -> Context {
    let mut env: BTreeMap<String, String> = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_API_URL", "https://api.github.com"),
        ("GITHUB_REPOSITORY", "octo-org/hello-world"),
        ("GITHUB_ACTOR", "octocat"),
        ("GITHUB_TRIGGERING_ACTOR", "hubot"),
        ("GITHUB_SHA", SHA),
        ("GITHUB_RUN_ID", "1658821493"),
        ("GITHUB_RUN_NUMBER", "3"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_EVENT_NAME", event_name),
        ("GITHUB_REF", reference),
    ]
    .into_iter()
    .chain(changes.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    env.retain(|_, value| value != "-");
    read(&env, Some(event))
}

const PULL: &str = r#"{"action":"synchronize","number":12,"pull_request":{"number":12,"merged":false,
  "html_url":"https://github.com/octo-org/hello-world/pull/12",
  "head":{"ref":"feature","sha":"ec26c3e57ca3a959ca5aad62de7213c562f8c821","repo":{"full_name":"OWNER/hello-world"}},
  "base":{"ref":"main","sha":"ffac537e6cbbf934b08745a378932722df287a54","repo":{"full_name":"octo-org/hello-world"}}},
  "repository":{"full_name":"octo-org/hello-world","default_branch":"main","html_url":"https://github.com/octo-org/hello-world"}}"#;

#[test]
fn a_pull_request_never_reports_on_the_merge_commit() {
    let same = PULL.replace("OWNER", "octo-org");
    let context = github(
        "pull_request",
        "refs/pull/12/merge",
        &[("GITHUB_HEAD_REF", "feature")],
        &same,
    );
    assert_eq!(context.forge, ForgeKind::GitHub);
    assert_eq!(context.sha.as_deref(), Some(HEAD));
    assert!(!context.from_fork());
    assert_eq!(context.actor.as_deref(), Some("hubot"));
    // Without the event there is only the merge commit, and nobody is told about that one.
    let blind = github("pull_request", "refs/pull/12/merge", &[], "{}");
    assert_eq!(blind.sha, None);
    assert_eq!(blind.pull_request().map(|pull| pull.number), Some(12));
    assert_eq!(blind.problems.len(), 1);
}

#[test]
fn forks_deleted_ones_included() {
    let fork = PULL.replace("OWNER", "stranger");
    assert!(github("pull_request", "refs/pull/12/merge", &[], &fork).from_fork());
    let deleted = PULL.replace(r#"{"full_name":"OWNER/hello-world"}"#, "null");
    assert!(github("pull_request", "refs/pull/12/merge", &[], &deleted).from_fork());
}

#[test]
fn pull_request_target_reports_on_the_head_too() {
    let fork = PULL.replace("OWNER", "stranger");
    let context = github("pull_request_target", "refs/heads/main", &[], &fork);
    assert!(context.pull_request().is_some_and(|pull| pull.target));
    assert_eq!(context.sha.as_deref(), Some(HEAD));
}

#[test]
fn a_second_attempt_links_to_itself() {
    let context = github("push", "refs/heads/main", &[("GITHUB_RUN_ATTEMPT", "2")], "{}");
    assert!(context.asked_by_hand());
    assert_eq!(
        context.run_links().guess.as_deref(),
        Some("https://github.com/octo-org/hello-world/actions/runs/1658821493/attempts/2")
    );
    assert_eq!(
        context.run_key().as_deref(),
        Some("octo-org/hello-world/1658821493")
    );
}

#[test]
fn enterprise_and_unknown_hosts() {
    let kind = |server: &str, api: &str| {
        let changes = [("GITHUB_SERVER_URL", server), ("GITHUB_API_URL", api)];
        let context = github("push", "refs/heads/main", &changes, "{}");
        (context.forge, context.api_url)
    };
    assert_eq!(
        kind("https://acme.ghe.com", "https://api.acme.ghe.com").0,
        ForgeKind::GitHub
    );
    assert_eq!(
        kind("https://git.acme.example", "https://git.acme.example/api/v3").0,
        ForgeKind::GitHub
    );
    assert_eq!(
        kind("https://git.acme.example", "https://git.acme.example/api/v1").0,
        ForgeKind::Gitea
    );
    assert_eq!(kind("https://git.acme.example", "-"), (ForgeKind::Unknown, None));
    assert_eq!(
        kind("https://github.com", "-").1.as_deref(),
        Some("https://api.github.com")
    );
    // A name that only looks like GitHub's is not GitHub.
    assert_eq!(kind("https://github.com.evil.example", "-").0, ForgeKind::Unknown);
}

#[test]
fn dispatch_and_schedule() {
    let event = r#"{"inputs":{},"ref":"refs/heads/main","repository":{"default_branch":"main"},
        "workflow":".github/workflows/deploy.yaml"}"#;
    let context = github("workflow_dispatch", "refs/heads/main", &[], event);
    assert_eq!(
        (context.event.clone(), context.branch.as_deref()),
        (Event::Dispatch, Some("main"))
    );
    let event = r#"{"schedule":"0 4 * * *","repository":{"default_branch":"main"}}"#;
    assert_eq!(
        github("schedule", "refs/heads/main", &[], event).event,
        Event::Schedule
    );
    assert_eq!(
        github("merge_group", "refs/heads/gh-readonly-queue/main/pr-1", &[], "{}").event,
        Event::Other("merge_group".to_owned())
    );
}

#[test]
fn outside_ci_nothing_is_claimed() {
    let context = read(&BTreeMap::new(), None);
    assert!(!context.ci);
    assert_eq!(context.forge, ForgeKind::None);
    assert_eq!(context.event, Event::None);
    assert_eq!(context.run_links().guess, None);
    assert_eq!(context.attempt, 1);
    let other = read(&BTreeMap::from([("CI".to_owned(), "true".to_owned())]), None);
    assert!(other.ci);
    assert_eq!(other.forge, ForgeKind::None);
}
