//! What would be used to compile, and why: for people who ask before they trust it.

use super::SandboxLevel;
use super::cache::Interpreters;
use super::engine::{Engine, recall};
use super::environment::{self, Interpreter};
use super::install::{self, Contents, bytecode};
use super::installer::Installer;
use super::settings::{EngineSettings, Progress};
use super::trial;
use super::version::{self, Wanted};
use crate::discover::Source;
use crate::error::{Failure, Phase};
use serde::Serialize;
use std::path::PathBuf;

/// Which Python, which kfp, from where, and how isolated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The interpreter.
    pub python: PathBuf,
    /// Its version, such as `3.11.7`.
    pub python_version: String,
    /// The exact kfp version.
    pub kfp_version: String,
    /// Where that version was decided.
    pub kfp_from: String,
    /// The line that would pin it, where nothing does.
    pub pin_hint: Option<String>,
    /// The folder of prepared packages; `None` where the interpreter has kfp itself.
    pub environment: Option<PathBuf>,
    /// Whether everything is there already.
    pub ready: bool,
    /// `uv` or `pip`, where something has to be installed.
    pub installer: Option<String>,
    /// The isolation this machine gives.
    pub sandbox: SandboxLevel,
    /// Why it is not `full`, where it is not.
    pub sandbox_reason: Option<String>,
    /// Where environments and results are kept.
    pub cache_directory: PathBuf,
    /// Things worth saying once.
    pub notes: Vec<String>,
}

/// Finds out what would be used, and changes nothing. The sandbox is put up once, to see whether it holds.
///
/// # Errors
/// No Python, no kfp version that makes sense, nothing to install it with, a required sandbox that is not possible.
pub async fn describe(settings: &EngineSettings, sources: &[Source]) -> Result<Description, Failure> {
    let (wanted, interpreter) = start(settings, sources).await?;
    let has_it = interpreter.kfp.as_deref() == Some(wanted.version.as_str());
    let (site, ready) = install::locate(settings, &interpreter, &wanted.version, &Contents::Lean);
    let installer = if has_it || ready {
        None
    } else {
        Some(Installer::find(settings, &interpreter).await?)
    };
    let worker = if has_it {
        recall::existing(&interpreter, &wanted)
    } else {
        recall::prepared(settings, &interpreter, &wanted, site.clone())
    };
    let sandbox = trial::reached(settings, &worker).await?;
    Ok(Description {
        python: interpreter.executable.clone(),
        python_version: interpreter.version_text(),
        kfp_version: wanted.version,
        kfp_from: wanted.from,
        pin_hint: wanted.pin_hint,
        environment: (!has_it).then_some(site),
        ready: has_it || ready,
        installer: installer.map(|installer| installer.name().to_owned()),
        sandbox: sandbox.level,
        sandbox_reason: sandbox.reason,
        cache_directory: settings.cache_directory.clone(),
        notes: wanted.notes,
    })
}

/// What compiling would start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The interpreter.
    pub python: PathBuf,
    /// Its version, such as `3.11.7`.
    pub python_version: String,
    /// The kfp it has itself.
    pub installed: Option<String>,
    /// The exact kfp version wanted.
    pub kfp_version: String,
    /// Where that version was decided.
    pub kfp_from: String,
    /// Whether somebody asked for exactly this version; the server's decides otherwise.
    pub pinned: bool,
    /// Things worth saying once.
    pub notes: Vec<String>,
}

/// The part of [`describe`] that needs neither an installer nor a sandbox: for a diagnosis, which must not end
/// where one of those is missing.
///
/// # Errors
/// No Python, no kfp version that makes sense.
pub async fn outlook(settings: &EngineSettings, sources: &[Source]) -> Result<Outlook, Failure> {
    let (wanted, interpreter) = start(settings, sources).await?;
    Ok(Outlook {
        python_version: interpreter.version_text(),
        python: interpreter.executable,
        installed: interpreter.kfp,
        kfp_version: wanted.version,
        kfp_from: wanted.from,
        pinned: wanted.pinned,
        notes: wanted.notes,
    })
}

/// The kfp and the interpreter, asked anew: who looks wants to see what is there now.
async fn start(settings: &EngineSettings, sources: &[Source]) -> Result<(Wanted, Interpreter), Failure> {
    let mut wanted = version::decide(settings, sources)?;
    let interpreter = environment::find(settings, &wanted, &Interpreters::forgetful()).await?;
    wanted.fit(settings, &interpreter);
    Ok((wanted, interpreter))
}

/// Prepares what is missing, so that the next run finds it; for building runner images. What the sources need
/// beyond the least that compiles is known once they are compiled, and so they are.
///
/// # Errors
/// As [`describe`], and whatever goes wrong while installing. A file that does not compile is only noted.
pub async fn prepare(
    settings: &EngineSettings,
    sources: &[Source],
    progress: &dyn Progress,
) -> Result<Description, Failure> {
    let mut description = describe(settings, sources).await?;
    if !description.ready {
        let interpreter = environment::probe(settings, &description.python)
            .await
            .map_err(|cause| {
                Failure::infrastructure(Phase::Prepare, format!("Python no longer answers: {cause}"))
            })?;
        let environment = install::prepare(
            settings,
            &interpreter,
            &description.kfp_version,
            &Contents::Lean,
            progress,
        )
        .await?;
        if environment.without_bytecode {
            bytecode::all(settings, &interpreter, &environment.site).await;
        }
        description.ready = true;
    }
    let settings = EngineSettings {
        use_cache: false,
        want_yaml: false,
        want_inputs: false,
        ..settings.clone()
    };
    let compiled = Engine::compile(&settings, sources, progress).await;
    let mut failed = 0;
    for file in compiled.files {
        match file.outcome {
            Err(failure) if failure.phase == Phase::Prepare => return Err(failure),
            Err(_) => failed += 1,
            Ok(_) => {}
        }
    }
    let said = compiled.engine.map(|engine| engine.notes).unwrap_or_default();
    for note in said {
        if !description.notes.contains(&note) {
            description.notes.push(note);
        }
    }
    if failed > 0 {
        let of = sources.len();
        description.notes.push(format!(
            "{failed} of {of} files do not compile, and what they need may be missing: `kfp-gitops compile` says why"
        ));
    }
    Ok(description)
}
