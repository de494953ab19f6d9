//! Room: kfp.
