//! The real binary over a real network: killed at every call, interrupted, and with a sample of faults.

use crate::fault::dialect::Kind;
use crate::fault::kinds::Fault;
use crate::fault::truth::{self, truth};
use crate::fault::wire::{self, Plan, Wire, root};
use crate::fault::world::long;
use crate::support::{Said, folder, write};
use futures::StreamExt as _;
use std::sync::Arc;

/// What the repository was, and what it became: names with what makes their content different.
#[derive(Clone)]
struct Scenario {
    name: &'static str,
    before: Vec<(String, &'static str)>,
    now: Vec<(String, &'static str)>,
}

impl Scenario {
    fn of(name: &'static str, before: &[(&str, &'static str)], now: &[(&str, &'static str)]) -> Arc<Self> {
        let owned = |list: &[(&str, &'static str)]| {
            list.iter()
                .map(|(name, content)| ((*name).to_owned(), *content))
                .collect()
        };
        Arc::new(Self {
            name,
            before: owned(before),
            now: owned(now),
        })
    }

    fn mixed() -> Arc<Self> {
        Self::of(
            "mixed",
            &[("same", "1"), ("changed", "1")],
            &[("same", "1"), ("changed", "2"), ("new", "1")],
        )
    }

    /// More pipelines than one run works on at a time.
    fn crowd() -> Arc<Self> {
        let many = |count: usize, content| (0..count).map(|number| (format!("p{number}"), content)).collect();
        Arc::new(Self {
            name: "25 pipelines in parallel",
            before: many(12, "1"),
            now: many(25, "2"),
        })
    }

    /// A server that holds the repository as it was, and a folder with the repository as it is.
    async fn prepared(&self) -> (Arc<Wire>, String, tempfile::TempDir) {
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        let repository = folder(&[("requirements.txt", "kfp==2.17.0\n")]);
        let fill = |pipelines: &[(String, &str)]| {
            for (name, content) in pipelines {
                let text = wire::pipeline(name, content);
                write(repository.path(), &format!("{name}_pipeline.py"), &text);
            }
        };
        if !self.before.is_empty() {
            fill(&self.before);
            let said = wire.apply(repository.path(), &url).await;
            assert_eq!(said.code, 0, "{}: {said:?}", self.name);
        }
        fill(&self.now);
        wire.plan(Plan::Fair);
        (wire, url, repository)
    }

    /// How many calls a run makes that nobody kills.
    async fn calls(&self) -> usize {
        let (wire, url, folder) = self.prepared().await;
        let said = wire.apply(folder.path(), &url).await;
        assert_eq!(said.code, 0, "{}: {said:?}", self.name);
        wire.calls()
    }

    /// Killed at one call, then run again, then once more.
    async fn killed(self: Arc<Self>, number: usize, after: bool) {
        let (wire, url, folder) = self.prepared().await;
        wire.plan(Plan::Kill(number, after));
        let case = format!("{}, call {number}, after {after}", self.name);
        let killed = wire.apply(folder.path(), &url).await;
        // Calls of pipelines side by side: their number differs a little from run to run.
        let lived = killed.code == 0 && self.now.len() > 3;
        assert!(killed.code == -1 || lived, "{case}: {killed:?}");
        wire.plan(Plan::Fair);
        let clean = wire.apply(folder.path(), &url).await;
        assert_eq!(clean.code, 0, "{case}: {clean:?}");
        self.holds(&wire, &clean, &case).await;
        let writes = wire.server.writes();
        let again = wire.apply(folder.path(), &url).await;
        assert_eq!(
            (again.code, wire.server.writes()),
            (0, writes),
            "{case}: {again:?}"
        );
    }

    /// The server holds the repository as it is, each content once, and that is what the run has said.
    async fn holds(&self, wire: &Wire, said: &Said, case: &str) {
        let held = truth(&wire.server).await;
        truth::no_duplicates(&held);
        truth::no_shared_second(&held);
        let report = said.json();
        assert_eq!(report["pipelines"].as_array().map(Vec::len), Some(self.now.len()));
        for pipeline in report["pipelines"].as_array().into_iter().flatten() {
            let name = pipeline["name"].as_str().unwrap_or_default();
            let before = self.before.iter().find(|(before, _)| before == name);
            let now = self.now.iter().find(|(now, _)| now == name);
            let expected = if before.is_some() && before != now { 2 } else { 1 };
            assert_eq!(held[name].len(), expected, "{case}: {name}: {held:#?}");
            // The newest comes first.
            assert_eq!(
                pipeline["version_id"],
                held[name][0].id.as_str(),
                "{case}: {pipeline:#}"
            );
        }
    }
}

/// Cases mostly wait for seconds to pass, so that some run side by side.
async fn each(cases: Vec<(Arc<Scenario>, usize, bool)>) {
    let cases = cases
        .into_iter()
        .map(|(scenario, number, after)| tokio::spawn(scenario.killed(number, after)));
    let mut running = futures::stream::iter(cases).buffer_unordered(4);
    while let Some(ended) = running.next().await {
        ended.expect("a case");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_call() {
    let mut cases = Vec::new();
    for (scenario, fewest) in [
        (Scenario::of("first deploy", &[], &[("one", "1")]), 7),
        (Scenario::of("new version", &[("one", "1")], &[("one", "2")]), 7),
        (Scenario::mixed(), 13),
        (Scenario::of("no change", &[("one", "1")], &[("one", "1")]), 3),
    ] {
        let calls = scenario.calls().await;
        assert!(calls >= fewest, "{}: {calls}", scenario.name);
        for number in 0..calls {
            cases.extend([false, true].map(|after| (Arc::clone(&scenario), number, after)));
        }
    }
    each(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_many() {
    let scenario = Scenario::crowd();
    let calls = scenario.calls().await;
    assert!(calls >= 100, "{calls}");
    let all = (0..calls).flat_map(|number| [false, true].map(|after| (Arc::clone(&scenario), number, after)));
    // An odd step: before and after in turn.
    each(all.step_by(if long() { 1 } else { 41 }).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_settles_what_is_in_flight_and_exits_75() {
    let folder = root();
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // The call that creates the pipeline: it is settled, and nothing more is started.
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        wire.plan(Plan::Signal(3, signal));
        let summary_file = folder.path().join(format!("summary-{signal}.md"));
        let said = wire
            .run_in(
                folder.path(),
                &["apply", "--timeout", "2", "--endpoint", &url],
                &[
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_STEP_SUMMARY", summary_file.to_str().expect("a path")),
                ],
            )
            .await;
        assert_eq!(said.code, 75, "{said:?}");
        let pipeline = &said.json()["pipelines"][0];
        assert_eq!(
            (&pipeline["action"], &pipeline["reason"]),
            (&"skipped".into(), &"interrupted".into()),
            "{pipeline:#}"
        );
        assert!(truth(&wire.server).await["one"].is_empty());
        let summary = std::fs::read_to_string(&summary_file).expect("a summary");
        assert!(
            summary.contains("Interrupted: 0 done, 1 not done, 0 unknown"),
            "{summary}"
        );
        wire.plan(Plan::Fair);
        let clean = wire.apply(folder.path(), &url).await;
        assert_eq!(clean.code, 0, "{clean:?}");
        assert_eq!(truth(&wire.server).await["one"].len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_heard_while_the_server_asks_to_be_left_alone() {
    let folder = root();
    // Before anything of the version is sent: the look for the pipeline, the look at its newest version. After: the
    // read-back.
    for (call, action) in [(2, "skipped"), (4, "skipped"), (6, "created")] {
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        wire.plan(Plan::SignalBusy(call, libc::SIGTERM));
        let run = wire.apply(folder.path(), &url);
        // Half of what the server asks for.
        let said = tokio::time::timeout(std::time::Duration::from_secs(30), run)
            .await
            .unwrap_or_else(|_| panic!("call {call}: the signal was not heard"));
        let pipeline = &said.json()["pipelines"][0];
        assert_eq!(pipeline["action"], action, "call {call}: {pipeline:#}");
        assert_eq!(
            said.code,
            if action == "created" { 0 } else { 75 },
            "call {call}: {said:?}"
        );
        let there = truth(&wire.server).await.get("one").map_or(0, Vec::len);
        assert_eq!(there, usize::from(action == "created"), "call {call}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_stopped_waiting_for_is_unknown() {
    let folder = root();
    for (end, statuses) in [
        ("/upload_version", &[504][..]),
        // What surely is refused says nothing of the try before.
        ("/upload_version", &[504, 403]),
        ("/pipelines", &[504]),
        ("/pipelines", &[504, 403]),
    ] {
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        wire.plan(Plan::Answers(end, statuses));
        let said = wire.apply(folder.path(), &url).await;
        let context = format!("{end} {statuses:?}: {said:?}");
        let pipeline = &said.json()["pipelines"][0];
        assert_eq!(pipeline["action"], "unknown", "{context}");
        assert!(
            pipeline["error"]["message"]
                .as_str()
                .unwrap()
                .contains("may still be carried out"),
            "{context}"
        );
        assert_ne!(said.code, 0, "{context}");
        // The next run says what was left open, and mends it.
        wire.plan(Plan::Fair);
        let clean = wire.apply(folder.path(), &url).await;
        assert_eq!(clean.code, 0, "{clean:?}");
        assert!(
            clean.json()["pipelines"][0]["notes"]
                .to_string()
                .contains("an earlier run ended during"),
            "{clean:?}"
        );
    }
    // Nobody waited for these.
    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    wire.plan(Plan::Answers("/upload_version", &[503, 403]));
    let said = wire.apply(folder.path(), &url).await;
    assert_eq!(said.json()["pipelines"][0]["action"], "failed", "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_before_the_first_write_leaves_results_and_exits_75() {
    let folder = root();
    let results = folder.path().join("results.json");
    for call in [0, 1] {
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        wire.plan(Plan::Signal(call, libc::SIGTERM));
        let arguments = [
            "apply",
            "--endpoint",
            &url,
            "--results",
            results.to_str().expect("a path"),
        ];
        let said = wire.run_in(folder.path(), &arguments, &[]).await;
        assert_eq!(said.code, 75, "call {call}: {said:?}");
        let text = std::fs::read_to_string(&results).expect("results");
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let message = report["error"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("before anything was written"),
            "call {call}: {report:#}"
        );
        assert_eq!(wire.server.writes(), 0, "call {call}");
        std::fs::remove_file(&results).expect("removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_third_call_fails() {
    let scenario = Scenario::mixed();
    let cases = [
        Fault::AnswerCut,
        Fault::TruncatedJson,
        Fault::WrongType,
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Unavailable,
        Fault::TooManySeconds,
        Fault::SilenceAfter,
    ]
    .map(|fault| {
        let scenario = Arc::clone(&scenario);
        tokio::spawn(async move {
            let (wire, url, folder) = scenario.prepared().await;
            wire.plan(Plan::Third(fault));
            let mut said = wire.apply(folder.path(), &url).await;
            if said.code == 75 {
                // An upload and the two looks after it are three calls: once they fall into step, each upload is hit,
                // until the run gives up and says that it is safe to run again.
                truth::no_duplicates(&truth(&wire.server).await);
                wire.plan(Plan::Fair);
                said = wire.apply(folder.path(), &url).await;
            }
            assert_eq!(said.code, 0, "{fault:?}: {said:?}");
            scenario.holds(&wire, &said, &format!("{fault:?}")).await;
        })
    });
    let mut running = futures::stream::iter(cases).buffer_unordered(4);
    while let Some(ended) = running.next().await {
        ended.expect("a case");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_waited_for_no_longer_than_the_deadline() {
    let folder = root();
    for from in [1, 3, 5] {
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        wire.plan(Plan::Silent(from));
        let arguments = ["apply", "--timeout", "1", "--deadline", "3", "--endpoint", &url];
        let said = wire.run(folder.path(), &arguments).await;
        assert_eq!(said.code, 75, "call {from}: {said:?}");
        let report = said.json();
        // Without it a run would go on for ten minutes; a machine under load takes its time to compile.
        let seconds = report["seconds"].as_f64();
        assert!(
            seconds.is_some_and(|seconds| seconds < 60.0),
            "call {from}: {report:#}"
        );
        // Who was in the middle of a write cannot know, and says so.
        let action = &report["pipelines"][0]["action"];
        assert_eq!(*action == "unknown", from > 1, "call {from}: {report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_and_says_what_nobody_knows() {
    let folder = root();
    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    // The upload: nobody will ever say what became of it.
    wire.plan(Plan::SignalTwice(5, libc::SIGTERM));
    let said = wire.run(folder.path(), &["apply", "--endpoint", &url]).await;
    assert_eq!(said.code, 75, "{said:?}");
    let report = said.json();
    let one = &report["pipelines"][0];
    assert_eq!(
        (&one["action"], &one["reason"]),
        (&"unknown".into(), &"interrupted".into()),
        "{one:#}"
    );
    let message = one["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("was being uploaded"), "{one:#}");
    wire.plan(Plan::Fair);
    let clean = wire.apply(folder.path(), &url).await;
    assert_eq!(clean.code, 0, "{clean:?}");
    // The next run says what the journal of this one left open.
    let notes = clean.json()["pipelines"][0]["notes"].to_string();
    assert!(
        notes.contains("an earlier run ended during `upload-version`"),
        "{notes}"
    );
    assert_eq!(truth(&wire.server).await["one"].len(), 1);
}
