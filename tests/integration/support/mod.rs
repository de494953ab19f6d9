//! What several capabilities' tests need.

pub mod http;
pub mod recordings;
