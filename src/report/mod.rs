//! One [`Report`] of a run, and one file per face of it.
//!
//! The JSON form is a contract (`"schema": 1`): fields are added, never renamed or removed.

pub mod annotations;
pub mod build;
pub mod cut;
pub mod diff;
pub mod graph;
pub mod headline;
pub mod html;
pub mod json;
pub mod markdown;
pub mod markdown_comment;
pub mod outputs;
pub mod page;
pub mod sarif;
pub mod summary;
pub mod table;
pub mod text;
pub mod text_changes;
pub mod wording;
pub mod wording_notice;
pub mod wrap;

#[cfg(test)]
mod faces_tests;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod hostile_tests;

use crate::compile::EngineInfo;
use crate::error::Failure;
use crate::ids::{Digest, PipelineId, VersionId, VersionName};
use crate::ir::Spec;
use crate::plan::KnownVersion;
use crate::plan::diff::Difference;
use crate::plan::drift::Drift;
use serde::{Deserialize, Serialize};

/// What happened, or would happen, to one pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `apply`: a new pipeline with its first version.
    Created,
    /// `apply`: a new version of an existing pipeline.
    Updated,
    /// The server already holds exactly this.
    Unchanged,
    /// It failed; `error` says why.
    Failed,
    /// Deliberately not done; `reason` says why.
    Skipped,
    /// Nobody can say whether the write took effect.
    Unknown,
    /// `plan`: would be created.
    Create,
    /// `plan`: would get a new version.
    Update,
    /// `compile`: compiled.
    Compiled,
}

impl Action {
    /// The word in JSON and in text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::Create => "create",
            Self::Update => "update",
            Self::Compiled => "compiled",
        }
    }
}

/// Why an action was taken, where the action alone does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A pipeline (or version) that was on the server already was taken over.
    Adopted,
    /// An older version had this content: a revert.
    Reverted,
    /// A later commit of the same branch is already deployed.
    Superseded,
    /// `--force`.
    Forced,
    /// `--all-or-nothing` and another pipeline failed.
    AllOrNothing,
    /// The server cannot hold this.
    Unsupported,
    /// Only the pin of the SDK inside components changed.
    SdkPin,
    /// The run was asked to stop.
    Interrupted,
    /// `--changed-since` and nothing that it compiles from changed.
    Unaffected,
    /// `apply --plan`: what the plan was made for is no longer there.
    Moved,
}

impl Reason {
    /// The word in JSON and in text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Reverted => "reverted",
            Self::Superseded => "superseded",
            Self::Forced => "forced",
            Self::AllOrNothing => "all-or-nothing",
            Self::Unsupported => "unsupported",
            Self::SdkPin => "sdk-pin",
            Self::Interrupted => "interrupted",
            Self::Unaffected => "unaffected",
            Self::Moved => "moved",
        }
    }
}

/// One pipeline in the report. Absent values are `null` in JSON.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PipelineReport {
    /// Relative to the root with `/`.
    pub file: Option<String>,
    /// The Python name of the pipeline function.
    pub function: Option<String>,
    /// The pipeline's name on the server, or in the spec where no server is involved.
    pub name: Option<String>,
    /// What happened.
    pub action: Action,
    /// Why, where it helps.
    pub reason: Option<Reason>,
    /// The server's id.
    pub pipeline_id: Option<PipelineId>,
    /// The id of the version that now holds this content.
    pub version_id: Option<VersionId>,
    /// That version's name.
    pub version_name: Option<VersionName>,
    /// Digest of the compiled spec.
    pub digest: Option<Digest>,
    /// Where `compile -o` wrote the YAML.
    pub output: Option<String>,
    /// Link to the version in the UI.
    pub url: Option<String>,
    /// Wall seconds of compiling and uploading.
    pub seconds: f64,
    /// Worth knowing.
    pub warnings: Vec<String>,
    /// Said without being a warning: "replaces a version uploaded by hand".
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What changes against what was there before, by meaning; `null` where nothing is written.
    #[serde(default)]
    pub difference: Option<Box<Difference>>,
    /// The semantic version that the changes ask for, where the newest version's name is one.
    #[serde(default)]
    pub suggested_version: Option<String>,
    /// Both sides, for the faces that draw them; no part of JSON.
    #[serde(skip)]
    pub specs: Option<Specs>,
    /// Versions on the server that were looked at, newest first, for the page; no part of JSON.
    #[serde(skip)]
    pub versions: Vec<KnownVersion>,
}

/// What was and what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specs {
    /// What was there before, where there was something that can be read.
    pub before: Option<Spec>,
    /// What was compiled.
    pub after: Spec,
}

/// What is known about the run as a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlanReport {
    /// Digest of the plan file, where the plan can be kept and carried out.
    pub digest: Option<Digest>,
    /// Where `--out` wrote it, or where `apply --plan` read it.
    pub file: Option<String>,
    /// The git ref that was compared with, in place of a server.
    pub against: Option<String>,
    /// What the server and the repository disagree on beside what is written: orphans, versions
    /// uploaded by hand; under `--expect-no-changes` all of it.
    pub drift: Vec<Drift>,
    /// The server could not be read, as happens in jobs of forks, so that the pipelines were compiled and
    /// compared with nothing.
    #[serde(default)]
    pub compiled_only: bool,
}

/// The server as it described itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ServerReport {
    /// `tag_name` of `healthz`, where told.
    pub version: Option<String>,
    /// Whether it separates users by namespace.
    pub multi_user: Option<bool>,
}

/// How many pipelines of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Counts {
    /// Files found.
    pub found: usize,
    /// Pipelines compiled.
    pub compiled: usize,
    /// Created (`plan`: to create).
    pub created: usize,
    /// Updated (`plan`: to update).
    pub updated: usize,
    /// Unchanged.
    pub unchanged: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped.
    pub skipped: usize,
    /// Unknown: nobody can say whether the write took effect.
    #[serde(default)]
    pub unknown: usize,
}

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Report {
    /// Always 1.
    pub schema: u32,
    /// `apply`, `plan` or `compile`.
    pub command: String,
    /// The program's version.
    pub tool_version: String,
    /// The server's address, or `embedded`.
    pub endpoint: Option<String>,
    /// The target's label.
    pub target: Option<String>,
    /// The server as it described itself.
    pub server: Option<ServerReport>,
    /// The one version name of this run.
    pub version_name: Option<VersionName>,
    /// Which Python and kfp compiled.
    pub engine: Option<EngineInfo>,
    /// How many of each.
    pub counts: Counts,
    /// One for each pipeline, and one for each file that gave none.
    pub pipelines: Vec<PipelineReport>,
    /// Warnings about the run as a whole.
    pub warnings: Vec<String>,
    /// Said about the run without being warnings.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What stopped the run as a whole.
    pub error: Option<Failure>,
    /// The commit that was compiled, 40 hex digits.
    pub commit: Option<String>,
    /// Link to the CI run.
    pub run_url: Option<String>,
    /// Wall seconds.
    pub seconds: f64,
    /// What the process exits with.
    pub exit_code: u8,
    /// The run as a plan; `null` for commands that are none.
    #[serde(default)]
    pub plan: Option<PlanReport>,
    /// `plan --expect-no-changes`: pending changes are the exit code 6.
    #[serde(skip)]
    pub expect_no_changes: bool,
}
