//! Room: context.
