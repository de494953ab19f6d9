//! Answers' bodies: snake case, empty members left out.

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
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: &'a Tags,
}

impl<'a> From<&'a Pipeline> for ApiPipeline<'a> {
    fn from(pipeline: &'a Pipeline) -> Self {
        Self {
            pipeline_id: &pipeline.id,
            display_name: &pipeline.display_name,
            name: &pipeline.name,
            description: &pipeline.description,
            created_at: time(pipeline.created_at),
            namespace: &pipeline.namespace,
            tags: &pipeline.tags,
        }
    }
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
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: &'a Tags,
}

impl<'a> From<&'a Version> for ApiVersion<'a> {
    fn from(version: &'a Version) -> Self {
        Self {
            pipeline_id: &version.pipeline_id,
            pipeline_version_id: &version.id,
            display_name: &version.display_name,
            name: &version.name,
            description: &version.description,
            created_at: time(version.created_at),
            pipeline_spec: version.spec.as_deref(),
            tags: &version.tags,
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
    last_run_created_at: String,
}

impl<'a> From<&'a Experiment> for ApiExperiment<'a> {
    fn from(experiment: &'a Experiment) -> Self {
        Self {
            experiment_id: &experiment.id,
            display_name: &experiment.name,
            description: &experiment.description,
            created_at: time(experiment.created_at),
            namespace: &experiment.namespace,
            storage_state: &experiment.storage_state,
            last_run_created_at: time(experiment.last_run_created_at),
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
