//! `plan --against REF`: both sides compiled, no server.

use super::found::{Found, TimedCompiled};
use super::origin::mark;
use super::{finish, telling};
use crate::cli::Global;
use crate::compile::Compiled;
use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::ids::PipelineName;
use crate::plan::diff::diff;
use crate::plan::drift::removed;
use crate::plan::identity::{ByName, Identity, Rules, identify};
use crate::plan::mark::Mark;
use crate::plan::{Decision, Planned};
use crate::report::{Action, PlanReport, Report, Specs};
use crate::settings::{Settings, merge};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};

/// Runs the command.
pub async fn run(settings: &Settings, global: &Global, reference: &str, expect_no_changes: bool) -> u8 {
    let started = std::time::Instant::now();
    let publisher = telling::start(settings, false);
    let context = finish::read_context(&settings.environment);
    let mark = mark(settings, &context, &Git::new(&settings.root));
    let mut report = Report::new("plan");
    report.target.clone_from(&settings.target);
    report.commit.clone_from(&mark.commit);
    report.run_url = context.run_links().guess;
    report.expect_no_changes = expect_no_changes;
    if let Err(failure) = compare(settings, global, reference, &mark, &mut report).await {
        report.stop(failure);
    }
    report.seconds = started.elapsed().as_secs_f64();
    finish::finish(settings, report, publisher).await
}

async fn compare(
    settings: &Settings,
    global: &Global,
    reference: &str,
    mark: &Mark,
    report: &mut Report,
) -> Result<(), Failure> {
    let git = Git::new(&settings.root);
    let commit = git
        .commit_of(reference)
        .ok_or_else(|| unknown(reference, &git, "--against"))?;
    let shown = match commit.get(..7) {
        Some(short) if !reference.starts_with(short) => format!("{reference} ({short})"),
        _ => reference.to_owned(),
    };
    report.plan = Some(PlanReport {
        against: Some(shown.clone()),
        ..PlanReport::default()
    });
    if settings.changed_since.is_some() {
        return Err(Failure::usage(
            Phase::Plan,
            "`--changed-since` says nothing of the other side of `--against`",
        )
        .hint("leave one of the two out"));
    }
    let new = Found::look(settings)?
        .compile(settings, report, None, false)
        .await;
    let old = other_side(settings, global, &git, &commit, &shown, report).await?;
    fill(settings, mark, new.selected, &old, &shown, report);
    Ok(())
}

/// What a flag's commit that git does not know fails with.
pub(super) fn unknown(reference: &str, git: &Git, flag: &str) -> Failure {
    let failure = Failure::usage(Phase::Plan, format!("git knows no commit `{reference}`"));
    if git.head().is_none() {
        return failure.hint(format!(
            "`{flag}` needs the `git` command and a repository with a commit"
        ));
    }
    match reference.split_once('/') {
        Some((remote, branch)) => failure.hint(format!(
            "fetch it first: `git fetch --depth=1 {remote} {branch}:refs/remotes/{remote}/{branch}`"
        )),
        None => failure.hint("name a branch, tag or commit of this clone, or fetch it first"),
    }
}

/// What the other commit holds, as far as it compiles.
struct OtherSide {
    compiled: Vec<Compiled>,
    rules: Rules,
    /// Files that do not compile there, relative to the root.
    failed: BTreeSet<String>,
}

async fn other_side(
    settings: &Settings,
    global: &Global,
    git: &Git,
    commit: &str,
    shown: &str,
    report: &mut Report,
) -> Result<OtherSide, Failure> {
    let trouble = |what: String| {
        Failure::infrastructure(Phase::Plan, what).hint("check the space and the rights of TMPDIR")
    };
    let folder = tempfile::Builder::new()
        .prefix("kfp-gitops-against-")
        .tempdir()
        .map_err(|error| trouble(format!("no temporary folder: {error}")))?;
    let root = folder
        .path()
        .canonicalize()
        .map_err(|error| trouble(format!("no temporary folder: {error}")))?
        .join("tree");
    std::fs::create_dir(&root).map_err(|error| trouble(format!("no temporary folder: {error}")))?;
    git.export(commit, &root, &folder.path().join("index"))
        .map_err(|said| {
            Failure::infrastructure(Phase::Plan, format!("cannot write out the files of `{shown}`: {said}"))
                .hint("in a partial clone they must be fetched first: `git fetch --refetch`, or check out with full depth")
        })?;
    let paths: Vec<PathBuf> = settings
        .paths
        .iter()
        .filter_map(|path| path.strip_prefix(&settings.root).ok())
        .map(|path| root.join(path))
        .filter(|path| path.exists())
        .collect();
    if paths.is_empty() {
        report
            .notes
            .push(format!("nothing of what is searched exists in `{shown}`"));
        return Ok(OtherSide {
            compiled: Vec::new(),
            rules: Rules::default(),
            failed: BTreeSet::new(),
        });
    }
    let mut own = merge::merge_at(global, &paths, settings.environment.clone(), Some(&root))
        .map_err(|failure| at(failure, shown, &root))?;
    // the folder has another name each time, and names are inputs
    own.compile.cache = false;
    let found = Found::look(&own).map_err(|failure| at(failure, shown, &root))?;
    let mut other = Report::new("plan");
    let compiled = found.compile(&own, &mut other, None, false).await.selected;
    let failed: BTreeSet<String> = other
        .pipelines
        .iter()
        .filter_map(|one| one.file.clone())
        .collect();
    if let (Some(old), Some(new)) = (&other.engine, &report.engine)
        && old.kfp_version != new.kfp_version
    {
        report.notes.push(format!(
            "kfp {} compiled `{shown}`, kfp {} what is here",
            old.kfp_version, new.kfp_version
        ));
    }
    for one in &other.pipelines {
        let file = one.file.as_deref().unwrap_or("a file");
        let why = one.error.as_ref().map_or("", |error| error.message.as_str());
        report
            .warnings
            .push(format!("`{file}` does not compile in `{shown}`: {why}"));
    }
    Ok(OtherSide {
        compiled: compiled.into_iter().map(|one| one.compiled).collect(),
        rules: rules(&own, None),
        failed,
    })
}

