//! Preparing a private environment: pinned packages in a folder of their own, made once, shared by all runs.
//!
//! An environment is made in a temporary folder and renamed when it is whole, under a lock, so that two runs
//! never collide and a half-made one is never used.

use super::environment::Interpreter;
use super::installer::{self, Installer};
use super::releases::{self, Release};
use super::settings::{EngineSettings, Progress};
use crate::error::{Failure, Phase};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What goes into an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// What compiling needs, pinned with hashes.
    Lean,
    /// All of the SDK, pinned with hashes.
    Full,
    /// All of the SDK and the project's requirements, resolved together.
    Project {
        /// Requirement files, with their text.
        files: Vec<(PathBuf, String)>,
        /// Single requirements, such as those of PEP 723 metadata.
        lines: Vec<String>,
    },
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
}

/// Installers do not get longer than this.
pub(super) const INSTALL_TIMEOUT: Duration = Duration::from_secs(1200);

/// Where an environment is or would be, and whether it is there.
pub(super) fn locate(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    kfp: &str,
    contents: &Contents,
) -> (PathBuf, bool) {
    let release = semver::Version::parse(kfp)
        .ok()
        .and_then(|version| releases::exactly(&version));
    let name = Plan::new(release, kfp, contents).name(interpreter);
    let folder = settings.cache_directory.join("python").join(name);
    let ready = is_ready(&folder);
    (folder.join("site"), ready)
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
    let release = semver::Version::parse(kfp)
        .ok()
        .and_then(|version| releases::exactly(&version));
    let plan = Plan::new(release, kfp, contents);
    let folder = settings.cache_directory.join("python");
    let name = plan.name(interpreter);
    let site = folder.join(&name).join("site");
    if is_ready(&folder.join(&name)) {
        return Ok(Environment {
            site,
            took: None,
            installer: None,
        });
    }
    std::fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
    let _lock = lock(&folder, &name, progress).await?;
    if is_ready(&folder.join(&name)) {
        return Ok(Environment {
            site,
            took: None,
            installer: None,
        });
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
    let requirements = temporary.path().join("requirements.txt");
    std::fs::write(&requirements, &plan.requirements).map_err(|error| cannot_write(&folder, &error))?;
    let target = temporary.path().join("site");
    installer::run(
        settings,
        interpreter,
        &installer,
        &plan.options(&requirements),
        &target,
    )
    .await?;
    let mark = serde_json::json!({
        "kfp": kfp, "python": interpreter.version_text(), "abi": interpreter.abi, "installer": installer.name(),
    });
    std::fs::write(temporary.path().join(READY), mark.to_string())
        .map_err(|error| cannot_write(&folder, &error))?;
    publish(temporary, &folder.join(&name))?;
    Ok(Environment {
        site,
        took: Some(begun.elapsed()),
        installer: Some(installer.name()),
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

/// What is installed, and how it is called.
struct Plan {
    kfp: String,
    kind: &'static str,
    requirements: String,
    hashed: bool,
    resolve: bool,
}

impl Plan {
    fn new(release: Option<&Release>, kfp: &str, contents: &Contents) -> Self {
        let mut plan = Self {
            kfp: kfp.to_owned(),
            kind: "lean",
            requirements: String::new(),
            hashed: true,
            resolve: false,
        };
        match (contents, release) {
            (Contents::Lean, Some(release)) => plan.requirements = release.requirements(false),
            (Contents::Full, Some(release)) => {
                plan.kind = "full";
                plan.requirements = release.requirements(true);
            }
            (Contents::Lean | Contents::Full, None) => {
                // newer than this program: the index says what belongs to it
                plan.kind = "unpinned";
                plan.hashed = false;
                plan.resolve = true;
                plan.requirements = format!("kfp=={kfp}\nkfp-kubernetes\n");
            }
            (Contents::Project { files, lines }, _) => {
                plan.kind = "project";
                plan.hashed = false;
                plan.resolve = true;
                plan.requirements = format!("kfp=={kfp}\nkfp-kubernetes\n");
                for line in lines {
                    plan.requirements.push_str(line);
                    plan.requirements.push('\n');
                }
                for (path, text) in files {
                    // by reference, because such files refer to others relative to themselves
                    plan.requirements
                        .push_str(&format!("-r {}\n# {}\n", path.display(), digest(text)));
                }
            }
        }
        plan
    }

    /// Keyed by the Python and everything that is installed.
    fn name(&self, interpreter: &Interpreter) -> String {
        let identity = format!(
            "1\n{}\n{}\n{}",
            interpreter.implementation, interpreter.abi, self.requirements
        );
        format!(
            "kfp-{}-py{}-{}-{}",
            self.kfp,
            interpreter.python(),
            self.kind,
            &digest(&identity)[..12]
        )
    }

    fn addition(&self) -> &'static str {
        match self.kind {
            "full" => " with all of its clients",
            "project" => " and the project's requirements",
            _ => "",
        }
    }

    fn options<'a>(&self, requirements: &'a Path) -> installer::Options<'a> {
        installer::Options {
            requirements,
            hashed: self.hashed,
            resolve: self.resolve,
        }
    }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Waits for the lock of one environment. The lock goes with the process that holds it.
async fn lock(folder: &Path, name: &str, progress: &dyn Progress) -> Result<File, Failure> {
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
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() < INSTALL_TIMEOUT => {
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
                        INSTALL_TIMEOUT.as_secs()
                    ),
                )
                .hint(format!("end it, or remove `{}`", path.display())));
            }
            // a file system without locks: the rename still keeps environments whole
            Err(std::fs::TryLockError::Error(_)) => return Ok(file),
        }
    }
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Failure::infrastructure(Phase::Prepare, format!("the disk of `{shown}` is full"))
                .hint("free some space, or put the cache elsewhere with `KFP_GITOPS_CACHE_DIR`")
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Failure::usage(
            Phase::Prepare,
            format!("the cache directory cannot be written: `{shown}`: {error}"),
        )
        .hint("put the cache elsewhere with `KFP_GITOPS_CACHE_DIR`, or install kfp beforehand"),
        _ => Failure::infrastructure(Phase::Prepare, format!("cannot write `{shown}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(abi: &str) -> Interpreter {
        Interpreter {
            executable: "/usr/bin/python3".into(),
            version: (3, 11, 7),
            implementation: "cpython".into(),
            abi: abi.into(),
            kfp: None,
            kubernetes: None,
            pip: None,
            prefixes: Vec::new(),
            path: Vec::new(),
        }
    }

    fn name(kfp: &str, contents: &Contents, abi: &str) -> String {
        let release = semver::Version::parse(kfp)
            .ok()
            .and_then(|version| releases::exactly(&version));
        Plan::new(release, kfp, contents).name(&interpreter(abi))
    }

    #[test]
    fn every_difference_is_another_environment() {
        let project = |text: &str| Contents::Project {
            files: vec![("/r.txt".into(), text.into())],
            lines: Vec::new(),
        };
        let mut names = vec![
            name("2.17.0", &Contents::Lean, "a"),
            name("2.17.0", &Contents::Lean, "b"),
            name("2.17.0", &Contents::Full, "a"),
            name("2.16.1", &Contents::Lean, "a"),
            name("2.17.0", &project("x"), "a"),
            name("2.17.0", &project("y"), "a"),
        ];
        assert_eq!(name("2.17.0", &Contents::Lean, "a"), names[0]);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 6, "{names:?}");
    }

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
