//! The binary from outside, one file per capability.

mod support;

mod discovery;
