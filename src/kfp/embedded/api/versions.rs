//! Versions of a pipeline. The pipeline in the path matters for lists only, as on the real server.

use super::super::answer::{Answer, Code, Refusal, empty_answer, json_answer};
use super::super::body::Body;
use super::super::list_query::{ListQuery, next_token};
use super::super::model::{ApiVersion, ListVersions};
use super::super::store::Version;
use super::super::tags;
use super::Registry;
use super::pipelines::refuse_url;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};

const MEMBERS: [&str; 11] = [
    "pipeline_id",
    "pipeline_version_id",
    "display_name",
    "name",
    "description",
    "created_at",
    "package_url",
    "code_source_url",
    "pipeline_spec",
    "error",
    "tags",
];

/// `GET /pipelines/{id}/versions`.
pub async fn list(
    State(registry): State<Registry>,
    Path(pipeline): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = ListQuery::read(query.as_deref().unwrap_or_default())?;
    let context = format!("Failed to list pipeline versions of pipeline {pipeline}");
    let request = query.request::<Version>("pipeline versions", vec![("pipeline_id", pipeline)])?;
    let page = registry
        .store
        .versions(request.clone())
        .await
        .map_err(|error| Refusal::store(&context, &error))?;
    Ok(json_answer(&ListVersions {
        pipeline_versions: page.items.iter().map(ApiVersion::from).collect(),
        next_page_token: next_token(&request, &page),
        total_size: page.total,
    }))
}

/// `POST /pipelines/{id}/versions`: a version whose spec the server would fetch from somewhere.
pub async fn create(body: Bytes) -> Answer {
    let body = Body::read(&body, &MEMBERS)?;
    let url = body
        .get("package_url")
        .and_then(|package| package["pipeline_url"].as_str());
    Err(refuse_url(
        "Failed to create a pipeline version. Check error stack",
        url,
    ))
}

/// `GET /pipelines/{id}/versions/{version}`.
pub async fn by_id(State(registry): State<Registry>, Path((_, id)): Path<(String, String)>) -> Answer {
    let context =
        format!("Failed to get a pipeline version {id}: Failed to get a pipeline version with id {id}");
    match registry.store.version(&id).await {
        Ok(Some(version)) => Ok(json_answer(&ApiVersion::from(&version))),
        Ok(None) => Err(missing(&context, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `PATCH /pipelines/{id}/versions/{version}`: display name and tags.
pub async fn change(
    State(registry): State<Registry>,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let body = Body::read(&body, &MEMBERS)?;
    let context = format!("Failed to update pipeline version {id}");
    let tags = body.tags()?;
    if let Some(tags) = &tags {
        tags::check(tags).map_err(|words| Refusal::chain(Code::InvalidArgument, &context, words))?;
    }
    let display_name = Some(body.text("display_name")?).filter(|text| !text.is_empty());
    match registry.store.change_version(&id, display_name, tags).await {
        Ok(Some(version)) => Ok(json_answer(&ApiVersion::from(&version))),
        Ok(None) => Err(missing(&context, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `DELETE /pipelines/{id}/versions/{version}`.
pub async fn remove(
    State(registry): State<Registry>,
    Path((pipeline, id)): Path<(String, String)>,
) -> Answer {
    let context = format!(
        "Failed to delete a pipeline version id {id} under pipeline id {pipeline}. Check error stack: Failed to delete \
         pipeline version with id {id} as it was not found"
    );
    match registry.store.remove_version(&id).await {
        Ok(true) => Ok(empty_answer()),
        Ok(false) => Err(missing(&context, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

fn missing(context: &str, id: &str) -> Refusal {
    Refusal::chain(Code::NotFound, context, format!("PipelineVersion {id} not found"))
}
