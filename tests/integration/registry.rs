//! The embedded registry against the recordings of real servers, and on its own feet.
//!
//! A replay gives the registry the recorded clock and the recorded ids, so that its answers must be the
//! recorded ones to the letter, whatever the dialect.

use crate::support::http;
use crate::support::recordings::{Exchange, Recording, comparable};
use chrono::{DateTime, Utc};
use kfp_gitops::kfp::embedded::{Clock, Dialect, Identifiers, Store, Users, router_as};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Exchanges that the registry does not claim to answer alike, by the start of their names, and why.
type NotClaimed = [(&'static str, &'static str)];

/// Of every recording.
const NEVER_CLAIMED: &NotClaimed = &[
    ("run_", "the registry runs nothing"),
    ("runs_", "the registry runs nothing"),
    ("recurring_", "the registry runs nothing"),
    (
        "version_upload_broken_yaml",
        "answered at once with 400, where the real server never answers",
    ),
];

/// Of servers before 2.17.0: they try to fetch the URL and fail, the registry fetches nothing.
const FETCHES: (&str, &str) = ("version_create_from_url_refused", "the registry fetches nothing");

/// Of servers before 2.14.0.
const OLD_WORDS: (&str, &str) = ("pipelines_filter_bad_json", "the words of Go's old JSON reader");

/// Of the Kubernetes store: it orders versions of one second anew at every call, so that pages overlap and skip
/// (there, page 2 skips `v20260213-143028`).
const UNORDERED: &NotClaimed = &[
    ("versions_page_1", "ties"),
    ("versions_page_2", "ties"),
    ("versions_page_size_500", "ties"),
];

/// A clock and a source of ids that say what the recorded server said.
#[derive(Default)]
struct Script {
    now: Mutex<DateTime<Utc>>,
    ids: Mutex<VecDeque<String>>,
}

impl Clock for Script {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }
}

impl Identifiers for Script {
    fn next(&self) -> String {
        self.ids
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
    }
}

impl Script {
    /// Prepares for one exchange: what the recorded server made then, this one makes now.
    fn prepare(&self, exchange: &Exchange, first_versions: &HashMap<String, String>) {
        let mut ids = self.ids.lock().unwrap();
        ids.clear();
        let Some(answer) = &exchange.response.json else {
            return;
        };
        if let Some(time) = answer["created_at"].as_str() {
            *self.now.lock().unwrap() = time.parse().unwrap();
        }
        let made = ["pipeline_version_id", "pipeline_id", "experiment_id"]
            .iter()
            .find_map(|name| answer[name].as_str());
        if exchange.request.method == "POST"
            && let Some(id) = made
        {
            ids.push_back(id.to_owned());
            ids.extend(first_versions.get(id).cloned());
        }
    }
}

/// The versions that uploads of pipelines made on the side, by pipeline: they only show in later lists.
fn first_versions(recording: &Recording) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for exchange in &recording.exchanges {
        let versions = exchange
            .response
            .json
            .iter()
            .filter_map(|answer| answer["pipeline_versions"].as_array());
        for version in versions.flatten() {
            let text = |name: &str| version[name].as_str().unwrap().to_owned();
            found
                .entry(text("pipeline_id"))
                .or_insert_with(|| text("pipeline_version_id"));
        }
    }
    found
}

/// Replays a recording and returns every difference.
async fn replay(recording: &Recording, dialect: Dialect, not_claimed: &NotClaimed) -> Vec<String> {
    let script = Arc::new(Script::default());
    let store = Store::in_memory()
        .unwrap()
        .with_clock(script.clone())
        .with_identifiers(script.clone());
    let base = format!(
        "http://{}",
        http::serve(router_as(Arc::new(store), dialect)).await
    );
    let client = http::client();
    let first_versions = first_versions(recording);
    let mut differences = Vec::new();
    for exchange in &recording.exchanges {
        if NEVER_CLAIMED
            .iter()
            .chain(not_claimed)
            .any(|(name, _)| exchange.name.starts_with(name))
        {
            continue;
        }
        script.prepare(exchange, &first_versions);
        let answer = exchange.send(&client, &base).await;
        differences.extend(compare(exchange, answer).await);
    }
    differences
}

