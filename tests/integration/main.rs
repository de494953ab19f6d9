//! The capabilities from outside, one module each.

mod compile_engine;
mod compile_support;
