//! The embedded registry against the recordings of real servers, and on its own feet.

use crate::support::http;
use crate::support::recordings::{Exchange, Recording, comparable};
use chrono::{DateTime, Utc};
use kfp_gitops::kfp::embedded::{Clock, Identifiers, Store, router};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Exchanges of 2.17.0 that the registry does not claim to answer alike, by the start of their names, and why.
const NOT_CLAIMED: &[(&str, &str)] = &[
    ("run_", "the registry runs nothing"),
    ("runs_", "the registry runs nothing"),
    ("recurring_", "the registry runs nothing"),
    (
        "version_upload_broken_yaml",
        "answered at once with 400, where the real server never answers",
    ),
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
async fn replay(recording: &Recording, not_claimed: &[(&str, &str)]) -> Vec<String> {
    let script = Arc::new(Script::default());
    let store = Store::in_memory()
        .unwrap()
        .with_clock(script.clone())
        .with_identifiers(script.clone());
    let base = format!("http://{}", http::serve(router(Arc::new(store))).await);
    let client = http::client();
    let first_versions = first_versions(recording);
    let mut differences = Vec::new();
    for exchange in &recording.exchanges {
        if not_claimed
            .iter()
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

#[tokio::test]
async fn answers_as_the_recorded_2_17_0_does() {
    let recording = Recording::load("2.17.0");
    let differences = replay(&recording, NOT_CLAIMED).await;
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

mod durability;
mod limits;
