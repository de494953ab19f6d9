//! Damaged entries, many processes, bounds, and folders that cannot be used.

use super::{cached, hits, said};
use crate::compile_support::{Tree, cache, plain};
use crate::support::{kfp_gitops, run};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A cache of its own that shares the prepared packages.
pub fn own_cache() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(cache().join("python")).unwrap();
    std::os::unix::fs::symlink(cache().join("python"), folder.path().join("python")).unwrap();
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn damage_is_a_miss() {
    let folder = own_cache();
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", &plain("a"));
    let mut settings = cached(&tree);
    settings.cache_directory = folder.path().to_owned();
    let cold = tree.compile(&settings);
    for damage in [
        |_: &[u8]| Vec::new(),
        |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec(),
        |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let last = bytes.len() - 2;
            bytes[last] ^= 1;
            bytes
        },
    ] {
        assert_eq!(hits(&tree.compile(&settings)), 1);
        let entries = files(&folder.path().join("results"));
        assert!(entries.len() >= 4, "{entries:?}");
        for path in entries {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.len() < 100 {
                continue; // damaged before, and under a name that nothing asks for
            }
            std::fs::write(&path, damage(&bytes)).unwrap();
        }
        let result = tree.compile(&settings);
        assert_eq!(hits(&result), 0);
        assert_eq!(said(&result), said(&cold));
    }
}

#[test]
fn many_processes_share_it() {
    let folder = own_cache();
    let mut tree = Tree::new();
    for name in ["a", "b", "c", "d"] {
        tree.pipeline(&format!("{name}_pipeline.py"), &plain(name));
    }
    let command = || {
        let mut command = kfp_gitops(&tree.root());
        command
            .args([
                "compile",
                "--format",
                "json",
                "--kfp-version",
                "2.17.0",
                "--cache-dir",
            ])
            .arg(folder.path());
        command
    };
    let started: Vec<_> = (0..4)
        .map(|_| {
            command()
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let digests = |json: &serde_json::Value| -> Vec<String> {
        let pipelines = json["pipelines"].as_array().unwrap();
        pipelines
            .iter()
            .map(|one| one["digest"].as_str().unwrap().to_owned())
            .collect()
    };
    let last = run(&mut command());
    let ends: Vec<_> = started
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    for end in ends {
        assert!(end.status.success(), "{end:?}");
        let report: serde_json::Value = serde_json::from_slice(&end.stdout).unwrap();
        assert_eq!(digests(&report), digests(&last.json()));
    }
    let warm = run(&mut command()).json();
    assert_eq!(warm["engine"]["cached"], 4);
    assert_eq!(digests(&warm), digests(&last.json()));
    let off = run(command().arg("--no-cache")).json();
    assert_eq!(off["engine"]["cached"], 0);
    assert_eq!(digests(&off), digests(&last.json()));
    let text = run(kfp_gitops(&tree.root())
        .args(["compile", "--kfp-version", "2.17.0", "--cache-dir"])
        .arg(folder.path()));
    assert!(text.out.contains("4 files from the cache"), "{text:?}");
}

#[test]
fn it_stays_within_its_bounds() {
    let folder = own_cache();
    let mut tree = Tree::new();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let large = format!(
            "@dsl.pipeline(name=\"NAME\", description=\"{}\")",
            "x".repeat(20_000)
        );
        tree.pipeline(
            &format!("{name}_pipeline.py"),
            &plain(name).replace(
                &format!("@dsl.pipeline(name=\"{name}\")"),
                &large.replace("NAME", name),
            ),
        );
    }
    let mut settings = cached(&tree);
    settings.cache_directory = folder.path().to_owned();
    settings.cache_bytes = 150_000;
    tree.compile(&settings);
    let total = |folder: &Path| -> u64 {
        files(folder)
            .iter()
            .map(|path| path.metadata().unwrap().len())
            .sum()
    };
    let results = folder.path().join("results");
    assert!(total(&results) <= 150_000, "{}", total(&results));
    assert!(
        total(&results) > 50_000,
        "it holds something: {}",
        total(&results)
    );
    assert!(cache().join("python").is_dir(), "environments are not part of it");
}

#[test]
fn without_a_folder_it_works_and_says_so_once() {
    let folder = own_cache();
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", &plain("a"));
    tree.pipeline("b_pipeline.py", &plain("b"));
    std::fs::write(folder.path().join("results"), "").unwrap();
    let mut settings = cached(&tree);
    settings.cache_directory = folder.path().to_owned();
    for _ in 0..2 {
        let result = tree.compile(&settings);
        assert_eq!(hits(&result), 0);
        assert!(result.files.iter().all(|file| file.outcome.is_ok()));
        let engine = result.engine.as_ref().unwrap();
        let said: Vec<_> = engine
            .notes
            .iter()
            .filter(|note| note.contains("cache is not used"))
            .collect();
        assert_eq!(said.len(), 1, "{:?}", engine.notes);
    }
}
