//! The binary from outside, one file per capability.

mod fault;
mod support;

mod discovery;
mod faults;
