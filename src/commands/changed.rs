//! `--changed-since REF`: pipelines that nothing changed for are left out, by what each compiled from.

use super::against::unknown;
use crate::compile::{CompileResult, Compiled, FileResult, Inputs};
use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::report::{Action, PipelineReport, Reason};
use crate::settings::Settings;
use crate::settings::file::FILE_NAME;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that decide how every pipeline compiles, in any folder.
const FOR_ALL: [&str; 7] = [
    FILE_NAME,
    "pyproject.toml",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    ".python-version",
    ".tool-versions",
];

/// What changed since a commit.
#[derive(Debug)]
pub struct Changes {
    reference: String,
    changed: BTreeSet<String>,
    tracked: BTreeSet<String>,
    /// The configuration's own files, relative to the root.
    settings: BTreeSet<String>,
}

impl Changes {
    /// What changed since the commit that the settings name; `None` where they name none.
    ///
    /// # Errors
    /// When git does not know the commit (exit 2).
    pub fn since(settings: &Settings) -> Result<Option<Self>, Failure> {
        let Some(reference) = &settings.changed_since else {
            return Ok(None);
        };
        let git = Git::new(&settings.root);
        let known = git
            .commit_of(reference)
            .ok_or_else(|| unknown(reference, &git, "--changed-since"))?;
        let changed = git.changed_since(&known).ok_or_else(|| {
            Failure::infrastructure(
                Phase::Discover,
                format!("git cannot tell what changed since `{reference}`"),
            )
            .hint("try `git diff --name-only` with it, or leave `--changed-since` out")
        })?;
        let relative = |path: &PathBuf| {
            let path = path.strip_prefix(&settings.root).ok()?;
            Some(path.to_string_lossy().into_owned())
        };
        Ok(Some(Self {
            reference: reference.clone(),
            changed: changed.into_iter().collect(),
            tracked: git.tracked(&settings.root).into_iter().collect(),
            settings: settings
                .config_path
                .iter()
                .chain(&settings.compile.requirements)
                .filter_map(relative)
                .collect(),
        }))
    }

    /// Takes the files out that compiled and that nothing changed for: their pipelines, and a line of the report for each.
    pub fn take_out(&self, result: &mut CompileResult) -> Vec<(Compiled, PipelineReport)> {
        if self.changed.iter().any(|path| self.is_for_all(path)) {
            return Vec::new();
        }
        let files = std::mem::take(&mut result.files);
        let (out, kept): (Vec<_>, Vec<_>) = files
            .into_iter()
            .zip(&result.inputs)
            .partition(|(file, inputs)| !self.affects(file, inputs.as_ref()));
        result.files = kept.into_iter().map(|(file, _)| file).collect();
        let pipelines = out
            .into_iter()
            .flat_map(|(file, _)| file.outcome.unwrap_or_default());
        pipelines
            .map(|compiled| (compiled.clone(), self.entry(&compiled)))
            .collect()
    }

    fn affects(&self, file: &FileResult, inputs: Option<&Inputs>) -> bool {
        // what failed, and what nobody knows the inputs of, may have changed
        file.outcome.is_err()
            || inputs.is_none_or(|inputs| inputs.affected_by(&self.changed, &self.tracked).is_some())
    }

    fn is_for_all(&self, path: &str) -> bool {
        let name = Path::new(path)
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        FOR_ALL.contains(&name)
            || (name.starts_with("requirements") && name.ends_with(".txt"))
            || self.settings.contains(path)
    }

    fn entry(&self, compiled: &Compiled) -> PipelineReport {
        PipelineReport {
            reason: Some(Reason::Unaffected),
            digest: Some(compiled.spec.digest()),
            notes: vec![format!(
                "nothing it compiles from changed since `{}`",
                self.reference
            )],
            ..PipelineReport::of(compiled, Action::Skipped)
        }
    }
}
