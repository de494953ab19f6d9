//! Where the registry gets time and ids from, so that tests and fault servers can decide both.

use chrono::{DateTime, Utc};

/// The registry's clock. Answers carry whole seconds only, as the real server's do
/// (recording 2.17.0: every `created_at`).
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// Where ids of pipelines, versions and experiments come from.
///
/// They matter beyond being unique: among versions of one second the server's lists are ordered by id
/// (recording 2.17.0: `versions_page_1`).
pub trait Identifiers: Send + Sync {
    /// A new id, never given before.
    fn next(&self) -> String;
}

/// Random UUIDs (version 4), as the real server gives.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIdentifiers;

impl Identifiers for RandomIdentifiers {
    fn next(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}
