//! `doctor`: why a deployment cannot work, found step by step, each with its cause and its cure.
//!
//! Nothing is written anywhere. Checks build on each other: where one fails, those that need it are skipped
//! and say so. The same checks, as far as they concern the network, explain a first call that failed.

mod api;
mod clock;
mod cluster;
mod forge;
mod login;
mod manifests;
mod name;
mod ntfy;
mod proxy;
mod python;
mod reach;
mod rights;
mod run;
mod run_link;
mod sdk;
mod secure;
mod server;
mod text;
mod x509;

pub use cluster::Cluster;
pub use proxy::Proxies;
pub use run::{examine, first_contact, without_server};
pub use text::{render, short};

use crate::exit::ExitCode;
use crate::kfp::Connection;
use crate::secret::Secret;
use serde::Serialize;
use url::Url;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Passed,
    /// Something has to be mended.
    Failed,
    /// It could not be looked at, or does not apply.
    Skipped,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's name, such as `dns`.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen: the cause, where it failed or was skipped.
    pub seen: String,
    /// What to do.
    pub cure: Option<String>,
    /// Something to apply or paste, such as a NetworkPolicy.
    pub paste: Option<String>,
}

impl Finding {
    /// All is well.
    #[must_use]
    pub fn passed(check: &'static str, seen: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Passed,
            seen: seen.into(),
            cure: None,
            paste: None,
        }
    }

    /// Something has to be mended.
    #[must_use]
    pub fn failed(check: &'static str, seen: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Failed,
            seen: seen.into(),
            cure: Some(cure.into()),
            paste: None,
        }
    }

    /// It could not be looked at, or does not apply.
    #[must_use]
    pub fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Skipped,
            seen: why.into(),
            cure: None,
            paste: None,
        }
    }

    /// Adds something to apply or paste.
    #[must_use]
    pub fn paste(mut self, text: String) -> Self {
        self.paste = Some(text);
        self
    }

    /// Adds what to do, although it passed.
    #[must_use]
    pub fn cure(mut self, text: impl Into<String>) -> Self {
        self.cure = Some(text.into());
        self
    }

    /// Whether it failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.verdict == Verdict::Failed
    }
}

/// Everything that was found. The JSON form is a contract: fields are added, never renamed or removed.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// Always 1.
    pub schema: u32,
    /// The program's version.
    pub tool_version: String,
    /// The server's address.
    pub endpoint: String,
    /// One for each check, in the order they were made.
    pub checks: Vec<Finding>,
    /// What the process exits with.
    pub exit_code: u8,
}

impl Diagnosis {
    /// A diagnosis from its findings.
    #[must_use]
    pub fn new(endpoint: String, checks: Vec<Finding>) -> Self {
        let failed = checks.iter().any(Finding::is_failed);
        let code = if failed {
            ExitCode::Failed
        } else {
            ExitCode::Success
        };
        Self {
            schema: 1,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            endpoint,
            checks,
            exit_code: code.code(),
        }
    }
}

/// What is examined, and what is known of the place this runs in.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The server and how to reach it.
    pub connection: Connection,
    /// The server is the embedded registry, in this process: there is no network to examine.
    pub embedded: bool,
    /// Shared pipelines are meant on a multi-user server.
    pub shared: bool,
    /// The proxies of the environment.
    pub proxies: Proxies,
    /// The namespace of this pod's service account, where this is a pod.
    pub own_namespace: Option<String>,
    /// The cluster's own API, where this is a pod.
    pub cluster: Option<Cluster>,
    /// The forge's address, which may tell the runner's namespace.
    pub forge_url: Option<Url>,
    /// The address of an ntfy topic as configured, with its token.
    pub ntfy: Option<(Secret, Option<Secret>)>,
    /// The forge's API, with the job's token and the repository.
    pub forge: Option<ForgeAccess>,
    /// The link to this CI run.
    pub run_link: Option<Url>,
}

/// How the forge is reached.
#[derive(Clone, Debug)]
pub struct ForgeAccess {
    /// The address of the API, such as `https://git.example/api/v1`.
    pub api: Url,
    /// The job's token.
    pub token: Option<Secret>,
    /// `owner/name`.
    pub repository: Option<String>,
}

#[cfg(test)]
mod tests;
