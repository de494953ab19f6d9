//! How older and other servers differ from the registry, which answers as 2.17.0 with a database.

use super::server::plain;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use kfp_gitops::kfp::transport::{Request, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    V2_0_5,
    V2_5_0,
    V2_14_0,
    V2_15_2,
    V2_16_1,
    V2_17_0,
    /// Newer than anything known.
    V2_30_0,
    /// 2.17.0 whose `healthz` does not tell the version.
    Untold,
    MultiUser,
    Kubernetes,
    /// The embedded registry as it is: it can see to it that nobody comes in between.
    Embedded,
    /// The Kubernetes store of 2.16.1, where one version name cannot serve two pipelines.
    KubernetesOld,
}

/// Every kind.
pub const ALL: [Kind; 12] = [
    Kind::Embedded,
    Kind::V2_0_5,
    Kind::V2_5_0,
    Kind::V2_14_0,
    Kind::V2_15_2,
    Kind::V2_16_1,
    Kind::V2_17_0,
    Kind::V2_30_0,
    Kind::Untold,
    Kind::MultiUser,
    Kind::Kubernetes,
    Kind::KubernetesOld,
];

/// The namespace and the user that a multi-user server knows.
pub const NAMESPACE: &str = "team-a";
pub const USER: &str = "alice";

/// A server's dialect, with what it must remember.
pub struct Dialect {
    pub kind: Kind,
    version_names: Mutex<BTreeMap<String, String>>,
    half_created: Mutex<BTreeSet<String>>,
    born: Mutex<BTreeMap<String, DateTime<Utc>>>,
    /// How long lists of a Kubernetes store do not show what is new.
    lag: TimeDelta,
    /// Whether its reads by id, and its own look at the pipeline of a version, lag as well.
    all_lags: bool,
    /// Whether answers tell the time.
    pub tells_time: bool,
}

