//! Room: kfp.

pub mod embedded;
