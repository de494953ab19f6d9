//! Preparing a private environment: pinned packages in a folder of their own, made once, shared by all runs.
//!
//! An environment is made in a temporary folder and renamed when it is whole, under a lock, so that two runs
//! never collide and a half-made one is never used.

use super::environment::Interpreter;
use super::installer::{self, Installer};
use super::releases;
use super::requirements::Listed;
use super::settings::{EngineSettings, Progress};
use crate::error::{Failure, Phase};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) mod bytecode;
mod plan;

use plan::Plan;

/// What goes into an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// What compiling needs, pinned with hashes.
    Lean,
    /// All of the SDK, pinned with hashes.
    Full,
    /// All of the SDK and the project's requirements, resolved together; or why these cannot be used.
    Project(Result<Listed, Box<Failure>>),
}

/// A folder of packages.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    /// What goes on the module search path.
    pub site: PathBuf,
    /// How long making it took; `None` when it was there.
    pub took: Option<Duration>,
    /// Which installer made it.
    pub installer: Option<&'static str>,
    /// Something worth saying about how it was made.
    pub note: Option<String>,
    /// Whether the bytecode of its packages is still to be written.
    pub without_bytecode: bool,
}

impl Environment {
    /// One that is there already.
    fn found(folder: &Path, plan: &Plan) -> Self {
        Self {
            site: folder.join("site"),
            took: None,
            installer: None,
            note: None,
            without_bytecode: !plan.is_project() && bytecode::is_missing(folder),
        }
    }
}

/// Where an environment is or would be, and whether it is there.
pub(super) fn locate(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    kfp: &str,
    contents: &Contents,
) -> (PathBuf, bool) {
    let folder = settings.cache_directory.join("python");
    let Ok(plan) = Plan::new(settings, kfp, contents) else {
        return (folder, false);
    };
    let folder = folder.join(plan.name(interpreter));
    let ready = is_ready(&folder);
    (folder.join("site"), ready)
}

/// Whether what is installed of kfp itself is the program's choice or the index's: hashes say what it is, or nobody
/// but the index is asked. A kfp newer than this program, from a folder of wheels that lies in the tree, is the tree's.
pub(super) fn is_pinned(settings: &EngineSettings, kfp: &str) -> bool {
    let is_known = semver::Version::parse(kfp).is_ok_and(|version| releases::exactly(&version).is_some());
    let of_tree = |wheels: &PathBuf| match (wheels.canonicalize(), settings.root.canonicalize()) {
        (Ok(wheels), Ok(root)) => wheels.starts_with(root),
        _ => true,
    };
    is_known || !settings.wheelhouse.as_ref().is_some_and(of_tree)
}

/// Finds the environment in the cache or makes it.
///
/// # Errors
/// No installer, no network, a full disk, a cache directory that cannot be written, requirements that conflict.
pub(super) async fn prepare(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    kfp: &str,
    contents: &Contents,
    progress: &dyn Progress,
) -> Result<Environment, Failure> {
    let plan = Plan::new(settings, kfp, contents)?;
    let folder = settings.cache_directory.join("python");
    let name = plan.name(interpreter);
    let target = folder.join(&name);
    if is_ready(&target) {
        return Ok(Environment::found(&target, &plan));
    }
    std::fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
    let lock = lock(settings, &folder, &name, progress).await?;
    if is_ready(&target) {
        return Ok(Environment::found(&target, &plan));
    }
    if lock.is_some() {
        remove_halves(&folder, &name);
    }
    let begun = Instant::now();
    let installer = Installer::find(settings, interpreter).await?;
    progress.preparing(&format!(
        "installing kfp {kfp}{} for Python {} with {}",
        plan.addition(),
        interpreter.version_text(),
        installer.name()
    ));
    let temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .tempdir_in(&folder)
        .map_err(|error| cannot_write(&folder, &error))?;
    let write = |name: &str, text: &str| {
        let path = temporary.path().join(name);
        std::fs::write(&path, text)
            .map(|()| path)
            .map_err(|error| cannot_write(&folder, &error))
    };
    let requirements = write("requirements.txt", &plan.requirements)?;
    let constraints = match plan.constraints.as_str() {
        "" => None,
        text => Some(write("constraints.txt", text)?),
    };
    let order = installer::Order {
        folder: temporary.path(),
        requirements: &requirements,
        constraints: constraints.as_deref(),
        hashed: plan.hashed,
        resolve: plan.resolve,
        sources: &plan.sources,
        builds: plan.builds,
        project: plan.is_project(),
    };
    let note = installer::run(settings, interpreter, &installer, &order).await?;
    let mark = serde_json::json!({
        "kfp": kfp, "python": interpreter.version_text(), "abi": interpreter.abi, "installer": installer.name(),
    });
    std::fs::write(temporary.path().join(READY), mark.to_string())
        .map_err(|error| cannot_write(&folder, &error))?;
    publish(temporary, &target)?;
    Ok(Environment {
        took: Some(begun.elapsed()),
        installer: Some(installer.name()),
        note,
        ..Environment::found(&target, &plan)
    })
}

