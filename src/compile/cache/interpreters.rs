//! What interpreters said of themselves, remembered until one of them, or what is installed in it, changes.

use super::store::{Kind, Store, digest};
use super::world::stamp;
use crate::compile::environment::{self, Interpreter};
use crate::compile::settings::EngineSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// An answer and what it depends on.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    /// `None` where the program said nothing that makes sense.
    interpreter: Option<Interpreter>,
    stamps: BTreeMap<PathBuf, String>,
}

/// Asks interpreters what they are, or remembers; with the compile cache switched off as well, because it is
/// no result of compiling.
#[derive(Debug)]
pub(in crate::compile) struct Interpreters {
    /// `None` where nothing can be remembered.
    store: Option<Mutex<Store>>,
}

impl Interpreters {
    /// What earlier runs were told.
    pub(in crate::compile) fn open(settings: &EngineSettings) -> Self {
        let opened = Store::open(
            &settings.cache_directory,
            settings.trust.levels(),
            &settings.scope,
        );
        Self {
            store: opened.ok().map(Mutex::new),
        }
    }

    /// Every one is asked.
    pub(in crate::compile) const fn forgetful() -> Self {
        Self { store: None }
    }

    /// What one is.
    ///
    /// # Errors
    /// Why it did not answer, as a fragment.
    pub(in crate::compile) async fn ask(
        &self,
        settings: &EngineSettings,
        python: &Path,
    ) -> Result<Interpreter, String> {
        let (Some(store), Some(way)) = (&self.store, Way::of(settings, python)) else {
            return environment::probe(settings, python).await;
        };
        let locked = || store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = Known::read(&locked(), &way) {
            return known
                .interpreter
                .ok_or_else(|| "it did not answer when it was asked before".to_owned());
        }
        let before = way.stamps();
        let answer = environment::probe(settings, python).await;
        let interpreter = match &answer {
            Ok(interpreter) => Some(interpreter.clone()),
            // a manager's stand-in for a version that is not installed; a broken program may be mended anywhere
            Err(_) if way.managed => None,
            Err(_) => return answer,
        };
        let mut stamps = interpreter.as_ref().map(installed).unwrap_or_default();
        stamps.extend(before);
        let known = Known { interpreter, stamps };
        if let Ok(bytes) = serde_json::to_vec(&known) {
            locked().write(Kind::Interpreter, &way.name, &bytes);
        }
        answer
    }
}

impl Known {
    /// What was said, if nothing changed since.
    fn read(store: &Store, way: &Way) -> Option<Self> {
        store.levels().find_map(|level| {
            let bytes = store.read(level, Kind::Interpreter, &way.name)?;
            let known: Self = serde_json::from_slice(&bytes).ok()?;
            known
                .stamps
                .iter()
                .all(|(path, was)| stamp(path) == *was)
                .then_some(known)
        })
    }
}

/// Files and folders that change when something is installed in an interpreter.
fn installed(interpreter: &Interpreter) -> BTreeMap<PathBuf, String> {
    let (major, minor, _) = interpreter.version;
    let mut places = vec![interpreter.executable.clone()];
    if let Ok(real) = interpreter.executable.canonicalize() {
        places.push(real);
    }
    if let Some(folder) = interpreter.executable.parent() {
        places.push(folder.join("pyvenv.cfg"));
        places.extend(folder.parent().map(|above| above.join("pyvenv.cfg")));
    }
    for prefix in &interpreter.prefixes {
        for library in ["lib", "lib64", "local/lib"] {
            let library = prefix.join(library);
            places.push(library.join(format!("python{major}.{minor}/site-packages")));
            places.push(library.join(format!("python{major}.{minor}/dist-packages")));
            places.push(library.join("python3/dist-packages"));
        }
    }
    for folder in &interpreter.path {
        places.push(folder.clone());
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        places.extend(entries.map(|entry| entry.path()).filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pth" || extension == "egg-link")
        }));
    }
    places
        .into_iter()
        .map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        })
        .collect()
}

/// How a program on `PATH` comes to be a certain Python.
struct Way {
    name: String,
    places: Vec<PathBuf>,
    /// Whether it is a stand-in that a version manager put there.
    managed: bool,
}

