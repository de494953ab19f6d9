//! What `plan` and `apply` share: find, compile, connect, read, decide.

use super::changed::Changes;
use super::connect::{Connected, connect};
use super::drift::{self, Look};
use super::{engine, finish};
use crate::compile::Compiled;
use crate::context::Context;
use crate::discover::discover;
use crate::error::{Class, Failure, Phase};
use crate::git::Git;
use crate::ids::{PipelineId, VersionName};
use crate::kfp::advice;
use crate::kfp::model::{Server, Store};
use crate::plan::decide::{Held, Identified, Options, decide, identify_all};
use crate::plan::drift::Drift;
use crate::plan::identity::{Identity, Rules};
use crate::plan::mark::Mark;
use crate::plan::naming::{VersionFacts, VersionNames};
use crate::plan::{Decision, Planned, state};
use crate::report::{Action, PipelineReport, PlanReport, Reason, Report, ServerReport, Specs};
use crate::settings::Settings;
use crate::settings::endpoint::{Endpoint, missing};
use std::collections::BTreeMap;

/// Everything decided, nothing written.
pub struct Prepared {
    /// The report so far: files that failed.
    pub report: Report,
    /// One decision for each pipeline that compiled and could be read.
    pub planned: Vec<Timed>,
    /// The server; `None` when nothing was found and nobody was asked.
    pub connected: Option<Connected>,
    /// The run's version name.
    pub version_name: VersionName,
    /// Who we are.
    pub mark: Mark,
    /// The CI job.
    pub context: Context,
    /// What server and repository disagree on.
    pub drift: Vec<Drift>,
}

impl Prepared {
    /// The plan of a job that cannot read the server.
    fn compiled_only(
        mut report: Report,
        compiled: &[TimedCompiled],
        version_name: VersionName,
        mark: Mark,
        context: Context,
    ) -> Self {
        report
            .pipelines
            .extend(compiled.iter().map(|one| one.report(Action::Compiled)));
        report.plan = Some(PlanReport {
            compiled_only: true,
            ..PlanReport::default()
        });
        Self {
            report,
            planned: Vec::new(),
            connected: None,
            version_name,
            mark,
            context,
            drift: Vec::new(),
        }
    }
}

/// A planned pipeline with what compiling it took.
pub struct Timed {
    /// The decision.
    pub planned: Planned,
    /// Wall seconds of compiling.
    pub seconds: f64,
    /// The file's warnings.
    pub warnings: Vec<String>,
}

/// Finds, compiles, connects, reads and decides.
///
/// # Errors
/// The report of a run that ended early.
pub async fn prepare(settings: &Settings, command: &str) -> Result<Prepared, Box<Report>> {
    prepare_with(settings, command, false).await
}

