//! `apply`: carries the plan out; `auto`: whether this CI job may.

use super::deploy::{Prepared, Timed, prepare};
use super::entries::entry;
use super::lineage::{History, RunLineage};
use super::{finish, plan, plan_file, signals, telling};
use crate::apply::{ApplySettings, Cancel, Journal, Outcome, Task, apply};
use crate::context::Context;
use crate::context::auto::{AutoCommand, decide};
use crate::error::{Failure, Phase};
use crate::plan::Decision;
use crate::plan::drift::DriftKind;
use crate::plan::file::PlanFile;
use crate::plan::mark::Mark;
use crate::plan::moved::{Moved, refusal};
use crate::report::{Action, PipelineReport, PlanReport, Reason, Report};
use crate::settings::Settings;

/// Runs `apply`; with a plan exactly that, or nothing.
pub async fn run(settings: &Settings, all_or_nothing: bool, plan: Option<(String, PlanFile)>) -> u8 {
    let started = std::time::Instant::now();
    let publisher = telling::start(settings, true);
    let (writing, cancel) = signals::listen();
    let prepared = tokio::select! {
        prepared = prepare(settings, "apply") => prepared,
        () = cancel.stopping() => Err(Box::new(stopped_early(settings))),
    };
    let report = match prepared {
        Ok(prepared) => {
            let all_or_nothing = all_or_nothing || settings.apply.all_or_nothing;
            carry_out(settings, prepared, all_or_nothing, plan, &cancel).await
        }
        Err(report) => *report,
    };
    // Results and news are left: whoever asks twice from now on waits for neither.
    writing.over();
    finish::finish(
        settings,
        Report {
            seconds: started.elapsed().as_secs_f64(),
            ..report
        },
        publisher,
    )
    .await
}

/// Runs `auto`: plan or apply, as the CI job and `apply.refs` say.
pub async fn auto(settings: &Settings, all_or_nothing: bool, plan: Option<(String, PlanFile)>) -> u8 {
    let context = finish::read_context(&settings.environment);
    let default = context
        .default_branch
        .as_ref()
        .map(|branch| format!("origin/{branch}"));
    let reachable = match (&context.tag, &context.sha, default) {
        (Some(_), Some(commit), Some(branch)) => History::of(settings).is_ancestor(commit, &branch).await,
        _ => None,
    };
    let (command, why) = decide(&context, &settings.apply.refs, reachable);
    super::complain(&format!("auto: {}: {why}", command.as_str()));
    match command {
        AutoCommand::Apply => run(settings, all_or_nothing, plan).await,
        AutoCommand::Plan => plan::run(settings, false, plan::Use::CarryOut(None)).await,
    }
}

/// A run that was asked to stop while it compiled or read: nothing was written.
fn stopped_early(settings: &Settings) -> Report {
    let failure = Failure::infrastructure(Phase::Apply, "stopped by a signal before anything was written")
        .hint("run it again: nothing was left half done");
    super::stopped(settings, "apply", failure)
}

async fn carry_out(
    settings: &Settings,
    mut prepared: Prepared,
    all_or_nothing: bool,
    plan: Option<(String, PlanFile)>,
    cancel: &Cancel,
) -> Report {
    let moved = match &plan {
        Some((_, plan)) => plan.moved(&plan_file::of(settings, &prepared)),
        None => Vec::new(),
    };
    prepared.report.plan = Some(PlanReport {
        digest: plan.as_ref().map(|(_, plan)| plan.digest()),
        file: plan.as_ref().map(|(name, _)| name.clone()),
        drift: prepared
            .drift
            .iter()
            .filter(|drift| drift.kind == DriftKind::Orphan)
            .cloned()
            .collect(),
        ..PlanReport::default()
    });
    if let Some((_, plan)) = &plan {
        prepared.version_name = plan.version_name.clone();
        if prepared.report.version_name.is_some() {
            prepared.report.version_name = Some(plan.version_name.clone());
        }
        plan.name_versions(prepared.planned.iter_mut().map(|timed| &mut timed.planned));
    }
    if !moved.is_empty() {
        return refused(prepared, &moved).await;
    }
    let Prepared {
        mut report,
        planned,
        connected,
        version_name,
        mark,
        context,
        drift: _,
    } = prepared;
    let Some(connected) = connected else { return report };
    let failed = report.pipelines.iter().any(|one| one.action == Action::Failed)
        || planned
            .iter()
            .any(|one| matches!(one.planned.decision, Decision::Refused(_)));
    let journal = journal(settings, &context);
    let mut entries = Vec::new();
    let mut tasks = Vec::new();
    for timed in planned {
        let mut entry = entry(&timed, Some(&connected.client));
        if let Decision::Unchanged { pipeline, newest } = &timed.planned.decision {
            // A run that died after its write, or had one under way: the plan has just looked.
            let left = journal.recall(pipeline.name.as_str(), Some(&newest.id));
            entry.notes.extend(left);
        }
        let writes = matches!(entry.action, Action::Create | Action::Update);
        if writes && all_or_nothing && failed {
            entry.action = Action::Skipped;
            entry.reason = Some(Reason::AllOrNothing);
        } else if writes {
            tasks.push((entries.len(), task(&timed, &mark)));
        }
        entries.push(entry);
    }
    let (places, tasks): (Vec<usize>, Vec<Task>) = tasks.into_iter().unzip();
    let how = ApplySettings {
        version_name,
        mark: mark.clone(),
        force: settings.apply.force,
        shared: settings.server.shared,
        refuse_moved: plan.is_some(),
        lineage: RunLineage::of(settings, &context, &mark),
    };
    let outcomes = apply(&connected.client, &how, tasks, cancel, &journal).await;
    for (place, outcome) in places.into_iter().zip(outcomes) {
        settle(&mut entries[place], outcome);
    }
    report.pipelines.extend(entries);
    connected.close().await;
    report
}

