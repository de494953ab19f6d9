//! The configuration of a pull request: what loosens safety or moves secrets comes from the base branch.

use super::environment::Environment;
use super::file::{FILE_NAME, File};
use super::load::{Loaded, parse};
use crate::context::untrusted::{ConfigValues, flatten, restrict, unflatten};
use crate::context::{self, PullRequest};
use crate::error::{Failure, Phase};
use crate::git::Git;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// In a pull request's job, replaces what its own file may not decide by what the base branch says, and
/// tells each difference. Elsewhere the file is taken as it is.
///
/// # Errors
/// When the base branch's file is broken (exit 2).
pub fn fence(
    loaded: Loaded,
    explicit: Option<&Path>,
    folders: &[&Path],
    root: &Path,
    environment: &Environment,
) -> Result<(Loaded, Vec<String>), Failure> {
    if !environment.is_ci() {
        return Ok((loaded, Vec::new()));
    }
    let event = environment
        .text(context::variables::GITHUB_EVENT_PATH)
        .map(PathBuf::from)
        .and_then(|path| context::read_event_file(&path).ok().flatten());
    let context = context::read(&environment.all_text(), event.as_deref());
    let Some(pull) = context.pull_request() else {
        return Ok((loaded, Vec::new()));
    };
    // Where the base branch's own run would look: a file that the pull request puts nearer must not hide
    // the one that counts.
    let candidates: Vec<PathBuf> = match explicit {
        Some(path) => vec![within(
            root,
            &path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        )],
        None => folders
            .iter()
            .map(|folder| within(root, &folder.join(FILE_NAME)))
            .collect(),
    };
    let own = match &loaded.path {
        Some(path) => values(&std::fs::read_to_string(path).unwrap_or_default()),
        None => ConfigValues::new(),
    };
    let (base, mut notes) = match base_text(&Git::new(root), pull, &candidates) {
        Some(None) => (ConfigValues::new(), Vec::new()),
        Some(Some((text, path))) => {
            parse(&text, &format!("{} on the base branch", path.display()))?;
            (values(&text), Vec::new())
        }
        None if own.is_empty() => (ConfigValues::new(), Vec::new()),
        None => (
            ConfigValues::new(),
            vec![format!(
                "the base branch's `{}` cannot be read here, so this pull request's own may decide only what is safe; \
                 check out with `fetch-depth: 0`",
                loaded
                    .path
                    .as_deref()
                    .map_or(FILE_NAME.into(), |path| within(root, path).display().to_string())
            )],
        ),
    };
    let (effective, differences) = restrict(&base, &own);
    notes.extend(differences.iter().map(ToString::to_string));
    let file: File = serde_json::from_value(unflatten(&effective))
        .map_err(|error| Failure::internal(Phase::Settings, format!("the merged configuration: {error}")))?;
    Ok((Loaded { file, ..loaded }, notes))
}

/// The base branch's file with its path, the first of the candidates that exists there; `Some(None)` where
/// the branch is known and has none, `None` where the branch cannot be read.
fn base_text(git: &Git, pull: &PullRequest, candidates: &[PathBuf]) -> Option<Option<(String, PathBuf)>> {
    let branch = pull
        .base_ref
        .as_ref()
        .map(|branch| format!("refs/remotes/origin/{branch}"));
    let commit = branch
        .and_then(|branch| git.commit_of(&branch))
        .or_else(|| pull.base_sha.as_deref().and_then(|sha| git.commit_of(sha)))?;
    Some(candidates.iter().find_map(|path| {
        let text = git.file_at(&commit, &path.to_string_lossy().replace('\\', "/"))?;
        Some((text, path.clone()))
    }))
}

fn within(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(Path::new(FILE_NAME)).to_owned()
}

fn values(text: &str) -> ConfigValues {
    serde_yaml::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
        .map(|value| flatten(&value))
        .unwrap_or_default()
}
