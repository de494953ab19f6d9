//! Sealed files in a folder: written whole or not at all, checked when read, the oldest removed when there
//! are too many. No locks: a name stands for its content or for what anybody would write there.

use sha2::{Digest as _, Sha256};
use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The form of all files in the cache: another one lies in another folder.
const FORM: &str = "2";

/// A sealed file larger than this is none of ours.
pub(super) const LARGEST: u64 = 32 << 20;

/// What is kept, each kind in a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What interpreters said of themselves.
    Interpreter,
    /// What a worker found loaded at its start.
    Environment,
    /// What results depend on.
    Records,
    /// What children answered and printed.
    Result,
}

impl Kind {
    const fn folder(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreters",
            Self::Environment => "environments",
            Self::Records => "records",
            Self::Result => "results",
        }
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Where results lie.
#[derive(Debug)]
pub(super) struct Store {
    /// All trust levels lie below it.
    base: PathBuf,
    /// Read in this order. The first is written to.
    levels: Vec<PathBuf>,
    /// Why nothing can be written, where it cannot.
    pub read_only: Option<String>,
    /// Whether anything was written.
    pub written: bool,
    /// Whether anything was to be written and could not be.
    pub refused: bool,
}

impl Store {
    /// Opens the folder, making it where it can be made.
    ///
    /// # Errors
    /// Why it is not used, as a fragment.
    pub(super) fn open(cache_directory: &Path, levels: &[&str], scope: &str) -> Result<Self, String> {
        let base = cache_directory.join("results");
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&base);
        let shown = base.display();
        let meta = match (std::fs::metadata(&base), made) {
            (Ok(meta), _) if meta.is_dir() => meta,
            (_, Err(error)) => return Err(format!("`{shown}` cannot be made: {error}")),
            (_, Ok(())) => return Err(format!("`{shown}` is no folder")),
        };
        // what others can write decides what this program uploads
        if meta.permissions().mode() & 0o022 != 0 {
            return Err(format!("other users can write to `{shown}`"));
        }
        let (owner, read_only) = match tempfile::tempfile_in(&base).and_then(|file| file.metadata()) {
            Ok(own) => (own.uid(), None),
            Err(error) => (0, Some(error.to_string())),
        };
        if meta.uid() != owner {
            return Err(format!("`{shown}` belongs to another user"));
        }
        let scope = &digest(scope.as_bytes())[..16];
        Ok(Self {
            levels: levels
                .iter()
                .map(|level| base.join(FORM).join(level).join(scope))
                .collect(),
            base,
            read_only,
            written: false,
            refused: false,
        })
    }

    /// How many levels are read.
    pub(super) fn levels(&self) -> std::ops::Range<usize> {
        0..self.levels.len()
    }

    fn path(&self, level: usize, kind: Kind, name: &str) -> PathBuf {
        self.levels[level].join(kind.folder()).join(&name[..2]).join(name)
    }

    /// What lies under a name (hexadecimal digits); a file that is damaged is removed.
    pub(super) fn read(&self, level: usize, kind: Kind, name: &str) -> Option<Vec<u8>> {
        let path = self.path(level, kind, name);
        let file = File::open(&path).ok()?;
        let sealed = unseal(&file);
        if sealed.is_none() {
            let _gone_already = std::fs::remove_file(&path);
        } else {
            // what is used is kept longest; a folder that only can be read keeps its times
            let _not_mine = file.set_modified(SystemTime::now());
        }
        sealed
    }

    /// Puts something under a name. What goes wrong is kept as the reason why nothing more is written.
    pub(super) fn write(&mut self, kind: Kind, name: &str, content: &[u8]) {
        if self.read_only.is_none() {
            match seal(&self.path(0, kind, name), content) {
                Ok(()) => self.written = true,
                Err(error) => self.read_only = Some(error.to_string()),
            }
        }
        self.refused |= self.read_only.is_some();
    }

    /// Removes what was used longest ago until no more than nine tenths of `limit` bytes are left.
    pub(super) fn trim(&self, limit: u64) {
        let mut files = Vec::new();
        files_below(&self.base, 6, &mut files);
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        if total <= limit {
            return;
        }
        files.sort();
        for (_, size, path) in files {
            if total <= limit / 10 * 9 {
                return;
            }
            // another process may have been faster
            let _gone_already = std::fs::remove_file(path);
            total -= size;
        }
    }
}

fn files_below(folder: &Path, depth: usize, files: &mut Vec<(SystemTime, u64, PathBuf)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() && depth > 0 {
            files_below(&entry.path(), depth - 1, files);
        } else if meta.is_file() {
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push((used, meta.len(), entry.path()));
        }
    }
}

/// The content of a sealed file: the digest in the first line is that of the rest.
fn unseal(file: &File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 65).read_to_end(&mut bytes).ok()?;
    let (seal, rest) = bytes.split_at_checked(65)?;
    let sound = seal.ends_with(b"\n") && digest(rest).as_bytes() == &seal[..64];
    sound.then(|| bytes.split_off(65))
}

fn seal(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(format!("{}\n", digest(content)).as_bytes())?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn store(folder: &Path) -> Store {
        Store::open(folder, &["pull-request", "protected"], "a").unwrap()
    }

    fn name(text: &str) -> String {
        digest(text.as_bytes())
    }

    #[test]
    fn what_is_damaged_is_a_miss_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        let name = name("x");
        for damage in [
            &b""[..],
            b"short",
            &[b'0'; 100],
            format!("{}\nother", digest(b"content")).as_bytes(),
        ] {
            store.write(Kind::Result, &name, b"content");
            assert_eq!(
                store.read(0, Kind::Result, &name).as_deref(),
                Some(&b"content"[..])
            );
            let path = store.path(0, Kind::Result, &name);
            std::fs::write(&path, damage).unwrap();
            assert_eq!(store.read(0, Kind::Result, &name), None);
            assert!(!path.exists());
        }
    }

    #[test]
    fn only_the_first_level_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        store.write(Kind::Result, &name("x"), b"content");
        assert!(store.read(0, Kind::Result, &name("x")).is_some());
        assert!(store.read(1, Kind::Result, &name("x")).is_none());
        let other = Store::open(folder.path(), &["pull-request"], "b").unwrap();
        assert!(other.read(0, Kind::Result, &name("x")).is_none());
    }

    #[test]
    fn the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        for (index, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            store.write(Kind::Result, &name(text), &[b'x'; 935]);
            let file = File::options()
                .write(true)
                .open(store.path(0, Kind::Result, &name(text)))
                .unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(index as u64))
                .unwrap();
        }
        store.trim(4000);
        assert!(store.read(0, Kind::Result, &name("a")).is_some(), "all fit");
        store.trim(3000);
        let left: Vec<bool> = ["a", "b", "c", "d"]
            .iter()
            .map(|text| store.path(0, Kind::Result, &name(text)).exists())
            .collect();
        assert_eq!(left, [true, false, false, true], "`a` was just used");
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        drop(store(folder.path()));
        let base = folder.path().join("results");
        std::fs::set_permissions(&base, std::fs::Permissions::from_mode(0o777)).unwrap();
        let why = Store::open(folder.path(), &["protected"], "a").unwrap_err();
        assert!(why.contains("other users"), "{why}");
        std::fs::remove_dir(&base).unwrap();
        std::fs::write(&base, "").unwrap();
        assert!(Store::open(folder.path(), &["protected"], "a").is_err());
    }
}
