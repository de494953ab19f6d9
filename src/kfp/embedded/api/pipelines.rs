//! Pipelines.

use super::super::access::Call;
use super::super::answer::{Answer, Code, Refusal, empty_answer, json_answer};
use super::super::body::Body;
use super::super::list_query::{ListQuery, next_token};
use super::super::model::{ApiPipeline, ListPipelines};
use super::super::names::MAX_PIPELINE_NAME;
use super::super::store::{NewPipeline, Operand, Pipeline, Removal, StoreError};
use super::super::tags;
use super::{Registry, parameter};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri};

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

/// The members before 2.14.0.
const OLD_MEMBERS: [&str; 6] = [
    "pipeline_id",
    "display_name",
    "description",
    "created_at",
    "namespace",
    "error",
];

/// `GET /pipelines`.
pub async fn list(State(registry): State<Registry>, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let dialect = &*registry.dialect;
    let query = ListQuery::read(query.as_deref().unwrap_or_default())?;
    let namespace = dialect.namespace(&query.namespace);
    let context = format!(
        "Failed to list pipelines in namespace {}. Check error stack",
        dialect.named_namespace(&query.namespace)
    );
    let denied = format!(
        "{context}: Failed to list pipelines due to authorization error. Check if you have read permission to \
         namespace {namespace}"
    );
    registry.authorize(
        &headers,
        Call {
            verb: "list",
            ..asking(&namespace)
        },
        &denied,
    )?;
    let request = query.request::<Pipeline>("pipelines", vec![("namespace", namespace)], dialect)?;
    // The real server prints two addresses of its memory here.
    let failed = || {
        format!(
            "{context}: Failed to list pipelines with context &{{0x0}}, options &{{{} 0x0}}",
            request.size
        )
    };
    let texts = request.predicates.iter().flat_map(|predicate| &predicate.values);
    let refused = texts.into_iter().find_map(|value| match value {
        Operand::Text(text) => dialect.refuses_to_find(text),
        Operand::Number(_) => None,
    });
    if let Some(words) = refused {
        return Err(Refusal::internal(
            &failed(),
            &format!("Failed to execute SQL for listing pipelines: {words}"),
        ));
    }
    let page = registry
        .store
        .pipelines(request.clone())
        .await
        .map_err(|error| Refusal::store(&failed(), &error))?;
    Ok(json_answer(&ListPipelines {
        pipelines: page
            .items
            .iter()
            .map(|pipeline| ApiPipeline::new(pipeline, dialect))
            .collect(),
        total_size: page.total,
        next_page_token: next_token(&request, &page, dialect),
    }))
}

/// A call about pipelines of a namespace.
pub fn asking(namespace: &str) -> Call<'_> {
    Call {
        verb: "get",
        resource: "pipelines",
        namespace,
        name: "",
        id: "",
    }
}

