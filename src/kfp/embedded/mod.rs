//! The embedded registry: a server in this process that answers the KFP v2beta1 API.
//!
//! It behaves as server 2.17.0 with the database store does, in shape and in words: the recording of that
//! server is its contract, and `tests/integration/registry.rs` replays it. It keeps pipelines, versions and
//! experiments in one SQLite file and runs nothing. The client reaches it over HTTP like any other server.
//!
//! One deliberate difference: broken YAML is answered at once with 400, as the development branch does,
//! where released servers never answer.

mod access;
mod answer;
mod api;
mod body;
mod clock;
mod dialect;
mod filter;
pub(crate) mod ir;
mod list_query;
mod model;
mod names;
pub(crate) mod package;
mod server;
mod store;
mod tags;
mod template;
mod workflow;
pub(crate) mod yaml;

pub use access::Users;
pub use api::{router, router_as};
pub use clock::{Clock, Identifiers, RandomIdentifiers, SystemClock};
pub use dialect::{Dialect, PipelineStore};
pub use server::{EmbeddedOptions, RunningRegistry, serve, start};
pub use store::{Experiment, Pipeline, Store, StoreError, Tags, Version};
