//! The binary and the library from outside; one file per capability.

mod compile_engine;
mod compile_support;
mod deploy;
mod dialects;
mod discovery;
mod documentation;
mod fault;
mod faults;
mod kfp_client;
mod logins;
mod moving_over;
mod registry;
mod schedules;
mod support;
