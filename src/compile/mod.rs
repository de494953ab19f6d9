//! The embedded call to the KFP compiler: sources in, compiled pipelines out.
//!
//! A driver written in Python (`worker/*.py`, embedded in the binary) imports kfp once and compiles
//! each file in a forked child of its own. It speaks tagged JSON over pipes.

use crate::discover::Source;
use crate::error::Failure;
use crate::ids::PipelineName;
use crate::ir::Spec;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

mod answer;
mod cache;
mod describe;
mod diagnostics;
mod engine;
mod environment;
#[cfg(test)]
mod fixtures;
mod hints;
mod install;
mod installer;
mod pins;
mod releases;
mod requirements;
mod sandbox;
#[cfg(target_os = "linux")]
mod sandbox_filter;
mod sandbox_installer;
mod sandbox_keeper;
#[cfg(target_os = "linux")]
mod sandbox_linux;
mod sandbox_process;
#[cfg(target_os = "linux")]
mod sandbox_tree;
#[cfg(target_os = "linux")]
mod sandbox_user;
mod settings;
mod trial;
mod variables;
mod version;
mod worker;

pub use cache::Inputs;
pub use describe::{Description, Outlook, describe, outlook, prepare};
pub use engine::Engine;
pub use sandbox_process::close_own_process;
pub use settings::{
    CACHE_BYTES, EngineSettings, INSTALL_TIMEOUT, NetworkMode, PROCESSES, Progress, RESULTS_BYTES,
    START_TIMEOUT, SandboxMode, Silent, SourceBuilds, Trust,
};
pub use variables::is_never_passed;

/// One pipeline as the KFP compiler made it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The file it comes from.
    pub source: Source,
    /// The Python name of the pipeline function (or component).
    pub function: String,
    /// Whether the file holds several pipelines, so that outputs carry the pipeline's name.
    pub one_of_several: bool,
    /// `pipelineInfo.name`.
    pub name: PipelineName,
    /// `pipelineInfo.description`, or empty.
    pub description: String,
    /// What the program reasons about and uploads.
    pub spec: Spec,
    /// The compiler's own bytes, byte for byte those of `kfp dsl compile`; only when asked for.
    pub yaml: Option<Vec<u8>>,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct FileResult {
    /// The file.
    pub source: Source,
    /// Its pipelines, or why there are none.
    pub outcome: Result<Vec<Compiled>, Failure>,
    /// Warnings of kfp and of this program about the file, each once.
    pub warnings: Vec<String>,
    /// Variables that the file read and that are set, but kept from it: what it compiled to may not be what
    /// was meant. `compile.environment` in the configuration passes them.
    pub withheld: Vec<String>,
    /// What the file printed while compiling, capped.
    pub printed: String,
    /// Wall seconds the file took.
    pub seconds: f64,
}

/// How far the compile was kept away from the machine.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SandboxLevel {
    /// Nothing was kept away.
    None,
    /// Only the environment was cleaned.
    Environment,
    /// Files are fenced in by Landlock, system calls are not filtered.
    Landlock,
    /// Environment, files, network and system calls.
    Full,
}

impl SandboxLevel {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Environment => "environment",
            Self::Landlock => "landlock",
            Self::Full => "full",
        }
    }
}

/// Which Python and which kfp compiled, and why those.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EngineInfo {
    /// The interpreter.
    pub python: PathBuf,
    /// Its version, such as `3.11.7`.
    pub python_version: String,
    /// The exact kfp version.
    pub kfp_version: String,
    /// Where that version was decided: `--kfp-version`, `requirements.txt:3`, `server 2.17.0`, `default`.
    pub kfp_from: String,
    /// The line that would pin it, where nothing in the repository does.
    pub pin_hint: Option<String>,
    /// The isolation reached.
    pub sandbox: SandboxLevel,
    /// Why it is not `full`, where it is not.
    pub sandbox_reason: Option<String>,
    /// Files answered from the cache.
    pub cached: usize,
    /// Files that compiled and are compiled anew in every run, with the reason.
    #[serde(default)]
    pub not_cached: Vec<NotCached>,
    /// Things worth saying once, such as "preparing a private environment took 2.1 s".
    pub notes: Vec<String>,
}

/// A file whose result cannot be used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotCached {
    /// The file, relative to the root.
    pub file: String,
    /// Why, such as `reads the clock (a_pipeline.py:3)`.
    pub reason: String,
}

/// All files' results in the order of the sources, and what compiled them.
#[derive(Clone, Debug)]
pub struct CompileResult {
    /// One for each source, in order.
    pub files: Vec<FileResult>,
    /// What each compiled from, where that was asked for and is known; in the order of the files.
    pub inputs: Vec<Option<Inputs>>,
    /// `None` when there was nothing to compile.
    pub engine: Option<EngineInfo>,
    /// Why nothing could be compiled at all: no Python, no kfp. Each file then fails with the same.
    pub preparation: Option<Failure>,
}
