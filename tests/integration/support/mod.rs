//! What several capabilities' tests need.

pub mod http;
pub mod python;
pub mod recordings;
pub mod registry;
