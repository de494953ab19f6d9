//! The binary and the library from outside; one file per capability.

mod against;
mod compile_attacks;
mod compile_engine;
mod compile_support;
mod connecting;
mod deploy;
mod discovery;
mod documentation;
mod drift;
mod fault;
mod faults;
mod history;
mod kfp_client;
mod logins;
mod moving_over;
mod plan_file;
mod registry;
mod schedules;
mod support;
