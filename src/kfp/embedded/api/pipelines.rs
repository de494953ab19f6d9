//! Pipelines.

use super::super::answer::{Answer, Code, Refusal, empty_answer, json_answer};
use super::super::body::Body;
use super::super::list_query::{ListQuery, next_token};
use super::super::model::{ApiPipeline, ListPipelines};
use super::super::names::{self, MAX_PIPELINE_NAME};
use super::super::store::{NewPipeline, Operand, PageRequest, Pipeline, Removal, StoreError};
use super::super::tags;
use super::Registry;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::Uri;

const MEMBERS: [&str; 8] = [
    "pipeline_id",
    "display_name",
    "name",
    "description",
    "created_at",
    "namespace",
    "error",
    "tags",
];

/// `GET /pipelines`.
pub async fn list(State(registry): State<Registry>, RawQuery(query): RawQuery) -> Answer {
    let query = ListQuery::read(query.as_deref().unwrap_or_default())?;
    let request = query.request::<Pipeline>("pipelines", vec![("namespace", String::new())])?;
    // The real server prints two addresses of its memory here.
    let failed = || {
        format!(
            "Failed to list pipelines in namespace . Check error stack: Failed to list pipelines with context &{{0x0}}, \
             options &{{{} 0x0}}",
            request.size
        )
    };
    if looks_for_four_bytes(&request) {
        let words = format!(
            "Failed to execute SQL for listing pipelines: {}",
            names::ILLEGAL_COLLATIONS
        );
        return Err(Refusal::internal(&failed(), &words));
    }
    let page = registry
        .store
        .pipelines(request.clone())
        .await
        .map_err(|error| Refusal::store(&failed(), &error))?;
    Ok(json_answer(&ListPipelines {
        pipelines: page.items.iter().map(ApiPipeline::from).collect(),
        total_size: page.total,
        next_page_token: next_token(&request, &page),
    }))
}

fn looks_for_four_bytes(request: &PageRequest) -> bool {
    let texts = request.predicates.iter().flat_map(|predicate| &predicate.values);
    texts
        .into_iter()
        .any(|value| matches!(value, Operand::Text(text) if names::has_four_byte_character(text)))
}

/// `POST /pipelines`: a pipeline without versions.
pub async fn create(State(registry): State<Registry>, body: Bytes) -> Answer {
    let body = Body::read(&body, &MEMBERS)?;
    let display_name = body.text("display_name")?;
    let name = match body.text("name")? {
        name if name.is_empty() => display_name.clone(),
        name => name,
    };
    if name.len() > MAX_PIPELINE_NAME {
        return Err(Refusal::internal(
            "Failed to create a pipeline as pipeline conversion failed",
            "Failed to convert API pipeline to model pipeline: Invalid input error: Pipeline.Name length cannot exceed 128",
        ));
    }
    let context = "Failed to create a pipeline due to server error";
    if name.is_empty() {
        return Err(Refusal::chain(Code::InvalidArgument, context, "name is required"));
    }
    let tags = body.tags()?.unwrap_or_default();
    tags::check(&tags).map_err(|words| Refusal::chain(Code::InvalidArgument, context, words))?;
    let new = NewPipeline {
        namespace: String::new(),
        display_name: if display_name.is_empty() {
            name.clone()
        } else {
            display_name
        },
        name,
        description: body.text("description")?,
        tags,
    };
    let context =
        "Failed to create a pipeline due to server error: Failed to create a pipeline in PipelineStore";
    refuse_four_bytes(&new).map_err(|words| Refusal::internal(context, &words))?;
    let name = new.name.clone();
    match registry.store.create_pipeline(new).await {
        Ok(pipeline) => Ok(json_answer(&ApiPipeline::from(&pipeline))),
        Err(StoreError::Duplicate) => Err(Refusal::chain(Code::AlreadyExists, context, taken(&name))),
        Err(error) => Err(Refusal::store(context, &error)),
    }
}

fn taken(name: &str) -> String {
    format!("Failed to create a new pipeline. The name {name} already exist. Please specify a new name")
}

/// What the database says about an emoji in a name.
pub fn refuse_four_bytes(new: &NewPipeline) -> Result<(), String> {
    for (text, column) in [(&new.display_name, "DisplayName"), (&new.name, "Name")] {
        if names::has_four_byte_character(text) {
            let words = names::incorrect_string(text, column);
            return Err(format!("Failed to add pipeline to pipeline table: {words}"));
        }
    }
    Ok(())
}

