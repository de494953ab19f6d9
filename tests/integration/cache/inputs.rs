//! One input at a time: what depends on it is compiled anew, the rest is not.

use super::{cached, hits, said};
use crate::compile_support::{Tree, plain};
use kfp_gitops::compile::{EngineSettings, SandboxMode};
use serde_json::json;

/// Reads in every way a file can: a module, a package, a data file, a file that is not there, an optional
/// import, a variable.
const CURIOUS: &str = r#"
import json
import os
from pathlib import Path
import helper
from package import part
try:
    import optional
    how = optional.HOW
except ImportError:
    how = 'without'
here = Path(__file__).resolve().parent
data = json.loads((here / 'data.json').read_text())
flag = os.path.exists(str(here / 'flag'))
try:
    absent = open(here / 'absent.txt').read()
except OSError:
    absent = ''
text = '-'.join([helper.A, part.B, how, data, str(flag), absent, os.environ.get('TAG', 'none')])

from kfp import dsl

@dsl.component
def say(text: str) -> str:
    return text

@dsl.pipeline(name='curious')
def pipe(text: str = text, count: int = 1):
    say(text=text)
"#;

fn tree() -> Tree {
    let mut tree = Tree::new();
    tree.file("helper.py", "A = 'a'\n");
    tree.file("package/__init__.py", "");
    tree.file("package/part.py", "B = 'b'\n");
    tree.file("data.json", "\"d\"");
    tree.pipeline("curious_pipeline.py", CURIOUS);
    tree.pipeline("other_pipeline.py", &plain("other"));
    tree
}

type Change = fn(&mut Tree, &mut EngineSettings);

/// What the curious one says in the end, and how many of the two files came from the cache.
const CHANGES: &[(&str, Change, &str, usize)] = &[
    ("nothing", |_, _| {}, "a-b-without-d-False--1", 2),
    (
        "a helper",
        |tree, _| {
            tree.file("helper.py", "A = 'A'\n");
        },
        "A-b-without-d-False--1",
        1,
    ),
    (
        "a part of a package",
        |tree, _| {
            tree.file("package/part.py", "B = 'B'\n");
        },
        "A-B-without-d-False--1",
        1,
    ),
    (
        "data",
        |tree, _| {
            tree.file("data.json", "\"D\"");
        },
        "A-B-without-D-False--1",
        1,
    ),
    (
        "an optional module",
        |tree, _| {
            tree.file("optional.py", "HOW = 'with'\n");
        },
        "A-B-with-D-False--1",
        1,
    ),
    (
        "a package in its place",
        |tree, _| {
            tree.file("optional/__init__.py", "HOW = 'P'\n");
        },
        "A-B-P-D-False--1",
        1,
    ),
    (
        "a flag",
        |tree, _| {
            tree.file("flag", "");
        },
        "A-B-P-D-True--1",
        1,
    ),
    (
        "a file that was absent",
        |tree, _| {
            tree.file("absent.txt", "x");
        },
        "A-B-P-D-True-x-1",
        1,
    ),
    (
        "a passed variable",
        |_, settings| drop(settings.environment.insert("TAG".into(), "2".into())),
        "A-B-P-D-True-x-2",
        1,
    ),
    (
        "a variable that nobody reads",
        |_, settings| {
            drop(
                settings
                    .environment
                    .insert("KFP_GITOPS_UNREAD".into(), "2".into()),
            )
        },
        "A-B-P-D-True-x-2",
        2,
    ),
    (
        "a file that nobody reads",
        |tree, _| {
            tree.file("notes.txt", "x");
        },
        "A-B-P-D-True-x-2",
        2,
    ),
    (
        "the same bytes again",
        |tree, _| {
            tree.file("helper.py", "A = 'A'\n");
        },
        "A-B-P-D-True-x-2",
        2,
    ),
    (
        "how isolated",
        |_, settings| settings.sandbox = SandboxMode::Off,
        "A-B-P-D-True-x-2",
        0,
    ),
    (
        "caching in KFP",
        |_, settings| settings.disable_caching_by_default = true,
        "A-B-P-D-True-x-2",
        0,
    ),
    (
        "the YAML as well",
        |_, settings| settings.want_yaml = true,
        "A-B-P-D-True-x-2",
        0,
    ),
    (
        "a variable that kfp reads",
        |_, settings| {
            settings.want_yaml = false;
            settings.disable_caching_by_default = false;
            settings.sandbox = SandboxMode::Auto;
            let name = "KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT";
            settings.environment.insert(name.into(), "true".into());
        },
        "A-B-P-D-True-x-2",
        0,
    ),
    (
        "back to an earlier state",
        |tree, settings| {
            let name = "KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT";
            settings.environment.remove(std::ffi::OsStr::new(name));
            tree.file("data.json", "\"d\"");
            tree.file("data.json", "\"D\"");
        },
        "A-B-P-D-True-x-2",
        2,
    ),
];

