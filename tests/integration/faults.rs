//! Exactly once, whatever happens to the answers: every call of every scenario with every fault.

use crate::fault::dialect::{Dialect, Kind};
use crate::fault::kinds::{ALL, Schedule, TIMES};
use crate::fault::server::{Faulty, Server};
use crate::fault::truth::{self, truth};
use crate::fault::world::{Job, Repository, in_parallel, long, run, virtually};
use kfp_gitops::report::Action;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// What the repository was, and what it became.
struct Scenario {
    name: &'static str,
    before: Repository,
    now: Repository,
}

fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "first deploy",
            before: Repository(vec![]),
            now: Repository::of(&[("demo", "1")]),
        },
        Scenario {
            name: "new version",
            before: Repository::of(&[("demo", "1")]),
            now: Repository::of(&[("demo", "2")]),
        },
        Scenario {
            name: "mixed",
            before: Repository::of(&[("same", "1"), ("changed", "1")]),
            now: Repository::of(&[("same", "1"), ("changed", "2"), ("new", "1")]),
        },
        Scenario {
            name: "no change",
            before: Repository::of(&[("demo", "1")]),
            now: Repository::of(&[("demo", "1")]),
        },
    ]
}

/// More pipelines than one run works on at a time.
fn crowd() -> Vec<Scenario> {
    vec![Scenario {
        name: "25 pipelines in parallel",
        before: Repository::many(12, "1"),
        now: Repository::many(25, "2"),
    }]
}

/// A server that holds the repository as it was.
async fn prepared(kind: Kind, before: &Repository, seed: u64) -> Arc<Server> {
    let server = Server::new(Dialect::new(kind), seed);
    if !before.0.is_empty() {
        let ran = run(&Faulty::new(&server, Schedule::Fair), before, &Job::new(1)).await;
        assert!(
            ran.actions().iter().all(|action| *action == Action::Created),
            "{ran:?}"
        );
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    server
}

/// One faulty run, then a clean one, then another that must have nothing to do.
async fn check(kind: Kind, scenario: &Scenario, schedule: Schedule, seed: u64) {
    let server = prepared(kind, &scenario.before, seed).await;
    let way = Faulty::new(&server, schedule.clone());
    let job = Job { seed, ..Job::new(2) };
    let ran = run(&way, &scenario.now, &job).await;
    let context = || {
        format!(
            "{} on {kind:?}, {schedule:?}, seed {seed}\n{}\n{ran:#?}",
            scenario.name,
            way.log()
        )
    };
    let told = std::panic::AssertUnwindSafe(async {
        let held = truth(&server).await;
        truth::in_time(&ran, job.deadline);
        truth::no_secret(&ran);
        truth::report_is_true(&held, &ran);
        // What a server does long after is seen by the next run.
        tokio::time::sleep(Duration::from_secs(60)).await;
        truth::no_duplicates(&truth(&server).await);
        let clean_way = Faulty::new(&server, Schedule::Fair);
        // Every other time it is another attempt of the same job.
        let clean_job = if seed.is_multiple_of(2) {
            Job {
                version: "v20260213-150000".to_owned(),
                ..Job::new(2)
            }
        } else {
            Job::new(3)
        };
        let clean = run(&clean_way, &scenario.now, &clean_job).await;
        assert!(
            clean.error.is_none() && truth::undone(&clean).is_empty(),
            "the clean run: {clean:#?}\n{}",
            clean_way.log()
        );
        let held = truth(&server).await;
        truth::report_is_true(&held, &clean);
        truth::equals(&held, &scenario.now);
        truth::no_duplicates(&held);
        truth::no_shared_second(&held);
        let writes = server.writes();
        let again = run(&Faulty::new(&server, Schedule::Fair), &scenario.now, &Job::new(4)).await;
        assert!(
            again.actions().iter().all(|action| *action == Action::Unchanged),
            "{again:#?}"
        );
        assert_eq!(server.writes(), writes, "a second run writes nothing");
    });
    if let Err(panic) = futures::FutureExt::catch_unwind(told).await {
        let _ = writeln!(std::io::stderr(), "{}", context());
        std::panic::resume_unwind(panic);
    }
}

/// How many calls the scenario makes in good weather.
fn calls(kind: Kind, scenario: &Scenario) -> usize {
    virtually(async {
        let server = prepared(kind, &scenario.before, 1).await;
        let way = Faulty::new(&server, Schedule::Fair);
        let ran = run(&way, &scenario.now, &Job::new(2)).await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
        way.calls()
    })
}

/// Every call of every scenario with every fault, as often as said; one case in `sample` is tried.
fn sweep(kind: Kind, scenarios: Vec<Scenario>, sample: usize) -> usize {
    let mut cases = Vec::new();
    let scenarios = Arc::new(scenarios);
    for (index, scenario) in scenarios.iter().enumerate() {
        // Faults make more calls than good weather does: those beyond are hit by what goes on failing.
        for call in 0..=calls(kind, scenario) + 3 {
            for fault in ALL {
                for times in TIMES {
                    cases.push((cases.len() as u64, index, Schedule::At(call, fault, times)));
                }
            }
        }
    }
    // The step shares no divisor with the number of faults or extents, so that the sample meets them all.
    let sample = if long() { 1 } else { sample };
    let cases: Vec<_> = cases.into_iter().step_by(sample).collect();
    let tried = cases.len();
    in_parallel(cases, move |(seed, index, schedule)| {
        virtually(check(kind, &scenarios[index], schedule, seed));
    });
    tried
}

#[test]
fn good_weather_takes_a_known_number_of_calls() {
    let counts: Vec<(&str, usize)> = scenarios()
        .iter()
        .map(|one| (one.name, calls(Kind::V2_17_0, one)))
        .collect();
    // healthz and one page of pipelines; then per pipeline 1 when unchanged; 5 when new (look, create, read,
    // upload, read back); 5 when changed (newest, recent, read again, upload, read back).
    assert_eq!(
        counts,
        [
            ("first deploy", 7),
            ("new version", 7),
            ("mixed", 13),
            ("no change", 3)
        ]
    );
}

#[test]
fn every_call_with_every_fault() {
    let tried = sweep(Kind::V2_17_0, scenarios(), 7);
    assert!(tried >= 390, "{tried}");
}

#[test]
fn sampled_on_other_servers() {
    for (kind, sample) in [
        (Kind::V2_0_5, 71),
        (Kind::V2_5_0, 73),
        (Kind::V2_14_0, 67),
        (Kind::V2_15_2, 71),
        (Kind::V2_16_1, 79),
        (Kind::V2_30_0, 73),
        // What it is takes three more calls to find out.
        (Kind::Untold, 59),
        (Kind::Embedded, 11),
        (Kind::MultiUser, 83),
        (Kind::Kubernetes, 67),
        (Kind::KubernetesOld, 61),
    ] {
        let tried = sweep(kind, scenarios(), sample);
        assert!(tried >= 30, "{kind:?}: {tried}");
    }
}

#[test]
fn many_pipelines_in_parallel() {
    let tried = sweep(Kind::V2_17_0, crowd(), 401);
    assert!(tried >= 15, "{tried}");
}
