//! The real binary over a real network: killed at every call, interrupted, and with a sample of faults.

use crate::fault::dialect::Kind;
use crate::fault::kinds::Fault;
use crate::fault::truth::{self, truth};
use crate::fault::wire::{Plan, Wire, root};

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_call() {
    let folder = root();
    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    let said = wire.apply(folder.path(), &url).await;
    assert_eq!(said.code, 0, "{said:?}");
    let calls = wire.calls();
    assert!(calls >= 6, "{calls}");
    for number in 0..calls {
        for after in [false, true] {
            let (wire, url) = Wire::start(Kind::V2_17_0).await;
            wire.plan(Plan::Kill(number, after));
            let killed = wire.apply(folder.path(), &url).await;
            assert_eq!(killed.code, -1, "call {number}, after {after}: {killed:?}");
            wire.plan(Plan::Fair);
            let clean = wire.apply(folder.path(), &url).await;
            assert_eq!(clean.code, 0, "call {number}, after {after}: {clean:?}");
            let held = truth(&wire.server).await;
            truth::no_duplicates(&held);
            assert_eq!(held["one"].len(), 1, "call {number}, after {after}: {held:#?}");
            let version = clean.json()["pipelines"][0]["version_id"]
                .as_str()
                .map(str::to_owned);
            assert_eq!(version.as_deref(), Some(held["one"][0].id.as_str()));
        }
    }
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
    let folder = root();
    for fault in [Fault::AnswerCut, Fault::BadGatewayAfter] {
        let (wire, url) = Wire::start(Kind::V2_17_0).await;
        wire.plan(Plan::Third(fault));
        let said = wire.apply(folder.path(), &url).await;
        assert_eq!(said.code, 0, "{fault:?}: {said:?}");
        let held = truth(&wire.server).await;
        assert_eq!(held["one"].len(), 1, "{fault:?}: {held:#?}");
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
