//! Every Python that is supported: found on this machine, kfp prepared from pins, the examples compiled.

use crate::support::{examples, folder, kfp_gitops, run};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const SUPPORTED: [&str; 5] = ["3.9", "3.10", "3.11", "3.12", "3.13"];

/// The supported interpreters there are, oldest first: on `PATH` and where version managers and uv keep them.
fn interpreters() -> Vec<(&'static str, PathBuf)> {
    let mut candidates = Vec::new();
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path) {
        candidates.push(folder.join("python3"));
        candidates.extend(SUPPORTED.map(|version| folder.join(format!("python{version}"))));
    }
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let managers = [
        std::env::var_os("PYENV_ROOT")
            .map_or_else(|| home.join(".pyenv"), PathBuf::from)
            .join("versions"),
        home.join(".local/share/uv/python"),
        home.join(".local/share/mise/installs/python"),
        home.join(".asdf/installs/python"),
        PathBuf::from(std::env::var_os("RUNNER_TOOL_CACHE").unwrap_or_default()).join("Python"),
    ];
    for versions in managers {
        for version in std::fs::read_dir(versions).into_iter().flatten().flatten() {
            candidates.push(version.path().join("bin/python3"));
            candidates.push(version.path().join("x64/bin/python3"));
        }
    }
    let mut found = BTreeMap::new();
    for candidate in candidates.into_iter().filter(|path| path.exists()) {
        let answer = Command::new(&candidate)
            .args([
                "-I",
                "-c",
                "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)",
            ])
            .output();
        let Ok(output) = answer else { continue };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some((version, executable)) = text.trim().split_once('\n') else {
            continue;
        };
        if let Some(version) = SUPPORTED.iter().find(|one| **one == version) {
            found.entry(*version).or_insert_with(|| PathBuf::from(executable));
        }
    }
    SUPPORTED
        .iter()
        .filter_map(|version| {
            let python = found.remove(version);
            if python.is_none() {
                eprintln!("skipped: there is no Python {version} on this machine");
            }
            python.map(|python| (*version, python))
        })
        .collect()
}

fn compile(root: &Path, python: &Path, kfp: &str, what: &str) -> (i32, serde_json::Value) {
    let said = run(kfp_gitops(root)
        .args([
            "compile",
            what,
            "--format",
            "json",
            "--kfp-version",
            kfp,
            "--no-cache",
            "--python",
        ])
        .arg(python));
    (said.code, said.json())
}

#[test]
fn the_six_examples_compile_on_every_python() {
    let root = examples();
    let found = interpreters();
    assert!(!found.is_empty(), "no supported Python at all");
    for (version, python) in found {
        let (code, report) = compile(root.path(), &python, "2.17.0", "examples");
        assert_eq!(code, 0, "Python {version}: {report:#}");
        assert_eq!(report["counts"]["compiled"], 6, "Python {version}: {report:#}");
        let used = report["engine"]["python_version"].as_str().unwrap();
        assert!(used.starts_with(&format!("{version}.")), "{used}");
        assert_eq!(report["engine"]["kfp_version"], "2.17.0", "Python {version}");
    }
}

/// Uses kfp-kubernetes, which these releases have as source alone too.
const PLAIN: &str = "from kfp import dsl, kubernetes\n\n\n@dsl.component(base_image='python:3.9')\ndef say(): pass\n\n\n\
                     @dsl.pipeline(name='plain')\ndef plain():\n    kubernetes.use_secret_as_env(say(), 's', {'a': 'B'})\n";

#[test]
fn releases_without_wheels_are_built_and_compile() {
    let root = folder(&[("plain_pipeline.py", PLAIN)]);
    let found = interpreters();
    let (oldest, newest) = (&found.first().unwrap().1, &found.last().unwrap().1);
    for (kfp, python) in [
        ("2.0.0", oldest),
        ("2.5.0", oldest),
        ("2.13.0", oldest),
        ("2.13.0", newest),
    ] {
        let (code, report) = compile(root.path(), python, kfp, ".");
        assert_eq!(code, 0, "kfp {kfp} with {}: {report:#}", python.display());
        let used = report["engine"]["kfp_version"].as_str().unwrap();
        if oldest == newest && used != kfp {
            eprintln!("skipped: kfp {kfp} does not run on {}", python.display());
            continue;
        }
        assert_eq!(used, kfp, "{report:#}");
        assert_eq!(report["pipelines"][0]["name"], "plain");
    }
}

#[test]
fn the_pins_resolve_for_the_next_python() {
    let Some(uv) = crate::preparing::uv() else {
        eprintln!("skipped: only uv resolves for a Python that is not there");
        return;
    };
    let data: serde_json::Value = serde_json::from_str(include_str!("../../requirements/kfp.json")).unwrap();
    let place = folder(&[]);
    let mut tried = 0;
    for (release, entry) in data["releases"].as_object().unwrap() {
        if !entry["python"][1].is_null() || !["2.13.0", "2.14.6", "2.17.0"].contains(&release.as_str()) {
            continue;
        }
        let mut list = String::new();
        for package in entry["packages"].as_array().unwrap() {
            let pin = format!(
                "{}=={}",
                package["name"].as_str().unwrap(),
                package["version"].as_str().unwrap()
            );
            // what has no wheel for any Python is built on the spot
            let built = data["sources"].as_array().unwrap().iter().any(|one| *one == *pin);
            if package["lean"] == true && !built {
                list.push_str(&pin);
                if let Some(marker) = package["marker"].as_str() {
                    list.push_str(&format!(" ; {marker}"));
                }
                for hash in data["files"][&pin].as_array().unwrap() {
                    list.push_str(&format!(" --hash=sha256:{}", hash.as_str().unwrap()));
                }
                list.push('\n');
            }
        }
        let file = place.path().join(format!("{release}.txt"));
        std::fs::write(&file, list).unwrap();
        let output = Command::new(&uv)
            .args([
                "pip",
                "install",
                "--dry-run",
                "--no-deps",
                "--require-hashes",
                "--only-binary",
                ":all:",
            ])
            .args([
                "--python-version",
                "3.14",
                "--python-platform",
                "x86_64-unknown-linux-gnu",
                "--target",
            ])
            .arg(place.path().join("site"))
            .arg("-r")
            .arg(file)
            .current_dir(place.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kfp {release} on Python 3.14: {text}");
        assert!(text.contains("protobuf"), "{text}");
        tried += 1;
    }
    assert_eq!(tried, 3);
}
