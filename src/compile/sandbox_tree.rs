//! What a compile may read: the machine's programs and the tree, entry by entry without what holds secrets.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Paths to grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    /// Read and run everything beneath, or the one file.
    pub read: Vec<PathBuf>,
    /// List this folder and those beneath, read nothing.
    pub list: Vec<PathBuf>,
    /// Whether something needed lies where other users cannot read.
    pub closed: bool,
}

/// Parts of the system that programs need to run at all.
const SYSTEM: [&str; 25] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld-musl-x86_64.path",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/os-release",
    "/etc/mime.types",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/sys/devices/system/cpu",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
];

/// What reaching the network needs beside.
const NETWORK: [&str; 11] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/gai.conf",
    "/etc/services",
    // not the folders above these, which hold private keys as well
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
];

/// The system's own paths that exist here.
pub(super) fn system(network: bool) -> Vec<PathBuf> {
    let python: Vec<PathBuf> = std::fs::read_dir("/etc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().as_bytes().starts_with(b"python"))
        .map(|entry| entry.path())
        .collect();
    let more: &[&str] = if network { &NETWORK } else { &[] };
    SYSTEM
        .iter()
        .chain(more)
        .map(PathBuf::from)
        .chain(python)
        .flat_map(|path| {
            if path.starts_with("/etc") {
                open_to_all(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.exists())
        .collect()
}

/// What every user may read of the system's configuration: installers look for more of it than can be listed. Entry by
/// entry, because whoever keeps the right to search closed folders would find the closed files in an open one too.
pub(super) fn configuration() -> Vec<PathBuf> {
    const NOT: [&str; 6] = ["ssl", "pki", "docker", "kubernetes", "ssh", "sudoers.d"];
    std::fs::read_dir("/etc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| !NOT.iter().any(|name| entry.file_name() == *name))
        .flat_map(|entry| open_to_all(&entry.path()))
        .collect()
}

/// What every user may read of a path: the whole, or what is left without closed entries.
fn open_to_all(path: &Path) -> Vec<PathBuf> {
    // a link at the top leads where the system put it; the ones beneath give nothing
    let Ok(meta) = std::fs::metadata(path) else {
        return Vec::new();
    };
    let needed = if meta.is_dir() { 0o005 } else { 0o004 };
    if meta.permissions().mode() & needed != needed {
        return Vec::new();
    }
    if !meta.is_dir() {
        return vec![path.to_path_buf()];
    }
    let (mut whole, mut parts) = (true, Vec::new());
    let mut add = |entry: std::fs::DirEntry| {
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            return;
        }
        let inside = open_to_all(&entry.path());
        whole &= inside == [entry.path()];
        parts.extend(inside);
    };
    std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .for_each(&mut add);
    if whole { vec![path.to_path_buf()] } else { parts }
}

/// Names that are never granted, wherever they are: the checkout token lies in `.git/config`.
pub(super) fn is_secret(name: &OsStr) -> bool {
    const NAMES: [&[u8]; 22] = [
        b".git",
        b".kfp-gitops",
        b".netrc",
        b".pypirc",
        b".npmrc",
        b".ssh",
        b".aws",
        b".azure",
        b".gcloud",
        b".kube",
        b".docker",
        b".gnupg",
        b".git-credentials",
        b".config",
        b".cargo",
        b".vault-token",
        b".terraform",
        b".direnv",
        b".pgpass",
        b".boto",
        b"kubeconfig",
        b"id_rsa",
    ];
    let name = name.as_bytes();
    const ENDS: [&[u8]; 6] = [b".pem", b".key", b".p12", b".pfx", b".kubeconfig", b".jks"];
    NAMES.contains(&name)
        || name.starts_with(b".env")
        // what a login to a cloud leaves in the workspace
        || name.starts_with(b"gha-creds-")
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// Grants a tree of sources.
pub(super) fn tree(root: &Path, grants: &mut Grants) {
    grants.list.push(root.to_path_buf());
    grants.closed |= !reachable(root);
    let Walked { whole, parts, closed } = walk(root);
    grants.closed |= closed;
    if whole {
        grants.read.push(root.to_path_buf());
    } else {
        grants.read.extend(parts);
    }
}

/// Takes folders out of what was granted whole above them: the tree, which is granted by itself without what
/// holds secrets, and the user's home. A checkout may lie below `/usr`, and an editable install names the tree.
pub(super) fn carve(grants: &mut Grants, hidden: &[Option<&Path>]) {
    let hidden: Vec<PathBuf> = hidden
        .iter()
        .flatten()
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| path.parent().is_some())
        .collect();
    let granted = std::mem::take(&mut grants.read);
    for path in granted {
        around(path, &hidden, &mut grants.read);
    }
}

/// The path, or what lies beside the hidden ones in it.
fn around(path: PathBuf, hidden: &[PathBuf], granted: &mut Vec<PathBuf>) {
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    if !hidden.iter().any(|hidden| hidden.starts_with(&real)) {
        granted.push(path);
        return;
    }
    if hidden.contains(&real) {
        return;
    }
    for entry in std::fs::read_dir(&real).into_iter().flatten().flatten() {
        // a link gives nothing: what counts is where it leads
        if !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            around(entry.path(), hidden, granted);
        }
    }
}

/// Grants folders of programs. One that is the whole file system is not granted, its parts are.
pub(super) fn programs(paths: &[PathBuf], grants: &mut Grants) {
    for path in paths {
        if path.parent().is_none() || !path.exists() {
            continue;
        }
        grants.closed |= !reachable(path);
        grants.read.push(path.clone());
    }
}

struct Walked {
    whole: bool,
    parts: Vec<PathBuf>,
    closed: bool,
}

/// Looks for names that must stay hidden. A folder without any is granted whole, others by their entries.
fn walk(folder: &Path) -> Walked {
    let mut walked = Walked {
        whole: true,
        parts: Vec::new(),
        closed: false,
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return walked;
    };
    for entry in entries.flatten() {
        if is_secret(&entry.file_name()) {
            walked.whole = false;
            continue;
        }
        let Ok(meta) = entry.metadata() else { continue };
        let path = entry.path();
        if meta.is_symlink() {
            // a link gives nothing: what counts is where it leads
            continue;
        }
        let needed = if meta.is_dir() { 0o005 } else { 0o004 };
        walked.closed |= meta.permissions().mode() & needed != needed;
        if meta.is_dir() {
            let inside = walk(&path);
            walked.closed |= inside.closed;
            if inside.whole {
                walked.parts.push(path);
            } else {
                walked.whole = false;
                walked.parts.extend(inside.parts);
            }
        } else if meta.is_file() {
            walked.parts.push(path);
        }
    }
    walked
}

/// Whether any user can get there and read it.
fn reachable(path: &Path) -> bool {
    let mode = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    mode(path) & 0o004 != 0 && path.ancestors().skip(1).all(|folder| mode(folder) & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    fn granted(folder: &tempfile::TempDir) -> Vec<String> {
        let mut grants = Grants::default();
        tree(folder.path(), &mut grants);
        let mut names: Vec<String> = grants
            .read
            .iter()
            .map(|path| {
                path.strip_prefix(folder.path())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_lies_above_the_tree_is_granted_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        for path in ["usr/lib", "usr/src/app/.git", "usr/src/other", "usr/home/x"] {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        let (root, home) = (base.join("usr/src/app"), base.join("usr/home"));
        let mut grants = Grants {
            read: vec![
                base.join("usr"),
                root.clone(),
                root.join("deeper"),
                base.join("usr/lib"),
            ],
            ..Grants::default()
        };
        carve(&mut grants, &[Some(&root), Some(&home)]);
        grants.read.sort();
        grants.read.dedup();
        let expected = ["usr/lib", "usr/src/app/deeper", "usr/src/other"];
        assert_eq!(grants.read, expected.map(|path| base.join(path)));
    }

    #[test]
    fn keys_and_logins_stay_hidden() {
        for name in [
            "server.pem",
            "gha-creds-1a.json",
            "kubeconfig",
            ".env.local",
            ".pgpass",
        ] {
            assert!(is_secret(OsStr::new(name)), "{name}");
        }
        assert!(!is_secret(OsStr::new("keys.py")));
    }

    #[test]
    fn closed_files_in_open_folders_are_left_out() {
        let folder = make(&["a/open", "a/b/open", "c/open", "c/closed", "c/d/open", "e/open"]);
        let base = folder.path();
        for (path, mode) in [(".", 0o755), ("c/closed", 0o640), ("e", 0o711)] {
            std::fs::set_permissions(base.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::os::unix::fs::symlink("../c/closed", base.join("a/link")).unwrap();
        let mut granted = open_to_all(base);
        granted.sort();
        assert_eq!(granted, ["a", "c/d", "c/open"].map(|path| base.join(path)));
        assert_eq!(open_to_all(&base.join("a")), [base.join("a")]);
    }

    #[test]
    fn a_clean_tree_is_granted_whole() {
        assert_eq!(granted(&make(&["a.py", "b/c.py"])), [""]);
    }

    #[test]
    fn secrets_are_left_out_at_every_depth() {
        let folder = make(&[
            "a.py",
            ".git/config",
            "b/c.py",
            "b/d/.env.local",
            "b/d/e.py",
            "f/g/h.py",
        ]);
        assert_eq!(granted(&folder), ["a.py", "b/c.py", "b/d/e.py", "f"]);
    }

    #[test]
    fn links_grant_nothing() {
        let folder = make(&["a.py", ".git/config"]);
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
        assert_eq!(granted(&folder), ["a.py"]);
    }
}
