//! What goes into a worker and what comes out of it.

use crate::compile::SandboxLevel;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One file to compile.
#[derive(Clone, Debug, Serialize)]
pub(in crate::compile) struct Task {
    /// Its place in the list of sources.
    pub id: usize,
    /// Where it lies.
    pub path: PathBuf,
    /// Compile exactly this function.
    pub function: Option<String>,
    /// Values for pipeline parameters.
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// The Python to start, and with which packages.
#[derive(Clone, Debug)]
pub(in crate::compile) struct Start {
    /// The interpreter.
    pub python: PathBuf,
    /// The kfp that is compiled with.
    pub kfp: String,
    /// Folders of packages to add to the search path: what the supervisor imports.
    pub paths: Vec<PathBuf>,
    /// The project's packages, which nobody but a fenced child imports.
    pub project: Vec<PathBuf>,
    /// Whether these replace what the interpreter has installed.
    pub only_paths: bool,
    /// Folders that the interpreter and its packages live in.
    pub readable: Vec<PathBuf>,
}

/// What the worker found at its start.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::compile) struct Hello {
    /// The Python version.
    pub python: String,
    /// The kfp version.
    pub kfp: String,
    /// Why the children run without their inner fence, where they do.
    pub unfenced: Option<String>,
    /// Folders of installed packages and of the standard library.
    #[serde(default)]
    pub libraries: Vec<PathBuf>,
    /// The module search path.
    #[serde(default)]
    pub search: Vec<PathBuf>,
    /// Files of the modules that were there before any source ran.
    #[serde(default)]
    pub loaded: Vec<PathBuf>,
    /// Variables that kfp and its packages asked for while they were imported.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Which of the files that kfp loads the project replaces, where each child imports kfp by itself.
    #[serde(default)]
    pub apart: Option<String>,
}

/// What came out of one child.
#[derive(Debug, Default)]
pub(in crate::compile) struct Raw {
    /// What it wrote as its result: made by hostile code.
    pub result: Vec<u8>,
    /// What it printed, capped.
    pub printed: Vec<u8>,
    /// How many more bytes it printed.
    pub dropped: u64,
    /// How it ended, as `wait` says.
    pub status: i32,
    /// Why the supervisor killed it: `timeout`, `memory`, `processes`, `result-too-large`.
    pub reason: Option<String>,
    /// Wall time.
    pub seconds: f64,
}

/// How far the children were kept away in the end.
#[derive(Clone, Debug)]
pub(in crate::compile) struct Reached {
    /// The level.
    pub level: SandboxLevel,
    /// Why it is not full.
    pub reason: Option<String>,
}
