//! The YAML of specifications, byte for byte that of PyYAML.

use crate::fault::world::long;
use crate::support::{python, repository, run};
use std::process::Command;

#[test]
fn what_the_driver_writes_is_what_pyyaml_writes() {
    let tests = repository().join("tests/integration");
    let (seeds, count) = if long() { (50, 40_000) } else { (2, 3_000) };
    for seed in 0..seeds {
        let said = run(Command::new(python::with_kfp())
            .args(["-I", "-B"])
            .arg(tests.join("yaml_text.py"))
            .arg(repository().join("src/compile/worker/yaml_text.py"))
            .args([seed.to_string(), count.to_string()]));
        assert_eq!(said.code, 0, "seed {seed}: {}", said.err);
        // More than half of what chance makes is simple enough.
        let own: u32 = said
            .out
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or_default();
        assert!(own * 2 > count, "seed {seed}: {}", said.out);
    }
}
