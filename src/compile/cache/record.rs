//! What a result depends on: claimed by the child, looked at by this program, compared before the result is
//! used again.

use super::inputs::Inputs;
use super::store::digest;
use super::world::{UNCLEAR, World};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// More than this is an attack, not a file.
const MOST: usize = 10_000;

/// What a child says it looked at. Made by hostile code.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(in crate::compile) struct Observed {
    /// Files whose content was read, or was to be read; relative to the root.
    pub files: BTreeSet<String>,
    /// Folder and name of each import that went through the tree.
    pub lookups: BTreeSet<(String, String)>,
    /// Paths of which the kind was asked for.
    pub kinds: BTreeSet<String>,
    /// Files and folders of installed packages.
    pub libraries: BTreeSet<String>,
    /// Variables that were asked for.
    pub environment: BTreeSet<String>,
    /// Files whose pipelines were imported, and whether those are deployed by themselves.
    pub deployed: Vec<(PathBuf, bool)>,
    /// Why nothing can be kept.
    pub reasons: Vec<String>,
}

/// What a run is: the same for all files.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// The environment that children get.
    pub passed: BTreeMap<String, String>,
    /// Variables that are set and withheld.
    pub withheld: BTreeSet<String>,
    /// Files that are deployed by themselves.
    pub deployed: BTreeSet<PathBuf>,
}

/// Different in every run.
const OWN: [&str; 2] = ["HOME", "TMPDIR"];

impl Surroundings {
    fn variable(&self, name: &str) -> String {
        match self.passed.get(name) {
            Some(value) => digest(value.as_bytes()),
            None if self.withheld.contains(name) => "withheld".to_owned(),
            None => "absent".to_owned(),
        }
    }
}

/// What was found where the child looked.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Record {
    files: BTreeMap<String, String>,
    lookups: BTreeMap<String, BTreeMap<String, String>>,
    kinds: BTreeMap<String, String>,
    libraries: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    deployed: BTreeMap<PathBuf, bool>,
}

impl Record {
    /// Looks where the child says it looked. Nothing may have changed since `begun`, before the child read it.
    ///
    /// # Errors
    /// Why the result cannot be kept, as a fragment.
    pub(super) fn make(
        observed: &Observed,
        world: &mut World,
        surroundings: &Surroundings,
        libraries: &[PathBuf],
        begun: SystemTime,
    ) -> Result<Self, String> {
        if let Some(reason) = observed.reasons.first() {
            return Err(reason.chars().take(500).collect());
        }
        let count = observed.files.len()
            + observed.lookups.len()
            + observed.kinds.len()
            + observed.libraries.len()
            + observed.environment.len()
            + observed.deployed.len();
        if count > MOST {
            return Err(format!("looks at {count} files"));
        }
        let changed = |path: &str| Err(format!("`{path}` changed while it was compiled"));
        let unclear = |path: &str| Err(format!("reads `{path}`, which is no file of the tree"));
        let mut record = Self::default();
        for path in &observed.files {
            // whether such a file can be read at all depends on the isolation that the machine gives
            if path
                .split('/')
                .any(|part| part.starts_with('.') && !part.trim_matches('.').is_empty())
            {
                return Err(format!("reads `{path}`, which is hidden"));
            }
            let state = world.content(path).to_owned();
            if state == UNCLEAR {
                return unclear(path);
            }
            if !world.is_settled(path, begun) {
                return changed(path);
            }
            record.files.insert(path.clone(), state);
        }
        for path in &observed.kinds {
            let state = world.kind(path).to_owned();
            if state.ends_with(UNCLEAR) {
                return unclear(path);
            }
            if !world.is_settled(path, begun) {
                return changed(path);
            }
            record.kinds.insert(path.clone(), state);
        }
        for (folder, name) in &observed.lookups {
            let state = world.import(folder, name);
            if !world.is_settled_folder(folder, begun) {
                return changed(folder);
            }
            record
                .lookups
                .entry(folder.clone())
                .or_default()
                .insert(name.clone(), state);
        }
        for path in &observed.libraries {
            let plain = !path.split('/').any(|part| part == "..");
            if !plain || !libraries.iter().any(|folder| Path::new(path).starts_with(folder)) {
                return Err(format!("reads `{path}`, which belongs to no package"));
            }
            record
                .libraries
                .insert(path.clone(), world.library(path).to_owned());
        }
        for name in &observed.environment {
            if OWN.contains(&name.as_str()) {
                return Err(format!("reads `{name}`, which is another in every run"));
            }
            record
                .environment
                .insert(name.clone(), surroundings.variable(name));
        }
        for (path, _) in &observed.deployed {
            record
                .deployed
                .insert(path.clone(), surroundings.deployed.contains(path));
        }
        Ok(record)
    }

    /// Whether everything is still as it was.
    pub(super) fn holds(&self, world: &mut World, surroundings: &Surroundings) -> bool {
        self.environment
            .iter()
            .all(|(name, state)| surroundings.variable(name) == *state)
            && self
                .deployed
                .iter()
                .all(|(path, state)| surroundings.deployed.contains(path) == *state)
            && self
                .files
                .iter()
                .all(|(path, state)| world.content(path) == state)
            && self.kinds.iter().all(|(path, state)| world.kind(path) == state)
            && self.lookups.iter().all(|(folder, names)| {
                names
                    .iter()
                    .all(|(name, state)| world.import(folder, name) == *state)
            })
            && self
                .libraries
                .iter()
                .all(|(path, state)| world.library(path) == state)
    }

