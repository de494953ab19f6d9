//! The binary and the library from outside; one file per capability.

mod registry;
mod support;
