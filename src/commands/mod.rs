//! One file per command; each turns its arguments into calls of the rooms and a report.

pub mod against;
pub mod apply;
pub mod changed;
mod check;
pub mod compile;
pub mod connect;
pub mod deploy;
pub mod diff;
pub mod doctor;
pub mod drift;
pub mod elsewhere;
pub mod engine;
pub mod entries;
pub mod env;
pub mod finish;
pub mod found;
pub mod graph;
pub mod history;
pub mod init;
pub mod lineage;
pub mod list;
pub mod login;
pub mod notify;
pub mod origin;
pub mod plan;
pub mod plan_file;
pub mod progress;
pub mod remote;
pub mod serve;
pub mod show;
pub mod signals;
pub mod sources;
pub mod telling;
pub mod version;
pub mod withheld;

use crate::cli::{Cli, Command};
use crate::error::Failure;
use crate::exit::ExitCode;
use crate::report::Report;
use crate::settings::environment::Environment;
use crate::settings::{Settings, merge};
use clap::{CommandFactory, Parser};
use std::io::Write;
use std::path::PathBuf;

/// Parses the command line, runs the command, and says what the process exits with.
#[must_use]
pub fn main(environment: Environment) -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes. A closed pipe is nobody's fault.
            let _ = error.print();
            let code = if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Success
            };
            return code.code();
        }
    };
    if cfg!(windows) {
        complain("Windows is not supported: run it in WSL, a container, or on Linux or macOS");
        return ExitCode::Usage.code();
    }
    if !matches!(cli.command, Command::Version | Command::Completions { .. }) {
        telling::mask(&environment);
    }
    match &cli.command {
        Command::Version => version::run(),
        Command::Completions { shell } => {
            // Into memory first: the generator panics where a reader goes away (`| head`).
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "kfp-gitops", &mut script);
            finish::say(&String::from_utf8_lossy(&script));
            ExitCode::Success.code()
        }
        _ => match tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
        {
            Ok(runtime) => {
                let code = runtime.block_on(run(cli, environment));
                // Whatever still waits (a look-up of a name, say) must not hold the job up.
                runtime.shutdown_background();
                code
            }
            Err(error) => {
                complain(&format!("cannot start: {error}"));
                ExitCode::Failed.code()
            }
        },
    }
}

async fn run(cli: Cli, environment: Environment) -> u8 {
    let (name, mut paths): (&str, Vec<PathBuf>) = match &cli.command {
        Command::Apply(arguments) => ("apply", arguments.paths.clone()),
        Command::Auto(arguments) => ("auto", arguments.paths.clone()),
        Command::Diff(_) => ("diff", Vec::new()),
        Command::Graph(_) => ("graph", Vec::new()),
        Command::List(_) => ("list", Vec::new()),
        Command::Show(_) => ("show", Vec::new()),
        Command::History(_) => ("history", Vec::new()),
        Command::Plan(arguments) => ("plan", arguments.paths.clone()),
        Command::Compile(arguments) => ("compile", arguments.paths.clone()),
        Command::Check(arguments) => ("check", arguments.paths.clone()),
        Command::Env(arguments) => ("env", arguments.paths.clone()),
        Command::Doctor => ("doctor", Vec::new()),
        Command::Notify(_) => ("notify", Vec::new()),
        Command::Init(arguments) => ("init", arguments.path.iter().cloned().collect()),
        _ => ("serve", Vec::new()),
    };
    let made = match &cli.command {
        Command::Apply(arguments) | Command::Auto(arguments) => arguments.plan.as_ref(),
        _ => None,
    };
    let made = match made.map(|path| Ok((path.display().to_string(), plan_file::read(path)?))) {
        None => None,
        Some(Ok((file, plan))) => {
            paths = plan_file::paths(&plan, &paths);
            Some((file, plan))
        }
        Some(Err(failure)) => return finish::without_settings(name, failure, &cli.global, &environment),
    };
    let mut settings = match merge::merge(&cli.global, &paths, environment.clone()) {
        Ok(settings) => settings,
        Err(failure) if name == "doctor" => return doctor::without_settings(failure, &cli.global),
        Err(failure) => return finish::without_settings(name, failure, &cli.global, &environment),
    };
    if let Some((_, plan)) = &made {
        plan_file::take_over(&mut settings, plan);
    }
    match cli.command {
        Command::Apply(arguments) => apply::run(&settings, arguments.all_or_nothing, made).await,
        Command::Auto(arguments) => apply::auto(&settings, arguments.all_or_nothing, made).await,
        Command::Plan(arguments) => match &arguments.against {
            Some(side) => match elsewhere::Elsewhere::of(side) {
                Some(elsewhere) => match elsewhere.settings(&settings, &cli.global) {
                    Ok(other) => plan::run(&other, arguments.expect_no_changes, plan::Use::Compare).await,
                    Err(failure) => {
                        finish::finish(&settings, stopped(&settings, "plan", failure), None).await
                    }
                },
                None => against::run(&settings, &cli.global, side, arguments.expect_no_changes).await,
            },
            None => {
                let plan = plan::Use::CarryOut(arguments.out);
                plan::run(&settings, arguments.expect_no_changes, plan).await
            }
        },
        Command::Diff(arguments) => diff::run(&settings, &cli.global, &arguments).await,
        Command::Graph(arguments) => graph::run(&settings, &cli.global, &arguments).await,
        Command::List(arguments) => list::run(&settings, arguments.which).await,
        Command::Show(arguments) => show::run(&settings, &arguments.name).await,
        Command::History(arguments) => history::run(&settings, &arguments).await,
        Command::Compile(arguments) => compile::run(&settings, arguments.output).await,
        Command::Check(arguments) => check::run(&settings, arguments.server_version).await,
        Command::Env(arguments) => env::run(&settings, arguments.prepare).await,
        Command::Doctor => doctor::run(&settings).await,
        Command::Serve(arguments) => serve::run(&settings, arguments).await,
        Command::Notify(arguments) => notify::run(&settings, arguments).await,
        Command::Init(arguments) => init::run(&settings, arguments.overwrite).await,
        Command::Version | Command::Completions { .. } => ExitCode::Success.code(),
    }
}

/// A report that ends before anything was done.
pub(crate) fn stopped(settings: &Settings, command: &str, failure: Failure) -> Report {
    let mut report = Report::new(command);
    report.endpoint = Some(settings.server.endpoint.display());
    report.target.clone_from(&settings.target);
    report.stop(failure);
    report
}

/// A line on standard error.
pub(crate) fn complain(line: &str) {
    // A closed standard error is no reason to die.
    let _ = writeln!(std::io::stderr(), "{}", crate::report::text::clean(line));
}

/// A workflow command for the runner, on standard error, because standard output is data.
pub(crate) fn instruct(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
