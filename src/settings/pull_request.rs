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
    let relative = match &loaded.path {
        Some(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
        None => root.join(FILE_NAME),
    };
    let relative = relative
        .strip_prefix(root)
        .unwrap_or(Path::new(FILE_NAME))
        .to_owned();
    let own = match &loaded.path {
        Some(path) => values(&std::fs::read_to_string(path).unwrap_or_default()),
        None => ConfigValues::new(),
    };
    let (base, mut notes) = match base_text(&Git::new(root), pull, &relative) {
        Some(text) => {
            parse(&text, &format!("{} on the base branch", relative.display()))?;
            (values(&text), Vec::new())
        }
        None if own.is_empty() => (ConfigValues::new(), Vec::new()),
        None => (
            ConfigValues::new(),
            vec![format!(
                "the base branch's `{}` cannot be read here, so this pull request's own may decide only what is safe; \
                 check out with `fetch-depth: 0`",
                relative.display()
            )],
        ),
    };
    let (effective, differences) = restrict(&base, &own);
    notes.extend(differences.iter().map(ToString::to_string));
    let file: File = serde_json::from_value(unflatten(&effective))
        .map_err(|error| Failure::internal(Phase::Settings, format!("the merged configuration: {error}")))?;
    Ok((Loaded { file, ..loaded }, notes))
}

/// The base branch's file: an empty text where the branch is known and has none.
fn base_text(git: &Git, pull: &PullRequest, path: &Path) -> Option<String> {
    let branch = pull
        .base_ref
        .as_ref()
        .map(|branch| format!("refs/remotes/origin/{branch}"));
    let commit = branch
        .and_then(|branch| git.commit_of(&branch))
        .or_else(|| pull.base_sha.as_deref().and_then(|sha| git.commit_of(sha)))?;
    Some(
        git.file_at(&commit, &path.to_string_lossy().replace('\\', "/"))
            .unwrap_or_default(),
    )
}

fn values(text: &str) -> ConfigValues {
    serde_yaml::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
        .map(|value| flatten(&value))
        .unwrap_or_default()
}
