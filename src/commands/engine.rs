//! Settings -> the compile engine's settings, and its results -> report.

use super::found::TimedCompiled;
use super::progress::CompileProgress;
use super::{finish, withheld};
use crate::compile::{CompileResult, Compiled, INSTALL_TIMEOUT, PROCESSES, RESULTS_BYTES, START_TIMEOUT};
use crate::compile::{Engine, EngineSettings, NetworkMode, SandboxMode, SourceBuilds, Trust};
use crate::context::auto::{self, AutoCommand};
use crate::discover::Discovered;
use crate::forge::redact::Redactor;
use crate::report::{Action, PipelineReport, Report};
use crate::settings::file::{self, Network, Sandbox};
use crate::settings::{Settings, variables};
use std::path::PathBuf;

/// Compiles what was found.
pub async fn compile(
    settings: &Settings,
    discovered: &Discovered,
    server_version: Option<semver::Version>,
    want_yaml: bool,
) -> CompileResult {
    let progress = CompileProgress::new(settings.output.quiet || settings.output.json, settings.ci);
    let engine = engine_settings(settings, server_version, want_yaml);
    let result = Engine::compile(&engine, &discovered.sources, &progress).await;
    progress.done();
    result
}

/// What the engine is told.
#[must_use]
pub fn engine_settings(
    settings: &Settings,
    server_version: Option<semver::Version>,
    want_yaml: bool,
) -> EngineSettings {
    let compile = &settings.compile;
    let (trust, scope) = trust(settings);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    EngineSettings {
        root: settings.root.clone(),
        working_directory: settings.working_directory.clone(),
        cache_directory: cache_directory(settings),
        python: compile.python.clone(),
        kfp_version: compile.kfp.clone(),
        server_version,
        jobs: compile.jobs.unwrap_or(cores),
        timeout: compile.timeout,
        start_timeout: compile.timeout.max(START_TIMEOUT),
        memory_bytes: compile.memory,
        disk_bytes: 1 << 30,
        processes: PROCESSES,
        results_bytes: RESULTS_BYTES,
        want_yaml,
        disable_caching_by_default: compile.disable_caching_by_default,
        sandbox: match compile.sandbox {
            Sandbox::Require => SandboxMode::Require,
            Sandbox::Auto => SandboxMode::Auto,
            Sandbox::Off => SandboxMode::Off,
        },
        network: match compile.network {
            Network::Deny => NetworkMode::Deny,
            Network::Allow => NetworkMode::Allow,
        },
        pass_environment: compile.environment.clone(),
        environment: settings.environment.without_secrets(&compile.environment),
        secret_names: settings.environment.secret_names(&compile.environment),
        requirements: compile.requirements.clone(),
        wheelhouse: compile.wheelhouse.clone(),
        source_builds: match compile.source_builds {
            file::SourceBuilds::Deny => SourceBuilds::Deny,
            file::SourceBuilds::Allow => SourceBuilds::Allow,
        },
        install_timeout: INSTALL_TIMEOUT,
        index_credentials: settings.environment.index_credentials(),
        use_cache: compile.cache,
        cache_bytes: compile.cache_bytes,
        trust,
        scope,
        want_inputs: settings.changed_since.is_some(),
    }
}

/// How far the code is trusted, and whose results it may take: what a stranger's code says of its own
/// inputs decides nothing about what is deployed, nor about another repository.
fn trust(settings: &Settings) -> (Trust, String) {
    let context = finish::read_context(&settings.environment);
    if !context.ci {
        return (Trust::Protected, settings.root.to_string_lossy().into_owned());
    }
    let scope = match (&context.repository, &context.server_url) {
        (Some(repository), Some(server)) => format!("{server}/{}", repository.full_name()),
        (Some(repository), None) => repository.full_name(),
        (None, _) => settings.root.to_string_lossy().into_owned(),
    };
    let trust = if context.pull_request().is_some() {
        Trust::PullRequest
    } else if auto::decide(&context, &settings.apply.refs, None).0 == AutoCommand::Apply {
        Trust::Protected
    } else {
        Trust::Branch
    };
    (trust, scope)
}

