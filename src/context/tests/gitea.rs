//! Recorded on Gitea 1.22-dev with its runner in host mode; dispatch, schedule and reusable workflows are
//! written from Gitea's source (`services/actions`), because they were not recorded.

use super::{changed, recorded, recording};
use crate::context::{Event, ForgeKind, read};
use pretty_assertions::assert_eq;

#[test]
fn a_push_is_read_whole() {
    let context = recorded("push");
    assert!(context.ci);
    assert_eq!(context.forge, ForgeKind::Gitea);
    assert_eq!(context.event, Event::Push);
    assert_eq!(
        context.sha.as_deref(),
        Some("6875ae4fd7a2bc8cfc5c8bc00f3ca4fb00e6ec58")
    );
    assert_eq!(context.branch.as_deref(), Some("main"));
    assert_eq!(context.tag, None);
    assert_eq!(context.default_branch.as_deref(), Some("main"));
    assert_eq!(
        context.repository.as_ref().map(|r| r.full_name()).as_deref(),
        Some("admin1/demo")
    );
    assert_eq!(context.actor.as_deref(), Some("admin1"));
    assert_eq!(context.api_url.as_deref(), Some("http://127.0.0.1:3000/api/v1"));
    assert_eq!(
        context.html_url.as_deref(),
        Some("http://127.0.0.1:3000/admin1/demo")
    );
    assert_eq!(
        (context.run_id, context.run_number, context.attempt),
        (Some(1), Some(1), 1)
    );
    assert_eq!(context.summary_shown, Some(false));
    assert!(context.output.is_some() && context.step_summary.is_some());
    assert_eq!(context.problems, Vec::<String>::new());
}

#[test]
fn a_tag_is_no_branch() {
    let context = recorded("tag");
    assert_eq!(context.event, Event::Tag);
    assert_eq!(context.tag.as_deref(), Some("v1.2.0"));
    assert_eq!(context.branch, None);
    assert_eq!(
        context.sha.as_deref(),
        Some("2a9f16df8b421182803c7298ab01b4d76383a392")
    );
    assert_eq!((context.run_id, context.run_number), (Some(17), Some(11)));
}

#[test]
fn a_pull_request_reports_on_its_head() {
    let context = recorded("pull_request");
    let pull = context.pull_request().expect("a pull request");
    assert_eq!(pull.number, 1);
    assert_eq!(
        context.sha.as_deref(),
        Some("ac5b61b0350837a6feb801634f0e84f1430c8291")
    );
    assert_eq!(pull.head_sha, context.sha);
    assert_eq!(pull.head_ref.as_deref(), Some("feature"));
    assert_eq!(pull.base_ref.as_deref(), Some("main"));
    assert!(!pull.fork && !pull.target && !pull.merged);
    assert_eq!(
        pull.html_url.as_deref(),
        Some("http://127.0.0.1:3000/admin1/demo/pulls/1")
    );
}

#[test]
fn a_fork_is_seen_by_its_repository() {
    let context = recorded("pull_request-from-fork");
    assert!(context.from_fork());
    assert_eq!(context.pull_request().map(|pull| pull.number), Some(2));
    assert_eq!(context.actor.as_deref(), Some("bob"));
}

#[test]
fn run_links_follow_the_server_version() {
    let links = recorded("tag").run_links();
    assert_eq!(
        links.by_id.as_deref(),
        Some("http://127.0.0.1:3000/admin1/demo/actions/runs/17")
    );
    assert_eq!(
        links.by_number.as_deref(),
        Some("http://127.0.0.1:3000/admin1/demo/actions/runs/11")
    );
    assert_eq!(links.guess, links.by_number, "1.22 links by number");

    let newer = changed("tag", &[("GITEA_ACTIONS_CAPABILITIES", "cache, job-summary")]);
    let context = read(&newer, Some(&recording("gitea-tag.event.json")));
    assert_eq!(context.summary_shown, Some(true));
    assert_eq!(
        context.run_links().guess,
        context.run_links().by_id,
        "1.27 links by id"
    );
}

#[test]
fn forgejo_counts_as_gitea_and_links_by_number() {
    let env = changed("push", &[("FORGEJO_ACTIONS", "true"), ("GITEA_ACTIONS", "")]);
    let context = read(&env, None);
    assert_eq!(context.forge, ForgeKind::Gitea);
    assert!(context.forgejo && context.ci);
    assert_eq!(context.run_links().guess, context.run_links().by_number);
}

