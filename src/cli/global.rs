//! Flags of every command.

use crate::settings::file::{AuthKind, ForgeKind, Network, Sandbox, SourceBuilds};
use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;

/// Flags of every command. Each has a twin in the environment.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Address of the pipelines server, or `embedded`
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_ENDPOINT",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Server"
    )]
    pub endpoint: Option<String>,
    /// Namespace on a multi-user server
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_NAMESPACE",
        value_name = "NAME",
        help_heading = "Server"
    )]
    pub namespace: Option<String>,
    /// On a multi-user server without a namespace: deploy shared pipelines
    #[arg(long, global = true, env = "KFP_GITOPS_SHARED", value_parser = BoolishValueParser::new(), help_heading = "Server")]
    pub shared: bool,
    /// How to log in
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_AUTH",
        value_name = "KIND",
        help_heading = "Server"
    )]
    pub auth: Option<AuthKind>,
    /// User of the `kubeflow-userid` header or of a Dex login
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_USERNAME",
        value_name = "NAME",
        help_heading = "Server"
    )]
    pub username: Option<String>,
    /// File that holds a bearer token
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Server"
    )]
    pub token_file: Option<PathBuf>,
    /// Certificates to trust beside the system's
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_CA_FILE",
        value_name = "FILE",
        help_heading = "Server"
    )]
    pub ca_file: Option<PathBuf>,
    /// Do not check the server's certificate (dangerous)
    #[arg(long, global = true, env = "KFP_GITOPS_INSECURE_SKIP_TLS_VERIFY", value_parser = BoolishValueParser::new(), help_heading = "Server")]
    pub insecure_skip_tls_verify: bool,
    /// Address of the pipelines UI, for links
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_UI_URL",
        value_name = "URL",
        help_heading = "Server"
    )]
    pub ui_url: Option<String>,
    /// Calls to the server at the same time
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_CONCURRENCY",
        value_name = "N",
        help_heading = "Server"
    )]
    pub concurrency: Option<usize>,
    /// Seconds a call to the server may take
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_TIMEOUT",
        value_name = "SECONDS",
        help_heading = "Server"
    )]
    pub timeout: Option<u64>,
    /// Seconds all calls to the server may take together
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_DEADLINE",
        value_name = "SECONDS",
        help_heading = "Server"
    )]
    pub deadline: Option<u64>,
    /// Folder of the embedded registry
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_REGISTRY",
        value_name = "DIR",
        help_heading = "Server"
    )]
    pub registry: Option<PathBuf>,

    /// Configuration file
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_CONFIG",
        value_name = "FILE",
        help_heading = "Pipelines"
    )]
    pub config: Option<PathBuf>,
    /// Label of where is deployed to, such as `prod`
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_TARGET",
        value_name = "NAME",
        help_heading = "Pipelines"
    )]
    pub target: Option<String>,
    /// Files to take, as a glob relative to PATH (repeatable) [default: *_pipeline.py]
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_INCLUDE",
        value_name = "GLOB",
        value_delimiter = '\n',
        help_heading = "Pipelines"
    )]
    pub include: Vec<String>,
    /// Files and folders to leave out, as a glob (repeatable)
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_EXCLUDE",
        value_name = "GLOB",
        value_delimiter = '\n',
        help_heading = "Pipelines"
    )]
    pub exclude: Vec<String>,
    /// Only these pipelines, by name or file stem (repeatable)
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_ONLY",
        value_name = "NAME",
        value_delimiter = '\n',
        help_heading = "Pipelines"
    )]
    pub only: Vec<String>,
    /// Only pipelines that compile from something that changed since a commit, such as `origin/main`
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_CHANGED_SINCE",
        value_name = "REF",
        help_heading = "Pipelines"
    )]
    pub changed_since: Option<String>,
    /// Name of this run's versions, a template [default: v{timestamp}]
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_VERSION_NAME",
        value_name = "TEMPLATE",
        help_heading = "Pipelines"
    )]
    pub version_name: Option<String>,

    /// The Python interpreter to compile with
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_PYTHON",
        value_name = "FILE",
        help_heading = "Compiler"
    )]
    pub python: Option<PathBuf>,
    /// The exact kfp version to compile with
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_KFP_VERSION",
        value_name = "VERSION",
        help_heading = "Compiler"
    )]
    pub kfp_version: Option<String>,
    /// Files compiled at the same time [default: the cores]
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_JOBS",
        value_name = "N",
        help_heading = "Compiler"
    )]
    pub jobs: Option<usize>,
    /// Isolation of the compiler
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_SANDBOX",
        value_name = "MODE",
        help_heading = "Compiler"
    )]
    pub sandbox: Option<Sandbox>,
    /// Network while compiling
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_NETWORK",
        value_name = "MODE",
        help_heading = "Compiler"
    )]
    pub network: Option<Network>,
    /// Packages without a wheel: built from source or refused
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_SOURCE_BUILDS",
        value_name = "MODE",
        help_heading = "Compiler"
    )]
    pub source_builds: Option<SourceBuilds>,
    /// Install from a folder of wheels instead of a package index
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_WHEELHOUSE",
        value_name = "DIR",
        help_heading = "Compiler"
    )]
    pub wheelhouse: Option<PathBuf>,
    /// Where prepared Python and results are kept [default: the runner's tool cache, else ~/.cache]
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_CACHE_DIR",
        value_name = "DIR",
        help_heading = "Compiler"
    )]
    pub cache_dir: Option<PathBuf>,
    /// Compile everything anew
    #[arg(long, global = true, env = "KFP_GITOPS_NO_CACHE", value_parser = BoolishValueParser::new(), help_heading = "Compiler")]
    pub no_cache: bool,
    /// Megabytes that compile results may take in the cache [default: 256]
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_CACHE_SIZE",
        value_name = "N",
        help_heading = "Compiler"
    )]
    pub cache_size: Option<u64>,

    /// Take over pipelines that another repository or project manages
    #[arg(long, global = true, env = "KFP_GITOPS_ADOPT", value_parser = BoolishValueParser::new(), help_heading = "Changes")]
    pub adopt: bool,
    /// Upload although nothing changed, or although a later commit is deployed
    #[arg(long, global = true, env = "KFP_GITOPS_FORCE", value_parser = BoolishValueParser::new(), help_heading = "Changes")]
    pub force: bool,

    /// Form of what is written to standard output
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_FORMAT",
        value_name = "FORMAT",
        help_heading = "Report"
    )]
    pub format: Option<Format>,
    /// File that takes the report as one self-contained HTML page
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_HTML",
        value_name = "FILE",
        help_heading = "Report"
    )]
    pub html: Option<PathBuf>,
    /// File that takes failures and warnings as SARIF, for code scanning
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_SARIF",
        value_name = "FILE",
        help_heading = "Report"
    )]
    pub sarif: Option<PathBuf>,
    /// File that takes the report as JSON
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_RESULTS",
        value_name = "FILE",
        help_heading = "Report"
    )]
    pub results: Option<PathBuf>,
    /// Colour
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_COLOR",
        value_name = "WHEN",
        help_heading = "Report"
    )]
    pub color: Option<Color>,
    /// More detail (repeatable)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Report")]
    pub verbose: u8,
    /// Only failures
    #[arg(short, long, global = true, env = "KFP_GITOPS_QUIET", value_parser = BoolishValueParser::new(), help_heading = "Report")]
    pub quiet: bool,

    /// Which forge, where it cannot be told from the environment
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_FORGE",
        value_name = "KIND",
        help_heading = "Forge"
    )]
    pub forge: Option<ForgeKind>,
    /// Address of the forge's API
    #[arg(
        long,
        global = true,
        env = "KFP_GITOPS_FORGE_API_URL",
        value_name = "URL",
        help_heading = "Forge"
    )]
    pub forge_api_url: Option<String>,
    /// Post a commit status
    #[arg(long, global = true, env = "KFP_GITOPS_STATUS", value_name = "BOOL", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", help_heading = "Forge")]
    pub status: Option<bool>,
    /// Keep one comment on the pull request
    #[arg(long, global = true, env = "KFP_GITOPS_COMMENT", value_name = "BOOL", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", help_heading = "Forge")]
    pub comment: Option<bool>,
    /// Write the job summary
    #[arg(long, global = true, env = "KFP_GITOPS_SUMMARY", value_name = "BOOL", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", help_heading = "Forge")]
    pub summary: Option<bool>,
}

/// Form of the report on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// The contract with `"schema": 1`.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