/// The same; with `thorough` every pipeline of the server is looked at, so that no orphan is missed.
///
/// # Errors
/// The report of a run that ended early.
pub async fn prepare_with(
    settings: &Settings,
    command: &str,
    thorough: bool,
) -> Result<Prepared, Box<Report>> {
    let mut report = Report::new(command);
    report.endpoint = Some(settings.server.endpoint.display());
    report.target.clone_from(&settings.target);
    report.notes.extend(settings.notes.iter().cloned());
    let context = finish::read_context(&settings.environment);
    report.warnings.extend(context.problems.iter().cloned());
    let git = Git::new(&settings.root);
    let mark = mark(settings, &context, &git);
    report.commit.clone_from(&mark.commit);
    report.run_url = context.run_links().guess;
    let stop = |mut report: Report, failure: Failure| {
        report.stop(failure);
        Err(Box::new(report))
    };
    let names = match VersionNames::new(&settings.naming.version, facts(settings, &context, &mark, &git)) {
        Ok(names) => names,
        Err(failure) => return stop(report, failure),
    };
    let version_name = names.of_run().clone();
    report.version_name = Some(version_name.clone()).filter(|_| !names.is_per_pipeline());
    let discovered = match discover(settings) {
        Ok(discovered) => discovered,
        Err(failure) => return stop(report, failure),
    };
    if discovered.found() == 0 && !thorough {
        report.warnings.extend(discovered.warnings);
        return Ok(Prepared {
            report,
            planned: Vec::new(),
            connected: None,
            version_name,
            mark,
            context,
            drift: Vec::new(),
        });
    }
    // The job of a fork has no secrets, and as a rule no way to the server: its pipelines are compiled.
    let may_go_without = command == "plan" && !thorough && context.from_fork();
    if settings.server.endpoint == Endpoint::Missing && !may_go_without {
        return stop(report, missing());
    }
    let changes = match Changes::since(settings) {
        Ok(changes) => changes,
        Err(failure) => return stop(report, failure),
    };
    let connection = contact(settings).await;
    let server = connection.as_ref().ok().map(|(_, server)| server.clone());
    let mut result = engine::compile(
        settings,
        &discovered,
        server.as_ref().and_then(|server| server.version.clone()),
        false,
    )
    .await;
    let unaffected = changes.map_or_else(Vec::new, |changes| changes.take_out(&mut result));
    let (compiled, mut left_out) = only(settings, engine::take(settings, &mut report, &discovered, result));
    for (compiled, entry) in unaffected {
        if engine::is_selected(settings, &compiled) {
            report.pipelines.push(entry);
        }
        left_out.push(TimedCompiled {
            compiled,
            seconds: 0.0,
            warnings: Vec::new(),
        });
    }
    let (connected, server) = match connection {
        Ok(connection) => connection,
        Err(failure) if may_go_without => {
            report.warnings.push(format!(
                "the server cannot be read from a fork's job, so nothing was compared with it: {failure}"
            ));
            return Ok(Prepared::compiled_only(
                report,
                &compiled,
                version_name,
                mark,
                context,
            ));
        }
        Err(failure) => {
            report
                .pipelines
                .extend(compiled.iter().map(|one| one.report(Action::Skipped)));
            return stop(report, failure);
        }
    };
    report.server = Some(ServerReport {
        version: server
            .tag_name
            .clone()
            .or_else(|| server.version.as_ref().map(ToString::to_string)),
        multi_user: Some(server.multi_user),
    });
    let compiled = Selected {
        compiled,
        left_out,
        names,
    };
    match plan(
        settings,
        &connected,
        &server,
        compiled,
        &mark,
        &mut report,
        thorough,
    )
    .await
    {
        Ok((planned, drift)) => Ok(Prepared {
            drift,
            report,
            planned,
            connected: Some(connected),
            version_name,
            mark,
            context,
        }),
        Err(failure) => {
            connected.close().await;
            stop(report, failure)
        }
    }
}

/// A compiled pipeline with what compiling it took.
struct TimedCompiled {
    compiled: Compiled,
    seconds: f64,
    warnings: Vec<String>,
}

impl TimedCompiled {
    fn report(&self, action: Action) -> PipelineReport {
        PipelineReport {
            seconds: self.seconds,
            warnings: self.warnings.clone(),
            digest: Some(self.compiled.spec.digest()),
            ..PipelineReport::of(&self.compiled, action)
        }
    }
}

/// What compiled, after `--only`, and how its versions are named.
struct Selected {
    compiled: Vec<TimedCompiled>,
    left_out: Vec<TimedCompiled>,
    names: VersionNames,
}

/// What `--only` leaves, and what it leaves out.
fn only(
    settings: &Settings,
    compiled: Vec<(Compiled, f64, Vec<String>)>,
) -> (Vec<TimedCompiled>, Vec<TimedCompiled>) {
    compiled
        .into_iter()
        .map(|(compiled, seconds, warnings)| TimedCompiled {
            compiled,
            seconds,
            warnings,
        })
        .partition(|one| engine::is_selected(settings, &one.compiled))
}

async fn contact(settings: &Settings) -> Result<(Connected, Server), Failure> {
    let connected = connect(settings).await?;
    match connected.client.server().await {
        Ok(server) => Ok((connected, server)),
        Err(failure) => {
            let explained = super::doctor::explain(settings, &connected, failure).await;
            connected.close().await;
            Err(explained)
        }
    }
}

