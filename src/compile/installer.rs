//! Running `uv`, or `pip` where there is none.
//!
//! Installers get names, versions, markers and hashes only, run in a folder of their own (both look for
//! configuration where they stand), and write nowhere but there and in their own cache.

use super::environment::{Interpreter, is_program, is_stand_in, on_path, tool_environment};
use super::install::cannot_write;
use super::releases;
use super::sandbox_installer::{self as sandbox, InstallerFence};
use super::sandbox_keeper as keeper;
use super::settings::EngineSettings;
use crate::error::{Failure, Phase};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tokio::process::Command;

mod explain;
mod kept;
mod reach;

use kept::{Kept, everything_of};
pub(super) use reach::Reach;

/// A program that installs packages into a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Installer {
    /// `uv pip install --target`.
    Uv(PathBuf),
    /// `python -m pip install --target`.
    Pip,
}

/// What to install, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    /// An empty folder: packages go to `site` in it, everything passing to `work`.
    pub folder: &'a Path,
    /// The requirements file.
    pub requirements: &'a Path,
    /// The constraints file.
    pub constraints: Option<&'a Path>,
    /// Whether every file's hash is in it and must match.
    pub hashed: bool,
    /// Whether dependencies are added by the resolver.
    pub resolve: bool,
    /// KFP's own packages that exist only as source, built with pinned tools.
    pub sources: &'a BTreeSet<String>,
    /// Whether anything may be built from source: a stranger's code.
    pub builds: bool,
    /// Whether the project has a say in what is installed.
    pub project: bool,
}

impl Order<'_> {
    /// Where packages go.
    pub(super) fn site(&self) -> PathBuf {
        self.folder.join("site")
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    fn tools(&self) -> PathBuf {
        self.folder.join("tools")
    }
}

impl Installer {
    /// `uv` from `PATH` if it answers, else the interpreter's pip.
    ///
    /// # Errors
    /// Neither is there.
    pub(super) async fn find(settings: &EngineSettings, interpreter: &Interpreter) -> Result<Self, Failure> {
        for uv in on_path(settings, "uv") {
            let uv = behind_stand_in(uv, interpreter);
            // version managers leave shims that only say "not installed"
            let answer = Command::new(&uv)
                .arg("--version")
                .env_clear()
                .envs(tool_environment(settings))
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output()
                .await;
            if answer.is_ok_and(|output| output.status.success()) {
                return Ok(Self::Uv(uv));
            }
        }
        if interpreter.pip.is_some() {
            return Ok(Self::Pip);
        }
        Err(Failure::usage(
            Phase::Prepare,
            format!(
                "`{}` has no pip, and there is no `uv` on `PATH`, so kfp cannot be installed",
                interpreter.executable.display()
            ),
        )
        .hint("install `uv`, or `python3-pip`, or kfp itself"))
    }

    /// `uv` or `pip`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Uv(_) => "uv",
            Self::Pip => "pip",
        }
    }

    fn command(&self, interpreter: &Interpreter) -> Command {
        match self {
            Self::Uv(uv) => {
                let mut command = Command::new(uv);
                command.args(["pip", "install", "--quiet", "--no-progress", "--color", "never"]);
                command.arg("--python").arg(&interpreter.executable);
                // files in the cache may be shared with other environments: a pipeline must not reach them
                command.args(["--link-mode", "copy"]);
                command
            }
            Self::Pip => {
                let mut command = Command::new(&interpreter.executable);
                command.args([
                    "-I",
                    "-m",
                    "pip",
                    "install",
                    "--no-input",
                    "--progress-bar",
                    "off",
                ]);
                command.args(["--disable-pip-version-check", "--no-warn-script-location"]);
                command
            }
        }
    }
}

/// The `uv` beside the interpreter instead of a version manager's stand-in, which takes a quarter of a second
/// at every call to find just that.
fn behind_stand_in(uv: PathBuf, interpreter: &Interpreter) -> PathBuf {
    let beside = interpreter.executable.with_file_name("uv");
    if is_stand_in(&uv) && is_program(&beside) {
        beside
    } else {
        uv
    }
}