/// `POST /pipelines/create`: a pipeline whose spec the server would fetch from somewhere.
pub async fn create_with_version(body: Bytes) -> Answer {
    let body = Body::read(&body, &["pipeline", "pipeline_version"])?;
    let url = body
        .get("pipeline_version")
        .and_then(|version| version["package_url"]["pipeline_url"].as_str());
    Err(refuse_url(
        "Failed to create a pipeline and a pipeline version. Check error stack",
        url,
    ))
}

/// The registry fetches nothing: what the real server refuses is refused in its words, the rest by name.
pub fn refuse_url(context: &str, url: Option<&str>) -> Refusal {
    match url {
        Some(url) if url.starts_with("https://") => Refusal::gateway(
            Code::Unimplemented,
            "the embedded registry does not fetch specs from elsewhere: upload the file instead",
        ),
        Some(_) => Refusal::chain(Code::InvalidArgument, context, "Pipeline URL validation failed"),
        None => Refusal::chain(
            Code::InvalidArgument,
            context,
            "Pipeline URL is empty. Please specify a valid URL",
        ),
    }
}

/// `GET /pipelines/names/{name}`.
pub async fn by_name(State(registry): State<Registry>, Path(name): Path<String>, uri: Uri) -> Answer {
    // The gateway does not take an escaped slash for part of a name (recording 2.17.0: `pipeline_by_name_slash`).
    if uri.path().to_ascii_lowercase().contains("%2f") {
        return Err(Refusal::no_route());
    }
    let context = format!(
        "Failed to get a pipeline with name {name} and namespace . Check error stack.: Failed to get a pipeline named \
         {name} in namespace "
    );
    if names::has_four_byte_character(&name) {
        let words = format!(
            "Failed to get a pipeline with name {name} and namespace : {}",
            names::ILLEGAL_COLLATIONS
        );
        return Err(Refusal::internal(&context, &words));
    }
    match registry.store.pipeline_by_name(None, &name).await {
        Ok(Some(pipeline)) => Ok(json_answer(&ApiPipeline::from(&pipeline))),
        Ok(None) => Err(Refusal::chain(
            Code::NotFound,
            &context,
            format!("Namespace/Pipeline /{name} not found"),
        )),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `GET /pipelines/{id}`.
pub async fn by_id(State(registry): State<Registry>, Path(id): Path<String>) -> Answer {
    let context =
        format!("Failed to get a pipeline {id}. Check error stack: Failed to get a pipeline with id {id}");
    match registry.store.pipeline(&id).await {
        Ok(Some(pipeline)) => Ok(json_answer(&ApiPipeline::from(&pipeline))),
        Ok(None) => Err(missing(&context, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `PATCH /pipelines/{id}`: display name and tags. Tags left out stay, empty ones are removed.
pub async fn change(State(registry): State<Registry>, Path(id): Path<String>, body: Bytes) -> Answer {
    let body = Body::read(&body, &MEMBERS)?;
    let context = format!("Failed to update pipeline {id}");
    let tags = body.tags()?;
    if let Some(tags) = &tags {
        tags::check(tags).map_err(|words| Refusal::chain(Code::InvalidArgument, &context, words))?;
    }
    let display_name = Some(body.text("display_name")?).filter(|text| !text.is_empty());
    match registry.store.change_pipeline(&id, display_name, tags).await {
        Ok(Some(pipeline)) => Ok(json_answer(&ApiPipeline::from(&pipeline))),
        Ok(None) => Err(missing(&context, &id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `DELETE /pipelines/{id}`, with `cascade=true` where it has versions.
pub async fn remove(
    State(registry): State<Registry>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let cascade = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, value)| name == "cascade" && value == "true");
    let context = format!("Failed to delete pipeline {id}. Check error stack");
    match registry.store.remove_pipeline(&id, cascade).await {
        Ok(Removal::Removed) => Ok(empty_answer()),
        Ok(Removal::Missing) => Err(missing(
            &format!("{context}: Failed to delete pipeline with id {id} as it was not found"),
            &id,
        )),
        Ok(Removal::HasVersion(version)) => Err(Refusal::chain(
            Code::InvalidArgument,
            &context,
            format!(
                "Failed to delete pipeline with id {id} as it has existing pipeline versions (e.g. {version}). Set \
                 cascade=true to delete all versions"
            ),
        )),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

fn missing(context: &str, id: &str) -> Refusal {
    Refusal::chain(Code::NotFound, context, format!("Pipeline {id} not found"))
}