/// A plan that no longer holds: nothing is written, and what moved is named.
async fn refused(prepared: Prepared, moved: &[Moved]) -> Report {
    let client = prepared.connected.as_ref().map(|connected| &connected.client);
    let mut report = prepared.report;
    for timed in &prepared.planned {
        let mut entry = entry(timed, client);
        let its = moved
            .iter()
            .filter(|one| one.file == entry.file && one.function == entry.function);
        let said: Vec<String> = its.map(|one| one.what.clone()).collect();
        if matches!(entry.action, Action::Create | Action::Update) || !said.is_empty() {
            entry.action = Action::Skipped;
            entry.reason = Some(Reason::Moved);
        }
        entry.notes.extend(said);
        report.pipelines.push(entry);
    }
    report.stop(refusal(moved));
    if let Some(connected) = prepared.connected {
        connected.close().await;
    }
    report
}

/// The journal, beside the results; a run without one only explains less.
fn journal(settings: &Settings, context: &Context) -> Journal {
    let folder = match settings.output.results.as_ref().and_then(|path| path.parent()) {
        Some(folder) => folder.to_owned(),
        None => settings.root.join(".kfp-gitops"),
    };
    let opened = match settings.output.results {
        Some(_) => std::fs::create_dir_all(&folder),
        None => super::connect::hide_from_git(&folder).map_err(std::io::Error::other),
    }
    .and_then(|()| Journal::open(&folder.join("journal.jsonl"), context.run_key()));
    opened.unwrap_or_else(|error| {
        super::complain(&format!("warning: no journal of this run: {error}"));
        Journal::none()
    })
}

/// A write, with what it says of itself on the server.
fn task(timed: &Timed, mark: &Mark) -> Task {
    let planned = &timed.planned;
    let (name, display_name, pipeline_id, expected_newest) = match &planned.decision {
        Decision::Create { name, display_name } => (name.clone(), display_name.clone(), None, None),
        Decision::Update { pipeline, newest } => (
            pipeline.name.clone(),
            None,
            Some(pipeline.id.clone()),
            newest.as_ref().map(|newest| newest.id.clone()),
        ),
        // Only writes become tasks; these two are none.
        Decision::Unchanged { pipeline, .. } => {
            (pipeline.name.clone(), None, Some(pipeline.id.clone()), None)
        }
        Decision::Refused(_) => (planned.compiled.name.clone(), None, None, None),
    };
    let version_mark = Mark {
        digest: Some(planned.digest),
        file: Some(planned.compiled.source.path.as_str().to_owned()),
        ..mark.clone()
    };
    let pipeline_mark = Mark {
        file: version_mark.file.clone(),
        digest: None,
        commit: None,
        dirty: false,
        git_ref: None,
        run: None,
        ..mark.clone()
    };
    Task {
        name,
        display_name,
        pipeline_id,
        spec: planned.compiled.spec.clone(),
        digest: planned.digest,
        pipeline_description: pipeline_mark
            .describe(planned.compiled.description.lines().next().unwrap_or_default()),
        version_description: version_mark.describe(&first_line(timed, mark)),
        tags: version_mark.tags(),
        expected_newest,
        reason: planned.reason,
        version_name: planned.version_name.clone(),
    }
}

/// What a person who looks at the version in the UI reads first.
fn first_line(timed: &Timed, mark: &Mark) -> String {
    let file = timed.planned.compiled.source.path.as_str();
    match mark.commit.as_ref().and_then(|commit| commit.get(..7)) {
        Some(commit) if mark.dirty => format!("{file} at {commit} with local changes"),
        Some(commit) => format!("{file} at {commit}"),
        None => file.to_owned(),
    }
}

fn settle(entry: &mut PipelineReport, outcome: Outcome) {
    entry.action = outcome.action;
    entry.reason = outcome.reason;
    entry.pipeline_id = outcome.pipeline_id;
    entry.version_id = outcome.version_id;
    entry.version_name = outcome.version_name;
    entry.url = outcome.url;
    entry.warnings.extend(outcome.warnings);
    entry.notes.extend(outcome.notes);
    entry.seconds += outcome.seconds;
    entry.error = outcome.error.map(|mut failure| {
        failure.file = failure.file.or_else(|| entry.file.clone());
        failure
    });
}
