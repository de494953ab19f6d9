//! The table of `auto`, event by event.

use super::{changed, recorded, recording};
use crate::context::auto::{AutoCommand, decide};
use crate::context::{Context, read};

const NONE: &[&str] = &[];

fn dispatch(branch: &str) -> Context {
    let env = changed(
        "push",
        &[
            ("GITHUB_EVENT_NAME", "workflow_dispatch"),
            ("GITHUB_REF", &format!("refs/heads/{branch}")),
        ],
    );
    read(&env, Some(&recording("gitea-push.event.json")))
}

fn push(branch: &str) -> Context {
    let env = changed("push", &[("GITHUB_REF", &format!("refs/heads/{branch}"))]);
    read(&env, Some(&recording("gitea-push.event.json")))
}

fn command(context: &Context, refs: &[&str], tag: Option<bool>) -> AutoCommand {
    decide(context, refs, tag).0
}

#[test]
fn the_default_branch_deploys() {
    let (command, reason) = decide(&recorded("push"), NONE, None);
    assert_eq!(command, AutoCommand::Apply);
    insta::assert_snapshot!(reason, @"push on the default branch `main`");
    assert_eq!(
        super::super::auto::decide(&dispatch("main"), NONE, None).0,
        AutoCommand::Apply
    );
}

#[test]
fn a_feature_branch_is_planned_and_told_so() {
    let (command, reason) = decide(&push("feature"), NONE, None);
    assert_eq!(command, AutoCommand::Plan);
    insta::assert_snapshot!(reason, @"push on `feature`, which is not the default branch `main`; name it in `apply.refs` to deploy it");
    assert_eq!(decide(&dispatch("feature"), NONE, None).0, AutoCommand::Plan);
}

#[test]
fn pull_requests_are_planned_whatever_the_refs_say() {
    for name in ["pull_request", "pull_request-from-fork"] {
        let refs = ["**", "refs/**", "feature", "fix"];
        assert_eq!(
            command(&recorded(name), &refs, Some(true)),
            AutoCommand::Plan,
            "{name}"
        );
    }
}

#[test]
fn a_tag_deploys_only_when_it_is_on_the_default_branch() {
    let tag = recorded("tag");
    assert_eq!(command(&tag, NONE, Some(true)), AutoCommand::Apply);
    assert_eq!(command(&tag, NONE, Some(false)), AutoCommand::Plan);
    let (unknown, reason) = decide(&tag, NONE, None);
    assert_eq!(unknown, AutoCommand::Plan);
    insta::assert_snapshot!(reason, @"nobody can tell whether tag `v1.2.0` is on `main`; check out with `fetch-depth: 0`, or name `refs/tags/*` in `apply.refs`");
    assert_eq!(command(&tag, &["refs/tags/v*"], None), AutoCommand::Apply);
    assert_eq!(
        command(&tag, &["v*"], None),
        AutoCommand::Plan,
        "a short pattern means branches"
    );
}

#[test]
fn refs_are_globs_and_the_last_match_counts() {
    let apply = AutoCommand::Apply;
    let plan = AutoCommand::Plan;
    assert_eq!(command(&push("release/1"), &["release/*"], None), apply);
    assert_eq!(command(&push("release/1/x"), &["release/*"], None), plan);
    assert_eq!(command(&push("release/1/x"), &["release/**"], None), apply);
    assert_eq!(
        command(&push("release/1"), &["refs/heads/release/*"], None),
        apply
    );
    assert_eq!(
        command(&push("release/old"), &["release/*", "!release/old"], None),
        plan
    );
    assert_eq!(command(&push("main"), &["!main"], None), plan);
    assert_eq!(
        command(&push("feature"), &["["], None),
        plan,
        "a broken pattern names nothing"
    );
}

#[test]
fn without_knowledge_nothing_is_deployed() {
    let blind = read(&changed("push", &[]), Some("{}"));
    let (command, reason) = decide(&blind, NONE, None);
    assert_eq!(command, AutoCommand::Plan);
    insta::assert_snapshot!(reason, @"push on `main`, and the event does not tell the default branch; name `main` in `apply.refs` to deploy it");
    assert_eq!(decide(&blind, &["main"], None).0, AutoCommand::Apply);
    let nothing = read(&std::collections::BTreeMap::new(), None);
    assert_eq!(decide(&nothing, NONE, None).0, AutoCommand::Plan);
}

#[test]
fn a_schedule_deploys_and_other_events_plan() {
    let schedule = read(&changed("push", &[("GITHUB_EVENT_NAME", "schedule")]), None);
    assert_eq!(decide(&schedule, NONE, None).0, AutoCommand::Apply);
    for name in [
        "release",
        "issue_comment",
        "workflow_run",
        "merge_group",
        "delete",
    ] {
        let context = read(&changed("push", &[("GITHUB_EVENT_NAME", name)]), None);
        assert_eq!(decide(&context, NONE, None).0, AutoCommand::Plan, "{name}");
    }
}
