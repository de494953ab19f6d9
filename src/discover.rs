//! Which files hold pipelines.
//!
//! Globs are matched over a walk that honours `.gitignore`; links are never followed out of the root;
//! names that cannot be shown or reported are refused by name; the order is that of the paths.

use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::ids::SourcePath;
use crate::settings::Settings;
use crate::settings::merge::DEFAULT_INCLUDE;
use glob::{MatchOptions, Pattern};
use ignore::WalkBuilder;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One Python file that holds pipelines, with what the configuration says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: SourcePath,
    /// Where it lies.
    pub absolute: PathBuf,
    /// `pipelines.<name>.function`: compile exactly this function (`kfp dsl compile --function`).
    pub function: Option<String>,
    /// `pipelines.<name>.parameters`: `kfp dsl compile --pipeline-parameters`.
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// The files, sorted by path.
    pub sources: Vec<Source>,
    /// Files that match but cannot be taken, each with its reason.
    pub refused: Vec<Failure>,
    /// Worth saying: nothing was found and why, as a rule.
    pub warnings: Vec<String>,
}

impl Discovered {
    /// Files found, those refused included.
    #[must_use]
    pub fn found(&self) -> usize {
        self.sources.len() + self.refused.len()
    }
}

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Finds the files that `settings.paths` mean.
///
/// # Errors
/// When a glob is none, or a file that was named does not exist or cannot be taken (exit 2).
pub fn discover(settings: &Settings) -> Result<Discovered, Failure> {
    let include = patterns(&settings.discover.include)?;
    let exclude = patterns(&settings.discover.exclude)?;
    let mut found: BTreeMap<PathBuf, Result<SourcePath, Failure>> = BTreeMap::new();
    let mut folders = Vec::new();
    for path in &settings.paths {
        if path.is_dir() {
            for (file, relative) in walk(path, depth(&settings.discover.include)) {
                if is_wanted(&relative, &include, &exclude) {
                    found.insert(file.clone(), take(&settings.root, &file));
                }
            }
            folders.push(path.as_path());
        } else {
            let source = take(&settings.root, path).map_err(|failure| Failure {
                class: crate::error::Class::Usage,
                ..failure
            })?;
            found.insert(path.clone(), Ok(source));
        }
    }
    let mut discovered = Discovered::default();
    for (absolute, taken) in found {
        match taken {
            Ok(path) => discovered.sources.extend(configured(settings, path, absolute)),
            Err(failure) => discovered.refused.push(failure),
        }
    }
    if discovered.found() == 0 {
        let mut deeper: Vec<PathBuf> = folders
            .iter()
            .flat_map(|folder| walk(folder, None))
            .map(|(_, relative)| relative)
            .filter(|relative| matches_name(&include, relative) && !is_excluded(relative, &exclude))
            .collect();
        deeper.sort();
        discovered
            .warnings
            .push(nothing_found(settings, &folders, &deeper));
    }
    Ok(discovered)
}

/// How deep a walk has to go for these globs; `None` is all the way.
fn depth(globs: &[String]) -> Option<usize> {
    let depths = globs
        .iter()
        .map(|glob| (!glob.contains("**")).then(|| normal(glob).matches('/').count() + 1));
    depths
        .collect::<Option<Vec<usize>>>()
        .and_then(|depths| depths.into_iter().max())
}

/// Files below a folder that no `.gitignore` hides, absolute and relative to the folder.
fn walk(folder: &Path, depth: Option<usize>) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let mut builder = WalkBuilder::new(folder);
    // A `.gitignore` counts in an exported tree as well; a person's global one must not make CI and
    // laptop differ.
    builder
        .git_global(false)
        .require_git(false)
        .ignore(false)
        .follow_links(false)
        .max_depth(depth);
    builder.build().flatten().filter_map(move |entry| {
        let relative = entry.path().strip_prefix(entry_root(&entry)).ok()?.to_owned();
        let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
        (is_file && !relative.as_os_str().is_empty()).then(|| (entry.into_path(), relative))
    })
}

/// The folder that a walk started from.
fn entry_root(entry: &ignore::DirEntry) -> PathBuf {
    entry
        .path()
        .ancestors()
        .nth(entry.depth())
        .unwrap_or(entry.path())
        .to_owned()
}

fn is_wanted(relative: &Path, include: &[Pattern], exclude: &[Pattern]) -> bool {
    !is_excluded(relative, exclude) && include.iter().any(|pattern| matches(pattern, relative))
}

/// `Pattern` itself matches no path that is not UTF-8, and such a file would be left out without a word.
fn matches(pattern: &Pattern, path: &Path) -> bool {
    pattern.matches_with(&path.to_string_lossy(), OPTIONS)
}

fn is_excluded(relative: &Path, exclude: &[Pattern]) -> bool {
    exclude
        .iter()
        .any(|pattern| matches_at_or_above(pattern, relative))
}

/// Whether a pattern matches the path or a folder above it, so that `exclude: [archive]` leaves out all of it.
fn matches_at_or_above(pattern: &Pattern, relative: &Path) -> bool {
    relative
        .ancestors()
        .any(|path| !path.as_os_str().is_empty() && matches(pattern, path))
}

/// Whether only the folder keeps a file from being taken.
fn matches_name(include: &[Pattern], relative: &Path) -> bool {
    let Some(name) = relative.file_name() else {
        return false;
    };
    include.iter().any(|pattern| matches(pattern, Path::new(name)))
}

