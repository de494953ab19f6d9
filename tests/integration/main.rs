//! The binary and the library from outside; one file per capability.

mod checking;
mod compile_attacks;
mod compile_engine;
mod compile_support;
mod connecting;
mod deploy;
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
mod withheld;