async fn plan(
    settings: &Settings,
    connected: &Connected,
    server: &Server,
    selected: Selected,
    mark: &Mark,
    report: &mut Report,
    thorough: bool,
) -> Result<(Vec<Timed>, Vec<Drift>), Failure> {
    namespace(settings, server, report)?;
    let rules = Rules {
        naming: settings.naming.pipeline.clone(),
        project: mark.project.clone(),
        configured: settings.pipelines.clone(),
        kubernetes_store: server.store == Store::Kubernetes,
    };
    let client = &connected.client;
    let mut kept = Vec::new();
    let pipelines: Vec<Compiled> = selected
        .compiled
        .into_iter()
        .map(|one| {
            kept.push((one.seconds, one.warnings));
            one.compiled
        })
        .collect();
    let listing = state::listing(client, &pipelines, &rules, mark, thorough)
        .await
        .map_err(|error| advice::failure(&error, Phase::Plan, "list the pipelines"))?;
    let mut identified = identify_all(pipelines, &listing.candidates, &rules)?;
    let held = readable(state::held(client, &identified).await, &mut identified);
    let options = Options {
        mark: mark.clone(),
        adopt: settings.apply.adopt,
        force: settings.apply.force,
        names: Some(selected.names),
        server: Some(server.clone()),
    };
    let plan = decide(identified, &held, &options);
    let left_out: Vec<Compiled> = selected.left_out.into_iter().map(|one| one.compiled).collect();
    let look = Look {
        settings,
        client,
        listing: &listing,
        rules: &rules,
        mark,
        planned: &plan.pipelines,
        left_out: &left_out,
    };
    let drift = drift::look(&look, report).await;
    let planned = plan
        .pipelines
        .into_iter()
        .zip(kept)
        .map(|(planned, (seconds, warnings))| Timed {
            planned,
            seconds,
            warnings,
        })
        .collect();
    Ok((planned, drift))
}

/// A pipeline whose versions cannot be read fails alone.
fn readable(
    held: BTreeMap<PipelineId, Result<Held, crate::kfp::error::ApiError>>,
    identified: &mut [Identified],
) -> BTreeMap<PipelineId, Held> {
    let mut readable = BTreeMap::new();
    for (id, held) in held {
        match held {
            Ok(held) => {
                readable.insert(id, held);
            }
            Err(error) => {
                for one in identified.iter_mut() {
                    let file = one.compiled.source.path.as_str();
                    if matches!(&one.identity, Ok(Identity::Existing(pipeline, _)) if pipeline.id == id) {
                        one.identity =
                            Err(advice::failure(&error, Phase::Plan, "read the newest version").file(file));
                    }
                }
            }
        }
    }
    readable
}

