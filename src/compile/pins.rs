//! Exact kfp pins in a repository, and ranges: `requirements*.txt`, `pyproject.toml`, lock files, PEP 723.

use std::path::{Path, PathBuf};

/// An exact version and where it is written: `requirements.txt:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    /// The version as written, such as `2.16.0`.
    pub version: String,
    /// The file relative to the root, and the line where one is known.
    pub from: String,
}

/// Pin files are small; anything larger is not one.
const LARGEST: u64 = 32 << 20;

/// What a repository asks for, the most telling first: per folder (nearest to the sources first) requirements files,
/// `pyproject.toml`, lock files; then PEP 723 metadata of the sources themselves.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Every exact pin.
    pub exact: Vec<Pin>,
    /// Every range of versions: `>=2.9,<2.11` as the version. Lock files hold none.
    pub ranges: Vec<Pin>,
}

/// What is wanted of a requirement of kfp.
type Wanted = fn(&str) -> Option<String>;

impl Found {
    /// Takes what one file asks for; `first` gives the first of its requirements that is as wanted.
    fn take(&mut self, first: impl Fn(Wanted) -> Option<Pin>) {
        self.exact.extend(first(exact));
        self.ranges.extend(first(range));
    }
}

/// Looks through the folders of the sources and the sources themselves, each file once.
pub(super) fn find(root: &Path, sources: &[PathBuf]) -> Found {
    let mut folders: Vec<PathBuf> = Vec::new();
    for source in sources {
        for folder in source.ancestors().skip(1) {
            if !folder.starts_with(root) {
                break;
            }
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_path_buf());
            }
        }
    }
    if !folders.iter().any(|known| known == root) {
        folders.push(root.to_path_buf());
    }
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
    let mut found = Found::default();
    for folder in &folders {
        in_folder(root, folder, &mut found);
    }
    for source in sources {
        if let Some(text) = read(source)
            && let Ok(dependencies) = script_dependencies(&text)
        {
            found.take(|wanted| pep_723(&text, &dependencies, &shown(root, source), wanted));
        }
    }
    found
}

fn in_folder(root: &Path, folder: &Path, found: &mut Found) {
    let mut requirements: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("requirements") && name.ends_with(".txt"))
        })
        .collect();
    // `requirements.txt` before `requirements-dev.txt`
    requirements.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    for path in requirements {
        if let Some(text) = read(&path) {
            found.take(|wanted| requirements_text(&text, &shown(root, &path), wanted));
        }
    }
    let path = folder.join("pyproject.toml");
    if let Some(text) = read(&path) {
        found.take(|wanted| pyproject(&text, &shown(root, &path), wanted));
    }
    for name in ["uv.lock", "poetry.lock", "pdm.lock"] {
        let path = folder.join(name);
        if let Some(text) = read(&path) {
            found.exact.extend(lock(&text, &shown(root, &path)));
        }
    }
}

fn read(path: &Path) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > LARGEST {
        return None;
    }
    let mut text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    text.drain(..text.len() - without_mark(&text).len());
    Some(text)
}

/// A text without the byte order mark that some editors begin a file with.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// The version of a requirement that pins kfp exactly: `kfp==2.16.0`, `kfp[kubernetes] == 2.16.0 ; …`.
fn exact(requirement: &str) -> Option<String> {
    let rest = of_kfp(requirement)?;
    let version = rest.strip_prefix("===").or_else(|| rest.strip_prefix("=="))?;
    // with hashes or options the version ends at the first white space
    let version = version.trim_start().split([' ', '\t', ',', '\\']).next()?;
    let plain = !version.is_empty()
        && version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".+".contains(c));
    plain.then(|| version.to_owned())
}

/// The specifiers of a requirement of kfp that is no exact pin: `kfp>=2.9,<2.11`.
fn range(requirement: &str) -> Option<String> {
    if exact(requirement).is_some() {
        return None;
    }
    // options stand behind them
    let specifiers: String = of_kfp(requirement)?
        .split_whitespace()
        .take_while(|part| !part.starts_with(['-', '\\']))
        .collect();
    specifiers
        .starts_with(['<', '>', '!', '~', '^', '='])
        .then_some(specifiers)
}

/// What follows the name and the extras in a requirement of kfp, up to a marker or a comment.
fn of_kfp(requirement: &str) -> Option<&str> {
    let requirement = requirement.split(['#', ';']).next()?.trim();
    let rest = requirement.strip_prefix("kfp")?.trim_start();
    match rest.strip_prefix('[') {
        Some(extras) => Some(extras.split_once(']')?.1.trim_start()),
        None => Some(rest),
    }
}

fn requirements_text(text: &str, file: &str, wanted: Wanted) -> Option<Pin> {
    text.lines().enumerate().find_map(|(index, line)| {
        Some(Pin {
            version: wanted(line.trim())?,
            from: format!("{file}:{}", index + 1),
        })
    })
}

