//! A pipelines server that loses, breaks, delays and doubles answers, in this process and on virtual time.
//!
//! It wraps the embedded registry. The client under test runs as it is; only transport and clock are others.

pub mod dialect;
pub mod kinds;
pub mod server;
pub mod truth;
pub mod wire;
pub mod world;
