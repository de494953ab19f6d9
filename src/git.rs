//! What git knows of the work tree: root, commit, branch, remote, tags, ancestry.
//!
//! Asked with the `git` command where there is one; without it a run still works and its marks say less.

use semver::Version;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The work tree's root: the nearest folder upward that holds `.git`.
#[must_use]
pub fn work_tree(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())
        .map(Path::to_owned)
}

/// What git says of one work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Git {
    root: PathBuf,
}

impl Git {
    /// Git in a work tree.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The commit checked out, 40 hex digits.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        self.line(&["rev-parse", "--verify", "HEAD"])
            .filter(|line| line.len() >= 40)
    }

    /// A file's text at a commit; `None` where the commit has no such file.
    #[must_use]
    pub fn file_at(&self, commit: &str, path: &str) -> Option<String> {
        self.output(&["show", &format!("{commit}:{path}")])
    }

    /// Whether tracked files differ from the commit, or untracked files exist under `paths`.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.output(&["status", "--porcelain", "--untracked-files=normal"])
            .is_some_and(|text| !text.is_empty())
    }

    /// The branch's full ref, such as `refs/heads/main`; `None` when HEAD is detached.
    #[must_use]
    pub fn branch_ref(&self) -> Option<String> {
        self.line(&["symbolic-ref", "--quiet", "HEAD"])
    }

    /// `owner/name` of the remote `origin`.
    #[must_use]
    pub fn repository(&self) -> Option<String> {
        repository_of_url(&self.remote_url()?)
    }

    /// Address of the remote `origin`.
    #[must_use]
    pub fn remote_url(&self) -> Option<String> {
        self.line(&["remote", "get-url", "origin"])
    }

    /// The nearest tag reachable from HEAD.
    #[must_use]
    pub fn nearest_tag(&self) -> Option<String> {
        self.line(&["describe", "--tags", "--abbrev=0"])
    }

    /// The highest reachable tag that is a semantic version, with or without `v`.
    #[must_use]
    pub fn nearest_version(&self) -> Option<Version> {
        self.highest_version("--merged")
    }

    /// The highest semantic version among the tags of the commit checked out.
    #[must_use]
    pub fn version_at_head(&self) -> Option<Version> {
        self.highest_version("--points-at")
    }

    fn highest_version(&self, which: &str) -> Option<Version> {
        let tags = self.output(&["tag", which, "HEAD"])?;
        tags.lines()
            .filter_map(version_of_tag)
            .max_by(Version::cmp_precedence)
    }

    /// Whether `ancestor` is an ancestor of `descendant` (or the same); `None` when git cannot tell, as in
    /// a shallow clone.
    #[must_use]
    pub fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Option<bool> {
        let output = self
            .command(&["merge-base", "--is-ancestor", ancestor, descendant])
            .output()
            .ok()?;
        match output.status.code() {
            Some(0) => Some(true),
            // In a shallow clone "no" may only mean that the history was cut off.
            Some(1) => (!self.is_shallow()).then_some(false),
            _ => None,
        }
    }

    /// Whether the history was cut off.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.line(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("true")
    }

    /// Tracked files below `folder`, relative to the root, with `/`.
    #[must_use]
    pub fn tracked(&self, folder: &Path) -> Vec<String> {
        let folder = folder.to_string_lossy();
        self.output(&["ls-files", "-z", "--full-name", "--", &folder])
            .map(|text| {
                text.split('\0')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Files that differ between a commit and the work tree, and those that git does not track and does not
    /// ignore; relative to the root, with `/`. `None` where git cannot tell.
    #[must_use]
    pub fn changed_since(&self, commit: &str) -> Option<Vec<String>> {
        let differing = self.output(&[
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            commit,
            "--",
        ])?;
        let untracked = self.output(&["ls-files", "-z", "--others", "--exclude-standard", "--full-name"])?;
        let names = differing.split('\0').chain(untracked.split('\0'));
        Some(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// The commit that a name stands for, 40 hex digits; `None` where git knows none.
    #[must_use]
    pub fn commit_of(&self, reference: &str) -> Option<String> {
        if reference.starts_with('-') {
            return None;
        }
        self.line(&[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{reference}^{{commit}}"),
        ])
        .filter(|line| line.len() >= 40)
    }

    /// Who wrote a commit, where this clone has it.
    #[must_use]
    pub fn author(&self, commit: &str) -> Option<String> {
        if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.line(&["show", "--no-patch", "--format=%an", commit, "--"])
    }

    /// Writes the files of a commit into the empty folder `folder`, with an index beside it: neither the
    /// work tree nor the repository is touched, and unlike with `git archive` the attributes
    /// `export-ignore` and `export-subst` leave nothing out and change nothing. Submodules stay empty.
    ///
    /// # Errors
    /// What git said.
    pub fn export(&self, commit: &str, folder: &Path, index: &Path) -> Result<(), String> {
        let prefix = format!("--prefix={}/", folder.display());
        for arguments in [
            &["read-tree", "--no-sparse-checkout", commit][..],
            &["checkout-index", "--all", "--force", "--quiet", &prefix][..],
        ] {
            let output = self
                .command(arguments)
                .env("GIT_INDEX_FILE", index)
                .stderr(Stdio::piped())
                .output()
                .map_err(|error| format!("git cannot be started: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            }
        }
        Ok(())
    }

    fn line(&self, arguments: &[&str]) -> Option<String> {
        let text = self.output(arguments)?;
        let line = text.lines().next()?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    fn output(&self, arguments: &[&str]) -> Option<String> {
        let output = self.command(arguments).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            // A checkout made by another user (a job container's, as a rule) is read all the same; a
            // monitor program that the repository's configuration names is not started.
            .args(["-c", &format!("safe.directory={}", self.root.display())])
            .args(["-c", "core.fsmonitor=false", "-c", "core.quotepath=false"])
            .arg("-C")
            .arg(&self.root)
            .args(arguments)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// The semantic version that a tag is, with or without `v`.
#[must_use]
pub fn version_of_tag(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

/// `owner/name` of a remote's address, in its https, ssh and scp forms.
#[must_use]
pub fn repository_of_url(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once(':')?.1,
    };
    let path = path.trim_matches('/').trim_end_matches(".git");
    let mut parts = path.rsplit('/');
    let (name, owner) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !owner.is_empty()).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes() {
        for url in [
            "https://git.example.com/ml/pipelines.git",
            "https://token@git.example.com/ml/pipelines",
            "git@git.example.com:ml/pipelines.git",
            "ssh://git@git.example.com:2222/ml/pipelines.git",
        ] {
            assert_eq!(repository_of_url(url).as_deref(), Some("ml/pipelines"), "{url}");
        }
        assert_eq!(repository_of_url("/srv/git/x"), None);
    }
}
