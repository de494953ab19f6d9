//! The routes and their handlers.

mod experiments;
mod health;
mod pipelines;
mod upload_refusals;
mod uploads;
mod versions;

use super::access::Call;
use super::answer::{Answer, Code, Refusal, page_not_found, speak};
use super::dialect::Dialect;
use super::store::Store;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Uri};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use std::sync::Arc;

/// What every handler has.
#[derive(Clone)]
pub struct Registry {
    /// The registry's memory.
    pub store: Arc<Store>,
    /// The server it passes for.
    pub dialect: Arc<Dialect>,
}

impl Registry {
    /// Checks that the caller may do that, where the server has users. Nobody is asked about things that are
    /// shared by all namespaces.
    pub fn authorize(&self, headers: &HeaderMap, call: Call<'_>, context: &str) -> Result<(), Refusal> {
        match self.dialect.users() {
            Some(users) if !call.namespace.is_empty() => users
                .check(headers, &call)
                .map_err(|denied| denied.refusal(context, &call)),
            _ => Ok(()),
        }
    }
}

/// The registry's API over `store`, as server 2.17.0 with the database store answers it.
///
/// Any HTTP transport can carry it: [`super::start`] binds a socket, tests call it in-process.
pub fn router(store: Arc<Store>) -> Router {
    router_as(store, Dialect::default())
}

/// The registry's API over `store`, as another server answers it.
pub fn router_as(store: Arc<Store>, dialect: Dialect) -> Router {
    let dialect = Arc::new(dialect);
    let at = |path: &str| format!("/apis/v2beta1{path}");
    Router::new()
        .route(&at("/healthz"), get(health::health))
        .route(&at("/pipelines"), get(pipelines::list).post(pipelines::create))
        .route(&at("/pipelines/create"), post(pipelines::create_with_version))
        .route(&at("/pipelines/upload"), any(uploads::pipeline))
        .route(&at("/pipelines/upload_version"), any(uploads::version))
        .route(&at("/pipelines/names/{name}"), get(pipelines::by_name))
        .route(
            &at("/pipelines/{id}"),
            get(pipelines::by_id)
                .patch(pipelines::change)
                .delete(pipelines::remove),
        )
        .route(
            &at("/pipelines/{id}/versions"),
            get(versions::list).post(versions::create),
        )
        .route(
            &at("/pipelines/{id}/versions/{version}"),
            get(versions::by_id)
                .patch(versions::change)
                .delete(versions::remove),
        )
        .route(
            &at("/experiments"),
            get(experiments::list).post(experiments::create),
        )
        .route(
            &at("/experiments/{id}"),
            get(experiments::by_id)
                .post(experiments::act)
                .delete(experiments::remove),
        )
        .route(&at("/runs"), any(no_runs))
        .route(&at("/runs/{*rest}"), any(no_runs))
        .route(&at("/recurringruns"), any(no_runs))
        .route(&at("/recurringruns/{*rest}"), any(no_runs))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(DefaultBodyLimit::disable())
        .layer(map_response_with_state(Arc::clone(&dialect), speak))
        .with_state(Registry { store, dialect })
}

async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/apis/") {
        Refusal::NoRoute.into_response()
    } else {
        page_not_found()
    }
}

async fn method_not_allowed() -> Refusal {
    Refusal::NoMethod
}

async fn no_runs() -> Answer {
    Err(Refusal::gateway(
        Code::Unimplemented,
        "the embedded registry keeps pipelines and experiments; it does not run anything, so runs and recurring runs \
         need a real Kubeflow Pipelines server",
    ))
}

/// A parameter of a query string.
fn parameter(query: Option<&str>, name: &str) -> String {
    let found =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}
