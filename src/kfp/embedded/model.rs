//! Answers' bodies: snake case, empty members left out.

use super::dialect::Dialect;
use super::store::{Experiment, Pipeline, Tags, Version};
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
pub struct ApiPipeline<'a> {
    pipeline_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    created_at: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
}

impl<'a> ApiPipeline<'a> {
    pub fn new(pipeline: &'a Pipeline, dialect: &Dialect) -> Self {
        let (display_name, name) = shown_names(&pipeline.display_name, &pipeline.name, dialect);
        Self {
            pipeline_id: &pipeline.id,
            display_name,
            name,
            description: &pipeline.description,
            created_at: time(pipeline.created_at),
            namespace: &pipeline.namespace,
            tags: shown_tags(&pipeline.tags, dialect),
        }
    }
}

/// `display_name` and `name`; the first servers show the one name they know as `display_name`.
fn shown_names<'a>(display_name: &'a str, name: &'a str, dialect: &Dialect) -> (&'a str, &'a str) {
    if dialect.has_names() {
        (display_name, name)
    } else {
        (name, "")
    }
}

fn shown_tags<'a>(tags: &'a Tags, dialect: &Dialect) -> Option<&'a Tags> {
    (dialect.has_tags() && !tags.is_empty()).then_some(tags)
}

#[derive(Serialize)]
pub struct ApiVersion<'a> {
    pipeline_id: &'a str,
    pipeline_version_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline_spec: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
}

impl<'a> ApiVersion<'a> {
    pub fn new(version: &'a Version, dialect: &Dialect) -> Self {
        let (display_name, name) = shown_names(&version.display_name, &version.name, dialect);
        Self {
            pipeline_id: &version.pipeline_id,
            pipeline_version_id: &version.id,
            display_name,
            name,
            description: &version.description,
            created_at: time(version.created_at),
            pipeline_spec: version.spec.as_deref(),
            tags: shown_tags(&version.tags, dialect),
        }
    }
}

#[derive(Serialize)]
pub struct ApiExperiment<'a> {
    experiment_id: &'a str,
    display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    created_at: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    storage_state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run_created_at: Option<String>,
}

impl<'a> ApiExperiment<'a> {
    pub fn new(experiment: &'a Experiment, dialect: &Dialect) -> Self {
        let ran = dialect.tells_last_run() || experiment.last_run_created_at != 0;
        Self {
            experiment_id: &experiment.id,
            display_name: &experiment.name,
            description: &experiment.description,
            created_at: time(experiment.created_at),
            namespace: &experiment.namespace,
            storage_state: &experiment.storage_state,
            last_run_created_at: ran.then(|| time(experiment.last_run_created_at)),
        }
    }
}

/// The lists leave their own member out when it would be empty (recording 2.17.0: `versions_empty`).
#[derive(Serialize)]
pub struct ListPipelines<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pipelines: Vec<ApiPipeline<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub total_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

#[derive(Serialize)]
pub struct ListVersions<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pipeline_versions: Vec<ApiVersion<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub total_size: i64,
}

#[derive(Serialize)]
pub struct ListExperiments<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub experiments: Vec<ApiExperiment<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub total_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}