impl Way {
    /// `None` for a script of which nobody knows what it starts.
    fn of(settings: &EngineSettings, python: &Path) -> Option<Self> {
        let real = python.canonicalize().ok()?;
        let mut places = vec![python.to_owned(), real.clone()];
        let managed = is_script(&real)?;
        if managed {
            let shims = python.parent().filter(|folder| folder.ends_with("shims"))?;
            let manager = shims.parent()?;
            places.extend(
                ["version", "versions", "installs", "installs/python"].map(|name| manager.join(name)),
            );
            let home = settings.variable("HOME").map(PathBuf::from);
            let folders = settings
                .working_directory
                .ancestors()
                .map(Path::to_owned)
                .chain(home);
            for folder in folders {
                places.extend(
                    [
                        ".python-version",
                        ".tool-versions",
                        "mise.toml",
                        ".mise.toml",
                        ".config/mise/config.toml",
                        "mise.local.toml",
                    ]
                    .map(|name| folder.join(name)),
                );
            }
        }
        let variables: Vec<(String, String)> = environment::tool_environment(settings)
            .into_iter()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .filter(|(name, _)| {
                name == "LD_LIBRARY_PATH"
                    || managed && ["PATH", "HOME"].contains(&name.as_str())
                    || ["PYENV_", "ASDF_", "MISE_"]
                        .iter()
                        .any(|prefix| name.starts_with(prefix))
            })
            .collect();
        let folder = managed.then_some(&settings.working_directory);
        let way = (python, &real, folder, variables);
        Some(Self {
            name: digest(&serde_json::to_vec(&way).ok()?),
            places,
            managed,
        })
    }

    fn stamps(&self) -> BTreeMap<PathBuf, String> {
        self.places
            .iter()
            .map(|path| (path.clone(), stamp(path)))
            .collect()
    }
}

fn is_script(path: &Path) -> Option<bool> {
    let mut start = [0; 2];
    std::fs::File::open(path).ok()?.read_exact(&mut start).ok()?;
    Some(&start == b"#!")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(path: &Path, log: &Path, kfp: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let body = format!(
            "#!/bin/sh\necho asked >> {}\necho 'kfp-gitops-probe {{\"executable\":\"/a\",\"version\":[3,12,1],\
             \"implementation\":\"cpython\",\"abi\":\"x\",\"kfp\":\"{kfp}\",\"kubernetes\":null,\"pip\":null,\
             \"prefixes\":[],\"path\":[]}}'\n",
            log.display()
        );
        crate::compile::fixtures::script(path, &body);
    }

    #[tokio::test]
    async fn a_managers_stand_in_is_asked_again_when_its_choice_may_have_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (shim, other, log) = (
            root.join("manager/shims/python3"),
            root.join("bin/python3"),
            root.join("log"),
        );
        script(&shim, &log, "2.17.0");
        script(&other, &log, "2.17.0");
        let tree = root.join("tree");
        std::fs::create_dir(&tree).unwrap();
        let mut settings = EngineSettings::new(&tree, &root.join("cache"));
        let known = Interpreters::open(&settings);
        let asked = || std::fs::read_to_string(&log).map_or(0, |text| text.lines().count());

        let first = known.ask(&settings, &shim).await.unwrap();
        assert_eq!(known.ask(&settings, &shim).await.unwrap(), first);
        assert_eq!(asked(), 1);
        std::fs::write(tree.join(".python-version"), "3.12").unwrap();
        known.ask(&settings, &shim).await.unwrap();
        assert_eq!(asked(), 2, "another choice in the tree");
        settings.environment.insert("PYENV_VERSION".into(), "3.11".into());
        known.ask(&settings, &shim).await.unwrap();
        assert_eq!(asked(), 3, "another choice in the environment");
        script(&shim, &log, "2.16.10");
        known.ask(&settings, &shim).await.unwrap();
        assert_eq!(asked(), 4, "another stand-in");

        known.ask(&settings, &other).await.unwrap();
        known.ask(&settings, &other).await.unwrap();
        assert_eq!(asked(), 6, "nobody knows what a script does");
    }
}
