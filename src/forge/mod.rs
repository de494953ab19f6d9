//! Room: forge.