#[test]
fn each_input_counts() {
    let mut tree = tree();
    let mut settings = cached(&tree);
    settings.environment.insert("TAG".into(), "1".into());
    settings.pass_environment = ["TAG", "KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT"]
        .map(str::to_owned)
        .to_vec();
    let cold = tree.compile(&settings);
    assert_eq!(hits(&cold), 0);
    assert!(
        cold.engine.as_ref().unwrap().not_cached.is_empty(),
        "{:?}",
        cold.engine
    );
    for (what, change, expected, from_cache) in CHANGES {
        change(&mut tree, &mut settings);
        let result = tree.compile(&settings);
        assert_eq!(hits(&result), *from_cache, "{what}");
        let compiled = result.files[0].outcome.as_ref().unwrap();
        let spec = compiled[0].spec.pipeline_text();
        assert!(
            spec.contains(&format!("\"{expected}\"")),
            "{what}: no {expected} in {spec}"
        );
    }
}

#[test]
fn parameters_functions_and_deployed_neighbours_count() {
    let mut tree = tree();
    let settings = cached(&tree);
    tree.compile(&settings);
    assert_eq!(hits(&tree.compile(&settings)), 2);
    tree.source(0).parameters.insert("count".into(), json!(2));
    let result = tree.compile(&settings);
    assert_eq!(hits(&result), 1);
    tree.source(1).function = Some("hello".into());
    let result = tree.compile(&settings);
    assert_eq!(hits(&result), 1);
    assert!(said(&result)[1].contains("hello"), "the component alone");
    assert_eq!(hits(&tree.compile(&settings)), 2);

    // a pipeline that another file imports is compiled there, until it is deployed by itself
    tree.pipeline("uses_pipeline.py", "from shared import pipe\n");
    tree.file("shared.py", &plain("shared"));
    assert_eq!(hits(&tree.compile(&settings)), 2);
    let result = tree.compile(&settings);
    assert_eq!(hits(&result), 3);
    tree.pipeline("shared.py", &plain("shared"));
    let result = tree.compile(&settings);
    assert_eq!(hits(&result), 2);
    assert!(said(&result)[2].contains("belongs to"), "{:?}", said(&result)[2]);
}

#[test]
fn a_variable_that_becomes_withheld_is_noticed() {
    let mut tree = Tree::new();
    let text = "import os\nTAG = os.environ.get('RELEASE_TAG', 'latest')\n";
    tree.pipeline("a_pipeline.py", &format!("{text}{}", plain("a")));
    let mut settings = cached(&tree);
    settings.environment.remove(std::ffi::OsStr::new("RELEASE_TAG"));
    let cold = tree.compile(&settings);
    assert_eq!(hits(&tree.compile(&settings)), 1);
    assert!(cold.files[0].withheld.is_empty());
    settings.environment.insert("RELEASE_TAG".into(), "7".into());
    for from_cache in [0, 1] {
        let result = tree.compile(&settings);
        assert_eq!(hits(&result), from_cache);
        assert_eq!(result.files[0].withheld, ["RELEASE_TAG"]);
    }
}
