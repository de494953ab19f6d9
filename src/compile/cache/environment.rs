//! What a worker runs with, told by its files' times and sizes, so that the next run knows without starting
//! it that nothing was installed, upgraded or edited meanwhile.

use super::store::digest;
use super::world::stamp;
use crate::compile::worker::{Hello, Start};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One worker's Python and packages.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(in crate::compile) struct Environment {
    /// The Python version.
    pub python: String,
    /// The kfp version.
    pub kfp: String,
    /// Folders of installed packages and of the standard library.
    pub libraries: Vec<PathBuf>,
    /// Every file that was loaded before any source ran, and every folder that is searched.
    stamps: BTreeMap<PathBuf, String>,
}

impl Environment {
    /// What a worker said of itself, before any source ran.
    pub(super) fn of(start: &Start, hello: &Hello, root: &Path) -> Self {
        let folders = hello
            .search
            .iter()
            // folders of the tree are looked at import by import: a checkout gives them new times
            .filter(|folder| !folder.starts_with(root) || hello.libraries.contains(folder));
        Self {
            python: hello.python.clone(),
            kfp: hello.kfp.clone(),
            libraries: hello.libraries.clone(),
            stamps: hello
                .loaded
                .iter()
                .chain(folders)
                .chain([&start.python])
                .map(|path| (path.clone(), stamp(path)))
                .collect(),
        }
    }

    /// Whether nothing of it changed.
    pub(super) fn holds(&self) -> bool {
        !self.stamps.is_empty() && self.stamps.iter().all(|(path, known)| stamp(path) == *known)
    }

    /// Its identity.
    pub(in crate::compile) fn digest(&self) -> String {
        digest(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// The name under which the environment of a worker started in this way is kept.
pub(super) fn name(start: &Start, driver: &str) -> String {
    let real = start
        .python
        .canonicalize()
        .unwrap_or_else(|_| start.python.clone());
    let way = (
        driver,
        &start.python,
        &real,
        stamp(&real),
        &start.paths,
        start.only_paths,
    );
    digest(&serde_json::to_vec(&way).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_or_an_edit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        let module = site.join("kfp.py");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(&module, "1").unwrap();
        let start = Start {
            python: folder.path().join("python"),
            paths: vec![site.clone()],
            only_paths: true,
            readable: Vec::new(),
        };
        let hello = Hello {
            python: "3.11.7".into(),
            kfp: "2.17.0".into(),
            unfenced: None,
            libraries: vec![site.clone()],
            search: vec![site.clone(), folder.path().join("absent")],
            loaded: vec![module.clone()],
        };
        let made = |hello: &Hello| Environment::of(&start, hello, Path::new("/tree"));
        let first = made(&hello);
        assert!(first.holds());
        std::fs::write(&module, "12").unwrap();
        assert!(!first.holds(), "an edited module");
        let second = made(&hello);
        assert_ne!(first.digest(), second.digest());
        std::fs::create_dir(folder.path().join("absent")).unwrap();
        assert!(!second.holds(), "a folder of packages that came");
        let third = made(&hello);
        std::fs::write(&start.python, "").unwrap();
        assert!(!third.holds(), "another interpreter");
        assert!(made(&hello).holds());
    }
}
