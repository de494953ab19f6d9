//! The binary and the library from outside; one file per capability.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that panics has failed, helpers included"
)]

mod action;
mod against;
mod browser;
mod cache;
mod changed;
mod checking;
mod compile_attacks;
mod compile_engine;
mod compile_support;
mod configuring;
mod connecting;
mod corpus;
mod deploy;
mod dialects;
mod discovery;
mod documentation;
mod drift;
mod fault;
mod faults;
mod forge;
mod fuzzing;
mod hints;
mod history;
mod html;
mod installed_packages;
mod isolation;
mod kfp_client;
mod killed;
mod leftovers;
mod logins;
mod moving_over;
mod networks;
mod own_process;
mod plan_file;
mod preparing;
mod proxied;
mod pull_request;
mod pythons;
mod registry;
mod requirements;
mod review;
mod schedules;
mod superseded;
mod support;
mod terminal;
mod version_names;
mod which_login;
mod withheld;
mod written;
mod yaml_text;
