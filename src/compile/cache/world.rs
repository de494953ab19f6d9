//! What lies in the tree now, in words that can be compared: each path is looked at once in a run.

use super::store::digest;
use std::collections::HashMap;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A data file larger than this is not hashed at every run.
const LARGEST: u64 = 64 << 20;

/// Looks at a tree. No path leads out of it, whatever it is made of.
#[derive(Debug)]
pub(super) struct World {
    root: PathBuf,
    contents: HashMap<String, String>,
    kinds: HashMap<String, String>,
    listings: HashMap<String, Option<Vec<String>>>,
    libraries: HashMap<String, String>,
}

/// Nothing was found there.
pub(super) const ABSENT: &str = "absent";
/// The path leads out of the tree, or nobody can say what lies there.
pub(super) const UNCLEAR: &str = "unclear";

impl World {
    /// A tree.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
            contents: HashMap::new(),
            kinds: HashMap::new(),
            listings: HashMap::new(),
            libraries: HashMap::new(),
        }
    }

    /// The digest of a file, or what lies there instead.
    pub(super) fn content(&mut self, path: &str) -> &str {
        if !self.contents.contains_key(path) {
            let state = self.look_at_content(path);
            self.contents.insert(path.to_owned(), state);
        }
        &self.contents[path]
    }

    /// What kind of thing lies there, and where a link leads.
    pub(super) fn kind(&mut self, path: &str) -> &str {
        if !self.kinds.contains_key(path) {
            let state = self.look_at_kind(path);
            self.kinds.insert(path.to_owned(), state);
        }
        &self.kinds[path]
    }

    /// What an import of a name finds in a folder: entries of that name with any suffix, and whether one is
    /// a package.
    pub(super) fn import(&mut self, folder: &str, name: &str) -> String {
        let Some(listing) = self.listing(folder) else {
            return ABSENT.to_owned();
        };
        let from = listing.partition_point(|entry| entry.as_str() < name);
        let found: Vec<String> = listing[from..]
            .iter()
            .take_while(|entry| entry.starts_with(name))
            .filter(|entry| entry.len() == name.len() || entry.as_bytes()[name.len()] == b'.')
            .cloned()
            .collect();
        let mut words = Vec::new();
        for entry in found {
            let path = join(folder, &entry);
            words.push(format!("{entry} {}", self.kind(&path)));
            if entry == name {
                let inside = self.listing(&path).into_iter().flatten();
                words.extend(
                    inside
                        .filter(|inner| inner.starts_with("__init__."))
                        .map(|inner| format!("{entry}/{inner}")),
                );
            }
        }
        let text = words.join(", ");
        if text.len() > 400 {
            digest(text.as_bytes())
        } else {
            text
        }
    }

    /// When a file outside of the tree was changed, and its size.
    pub(super) fn library(&mut self, path: &str) -> &str {
        if !self.libraries.contains_key(path) {
            self.libraries.insert(path.to_owned(), stamp(Path::new(path)));
        }
        &self.libraries[path]
    }

    /// Whether a path, and where nothing lies there the folder above, is as it was at `moment`.
    pub(super) fn is_settled(&self, path: &str, moment: SystemTime) -> bool {
        let path = self.root.join(path);
        for (step, place) in path.ancestors().enumerate() {
            match std::fs::symlink_metadata(place) {
                // a folder that is there changes with each file in it, and stays a folder
                Ok(meta) if step == 0 && meta.is_dir() => return true,
                Ok(meta) if step == 0 && meta.is_symlink() => {
                    let target = std::fs::metadata(place);
                    return is_older(&meta, moment)
                        && target.map_or(true, |meta| meta.is_dir() || is_older(&meta, moment));
                }
                Ok(meta) => return is_older(&meta, moment),
                Err(_) if place == self.root => return false,
                Err(_) => {}
            }
        }
        false
    }

    /// Whether no name came to or went from a folder since `moment`.
    pub(super) fn is_settled_folder(&self, folder: &str, moment: SystemTime) -> bool {
        std::fs::metadata(self.root.join(folder)).map_or_else(
            |_| self.is_settled(folder, moment),
            |meta| is_older(&meta, moment),
        )
    }

    fn look_at_content(&self, path: &str) -> String {
        let real = match self.inside(path) {
            Ok(real) => real,
            Err(state) => return state.to_owned(),
        };
        // never waits for a pipe's other end
        let file = std::fs::File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(real);
        let Ok(file) = file else {
            return UNCLEAR.to_owned();
        };
        match file.metadata() {
            Ok(meta) if meta.is_dir() => return "folder".to_owned(),
            Ok(meta) if meta.is_file() && meta.len() <= LARGEST => {}
            _ => return UNCLEAR.to_owned(),
        }
        let mut bytes = Vec::new();
        match file.take(LARGEST).read_to_end(&mut bytes) {
            Ok(_) => digest(&bytes),
            Err(_) => UNCLEAR.to_owned(),
        }
    }

    fn look_at_kind(&self, path: &str) -> String {
        let real = match self.inside(path) {
            Ok(real) => real,
            Err(state) => {
                // a link that leads nowhere, or out
                return std::fs::read_link(self.root.join(path))
                    .ok()
                    .filter(|_| state == ABSENT)
                    .map_or_else(|| state.to_owned(), |target| format!("link {}", target.display()));
            }
        };
        let kind = std::fs::metadata(&real).map_or(UNCLEAR, |meta| {
            if meta.is_dir() {
                "folder"
            } else if meta.is_file() {
                "file"
            } else {
                UNCLEAR
            }
        });
        match std::fs::read_link(self.root.join(path)) {
            Ok(target) => format!("link {} to a {kind}", target.display()),
            Err(_) => kind.to_owned(),
        }
    }

    /// Where a path leads, if that is in the tree.
    fn inside(&self, path: &str) -> Result<PathBuf, &'static str> {
        match self.root.join(path).canonicalize() {
            Ok(real) if real.starts_with(&self.root) => Ok(real),
            Ok(_) => Err(UNCLEAR),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => Err(ABSENT),
            Err(_) => Err(UNCLEAR),
        }
    }

    fn listing(&mut self, folder: &str) -> Option<&Vec<String>> {
        if !self.listings.contains_key(folder) {
            let names = self.inside(folder).ok().and_then(|real| {
                let mut names: Vec<String> = std::fs::read_dir(real)
                    .ok()?
                    .flatten()
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect();
                names.sort();
                Some(names)
            });
            self.listings.insert(folder.to_owned(), names);
        }
        self.listings[folder].as_ref()
    }
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "." | "" => name.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

