//! Runs at the same time, runs that die, and luck: over all orders of their calls to a depth, and by chance
//! beyond it.

use crate::documentation::hold_block;
use crate::fault::dialect::{Dialect, Kind};
use crate::fault::kinds::{ALL, Fault, Schedule};
use crate::fault::server::{Faulty, Server};
use crate::fault::truth::{self, truth};
use crate::fault::world::{Alphabet, Job, Ran, Repository, client, in_parallel, long, run, virtually};
use kfp_gitops::ids::{PipelineName, VersionName};
use kfp_gitops::kfp::transport::Transport;
use kfp_gitops::kfp::{NewPipeline, NewVersion};
use kfp_gitops::report::{Action, Reason};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// One run among others: what its repository holds, who it is, and what goes wrong on its way.
#[derive(Clone)]
struct Party {
    repository: Repository,
    job: Job,
    schedule: Schedule,
}

/// What happens next: a waiting call goes on, or time passes.
trait Order {
    /// Which of the waiting parties goes on; `None` lets time pass.
    fn next(&mut self, waiting: &[usize]) -> Option<usize>;
    /// How much time passes with each step.
    fn step(&mut self) -> Duration;
}

/// Runs all parties in the given order of calls.
async fn together(server: &Arc<Server>, parties: &[Party], order: &mut impl Order) -> (Vec<Ran>, String) {
    let mut gates: Vec<mpsc::UnboundedReceiver<oneshot::Sender<()>>> = Vec::new();
    let mut running = Vec::new();
    let mut ways = Vec::new();
    for party in parties {
        let (send, receive) = mpsc::unbounded_channel();
        gates.push(receive);
        let way = Faulty::gated(server, party.schedule.clone(), send);
        ways.push(Arc::clone(&way));
        let party = party.clone();
        running.push(tokio::spawn(async move {
            run(&way, &party.repository, &party.job).await
        }));
    }
    let mut waiting: Vec<Option<oneshot::Sender<()>>> = parties.iter().map(|_| None).collect();
    while running.iter().any(|one| !one.is_finished()) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        for (gate, slot) in gates.iter_mut().zip(&mut waiting) {
            if slot.is_none() {
                *slot = gate.try_recv().ok();
            }
        }
        let ready: Vec<usize> = waiting
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| slot.as_ref().map(|_| index))
            .collect();
        let chosen = if ready.is_empty() {
            None
        } else {
            order.next(&ready)
        };
        if let Some(open) = chosen.and_then(|index| waiting[index].take()) {
            open.send(()).ok();
        }
        tokio::time::sleep(order.step()).await;
    }
    let mut done = Vec::new();
    for one in running {
        done.push(one.await.expect("a run"));
    }
    let logs: Vec<String> = ways.iter().map(|way| way.log()).collect();
    (done, logs.join("\n--\n"))
}

/// The first choices are given, the rest takes turns.
struct Given {
    choices: u64,
    base: u64,
    /// How many choices are left.
    left: u32,
    turn: usize,
    step: Duration,
}

impl Order for Given {
    fn next(&mut self, waiting: &[usize]) -> Option<usize> {
        if waiting.len() > 1 {
            let pick = if self.left > 0 {
                let pick = (self.choices % self.base) as usize;
                self.choices /= self.base;
                self.left -= 1;
                pick
            } else {
                self.turn += 1;
                self.turn
            };
            return Some(waiting[pick % waiting.len()]);
        }
        Some(waiting[0])
    }

    fn step(&mut self) -> Duration {
        self.step
    }
}

/// By chance.
struct Chance(SmallRng);

impl Order for Chance {
    fn next(&mut self, waiting: &[usize]) -> Option<usize> {
        if self.0.random_bool(0.1) {
            None
        } else {
            Some(waiting[self.0.random_range(0..waiting.len())])
        }
    }

    fn step(&mut self) -> Duration {
        let millis = [8, 8, 8, 60, 250, 900][self.0.random_range(0..6)];
        Duration::from_millis(millis)
    }
}

fn party(run: u32, content: &str, version: &str) -> Party {
    Party {
        repository: Repository::of(&[("demo", content)]),
        job: Job {
            version: version.to_owned(),
            ..Job::new(run)
        },
        schedule: Schedule::Fair,
    }
}

