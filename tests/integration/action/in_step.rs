//! Inputs, flags, outputs and their documentation are kept in step.

use super::runner::action_file;
use clap::CommandFactory;
use kfp_gitops::cli::Cli;
use kfp_gitops::report::outputs;
use kfp_gitops::settings::variables;
use std::collections::BTreeSet;
use std::path::Path;

/// Every variable that a flag of any command reads.
fn of_flags() -> BTreeSet<String> {
    let command = Cli::command();
    let mut names = BTreeSet::new();
    for one in std::iter::once(&command).chain(command.get_subcommands()) {
        for argument in one.get_arguments() {
            names.extend(argument.get_env().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names
}

#[test]
fn every_input_has_a_reader() {
    let action = action_file();
    let known: BTreeSet<String> = of_flags()
        .into_iter()
        .chain(variables::TABLE.iter().map(|one| one.name.to_owned()))
        .collect();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let mut used = BTreeSet::new();
    for step in steps {
        for (name, value) in step["env"].as_object().unwrap() {
            if let Some(input) = value.as_str().unwrap().strip_prefix("${{ inputs.") {
                let input = input.trim_end_matches(" }}").to_owned();
                assert!(used.insert(input.clone()), "`{input}` is passed twice");
                if name.starts_with("KFP_GITOPS_") {
                    assert!(
                        known.contains(name),
                        "nothing reads {name} of the input `{input}`"
                    );
                    let twin = format!("KFP_GITOPS_{}", input.to_uppercase().replace('-', "_"));
                    assert_eq!(*name, twin, "the input and its variable have one name");
                }
            }
        }
    }
    let inputs: BTreeSet<String> = action["inputs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, inputs, "every input is passed to a step");
}

#[test]
fn outputs_are_those_the_program_writes() {
    let action = action_file();
    let outputs_object = action["outputs"].as_object().unwrap();
    let declared: BTreeSet<&str> = outputs_object.keys().map(String::as_str).collect();
    assert_eq!(declared, outputs::NAMES.iter().copied().collect());
    for (name, about) in outputs_object {
        assert_eq!(about["value"], format!("${{{{ steps.run.outputs.{name} }}}}"));
    }
}

#[test]
fn the_readme_lists_every_input_and_output() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("action/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let action = action_file();
    let rows = |marker: &str| -> Vec<String> {
        let (_, rest) = readme
            .split_once(marker)
            .unwrap_or_else(|| panic!("{marker} is missing"));
        rest.lines()
            .skip_while(|line| !line.starts_with("|--"))
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.split('`').nth(1).unwrap_or_default().to_owned())
            .collect()
    };
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let inputs = action["inputs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(sorted(rows("<!-- inputs -->")), sorted(inputs));
    let outputs = action["outputs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(sorted(rows("<!-- outputs -->")), sorted(outputs));
}

/// The workflows to copy, and this repository's own.
fn workflows() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("action/README.md")).unwrap();
    let mut found: Vec<(String, String)> = readme
        .split("```yaml\n# .")
        .skip(1)
        .enumerate()
        .map(|(number, rest)| {
            (
                format!("starting point {}", number + 1),
                rest.split("```").next().unwrap().to_owned(),
            )
        })
        .map(|(name, text)| (name, format!("# .{text}")))
        .collect();
    assert_eq!(found.len(), 8);
    for folder in [".gitea/workflows", ".github/workflows"] {
        for file in ["ci.yaml", "deploy-example.yaml", "release.yaml"] {
            let name = format!("{folder}/{file}");
            let text = std::fs::read_to_string(root.join(&name)).unwrap();
            found.push((name, text));
        }
    }
    found
}

#[test]
fn workflows_hold_what_is_promised() {
    let inputs: BTreeSet<String> = action_file()["inputs"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    for (name, text) in workflows() {
        let file: serde_json::Value =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            file["concurrency"]["group"].is_string(),
            "{name} has no concurrency"
        );
        assert_eq!(
            file["permissions"],
            serde_json::json!({}),
            "{name} gives rights to every job"
        );
        // YAML 1.1 reads a bare `on` as true; this reader does not.
        if let Some(paths) = file["on"]["push"]["paths"].as_array() {
            for wanted in ["requirements", "py"] {
                assert!(
                    paths.iter().any(|one| one.as_str().unwrap().contains(wanted)),
                    "{name}: {paths:?}"
                );
            }
        }
        assert!(
            file["on"]["pull_request"].is_null(),
            "{name}: a required status must not wait for a path"
        );
        for (job, about) in file["jobs"].as_object().unwrap() {
            assert!(
                about["permissions"].is_object() || about.get("permissions").is_none(),
                "{name}: {job}"
            );
            for step in about["steps"].as_array().unwrap() {
                if let Some(script) = step["run"].as_str() {
                    assert!(
                        !script.contains("${{"),
                        "{name}: a template expression inside a script"
                    );
                }
                let Some(uses) = step["uses"].as_str() else {
                    continue;
                };
                if uses.contains("kfp-gitops@") || uses.starts_with("./") {
                    for input in step["with"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(input, _)| input)
                    {
                        assert!(
                            inputs.contains(input),
                            "{name}: the action has no input `{input}`"
                        );
                    }
                    continue;
                }
                let (_, pin) = uses.split_once('@').unwrap();
                assert!(
                    pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{name}: {uses}"
                );
                if uses.contains("checkout@") {
                    assert_eq!(step["with"]["persist-credentials"], false, "{name}");
                }
                if name.starts_with("starting") {
                    assert!(uses.contains("checkout@"), "{name} needs no other action: {uses}");
                }
            }
        }
    }
}

#[test]
fn a_wheel_brings_the_binary() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary");
    std::fs::write(&binary, "#!/bin/sh\necho it runs\n").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("action/release/wheel.py");
    let build = |out: &str| {
        let out = folder.path().join(out);
        std::fs::create_dir_all(&out).unwrap();
        let done = std::process::Command::new("python3")
            .arg(&script)
            .arg(&binary)
            .args(["0.1.0", "x86_64-unknown-linux-musl"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        std::path::PathBuf::from(String::from_utf8(done.stdout).unwrap().trim())
    };
    let wheel = build("one");
    assert_eq!(
        std::fs::read(&wheel).unwrap(),
        std::fs::read(build("two")).unwrap(),
        "the same twice"
    );
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&wheel).unwrap()).unwrap();
    let file = archive
        .by_name("kfp_gitops-0.1.0.data/scripts/kfp-gitops")
        .unwrap();
    assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    drop(file);
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let mut record = String::new();
    std::io::Read::read_to_string(
        &mut archive.by_name("kfp_gitops-0.1.0.dist-info/RECORD").unwrap(),
        &mut record,
    )
    .unwrap();
    for name in names {
        assert!(record.contains(&name), "{name} is not in RECORD");
    }
}