fn is_older(meta: &Metadata, moment: SystemTime) -> bool {
    let seconds = u64::try_from(meta.ctime()).unwrap_or(u64::MAX >> 1);
    let nanoseconds = u32::try_from(meta.ctime_nsec()).unwrap_or(0);
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::new(seconds, nanoseconds))
        .is_some_and(|changed| changed < moment)
}

/// When something was last written, and its size.
pub(super) fn stamp(path: &Path) -> String {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => format!("{}.{:09}", meta.mtime(), meta.mtime_nsec()),
        Ok(meta) => format!("{}.{:09} {}", meta.mtime(), meta.mtime_nsec(), meta.size()),
        Err(_) => ABSENT.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for (path, text) in [
            ("a.py", "a"),
            ("a/__init__.py", ""),
            ("ab.py", ""),
            ("n/x.py", ""),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(folder.path().join("secret"), "s").unwrap();
        for (link, target) in [("out", "../secret"), ("in", "a.py"), ("dangling", "nothing")] {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        folder
    }

    #[test]
    fn nothing_leads_out_of_the_tree() {
        let folder = tree();
        let mut world = World::new(&folder.path().join("root"));
        for path in [
            "out",
            "../secret",
            "/etc/passwd",
            "n/../../secret",
            "/proc/self/environ",
        ] {
            assert_eq!(world.content(path), UNCLEAR, "{path}");
            assert!(world.kind(path).ends_with(UNCLEAR), "{path}");
        }
        assert_eq!(world.content("in"), digest(b"a"));
        assert_eq!(world.content("nothing/at/all"), ABSENT);
        assert_eq!(world.content("a.py/x"), ABSENT);
        assert_eq!(world.content("n"), "folder");
    }

    #[test]
    fn kinds_and_imports() {
        let folder = tree();
        let mut world = World::new(&folder.path().join("root"));
        for (path, kind) in [
            (".", "folder"),
            ("a.py", "file"),
            ("x", ABSENT),
            ("in", "link a.py to a file"),
            ("dangling", "link nothing"),
        ] {
            assert_eq!(world.kind(path), kind, "{path}");
        }
        assert_eq!(world.import(".", "a"), "a folder, a/__init__.py, a.py file");
        assert_eq!(world.import(".", "n"), "n folder");
        assert_eq!(world.import(".", "other"), "");
        assert_eq!(world.import("none", "a"), ABSENT);
    }

    #[test]
    fn what_changes_is_not_settled() {
        let folder = tree();
        let world = World::new(&folder.path().join("root"));
        let before = SystemTime::now() - Duration::from_secs(60);
        let after = SystemTime::now() + Duration::from_secs(60);
        for path in ["a.py", "in", "dangling", "absent", "n/absent/deeper"] {
            assert!(world.is_settled(path, after), "{path}");
            assert!(!world.is_settled(path, before), "{path}");
        }
        assert!(!world.is_settled_folder(".", before) && world.is_settled_folder("n", after));
    }
}