/// What must be true when all have ended.
async fn judge(server: &Arc<Server>, parties: &[Party], done: &[Ran], fair: bool) {
    let held = truth(server).await;
    truth::no_duplicates(&held);
    if fair {
        truth::no_shared_second(&held);
        let newest = held["demo"][0].digest;
        assert!(
            parties
                .iter()
                .any(|party| newest == Some(party.repository.0[0].digest())),
            "the newest is nobody's: {held:#?}"
        );
        for ran in done {
            assert!(truth::undone(ran).is_empty(), "{ran:#?}");
            let (pipeline, outcome) = &ran.outcomes[0];
            let theirs = held["demo"]
                .iter()
                .find(|version| Some(&version.id) == outcome.version_id.as_ref());
            // What the plan found unchanged is not looked at again: its run may still move it.
            let planned = outcome.action == Action::Unchanged && outcome.reason.is_none();
            let there = held["demo"]
                .iter()
                .any(|version| version.digest == Some(pipeline.digest()));
            assert!(
                theirs.is_some_and(|version| version.digest == Some(pipeline.digest())) || (planned && there),
                "{outcome:#?} is not there: {held:#?}"
            );
        }
    }
    // A clean run brings any of the repositories.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let repository = &parties[0].repository;
    let clean = run(&Faulty::new(server, Schedule::Fair), repository, &Job::new(90)).await;
    assert!(truth::undone(&clean).is_empty(), "the clean run: {clean:#?}");
    let held = truth(server).await;
    truth::equals(&held, repository);
    truth::no_duplicates(&held);
}

/// However runs of successive commits meet, the last commit's content is the newest in the end, and a run that
/// came too late says so.
async fn the_latest_commit_stays(server: &Arc<Server>, parties: &[Party], done: &[Ran]) {
    let held = truth(server).await;
    truth::no_duplicates(&held);
    truth::no_shared_second(&held);
    let last = parties.last().expect("a party");
    truth::equals(&held, &last.repository);
    for (party, ran) in parties.iter().zip(done) {
        let outcome = &ran.outcomes[0].1;
        let there = held["demo"]
            .iter()
            .any(|version| Some(&version.id) == outcome.version_id.as_ref());
        let overtaken = outcome.reason == Some(Reason::Superseded) && party.job.run != last.job.run;
        // The version that overtook may since have been moved into a later second by its run.
        assert!(
            overtaken || (there && truth::undone(ran).is_empty()),
            "{outcome:#?}"
        );
    }
}

/// Prints what led to a failure.
async fn explained<F: Future<Output = ()>>(work: F, context: impl FnOnce() -> String) {
    if let Err(panic) = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(work)).await {
        let _ = writeln!(std::io::stderr(), "{}", context());
        std::panic::resume_unwind(panic);
    }
}

