//! What a worker runs with, told by what its files and folders hold, so that the next run knows without starting
//! it that nothing was installed, upgraded or edited meanwhile. Times say nothing: each job may install the same
//! anew, or unpack it from an archive.

use super::store::digest;
use super::world::stamp;
use crate::compile::worker::{Hello, Start};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStringExt;
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
    contents: BTreeMap<PathBuf, String>,
    /// The interpreter itself, by time and size: it is large, and nobody installs it anew for each job.
    interpreter: (PathBuf, String),
    /// Variables that were read while it was loaded, with the digests of their values.
    variables: BTreeMap<String, Option<String>>,
}

impl Environment {
    /// What a worker said of itself, before any source ran.
    pub(super) fn of(start: &Start, hello: &Hello, root: &Path, passed: &BTreeMap<String, String>) -> Self {
        let folders = hello
            .search
            .iter()
            // folders of the tree are looked at import by import: a checkout gives them new times
            .filter(|folder| !folder.starts_with(root) || hello.libraries.contains(folder));
        Self {
            python: hello.python.clone(),
            kfp: hello.kfp.clone(),
            libraries: hello.libraries.clone(),
            variables: hello
                .variables
                .iter()
                .chain(passed.keys().filter(|name| is_for_the_interpreter(name)))
                .map(|name| (name.clone(), value(passed, name)))
                .collect(),
            contents: hello
                .loaded
                .iter()
                .chain(folders)
                .map(|path| (path.clone(), contents(path)))
                .collect(),
            interpreter: (start.python.clone(), stamp(&start.python)),
        }
    }

    /// Whether nothing of it changed.
    pub(super) fn holds(&self, passed: &BTreeMap<String, String>) -> bool {
        !self.contents.is_empty()
            && passed
                .keys()
                .all(|name| !is_for_the_interpreter(name) || self.variables.contains_key(name))
            && self
                .variables
                .iter()
                .all(|(name, known)| value(passed, name) == *known)
            && stamp(&self.interpreter.0) == self.interpreter.1
            && self.contents.iter().all(|(path, known)| contents(path) == *known)
    }

    /// Its identity.
    pub(in crate::compile) fn digest(&self) -> String {
        digest(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Digest of a file's bytes, or of what is installed in a folder.
fn contents(path: &Path) -> String {
    match std::fs::read_dir(path) {
        Ok(entries) => installed(entries),
        Err(_) => std::fs::read(path).map_or_else(|_| "absent".to_owned(), |bytes| digest(&bytes)),
    }
}

/// The names in a folder of modules, with what says which files belong to a package, and which folders are
/// searched besides.
fn installed(entries: std::fs::ReadDir) -> String {
    let mut found: Vec<(Vec<u8>, Option<String>)> = entries
        .flatten()
        .filter(|entry| entry.file_name() != "__pycache__")
        .map(|entry| {
            let (name, path) = (entry.file_name(), entry.path());
            let said = match path.extension().and_then(OsStr::to_str) {
                // lists every file of the package with its hash
                Some("dist-info") => Some(path.join("RECORD")),
                Some("pth" | "egg-link") => Some(path),
                _ => None,
            };
            let said = said.and_then(|path| std::fs::read(path).ok());
            (name.into_vec(), said.map(|bytes| digest(&bytes)))
        })
        .collect();
    found.sort();
    digest(&serde_json::to_vec(&found).unwrap_or_default())
}

fn value(passed: &BTreeMap<String, String>, name: &str) -> Option<String> {
    passed.get(name).map(|value| digest(value.as_bytes()))
}

/// Whether a variable is read where Python cannot tell.
fn is_for_the_interpreter(name: &str) -> bool {
    ["PYTHON", "LD_", "DYLD_", "LC_", "LANG", "GLIBC_", "MALLOC_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
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
        &start.project,
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
            kfp: "2.17.0".into(),
            paths: vec![site.clone()],
            project: Vec::new(),
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
            variables: vec!["KFP_SWITCH".into()],
            apart: None,
        };
        let none = BTreeMap::new();
        let made = |hello: &Hello| Environment::of(&start, hello, Path::new("/tree"), &BTreeMap::new());
        let first = made(&hello);
        assert!(first.holds(&none));
        for name in ["KFP_SWITCH", "PYTHONPATH"] {
            let passed = [(name.to_owned(), "1".to_owned())].into();
            assert!(!first.holds(&passed), "{name}");
            let with = Environment::of(&start, &hello, Path::new("/tree"), &passed);
            assert!(with.holds(&passed) && !with.holds(&none), "{name}");
            assert_ne!(with.digest(), first.digest());
        }
        let unread = [("TAG".to_owned(), "1".to_owned())].into();
        assert!(first.holds(&unread));
        let record = site.join("kfp-2.17.0.dist-info/RECORD");
        std::fs::create_dir(record.parent().unwrap()).unwrap();
        std::fs::write(&record, "kfp.py,sha256=a,1").unwrap();
        assert!(!first.holds(&none), "a package that came");
        let first = made(&hello);
        std::fs::create_dir(site.join("__pycache__")).unwrap();
        std::fs::write(&module, "1").unwrap();
        assert!(first.holds(&none), "the same, written anew");
        std::fs::write(&record, "kfp.py,sha256=b,1").unwrap();
        assert!(
            !first.holds(&none),
            "a package of the same version with other files"
        );
        std::fs::write(&record, "kfp.py,sha256=a,1").unwrap();
        std::fs::write(&module, "2").unwrap();
        assert!(!first.holds(&none), "an edited module");
        let second = made(&hello);
        assert_ne!(first.digest(), second.digest());
        std::fs::create_dir(folder.path().join("absent")).unwrap();
        assert!(!second.holds(&none), "a folder of packages that came");
        let third = made(&hello);
        std::fs::write(&start.python, "").unwrap();
        assert!(!third.holds(&none), "another interpreter");
        assert!(made(&hello).holds(&none));
    }
}