async fn compare(exchange: &Exchange, answer: reqwest::Response) -> Vec<String> {
    let expected = &exchange.response;
    let status = answer.status().as_u16();
    let content_type = answer
        .headers()
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    let body = answer.text().await.unwrap();
    let mut differences = Vec::new();
    if Some(status) != expected.status {
        differences.push(format!(
            "{}: status {status}, recorded {:?}: {body}",
            exchange.name, expected.status
        ));
    }
    if content_type != expected.content_type {
        differences.push(format!(
            "{}: {content_type:?}, recorded {:?}",
            exchange.name, expected.content_type
        ));
    }
    if let Some(text) = &expected.text
        && body != *text
    {
        differences.push(format!("{}: {body:?}, recorded {text:?}", exchange.name));
    }
    if let Some(json) = &expected.json {
        let found: Value =
            serde_json::from_str(&body).unwrap_or_else(|error| panic!("{}: {error}: {body}", exchange.name));
        differences.extend(json_differences(
            &exchange.name,
            &comparable(&found),
            &comparable(json),
        ));
    }
    differences
}

/// Where two values differ, one line each.
fn json_differences(place: &str, found: &Value, recorded: &Value) -> Vec<String> {
    match (found, recorded) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            let null = Value::Null;
            names
                .iter()
                .flat_map(|name| match (a.get(*name), b.get(*name)) {
                    (Some(a), Some(b)) => json_differences(&format!("{place}.{name}"), a, b),
                    (a, b) => vec![format!(
                        "{place}.{name}: {} here, {} recorded: {}",
                        if a.is_some() { "present" } else { "absent" },
                        if b.is_some() { "present" } else { "absent" },
                        a.or(b).unwrap_or(&null)
                    )],
                })
                .collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .flat_map(|(index, (a, b))| json_differences(&format!("{place}[{index}]"), a, b))
            .collect(),
        (a, b) if a == b => Vec::new(),
        (a, b) => vec![format!("{place}:\n     here {a}\n recorded {b}")],
    }
}

/// Replays a recording, all but what is not claimed, and lists the differences.
async fn assert_alike(recording: &Recording, dialect: Dialect, not_claimed: &NotClaimed) {
    for (start, _) in not_claimed {
        assert!(
            recording
                .exchanges
                .iter()
                .any(|exchange| exchange.name.starts_with(start)),
            "no exchange {start}…"
        );
    }
    let differences = replay(recording, dialect, not_claimed).await;
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The server 2.17.0 without what the registry has of its own.
fn recorded() -> Dialect {
    Dialect::of("2.17.0").expect("a version")
}

#[tokio::test]
async fn answers_as_the_recorded_2_17_0_does() {
    assert_alike(&Recording::load("2.17.0"), recorded(), &[]).await;
}

#[tokio::test]
async fn answers_as_the_recorded_2_17_0_on_kubernetes_does() {
    let dialect = recorded().on_kubernetes();
    assert_alike(&Recording::load("2.17.0-kubernetes-store"), dialect, UNORDERED).await;
}

#[tokio::test]
async fn answers_as_the_recorded_2_16_1_does() {
    assert_alike(
        &Recording::load("2.16.1"),
        Dialect::of("2.16.1").unwrap(),
        &[FETCHES],
    )
    .await;
}

#[tokio::test]
async fn answers_as_the_recorded_2_5_0_does() {
    assert_alike(
        &Recording::load("2.5.0"),
        Dialect::of("2.5.0").unwrap(),
        &[FETCHES, OLD_WORDS],
    )
    .await;
}

#[tokio::test]
async fn answers_as_the_recorded_2_0_5_does() {
    assert_alike(
        &Recording::load("2.0.5"),
        Dialect::of("2.0.5").unwrap(),
        &[FETCHES, OLD_WORDS],
    )
    .await;
}

#[tokio::test]
async fn answers_as_the_recorded_multi_user_2_17_0_does() {
    let all = ["create", "get", "list", "update", "delete"];
    let users = Users::default()
        .allow("alice", "team-a", &all)
        .allow("alice", "team-b", &["get"])
        .allow("reader-bob", "team-a", &["get", "list"])
        .token("tok-alice", "alice");
    let mut recording = Recording::load("2.17.0-multiuser");
    // The recorded server held a shared pipeline from before.
    let shared = recording
        .exchange("mu_list_without_namespace")
        .response
        .json
        .clone()
        .unwrap()["pipelines"][0]
        .clone();
    let seed = serde_json::json!({
        "name": "seed",
        "request": {"method": "POST", "path": "/apis/v2beta1/pipelines", "json": {"name": shared["name"]}},
        "response": {"status": 200, "content_type": "application/json", "json": shared},
    });
    recording
        .exchanges
        .insert(0, serde_json::from_value(seed).unwrap());
    assert_alike(&recording, recorded().for_users(users), &[]).await;
}

mod conditions;
mod durability;
mod limits;