/// Installs into an empty folder. Says so where it had to be done without a fence.
///
/// # Errors
/// The installer's own message, shortened, with what to do; a sandbox that is required and not possible.
pub(super) async fn run(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    installer: &Installer,
    order: &Order<'_>,
) -> Result<Option<String>, Failure> {
    for folder in [order.site(), order.work()] {
        std::fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
    }
    let mut session = Session {
        settings,
        interpreter,
        installer,
        order,
        note: None,
    };
    let builds_own = !order.sources.is_empty() && !order.builds;
    if builds_own {
        session.install_tools().await?;
    }
    let mut command = installer.command(interpreter);
    // kfp's own is written later, for what is loaded alone; nobody but the fence parses a stranger's code
    match installer {
        Installer::Uv(_) if order.project => command.arg("--compile-bytecode"),
        Installer::Pip if !order.project => command.arg("--no-compile"),
        _ => &mut command,
    };
    if order.hashed {
        command.arg("--require-hashes");
    }
    if !order.resolve {
        command.arg("--no-deps");
    }
    if let Some(constraints) = order.constraints {
        command.arg("--constraint").arg(constraints);
    }
    if !order.builds {
        // a source package runs its own code when it is built, and even when its name is looked up
        command.args(["--only-binary", ":all:"]);
    }
    if builds_own {
        for name in order.sources {
            command.args(["--no-binary", name]);
        }
        command.arg("--no-build-isolation");
        if *installer == Installer::Pip {
            command.arg("--use-pep517");
        }
        command.env("PYTHONPATH", order.tools());
    }
    command
        .arg("--target")
        .arg(order.site())
        .arg("-r")
        .arg(order.requirements);
    let output = session.fenced(command).await?;
    let done = if output.status.success() {
        sandbox::take_back(order.folder);
        Ok(session.note.take())
    } else {
        Err(session.explain(&output))
    };
    for folder in [order.work(), order.tools()] {
        // what passes through is no part of an environment; a rest of it does no harm
        let _ = std::fs::remove_dir_all(folder);
    }
    done
}

struct Session<'a> {
    settings: &'a EngineSettings,
    interpreter: &'a Interpreter,
    installer: &'a Installer,
    order: &'a Order<'a>,
    note: Option<String>,
}

