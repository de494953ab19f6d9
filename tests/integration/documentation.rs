//! What the documents claim is what the program does. `UPDATE_DOCS=1 cargo test documentation` rewrites them.

use crate::support::{examples, folder, kfp_gitops, repository, run};
use kfp_gitops::context::variables as context;
use kfp_gitops::exit::ExitCode;
use kfp_gitops::plan::file as plan_file;
use kfp_gitops::report::json;
use kfp_gitops::settings::{file, variables};
use std::fmt::Write as _;
use std::path::Path;

/// Holds a file against what it should be, or rewrites it.
fn hold(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).expect("written");
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    pretty_assertions::assert_eq!(
        found,
        expected,
        "{}: run `UPDATE_DOCS=1 cargo test documentation`",
        path.display()
    );
}

/// Holds the part of README.md between a marker and the next blank line, or the end of its code block.
pub(crate) fn hold_block(marker: &str, expected: &str) {
    let path = repository().join("README.md");
    let text = std::fs::read_to_string(&path).expect("README");
    let marker = format!("<!-- {marker} -->\n");
    let start = text
        .find(&marker)
        .unwrap_or_else(|| panic!("{marker} in README.md"))
        + marker.len();
    let end = if text[start..].starts_with("```") {
        start
            + text[start + 3..]
                .find("\n```\n")
                .expect("an end of the code block")
            + 3
            + 5
    } else {
        start + text[start..].find("\n\n").expect("an end of the table") + 1
    };
    let updated = format!("{}{expected}{}", &text[..start], &text[end..]);
    hold(&path, &updated);
}

#[test]
fn schema_is_committed() {
    hold(
        &repository().join("schema/kfp-gitops.schema.json"),
        &file::json_schema(),
    );
    hold(
        &repository().join("schema/report.schema.json"),
        &json::json_schema(),
    );
    hold(
        &repository().join("schema/plan.schema.json"),
        &plan_file::json_schema(),
    );
}

#[test]
fn exit_codes_are_the_readme_table() {
    let mut table = "| code | meaning |\n|---|---|\n".to_owned();
    for (code, meaning) in ExitCode::TABLE {
        let _ = writeln!(table, "| {} | {meaning} |", code.code());
    }
    hold_block("exit codes", &table);
}

#[test]
fn variables_are_the_readme_table() {
    let mut table = "| variable | meaning |\n|---|---|\n".to_owned();
    for variable in variables::TABLE {
        let _ = writeln!(table, "| `{}` | {} |", variable.name, variable.meaning.trim());
    }
    let ci: Vec<String> = context::TABLE
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let _ = writeln!(
        table,
        "| {} | what the job is, as Gitea and GitHub tell it |",
        ci.join(", ")
    );
    hold_block("variables", &table);
}

#[test]
fn graphs_of_the_examples_are_the_commands() {
    let path = repository().join("examples/README.md");
    let mut text = std::fs::read_to_string(&path).expect("the examples' README");
    let mut drawn = 0;
    for entry in std::fs::read_dir(repository().join("examples"))
        .expect("examples")
        .flatten()
    {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(stem) = file.strip_suffix("_pipeline.py") else {
            continue;
        };
        let name = stem.replace('_', "-");
        let said = run(kfp_gitops(repository()).args(["graph", &format!("examples/{file}")]));
        assert_eq!(said.code, 0, "{said:?}");
        let marker = format!("<!-- graph:{name} -->\n");
        let start = text
            .find(&marker)
            .unwrap_or_else(|| panic!("{marker} in {}", path.display()))
            + marker.len();
        let end = start
            + text[start..]
                .find("<!-- /graph -->")
                .expect("an end of the graph");
        text.replace_range(start..end, &format!("```mermaid\n{}```\n", said.out));
        drawn += 1;
    }
    assert_eq!(
        text.matches("<!-- graph:").count(),
        drawn,
        "a graph of no example"
    );
    hold(&path, &text);
}

#[test]
fn every_flag_has_its_twin() {
    let root = folder(&[]);
    for command in ["apply", "plan", "diff", "graph", "list", "show", "history"] {
        twins(root.path(), command);
    }
}

