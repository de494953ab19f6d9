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
use axum::http::HeaderMap;

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
    headers: HeaderMap,
) -> Answer {
    let dialect = &*registry.dialect;
    let query = ListQuery::read(query.as_deref().unwrap_or_default())?;
    let context = "Failed to list pipeline versions. Check error stack";
    registry
        .authorize_versions(&headers, &pipeline, "list", context)
        .await?;
    let request = query.request::<Version>("pipeline versions", vec![("pipeline_id", pipeline)], dialect)?;
    let page = registry
        .store
        .versions(request.clone())
        .await
        .map_err(|error| Refusal::store(context, &error))?;
    Ok(json_answer(&ListVersions {
        pipeline_versions: page
            .items
            .iter()
            .map(|version| ApiVersion::new(version, dialect))
            .collect(),
        next_page_token: next_token(&request, &page, dialect),
        total_size: page.total,
    }))
}

impl Registry {
    /// Checks a call about versions: it is the pipeline's namespace that counts.
    async fn authorize_versions(
        &self,
        headers: &HeaderMap,
        pipeline: &str,
        verb: &str,
        context: &str,
    ) -> Result<(), Refusal> {
        if self.dialect.users().is_none() {
            return Ok(());
        }
        match self.store.pipeline(pipeline).await {
            Ok(Some(pipeline)) => self.authorize_pipeline(headers, &pipeline, verb, context),
            Ok(None) => Err(Refusal::chain(
                Code::NotFound,
                context,
                format!("Pipeline {pipeline} not found"),
            )),
            Err(error) => Err(Refusal::store(context, &error)),
        }
    }
}

/// `POST /pipelines/{id}/versions`: a version whose spec the server would fetch from somewhere.
pub async fn create(State(registry): State<Registry>, body: Bytes) -> Answer {
    let body = Body::read(&body, &MEMBERS, &registry.dialect)?;
    let url = body
        .get("package_url")
        .and_then(|package| package["pipeline_url"].as_str());
    Err(refuse_url(
        "Failed to create a pipeline version. Check error stack",
        url,
    ))
}

/// `GET /pipelines/{id}/versions/{version}`.
pub async fn by_id(
    State(registry): State<Registry>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let context =
        format!("Failed to get a pipeline version {id}: Failed to get a pipeline version with id {id}");
    let version = registry.version(&id, &context).await?;
    registry
        .authorize_versions(&headers, &version.pipeline_id, "get", &context)
        .await?;
    Ok(json_answer(&ApiVersion::new(&version, &registry.dialect)))
}

/// `PATCH /pipelines/{id}/versions/{version}`: display name and tags.
pub async fn change(
    State(registry): State<Registry>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    if !registry.dialect.has_tags() {
        return Err(Refusal::NoMethod);
    }
    let body = Body::read(&body, &MEMBERS, &registry.dialect)?;
    let context = format!("Failed to update pipeline version {id}");
    let found = registry.version(&id, &context).await?;
    registry
        .authorize_versions(&headers, &found.pipeline_id, "update", &context)
        .await?;
    let tags = body.tags()?;
    if let Some(tags) = &tags {
        tags::check(tags).map_err(|words| Refusal::chain(Code::InvalidArgument, &context, words))?;
    }
    let display_name = Some(body.text("display_name")?).filter(|text| !text.is_empty());
    match registry.store.change_version(&id, display_name, tags).await {
        Ok(Some(version)) => Ok(json_answer(&ApiVersion::new(&version, &registry.dialect))),
        Ok(None) => Err(missing(&context, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `DELETE /pipelines/{id}/versions/{version}`.
pub async fn remove(
    State(registry): State<Registry>,
    Path((pipeline, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let context = format!(
        "Failed to delete a pipeline version id {id} under pipeline id {pipeline}. Check error stack"
    );
    let lookup = format!("{context}: Failed to delete pipeline version with id {id} as it was not found");
    let found = registry.version(&id, &lookup).await?;
    registry
        .authorize_versions(&headers, &found.pipeline_id, "delete", &context)
        .await?;
    match registry.store.remove_version(&id).await {
        Ok(true) => Ok(empty_answer()),
        Ok(false) => Err(missing(&lookup, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

impl Registry {
    /// The version of that id, or the refusal.
    async fn version(&self, id: &str, context: &str) -> Result<Version, Refusal> {
        match self.store.version(id).await {
            Ok(Some(version)) => Ok(version),
            Ok(None) => Err(missing(context, id)),
            Err(error) => Err(Refusal::store(context, &error)),
        }
    }
}

fn missing(context: &str, id: &str) -> Refusal {
    Refusal::chain(Code::NotFound, context, format!("PipelineVersion {id} not found"))
}
