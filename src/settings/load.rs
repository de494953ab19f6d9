//! Finds and reads `kfp-gitops.yaml`; a mistake in it is shown with line, column and "did you mean".

use super::file::{FILE_NAME, File};
use crate::error::{Failure, Phase};
use std::path::{Path, PathBuf};

/// A configuration file that was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Where it lies; `None` when there is no file.
    pub path: Option<PathBuf>,
    /// What it says.
    pub file: File,
}

/// Reads the file named explicitly, else the first that exists in `folders`.
///
/// # Errors
/// When the named file does not exist, or a file cannot be read or understood (exit 2).
pub fn load(explicit: Option<&Path>, folders: &[&Path]) -> Result<Loaded, Failure> {
    let path = match explicit {
        Some(path) if !path.is_file() => {
            return Err(Failure::usage(
                Phase::Settings,
                format!("no configuration file at `{}`", path.display()),
            )
            .hint("name an existing file with `--config`, or leave the flag out"));
        }
        Some(path) => path.to_owned(),
        None => match folders
            .iter()
            .map(|folder| folder.join(FILE_NAME))
            .find(|path| path.is_file())
        {
            Some(path) => inside(path, folders)?,
            None => return Ok(Loaded::default()),
        },
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::usage(
            Phase::Settings,
            format!("cannot read `{}`: {error}", path.display()),
        )
        .hint("the configuration must be a readable UTF-8 file")
    })?;
    // As annotations and reports name files: relative to the root.
    let shown = folders
        .last()
        .and_then(|root| path.strip_prefix(root).ok())
        .unwrap_or(&path);
    let file = parse(&text, &shown.display().to_string())?;
    Ok(Loaded {
        path: Some(path),
        file,
    })
}

/// A file that was found, not named, must lie in the tree: a link to somewhere else would put lines of a
/// file that nobody meant into a message.
fn inside(path: PathBuf, folders: &[&Path]) -> Result<PathBuf, Failure> {
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    let root = folders
        .last()
        .map(|root| root.canonicalize().unwrap_or_else(|_| root.to_path_buf()));
    if root.is_some_and(|root| real.starts_with(root)) {
        return Ok(path);
    }
    Err(Failure::usage(
        Phase::Settings,
        format!("`{}` is a link out of the repository", path.display()),
    )
    .hint("put the configuration itself there, or name the file with `--config`"))
}

/// Parses the text of a configuration file; `name` is how messages call it.
///
/// # Errors
/// When it is not YAML, a key is unknown, or a value has the wrong type (exit 2).
pub fn parse(text: &str, name: &str) -> Result<File, Failure> {
    // An empty document is `null` to YAML, and "no settings" to people.
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(File::default());
    }
    let file: File = serde_yaml::from_str(text).map_err(|error| explain(&error, name))?;
    if let Some(version) = file.version.filter(|version| *version != 1) {
        return Err(Failure::usage(
            Phase::Settings,
            format!("version {version} of the format is unknown"),
        )
        .file(name)
        .hint("write `version: 1`, or update kfp-gitops"));
    }
    Ok(file)
}

fn explain(error: &serde_yaml::Error, name: &str) -> Failure {
    let full = error.to_string();
    // The location is said once, as file:line.
    let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
    let mut failure = Failure::usage(Phase::Settings, message.clone()).file(name);
    if let Some(location) = error.location() {
        failure.line = u32::try_from(location.line()).ok();
        failure.column = u32::try_from(location.column()).ok();
    }
    let hint = match unknown_field(&message) {
        Some((field, candidates)) => match nearest(field, &candidates) {
            Some(best) => format!("did you mean `{best}`?"),
            None => format!("known keys here: {}", candidates.join(", ")),
        },
        None => "see `schema/kfp-gitops.schema.json` for what each key takes".to_owned(),
    };
    failure.hint(hint)
}

/// The field and the candidates of serde's "unknown field" message.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message
        .split_once("unknown field `")
        .or_else(|| message.split_once("unknown variant `"))?
        .1;
    let (field, rest) = rest.split_once('`')?;
    Some((field, rest.split('`').skip(1).step_by(2).collect()))
}

fn nearest<'a>(field: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(field, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_names_place_and_neighbour() {
        let failure = parse("project: a\ndiscover:\n  inclde: [x]\n", "kfp-gitops.yaml").unwrap_err();
        assert_eq!(
            failure.to_string(),
            "kfp-gitops.yaml:3: discover: unknown field `inclde`, expected `include` or `exclude`"
        );
        assert_eq!(failure.column, Some(3));
        assert_eq!(failure.hint.as_deref(), Some("did you mean `include`?"));
    }

    #[test]
    fn an_unknown_choice_names_the_choices() {
        let failure = parse("compile:\n  sandbox: maybe\n", "c").unwrap_err();
        assert_eq!(failure.line, Some(2));
        assert!(failure.hint.unwrap().contains("require, auto, off"));
    }

    #[test]
    fn comments_alone_are_no_settings() {
        assert_eq!(parse("# nothing\n\n", "c").unwrap(), File::default());
    }

    #[test]
    fn another_version_is_refused() {
        assert!(
            parse("version: 2\n", "c")
                .unwrap_err()
                .message
                .contains("version 2")
        );
    }
}
