//! The binary and the library from outside; one file per capability.

mod browser;
mod compile_engine;
mod compile_support;
mod deploy;
mod discovery;
mod documentation;
mod html;
mod kfp_client;
mod registry;
mod support;
