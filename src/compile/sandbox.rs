//! Keeping a pipeline file away from the machine while it is compiled: it is a stranger's code.
//!
//! Two fences stand around it. The outer one is put up before Python starts and holds for the supervisor and
//! all children: an unprivileged user, no new privileges, Landlock over files, no sockets and no kernel
//! interfaces that compiling does not need. The inner one is put up in each child before the file runs:
//! its own temporary directory, no `/proc`, no signals to anything outside, no changes to modes, owners and
//! times. Both are built here; the child only hands the finished pieces to the kernel.

use super::SandboxLevel;
use super::settings::{EngineSettings, SandboxMode};
use crate::error::{Failure, Phase};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
pub(super) use super::sandbox_linux::{Fences, Refusal};

/// What the worker is told about its inner fence.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Inner {
    /// One Landlock ruleset descriptor for each child slot; empty where there is none.
    pub rulesets: Vec<i32>,
    /// Seccomp programs to add in the child, each in base64.
    pub filters: Vec<String>,
    /// One directory to write to for each child slot.
    pub directories: Vec<PathBuf>,
}

/// A sandbox ready to be put around one worker.
#[derive(Debug)]
pub(super) struct Sandbox {
    /// What it reaches if everything works as planned.
    pub level: SandboxLevel,
    /// Why that is not `full`.
    pub reason: Option<String>,
    /// What the worker is told.
    pub inner: Inner,
    /// Holds the children's directories; removed with it.
    _temporary: tempfile::TempDir,
    #[cfg(target_os = "linux")]
    fences: Option<Fences>,
}

/// What a worker has to read.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "nothing is fenced in there")
)]
#[derive(Clone, Debug)]
pub(super) struct Needs<'a> {
    /// The interpreter's folders and the prepared environment.
    pub programs: &'a [PathBuf],
    /// The tree of sources.
    pub root: &'a Path,
}

impl Sandbox {
    /// Builds the best sandbox this machine gives.
    ///
    /// # Errors
    /// `compile.sandbox: require` where less than the full sandbox is possible; no temporary directory.
    pub(super) fn build(
        settings: &EngineSettings,
        needs: &Needs<'_>,
        effort: Effort,
    ) -> Result<Self, Failure> {
        let base = settings
            .variable("TMPDIR")
            .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        let slots = settings.jobs.clamp(1, 64);
        let (temporary, directories) = directories(&base, slots).map_err(|error| {
            Failure::infrastructure(
                Phase::Prepare,
                format!(
                    "cannot make a temporary directory in `{}`: {error}",
                    base.display()
                ),
            )
            .hint("free some space there, or set `TMPDIR`")
        })?;
        let mut sandbox = Self {
            level: SandboxLevel::Environment,
            reason: None,
            inner: Inner {
                rulesets: Vec::new(),
                filters: Vec::new(),
                directories,
            },
            _temporary: temporary,
            #[cfg(target_os = "linux")]
            fences: None,
        };
        if settings.sandbox == SandboxMode::Off {
            sandbox.reason = Some("`compile.sandbox` is `off`".to_owned());
            return Ok(sandbox);
        }
        sandbox.fence(settings, needs, effort)?;
        sandbox.required(settings.sandbox)?;
        Ok(sandbox)
    }

    #[cfg(target_os = "linux")]
    fn fence(&mut self, settings: &EngineSettings, needs: &Needs<'_>, effort: Effort) -> Result<(), Failure> {
        let mut effort = Some(effort);
        while let Some(now) = effort {
            match Fences::build(settings, needs, &self.inner.directories, now) {
                Ok(fences) => {
                    self.level = fences.level;
                    self.reason = fences.reason.clone();
                    self.inner.rulesets = fences.rulesets();
                    self.inner.filters = fences.inner_filters();
                    self.fences = Some(fences);
                    return Ok(());
                }
                Err(Refusal::Impossible(reason)) => {
                    self.reason.get_or_insert(reason);
                    effort = now.less();
                }
                Err(Refusal::Trouble(reason)) => {
                    return Err(Failure::infrastructure(
                        Phase::Prepare,
                        format!("the sandbox cannot be put up: {reason}"),
                    )
                    .hint("it takes a descriptor for each file beside `.git`: raise the hard limit (`ulimit -Hn`), or move the pipelines into a folder"));
                }
            }
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn fence(
        &mut self,
        _settings: &EngineSettings,
        _needs: &Needs<'_>,
        _effort: Effort,
    ) -> Result<(), Failure> {
        self.reason = Some("only Linux can keep files and the network from a process".to_owned());
        Ok(())
    }

    /// `require` fails closed.
    ///
    /// # Errors
    /// The level is not full and full is required.
    pub(super) fn required(&self, mode: SandboxMode) -> Result<(), Failure> {
        if mode != SandboxMode::Require || self.level == SandboxLevel::Full {
            return Ok(());
        }
        let reason = self.reason.as_deref().unwrap_or("unknown");
        Err(Failure::usage(
            Phase::Prepare,
            format!("`compile.sandbox` is `require`, and the full sandbox is not possible here: {reason}"),
        )
        .hint("compile on Linux 6.2 or newer with Landlock, or set `compile.sandbox: auto`"))
    }

    /// Puts the outer fence around a command about to be started.
    pub(super) fn surround(&mut self, command: &mut tokio::process::Command) {
        #[cfg(target_os = "linux")]
        if let Some(fences) = self.fences.take() {
            fences.surround(command);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = command;
    }

    /// Takes back what the worker could not put up.
    pub(super) fn lower(&mut self, level: SandboxLevel, reason: &str) {
        if self.level > level {
            self.level = level;
            self.reason = Some(reason.to_owned());
        }
    }
}

/// How much to try. Each step leaves out what a strict container may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Everything.
    Everything,
    /// Everything but changing the user.
    SameUser,
    /// Only the environment.
    Nothing,
}

impl Effort {
    /// What to try when this was refused.
    pub(super) const fn less(self) -> Option<Self> {
        match self {
            Self::Everything => Some(Self::SameUser),
            Self::SameUser => Some(Self::Nothing),
            Self::Nothing => None,
        }
    }
}

/// One directory for each slot, in one that nobody else can list.
fn directories(base: &Path, slots: usize) -> std::io::Result<(tempfile::TempDir, Vec<PathBuf>)> {
    let temporary = tempfile::Builder::new().prefix("kfp-gitops-").tempdir_in(base)?;
    let parent = temporary.path().canonicalize()?;
    let mut directories = Vec::with_capacity(slots);
    for slot in 0..slots {
        let directory = parent.join(slot.to_string());
        std::fs::create_dir(&directory)?;
        directories.push(directory);
    }
    Ok((temporary, directories))
}
