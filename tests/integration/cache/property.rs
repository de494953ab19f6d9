//! Whatever a file reads, in whatever way: once it is changed, the cache says what a compile without it says.
//!
//! Many small trees are generated in one folder, so that one worker compiles them all; then one input of each is
//! changed. `KFP_GITOPS_LONG_TESTS=1` tries many more.

mod ways;

use self::ways::WAYS;
use super::{cached, hits, keeping, said};
use crate::compile_support::Tree;
use kfp_gitops::compile::{CompileResult, EngineSettings};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Values of different lengths, so that sizes tell them apart.
const VALUES: [Option<&str>; 4] = [None, Some("v"), Some("vv"), Some("vvv")];

/// One tree: its ways with their values, and which of them is changed to what. `None`: something that is read nowhere.
#[derive(Clone, Debug)]
struct Case {
    ways: Vec<(usize, usize)>,
    change: Option<(usize, usize)>,
}

fn case() -> impl Strategy<Value = Case> {
    let ways = prop::collection::vec((0..WAYS.len(), 0..VALUES.len()), 1..4);
    (ways, prop::option::weighted(0.8, (0..3_usize, 1..VALUES.len()))).prop_map(|(ways, change)| Case {
        change: change.map(|(which, step)| {
            let which = which % ways.len();
            (which, (ways[which].1 + step) % VALUES.len())
        }),
        ways,
    })
}

struct World {
    tree: Tree,
    settings: EngineSettings,
}

impl World {
    fn set(&mut self, case: usize, number: usize, way: usize, value: Option<&str>) {
        let way = &WAYS[way];
        let named = |text: &str| text.replace('#', &number.to_string());
        if way.file.is_empty() {
            let name = format!("PROPERTY_VARIABLE_{number}");
            match value {
                Some(value) => drop(self.settings.environment.insert(name.into(), value.into())),
                None => drop(self.settings.environment.remove(std::ffi::OsStr::new(&name))),
            }
            return;
        }
        let path = self.tree.root().join(format!("case{case}/{}", named(way.file)));
        match value {
            Some(value) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, (way.content)(value)).unwrap();
            }
            None => {
                drop(std::fs::remove_file(&path));
                // goes with the last file in it
                drop(std::fs::remove_dir(path.parent().unwrap()));
            }
        }
    }

    fn new(cases: &[Case], cache: &std::path::Path) -> Self {
        let mut tree = Tree::new();
        for (index, case) in cases.iter().enumerate() {
            let mut text =
                "import os\nhere = os.path.dirname(os.path.abspath(__file__))\nparts = []\n".to_owned();
            for (number, (way, _)) in case.ways.iter().enumerate() {
                let named = |text: &str| text.replace('#', &number.to_string());
                let body = named(WAYS[*way].code).replace('\n', "\n    ");
                text.push_str(&format!(
                    "def part{number}():\n    {body}\ntry:\n    parts.append(str(part{number}()))\n\
                     except Exception as error:\n    parts.append(type(error).__name__)\n"
                ));
                for (path, content) in WAYS[*way].beside {
                    tree.file(&format!("case{index}/{}", named(path)), &named(content));
                }
            }
            text.push_str(&format!(
                "from kfp import dsl\n@dsl.component\ndef say(text: str): pass\n\
                 @dsl.pipeline(name='case{index}')\ndef pipe():\n    say(text=' '.join(parts))\n"
            ));
            tree.pipeline(&format!("case{index}/a_pipeline.py"), &text);
        }
        let mut settings = cached(&tree);
        settings.cache_directory = cache.to_owned();
        settings.pass_environment = (0..4)
            .map(|number| format!("PROPERTY_VARIABLE_{number}"))
            .collect();
        let mut world = Self { tree, settings };
        for (index, case) in cases.iter().enumerate() {
            for (number, (way, value)) in case.ways.iter().enumerate() {
                world.set(index, number, *way, VALUES[*value]);
            }
        }
        world
    }

    fn compile(&self, use_cache: bool) -> CompileResult {
        let mut settings = self.settings.clone();
        settings.use_cache = use_cache;
        self.tree.compile(&settings)
    }
}

fn check(cases: &[Case]) -> Result<(), TestCaseError> {
    let cache = keeping::own_cache();
    let mut world = World::new(cases, cache.path());
    let cold = world.compile(true);
    prop_assert!(
        cold.files.iter().all(|file| file.outcome.is_ok()),
        "{:?}",
        said(&cold)
    );
    let unkept: Vec<String> = cold
        .engine
        .as_ref()
        .unwrap()
        .not_cached
        .iter()
        .map(|one| one.file.clone())
        .collect();
    let mut same = 0;
    let mut variables = false;
    for (index, case) in cases.iter().enumerate() {
        match case.change {
            Some((number, value)) => {
                let way = case.ways[number].0;
                variables |= WAYS[way].file.is_empty();
                world.set(index, number, way, VALUES[value]);
            }
            None => {
                world.tree.file(&format!("case{index}/unread.txt"), "x");
                same += usize::from(!unkept.contains(&format!("case{index}/a_pipeline.py")));
            }
        }
    }
    let warm = world.compile(true);
    let without = world.compile(false);
    for (index, (found, fresh)) in said(&warm).iter().zip(said(&without)).enumerate() {
        prop_assert_eq!(found, &fresh, "{:?} was {:?}", &cases[index], &said(&cold)[index]);
    }
    // one variable is every case's
    prop_assert!(
        variables || hits(&warm) >= same,
        "{} of {same} were found again",
        hits(&warm)
    );
    Ok(())
}

#[test]
fn one_changed_input_is_never_missed() {
    let long = std::env::var_os("KFP_GITOPS_LONG_TESTS").is_some();
    let mut runner = TestRunner::new(Config {
        cases: if long { 60 } else { 2 },
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    });
    let result = runner.run(&prop::collection::vec(case(), 24), |cases| check(&cases));
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

/// Each way once, there and changed: what is generated reads what it is meant to read.
#[test]
fn every_way_sees_its_input() {
    let cases: Vec<Case> = (0..WAYS.len())
        .flat_map(|way| {
            [(0, 1), (1, 0), (1, 3)].map(|(before, after)| Case {
                ways: vec![(way, before)],
                change: Some((0, after)),
            })
        })
        .filter(|case| !WAYS[case.ways[0].0].file.is_empty())
        .collect();
    let cache = keeping::own_cache();
    let mut world = World::new(&cases, cache.path());
    let before = said(&world.compile(true));
    for (index, case) in cases.iter().enumerate() {
        world.set(index, 0, case.ways[0].0, VALUES[case.change.unwrap().1]);
    }
    let after = said(&world.compile(true));
    let fresh = said(&world.compile(false));
    for (index, case) in cases.iter().enumerate() {
        let way = &WAYS[case.ways[0].0];
        assert_eq!(after[index], fresh[index], "{case:?}: {}", way.code);
        // content alone is not looked at by everybody
        if index % 3 < 2 {
            assert_ne!(before[index], after[index], "{case:?}: {}", way.code);
        }
    }
}
