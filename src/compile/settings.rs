//! What the engine is told: it never reads the environment or the configuration by itself.

use crate::ids::SourcePath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `compile.sandbox`: how much isolation is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SandboxMode {
    /// Refuse to compile where less than the full sandbox is possible.
    Require,
    /// As much as the kernel gives, and say what it was.
    #[default]
    Auto,
    /// None but the cleaned environment.
    Off,
}

/// `compile.network`: whether a pipeline may open sockets while it compiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// No socket of any family.
    #[default]
    Deny,
    /// For pipelines that load components from URLs.
    Allow,
}

/// `compile.source_builds`: whether the project's requirements may be built from source, which runs code of theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceBuilds {
    /// Wheels only.
    #[default]
    Deny,
    /// What has no wheel is built, with the network and the index's credentials in reach.
    Allow,
}

/// Everything the engine is told.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// The tree the sources lie in: what a pipeline may read.
    pub root: PathBuf,
    /// The working directory of the compile, as with `kfp dsl compile`.
    pub working_directory: PathBuf,
    /// Where prepared environments and compile results are kept between runs.
    pub cache_directory: PathBuf,
    /// `--python`: the interpreter to use, and no other.
    pub python: Option<PathBuf>,
    /// `--kfp-version` and where it was said: `--kfp-version`, `kfp-gitops.yaml:3`.
    pub kfp_version: Option<(String, String)>,
    /// The version of the pipelines server, where it told.
    pub server_version: Option<semver::Version>,
    /// Children at once.
    pub jobs: usize,
    /// Wall time for one file.
    pub timeout: Duration,
    /// Wall time for Python to start and to import kfp, before any file is looked at.
    pub start_timeout: Duration,
    /// Memory for one file and all it starts, in bytes, beyond what kfp itself takes.
    pub memory_bytes: u64,
    /// Disk for one file and all it starts, in bytes.
    pub disk_bytes: u64,
    /// Processes and threads of one file.
    pub processes: u32,
    /// Results of all files of a run together, in bytes.
    pub results_bytes: u64,
    /// Also return the compiler's own YAML bytes; costs about as much time again as compiling.
    pub want_yaml: bool,
    /// `KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT`.
    pub disable_caching_by_default: bool,
    /// How much isolation is asked for.
    pub sandbox: SandboxMode,
    /// Whether pipelines may open sockets.
    pub network: NetworkMode,
    /// Names of variables that pipelines may read, beside the few that are always passed.
    pub pass_environment: Vec<String>,
    /// The program's environment as read at its start, secrets already out.
    pub environment: BTreeMap<OsString, OsString>,
    /// Names of variables that were taken out of it as secrets, so that reading one can be noticed.
    pub secret_names: Vec<String>,
    /// Project requirements to install when an import fails without them; empty: `requirements.txt` beside
    /// the file or in the root.
    pub requirements: Vec<PathBuf>,
    /// A folder of wheels to install from instead of the package index.
    pub wheelhouse: Option<PathBuf>,
    /// Whether the project's requirements may be built from source.
    pub source_builds: SourceBuilds,
    /// Wall time for one installer with all that it builds.
    pub install_timeout: Duration,
    /// Credentials for package indexes, for installers alone.
    pub index_credentials: BTreeMap<OsString, OsString>,
    /// Whether results may come from and go to the cache.
    pub use_cache: bool,
    /// Bytes that all kept results may take together.
    pub cache_bytes: u64,
    /// How far the code under test is trusted: what it says of its own inputs is believed by runs of its kind only.
    pub trust: Trust,
    /// Whose results may be taken: the repository, or the folder on a laptop.
    pub scope: String,
    /// Also say what each result came from ([`super::CompileResult::inputs`]).
    pub want_inputs: bool,
}

/// Default of [`EngineSettings::cache_bytes`].
pub const CACHE_BYTES: u64 = 256 << 20;

/// Default of [`EngineSettings::processes`].
pub const PROCESSES: u32 = 256;

/// Default of [`EngineSettings::results_bytes`]: ten thousand large pipelines.
pub const RESULTS_BYTES: u64 = 1 << 30;

/// Default of [`EngineSettings::install_timeout`].
pub const INSTALL_TIMEOUT: Duration = Duration::from_secs(1200);

/// Least [`EngineSettings::start_timeout`]: a cold disk of a busy runner takes a tenth of it.
pub const START_TIMEOUT: Duration = Duration::from_secs(180);

/// How far the code under test is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// A ref that deploys, or a person's own machine.
    #[default]
    Protected,
    /// Another branch, or an event that does not tell whose code it is.
    Branch,
    /// A pull request.
    PullRequest,
}

impl Trust {
    /// Folders of the cache to read, the first of them to write to.
    pub(super) const fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Protected => &["protected"],
            Self::Branch => &["branch", "protected"],
            Self::PullRequest => &["pull-request", "protected"],
        }
    }
}

impl EngineSettings {
    /// The defaults for a tree, compiling in it, with a cache directory.
    #[must_use]
    pub fn new(root: &Path, cache_directory: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            working_directory: root.to_path_buf(),
            cache_directory: cache_directory.to_path_buf(),
            python: None,
            kfp_version: None,
            server_version: None,
            jobs: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            timeout: Duration::from_secs(120),
            start_timeout: START_TIMEOUT,
            memory_bytes: 4 << 30,
            disk_bytes: 1 << 30,
            processes: PROCESSES,
            results_bytes: RESULTS_BYTES,
            want_yaml: false,
            disable_caching_by_default: false,
            sandbox: SandboxMode::Auto,
            network: NetworkMode::Deny,
            pass_environment: Vec::new(),
            environment: BTreeMap::new(),
            secret_names: Vec::new(),
            requirements: Vec::new(),
            wheelhouse: None,
            source_builds: SourceBuilds::Deny,
            install_timeout: INSTALL_TIMEOUT,
            index_credentials: BTreeMap::new(),
            use_cache: true,
            cache_bytes: CACHE_BYTES,
            trust: Trust::Protected,
            scope: root.to_string_lossy().into_owned(),
            want_inputs: false,
        }
    }

    /// A variable of the program's environment.
    #[must_use]
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

/// Who hears how far the engine is.
pub trait Progress: Sync {
    /// Something slow has begun, such as "installing kfp 2.17.0 for Python 3.12 with uv".
    fn preparing(&self, what: &str);
    /// A file is done: its path, whether it compiled, how many of how many.
    fn file_done(&self, path: &SourcePath, ok: bool, done: usize, total: usize);
}

/// Progress that nobody hears.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn preparing(&self, _what: &str) {}
    fn file_done(&self, _path: &SourcePath, _ok: bool, _done: usize, _total: usize) {}
}