    /// The part of it that lies in the tree, for telling which changes matter.
    pub(super) fn inputs(&self) -> Inputs {
        Inputs {
            files: self
                .files
                .keys()
                .chain(self.kinds.keys())
                .map(|path| plain(path))
                .collect(),
            present: self
                .files
                .iter()
                .filter(|(_, state)| *state != super::world::ABSENT)
                .map(|(path, _)| plain(path))
                .collect(),
            lookups: self
                .lookups
                .iter()
                .flat_map(|(folder, names)| names.keys().map(|name| (plain(folder), name.clone())))
                .collect(),
        }
    }
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn surroundings(passed: &[(&str, &str)], withheld: &[&str], deployed: &[&str]) -> Surroundings {
        Surroundings {
            passed: passed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            withheld: withheld.iter().map(|name| (*name).to_owned()).collect(),
            deployed: deployed.iter().map(PathBuf::from).collect(),
        }
    }

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(60)
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_thing_that_was_looked_at_counts_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("a.py"), "a").unwrap();
        std::fs::write(root.join("library"), "l").unwrap();
        let library = root.canonicalize().unwrap().join("library").display().to_string();
        let observed = Observed {
            files: set(&["a.py", "data.json"]),
            lookups: [(".".to_owned(), "helper".to_owned())].into(),
            kinds: set(&["flag"]),
            libraries: set(&[&library]),
            environment: set(&["TAG", "OTHER", "NONE"]),
            deployed: vec![("/b_pipeline.py".into(), true)],
            reasons: Vec::new(),
        };
        let now = || surroundings(&[("TAG", "1")], &["OTHER"], &["/b_pipeline.py"]);
        let record = Record::make(
            &observed,
            &mut World::new(root),
            &now(),
            &[root.canonicalize().unwrap()],
            later(),
        )
        .unwrap();
        let holds = |surroundings: &Surroundings| record.holds(&mut World::new(root), surroundings);
        assert!(holds(&now()));
        std::fs::write(root.join("unrelated.py"), "").unwrap();
        assert!(holds(&now()));
        for (path, text) in [
            ("a.py", "b"),
            ("data.json", "{}"),
            ("flag", ""),
            ("helper.py", ""),
            ("library", "longer"),
        ] {
            let before = std::fs::read(root.join(path));
            std::fs::write(root.join(path), text).unwrap();
            assert!(!holds(&now()), "{path}");
            match before {
                Ok(bytes) if path == "library" => {
                    let _ = bytes;
                    continue;
                }
                Ok(bytes) => std::fs::write(root.join(path), bytes).unwrap(),
                Err(_) => std::fs::remove_file(root.join(path)).unwrap(),
            }
            assert!(holds(&now()), "{path} again");
        }
    }

    #[test]
    fn variables_and_neighbours_count() {
        let root = tempfile::tempdir().unwrap();
        let observed = Observed {
            environment: set(&["TAG", "OTHER", "NONE"]),
            deployed: vec![("/b_pipeline.py".into(), true)],
            ..Observed::default()
        };
        let now = surroundings(&[("TAG", "1")], &["OTHER"], &["/b_pipeline.py"]);
        let mut world = World::new(root.path());
        let record = Record::make(&observed, &mut world, &now, &[], later()).unwrap();
        assert!(record.holds(&mut world, &now));
        for other in [
            surroundings(&[("TAG", "2")], &["OTHER"], &["/b_pipeline.py"]),
            surroundings(&[], &["OTHER"], &["/b_pipeline.py"]),
            surroundings(&[("TAG", "1")], &[], &["/b_pipeline.py"]),
            surroundings(&[("TAG", "1")], &["OTHER", "NONE"], &["/b_pipeline.py"]),
            surroundings(&[("TAG", "1"), ("NONE", "")], &["OTHER"], &["/b_pipeline.py"]),
            surroundings(&[("TAG", "1")], &["OTHER"], &[]),
        ] {
            assert!(!record.holds(&mut world, &other), "{other:?}");
        }
        let unread = surroundings(
            &[("TAG", "1"), ("X", "")],
            &["OTHER", "Y"],
            &["/b_pipeline.py", "/c"],
        );
        assert!(record.holds(&mut world, &unread));
    }

    #[test]
    fn what_is_unsound_is_not_kept() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.py"), "").unwrap();
        let mut world = World::new(root.path());
        let nothing = surroundings(&[], &[], &[]);
        let library = [PathBuf::from("/usr/lib/python3")];
        let earlier = SystemTime::now() - Duration::from_secs(60);
        let cases = [
            (
                Observed {
                    files: set(&["../../etc/passwd"]),
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    files: set(&["/etc/passwd"]),
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    files: set(&["a.py"]),
                    ..Observed::default()
                },
                earlier,
            ),
            (
                Observed {
                    files: set(&["configuration/.env.local"]),
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    libraries: set(&["/etc/shadow"]),
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    libraries: set(&["/usr/lib/python3/../../../etc/shadow"]),
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    environment: set(&["HOME"]),
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    reasons: vec!["reads the clock".into()],
                    ..Observed::default()
                },
                later(),
            ),
            (
                Observed {
                    files: (0..=MOST).map(|number| number.to_string()).collect(),
                    ..Observed::default()
                },
                later(),
            ),
        ];
        for (observed, begun) in cases {
            let made = Record::make(&observed, &mut world, &nothing, &library, begun);
            assert!(made.is_err(), "{observed:?}");
        }
    }
}
