//! `apply`: carries the plan out; `auto`: whether this CI job may.

use super::deploy::{Prepared, Timed, entry, prepare};
use super::{finish, plan, signals};
use crate::apply::{ApplySettings, Cancel, Outcome, Task, apply};
use crate::context::auto::{AutoCommand, decide};
use crate::git::Git;
use crate::ir::Spec;
use crate::plan::Decision;
use crate::plan::mark::Mark;
use crate::report::{Action, PipelineReport, Reason, Report};
use crate::settings::Settings;

/// Runs `apply`.
pub async fn run(settings: &Settings, all_or_nothing: bool) -> u8 {
    let started = std::time::Instant::now();
    let report = match prepare(settings, "apply").await {
        Ok(prepared) => carry_out(settings, prepared, all_or_nothing || settings.apply.all_or_nothing).await,
        Err(report) => *report,
    };
    finish::finish(settings, Report { seconds: started.elapsed().as_secs_f64(), ..report }).await
}

/// Runs `auto`: plan or apply, as the CI job and `apply.refs` say.
pub async fn auto(settings: &Settings, all_or_nothing: bool) -> u8 {
    let context = finish::read_context(&settings.environment);
    let git = Git::new(&settings.root);
    let default = context.default_branch.as_ref().map(|branch| format!("origin/{branch}"));
    let reachable = match (&context.tag, &context.sha, default) {
        (Some(_), Some(commit), Some(branch)) => git.is_ancestor(commit, &branch),
        _ => None,
    };
    let (command, why) = decide(&context, &settings.apply.refs, reachable);
    super::complain(&format!("auto: {}: {why}", command.as_str()));
    match command {
        AutoCommand::Apply => run(settings, all_or_nothing).await,
        AutoCommand::Plan => plan::run(settings, false).await,
    }
}

async fn carry_out(settings: &Settings, prepared: Prepared, all_or_nothing: bool) -> Report {
    let Prepared { mut report, planned, connected, version_name, mark, context } = prepared;
    let Some(connected) = connected else { return report };
    let failed = report.pipelines.iter().any(|one| one.action == Action::Failed)
        || planned.iter().any(|one| matches!(one.planned.decision, Decision::Refused(_)));
    let mut entries = Vec::new();
    let mut tasks = Vec::new();
    for timed in planned {
        let mut entry = entry(&timed, Some(&connected.client));
        let writes = matches!(entry.action, Action::Create | Action::Update);
        if writes && all_or_nothing && failed {
            entry.action = Action::Skipped;
            entry.reason = Some(Reason::AllOrNothing);
        } else if writes {
            tasks.push((entries.len(), task(&timed, &mark)));
        }
        entries.push(entry);
    }
    let cancel = Cancel::new();
    let stopper = tokio::spawn({
        let cancel = cancel.clone();
        async move {
            signals::asked_to_stop().await;
            cancel.cancel();
            super::complain("stopping: calls under way are settled; a second signal ends at once");
            signals::asked_to_stop().await;
            signals::end_at_once();
        }
    });
    let (places, tasks): (Vec<usize>, Vec<Task>) = tasks.into_iter().unzip();
    let outcomes = apply(&connected.client, &apply_settings(settings, &version_name, &context), tasks, cancel).await;
    stopper.abort();
    for (place, outcome) in places.into_iter().zip(outcomes) {
        settle(&mut entries[place], outcome);
    }
    report.pipelines.extend(entries);
    connected.close().await;
    report
}
