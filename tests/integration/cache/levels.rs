//! Who may use whose results.

use super::keeping::own_cache;
use crate::compile_support::plain;
use crate::support::{folder, git, kfp_gitops, run};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Where a job runs.
#[derive(Clone, Copy, Debug)]
enum Job {
    Laptop,
    PullRequest,
    Branch,
    Default,
    OtherRepository,
}

/// Files from the cache when this job compiles.
fn cached(root: &Path, cache: &Path, job: Job) -> u64 {
    let mut command = kfp_gitops(root);
    command
        .args(["compile", "--format", "json", "--kfp-version", "2.17.0"])
        .env("KFP_GITOPS_CACHE_DIR", cache);
    let repository = if matches!(job, Job::OtherRepository) {
        "evil/copy"
    } else {
        "ml/pipelines"
    };
    if !matches!(job, Job::Laptop) {
        let (event, reference) = match job {
            Job::PullRequest => ("pull_request", "refs/pull/7/merge"),
            Job::Branch => ("push", "refs/heads/work"),
            _ => ("push", "refs/heads/main"),
        };
        let file = root.join(".git/event.json");
        let mut body = json!({
            "ref": reference,
            "repository": {"full_name": repository, "default_branch": "main"},
        });
        if matches!(job, Job::PullRequest) {
            body["pull_request"] = json!({
                "number": 7,
                "base": {"ref": "main", "sha": "", "repo": {"full_name": repository, "fork": false}},
                "head": {"ref": "work", "sha": "", "repo": {"full_name": repository, "fork": false}},
            });
        }
        std::fs::write(&file, body.to_string()).unwrap();
        command
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_SERVER_URL", "https://git.example.com")
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_EVENT_PATH", file)
            .env("GITHUB_REPOSITORY", repository)
            .env("GITHUB_REF", reference);
    }
    let said = run(&mut command);
    assert_eq!(said.code, 0, "{job:?}: {said:?}");
    said.json()["engine"]["cached"].as_u64().unwrap()
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_run_believes_only_those_it_trusts_as_much_as_itself() {
    let root = folder(&[("a_pipeline.py", &plain("a"))]);
    git(root.path(), &["init", "-q"]);
    for (first, seconds) in [
        (
            Job::Default,
            &[
                (Job::Default, 1),
                (Job::PullRequest, 1),
                (Job::Branch, 1),
                (Job::OtherRepository, 0),
            ][..],
        ),
        (
            Job::PullRequest,
            &[(Job::PullRequest, 1), (Job::Default, 0), (Job::Branch, 0)],
        ),
        (Job::Branch, &[(Job::Branch, 1), (Job::Default, 0)]),
        (Job::Laptop, &[(Job::Laptop, 1), (Job::Default, 0)]),
    ] {
        let cache = own_cache();
        let results = cache.path().join("results");
        assert_eq!(cached(root.path(), cache.path(), first), 0);
        let saved = cache.path().join("saved");
        copy(&results, &saved);
        for (second, hits) in seconds {
            std::fs::remove_dir_all(&results).unwrap();
            copy(&saved, &results);
            assert_eq!(
                cached(root.path(), cache.path(), *second),
                *hits,
                "{first:?}, then {second:?}"
            );
        }
    }
}