impl Dialect {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            version_names: Mutex::default(),
            half_created: Mutex::default(),
            born: Mutex::default(),
            lag: TimeDelta::milliseconds(700),
            all_lags: false,
            tells_time: true,
        }
    }

    /// A Kubernetes store whose cache lags that much, in everything it reads.
    pub fn lagging(lag: TimeDelta) -> Self {
        Self {
            lag,
            all_lags: true,
            ..Self::new(Kind::Kubernetes)
        }
    }

    /// A server behind something that takes the date away.
    pub fn timeless(kind: Kind) -> Self {
        Self {
            tells_time: false,
            ..Self::new(kind)
        }
    }

    /// A version name that a row holds which nobody can list.
    pub fn half_create(&self, name: &str) {
        self.half_created.lock().unwrap().insert(name.to_owned());
    }

    fn tag_name(&self) -> &'static str {
        match self.kind {
            Kind::V2_0_5 => "2.0.5",
            Kind::V2_5_0 => "2.5.0",
            Kind::V2_14_0 => "2.14.0",
            Kind::V2_15_2 => "2.15.2",
            Kind::V2_16_1 | Kind::KubernetesOld => "2.16.1",
            Kind::V2_30_0 => "2.30.0",
            Kind::Untold => "unknown",
            Kind::V2_17_0 | Kind::Embedded | Kind::MultiUser | Kind::Kubernetes => "2.17.0",
        }
    }

    fn is_old(&self) -> bool {
        matches!(self.kind, Kind::V2_0_5 | Kind::V2_5_0)
    }

    fn has_tags(&self) -> bool {
        !self.is_old()
            && !matches!(
                self.kind,
                Kind::V2_14_0 | Kind::V2_15_2 | Kind::V2_16_1 | Kind::KubernetesOld
            )
    }

    fn is_kubernetes(&self) -> bool {
        matches!(self.kind, Kind::Kubernetes | Kind::KubernetesOld)
    }

    /// An answer that the registry would not give.
    pub fn before(&self, request: &Request, now: DateTime<Utc>) -> Option<Response> {
        let path = request.url.path();
        if path.ends_with("/healthz") && self.kind != Kind::Embedded {
            let mut health = json!({"commit_sha": "0000000", "tag_name": self.tag_name(), "multi_user": self.kind == Kind::MultiUser});
            if !self.is_old() {
                health["pipeline_store"] = json!(if self.is_kubernetes() {
                    "kubernetes"
                } else {
                    "database"
                });
            }
            return Some(plain(200, "application/json", &health.to_string()));
        }
        if self.kind == Kind::MultiUser
            && request
                .headers
                .get("kubeflow-userid")
                .is_none_or(|user| user != USER)
        {
            let text = r#"{"code":16,"message":"User identity is empty in the request header"}"#;
            return Some(plain(401, "application/json", text));
        }
        if path.ends_with("/upload_version") {
            return self.refuse_upload(request, now);
        }
        let last = path.rsplit('/').next().unwrap_or_default();
        if request.method == http::Method::GET && self.all_lags && self.is_unseen(last, now) {
            let text = format!(r#"{{"code":5,"message":"{last} not found"}}"#);
            return Some(plain(404, "application/json", &text));
        }
        if self.is_kubernetes() && request.method == http::Method::POST && path.ends_with("/pipelines") {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let name = body["name"].as_str().unwrap_or_default();
            if !is_dns(name) {
                return Some(plain(
                    400,
                    "application/json",
                    &json!({"code": 3, "message": format!("Invalid pipeline name {name:?}")}).to_string(),
                ));
            }
        }
        None
    }

    /// Whether the cache does not show that object yet.
    fn is_unseen(&self, id: &str, now: DateTime<Utc>) -> bool {
        let born = self.born.lock().unwrap();
        born.get(id).is_some_and(|time| now - *time <= self.lag)
    }

    fn refuse_upload(&self, request: &Request, now: DateTime<Utc>) -> Option<Response> {
        let name = parameter(request, "name");
        let pipeline = parameter(request, "pipelineid");
        if self.all_lags && self.is_unseen(&pipeline, now) {
            let text = upload_error("Failed to create a pipeline version");
            return Some(plain(400, "application/json", &text));
        }
        if self.half_created.lock().unwrap().contains(&name) {
            return Some(self.taken(&name));
        }
        if self.is_kubernetes() && !is_dns(&name) {
            return Some(plain(
                400,
                "application/json",
                &upload_error(&format!("Invalid pipeline version name {name:?}")),
            ));
        }
        if self.kind == Kind::KubernetesOld {
            let mut names = self.version_names.lock().unwrap();
            let holder = names.entry(name.clone()).or_insert_with(|| pipeline.clone());
            if *holder != pipeline {
                return Some(self.taken(&name));
            }
        }
        None
    }

    fn taken(&self, name: &str) -> Response {
        match self.kind {
            Kind::V2_0_5 => plain(
                500,
                "text/plain; charset=utf-8",
                &upload_error(&format!(
                    "Failed to create a pipeline version: Failed to create pipeline version in PipelineStore: Already exist error: Failed to create a new pipeline version. The name {name} already exist. Specify a new name"
                )),
            ),
            Kind::V2_5_0 | Kind::V2_14_0 => plain(
                409,
                "application/json",
                &upload_error(&format!(
                    "Failed to create a pipeline version: The name {name} already exist. Specify a new name"
                )),
            ),
            _ => plain(
                409,
                "application/json",
                &upload_error("Failed to create a pipeline version"),
            ),
        }
    }

    /// The request as the registry should see it.
    pub fn rewrite(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let is_create = request.method == http::Method::POST && request.url.path().ends_with("/pipelines");
        if is_create {
            let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if let Some(body) = body.as_object_mut() {
                body.remove("namespace");
                if self.is_old() {
                    // A name is an unknown member, and unknown members are dropped.
                    body.remove("name");
                }
                if !self.has_tags() {
                    body.remove("tags");
                }
            }
            request.body = Bytes::from(body.to_string());
        }
        if !self.has_tags() {
            let kept: Vec<(String, String)> = request
                .url
                .query_pairs()
                .filter(|(key, _)| key != "tags" && !(self.is_old() && key == "display_name"))
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect();
            let mut query = request.url.query_pairs_mut();
            query.clear();
            query.extend_pairs(kept);
            drop(query);
        }
        request
    }

    /// The answer as this server would give it.
    pub fn after(&self, request: &Request, mut response: Response, now: DateTime<Utc>) -> Response {
        let path = request.url.path();
        if path.ends_with("/upload_version") && response.status == 409 {
            return self.taken(&parameter(request, "name"));
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&response.body) else {
            return response;
        };
        if response.status.is_success() {
            self.dress(&mut body);
            if self.kind == Kind::Kubernetes {
                self.lag(request, &mut body, now);
            }
        } else if self.is_old() && body["message"].is_string() {
            body["error"] = body["message"].clone();
        }
        response.body = Bytes::from(body.to_string());
        response
    }

    /// Members as this server has them.
    fn dress(&self, body: &mut Value) {
        match body {
            Value::Array(items) => items.iter_mut().for_each(|item| self.dress(item)),
            Value::Object(members) if members.contains_key("pipeline_id") => {
                if self.is_old() {
                    members.remove("name");
                    drop_workspace(members.get_mut("pipeline_spec"));
                }
                if !self.has_tags() {
                    members.remove("tags");
                }
                if self.kind == Kind::MultiUser && !members.contains_key("pipeline_version_id") {
                    members.insert("namespace".to_owned(), json!(NAMESPACE));
                }
            }
            Value::Object(members) => members.values_mut().for_each(|value| self.dress(value)),
            _ => {}
        }
    }

    /// Lists come from a cache: what is new is not shown for a while, by id it is there at once.
    fn lag(&self, request: &Request, body: &mut Value, now: DateTime<Utc>) {
        let mut born = self.born.lock().unwrap();
        let key = |item: &Value| {
            item["pipeline_version_id"]
                .as_str()
                .or(item["pipeline_id"].as_str())
                .map(str::to_owned)
        };
        if request.method == http::Method::POST {
            if let Some(id) = key(body) {
                born.insert(id, now);
            }
            return;
        }
        for list in ["pipelines", "pipeline_versions"] {
            if let Some(items) = body.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| {
                    key(item)
                        .and_then(|id| born.get(&id).copied())
                        .is_none_or(|time| now - time > self.lag)
                });
            }
        }
    }
}

/// 2.0.5 and 2.5.0 drop a platform document that only holds a workspace.
fn drop_workspace(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    let only_workspace = spec["platform_spec"]["platforms"]["kubernetes"]
        .as_object()
        .is_some_and(|platform| {
            platform.keys().eq(["pipelineConfig"])
                && platform["pipelineConfig"]
                    .as_object()
                    .is_some_and(|config| config.keys().eq(["workspace"]))
        });
    // Stands for what nobody knows of yet.
    let surprise = spec["platform_spec"].to_string().contains("surprise");
    if only_workspace || surprise {
        *spec = spec["pipeline_spec"].take();
    }
}

fn upload_error(message: &str) -> String {
    json!({"error_message": message, "error_details": message}).to_string()
}

fn parameter(request: &Request, name: &str) -> String {
    request
        .url
        .query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn is_dns(name: &str) -> bool {
    kfp_gitops::ir::names::is_dns_1123_subdomain(name)
}