/// The file's path below the root, or why it cannot be taken.
fn take(root: &Path, absolute: &Path) -> Result<SourcePath, Failure> {
    let shown = absolute.strip_prefix(root).unwrap_or(absolute);
    let refuse = |why: &str, hint: &str| {
        Err(Failure::failed(Phase::Discover, why)
            .file(shown.to_string_lossy().escape_debug().to_string())
            .hint(hint))
    };
    let Some(text) = shown.to_str() else {
        return refuse("the file's name is not UTF-8", "rename the file");
    };
    if text.chars().any(char::is_control) {
        return refuse("the file's name holds a control character", "rename the file");
    }
    let is_link = std::fs::symlink_metadata(absolute).is_ok_and(|data| data.file_type().is_symlink());
    let real = match absolute.canonicalize() {
        Ok(real) => real,
        Err(error) if is_link => {
            return refuse(
                &format!("the link leads nowhere: {error}"),
                "remove the link or mend its target",
            );
        }
        Err(error) => return refuse(&format!("cannot be read: {error}"), "mend its permissions"),
    };
    let real_root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if !real.starts_with(&real_root) {
        return refuse(
            "the link leads out of the repository",
            "copy the file into the repository; links are followed only inside it",
        );
    }
    if !real.is_file() {
        return refuse("it is not a regular file", "name a Python file");
    }
    if absolute.extension().is_none_or(|extension| extension != "py") {
        return refuse(
            "its name does not end in `.py`",
            "name a Python file that defines a pipeline",
        );
    }
    Ok(SourcePath::new(text.replace(std::path::MAIN_SEPARATOR, "/")))
}

/// The source, once for each configured function of it.
fn configured(settings: &Settings, path: SourcePath, absolute: PathBuf) -> Vec<Source> {
    let mut sources: Vec<Source> = settings
        .pipelines
        .iter()
        .filter(|(name, pipeline)| pipeline.applies_to(name, &path))
        .map(|(_, pipeline)| Source {
            path: path.clone(),
            absolute: absolute.clone(),
            function: pipeline.function.clone(),
            parameters: pipeline.parameters.clone(),
        })
        .collect();
    sources.dedup();
    if sources.is_empty() {
        sources.push(Source {
            path,
            absolute,
            function: None,
            parameters: BTreeMap::new(),
        });
    }
    sources
}

fn normal(path: &str) -> &str {
    path.trim_start_matches("./")
}

fn patterns(globs: &[String]) -> Result<Vec<Pattern>, Failure> {
    globs
        .iter()
        .map(|text| {
            Pattern::new(normal(text)).map_err(|error| {
                Failure::usage(Phase::Discover, format!("`{text}` is no glob: {error}"))
                    .hint("write globs like `*_pipeline.py` or `pipelines/**/*.py`")
            })
        })
        .collect()
}

/// Why nothing was found, with the `include` line that would take what lies near.
fn nothing_found(settings: &Settings, folders: &[&Path], deeper: &[PathBuf]) -> String {
    let folder = folders
        .first()
        .and_then(|folder| folder.strip_prefix(&settings.root).ok())
        .filter(|path| !path.as_os_str().is_empty())
        .map_or_else(|| "the root".to_owned(), |path| format!("`{}`", path.display()));
    let globs: Vec<String> = settings
        .discover
        .include
        .iter()
        .map(|glob| format!("`{glob}`"))
        .collect();
    let mut text = format!(
        "no pipeline found: nothing in {folder} matches {}",
        globs.join(", ")
    );
    if !deeper.is_empty() {
        text.push_str(&format!(
            "; deeper down there {}: {}; to take {}, set `include: [\"**/{}\"]` under `discover` (or `--include '**/{}'`)",
            if deeper.len() == 1 { "is 1 file" } else { "are files" },
            listed(&deeper.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()),
            if deeper.len() == 1 { "it" } else { "them" },
            DEFAULT_INCLUDE,
            DEFAULT_INCLUDE,
        ));
    }
    let ignored = ignored_but_tracked(settings, folders);
    if !ignored.is_empty() {
        text.push_str(&format!(
            "; tracked by git but skipped by `.gitignore`: {}; remove the line that ignores {}, or name {} on the command line",
            listed(&ignored),
            if ignored.len() == 1 { "it" } else { "them" },
            if ignored.len() == 1 { "it" } else { "them" },
        ));
    }
    text
}

fn ignored_but_tracked(settings: &Settings, folders: &[&Path]) -> Vec<String> {
    let git = Git::new(&settings.root);
    let mut names = Vec::new();
    for folder in folders {
        let Ok(below) = folder.strip_prefix(&settings.root) else {
            continue;
        };
        for name in git.tracked(folder) {
            let Ok(relative) = Path::new(&name).strip_prefix(below) else {
                continue;
            };
            let wanted = settings
                .discover
                .include
                .iter()
                .any(|glob| Pattern::new(normal(glob)).is_ok_and(|pattern| matches(&pattern, relative)));
            if wanted && settings.root.join(&name).is_file() {
                names.push(name);
            }
        }
    }
    names
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(5);
    if more == 0 {
        shown.join(", ")
    } else {
        format!("{} and {more} more", shown.join(", "))
    }
}
