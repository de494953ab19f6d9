//! The binary and the library from outside; one file per capability.

mod compile_attacks;
mod compile_engine;
mod compile_support;
mod deploy;
mod discovery;
mod documentation;
mod kfp_client;
mod moving_over;
mod registry;
mod support;