/// The file whose presence says that an environment is whole.
const READY: &str = "ready.json";

fn is_ready(environment: &Path) -> bool {
    environment.join(READY).is_file()
}

/// Makes the finished folder the environment. Whoever was first wins; a broken one is replaced.
fn publish(temporary: tempfile::TempDir, target: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    if target.exists() && !is_ready(target) {
        // left by a program that made environments in place, or damaged by hand
        std::fs::remove_dir_all(target).map_err(|error| cannot_write(target, &error))?;
    }
    // temporary folders are made for their owner alone; the compile may run as another user
    std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755))
        .map_err(|error| cannot_write(target, &error))?;
    match std::fs::rename(temporary.path(), target) {
        Ok(()) => {
            let _moved = temporary.keep();
            Ok(())
        }
        Err(_) if is_ready(target) => Ok(()),
        Err(error) => Err(cannot_write(target, &error)),
    }
}

/// Removes what runs that were killed left of this environment. Only whoever holds its lock may.
fn remove_halves(folder: &Path, name: &str) {
    let prefix = format!(".{name}.");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_half = entry.file_name().to_string_lossy().starts_with(&prefix);
        if is_half && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // what cannot be removed only takes room
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Waits for the lock of one environment; `None` on a file system without locks, where the rename still keeps
/// environments whole. The lock goes with the process that holds it.
async fn lock(
    settings: &EngineSettings,
    folder: &Path,
    name: &str,
    progress: &dyn Progress,
) -> Result<Option<File>, Failure> {
    let path = folder.join(format!(".{name}.lock"));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| cannot_write(&path, &error))?;
    let mut said = false;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() < settings.install_timeout => {
                if !said {
                    progress.preparing("waiting for another run that prepares the same environment");
                    said = true;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Failure::infrastructure(
                    Phase::Prepare,
                    format!(
                        "another run has been preparing `{name}` for {} s",
                        settings.install_timeout.as_secs()
                    ),
                )
                .hint(format!("end it, or remove `{}`", path.display())));
            }
            Err(std::fs::TryLockError::Error(_)) => return Ok(None),
        }
    }
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Failure::infrastructure(Phase::Prepare, format!("the disk of `{shown}` is full"))
                .hint("free some space, or put the cache elsewhere with `--cache-dir`")
        }
        std::io::ErrorKind::PermissionDenied
        | std::io::ErrorKind::ReadOnlyFilesystem
        | std::io::ErrorKind::NotADirectory => Failure::usage(
            Phase::Prepare,
            format!("the cache directory cannot be written: `{shown}`: {error}"),
        )
        .hint("put the cache elsewhere with `--cache-dir`, or install kfp beforehand"),
        _ => Failure::infrastructure(Phase::Prepare, format!("cannot write `{shown}`: {error}"))
            .hint("put the cache elsewhere with `--cache-dir`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_made_environment_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        std::fs::create_dir_all(target.join("site/half")).unwrap();
        let made = tempfile::tempdir_in(folder.path()).unwrap();
        std::fs::write(made.path().join(READY), "{}").unwrap();
        publish(made, &target).unwrap();
        assert!(is_ready(&target) && !target.join("site").exists());
        // a second one that comes too late changes nothing
        let late = tempfile::tempdir_in(folder.path()).unwrap();
        std::fs::write(late.path().join("other"), "").unwrap();
        publish(late, &target).unwrap();
        assert!(!target.join("other").exists());
    }
}