/// Whether `--only` leaves this pipeline in.
#[must_use]
pub fn is_selected(settings: &Settings, compiled: &Compiled) -> bool {
    settings.only.is_empty()
        || settings.only.iter().any(|name| {
            name == compiled.name.as_str()
                || name == compiled.source.path.stem()
                || *name == compiled.function
        })
}

/// The one that was named, else the runner's tool cache where there is one, else the user's cache folder.
fn cache_directory(settings: &Settings) -> PathBuf {
    if let Some(folder) = &settings.compile.cache_directory {
        return folder.clone();
    }
    let environment = &settings.environment;
    let existing = |name: &str| {
        environment
            .text(name)
            .map(PathBuf::from)
            .filter(|path| path.is_dir())
    };
    if let Some(cache) =
        existing(variables::RUNNER_TOOL_CACHE).or_else(|| existing(variables::AGENT_TOOLSDIRECTORY))
    {
        return cache.join("kfp-gitops");
    }
    let base = environment
        .text(variables::XDG_CACHE_HOME)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| {
            environment
                .text("HOME")
                .map(|home| PathBuf::from(home).join(".cache"))
        })
        .unwrap_or_else(std::env::temp_dir);
    base.join("kfp-gitops")
}

/// What a stranger's code and the installers said goes into files and to people: no secret that they came by, such
/// as a variable that the configuration passes, goes along.
fn withhold(redactor: &Redactor, result: &mut CompileResult) {
    let clean = |text: &mut String| *text = redactor.clean(text);
    for file in &mut result.files {
        clean(&mut file.printed);
        file.warnings.iter_mut().for_each(clean);
        if let Err(failure) = &mut file.outcome {
            clean(&mut failure.message);
            failure.hint.iter_mut().for_each(clean);
            failure.detail.iter_mut().for_each(clean);
        }
    }
    if let Some(engine) = &mut result.engine {
        engine.notes.iter_mut().for_each(clean);
        engine
            .not_cached
            .iter_mut()
            .for_each(|one| clean(&mut one.reason));
    }
}

/// Puts files that failed, and the engine, into the report; gives back what compiled. What read a variable
/// that is set and was withheld fails on `apply`: it may have compiled to something that nobody means.
#[must_use]
pub fn take(
    settings: &Settings,
    report: &mut Report,
    discovered: &Discovered,
    mut result: CompileResult,
) -> Vec<TimedCompiled> {
    withhold(&Redactor::new(&settings.environment.secret_values()), &mut result);
    report.engine = result.engine;
    report.counts.found = discovered.found();
    report.warnings.extend(discovered.warnings.iter().cloned());
    report
        .pipelines
        .extend(discovered.refused.iter().cloned().map(PipelineReport::failed));
    let mut compiled = Vec::new();
    for file in result.files {
        match &file.outcome {
            Err(failure) => {
                let mut entry = PipelineReport::of_failed_file(&file, failure);
                if let Some(error) = entry.error.as_mut().filter(|_| !file.printed.trim().is_empty()) {
                    let printed = file.printed.trim_end();
                    let detail = error
                        .detail
                        .take()
                        .map_or(String::new(), |detail| format!("{detail}\n"));
                    error.detail = Some(format!("{detail}it printed:\n{printed}"));
                }
                report.pipelines.push(entry);
            }
            Ok(pipelines) => {
                let withheld = withheld::failure(&file);
                for (index, pipeline) in pipelines.iter().enumerate() {
                    // A file's warnings and seconds are told once, with its first pipeline.
                    let mut warnings = if index == 0 {
                        file.warnings.clone()
                    } else {
                        Vec::new()
                    };
                    let seconds = if index == 0 { file.seconds } else { 0.0 };
                    if let Some(failure) = &withheld {
                        if report.command == "apply" && is_selected(settings, pipeline) {
                            report.pipelines.push(PipelineReport {
                                seconds,
                                warnings,
                                error: Some(failure.clone()),
                                ..PipelineReport::of(pipeline, Action::Failed)
                            });
                            continue;
                        }
                        if index == 0 {
                            warnings.push(withheld::warning(failure));
                        }
                    }
                    compiled.push(TimedCompiled {
                        compiled: pipeline.clone(),
                        seconds,
                        warnings,
                    });
                }
            }
        }
    }
    report.counts.compiled = compiled.len();
    compiled
}
