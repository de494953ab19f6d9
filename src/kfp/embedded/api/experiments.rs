//! Experiments.

use super::super::answer::{Answer, Code, Refusal, empty_answer, json_answer};
use super::super::body::Body;
use super::super::list_query::{ListQuery, next_token};
use super::super::model::{ApiExperiment, ListExperiments};
use super::super::store::{Experiment, StoreError};
use super::Registry;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};

const MEMBERS: [&str; 7] = [
    "experiment_id",
    "display_name",
    "description",
    "created_at",
    "namespace",
    "storage_state",
    "last_run_created_at",
];

/// `GET /experiments`.
pub async fn list(State(registry): State<Registry>, RawQuery(query): RawQuery) -> Answer {
    let query = ListQuery::read(query.as_deref().unwrap_or_default())?;
    let request = query.request::<Experiment>("experiments", vec![("namespace", String::new())])?;
    let page = registry
        .store
        .experiments(request.clone())
        .await
        .map_err(|error| Refusal::store("Failed to list experiments", &error))?;
    Ok(json_answer(&ListExperiments {
        experiments: page.items.iter().map(ApiExperiment::from).collect(),
        total_size: page.total,
        next_page_token: next_token(&request, &page),
    }))
}

/// `POST /experiments`.
pub async fn create(State(registry): State<Registry>, body: Bytes) -> Answer {
    let body = Body::read(&body, &MEMBERS)?;
    let name = body.text("display_name")?;
    let context = "Failed to create a experiment";
    if name.is_empty() {
        let words = "Experiment name is empty. Please specify a valid experiment name";
        return Err(Refusal::chain(Code::InvalidArgument, context, words));
    }
    match registry
        .store
        .create_experiment(String::new(), name.clone(), body.text("description")?)
        .await
    {
        Ok(experiment) => Ok(json_answer(&ApiExperiment::from(&experiment))),
        Err(StoreError::Duplicate) => Err(Refusal::chain(
            Code::AlreadyExists,
            context,
            format!(
                "Failed to create a new experiment. The name {name} already exists. Please specify a new name"
            ),
        )),
        Err(error) => Err(Refusal::store(context, &error)),
    }
}

/// `GET /experiments/{id}`.
pub async fn by_id(State(registry): State<Registry>, Path(id): Path<String>) -> Answer {
    match registry.store.experiment(&id).await {
        Ok(Some(experiment)) => Ok(json_answer(&ApiExperiment::from(&experiment))),
        Ok(None) => Err(missing("Failed to get an experiment", &id)),
        Err(error) => Err(Refusal::store("Failed to get an experiment", &error)),
    }
}

/// `POST /experiments/{id}:archive` and `:unarchive`.
pub async fn act(State(registry): State<Registry>, Path(id): Path<String>) -> Answer {
    let (id, state, verb) = match id.rsplit_once(':') {
        Some((id, "archive")) => (id, "ARCHIVED", "archive"),
        Some((id, "unarchive")) => (id, "AVAILABLE", "unarchive"),
        _ => return Err(Refusal::no_route()),
    };
    let context = format!("Failed to {verb} an experiment");
    match registry.store.set_experiment_state(id, state).await {
        Ok(true) => Ok(empty_answer()),
        Ok(false) => Err(missing(&context, id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `DELETE /experiments/{id}`.
pub async fn remove(State(registry): State<Registry>, Path(id): Path<String>) -> Answer {
    match registry.store.remove_experiment(&id).await {
        Ok(true) => Ok(empty_answer()),
        Ok(false) => Err(missing("Failed to delete an experiment", &id)),
        Err(error) => Err(Refusal::store("Failed to delete an experiment", &error)),
    }
}

fn missing(context: &str, id: &str) -> Refusal {
    Refusal::chain(Code::NotFound, context, format!("Experiment {id} not found"))
}
