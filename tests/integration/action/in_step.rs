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