#[test]
fn an_empty_event_leaves_the_environment() {
    // `gitea-runner exec` writes `{}`.
    for event in [None, Some(""), Some("{}")] {
        let context = read(&changed("push", &[]), event);
        assert_eq!(context.event, Event::Push);
        assert_eq!(context.branch.as_deref(), Some("main"));
        assert_eq!(context.default_branch, None);
        assert_eq!(
            context.run_links().by_id.as_deref(),
            Some("http://127.0.0.1:3000/admin1/demo/actions/runs/1")
        );
        assert_eq!(context.problems, Vec::<String>::new());
    }
}

#[test]
fn an_empty_event_of_a_pull_request_still_has_number_and_head() {
    let context = read(&changed("pull_request", &[]), Some("{}"));
    let pull = context.pull_request().expect("a pull request");
    assert_eq!(pull.number, 1);
    assert_eq!(pull.base_ref.as_deref(), Some("main"));
    // Gitea's GITHUB_SHA is the head itself.
    assert_eq!(
        context.sha.as_deref(),
        Some("ac5b61b0350837a6feb801634f0e84f1430c8291")
    );
}

#[test]
fn a_broken_event_is_told_without_its_content() {
    let context = read(&changed("push", &[]), Some("{\"repository\": \"tk_secret"));
    assert_eq!(context.event, Event::Push);
    assert_eq!(context.problems.len(), 1);
    assert!(
        !context.problems[0].contains("tk_secret"),
        "{}",
        context.problems[0]
    );
}

#[test]
fn a_dispatch_is_on_the_chosen_branch() {
    // From `DispatchActionWorkflow` in Gitea's source: the run's ref is the full ref.
    let env = changed(
        "push",
        &[
            ("GITHUB_EVENT_NAME", "workflow_dispatch"),
            ("GITHUB_REF", "refs/heads/feature/x"),
        ],
    );
    let event = r#"{"workflow":"deploy.yaml","ref":"refs/heads/feature/x","inputs":{},
        "repository":{"full_name":"admin1/demo","default_branch":"main"},"sender":{"login":"ann"}}"#;
    let context = read(&env, Some(event));
    assert_eq!(context.event, Event::Dispatch);
    assert_eq!(context.branch.as_deref(), Some("feature/x"));
    assert_eq!(context.default_branch.as_deref(), Some("main"));
    assert!(context.asked_by_hand());
}

#[test]
fn a_schedule_is_known_by_name() {
    // Older servers store the push payload of the commit that registered the schedule.
    let env = changed("push", &[("GITHUB_EVENT_NAME", "schedule")]);
    let context = read(&env, Some(&recording("gitea-push.event.json")));
    assert_eq!(context.event, Event::Schedule);
    assert!(!context.asked_by_hand());
}

#[test]
fn a_reusable_workflow_hides_the_event_and_the_file_tells_it() {
    // From `GenerateGiteaContext` in Gitea's source: the name becomes `workflow_call`.
    let call = |name: &str| {
        let env = changed(name, &[("GITHUB_EVENT_NAME", "workflow_call")]);
        read(&env, Some(&recording(&format!("gitea-{name}.event.json")))).event
    };
    assert_eq!(call("push"), Event::Push);
    assert_eq!(call("tag"), Event::Tag);
    assert!(matches!(call("pull_request"), Event::PullRequest(pull) if !pull.target));
    let env = changed("push", &[("GITHUB_EVENT_NAME", "workflow_call")]);
    assert_eq!(
        read(&env, Some(r#"{"workflow":"a.yaml","ref":"refs/heads/main"}"#)).event,
        Event::Dispatch
    );
    assert_eq!(
        read(&env, Some("{}")).event,
        Event::Other("workflow_call".to_owned())
    );
}

#[test]
fn hostile_values_stay_harmless() {
    let env = changed(
        "push",
        &[
            ("GITHUB_REPOSITORY", "admin1/../../etc"),
            ("GITHUB_SERVER_URL", "javascript:alert(1)"),
            ("GITHUB_SHA", "$(id)"),
            ("GITHUB_RUN_ID", "1; rm -rf /"),
        ],
    );
    let context = read(&env, None);
    assert_eq!(context.repository, None);
    assert_eq!(context.server_url, None);
    assert_eq!(context.sha, None);
    assert_eq!(context.run_id, None);
    assert_eq!(context.problems.len(), 3);
    assert_eq!(context.run_links().guess, None);
}

#[test]
fn an_address_with_a_password_loses_it() {
    let env = changed(
        "push",
        &[(
            "GITHUB_API_URL",
            "https://bot:hunter2@git.example/api/v1/?token=x",
        )],
    );
    let context = read(&env, None);
    assert_eq!(context.api_url.as_deref(), Some("https://git.example/api/v1"));
}
