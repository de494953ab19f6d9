//! The arguments of each command.

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `apply` and `auto`.
#[derive(Clone, Debug, Default, Args)]
pub struct ApplyArgs {
    /// Folders to search and files to take [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Upload nothing unless every file compiled
    #[arg(long, env = "KFP_GITOPS_ALL_OR_NOTHING", value_parser = BoolishValueParser::new())]
    pub all_or_nothing: bool,
    /// Carry out exactly this plan, made by `plan --out`, or refuse (exit 2) and say what moved
    #[arg(long, env = "KFP_GITOPS_PLAN", value_name = "FILE")]
    pub plan: Option<PathBuf>,
}

/// Arguments of `plan`.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanArgs {
    /// Folders to search and files to take [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Exit with 6 when something would change or is orphaned: a scheduled check for drift
    #[arg(long, env = "KFP_GITOPS_EXPECT_NO_CHANGES", value_parser = BoolishValueParser::new())]
    pub expect_no_changes: bool,
    /// Compare with something else than the server: a commit such as `origin/main`, `endpoint:URL`, or
    /// `config:FILE`, the server of another configuration
    #[arg(long, env = "KFP_GITOPS_AGAINST", value_name = "SIDE", conflicts_with = "out")]
    pub against: Option<String>,
    /// Write the plan to a file that `apply --plan` carries out
    #[arg(long, env = "KFP_GITOPS_OUT", value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `diff`.
#[derive(Clone, Debug, Args)]
pub struct DiffArgs {
    /// The old side: a Python file, or a compiled pipeline (YAML, JSON, .zip, .tar.gz)
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// The new side
    #[arg(value_name = "B")]
    pub after: PathBuf,
    /// Exit with 6 when they differ
    #[arg(long, env = "KFP_GITOPS_EXPECT_NO_CHANGES", value_parser = BoolishValueParser::new())]
    pub expect_no_changes: bool,
}

/// Arguments of `graph`.
#[derive(Clone, Debug, Args)]
pub struct GraphArgs {
    /// A Python file, a compiled pipeline, or the name of a pipeline on the server
    #[arg(value_name = "PIPELINE")]
    pub pipeline: String,
    /// Form of the drawing
    #[arg(
        long = "as",
        env = "KFP_GITOPS_AS",
        value_name = "FORM",
        default_value = "mermaid"
    )]
    pub form: Drawing,
}

/// Forms of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drawing {
    /// For READMEs and comments.
    Mermaid,
    /// For pages.
    Svg,
    /// For programs.
    Json,
}

/// Arguments of `list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Which pipelines
    #[arg(value_name = "WHICH", default_value = "mine")]
    pub which: Which,
}

/// Which pipelines are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Those that this repository, project and target manages.
    Mine,
    /// Every one.
    All,
    /// Those that were uploaded by hand.
    Unmanaged,
}

impl Which {
    /// The word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::All => "all",
            Self::Unmanaged => "unmanaged",
        }
    }
}

/// Arguments of `show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// The pipeline's name on the server
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Arguments of `history`.
#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    /// The pipeline's name on the server
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A version by name or id, or `newest`: what changed from it …
    #[arg(value_name = "FROM")]
    pub from: Option<String>,
    /// … to this one [default: newest]
    #[arg(value_name = "TO", requires = "from")]
    pub to: Option<String>,
    /// Versions to show, the newest of them
    #[arg(long, env = "KFP_GITOPS_LIMIT", value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// Arguments of `compile`.
#[derive(Clone, Debug, Default, Args)]
pub struct CompileArgs {
    /// Folders to search and files to take [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the compiler's YAML to `DIR/<source without .py>.yaml`
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// Folders to search and files to take [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Version of the server that the pipelines are for, such as 2.15.0: what it cannot take is an error
    #[arg(long, env = "KFP_GITOPS_SERVER_VERSION", value_name = "VERSION", value_parser = server_version)]
    pub server_version: Option<semver::Version>,
}

/// `2.15.0`, or `2.15` for its first release.
fn server_version(text: &str) -> Result<semver::Version, semver::Error> {
    let text = text.trim().trim_start_matches('v');
    semver::Version::parse(text)
        .or_else(|error| semver::Version::parse(&format!("{text}.0")).map_err(|_| error))
}

/// Arguments of `env`.
#[derive(Clone, Debug, Default, Args)]
pub struct EnvArgs {
    /// Folders to search and files to take [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Install what is missing, as for the image of a runner
    #[arg(long, env = "KFP_GITOPS_PREPARE", value_parser = BoolishValueParser::new())]
    pub prepare: bool,
}

/// Arguments of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8888", value_name = "ADDR")]
    pub listen: std::net::SocketAddr,
    /// Folder of the data [default: .kfp-gitops/registry]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `init`.
#[derive(Clone, Debug, Default, Args)]
pub struct InitArgs {
    /// The repository's folder [default: .]
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Overwrite files that exist
    #[arg(long)]
    pub overwrite: bool,
}

/// Arguments of `notify`.
#[derive(Clone, Debug, Default, Args)]
pub struct NotifyArgs {
    /// The deploying step's output `summary`, a results file, or `-` for standard input
    #[arg(
        long,
        env = "KFP_GITOPS_DEPLOY_SUMMARY",
        hide_env_values = true,
        value_name = "JSON|FILE"
    )]
    pub deploy_summary: Option<String>,
    /// The deploying job's result: success, failure, cancelled or skipped
    #[arg(long, env = "KFP_GITOPS_DEPLOY_RESULT", value_name = "RESULT")]
    pub deploy_result: Option<String>,
}
