//! Flags over environment over `kfp-gitops.yaml` over the CI context over defaults, merged once into
//! [`Settings`]; the rooms below see neither clap nor the environment.

pub mod endpoint;
pub mod environment;
pub mod file;
pub mod load;
pub mod merge;
pub mod pull_request;
pub mod variables;

use crate::secret::Secret;
use endpoint::Endpoint;
use environment::Environment;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Everything a run needs to know, decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The git work tree, else PATH.
    pub root: PathBuf,
    /// Where the program was started.
    pub working_directory: PathBuf,
    /// Folders and files to look at, absolute.
    pub paths: Vec<PathBuf>,
    /// The configuration file that was read.
    pub config_path: Option<PathBuf>,
    /// Whether this is a CI job.
    pub ci: bool,
    /// Name under which uploads are marked, where it is given.
    pub project: Option<String>,
    /// Label of where is deployed to.
    pub target: Option<String>,
    /// The server.
    pub server: Server,
    /// Which files hold pipelines.
    pub discover: Discover,
    /// Only these pipelines; empty is all.
    pub only: Vec<String>,
    /// Only pipelines that compile from something that changed since this commit.
    pub changed_since: Option<String>,
    /// How things are named.
    pub naming: Naming,
    /// What is known about single pipelines.
    pub pipelines: BTreeMap<String, file::Pipeline>,
    /// How pipelines are compiled.
    pub compile: Compile,
    /// How changes are carried out.
    pub apply: Apply,
    /// How is reported.
    pub output: Output,
    /// Who is told.
    pub notify: Notify,
    /// The forge.
    pub forge: Forge,
    /// The environment as it was at start, secrets included; for the CI context and the compiler's allow list.
    pub environment: Environment,
    /// Things to say once, such as "no scheme in the endpoint, using https".
    pub notes: Vec<String>,
}

/// The pipelines server and how to reach it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address.
    pub endpoint: Endpoint,
    /// Where the address was decided: `--endpoint`, `KFP_GITOPS_ENDPOINT`, `kfp-gitops.yaml`, `default`…
    pub endpoint_from: String,
    /// Namespace on a multi-user server.
    pub namespace: Option<String>,
    /// Shared pipelines are meant.
    pub shared: bool,
    /// The kind of login, where it was given.
    pub auth: Option<file::AuthKind>,
    /// Settings of the login from the file, or from the twins in the environment.
    pub auth_file: file::Auth,
    /// User of a login.
    pub username: Option<String>,
    /// Password of a login.
    pub password: Option<Secret>,
    /// Bearer token.
    pub token: Option<Secret>,
    /// File with a bearer token.
    pub token_file: Option<PathBuf>,
    /// `KF_PIPELINES_SA_TOKEN_PATH`.
    pub service_account_token_path: Option<PathBuf>,
    /// Session cookie.
    pub cookie: Option<Secret>,
    /// Client secret of a client-credentials grant.
    pub client_secret: Option<Secret>,
    /// Extra headers.
    pub headers: Vec<(String, Secret)>,
    /// Certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificates are not checked.
    pub insecure_skip_tls_verify: bool,
    /// Address of the UI.
    pub ui_url: Option<String>,
    /// Calls at the same time.
    pub concurrency: usize,
    /// How long a call may take.
    pub timeout: Duration,
    /// How long all calls may take together.
    pub deadline: Duration,
}

/// Which files hold pipelines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discover {
    /// Globs to take, relative to PATH.
    pub include: Vec<String>,
    /// Globs to leave out.
    pub exclude: Vec<String>,
}

/// How things are named on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// `spec`, `stem` or a template.
    pub pipeline: String,
    /// Template of the run's version name.
    pub version: String,
}

/// How pipelines are compiled.
#[derive(Clone, Debug)]
pub struct Compile {
    /// The interpreter.
    pub python: Option<PathBuf>,
    /// The exact kfp version and where it was given.
    pub kfp: Option<(String, String)>,
    /// Children at the same time; `None` is the cores.
    pub jobs: Option<usize>,
    /// How long one file may take.
    pub timeout: Duration,
    /// Bytes of memory one file may take.
    pub memory: u64,
    /// Isolation.
    pub sandbox: file::Sandbox,
    /// Network.
    pub network: file::Network,
    /// Variables that pipelines may read.
    pub environment: Vec<String>,
    /// Requirement files, absolute.
    pub requirements: Vec<PathBuf>,
    /// Packages that have no wheel.
    pub source_builds: file::SourceBuilds,
    /// Folder of wheels, absolute.
    pub wheelhouse: Option<PathBuf>,
    /// Whether compile results are cached.
    pub cache: bool,
    /// Where environments and results are kept, where that was said; absolute.
    pub cache_directory: Option<PathBuf>,
    /// Bytes that compile results may take.
    pub cache_bytes: u64,
    /// `KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT`.
    pub disable_caching_by_default: bool,
}

/// How changes are carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// Refs beside the default branch that `auto` deploys.
    pub refs: Vec<String>,
    /// Upload nothing unless every file compiled.
    pub all_or_nothing: bool,
    /// Take over pipelines managed by others.
    pub adopt: bool,
    /// Upload although nothing changed.
    pub force: bool,
}

/// How is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// JSON instead of text on standard output.
    pub json: bool,
    /// File that takes the JSON.
    pub results: Option<PathBuf>,
    /// Colour on standard output.
    pub color: bool,
    /// Columns of the terminal that standard output is; `None` in CI and where it is none.
    pub width: Option<usize>,
    /// More detail.
    pub verbose: u8,
    /// Only failures.
    pub quiet: bool,
    /// File that takes the report as a page.
    pub html: Option<PathBuf>,
    /// File that takes failures and warnings as SARIF.
    pub sarif: Option<PathBuf>,
}

/// Who is told.
#[derive(Clone, Debug)]
pub struct Notify {
    /// Address of an ntfy topic; may hold credentials.
    pub ntfy: Option<Secret>,
    /// Token of the ntfy server.
    pub ntfy_token: Option<Secret>,
    /// Address that gets the report as JSON.
    pub webhook: Option<Secret>,
    /// Tell even when a push changed nothing.
    pub unchanged: bool,
}

/// The forge.
#[derive(Clone, Debug)]
pub struct Forge {
    /// Which, where given.
    pub kind: Option<file::ForgeKind>,
    /// Address of its API.
    pub api_url: Option<String>,
    /// The job's token.
    pub token: Option<Secret>,
    /// Post a commit status.
    pub status: bool,
    /// Keep one comment.
    pub comment: bool,
    /// Write the job summary.
    pub summary: bool,
}
