//! Experiments.

use super::super::access::Call;
use super::super::answer::{Answer, Code, Refusal, empty_answer, json_answer};
use super::super::body::Body;
use super::super::list_query::{ListQuery, next_token};
use super::super::model::{ApiExperiment, ListExperiments};
use super::super::store::{Experiment, StoreError};
use super::Registry;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;

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
pub async fn list(State(registry): State<Registry>, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let dialect = &*registry.dialect;
    let query = ListQuery::read(query.as_deref().unwrap_or_default())?;
    let context = "Failed to list experiments";
    let namespace = registry.experiments_namespace(&query.namespace, context)?;
    registry.authorize(&headers, asking("list", &namespace, ""), context)?;
    let request = query.request::<Experiment>("experiments", vec![("namespace", namespace)], dialect)?;
    let page = registry
        .store
        .experiments(request.clone())
        .await
        .map_err(|error| Refusal::store(context, &error))?;
    Ok(json_answer(&ListExperiments {
        experiments: page
            .items
            .iter()
            .map(|experiment| ApiExperiment::new(experiment, dialect))
            .collect(),
        total_size: page.total,
        next_page_token: next_token(&request, &page, dialect),
    }))
}

/// `POST /experiments`.
pub async fn create(State(registry): State<Registry>, headers: HeaderMap, body: Bytes) -> Answer {
    let body = Body::read(&body, &MEMBERS, &registry.dialect)?;
    let name = body.text("display_name")?;
    let context = "Failed to create a experiment";
    let namespace = registry.experiments_namespace(&body.text("namespace")?, context)?;
    registry.authorize(&headers, asking("create", &namespace, &name), context)?;
    if name.is_empty() {
        let words = "Experiment name is empty. Please specify a valid experiment name";
        return Err(Refusal::chain(Code::InvalidArgument, context, words));
    }
    match registry
        .store
        .create_experiment(namespace, name.clone(), body.text("description")?)
        .await
    {
        Ok(experiment) => Ok(json_answer(&ApiExperiment::new(&experiment, &registry.dialect))),
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
pub async fn by_id(State(registry): State<Registry>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let experiment = registry
        .experiment(&headers, &id, "get", "Failed to get an experiment")
        .await?;
    Ok(json_answer(&ApiExperiment::new(&experiment, &registry.dialect)))
}

/// `POST /experiments/{id}:archive` and `:unarchive`.
pub async fn act(State(registry): State<Registry>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let (id, state, verb) = match id.rsplit_once(':') {
        Some((id, "archive")) => (id, "ARCHIVED", "archive"),
        Some((id, "unarchive")) => (id, "AVAILABLE", "unarchive"),
        _ => return Err(Refusal::NoRoute),
    };
    let context = format!("Failed to {verb} an experiment");
    registry.experiment(&headers, id, verb, &context).await?;
    match registry.store.set_experiment_state(id, state).await {
        Ok(true) => Ok(empty_answer()),
        Ok(false) => Err(missing(&context, id)),
        Err(error) => Err(Refusal::store(&context, &error)),
    }
}

/// `DELETE /experiments/{id}`.
pub async fn remove(State(registry): State<Registry>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let context = "Failed to delete an experiment";
    registry.experiment(&headers, &id, "delete", context).await?;
    match registry.store.remove_experiment(&id).await {
        Ok(true) => Ok(empty_answer()),
        Ok(false) => Err(missing(context, &id)),
        Err(error) => Err(Refusal::store(context, &error)),
    }
}

impl Registry {
    /// The namespace experiments are kept in: none on a single-user server, whatever its pipelines have; always
    /// one on a multi-user server (recording 2.17.0-multiuser: `mu_experiment_without_namespace`).
    fn experiments_namespace(&self, asked: &str, context: &str) -> Result<String, Refusal> {
        match self.dialect.users() {
            None => Ok(String::new()),
            Some(_) if asked.is_empty() => Err(Refusal::chain(
                Code::InvalidArgument,
                &format!("{context}: Failed to authorize the request"),
                "An experiment cannot have an empty namespace in multi-user mode",
            )),
            Some(_) => Ok(asked.to_owned()),
        }
    }

    /// The experiment of that id, if the caller may do that with it.
    async fn experiment(
        &self,
        headers: &HeaderMap,
        id: &str,
        verb: &str,
        context: &str,
    ) -> Result<Experiment, Refusal> {
        match self.store.experiment(id).await {
            Ok(Some(experiment)) => {
                let call = asking(verb, &experiment.namespace, &experiment.name);
                self.authorize(headers, call, context)?;
                Ok(experiment)
            }
            Ok(None) => Err(missing(context, id)),
            Err(error) => Err(Refusal::store(context, &error)),
        }
    }
}

fn asking<'a>(verb: &'a str, namespace: &'a str, name: &'a str) -> Call<'a> {
    Call {
        verb,
        resource: "experiments",
        namespace,
        name,
        id: "",
    }
}

fn missing(context: &str, id: &str) -> Refusal {
    Refusal::chain(Code::NotFound, context, format!("Experiment {id} not found"))
}
