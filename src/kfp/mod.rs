//! The pipelines server: one client for every released v2 API server, and what each can do.
//!
//! ```text
//! client (reads), write (writes) -> auth -> retry -> transport -> http
//! ```
//!
//! The API as it behaves, version by version, is recorded under `tests/recordings/kfp`; where code
//! and a recording disagree the code is wrong. Whether a call may be sent again is decided where
//! the call is written: reads here, writes only in [`crate::apply`], which asks the server first.

pub mod advice;
pub mod auth;
pub mod capabilities;
pub mod client;
pub mod connection;
pub mod embedded;
pub mod error;
pub mod features;
pub mod http;
pub mod links;
pub mod model;
pub mod multipart;
pub mod retry;
pub mod server;
pub mod tls;
pub mod transport;
pub mod write;

pub use capabilities::Capabilities;
pub use client::Client;
pub use connection::Connection;
pub use error::{ApiError, Effect, ErrorKind};
pub use links::Links;
pub use model::{Pipeline, Server, Store, Version};
pub use write::{NewPipeline, NewVersion};