/// A namespace is needed on a multi-user server, and means nothing on another.
fn namespace(settings: &Settings, server: &Server, report: &mut Report) -> Result<(), Failure> {
    match (&settings.server.namespace, server.multi_user) {
        (None, true) if !settings.server.shared => Err(Failure::usage(
            Phase::Plan,
            "the server separates users by namespace, and no namespace is set",
        )
        .hint("set `namespace` (`--namespace NAME`), or `--shared` to deploy pipelines that everybody sees")),
        (Some(namespace), false) => {
            report
                .warnings
                .push(format!("the server has no namespaces: `{namespace}` is ignored"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Who we are: from the CI job, else from git.
pub(super) fn mark(settings: &Settings, context: &Context, git: &Git) -> Mark {
    let repo = context
        .repository
        .as_ref()
        .map(|repository| repository.full_name())
        .or_else(|| git.repository());
    let project = settings
        .project
        .clone()
        .or_else(|| {
            repo.as_ref()
                .and_then(|repo| repo.rsplit('/').next().map(str::to_owned))
        })
        .or_else(|| {
            settings
                .root
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        });
    let head = git.head();
    let commit = context.sha.clone().or_else(|| head.clone());
    Mark {
        repo,
        project,
        target: settings.target.clone(),
        file: None,
        // In CI the checkout is the commit; files that the job itself made say nothing.
        dirty: !settings.ci && commit.is_some() && git.is_dirty(),
        commit,
        git_ref: context.reference.clone().or_else(|| git.branch_ref()),
        digest: None,
        run: context
            .run_links()
            .guess
            .map(|link| link.split("/attempts/").next().unwrap_or(&link).to_owned())
            // A person's run is an intent of its own: `--force` twice uploads twice.
            .or_else(|| Some(format!("local:{}", uuid::Uuid::new_v4()))),
    }
}

fn facts(settings: &Settings, context: &Context, mark: &Mark, git: &Git) -> VersionFacts {
    let template = &settings.naming.version;
    let uses = |key: &str| template.contains(&format!("{{{key}}}"));
    let (semver, tagged) = match uses("semver") {
        true => nearest_version(context, mark, git),
        false => (None, false),
    };
    VersionFacts {
        now: chrono::Utc::now(),
        commit: mark.commit.clone(),
        tag: uses("tag")
            .then(|| context.tag.clone().or_else(|| git.nearest_tag()))
            .flatten(),
        semver,
        tagged,
        run: context.run_number.or(context.run_id).map(|run| run.to_string()),
    }
}

/// The nearest tag that is a semantic version, and whether it is this commit's own.
fn nearest_version(context: &Context, mark: &Mark, git: &Git) -> (Option<semver::Version>, bool) {
    if let Some(version) = context.tag.as_deref().and_then(crate::git::version_of_tag) {
        return (Some(version), true);
    }
    let nearest = git.nearest_version();
    let tagged = !mark.dirty && nearest.is_some() && git.version_at_head() == nearest;
    (nearest, tagged)
}

/// Both sides of a planned pipeline.
fn specs(planned: &Planned) -> Specs {
    let after = planned.compiled.spec.clone();
    let before = match &planned.decision {
        Decision::Unchanged { .. } => Some(after.clone()),
        Decision::Update { newest, .. } => newest.as_ref().and_then(|newest| newest.spec.clone()),
        Decision::Create { .. } | Decision::Refused(_) => None,
    };
    Specs { before, after }
}

/// One line of the report for a plan's decision.
#[must_use]
pub fn entry(timed: &Timed, client: Option<&crate::kfp::client::Client>) -> PipelineReport {
    let planned = &timed.planned;
    let mut entry = PipelineReport {
        reason: planned.reason,
        digest: Some(planned.digest),
        seconds: timed.seconds,
        warnings: timed.warnings.clone(),
        notes: planned.notes.clone(),
        difference: planned.difference.clone(),
        suggested_version: planned.suggested_version.clone(),
        version_name: planned.version_name.clone(),
        versions: planned.versions.clone(),
        specs: Some(specs(planned)),
        ..PipelineReport::of(&planned.compiled, Action::Create)
    };
    match &planned.decision {
        Decision::Create { name, .. } => entry.name = Some(name.as_str().to_owned()),
        Decision::Update { pipeline, .. } => {
            entry.action = Action::Update;
            entry.name = Some(pipeline.name.as_str().to_owned());
            entry.pipeline_id = Some(pipeline.id.clone());
        }
        Decision::Unchanged { pipeline, newest } => {
            entry.action = Action::Unchanged;
            entry.name = Some(pipeline.name.as_str().to_owned());
            entry.pipeline_id = Some(pipeline.id.clone());
            entry.version_id = Some(newest.id.clone());
            entry.version_name = Some(newest.name.clone());
            entry.url = client.map(|client| client.links().version(&pipeline.id, &newest.id));
        }
        Decision::Refused(failure) => {
            entry.action = Action::Failed;
            if failure.class == Class::Failed {
                entry.reason = Some(Reason::Unsupported);
            }
            entry.error = Some(failure.clone());
        }
    }
    entry
}
