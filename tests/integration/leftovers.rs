//! Nothing that a pipeline started is left, whichever way the compile ends: not even what left its group.

use crate::support::{folder, kfp_gitops, run, write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A pipeline that leaves a process of its own group behind, two forks away, and goes on or does not.
fn leaves(mark: &str, then: &str) -> String {
    format!(
        "import os, sys, time\n\
         if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        \
         os.execv('/bin/sleep', ['{mark}', '600'])\n    os._exit(0)\n\
         os.wait()\n{then}\n\
         from kfp import dsl\n@dsl.component(base_image='python:3.12')\ndef say(): pass\n\
         @dsl.pipeline(name='a')\ndef a():\n    say()\n"
    )
}

/// Processes that were started under this name.
fn running(mark: &str) -> usize {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| line.split(|byte| *byte == 0).next() == Some(mark.as_bytes()))
        .count()
}

fn until(what: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn root(mark: &str, then: &str) -> tempfile::TempDir {
    folder(&[
        ("a_pipeline.py", &leaves(mark, then)),
        ("requirements.txt", "kfp==2.17.0\n"),
    ])
}

fn mark(name: &str) -> String {
    format!("left-by-{name}-{}", std::process::id())
}

fn compile(root: &Path) -> std::process::Command {
    let mut command = kfp_gitops(root);
    command.args(["compile", "--format", "json", "--no-cache"]);
    command
}

#[test]
fn after_a_time_out() {
    let mark = mark("time-out");
    let root = root(&mark, "time.sleep(600)");
    write(root.path(), "kfp-gitops.yaml", "compile: {timeout: 3}\n");
    let said = run(&mut compile(root.path()));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("did not finish within 3 s"), "{said:?}");
    assert_eq!(running(&mark), 0);
}

#[test]
fn after_the_end() {
    let mark = mark("end");
    let root = root(&mark, "");
    let said = run(&mut compile(root.path()));
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(running(&mark), 0);
}

#[test]
fn after_the_program_was_killed() {
    let mark = mark("kill");
    let root = root(&mark, "time.sleep(600)");
    let mut child = compile(root.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(until(|| running(&mark) == 1), "it came up");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(until(|| running(&mark) == 0), "it outlived the program");
}
