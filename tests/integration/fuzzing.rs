//! The fuzz targets, with some thousand inputs: recordings of real servers and runners, broken by chance, and
//! values that a generator made up. `fuzz/` drives the same functions with coverage for as long as one likes.

#[path = "../../fuzz/src/lib.rs"]
mod subjects;

use crate::fault::world::long;
use crate::support::repository;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::time::Duration;

/// Longer inputs find nothing more and take long.
const LONGEST: usize = 6_000;

/// Words that mean something somewhere.
const WORDS: &[&str] = &[
    "pipeline_id",
    "pipeline_version_id",
    "display_name",
    "name",
    "created_at",
    "pipeline_spec",
    "platform_spec",
    "error",
    "code",
    "message",
    "details",
    "error_message",
    "next_page_token",
    "tag_name",
    "pipeline_store",
    "tags",
    "components",
    "deploymentSpec",
    "executors",
    "root",
    "dag",
    "tasks",
    "dependentTasks",
    "inputDefinitions",
    "parameters",
    "parameterType",
    "STRING",
    "TASK_CONFIG",
    "literals",
    "pipelineInfo",
    "schemaVersion",
    "2.1.0",
    "sdkVersion",
    "componentRef",
    "taskInfo",
    "inputs",
    "iterator",
    "platforms",
    "kubernetes",
    "pipelineConfig",
    "pull_request",
    "head",
    "base",
    "repo",
    "fork",
    "full_name",
    "ref",
    "refs/heads/main",
    "sha",
    "version: 1",
    "endpoint",
    "pipelines",
    "targets",
    "kfp-gitops:",
    "sha256:",
    "::",
    "##[",
    "::error::",
    "%0A",
    "%25",
    "\u{1b}[31m",
    "\r\n",
    "\u{2028}",
    "\u{7f}",
    "\u{85}",
    "\u{202e}",
    "\u{feff}",
    "\u{1f600}",
    "\\ud83d",
    "1e999",
    "-0",
    "0o10",
    "9223372036854775808",
    "---",
    "&a [*a]",
    "!!binary",
    "<html><form><input type=password>",
    "RBAC: access denied",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "99999999999999999999",
];

/// Values as deep and as odd as a generator likes.
fn made_up(random: &mut SmallRng, depth: usize) -> Value {
    let word = |random: &mut SmallRng| WORDS[random.random_range(0..WORDS.len())].to_owned();
    match random.random_range(0..if depth == 0 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random::<i64>()),
        3 => json!(random.random::<f64>() * 1e300),
        4 => json!(word(random)),
        5 => (0..random.random_range(0..4))
            .map(|_| made_up(random, depth - 1))
            .collect(),
        _ => Value::Object(
            (0..random.random_range(0..5))
                .map(|_| (word(random), made_up(random, depth - 1)))
                .collect::<Map<_, _>>(),
        ),
    }
}

/// Breaks an input a little, or much.
fn broken(random: &mut SmallRng, mut input: Vec<u8>) -> Vec<u8> {
    for _ in 0..random.random_range(0..6) {
        let at = random.random_range(0..=input.len());
        let end = (at + random.random_range(0..40)).min(input.len());
        match random.random_range(0..6) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => {
                let word = WORDS[random.random_range(0..WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            3 => {
                let copy = input[at..end].to_vec();
                input.splice(at..at, copy);
            }
            4 => input.insert(at, random.random()),
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// Every object in a recording that is small enough to be an answer or a spec.
fn pieces(value: &Value, found: &mut Vec<Vec<u8>>) {
    if let Value::Object(_) = value {
        let text = value.to_string();
        if (20..LONGEST).contains(&text.len()) {
            found.push(text.into_bytes());
        }
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| pieces(value, found)),
        Value::Array(array) => array.iter().for_each(|value| pieces(value, found)),
        Value::String(text) if text.len() > 20 => found.push(text.clone().into_bytes()),
        _ => {}
    }
}

fn recorded(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(repository().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        match serde_json::from_str(&text) {
            Ok(value) => pieces(&value, &mut found),
            Err(_) => found.push(text.into_bytes()),
        }
    }
    assert!(!found.is_empty(), "{folder}/*{ending}");
    found
}

/// Feeds a subject. `corpus` is broken; of every three inputs one is made up.
fn drive(subject: fn(&[u8]), corpus: Vec<Vec<u8>>) {
    let count: u64 = if long() { 200_000 } else { 2_500 };
    let (told, heard) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        for seed in 0..count {
            told.send(seed).ok();
            let mut random = SmallRng::seed_from_u64(seed);
            let start = if seed.is_multiple_of(3) {
                made_up(&mut random, 5).to_string().into_bytes()
            } else {
                corpus[random.random_range(0..corpus.len())].clone()
            };
            let input = broken(&mut random, start);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| subject(&input))) {
                let _ = writeln!(
                    std::io::stderr(),
                    "seed {seed}: {}",
                    String::from_utf8_lossy(&input)
                );
                resume_unwind(panic);
            }
        }
    });
    // Each input takes about a millisecond; a minute for one means that it never ends.
    let mut last = None;
    loop {
        match heard.recv_timeout(Duration::from_secs(60)) {
            Ok(seed) => last = Some(seed),
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("seed {last:?} does not end"),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = worker.join() {
        resume_unwind(panic);
    }
}

#[test]
fn server_json() {
    drive(subjects::server_json, recorded("tests/recordings/kfp", ".json"));
}

#[test]
fn config() {
    let text = "version: 1\nendpoint: https://kfp.example/pipeline\nnamespace: ml\npipelines:\n  one:\n    file: one_pipeline.py\n\
                targets:\n  prod:\n    endpoint: https://kfp.example\n    namespace: prod\n";
    let mut corpus = recorded("schema", ".json");
    corpus.extend([
        text.as_bytes().to_vec(),
        text.as_bytes().to_vec(),
        b"[[[[[[".repeat(900),
    ]);
    drive(subjects::config, corpus);
}

#[test]
fn event() {
    drive(subjects::event, recorded("tests/recordings/forge", ".event.json"));
}

#[test]
fn ir() {
    let mut corpus = recorded("tests/recordings/kfp", ".json");
    corpus.push([b"{\"a\":".repeat(600), b"1".to_vec(), b"}".repeat(600)].concat());
    drive(subjects::ir, corpus);
}

#[test]
fn workflow_commands() {
    drive(
        subjects::workflow_commands,
        recorded("tests/recordings/kfp", ".json"),
    );
}

#[test]
fn retry_after() {
    let dates: Vec<Vec<u8>> = [
        "7",
        " 120 ",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    drive(subjects::retry_after, dates);
}
