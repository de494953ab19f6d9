//! How much is installed: the least that may do, and what asks for more.

use serde::{Deserialize, Serialize};

/// What a file needs beyond the environment it was tried in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A module of the full SDK, or kfp-kubernetes.
    FullSdk,
    /// A module that only the project's requirements can bring.
    Project,
}

/// Which packages a worker runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::compile) enum Tier {
    Existing,
    Lean,
    Full,
    Project,
}

/// Modules that the lean environment leaves out although kfp itself depends on them.
const FULL_SDK: [&str; 12] = [
    "kubernetes",
    "kfp_server_api",
    "google",
    "requests_toolbelt",
    "tabulate",
    "requests_oauthlib",
    "oauthlib",
    "websocket",
    "dateutil",
    "six",
    "proto",
    "pkg_resources",
];

/// What a missing module asks for in an environment of that tier; `None` when nothing can help.
pub(super) fn needs(missing: &str, message: &str, tier: Tier) -> Option<Need> {
    let top = missing.split('.').next().unwrap_or(missing);
    let kubernetes =
        missing.starts_with("kfp.kubernetes") || (missing == "kfp" && message.contains("'kubernetes'"));
    match tier {
        Tier::Existing if kubernetes => Some(Need::FullSdk),
        Tier::Lean if FULL_SDK.contains(&top) => Some(Need::FullSdk),
        Tier::Existing | Tier::Lean | Tier::Full if top != "kfp" => Some(Need::Project),
        _ => None,
    }
}
