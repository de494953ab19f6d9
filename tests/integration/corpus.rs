//! What is written is byte for byte what `kfp dsl compile` writes, over every feature of the compiler.

use crate::support::{git, kfp_gitops, python, repository, run, write};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An entry of `tests/corpus/manifest.json`.
#[derive(Deserialize)]
struct Entry {
    file: String,
    functions: Vec<Option<String>>,
    nondeterministic: String,
    documents: usize,
}

/// It gives another file's pipeline away, which is that file's own as soon as both are deployed.
const REEXPORT: &str = "siblings/reexport_pipeline.py";

/// The corpus with what `kfp dsl compile` makes of it.
struct Corpus {
    /// The sources, copied: nothing is written beside the committed ones.
    sources: PathBuf,
    references: PathBuf,
    entries: Vec<Entry>,
}

fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        let (sources, references) = (folder.join("sources"), folder.join("references"));
        copy(&repository().join("tests/corpus"), &sources);
        git(&sources, &["init", "-q"]);
        let made = Command::new(python::with_kfp())
            .arg(sources.join("compile_all.py"))
            .arg(&references)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let manifest = std::fs::read_to_string(sources.join("manifest.json")).unwrap();
        Corpus {
            entries: serde_json::from_str(&manifest).unwrap(),
            sources,
            references,
        }
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Corpus {
    /// Compiles everything and compares; gives how many compilations were compared, and how many of their files
    /// came from the cache.
    fn compile(&self, sandbox: &str, arguments: &[&str]) -> (usize, usize) {
        let rounds = self.entries.iter().map(|entry| entry.functions.len()).max();
        (0..rounds.unwrap_or(0))
            .flat_map(|round| [(round, false), (round, true)])
            .map(|(round, alone)| self.round(round, alone, sandbox, arguments))
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    /// A file has one function at a time, so that files with several take several rounds.
    fn round(&self, round: usize, alone: bool, sandbox: &str, arguments: &[&str]) -> (usize, usize) {
        let chosen: Vec<(&Entry, Option<&str>)> = self
            .entries
            .iter()
            .filter(|entry| (entry.file == REEXPORT) == alone)
            .filter_map(|entry| Some((entry, entry.functions.get(round)?.as_deref())))
            .collect();
        if chosen.is_empty() {
            return (0, 0);
        }
        let functions: BTreeMap<String, Value> = chosen
            .iter()
            .enumerate()
            .filter_map(|(number, (entry, function))| {
                Some((
                    format!("entry-{number}"),
                    json!({"file": entry.file, "function": (*function)?}),
                ))
            })
            .collect();
        let out = tempfile::tempdir().unwrap();
        let config = out.path().join("config.yaml");
        write(
            out.path(),
            "config.yaml",
            &json!({"compile": {"sandbox": sandbox}, "pipelines": functions}).to_string(),
        );
        let said = run(kfp_gitops(&self.sources)
            .args(["compile", "--format", "json", "-o"])
            .arg(out.path())
            .arg("--config")
            .arg(config)
            .arg("--python")
            .arg(python::with_kfp())
            .args(arguments)
            .args(chosen.iter().map(|(entry, _)| &entry.file)));
        assert_eq!(said.code, 0, "{}", said.out);
        let cached = said.json()["engine"]["cached"].as_u64().unwrap_or_default();
        for (entry, function) in &chosen {
            let stem = entry.file.trim_end_matches(".py");
            let ours = std::fs::read_to_string(out.path().join(format!("{stem}.yaml")))
                .unwrap_or_else(|error| panic!("{stem}: {error}"));
            let suffix = function.map(|name| format!(".{name}")).unwrap_or_default();
            let theirs =
                std::fs::read_to_string(self.references.join(format!("{stem}{suffix}.yaml"))).unwrap();
            let documents = 1 + ours.lines().filter(|line| *line == "---").count();
            assert_eq!(documents, entry.documents, "{}", entry.file);
            match entry.nondeterministic.as_str() {
                "none" => assert!(ours == theirs, "{} {function:?} differs", entry.file),
                "header" => assert_eq!(body(&ours), body(&theirs), "{}", entry.file),
                // The times in the archive; their length is theirs.
                "archive" => assert_eq!(ours.lines().count(), theirs.lines().count(), "{}", entry.file),
                other => panic!("{other}"),
            }
        }
        (chosen.len(), usize::try_from(cached).unwrap())
    }
}

/// A file without the comment at its top.
fn body(text: &str) -> Vec<&str> {
    text.lines().skip_while(|line| line.starts_with('#')).collect()
}

#[test]
fn the_cache_gives_the_same_bytes() {
    let corpus = corpus();
    let all: usize = corpus.entries.iter().map(|entry| entry.functions.len()).sum();
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().to_str().unwrap();
    // Filled, used, and used by runs that are fenced otherwise: found and compiled ones side by side.
    for (sandbox, expected) in [("auto", 0..1), ("auto", all / 2..all + 1), ("off", 0..all + 1)] {
        let (compared, cached) = corpus.compile(sandbox, &["--cache-dir", folder]);
        assert_eq!(compared, all);
        assert!(expected.contains(&cached), "{cached} of {all} from the cache");
    }
}

#[test]
fn the_bytes_are_those_of_the_compiler() {
    let corpus = corpus();
    let all: usize = corpus.entries.iter().map(|entry| entry.functions.len()).sum();
    for sandbox in ["auto", "off"] {
        assert_eq!(corpus.compile(sandbox, &["--no-cache"]), (all, 0));
    }
}
