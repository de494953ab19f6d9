//! The binary and the library from outside; one file per capability.

mod kfp_client;
mod registry;
mod support;