/// `POST /pipelines`: a pipeline without versions.
pub async fn create(State(registry): State<Registry>, headers: HeaderMap, body: Bytes) -> Answer {
    let dialect = &*registry.dialect;
    let body = Body::read(
        &body,
        if dialect.has_names() {
            &MEMBERS
        } else {
            &OLD_MEMBERS
        },
        dialect,
    )?;
    let display_name = body.text("display_name")?;
    let name = match body.text("name")? {
        name if name.is_empty() => display_name.clone(),
        name => name,
    };
    if dialect.checks_lengths() && name.len() > MAX_PIPELINE_NAME {
        return Err(Refusal::internal(
            "Failed to create a pipeline as pipeline conversion failed",
            "Failed to convert API pipeline to model pipeline: Invalid input error: Pipeline.Name length cannot exceed 128",
        ));
    }
    let context = "Failed to create a pipeline due to server error";
    let invalid = |words: &str| Refusal::chain(Code::InvalidArgument, context, words);
    if name.is_empty() {
        return Err(invalid(if dialect.old_gateway() {
            "pipeline's name cannot be empty"
        } else {
            "name is required"
        }));
    }
    let namespace = dialect.namespace(&body.text("namespace")?);
    let denied = format!(
        "{context}: Failed to create a pipeline due to authorization error. Check if you have write permissions to \
         namespace {namespace}"
    );
    registry.authorize(
        &headers,
        Call {
            verb: "create",
            name: &name,
            ..asking(&namespace)
        },
        &denied,
    )?;
    let tags = body.tags()?.unwrap_or_default();
    tags::check(&tags).map_err(|words| invalid(&words))?;
    let new = NewPipeline {
        namespace,
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
    if let Err(words) = dialect.check_resource_name("pipeline", &new.name) {
        let code = if dialect.blames_the_spec() {
            Code::InvalidArgument
        } else {
            Code::Aborted
        };
        return Err(Refusal::chain(code, context, words));
    }
    if let Some(words) = dialect.refuses_to_store(&new.display_name, &new.name) {
        return Err(Refusal::internal(context, &words));
    }
    let name = new.name.clone();
    match registry.store.create_pipeline(new).await {
        Ok(pipeline) => Ok(json_answer(&ApiPipeline::new(&pipeline, dialect))),
        Err(StoreError::Duplicate) => {
            let exists = if dialect.on_database() { "exist" } else { "exists" };
            let words = format!(
                "Failed to create a new pipeline. The name {name} already {exists}. Please specify a new name"
            );
            Err(Refusal::chain(Code::AlreadyExists, context, words))
        }
        Err(error) => Err(Refusal::store(context, &error)),
    }
}

/// `POST /pipelines/create`: a pipeline whose spec the server would fetch from somewhere.
pub async fn create_with_version(State(registry): State<Registry>, body: Bytes) -> Answer {
    let body = Body::read(&body, &["pipeline", "pipeline_version"], &registry.dialect)?;
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
pub async fn by_name(
    State(registry): State<Registry>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    let dialect = &*registry.dialect;
    // The gateway does not take an escaped slash for part of a name (recording 2.17.0: `pipeline_by_name_slash`).
    if uri.path().to_ascii_lowercase().contains("%2f") {
        return Err(Refusal::NoRoute);
    }
    let asked = parameter(query.as_deref(), "namespace");
    let namespace = dialect.namespace(&asked);
    let asked = dialect.named_namespace(&asked);
    let context =
        format!("Failed to get a pipeline with name {name} and namespace {asked}. Check error stack.");
    if !dialect.finds_by_name() {
        let words = "Failed to get a pipeline by name and namespace. API request version v2beta1: Invalid input error: \
                     Invalid api version detected";
        return Err(Refusal::internal(&context, words));
    }
    let context = format!("{context}: Failed to get a pipeline named {name} in namespace {asked}");
    if let Some(words) = dialect.refuses_to_find(&name) {
        let words = format!("Failed to get a pipeline with name {name} and namespace {asked}: {words}");
        return Err(Refusal::internal(&context, &words));
    }
    // A multi-user server that is not told a namespace asks its database for the name alone.
    let within =
        Some(namespace.as_str()).filter(|namespace| dialect.users().is_none() || !namespace.is_empty());
    let found = registry.store.pipeline_by_name(within, &name).await;
    let found = found.map_err(|error| Refusal::store(&context, &error))?;
    // A cluster compares names exactly, where a database does not look at case.
    match found.filter(|pipeline| dialect.on_database() || pipeline.name == name) {
        Some(pipeline) => {
            let call = Call {
                name: &pipeline.name,
                id: &pipeline.id,
                ..asking(&pipeline.namespace)
            };
            registry.authorize(&headers, call, &context)?;
            Ok(json_answer(&ApiPipeline::new(&pipeline, dialect)))
        }
        None => Err(Refusal::chain(
            Code::NotFound,
            &context,
            format!("Namespace/Pipeline {namespace}/{name} not found"),
        )),
    }
}

/// `GET /pipelines/{id}`.
pub async fn by_id(State(registry): State<Registry>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let context = format!("Failed to get a pipeline {id}. Check error stack");
    let lookup = format!("{context}: Failed to get a pipeline with id {id}");
    match registry.store.pipeline(&id).await {
        Ok(Some(pipeline)) => {
            registry.authorize_pipeline(&headers, &pipeline, "get", &context)?;
            Ok(json_answer(&ApiPipeline::new(&pipeline, &registry.dialect)))
        }
        Ok(None) => Err(missing(&lookup, &id)),
        Err(error) => Err(Refusal::store(&lookup, &error)),
    }
}

/// `PATCH /pipelines/{id}`: display name and tags. Tags left out stay, empty ones are removed.
pub async fn change(
    State(registry): State<Registry>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    if !registry.dialect.has_tags() {
        return Err(Refusal::NoMethod);
    }
    let body = Body::read(&body, &MEMBERS, &registry.dialect)?;
    let context = format!("Failed to update pipeline {id}");
    let trouble = |error: &StoreError| Refusal::store(&context, error);
    let found = registry
        .store
        .pipeline(&id)
        .await
        .map_err(|error| trouble(&error))?;
    let found = found.ok_or_else(|| missing(&context, &id))?;
    registry.authorize_pipeline(&headers, &found, "update", &context)?;
    let tags = body.tags()?;
    if let Some(tags) = &tags {
        tags::check(tags).map_err(|words| Refusal::chain(Code::InvalidArgument, &context, words))?;
    }
    let display_name = Some(body.text("display_name")?).filter(|text| !text.is_empty());
    match registry.store.change_pipeline(&id, display_name, tags).await {
        Ok(Some(pipeline)) => Ok(json_answer(&ApiPipeline::new(&pipeline, &registry.dialect))),
        Ok(None) => Err(missing(&context, &id)),
        Err(error) => Err(trouble(&error)),
    }
}

/// `DELETE /pipelines/{id}`, with `cascade=true` where it has versions.
pub async fn remove(
    State(registry): State<Registry>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let can_cascade = registry.dialect.cascades();
    let cascade = can_cascade && parameter(query.as_deref(), "cascade") == "true";
    let context = format!("Failed to delete pipeline {id}. Check error stack");
    let trouble = |error: &StoreError| Refusal::store(&context, error);
    let not_there = || {
        missing(
            &format!("{context}: Failed to delete pipeline with id {id} as it was not found"),
            &id,
        )
    };
    let found = registry
        .store
        .pipeline(&id)
        .await
        .map_err(|error| trouble(&error))?
        .ok_or_else(not_there)?;
    registry.authorize_pipeline(&headers, &found, "delete", &context)?;
    match registry.store.remove_pipeline(&id, cascade).await {
        Ok(Removal::Removed) => Ok(empty_answer()),
        Ok(Removal::Missing) => Err(not_there()),
        Ok(Removal::HasVersion(version)) => {
            let way_out = if can_cascade {
                ". Set cascade=true to delete all versions"
            } else {
                ""
            };
            let words = format!(
                "Failed to delete pipeline with id {id} as it has existing pipeline versions (e.g. {version}){way_out}"
            );
            Err(Refusal::chain(Code::InvalidArgument, &context, words))
        }
        Err(error) => Err(trouble(&error)),
    }
}

impl Registry {
    /// Checks a call about a pipeline that was found (recording 2.17.0-multiuser: `mu_delete_denied`).
    pub fn authorize_pipeline(
        &self,
        headers: &HeaderMap,
        pipeline: &Pipeline,
        verb: &str,
        context: &str,
    ) -> Result<(), Refusal> {
        let context = format!(
            "{context}: Failed to {verb} a pipeline due authorization error for pipeline id {}",
            pipeline.id
        );
        let call = Call {
            verb,
            name: &pipeline.name,
            id: &pipeline.id,
            ..asking(&pipeline.namespace)
        };
        self.authorize(headers, call, &context)
    }
}

fn missing(context: &str, id: &str) -> Refusal {
    Refusal::chain(Code::NotFound, context, format!("Pipeline {id} not found"))
}
