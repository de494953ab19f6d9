//! The binary and the library from outside; one file per capability.

mod against;
mod compile_engine;
mod compile_support;
mod deploy;
mod discovery;
mod documentation;
mod drift;
mod history;
mod kfp_client;
mod plan_file;
mod registry;
mod support;
