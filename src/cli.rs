//! Commands and flags. Knows clap; nothing else does.

use clap::{Parser, Subcommand};

mod arguments;
mod global;

pub use arguments::{
    ApplyArgs, CheckArgs, CompileArgs, DiffArgs, Drawing, EnvArgs, GraphArgs, HistoryArgs, InitArgs,
    ListArgs, NotifyArgs, PlanArgs, ServeArgs, ShowArgs, Which,
};
pub use global::{Color, Format, Global};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "kfp-gitops",
    version,
    about = "Deploy Kubeflow pipelines from a repository: find, compile, compare, upload, report",
    long_about = "Finds the pipelines of a repository (`*_pipeline.py`), compiles them with the KFP compiler, \
                  compares them with what the pipelines server holds, uploads what changed exactly once, and says \
                  what it did.\n\nWithout an endpoint, outside CI, it deploys to an embedded registry, so that \
                  everything can be tried without a server.",
    after_help = "Exit codes: 0 done or nothing to do; 1 something failed; 2 usage or configuration; \
                  6 changes pending (`plan --expect-no-changes`); 75 infrastructure trouble, safe to run again.",
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile, compare with the server, upload what changed
    Apply(ApplyArgs),
    /// Compile, compare with the server, say what `apply` would do; writes nothing
    Plan(PlanArgs),
    /// In CI: `apply` on the default branch and what `apply.refs` names, else `plan`
    Auto(ApplyArgs),
    /// Compile only
    Compile(CompileArgs),
    /// Compile and check what a server would refuse or choke on: names, parameters, sizes; no network
    Check(CheckArgs),
    /// Which Python and which kfp would compile, and why
    Env(EnvArgs),
    /// What changes between two pipelines, compiled or not, by meaning
    Diff(DiffArgs),
    /// Draw a pipeline's tasks as Mermaid, SVG or JSON
    Graph(GraphArgs),
    /// The pipelines on the server: ours, all, or those that nobody manages
    List(ListArgs),
    /// One pipeline on the server: its newest version, parameters, images, and who uploaded it
    Show(ShowArgs),
    /// A pipeline's versions, and what changed between any two
    History(HistoryArgs),
    /// Find out why a deployment cannot work: network, login, rights, versions; writes nothing
    Doctor,
    /// Serve the embedded registry as a pipelines API
    Serve(ServeArgs),
    /// Tell forge, ntfy and webhook what another job did
    Notify(NotifyArgs),
    /// Write a workflow for the forge and a commented configuration
    Init(InitArgs),
    /// Print the version, the commit it was built from, and the platform
    Version,
    /// Print shell completions
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}
