//! Reading requirement files: included ones too, inside the tree alone, into plain requirements.

use super::line::{self, Refused, Requirement};
use crate::error::{Failure, Phase};
use std::path::{Path, PathBuf};

/// What a project asks to be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::compile) struct Listed {
    /// To be installed.
    pub requirements: Vec<Requirement>,
    /// Versions to keep to where something needs them.
    pub constraints: Vec<Requirement>,
}

/// Requirement files are small; anything larger is not one.
const LARGEST: u64 = 4 << 20;
/// Files included by files included by files.
const DEPTH: usize = 10;
/// More files than this are an attack.
const FILES: usize = 200;

const INDEX_HINT: &str = "name the index where the job is defined, with `PIP_INDEX_URL` or `UV_INDEX_URL`; a folder of wheels is `compile.wheelhouse`";
const ELSEWHERE_HINT: &str = "publish it as a wheel on the package index and require it by name, or put the module beside the pipelines: they can import what lies in the tree";

/// Reads files, each with all that it includes.
pub(super) struct Reader<'a> {
    root: &'a Path,
    /// The folder of the file that was named: where it lies hidden, its neighbours are not.
    base: PathBuf,
    seen: Vec<PathBuf>,
    listed: Listed,
}

impl<'a> Reader<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self {
            root,
            base: root.to_path_buf(),
            seen: Vec::new(),
            listed: Listed::default(),
        }
    }

    pub(super) fn done(self) -> Listed {
        self.listed
    }

    /// Adds a file and what it includes.
    ///
    /// # Errors
    /// A line that is no plain requirement; an included file that cannot be read or lies outside.
    pub(super) fn file(&mut self, path: &Path) -> Result<(), Failure> {
        self.base = path
            .parent()
            .and_then(|folder| folder.canonicalize().ok())
            .unwrap_or_default();
        let (path, shown) = self.inside(path, &shown(self.root, path))?;
        self.one(&path, &shown, false, 0)
    }

    /// Adds requirements that stand in a list, such as PEP 723 metadata.
    ///
    /// # Errors
    /// One of them is no plain requirement.
    pub(super) fn lines(&mut self, lines: &[String], place: &str) -> Result<(), Failure> {
        for text in lines {
            let one = line::read(text.trim()).map_err(|refused| explain(&refused, place))?;
            self.listed.requirements.push(one);
        }
        Ok(())
    }

    fn one(&mut self, path: &Path, shown: &str, constraints: bool, depth: usize) -> Result<(), Failure> {
        if self.seen.iter().any(|seen| seen == path) {
            return Ok(());
        }
        if depth > DEPTH || self.seen.len() >= FILES {
            return Err(Failure::failed(
                Phase::Prepare,
                format!("`{shown}` is included too deep, or by too many files"),
            )
            .hint(format!("include files at most {DEPTH} levels deep")));
        }
        self.seen.push(path.to_path_buf());
        let text = read(path).map_err(|why| {
            Failure::failed(Phase::Prepare, format!("cannot read `{shown}`: {why}"))
                .hint("requirement files are text in UTF-8 of at most 4 MiB")
        })?;
        for (number, line) in logical(&text) {
            let place = format!("{shown}:{number}");
            if let Some((option, value)) = option(&line) {
                self.option(path, option, value, &place, constraints, depth)?;
                continue;
            }
            let one = line::read(&line).map_err(|refused| explain(&refused, &place))?;
            if constraints {
                self.listed.constraints.push(one);
            } else {
                self.listed.requirements.push(one);
            }
        }
        Ok(())
    }

    fn option(
        &mut self,
        path: &Path,
        option: &str,
        value: &str,
        place: &str,
        constraints: bool,
        depth: usize,
    ) -> Result<(), Failure> {
        let constrains = match option {
            "-r" | "--requirement" => constraints,
            "-c" | "--constraint" => true,
            // each line says by itself which hashes it has
            "--require-hashes" => return Ok(()),
            _ => return Err(explain(&Refused::Option(option.to_owned()), place)),
        };
        if value.contains("://") || value.starts_with("file:") || value.contains('$') {
            return Err(explain(&Refused::Elsewhere("an address"), place));
        }
        let folder = path.parent().unwrap_or(self.root);
        let (included, shown) = self.inside(&folder.join(value), place)?;
        self.one(&included, &shown, constrains, depth + 1)
    }

    /// The real path of a file in the tree, and how it is called there. What is hidden stays closed, and so does
    /// everything outside: an error message that quotes a file would tell what is in it.
    fn inside(&self, path: &Path, place: &str) -> Result<(PathBuf, String), Failure> {
        let refused = |why: &str| {
            Failure::failed(Phase::Prepare, format!("`{place}` names a file that {why}"))
                .hint("include requirement files of the repository only")
        };
        let real = path.canonicalize().map_err(|_| refused("is not there"))?;
        let root = self
            .root
            .canonicalize()
            .unwrap_or_else(|_| self.root.to_path_buf());
        let relative = real
            .strip_prefix(&root)
            .map_err(|_| refused("lies outside of the tree"))?;
        let beneath = real.strip_prefix(&self.base).unwrap_or(relative);
        let hidden = beneath
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
        if hidden {
            return Err(refused("is hidden"));
        }
        let shown = relative.to_string_lossy().into_owned();
        Ok((real, shown))
    }
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn read(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("it is not a file".to_owned());
    }
    if meta.len() > LARGEST {
        return Err("it is too large".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Lines with their continuations joined and comments gone, and the number of the first of each.
fn logical(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        // a comment ends a continuation, even when it ends with a backslash itself
        let comment = line.trim_start().starts_with('#');
        let goes_on = line.ends_with('\\') && !comment;
        let part = if goes_on {
            line.trim_end_matches('\\')
        } else {
            line
        };
        let (number, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        if comment {
            joined.push(' ');
        }
        joined.push_str(part);
        if goes_on {
            open = Some((number, joined));
        } else {
            lines.push((number, joined));
        }
    }
    lines.extend(open);
    lines
        .into_iter()
        .map(|(number, line)| (number, without_comment(&line).trim().to_owned()))
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

/// A comment begins the line or follows white space.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = c;
    }
    line
}

/// An option and its value: `-r file`, `-rfile`, `--requirement=file`.
fn option(line: &str) -> Option<(&str, &str)> {
    if !line.starts_with('-') {
        return None;
    }
    if !line.starts_with("--") {
        let at = line.char_indices().nth(2).map_or(line.len(), |(at, _)| at);
        return Some((&line[..at], line[at..].trim().trim_start_matches('=').trim()));
    }
    let at = line
        .find(|c: char| c == '=' || c.is_whitespace())
        .unwrap_or(line.len());
    Some((&line[..at], line[at..].trim_start_matches('=').trim()))
}

/// A line that may not stand there, and what to do instead. Values are not quoted: they may hold passwords.
fn explain(refused: &Refused, place: &str) -> Failure {
    let (message, hint) = match refused {
        Refused::Elsewhere(what) => (
            format!("`{place}` requires {what} instead of a package of the index"),
            ELSEWHERE_HINT.to_owned(),
        ),
        Refused::Option(option) => {
            let option: String = option.chars().filter(|c| !c.is_control()).take(40).collect();
            let hint = match option.as_str() {
                "-e" | "--editable" => ELSEWHERE_HINT,
                "-i" | "--index-url" | "--extra-index-url" | "--no-index" | "-f" | "--find-links"
                | "--trusted-host" | "--index" | "--default-index" => INDEX_HINT,
                "--no-binary" | "--only-binary" | "--prefer-binary" => {
                    "remove the line: packages are installed from wheels; `compile.source_builds: allow` in the configuration of the base branch lets them be built"
                }
                "--pre" => "remove the line and pin the pre-release exactly, such as `name==1.0rc1`",
                _ => "remove it: requirements name packages, their versions, markers and hashes",
            };
            (
                format!("`{place}` has the option `{option}`, which project requirements may not decide"),
                hint.to_owned(),
            )
        }
        Refused::Unclear(text) => (
            format!("`{place}` is not a requirement this program understands: `{text}`"),
            "write `name`, `name==1.2` or `name>=1,<2 ; python_version < \"3.12\"`".to_owned(),
        ),
    };
    Failure::failed(Phase::Prepare, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn read_tree(files: &[(&str, &str)]) -> Result<Listed, Failure> {
        let folder = tree(files);
        let mut reader = Reader::new(folder.path());
        reader.file(&folder.path().join(files[0].0))?;
        Ok(reader.done())
    }

    fn texts(list: &[Requirement]) -> Vec<&str> {
        list.iter().map(|one| one.text.as_str()).collect()
    }

    #[test]
    fn included_files_of_the_tree_are_followed_once() {
        let listed = read_tree(&[
            (
                "a/requirements.txt",
                "\u{feff}one # why\n-r ../base.txt\n-c c.txt\ntwo==1 \\\n  ; python_version > '3.8'\n--require-hashes\n",
            ),
            ("base.txt", "# first\\\nthree\n--requirement=a/requirements.txt\n-rmore/x.txt\n"),
            ("more/x.txt", "four\r\n\r\n"),
            ("a/c.txt", "three<9\n-r d.txt\n"),
            ("a/d.txt", "five<9\n"),
        ])
        .unwrap();
        assert_eq!(
            texts(&listed.requirements),
            ["one", "three", "four", "two==1 ; python_version > '3.8'"]
        );
        assert_eq!(texts(&listed.constraints), ["three<9", "five<9"]);
    }

    #[test]
    fn every_option_path_and_address_is_refused_with_its_place() {
        for (line, part) in [
            ("--index-url https://user:hunter2@evil/simple", "`--index-url`"),
            ("--index-url=https://user:hunter2@evil/simple", "`--index-url`"),
            ("-i https://hunter2.example/", "`-i`"),
            ("-ihttps://hunter2.example/", "`-i`"),
            ("--extra-index-url https://hunter2", "`--extra-index-url`"),
            ("-f hunter2", "`-f`"),
            ("--find-links hunter2", "`--find-links`"),
            ("--trusted-host hunter2", "`--trusted-host`"),
            ("--no-index", "`--no-index`"),
            ("--no-binary :all:", "`--no-binary`"),
            ("--pre", "`--pre`"),
            ("-e .", "`-e`"),
            ("--editable ./x", "`--editable`"),
            ("-\u{e4}hunter2", "option"),
            ("--config-settings a=b", "`--config-settings`"),
            ("./local", "a path"),
            ("local.whl", "a file"),
            ("git+https://hunter2@x/y", "a repository"),
            ("x @ https://hunter2@x/y.whl", "an address"),
            ("-r https://hunter2/x", "an address"),
            ("-c file:///etc/passwd", "an address"),
            ("-r /etc/passwd", "outside"),
            ("-r ../../../../../../../../etc/passwd", "outside"),
            ("-r absent.txt", "not there"),
            ("-r .git/config", "hidden"),
            ("-r .", "not a file"),
            ("a b @hunter2", "an address"),
            ("a==1 --install-option=hunter2", "`--install-option`"),
        ] {
            let failure = read_tree(&[
                ("requirements.txt", &format!("ok\n\n{line}\n")),
                (".git/config", "token = hunter2"),
            ])
            .expect_err(line);
            assert!(failure.message.contains(part), "{line}: {failure}");
            let text = format!("{failure} {:?}", failure.hint);
            assert!(!text.contains("hunter2"), "{line}: {text}");
            assert!(failure.hint.is_some(), "{line}");
            if part != "not a file" {
                assert!(
                    failure.message.contains("`requirements.txt:3`"),
                    "{line}: {failure}"
                );
            }
        }
    }

    #[test]
    fn a_hidden_folder_of_pipelines_has_its_own_files() {
        let listed =
            read_tree(&[(".ci/requirements.txt", "-r more.txt\n"), (".ci/more.txt", "x\n")]).unwrap();
        assert_eq!(texts(&listed.requirements), ["x"]);
        assert!(read_tree(&[("requirements.txt", "-r .ci/more.txt\n"), (".ci/more.txt", "x\n")]).is_err());
    }

    #[test]
    fn links_lead_nowhere_outside() {
        let folder = tree(&[("requirements.txt", "-r link.txt\n")]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.txt")).unwrap();
        let mut reader = Reader::new(folder.path());
        let failure = reader.file(&folder.path().join("requirements.txt")).unwrap_err();
        assert!(failure.message.contains("outside"), "{failure}");
    }

    #[test]
    fn endless_includes_end() {
        let mut files = vec![("requirements.txt".to_owned(), "-r 0.txt\n".to_owned())];
        files.extend((0..30).map(|n| (format!("{n}.txt"), format!("-r {}.txt\n", n + 1))));
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert!(read_tree(&files).unwrap_err().message.contains("too deep"));
    }

    #[test]
    fn lists_are_read_the_same_way() {
        let mut reader = Reader::new(Path::new("/"));
        reader.lines(&["pandas>=2".into()], "a_pipeline.py").unwrap();
        for bad in ["x\n--index-url http://evil", "--index-url http://evil", "-e ."] {
            let failure = reader.lines(&[bad.into()], "a_pipeline.py").unwrap_err();
            assert!(failure.message.contains("`a_pipeline.py`"), "{failure}");
        }
        assert_eq!(texts(&reader.done().requirements), ["pandas>=2"]);
    }
}
