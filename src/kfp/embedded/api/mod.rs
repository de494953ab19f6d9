//! The routes and their handlers.

mod experiments;
mod health;
mod pipelines;
mod uploads;
mod versions;

use super::answer::{Answer, Code, Refusal, page_not_found};
use super::store::Store;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use std::sync::Arc;

/// What every handler has.
#[derive(Clone)]
pub struct Registry {
    /// The registry's memory.
    pub store: Arc<Store>,
}

/// The registry's API over `store`, as server 2.17.0 with the database store answers it.
///
/// Any HTTP transport can carry it: [`super::start`] binds a socket, tests call it in-process.
pub fn router(store: Arc<Store>) -> Router {
    Router::new()
        .route("/apis/v2beta1/healthz", get(health::health))
        .route(
            "/apis/v2beta1/pipelines",
            get(pipelines::list).post(pipelines::create),
        )
        .route(
            "/apis/v2beta1/pipelines/create",
            post(pipelines::create_with_version),
        )
        .route("/apis/v2beta1/pipelines/upload", any(uploads::pipeline))
        .route("/apis/v2beta1/pipelines/upload_version", any(uploads::version))
        .route("/apis/v2beta1/pipelines/names/{name}", get(pipelines::by_name))
        .route(
            "/apis/v2beta1/pipelines/{id}",
            get(pipelines::by_id)
                .patch(pipelines::change)
                .delete(pipelines::remove),
        )
        .route(
            "/apis/v2beta1/pipelines/{id}/versions",
            get(versions::list).post(versions::create),
        )
        .route(
            "/apis/v2beta1/pipelines/{id}/versions/{version}",
            get(versions::by_id)
                .patch(versions::change)
                .delete(versions::remove),
        )
        .route(
            "/apis/v2beta1/experiments",
            get(experiments::list).post(experiments::create),
        )
        .route(
            "/apis/v2beta1/experiments/{id}",
            get(experiments::by_id)
                .post(experiments::act)
                .delete(experiments::remove),
        )
        .route("/apis/v2beta1/runs", any(no_runs))
        .route("/apis/v2beta1/runs/{*rest}", any(no_runs))
        .route("/apis/v2beta1/recurringruns", any(no_runs))
        .route("/apis/v2beta1/recurringruns/{*rest}", any(no_runs))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(DefaultBodyLimit::disable())
        .with_state(Registry { store })
}

async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/apis/") {
        Refusal::no_route().into_response()
    } else {
        page_not_found()
    }
}

async fn method_not_allowed() -> Refusal {
    Refusal::gateway(Code::Unimplemented, "Method Not Allowed")
}

async fn no_runs() -> Answer {
    Err(Refusal::gateway(
        Code::Unimplemented,
        "the embedded registry keeps pipelines and experiments; it does not run anything, so runs and recurring runs \
         need a real Kubeflow Pipelines server",
    ))
}
