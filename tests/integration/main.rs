//! The binary and the library from outside; one file per capability.

mod deploy;
mod discovery;
mod documentation;
mod registry;
mod support;
