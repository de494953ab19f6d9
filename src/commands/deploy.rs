//! What `plan` and `apply` share: find, compile, connect, read, decide.

use super::connect::{Connected, connect};
use super::drift::{self, Look};
use super::found::{Compilation, Found, TimedCompiled};
use super::{finish, origin};
use crate::compile::Compiled;
use crate::context::Context;
use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::ids::{PipelineId, VersionName};
use crate::kfp::advice;
use crate::kfp::model::{Server, Store};
use crate::plan::decide::{Held, Identified, Options, decide, identify_all};
use crate::plan::drift::Drift;
use crate::plan::identity::{Identity, Rules};
use crate::plan::mark::Mark;
use crate::plan::naming::VersionNames;
use crate::plan::{Planned, state};
use crate::report::{Action, PlanReport, Report, ServerReport};
use crate::settings::Settings;
use crate::settings::endpoint::{Endpoint, missing};
use std::collections::BTreeMap;
use std::time::Instant;

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
        Self::nothing(report, version_name, mark, context)
    }

    /// The plan of a run that has nothing to plan.
    const fn nothing(report: Report, version_name: VersionName, mark: Mark, context: Context) -> Self {
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
    let mark = origin::mark(settings, &context, &git);
    report.commit.clone_from(&mark.commit);
    report.run_url = context.run_links().guess;
    let stop = |mut report: Report, failure: Failure| {
        report.stop(failure);
        Err(Box::new(report))
    };
    let names = match VersionNames::new(
        &settings.naming.version,
        origin::facts(settings, &context, &mark, &git),
    ) {
        Ok(names) => names,
        Err(failure) => return stop(report, failure),
    };
    let version_name = names.of_run().clone();
    report.version_name = Some(version_name.clone()).filter(|_| !names.is_per_pipeline());
    let found = match Found::look(settings) {
        Ok(found) => found,
        Err(failure) => return stop(report, failure),
    };
    if found.is_empty() && !thorough {
        report.warnings.extend(found.into_warnings());
        return Ok(Prepared::nothing(report, version_name, mark, context));
    }
    // The job of a fork has no secrets, and as a rule no way to the server: its pipelines are compiled.
    let may_go_without = command == "plan" && !thorough && context.from_fork();
    if settings.server.endpoint == Endpoint::Missing && !may_go_without {
        return stop(report, missing());
    }
    let connection = contact(settings).await;
    let server = connection.as_ref().ok().map(|(_, server)| server.clone());
    let version = server.as_ref().and_then(|server| server.version.clone());
    let begun = Instant::now();
    let compilation = found.compile(settings, &mut report, version, false).await;
    if let Ok((connected, _)) = &connection {
        connected.client.patience().forgive(begun.elapsed());
    }
    let (connected, server) = match connection {
        Ok(connection) => connection,
        Err(failure) if may_go_without => {
            report.warnings.push(format!(
                "the server cannot be read from a fork's job, so nothing was compared with it: {failure}"
            ));
            return Ok(Prepared::compiled_only(
                report,
                &compilation.selected,
                version_name,
                mark,
                context,
            ));
        }
        Err(failure) => {
            report
                .pipelines
                .extend(compilation.selected.iter().map(|one| one.report(Action::Skipped)));
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
    match plan(
        settings,
        (&connected, &server),
        compilation,
        names,
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
    (connected, server): (&Connected, &Server),
    compilation: Compilation,
    names: VersionNames,
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
    let pipelines: Vec<Compiled> = compilation
        .selected
        .into_iter()
        .map(|one| {
            kept.push((one.seconds, one.warnings));
            one.compiled
        })
        .collect();
    let listing = match state::listing(client, &pipelines, &rules, mark, thorough).await {
        Ok(listing) => listing,
        Err(error) => return Err(super::doctor::explain_list(settings, connected, error).await),
    };
    let mut identified = identify_all(pipelines, &listing.candidates, &rules)?;
    let held = readable(state::held(client, &identified).await, &mut identified);
    let options = Options {
        mark: mark.clone(),
        adopt: settings.apply.adopt,
        force: settings.apply.force,
        names: Some(names),
        server: Some(server.clone()),
    };
    let plan = decide(identified, &held, &options);
    let left_out: Vec<Compiled> = compilation.left_out.into_iter().map(|one| one.compiled).collect();
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