/// A requirement inside TOML: any string that requires kfp, and Poetry's `kfp = "2.16.0"`.
fn pyproject(text: &str, file: &str, wanted: Wanted) -> Option<Pin> {
    let document: toml::Table = toml::from_str(text).ok()?;
    let mut found = None;
    let project = document.get("project").and_then(toml::Value::as_table);
    let lists = [
        project.and_then(|project| project.get("dependencies")),
        project.and_then(|project| project.get("optional-dependencies")),
        document.get("dependency-groups"),
        document.get("tool").and_then(|tool| tool.get("uv")),
    ];
    for list in lists.into_iter().flatten() {
        strings(list, &mut |text| {
            if found.is_none() {
                found = wanted(text.trim());
            }
        });
    }
    if found.is_none() {
        found = poetry(document.get("tool").and_then(|tool| tool.get("poetry")), wanted);
    }
    let version = found?;
    let first = version.split(',').next().unwrap_or_default();
    let line = text
        .lines()
        .position(|line| line.contains("kfp") && line.contains(first));
    let from = line.map_or_else(|| file.to_owned(), |index| format!("{file}:{}", index + 1));
    Some(Pin { version, from })
}

fn poetry(tool: Option<&toml::Value>, wanted: Wanted) -> Option<String> {
    let value = tool?.get("dependencies")?.get("kfp")?;
    let text = value
        .as_str()
        .or_else(|| value.get("version").and_then(toml::Value::as_str))?;
    let text = text.trim().trim_start_matches('=').trim();
    // a bare version is an exact one
    let equals = if text.starts_with(|c: char| c.is_ascii_digit()) {
        "=="
    } else {
        ""
    };
    wanted(&format!("kfp{equals}{text}"))
}

fn strings(value: &toml::Value, each: &mut dyn FnMut(&str)) {
    match value {
        toml::Value::String(text) => each(text),
        toml::Value::Array(items) => items.iter().for_each(|item| strings(item, each)),
        toml::Value::Table(table) => table.values().for_each(|item| strings(item, each)),
        _ => {}
    }
}

/// `[[package]]` with `name = "kfp"`: uv, Poetry and PDM write the same.
fn lock(text: &str, file: &str) -> Option<Pin> {
    let document: toml::Table = toml::from_str(text).ok()?;
    let packages = document.get("package")?.as_array()?;
    let package = packages
        .iter()
        .find(|package| package.get("name").and_then(toml::Value::as_str) == Some("kfp"))?;
    let version = package.get("version")?.as_str()?.to_owned();
    Some(Pin {
        version,
        from: file.to_owned(),
    })
}

/// The `# /// script` block of a file, without the comment signs.
pub(super) fn script_metadata(text: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_end() != "# /// script")
        .skip(1);
    let mut block = String::new();
    loop {
        let line = lines.next()?.trim_end();
        if line == "# ///" {
            return Some(block);
        }
        block.push_str(line.strip_prefix("# ").or_else(|| line.strip_prefix('#'))?);
        block.push('\n');
    }
}

/// The `dependencies` of a file's PEP 723 metadata; none where it has no such block.
///
/// # Errors
/// What is wrong with the block, as a fragment.
pub(super) fn script_dependencies(text: &str) -> Result<Vec<String>, String> {
    let blocks = text
        .lines()
        .filter(|line| line.trim_end() == "# /// script")
        .count();
    if blocks == 0 {
        return Ok(Vec::new());
    }
    if blocks > 1 {
        return Err(format!("there are {blocks} of them"));
    }
    let block = script_metadata(text).ok_or("no line `# ///` ends it")?;
    let table = toml::from_str::<toml::Table>(&block).map_err(|error| error.message().to_owned())?;
    let Some(list) = table.get("dependencies") else {
        return Ok(Vec::new());
    };
    list.as_array()
        .and_then(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect())
        .ok_or_else(|| "`dependencies` is no list of texts".to_owned())
}

