//! What is told in each kind of run, without any fault.

use super::fake::{Comment, Fake};
use super::{SHA, TOKEN, context, limits, secret, telling};
use crate::forge::limits::Deadline;
use crate::forge::publish::{Telling, begin, relaying};
use crate::forge::redact::Redactor;
use crate::forge::{Client, Kind, Options};
use crate::notify::When;
use crate::report::{Report, fixtures};
use pretty_assertions::assert_eq;
use std::sync::Arc;
use std::time::Duration;

async fn run(telling: Telling, report: &Report) -> Vec<String> {
    let publisher = begin(telling, report.command == "apply");
    publisher.finish(report).await
}

fn client(fake: &Arc<Fake>, kind: Kind) -> Client {
    let options = Options {
        kind,
        api_url: if kind == Kind::Gitea {
            "http://forge.test/api/v1/"
        } else {
            "https://api.github.com"
        }
        .to_owned(),
        repository: context(kind, "push").repository.expect("a repository"),
        token: Some(secret(TOKEN)),
        limits: limits(),
        redactor: Redactor::default(),
    };
    Client::new(Arc::clone(fake) as Arc<_>, options).expect("a client")
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

#[tokio::test(start_paused = true)]
async fn a_deployment_is_pending_and_then_done() {
    for (kind, github) in [(Kind::Gitea, false), (Kind::GitHub, true)] {
        let fake = Arc::new(Fake::new(github));
        let log = run(telling(&fake, kind, "push"), &fixtures::updated()).await;
        assert_eq!(log, Vec::<String>::new());
        assert_eq!(fake.words(SHA), ["pending", "success"]);
        let statuses = fake.with(|state| state.statuses[SHA].clone());
        assert_eq!(statuses[1].2, "kfp-gitops");
        assert_eq!(
            statuses[1].3,
            "Deployed 1 of 6 pipelines as v20260213-143022: 1 updated, 5 unchanged"
        );
        let message = fake.with(|state| state.messages[0].clone());
        assert_eq!(message["topic"], "gitea-ci");
        assert_eq!(message["tags"][0], "white_check_mark");
        let link = if github {
            "https://github.com/ml/pipelines/actions/runs/17"
        } else {
            "http://forge.test/ml/pipelines/actions/runs/11"
        };
        assert_eq!(message["click"], link);
        assert_eq!(message["actions"][1]["url"], "https://kfp.example");
        let sequence = message["sequence_id"].as_str().unwrap().to_owned();
        assert!(
            sequence.len() <= 64 && sequence.starts_with("kfp-gitops-17-"),
            "{sequence}"
        );
        let hook = fake.with(|state| state.hooks[0].clone());
        assert_eq!(hook["outcome"], "changed");
        assert_eq!(hook["report"]["counts"]["updated"], 1);
        assert_eq!(fake.own_comments().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_side_by_side() {
    let fake = Arc::new(Fake::new(false));
    let _ = run(telling(&fake, Kind::Gitea, "push"), &fixtures::some_failed()).await;
    let calls = fake.with(|state| state.calls.clone());
    // Before the end: only the run's link and the pending status.
    assert_eq!(
        calls[..3],
        [
            "GET forge.test/api/v1/repos/ml/pipelines/actions/runs/17".to_owned(),
            "GET forge.test/api/v1/version".to_owned(),
            format!("POST forge.test/api/v1/repos/ml/pipelines/statuses/{SHA}"),
        ]
    );
    let end: std::collections::BTreeSet<&str> = calls[3..].iter().map(String::as_str).collect();
    assert!(
        end.contains("POST ntfy.test/") && end.contains("POST hook.test/in/webh00k-secret"),
        "{end:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_starts_one_comment_and_edits_it() {
    for (kind, github) in [(Kind::Gitea, false), (Kind::GitHub, true)] {
        let fake = Arc::new(Fake::new(github));
        assert_eq!(
            run(telling(&fake, kind, "pull_request"), &fixtures::plan()).await,
            Vec::<String>::new()
        );
        let first = fake.own_comments();
        assert_eq!(first.len(), 1);
        assert!(
            first[0].body.contains("Would deploy 2 of 6 pipelines"),
            "{}",
            first[0].body
        );
        // A later push takes the changes away again.
        let _ = run(telling(&fake, kind, "pull_request"), &fixtures::plan_nothing()).await;
        let second = fake.own_comments();
        assert_eq!((second.len(), second[0].id), (1, first[0].id));
        assert!(second[0].body.contains("No changes"), "{}", second[0].body);
    }
}

#[tokio::test(start_paused = true)]
async fn without_changes_no_comment_is_started() {
    let fake = Arc::new(Fake::new(false));
    let _ = run(
        telling(&fake, Kind::Gitea, "pull_request"),
        &fixtures::plan_nothing(),
    )
    .await;
    assert_eq!(fake.own_comments().len(), 0);
    assert_eq!(fake.words(SHA), ["pending", "success"]);
}

#[tokio::test(start_paused = true)]
async fn after_the_merge_the_same_comment_tells_what_was_deployed() {
    for (kind, github) in [(Kind::Gitea, false), (Kind::GitHub, true)] {
        let fake = Arc::new(Fake::new(github));
        let _ = run(telling(&fake, kind, "pull_request"), &fixtures::plan()).await;
        fake.with(|state| state.merged = Some(1));
        let report = Report {
            target: None,
            ..fixtures::updated()
        };
        let _ = run(telling(&fake, kind, "push"), &report).await;
        let comments = fake.own_comments();
        assert_eq!(comments.len(), 1);
        assert!(
            comments[0].body.contains("Deployed 1 of 6"),
            "{}",
            comments[0].body
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_marker_by_somebody_else_is_not_ours() {
    let fake = Arc::new(Fake::new(false));
    let body = "<!-- kfp-gitops:comment: -->\nfake".to_owned();
    fake.with(|state| {
        state.comments.push(Comment {
            id: 1,
            login: "mallory",
            body,
        })
    });
    let _ = run(telling(&fake, Kind::Gitea, "pull_request"), &fixtures::plan()).await;
    assert_eq!(fake.own_comments().len(), 1);
    assert_eq!(
        fake.with(|state| state.comments[0].body.clone()),
        "<!-- kfp-gitops:comment: -->\nfake"
    );
}

#[tokio::test(start_paused = true)]
async fn targets_have_their_own_comment_and_status() {
    let fake = Arc::new(Fake::new(false));
    for target in ["staging", "prod"] {
        let telling = Telling {
            target: Some(target.to_owned()),
            ..telling(&fake, Kind::Gitea, "pull_request")
        };
        let _ = run(telling, &fixtures::plan()).await;
    }
    assert_eq!(fake.own_comments().len(), 2);
    let contexts: Vec<String> = fake.with(|state| state.statuses[SHA].iter().map(|s| s.2.clone()).collect());
    assert_eq!(
        contexts,
        [
            "kfp-gitops/staging",
            "kfp-gitops/staging",
            "kfp-gitops/prod",
            "kfp-gitops/prod"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_leave_one_comment() {
    for seed in 1..=80u64 {
        let fake = Arc::new(Fake::new(seed % 2 == 0));
        let kind = if seed % 2 == 0 { Kind::GitHub } else { Kind::Gitea };
        *fake.order.lock().unwrap() = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let runs = (0..3).map(|_| {
            let telling = telling(&fake, kind, "pull_request");
            tokio::spawn(async move { run(telling, &fixtures::plan()).await })
        });
        for log in futures::future::join_all(runs).await {
            assert_eq!(log.unwrap(), Vec::<String>::new(), "seed {seed}");
        }
        let comments = fake.own_comments();
        assert_eq!(comments.len(), 1, "seed {seed}");
        assert!(comments[0].body.contains("Would deploy"), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_comments_are_read_page_by_page() {
    for (kind, github) in [(Kind::Gitea, false), (Kind::GitHub, true)] {
        let fake = Arc::new(Fake::new(github));
        fake.with(|state| {
            state.page = if github { 100 } else { 30 };
            for id in 1000..1250 {
                state.comments.push(Comment {
                    id,
                    login: "ann",
                    body: "hello".to_owned(),
                });
            }
            let bot = if github {
                "github-actions[bot]"
            } else {
                "gitea-actions"
            };
            let body = "<!-- kfp-gitops:comment: -->\nold".to_owned();
            state.comments.push(Comment {
                id: 2000,
                login: bot,
                body,
            });
        });
        let _ = run(telling(&fake, kind, "pull_request"), &fixtures::plan()).await;
        let comments = fake.own_comments();
        assert_eq!(comments.len(), 1);
        assert!(comments[0].id == 2000 && comments[0].body.contains("Would deploy"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_run_link_is_the_forges_own_answer() {
    let link = async |version: &'static str, runs: bool| {
        let fake = Arc::new(Fake::new(false));
        fake.with(|state| {
            state.version = version;
            state.runs = runs;
        });
        client(&fake, Kind::Gitea)
            .run_link(&context(Kind::Gitea, "push"), soon())
            .await
            .unwrap()
    };
    assert_eq!(
        link("1.27.0", true).await,
        "http://forge.public/ml/pipelines/actions/runs/17"
    );
    assert_eq!(
        link("1.26.2", false).await,
        "http://forge.test/ml/pipelines/actions/runs/17"
    );
    assert_eq!(
        link("1.25.4", false).await,
        "http://forge.test/ml/pipelines/actions/runs/11"
    );
    assert_eq!(
        link("development", false).await,
        "http://forge.test/ml/pipelines/actions/runs/11"
    );
    assert_eq!(
        link("11.0.1+gitea-1.22.0", false).await,
        "http://forge.test/ml/pipelines/actions/runs/11"
    );
}

#[tokio::test(start_paused = true)]
async fn recovery_is_said_once() {
    let fake = Arc::new(Fake::new(false));
    let earlier = "0000000000000000000000000000000000000001";
    fake.with(|state| {
        let said = (1, "failure".to_owned(), "kfp-gitops".to_owned(), String::new());
        state.statuses.insert(earlier.to_owned(), vec![said]);
    });
    let quiet = Telling {
        when: When::Remarkable,
        ..telling(&fake, Kind::Gitea, "push")
    };
    let _ = run(quiet.clone(), &fixtures::nothing_changed()).await;
    let title = fake.with(|state| state.messages[0]["title"].clone());
    assert_eq!(
        title,
        "ml/pipelines: Recovered: Nothing to deploy: all 6 pipelines are unchanged"
    );
    assert_eq!(fake.with(|state| state.hooks[0]["recovered"].clone()), true);
    // The same commit again: its own success is newer than the failure, and nothing is worth telling.
    let _ = run(quiet.clone(), &fixtures::nothing_changed()).await;
    assert_eq!(fake.with(|state| state.messages.len()), 1);
    // A failed attempt on this very commit counts too.
    fake.with(|state| state.add_status(SHA, "error"));
    let _ = run(quiet, &fixtures::nothing_changed()).await;
    assert_eq!(fake.with(|state| state.messages.len()), 2);
}

#[tokio::test(start_paused = true)]
async fn unchanged_pushes_are_quiet_and_hands_are_answered() {
    let sent = async |change: &dyn Fn(&mut Telling), report: Report| {
        let fake = Arc::new(Fake::new(false));
        let mut telling = Telling {
            when: When::Remarkable,
            ..telling(&fake, Kind::Gitea, "push")
        };
        change(&mut telling);
        let _ = run(telling, &report).await;
        fake.with(|state| (state.messages.len(), state.hooks.len()))
    };
    assert_eq!(sent(&|_| (), fixtures::nothing_changed()).await, (0, 0));
    assert_eq!(sent(&|_| (), fixtures::updated()).await, (1, 1));
    assert_eq!(sent(&|_| (), fixtures::unreachable()).await, (1, 1));
    assert_eq!(
        sent(
            &|telling| telling.context.attempt = 2,
            fixtures::nothing_changed()
        )
        .await,
        (1, 1)
    );
    assert_eq!(
        sent(
            &|telling| telling.context.event = crate::context::Event::Dispatch,
            fixtures::nothing_changed()
        )
        .await,
        (1, 1)
    );
    assert_eq!(
        sent(
            &|telling| telling.when = When::Always,
            fixtures::nothing_changed()
        )
        .await,
        (1, 1)
    );
    assert_eq!(sent(&|_| (), fixtures::plan()).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn none_is_no_address() {
    let fake = Arc::new(Fake::new(false));
    let telling = Telling {
        ntfy: Some(secret("none")),
        ..telling(&fake, Kind::Gitea, "push")
    };
    assert_eq!(run(telling, &fixtures::some_failed()).await, Vec::<String>::new());
    assert_eq!(
        fake.with(|state| (state.messages.len(), state.hooks.len())),
        (0, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn another_jobs_summary_is_told_and_a_dead_one_is_closed() {
    // The deployment died after `pending`.
    let fake = Arc::new(Fake::new(false));
    let publisher = begin(telling(&fake, Kind::Gitea, "push"), true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(publisher);
    assert_eq!(fake.words(SHA), ["pending"]);
    let log = relaying(telling(&fake, Kind::Gitea, "push"))
        .relay(None, "failure")
        .await;
    assert_eq!(log, Vec::<String>::new());
    assert_eq!(fake.words(SHA), ["pending", "error"]);
    let message = fake.with(|state| state.messages[0].clone());
    assert_eq!(
        message["title"],
        "ml/pipelines: The deployment died before it could report"
    );
    assert_eq!(fake.with(|state| state.hooks[0]["outcome"].clone()), "died");

    // The deployment told everything itself: only the notification is left.
    let fake = Arc::new(Fake::new(false));
    let quiet = Telling {
        ntfy: None,
        webhook: None,
        ..telling(&fake, Kind::Gitea, "push")
    };
    let _ = run(quiet, &fixtures::some_failed()).await;
    let _ = relaying(telling(&fake, Kind::Gitea, "push"))
        .relay(Some(&fixtures::some_failed()), "failure")
        .await;
    assert_eq!(fake.words(SHA), ["pending", "failure"]);
    assert_eq!(fake.with(|state| state.messages.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn ancestry_is_compared_or_walked_and_never_guessed() {
    let fake = Arc::new(Fake::new(false));
    let client = client(&fake, Kind::Gitea);
    let older = "0000000000000000000000000000000000000001";
    // This stand-in cannot compare, as Gitea 1.22; its list never ends, as every page is the same.
    assert_eq!(
        client.is_ancestor(older, "main", soon()).await.unwrap(),
        Some(true)
    );
    assert_eq!(client.is_ancestor(SHA, SHA, soon()).await.unwrap(), Some(true));
    let stranger = "1111111111111111111111111111111111111111";
    assert_eq!(client.is_ancestor(stranger, "main", soon()).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn outside_ci_nobody_is_asked() {
    let fake = Arc::new(Fake::new(false));
    let mut telling = telling(&fake, Kind::Gitea, "push");
    telling.context = crate::context::read(&std::collections::BTreeMap::new(), None);
    telling.ntfy = None;
    telling.webhook = None;
    assert_eq!(run(telling, &fixtures::updated()).await, Vec::<String>::new());
    assert_eq!(fake.with(|state| state.calls.len()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_missing_token_is_said_once() {
    let fake = Arc::new(Fake::new(false));
    let telling = Telling {
        token: None,
        ..telling(&fake, Kind::Gitea, "push")
    };
    let log = run(telling, &fixtures::updated()).await;
    assert_eq!(
        log,
        ["the commit status could not be set: there is no token; give the job's own as `forge-token`"]
    );
    assert_eq!(
        fake.with(|state| state.messages.len()),
        1,
        "ntfy needs no forge token"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_forge_is_asked_once() {
    let fake = Arc::new(Fake::new(false));
    let mut telling = telling(&fake, Kind::Gitea, "push");
    telling.context.forge = crate::context::ForgeKind::Unknown;
    telling.context.api_url = None;
    assert_eq!(run(telling, &fixtures::updated()).await, Vec::<String>::new());
    assert_eq!(fake.words(SHA), ["pending", "success"]);
}
