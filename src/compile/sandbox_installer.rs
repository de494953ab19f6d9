//! The fence around installers: they write beneath their own folders alone, and reach the network by IP.
//!
//! Where only wheels are installed nothing of what is installed runs, so this is a second wall. Where source
//! builds are allowed, build scripts run in it: they find the network, the index's credentials, the interpreter,
//! and nothing else to read or to write; as root they run as another user.

use super::installer::{Order, Reach};
use super::sandbox_keeper::Limit;
use super::settings::{EngineSettings, SandboxMode};
use crate::error::{Failure, Phase};
use std::path::Path;

#[cfg(target_os = "linux")]
use super::sandbox_linux::Fences;

/// A fence ready to be put around one installer.
#[derive(Debug)]
pub(super) struct InstallerFence {
    /// Whether the installation is worth more than the fence.
    optional: bool,
    #[cfg(target_os = "linux")]
    fences: Option<Fences>,
}

impl InstallerFence {
    /// Builds it; nothing, and why, where the machine has none or none is wanted.
    ///
    /// # Errors
    /// `compile.sandbox: require` where it is not possible.
    pub(super) fn build(
        settings: &EngineSettings,
        reach: &Reach,
        order: &Order<'_>,
    ) -> Result<(Option<Self>, Option<String>), Failure> {
        if settings.sandbox == SandboxMode::Off {
            return Ok((None, Some("`compile.sandbox` is `off`".to_owned())));
        }
        match Self::new(settings, reach, order) {
            Ok(fence) => Ok((Some(fence), None)),
            Err(reason) if settings.sandbox == SandboxMode::Require => Err(Failure::usage(
                Phase::Prepare,
                format!("`compile.sandbox` is `require`, and installing packages cannot be fenced in here: {reason}"),
            )
            .hint("prepare on Linux 5.13 or newer with Landlock, or set `compile.sandbox: auto`")),
            Err(reason) => Ok((None, Some(reason))),
        }
    }

    #[cfg(target_os = "linux")]
    fn new(settings: &EngineSettings, reach: &Reach, order: &Order<'_>) -> Result<Self, String> {
        Ok(Self {
            optional: settings.sandbox == SandboxMode::Auto && !order.builds,
            fences: Some(Fences::around_installer(
                &reach.read,
                &reach.write,
                order.builds.then_some(order.folder),
            )?),
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn new(_settings: &EngineSettings, _reach: &Reach, _order: &Order<'_>) -> Result<Self, String> {
        Err("only Linux can keep files and the network from a process".to_owned())
    }

    /// Whether the installation may be done without it.
    pub(super) const fn may_be_left_out(&self) -> bool {
        self.optional
    }

    /// Puts it around a command about to be started.
    pub(super) fn surround(&mut self, command: &mut tokio::process::Command) {
        #[cfg(target_os = "linux")]
        if let Some(fences) = self.fences.take() {
            fences.surround(command);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = command;
    }
}

/// Gives everything beneath a folder back to this program's user, where builds ran as another one.
pub(super) fn take_back(folder: &Path) {
    use std::os::unix::fs::{MetadataExt, lchown};
    let Ok(own) = std::fs::metadata("/proc/self").map(|meta| (meta.uid(), meta.gid())) else {
        return;
    };
    let is_other = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|meta| meta.uid() != own.0);
    if !is_other(folder) {
        return;
    }
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        if is_other(&path) {
            // what stays another user's is readable all the same
            let _ = lchown(&path, Some(own.0), Some(own.1));
        }
        if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
            open.extend(
                std::fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path()),
            );
        }
    }
}

/// What every installer and every build script gets at most. None of it binds a sound build, all of it a runaway one.
pub(super) fn limits() -> Vec<Limit> {
    #[cfg(target_os = "linux")]
    return super::sandbox_linux::limits_of_installers();
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}
