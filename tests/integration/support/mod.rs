//! What several capabilities' tests need.

mod binary;
pub mod http;
pub mod index;
pub mod machine;
pub mod python;
pub mod recordings;
pub mod registry;
pub mod sample;

pub use binary::*;
