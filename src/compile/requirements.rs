//! The project's own requirements, needed only where a pipeline file imports one of them while it compiles.

use super::install::Contents;
use super::pins;
use super::settings::EngineSettings;
use crate::discover::Source;
use std::path::PathBuf;

/// What to install for a file: its PEP 723 metadata, else the files that the settings name, else the nearest
/// `requirements.txt`. `None` when there is nothing.
pub(super) fn of(settings: &EngineSettings, source: &Source) -> Option<Contents> {
    let text = std::fs::read_to_string(&source.absolute).unwrap_or_default();
    let lines = pins::script_dependencies(&text);
    if !lines.is_empty() {
        return Some(Contents::Project {
            files: Vec::new(),
            lines: lines.into_iter().filter(|line| !is_kfp(line)).collect(),
        });
    }
    let named: Vec<PathBuf> = if settings.requirements.is_empty() {
        source
            .absolute
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(&settings.root))
            .map(|folder| folder.join("requirements.txt"))
            .find(|path| path.is_file())
            .into_iter()
            .collect()
    } else {
        settings.requirements.clone()
    };
    let files: Vec<(PathBuf, String)> = named
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)))
        .collect();
    (!files.is_empty()).then_some(Contents::Project {
        files,
        lines: Vec::new(),
    })
}

/// Whether a requirement is kfp itself, whose version is decided elsewhere.
fn is_kfp(requirement: &str) -> bool {
    let name: String = requirement
        .trim()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    name == "kfp"
}