fn pep_723(text: &str, dependencies: &[String], file: &str, wanted: Wanted) -> Option<Pin> {
    let version = dependencies
        .iter()
        .find_map(|requirement| wanted(requirement.trim()))?;
    let first = version.split(',').next().unwrap_or_default();
    let line = text
        .lines()
        .position(|line| line.starts_with('#') && line.contains("kfp") && line.contains(first));
    Some(Pin {
        version,
        from: line.map_or_else(|| file.to_owned(), |index| format!("{file}:{}", index + 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = vec![folder.path().join("pipelines/a_pipeline.py")];
        (folder, sources)
    }

    fn first(files: &[(&str, &str)]) -> Option<(String, String)> {
        let (folder, sources) = tree(files);
        find(folder.path(), &sources)
            .exact
            .into_iter()
            .next()
            .map(|pin| (pin.version, pin.from))
    }

    fn pair(version: &str, from: &str) -> Option<(String, String)> {
        Some((version.to_owned(), from.to_owned()))
    }

    #[test]
    fn requirements_files_pin_with_their_line() {
        assert_eq!(
            first(&[(
                "requirements.txt",
                "# c\nkfp-kubernetes==1.0\nkfp[kubernetes] == 2.16.0 ; python_version>'3'\n"
            )]),
            pair("2.16.0", "requirements.txt:3")
        );
        assert_eq!(
            first(&[("requirements.txt", "kfp==2.14.6 \\\n    --hash=sha256:00\n")]),
            pair("2.14.6", "requirements.txt:1")
        );
    }

    #[test]
    fn a_range_is_no_pin() {
        for line in [
            "kfp>=2.7,<3",
            "kfp",
            "kfp~=2.7",
            "kfp==2.*",
            "kfpx==2.0.0",
            "kfp @ file:///x",
        ] {
            assert_eq!(first(&[("requirements.txt", line)]), None, "{line}");
        }
    }

    #[test]
    fn ranges_are_found_where_pins_are() {
        let first = |name: &str, text: &str| {
            let (folder, sources) = tree(&[(name, text)]);
            find(folder.path(), &sources)
                .ranges
                .into_iter()
                .next()
                .map(|range| (range.version, range.from))
        };
        for (text, range) in [
            ("\u{feff}kfp >= 2.9, <2.11  # why", Some(">=2.9,<2.11")),
            ("kfp[kubernetes]~=2.7 ; python_version>'3'", Some("~=2.7")),
            ("kfp<3 --hash=sha256:00", Some("<3")),
            ("kfp==2.*", Some("==2.*")),
            ("kfp==2.10.0", None),
            ("kfp-kubernetes<2", None),
            ("kfp", None),
            ("kfp @ file:///x", None),
        ] {
            let expected = range.map(|range| (range.to_owned(), "requirements.txt:1".to_owned()));
            assert_eq!(first("requirements.txt", text), expected, "{text}");
        }
        let caret = "[tool.poetry.dependencies]\nkfp = '^2.9.0'\n";
        assert_eq!(first("pyproject.toml", caret), pair("^2.9.0", "pyproject.toml:2"));
        let script = "# /// script\n# dependencies = ['kfp<2.11']\n# ///\n";
        assert_eq!(
            first("pipelines/a_pipeline.py", script),
            pair("<2.11", "pipelines/a_pipeline.py:2")
        );
    }

    #[test]
    fn what_is_wrong_with_script_metadata_is_told() {
        for (block, part) in [
            ("# dependencies = [\n# ///\n", "array"),
            ("# dependencies = 'x'\n# ///\n", "no list of texts"),
            ("# dependencies = [1]\n# ///\n", "no list of texts"),
            ("# dependencies = ['x']\n", "no line `# ///`"),
            ("# a = 1\n# ///\n# /// script\n# ///\n", "2 of them"),
        ] {
            let why = script_dependencies(&format!("# /// script\n{block}")).unwrap_err();
            assert!(why.contains(part), "{block}: {why}");
        }
        assert_eq!(script_dependencies("import x\n"), Ok(Vec::new()));
        assert_eq!(
            script_dependencies("# /// script\n# requires-python = '>=3.9'\n# ///\n"),
            Ok(Vec::new())
        );
    }

    #[test]
    fn the_nearest_folder_wins() {
        assert_eq!(
            first(&[
                ("requirements.txt", "kfp==2.0.1"),
                ("pipelines/requirements-dev.txt", "kfp==2.5.0")
            ]),
            pair("2.5.0", "pipelines/requirements-dev.txt:1")
        );
    }

    #[test]
    fn pyproject_lock_and_script_metadata() {
        let project = "[project]\nname='x'\ndependencies = [\n  'kfp==2.15.0',\n]\n";
        assert_eq!(
            first(&[("pyproject.toml", project)]),
            pair("2.15.0", "pyproject.toml:4")
        );
        let poetry = "[tool.poetry.dependencies]\nkfp = '2.9.0'\n";
        assert_eq!(
            first(&[("pyproject.toml", poetry)]),
            pair("2.9.0", "pyproject.toml:2")
        );
        let caret = "[tool.poetry.dependencies]\nkfp = '^2.9.0'\n";
        assert_eq!(first(&[("pyproject.toml", caret)]), None);
        let lock = "version = 1\n[[package]]\nname = 'kfp'\nversion = '2.8.0'\n";
        assert_eq!(first(&[("uv.lock", lock)]), pair("2.8.0", "uv.lock"));
        let script = "# /// script\n# dependencies = [\n#   \"kfp==2.12.1\",\n# ]\n# ///\nimport kfp\n";
        assert_eq!(
            first(&[("pipelines/a_pipeline.py", script)]),
            pair("2.12.1", "pipelines/a_pipeline.py:3")
        );
    }

    #[test]
    fn broken_files_are_no_pins() {
        assert_eq!(
            first(&[("pyproject.toml", "[project"), ("uv.lock", "\u{0}")]),
            None
        );
        assert_eq!(script_metadata("# /// script\n# a = 1\nimport kfp\n"), None);
    }
}
