//! Every call of every kind of run, broken in every way: the deployment is never touched, one comment
//! exists, and the log says what could not be said elsewhere.

use super::fake::{Broken, Fake, Plan};
use super::{SHA, limits, telling};
use crate::forge::Kind;
use crate::forge::publish::{Telling, begin};
use crate::report::{Report, fixtures};
use std::sync::Arc;
use tokio::time::Instant;

/// The kinds of runs.
fn scenarios() -> Vec<(&'static str, &'static str, Report, bool)> {
    vec![
        ("a deployment", "push", fixtures::updated(), false),
        ("a failed deployment", "push", fixtures::some_failed(), false),
        ("a first plan", "pull_request", fixtures::plan(), false),
        ("a later plan", "pull_request", fixtures::plan(), true),
    ]
}

fn prepared(kind: Kind, earlier: bool) -> Arc<Fake> {
    let fake = Arc::new(Fake::new(kind == Kind::GitHub));
    if earlier {
        let login = if kind == Kind::GitHub {
            "github-actions[bot]"
        } else {
            "gitea-actions"
        };
        let body = "<!-- kfp-gitops:comment: -->\nthe plan before".to_owned();
        fake.with(|state| state.comments.push(super::fake::Comment { id: 1, login, body }));
    }
    fake
}

async fn run(telling: Telling, report: &Report) -> (Vec<String>, std::time::Duration) {
    let publisher = begin(telling, report.command == "apply");
    // The deployment takes a while.
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    let end = Instant::now();
    let log = publisher.finish(report).await;
    (log, end.elapsed())
}

fn states(fake: &Fake) -> String {
    fake.words(SHA).join(" ")
}

#[tokio::test(start_paused = true)]
async fn every_call_broken_once_in_every_way() {
    let mut tried = 0;
    for kind in [Kind::Gitea, Kind::GitHub] {
        for (name, event, report, earlier) in scenarios() {
            let fake = prepared(kind, earlier);
            let _ = run(telling(&fake, kind, event), &report).await;
            let calls = fake.with(|state| state.calls.clone());
            for (at, call) in calls.iter().enumerate() {
                for (turn, broken) in Broken::ALL.iter().enumerate() {
                    // Both clients are one: on the second forge a third of the faults is enough.
                    if kind == Kind::GitHub && (turn + at) % 3 != 0 {
                        continue;
                    }
                    let place = format!("{name} on {kind:?}, call {at} ({call}), {broken:?}");
                    let fake = prepared(kind, earlier);
                    fake.with(|state| state.plan = Plan::At(at, *broken));
                    let (log, took) = run(telling(&fake, kind, event), &report).await;
                    tried += 1;
                    assert!(took <= limits().total, "{place}: {took:?}");
                    let own = fake.own_comments();
                    let wanted = usize::from(event == "pull_request");
                    assert!(own.len() <= wanted, "{place}: {own:?}");
                    // Nobody knows what a webhook's receiver does with a second one, so silence is told.
                    let told_once = call.contains("hook") && broken.uncertain();
                    if broken.passes() && !told_once {
                        assert_eq!(log, Vec::<String>::new(), "{place}");
                    }
                    let last = states(&fake);
                    let word = if report.counts.failed > 0 {
                        "failure"
                    } else {
                        "success"
                    };
                    let status_told = log.iter().any(|line| line.contains("commit status"));
                    assert!(last.ends_with(word) || status_told, "{place}: {last}; {log:?}");
                    let comment_told = log.iter().any(|line| line.contains("comment"));
                    let right = own
                        .first()
                        .is_some_and(|comment| comment.body.contains("Would deploy"));
                    assert!(wanted == 0 || right || comment_told, "{place}: {own:?}; {log:?}");
                    let messages = fake.with(|state| state.messages.len());
                    assert!(
                        messages > 0 || log.iter().any(|line| line.contains("ntfy")),
                        "{place}: {log:?}"
                    );
                    // And the next run puts everything right.
                    fake.with(|state| state.plan = Plan::Never);
                    let (log, _) = run(telling(&fake, kind, event), &report).await;
                    assert_eq!(log, Vec::<String>::new(), "{place}, the run after");
                    assert!(states(&fake).ends_with(word), "{place}, the run after");
                    assert_eq!(fake.own_comments().len(), wanted, "{place}, the run after");
                }
            }
        }
    }
    assert!(tried > 500, "{tried} faults tried");
}

#[tokio::test(start_paused = true)]
async fn everything_broken_all_the_time() {
    for kind in [Kind::Gitea, Kind::GitHub] {
        for (name, event, report, earlier) in scenarios() {
            for host in ["forge", "github", "ntfy", "hook", ""] {
                for broken in Broken::ALL {
                    let place = format!("{name} on {kind:?}, all of `{host}`, {broken:?}");
                    let fake = prepared(kind, earlier);
                    fake.with(|state| state.plan = Plan::Host(host, *broken));
                    let (log, took) = run(telling(&fake, kind, event), &report).await;
                    assert!(took <= limits().total, "{place}: {took:?}");
                    assert!(fake.own_comments().len() <= 1, "{place}");
                    let of_forge =
                        host.is_empty() || host == (if kind == Kind::Gitea { "forge" } else { "github" });
                    if of_forge {
                        assert!(
                            log.iter().any(|line| line.contains("commit status")),
                            "{place}: {log:?}"
                        );
                        if event == "pull_request" {
                            assert!(
                                log.iter().any(|line| line.contains("comment")),
                                "{place}: {log:?}"
                            );
                        }
                        if !host.is_empty() {
                            assert!(
                                fake.with(|state| !state.messages.is_empty()),
                                "{place}: ntfy is told anyway"
                            );
                        }
                    }
                    for service in ["ntfy", "webhook"] {
                        let is_out = host.is_empty() || service.contains(host);
                        // A webhook's success has any body, and ntfy's half answer is an answer.
                        let success =
                            *broken == Broken::CutJson || (*broken == Broken::Html && service == "webhook");
                        if is_out && !success {
                            assert!(log.iter().any(|line| line.contains(service)), "{place}: {log:?}");
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_right_that_is_missing() {
    let fake = prepared(Kind::Gitea, false);
    fake.with(|state| state.plan = Plan::At(2, Broken::Status(403)));
    let (log, _) = run(telling(&fake, Kind::Gitea, "push"), &fixtures::updated()).await;
    assert_eq!(
        log,
        [
            "the commit status could not be set: Gitea 1.24.3 says that the token may not (403); the token needs write access to the repository (from Gitea 1.26 on: `permissions: contents: write`); give one as `forge-token`"
        ]
    );
    let fake = prepared(Kind::GitHub, false);
    fake.with(|state| state.plan = Plan::At(0, Broken::Status(403)));
    let (log, _) = run(telling(&fake, Kind::GitHub, "push"), &fixtures::updated()).await;
    assert_eq!(
        log,
        [
            "the commit status could not be set: GitHub says that the token may not (403); add `permissions: statuses: write` to the job"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_forge_does_not_hold_up_the_notification() {
    let fake = prepared(Kind::Gitea, false);
    fake.with(|state| state.plan = Plan::Host("forge", Broken::SilentAfter));
    let publisher = begin(telling(&fake, Kind::Gitea, "push"), true);
    let report = fixtures::some_failed();
    let started = Instant::now();
    let log = publisher.finish(&report).await;
    assert!(started.elapsed() <= limits().total, "{:?}", started.elapsed());
    assert_eq!(fake.with(|state| state.messages.len()), 1);
    assert!(log.iter().any(|line| line.contains("commit status")), "{log:?}");
}