/// A failure of the other side, told without the temporary folder.
fn at(mut failure: Failure, shown: &str, root: &Path) -> Failure {
    let plain = failure.message.replace(&format!("{}/", root.display()), "");
    failure.message = format!("in `{shown}`: {plain}");
    failure
}

fn rules(settings: &Settings, mark: Option<&Mark>) -> Rules {
    Rules {
        naming: settings.naming.pipeline.clone(),
        project: mark.map_or_else(|| settings.project.clone(), |mark| mark.project.clone()),
        configured: settings.pipelines.clone(),
        kubernetes_store: false,
    }
}

/// The name that a server would hold the pipeline under.
fn name(compiled: &Compiled, rules: &Rules) -> Result<PipelineName, Failure> {
    match identify(compiled, &ByName::default(), rules)? {
        Identity::New { name, .. } => Ok(name),
        Identity::Existing(pipeline, _) => Ok(pipeline.name),
    }
}

fn fill(
    settings: &Settings,
    mark: &Mark,
    new: Vec<TimedCompiled>,
    old: &OtherSide,
    shown: &str,
    report: &mut Report,
) {
    let old_rules = Rules {
        project: mark.project.clone(),
        ..old.rules.clone()
    };
    let new_rules = rules(settings, Some(mark));
    let mut left: Vec<Option<(String, &Compiled)>> = Vec::with_capacity(old.compiled.len());
    // Where each name stands in `left`, without case; of two alike the first is taken first.
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for compiled in &old.compiled {
        let name = name(compiled, &old_rules).unwrap_or_else(|_| compiled.name.clone());
        let places = places.entry(name.as_str().to_ascii_lowercase()).or_default();
        places.push_back(left.len());
        left.push(Some((name.as_str().to_owned(), compiled)));
    }
    let mut created = Vec::new();
    for one in new {
        let mut entry = one.report(Action::Update);
        let compiled = one.compiled;
        match name(&compiled, &new_rules) {
            Err(failure) => {
                entry.action = Action::Failed;
                entry.error = Some(failure);
            }
            Ok(name) => {
                entry.name = Some(name.as_str().to_owned());
                let place = places.get_mut(&name.as_str().to_ascii_lowercase());
                let place = place.and_then(VecDeque::pop_front);
                let before = place
                    .and_then(|place| left[place].take())
                    .map(|(_, compiled)| compiled);
                let difference = diff(before.map(|before| &before.spec), &compiled.spec);
                entry.action = match before {
                    None => Action::Create,
                    Some(_) if difference.changes.is_empty() => Action::Unchanged,
                    Some(_) => Action::Update,
                };
                if before.is_none() && old.failed.contains(compiled.source.path.as_str()) {
                    entry.action = Action::Update;
                    entry.notes.push(format!(
                        "its file does not compile in `{shown}`, so nothing can be compared"
                    ));
                }
                if entry.action == Action::Create {
                    created.push(planned(&compiled, name));
                }
                entry.specs = Some(Specs {
                    before: before.map(|before| before.spec.clone()),
                    after: compiled.spec.clone(),
                });
                entry.difference = Some(Box::new(difference)).filter(|_| entry.action != Action::Unchanged);
            }
        }
        report.pipelines.push(entry);
    }
    // What is not compiled here because its file fails is not gone.
    let failing: BTreeSet<String> = report
        .pipelines
        .iter()
        .filter(|one| one.action == Action::Failed)
        .filter_map(|one| one.file.clone())
        .collect();
    let (names, gone): (Vec<String>, Vec<&Compiled>) = left
        .into_iter()
        .flatten()
        .filter(|(_, compiled)| !failing.contains(compiled.source.path.as_str()))
        .unzip();
    let created: Vec<&Planned> = created.iter().collect();
    if let Some(plan) = &mut report.plan {
        plan.drift = removed(&gone, &names, &created);
    }
}

fn planned(compiled: &Compiled, name: PipelineName) -> Planned {
    Planned {
        compiled: compiled.clone(),
        digest: compiled.spec.digest(),
        decision: Decision::Create {
            name,
            display_name: None,
        },
        reason: None,
        warnings: Vec::new(),
        notes: Vec::new(),
        difference: None,
        suggested_version: None,
        version_name: None,
        versions: Vec::new(),
    }
}