/// Every order of the first `depth` calls.
fn every_order(parties: &[Party], existing: bool, depth: u32) -> usize {
    let base = parties.len() as u64;
    let mut cases = Vec::new();
    for step in [8, 130] {
        for choices in 0..base.pow(depth) {
            cases.extend([Kind::V2_17_0, Kind::Embedded].map(|kind| (kind, step, choices)));
        }
    }
    let tried = cases.len();
    let parties = parties.to_vec();
    in_parallel(cases, move |(kind, step, choices)| {
        virtually(async {
            let server = Server::new(Dialect::new(kind), choices + step);
            if existing {
                run(
                    &Faulty::new(&server, Schedule::Fair),
                    &Repository::of(&[("demo", "old")]),
                    &Job::new(1),
                )
                .await;
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            let mut order = Given {
                choices,
                base,
                left: depth,
                turn: 0,
                step: Duration::from_millis(step),
            };
            let (done, log) = together(&server, &parties, &mut order).await;
            let judged = async {
                if parties[0].job.lineage.is_some() {
                    the_latest_commit_stays(&server, &parties, &done).await;
                } else {
                    judge(&server, &parties, &done, true).await;
                }
            };
            explained(judged, || {
                format!("{kind:?}, order {choices}, step {step} ms\n{log}\n{done:#?}")
            })
            .await;
        });
    });
    tried
}

#[test]
fn two_runs_with_the_same_content() {
    let depth = if long() { 11 } else { 6 };
    let parties = [party(2, "new", "v1"), party(3, "new", "v2")];
    assert!(every_order(&parties, true, depth) >= 128);
    every_order(&parties, false, depth);
    // Both started in the same second, so that even the version's name is the same.
    every_order(&[party(2, "new", "v1"), party(3, "new", "v1")], true, depth);
}

#[test]
fn two_runs_with_different_content() {
    let depth = if long() { 11 } else { 6 };
    let parties = [party(2, "one", "v1"), party(3, "two", "v2")];
    every_order(&parties, true, depth);
    every_order(&parties, false, depth);
    every_order(&[party(2, "one", "v1"), party(3, "two", "v1")], true, depth);
}

#[test]
fn runs_of_successive_commits() {
    let of_commit = |run: u32, commit: char, version: &str| {
        let mut party = party(run, &commit.to_string(), version);
        party.job.commit = commit;
        party.job.lineage = Some(Arc::new(Alphabet(commit)));
        party
    };
    let depth = if long() { 11 } else { 6 };
    let (one, two) = (of_commit(2, 'b', "v1"), of_commit(3, 'c', "v2"));
    every_order(&[one.clone(), two.clone()], true, depth);
    every_order(&[one.clone(), two.clone()], false, depth);
    let depth = if long() { 7 } else { 4 };
    every_order(&[one, two, of_commit(4, 'd', "v3")], true, depth);
}

#[test]
fn three_runs() {
    let depth = if long() { 7 } else { 4 };
    every_order(
        &[
            party(2, "one", "v1"),
            party(3, "two", "v2"),
            party(4, "one", "v3"),
        ],
        true,
        depth,
    );
    every_order(
        &[
            party(2, "one", "v1"),
            party(3, "one", "v2"),
            party(4, "one", "v2"),
        ],
        false,
        depth,
    );
}

#[test]
fn by_chance() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("KFP_GITOPS_TEST_SEED");
    let count = match first {
        Some(_) => 1,
        None => number("KFP_GITOPS_TEST_SCHEDULES").unwrap_or(if long() { 100_000 } else { 2_000 }),
    };
    let first = first.unwrap_or(0);
    in_parallel((first..first + count).collect(), move |seed| {
        virtually(async {
            let mut random = SmallRng::seed_from_u64(seed);
            let kind = if seed % 4 == 3 {
                Kind::Embedded
            } else {
                Kind::V2_17_0
            };
            let server = Server::new(Dialect::new(kind), seed);
            if random.random_bool(0.7) {
                run(
                    &Faulty::new(&server, Schedule::Fair),
                    &Repository::of(&[("demo", "old")]),
                    &Job::new(1),
                )
                .await;
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            let faulty = random.random_bool(0.5);
            let parties: Vec<Party> = (0..random.random_range(2..=3_u32))
                .map(|number| {
                    let content = ["one", "two"][random.random_range(0..2)];
                    let version = ["v1", "v2", "v3"][random.random_range(0..3)];
                    let mut party = party(number + 2, content, version);
                    if faulty {
                        party.schedule = Schedule::Listed((0..60).map(|_| fault(&mut random, 0.1)).collect());
                    }
                    party
                })
                .collect();
            let mut order = Chance(random);
            let (done, log) = together(&server, &parties, &mut order).await;
            explained(judge(&server, &parties, &done, !faulty), || {
                format!("KFP_GITOPS_TEST_SEED={seed}\n{log}\n{done:#?}")
            })
            .await;
        });
    });
}

fn fault(random: &mut SmallRng, chance: f64) -> Option<Fault> {
    random
        .random_bool(chance)
        .then(|| ALL[random.random_range(0..ALL.len())])
}

#[test]
fn killed_at_every_call_and_run_again() {
    for (before, now) in [
        (Repository(vec![]), Repository::of(&[("one", "1"), ("two", "1")])),
        (
            Repository::of(&[("one", "1")]),
            Repository::of(&[("one", "2"), ("two", "1")]),
        ),
    ] {
        let calls = virtually(async {
            let server = Server::new(Dialect::new(Kind::V2_17_0), 1);
            run(&Faulty::new(&server, Schedule::Fair), &before, &Job::new(1)).await;
            let way = Faulty::new(&server, Schedule::Fair);
            run(&way, &now, &Job::new(2)).await;
            way.calls()
        });
        assert!(calls >= 11, "{calls}");
        for number in 0..calls {
            for after in [false, true] {
                virtually(async {
                    let server = Server::new(Dialect::new(Kind::V2_17_0), 1);
                    run(&Faulty::new(&server, Schedule::Fair), &before, &Job::new(1)).await;
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    let folder = tempfile::tempdir().unwrap();
                    let journal = Some(folder.path().join("journal.jsonl"));
                    let way = Faulty::dying(&server, number, after);
                    let job = Job {
                        journal: journal.clone(),
                        ..Job::new(2)
                    };
                    tokio::select! {
                        ran = run(&way, &now, &job) => panic!("it lived: {ran:?}"),
                        () = way.died() => {}
                    }
                    tokio::time::sleep(Duration::from_secs(3)).await;
                    // Another attempt of the same job, with another version name.
                    let job = Job {
                        journal,
                        version: "v20260213-150000".to_owned(),
                        ..Job::new(2)
                    };
                    let clean = run(&Faulty::new(&server, Schedule::Fair), &now, &job).await;
                    let held = truth(&server).await;
                    assert!(
                        truth::undone(&clean).is_empty(),
                        "killed at {number} (after: {after}): {clean:#?}\n{}",
                        way.log()
                    );
                    truth::equals(&held, &now);
                    truth::no_duplicates(&held);
                    truth::report_is_true(&held, &clean);
                    let writes = server.writes();
                    run(&Faulty::new(&server, Schedule::Fair), &now, &Job::new(3)).await;
                    assert_eq!(server.writes(), writes, "a second run writes nothing");
                });
            }
        }
    }
}

/// What became of runs of which a share of calls was lost, half of them after the work was done.
#[derive(Debug, Default)]
struct Figures {
    runs: AtomicUsize,
    duplicates: AtomicUsize,
    losses: AtomicUsize,
    false_failures: AtomicUsize,
}

/// A client as most scripts are: looks the pipeline up, uploads with the time as name, and tries again.
async fn naive(way: &Arc<Faulty>, repository: &Repository, job: &Job) -> bool {
    let client = client(&way.server, Arc::clone(way) as Arc<dyn Transport>, job);
    let started = Instant::now();
    for pipeline in &repository.0 {
        let mut done = false;
        for attempt in 0..5 {
            let name = PipelineName::new(pipeline.name.clone());
            let found = client
                .find_pipelines(&name)
                .await
                .ok()
                .and_then(|found| found.into_iter().next());
            let id = match found {
                Some(found) => found.id,
                None => {
                    let new = NewPipeline {
                        name,
                        display_name: None,
                        description: String::new(),
                        tags: BTreeMap::new(),
                    };
                    match client.create_pipeline(&new).await {
                        Ok(created) => created.id,
                        Err(_) => continue,
                    }
                }
            };
            let new = NewVersion {
                pipeline_id: id,
                name: VersionName::new(format!("v{}-{attempt}", started.elapsed().as_millis())),
                display_name: None,
                description: String::new(),
                tags: BTreeMap::new(),
                document: pipeline.spec().pipeline_text().to_owned().into(),
                after: None,
            };
            if client.upload_version(&new).await.is_ok() {
                done = true;
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if !done {
            return false;
        }
    }
    true
}

fn measure(count: u64, is_naive: bool) -> Figures {
    let figures = Arc::new(Figures::default());
    let seen = Arc::clone(&figures);
    in_parallel((0..count).collect(), move |seed| {
        virtually(async {
            let mut random = SmallRng::seed_from_u64(seed);
            let server = Server::new(Dialect::new(Kind::V2_17_0), seed);
            let now = Repository::of(&[("demo", "1")]);
            let lost = |random: &mut SmallRng| {
                let kind = if random.random_bool(0.5) {
                    Fault::ResetBefore
                } else {
                    Fault::ResetAfter
                };
                random.random_bool(0.1).then_some(kind)
            };
            let way = Faulty::new(
                &server,
                Schedule::Listed((0..200).map(|_| lost(&mut random)).collect()),
            );
            let job = Job { seed, ..Job::new(2) };
            let said_done = if is_naive {
                naive(&way, &now, &job).await
            } else {
                let ran = run(&way, &now, &job).await;
                ran.error.is_none() && truth::undone(&ran).is_empty()
            };
            let held = truth(&server).await;
            let there = held.get("demo").map_or(0, Vec::len);
            let add =
                |counter: &AtomicUsize, yes: bool| counter.fetch_add(usize::from(yes), Ordering::Relaxed);
            add(&seen.runs, true);
            add(&seen.duplicates, there > 1);
            add(&seen.losses, said_done && there == 0);
            add(&seen.false_failures, !said_done && there > 0);
        });
    });
    Arc::into_inner(figures).expect("all have ended")
}

/// The rows of the README's table of figures.
fn table(rows: &[(&str, &Figures)]) -> String {
    let mut text =
        "| client | runs | duplicates | lost | called failed, but there |\n|---|---|---|---|---|\n"
            .to_owned();
    for (client, figures) in rows {
        let runs = figures.runs.load(Ordering::Relaxed);
        let share = |counter: &AtomicUsize| {
            let count = counter.load(Ordering::Relaxed);
            match count {
                0 => "0".to_owned(),
                // Shares of some thousand runs are exact in a float.
                _ => format!("{count} ({:.2} %)", 100.0 * count as f64 / runs as f64),
            }
        };
        let _ = writeln!(
            text,
            "| {client} | {runs} | {} | {} | {} |",
            share(&figures.duplicates),
            share(&figures.losses),
            share(&figures.false_failures)
        );
    }
    text
}

#[test]
fn a_tenth_of_all_calls_is_lost() {
    let count = if long() { 20_000 } else { 400 };
    let (naive, ours) = (measure(count, true), measure(count, false));
    let table = table(&[("a script that tries again", &naive), ("kfp-gitops", &ours)]);
    eprintln!("{table}");
    let get = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert!(
        get(&naive.duplicates) > 0,
        "the harness would not see a duplicate: {naive:?}"
    );
    assert_eq!((get(&ours.duplicates), get(&ours.losses)), (0, 0), "{ours:?}");
    assert!(get(&ours.false_failures) * 1000 <= count as usize, "{ours:?}");
    if long() {
        // Everything is seeded and time is virtual, so the figures are the same everywhere.
        hold_block("figures", &table);
    }
}

#[test]
fn many_pipelines_and_every_third_call_fails() {
    let now = Repository::many(25, "1");
    let counted = Arc::new(Mutex::new(Vec::new()));
    let kinds: Vec<Fault> = if long() {
        ALL.to_vec()
    } else {
        vec![
            Fault::ResetAfter,
            Fault::Status500,
            Fault::TruncatedJson,
            Fault::Refused,
        ]
    };
    let told = Arc::clone(&counted);
    in_parallel(kinds, move |fault| {
        virtually(async {
            let server = Server::new(Dialect::new(Kind::V2_17_0), 5);
            let way = Faulty::new(&server, Schedule::Every(3, fault));
            let job = Job {
                concurrency: 8,
                ..Job::new(2)
            };
            let ran = run(&way, &now, &job).await;
            let held = truth(&server).await;
            truth::no_duplicates(&held);
            truth::report_is_true(&held, &ran);
            truth::in_time(&ran, job.deadline);
            told.lock().unwrap().push((fault, truth::undone(&ran).len()));
            tokio::time::sleep(Duration::from_secs(60)).await;
            let clean = run(&Faulty::new(&server, Schedule::Fair), &now, &Job::new(3)).await;
            assert!(truth::undone(&clean).is_empty(), "{fault:?}: {clean:#?}");
            truth::equals(&truth(&server).await, &now);
        });
    });
    let counted = counted.lock().unwrap();
    let undone: usize = counted
        .iter()
        .filter(|(fault, _)| *fault == Fault::ResetAfter)
        .map(|(_, undone)| undone)
        .sum();
    assert_eq!(undone, 0, "{counted:?}");
}

#[test]
fn a_run_that_is_asked_to_stop_settles_and_says_so() {
    let skipped = AtomicUsize::new(0);
    for after in 0..14_u64 {
        virtually(async {
            let server = Server::new(Dialect::new(Kind::V2_17_0), 5);
            let (handle, cancel) = kfp_gitops::apply::cancel();
            let now = Repository::many(6, "1");
            let way = Faulty::new(&server, Schedule::Fair);
            let job = Job {
                cancel,
                concurrency: 1,
                ..Job::new(2)
            };
            let stopper = async {
                tokio::time::sleep(Duration::from_millis(14 + after * 20)).await;
                handle.stop();
                // A second signal later must find everything settled already, or end it at once.
                tokio::time::sleep(Duration::from_secs(if after % 2 == 0 { 30 } else { 0 })).await;
                handle.stop();
                std::future::pending::<()>().await;
            };
            let ran = tokio::select! {
                ran = run(&way, &now, &job) => ran,
                () = stopper => unreachable!(),
            };
            assert!(ran.elapsed < Duration::from_secs(5), "{:?}", ran.elapsed);
            let held = truth(&server).await;
            truth::report_is_true(&held, &ran);
            truth::no_duplicates(&held);
            skipped.fetch_add(truth::undone(&ran).len(), Ordering::Relaxed);
            let clean = run(&Faulty::new(&server, Schedule::Fair), &now, &Job::new(3)).await;
            assert!(truth::undone(&clean).is_empty(), "{clean:#?}");
            truth::equals(&truth(&server).await, &now);
            truth::no_duplicates(&truth(&server).await);
        });
    }
    assert!(skipped.load(Ordering::Relaxed) > 20);
}
