//! The project's own requirements, needed only where a pipeline file imports one of them while it compiles.
//!
//! They are a stranger's on a pull request, so this program reads them itself and hands installers nothing but
//! names, versions, markers and hashes.

use super::install::Contents;
use super::pins;
use super::settings::EngineSettings;
use crate::discover::Source;
use crate::error::{Failure, Phase};
use std::path::PathBuf;

mod files;
mod line;

pub(super) use files::Listed;
pub(super) use line::Requirement;
#[cfg(test)]
pub(super) use line::read as read_line;

/// What to install for a file: its PEP 723 metadata, else the files that the settings name, else the nearest
/// `requirements.txt`. `None` when there is nothing.
pub(super) fn of(settings: &EngineSettings, source: &Source) -> Option<Contents> {
    let text = std::fs::read_to_string(&source.absolute).unwrap_or_default();
    let lines = match pins::script_dependencies(pins::without_mark(&text)) {
        Ok(lines) => lines,
        Err(why) => return Some(Contents::Project(Err(Box::new(unreadable(source, &why))))),
    };
    let mut reader = files::Reader::new(&settings.root);
    let read: Result<(), Failure> = if lines.is_empty() {
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
        if named.is_empty() {
            return None;
        }
        named.iter().try_for_each(|path| reader.file(path))
    } else {
        reader.lines(&lines, source.path.as_str())
    };
    Some(Contents::Project(read.map(|()| reader.done()).map_err(Box::new)))
}

fn unreadable(source: &Source, why: &str) -> Failure {
    Failure::failed(
        Phase::Prepare,
        format!(
            "the `# /// script` block of `{}` cannot be read: {why}",
            source.path
        ),
    )
    .hint("write `# dependencies = [\"name\"]` between one line `# /// script` and one line `# ///`")
}
