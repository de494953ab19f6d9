//! The context read from recorded jobs of a real Gitea, and from GitHub environments written from its
//! documentation.

mod auto;
mod gitea;
mod github;
mod untrusted;

use super::{Context, read};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn recording(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings/forge")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn environment(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The context of a recorded job.
fn recorded(name: &str) -> Context {
    read(
        &environment(&recording(&format!("gitea-{name}.env"))),
        Some(&recording(&format!("gitea-{name}.event.json"))),
    )
}

/// A recorded environment with some variables replaced; an empty value means that the runner set none.
fn changed(name: &str, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut env = environment(&recording(&format!("gitea-{name}.env")));
    for (name, value) in changes {
        env.insert((*name).to_owned(), (*value).to_owned());
    }
    env
}
