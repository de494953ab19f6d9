//! Which changes of a tree matter to a result.

use std::collections::BTreeSet;

/// What a result came from, as paths relative to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Everything that was looked at, whether or not something is there.
    pub(super) files: BTreeSet<String>,
    /// Files that were read.
    pub(super) present: BTreeSet<String>,
    /// Folder and name of each import that went through the tree.
    pub(super) lookups: BTreeSet<(String, String)>,
}

impl Inputs {
    /// Whether one of the changed paths matters. `tracked` are the files that git would tell a change of:
    /// a file that was read and is none of them may have changed in silence.
    #[must_use]
    pub fn affected_by(&self, changed: &BTreeSet<String>, tracked: &BTreeSet<String>) -> Option<String> {
        let silent = self.present.iter().find(|path| !tracked.contains(*path));
        if let Some(path) = silent {
            return Some(path.clone());
        }
        changed.iter().find(|path| self.looked_at(path)).cloned()
    }

    fn looked_at(&self, path: &str) -> bool {
        if self.files.contains(path) {
            return true;
        }
        // a link or a submodule in place of a folder on the way
        let below = format!("{path}/");
        if self
            .files
            .range(below.clone()..)
            .next()
            .is_some_and(|first| first.starts_with(&below))
        {
            return true;
        }
        self.lookups.iter().any(|(folder, name)| {
            let rest = match folder.as_str() {
                "." => Some(path),
                _ => path
                    .strip_prefix(folder.as_str())
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            rest.is_some_and(|rest| {
                let first = rest.split('/').next().unwrap_or(rest);
                first == name
                    || first
                        .strip_prefix(name.as_str())
                        .is_some_and(|end| end.starts_with('.'))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn what_was_looked_at_is_affected() {
        let inputs = Inputs {
            files: set(&["a.py", "flag", "sub/module/x.py"]),
            present: set(&["a.py"]),
            lookups: [
                (".".to_owned(), "helper".to_owned()),
                ("lib".to_owned(), "b".to_owned()),
            ]
            .into(),
        };
        let tracked = set(&["a.py"]);
        for path in [
            "a.py",
            "flag",
            "sub",
            "helper.py",
            "helper/__init__.py",
            "helper",
            "lib/b.so",
            "lib/b/x.py",
        ] {
            assert_eq!(inputs.affected_by(&set(&[path]), &tracked).as_deref(), Some(path));
        }
        let others = set(&[
            "b.py",
            "helpers.py",
            "lib/c.py",
            "lib",
            "flags",
            "x/helper.py",
            "README.md",
        ]);
        assert_eq!(inputs.affected_by(&others, &tracked), None);
        assert_eq!(
            inputs.affected_by(&set(&[]), &set(&[])).as_deref(),
            Some("a.py"),
            "git does not know it"
        );
    }
}
