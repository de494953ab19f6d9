//! Room: settings.