fn twins(root: &Path, command: &str) {
    let help = run(kfp_gitops(root).args([command, "--help"]));
    assert_eq!(help.code, 0);
    let mut flag = String::new();
    let mut missing = Vec::new();
    for line in help.out.lines() {
        if let Some(name) = line
            .trim_start()
            .split("--")
            .nth(1)
            .filter(|_| line.trim_start().starts_with('-'))
        {
            flag = name
                .split([' ', ',', '.', '['])
                .next()
                .unwrap_or_default()
                .to_owned();
            missing.push(flag.clone());
        }
        let twin = format!("[env: KFP_GITOPS_{}", flag.to_uppercase().replace('-', "_"));
        if line.contains(&twin) {
            missing.retain(|name| *name != flag);
        }
    }
    missing.sort();
    assert_eq!(missing, ["help", "verbose"], "{}", help.out);
}

#[test]
fn the_output_shown_is_the_output() {
    let root = examples();
    let said = run(kfp_gitops(root.path()).args(["apply", "examples"]));
    assert_eq!(said.code, 0, "{said:?}");
    let clock = regex_lite::Regex::new(r"v\d{8}-\d{6}").expect("a pattern");
    let seconds = regex_lite::Regex::new(r"in \d+\.\d s").expect("a pattern");
    let python = regex_lite::Regex::new(r"Python \d+\.\d+\.\d+").expect("a pattern");
    let sandbox = regex_lite::Regex::new(r"sandbox \w+").expect("a pattern");
    let text = clock.replace_all(&said.out, "v20261121-093000");
    let text = seconds.replace_all(&text, "in 1.9 s");
    let text = python.replace_all(&text, "Python 3.11.7");
    let text = sandbox.replace_all(&text, "sandbox full");
    let text: String = text
        .lines()
        .filter(|line| {
            !line.trim_start().starts_with("sandbox:") && !line.trim_start().starts_with("preparing ")
        })
        .map(|line| format!("{line}\n"))
        .collect();
    hold_block("output of apply", &format!("```text\n{text}```\n"));
}

#[test]
fn what_servers_can_do_is_the_readme_table() {
    use kfp_gitops::kfp::{Capabilities, Store, features};
    let releases = ["2.0.5", "2.5.0", "2.14.0", "2.15.2", "2.16.1", "2.17.0"];
    let of = |release: &str, store| {
        let version = release.parse().expect("a version");
        Capabilities::for_version(Some(&version), store)
    };
    let mut table = format!(
        "| | {} |\n|---|{}\n",
        releases.join(" | "),
        "---|".repeat(releases.len())
    );
    let mut row = |what: &str, cell: &dyn Fn(&str) -> String| {
        let cells: Vec<String> = releases.iter().map(|release| cell(release)).collect();
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let database = |release: &str| of(release, Store::Database);
    row("`name` beside `display_name`", &|release| {
        yes(database(release).name_field)
    });
    row("tags", &|release| yes(database(release).tags));
    row("deletes a pipeline with its versions", &|release| {
        yes(database(release).cascading_delete)
    });
    row("status for a name that is taken", &|release| {
        if database(release).taken_name_is_500 {
            "500"
        } else {
            "409"
        }
        .to_owned()
    });
    row("status for a spec it cannot read", &|release| {
        if database(release).bad_spec_is_500 {
            "500"
        } else {
            "400"
        }
        .to_owned()
    });
    row("says why it refuses an upload", &|release| {
        yes(!database(release).silent_refusals)
    });
    row(
        "bytes of a pipeline's name (Kubernetes store: at most 253, and a DNS name)",
        &|release| database(release).pipeline_name_limit.to_string(),
    );
    row(
        "bytes of a version's name (Kubernetes store: at most 253, and a DNS name)",
        &|release| database(release).version_name_limit.to_string(),
    );
    row(
        "Kubernetes store: two pipelines may share a version name",
        &|release| {
            let stored: semver::Version = release.parse().expect("a version");
            if (stored.major, stored.minor) < (2, 14) {
                return "-".to_owned();
            }
            yes(!of(release, Store::Kubernetes).version_names_collide)
        },
    );
    for (what, since, until) in features::TABLE {
        row(what, &|release| {
            let version: semver::Version = release.parse().expect("a version");
            let at = |release: features::Release| (u64::from(release.0), u64::from(release.1));
            let told = (version.minor, version.patch);
            yes(told >= at(since) && told < at(until))
        });
    }
    hold_block("servers", &table);
}