impl Session<'_> {
    /// Puts the pinned build tools where builds find them.
    async fn install_tools(&mut self) -> Result<(), Failure> {
        let list = self.order.folder.join("tools.txt");
        std::fs::write(&list, releases::build_tools()).map_err(|error| cannot_write(&list, &error))?;
        let tools = self.order.tools();
        std::fs::create_dir_all(&tools).map_err(|error| cannot_write(&tools, &error))?;
        let mut command = self.installer.command(self.interpreter);
        command.args(["--require-hashes", "--no-deps", "--only-binary", ":all:"]);
        command.arg("--target").arg(&tools).arg("-r").arg(&list);
        let output = self.fenced(command).await?;
        if output.status.success() {
            return Ok(());
        }
        let failure = self.explain(&output);
        let failure = Failure {
            message: format!("{}; building kfp from source needs `setuptools`", failure.message),
            ..failure
        };
        Err(failure)
    }

    /// Runs in the fence where the machine has one. Where only wheels are installed, nothing of what is installed
    /// runs, and a fence that keeps the installer from its own configuration is worth less than the installation.
    async fn fenced(&mut self, mut command: Command) -> Result<Output, Failure> {
        self.dress(&mut command);
        let reach = reach::of(self.settings, self.interpreter, self.installer, self.order);
        let (fence, why_not) = InstallerFence::build(self.settings, &reach, self.order)?;
        let Some(mut fence) = fence else {
            if self.order.builds {
                self.note = why_not.map(|why| format!("packages were built without the sandbox: {why}"));
            }
            return self.start(&mut command).await;
        };
        if let Some(without) = reach.without.filter(|_| fence.may_be_left_out()) {
            self.note = Some(without);
            return self.start(&mut command).await;
        }
        let mut bare = same(&command);
        let kept = self.keep(&mut command, |command| fence.surround(command));
        let refused = match kept {
            Err(error) if !fence.may_be_left_out() => return self.hear(Err(error)).await,
            Err(error) => error.to_string(),
            Ok(kept) => {
                let output = self.hear(Ok(kept)).await?;
                if output.status.success() || !fence.may_be_left_out() || !explain::is_refused(&output) {
                    return Ok(output);
                }
                "it was kept from something it needs".to_owned()
            }
        };
        self.note = Some(format!(
            "{} ran without the sandbox ({refused}); only wheels were installed, which run nothing",
            self.installer.name()
        ));
        self.start(&mut bare).await
    }

    async fn start(&self, command: &mut Command) -> Result<Output, Failure> {
        let kept = self.keep(command, |_| ());
        self.hear(kept).await
    }

    /// What is the same for every call.
    fn dress(&self, command: &mut Command) {
        if let Some(wheelhouse) = &self.settings.wheelhouse {
            command.arg("--no-index").arg("--find-links").arg(wheelhouse);
        }
        let kept: Vec<(OsString, OsString)> = command
            .as_std()
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let work = self.order.work();
        command
            .env_clear()
            .envs(tool_environment(self.settings))
            .envs(&self.settings.index_credentials)
            .envs(kept)
            .env("TMPDIR", &work)
            .current_dir(&work)
            .stdin(Stdio::null());
        if self.order.builds {
            // what is built may not leave anything in a cache that others install from
            command
                .env("UV_CACHE_DIR", work.join("cache"))
                .env("PIP_CACHE_DIR", work.join("cache"))
                .env("HOME", &work);
        }
    }

    fn explain(&self, output: &Output) -> Failure {
        explain::explain(
            output,
            explain::About {
                installer: self.installer.name(),
                project: self.order.project,
                wheelhouse: self.settings.wheelhouse.as_deref(),
                python: &self.interpreter.python().to_string(),
            },
        )
    }

    /// Starts it with a keeper: what a build script leaves behind ends with it.
    fn keep(&self, command: &mut Command, surround: impl FnOnce(&mut Command)) -> std::io::Result<Kept> {
        let lifeline = keeper::keep(command, sandbox::limits())?;
        surround(command);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        Ok(Kept { child, lifeline })
    }

    async fn hear(&self, kept: std::io::Result<Kept>) -> Result<Output, Failure> {
        let name = self.installer.name();
        let trouble = |what: &str, error: &std::io::Error| {
            Failure::infrastructure(Phase::Prepare, format!("cannot {what} {name}: {error}"))
        };
        let Kept { mut child, lifeline } = kept.map_err(|error| trouble("start", &error))?;
        let limit = self.settings.install_timeout;
        let Ok(output) = tokio::time::timeout(limit, everything_of(&mut child)).await else {
            keeper::end(child, lifeline).await;
            let failure = Failure::infrastructure(
                Phase::Prepare,
                format!("{name} did not finish within {} s", limit.as_secs()),
            );
            return Err(failure.hint("check the package index and the proxy that are configured"));
        };
        output.map_err(|error| trouble("hear", &error))
    }
}

/// The same command again: one that a fence was put around keeps it.
fn same(command: &Command) -> Command {
    let standard = command.as_std();
    let mut again = Command::new(standard.get_program());
    again.args(standard.get_args()).env_clear();
    for (name, value) in standard.get_envs() {
        if let Some(value) = value {
            again.env(name, value);
        }
    }
    if let Some(folder) = standard.get_current_dir() {
        again.current_dir(folder);
    }
    again.stdin(Stdio::null());
    again
}
