//! [`Engine`]: decides the kfp, finds or prepares Python, compiles, and makes sense of what came back.

use super::cache::{Cache, Inputs, Interpreters, Made};
use super::environment::{self, Interpreter};
use super::install::{Contents, bytecode};
use super::requirements;
use super::settings::{EngineSettings, Progress};
use super::version::{self, Wanted};
use super::worker::{self, Broken, Raw, Reached, Task};
use super::{CompileResult, EngineInfo, FileResult, NotCached, SandboxLevel};
use crate::discover::Source;
use crate::error::{Failure, Phase};
use std::path::PathBuf;

mod begin;
pub(super) mod recall;
mod results;
pub(super) mod tiers;

use tiers::{Need, Tier};

/// The embedded KFP compiler.
#[derive(Clone, Copy, Debug)]
pub struct Engine;

impl Engine {
    /// Compiles all sources. Never fails as a whole: where Python or kfp cannot be had, every file fails with
    /// that failure, which is also [`CompileResult::preparation`].
    pub async fn compile(
        settings: &EngineSettings,
        sources: &[Source],
        progress: &dyn Progress,
    ) -> CompileResult {
        if sources.is_empty() {
            return CompileResult {
                files: Vec::new(),
                inputs: Vec::new(),
                engine: None,
                preparation: None,
            };
        }
        let mut run = Run::new(settings, sources, progress);
        match run.everything().await {
            Ok(info) => run.finish(Some(info), None),
            Err(failure) => run.finish(None, Some(failure)),
        }
    }
}

struct Run<'a> {
    settings: &'a EngineSettings,
    sources: &'a [Source],
    progress: &'a dyn Progress,
    deployed: Vec<PathBuf>,
    results: Vec<Option<FileResult>>,
    done: usize,
    /// Bytes of results that may still be kept.
    room: u64,
    notes: Vec<String>,
    /// The least of all workers.
    reached: Option<Reached>,
    cache: Option<Cache>,
    /// Digest of the environment of the first worker, which names results in the cache.
    base: Option<String>,
    inputs: Vec<Option<Inputs>>,
    cached: usize,
    not_cached: Vec<NotCached>,
    /// The packages whose bytecode is to be written once it is known what is loaded of them.
    without_bytecode: Option<PathBuf>,
    /// Bytecode that is written beside the compile.
    bytecode: Vec<bytecode::Writing>,
}

impl<'a> Run<'a> {
    fn new(settings: &'a EngineSettings, sources: &'a [Source], progress: &'a dyn Progress) -> Self {
        let deployed: Vec<PathBuf> = sources
            .iter()
            .map(|source| {
                source
                    .absolute
                    .canonicalize()
                    .unwrap_or_else(|_| source.absolute.clone())
            })
            .collect();
        let (cache, note) = Cache::open(settings, &deployed);
        Self {
            settings,
            sources,
            progress,
            deployed,
            results: sources.iter().map(|_| None).collect(),
            done: 0,
            room: settings.results_bytes,
            notes: note.into_iter().collect(),
            reached: None,
            cache,
            base: None,
            inputs: sources.iter().map(|_| None).collect(),
            cached: 0,
            not_cached: Vec::new(),
            without_bytecode: None,
            bytecode: Vec::new(),
        }
    }

    async fn everything(&mut self) -> Result<EngineInfo, Failure> {
        let mut wanted = version::decide(self.settings, self.sources)?;
        let interpreter =
            environment::find(self.settings, &wanted, &Interpreters::open(self.settings)).await?;
        wanted.fit(self.settings, &interpreter);
        self.notes.append(&mut wanted.notes);
        let tier = if interpreter.kfp.as_deref() == Some(wanted.version.as_str()) {
            Tier::Existing
        } else {
            Tier::Lean
        };
        let (open, known) = self.recall(&interpreter, &wanted, tier);
        let (python_version, kfp_version) = match known {
            Some(environment) if open.is_empty() => (environment.python.clone(), environment.kfp.clone()),
            _ => {
                let first = self.attempt(&interpreter, &wanted, tier, &open).await?;
                self.climb(&interpreter, &wanted, tier, first.retry).await;
                (first.hello.python, first.hello.kfp)
            }
        };
        self.notes.extend(self.cache.as_ref().and_then(Cache::close));
        for writing in self.bytecode.drain(..) {
            writing.end().await;
        }
        self.not_cached.sort_by(|one, other| one.file.cmp(&other.file));
        let reached = self.reached.take().unwrap_or(Reached {
            level: SandboxLevel::None,
            reason: None,
        });
        Ok(EngineInfo {
            python: interpreter.executable.clone(),
            python_version,
            kfp_version,
            kfp_from: wanted.from,
            pin_hint: wanted.pin_hint,
            sandbox: reached.level,
            sandbox_reason: reached.reason,
            cached: self.cached,
            not_cached: std::mem::take(&mut self.not_cached),
            notes: std::mem::take(&mut self.notes),
        })
    }

    /// Compiles the files in one environment. Files that need more are handed back instead of failed.
    async fn attempt(
        &mut self,
        interpreter: &Interpreter,
        wanted: &Wanted,
        tier: Tier,
        files: &[usize],
    ) -> Result<Attempt, Failure> {
        let start = self.start(interpreter, wanted, tier, files).await?;
        let mut left: Vec<usize> = files.to_vec();
        let mut retry = Vec::new();
        let mut hello = None;
        // a worker that dies takes only the files it was at with it
        for _ in 0..=files.len() {
            let tasks: Vec<Task> = left.iter().map(|id| self.task(*id)).collect();
            let deployed = self.deployed.clone();
            let settings = self.settings;
            let mut room = self.room;
            if let Some(cache) = &mut self.cache {
                cache.begin();
            }
            let outcome = {
                let mut environment = None;
                let mut each = |id: usize, raw: Raw, hello: &worker::Hello, reached: &Reached| {
                    left.retain(|other| *other != id);
                    if let Some(site) = self.without_bytecode.take() {
                        let begun = bytecode::begin(settings, interpreter, &site, &hello.loaded);
                        self.bytecode.extend(begun);
                    }
                    let environment = environment.get_or_insert_with(|| {
                        self.cache.as_mut().and_then(|cache| cache.learn(&start, hello))
                    });
                    let base = self
                        .base
                        .get_or_insert_with(|| {
                            environment.as_ref().map(|one| one.digest()).unwrap_or_default()
                        })
                        .clone();
                    let made = environment.as_deref().map(|environment| Made {
                        tier,
                        base: &base,
                        environment,
                        reached,
                    });
                    if let Some(again) = self.take(id, raw, tier, made.as_ref()) {
                        retry.push(again);
                    }
                };
                worker::run(settings, &start, &tasks, &deployed, &mut room, &mut each).await
            };
            self.room = room;
            match outcome {
                Ok((found, reached)) => {
                    self.reach(reached);
                    self.notes.extend(found.apart.as_ref().map(|file| {
                        format!("the project's requirements replace `{file}`, which kfp uses: each of its files imports kfp anew")
                    }));
                    hello = Some(found);
                    break;
                }
                Err(Broken::Start(failure)) => return Err(failure),
                Err(Broken::Died(at, said)) => {
                    let victims = if at.is_empty() { left.clone() } else { at };
                    for id in victims {
                        left.retain(|other| *other != id);
                        let failure = Failure::failed(
                            Phase::Compile,
                            "the compile process died while it compiled this file",
                        )
                        .file(self.sources[id].path.as_str())
                        .detail(said.clone());
                        self.fail(id, failure);
                    }
                    if left.is_empty() {
                        break;
                    }
                }
            }
        }
        let hello = hello.unwrap_or(worker::Hello {
            python: interpreter.version_text(),
            kfp: wanted.version.clone(),
            unfenced: None,
            libraries: Vec::new(),
            search: Vec::new(),
            loaded: Vec::new(),
            variables: Vec::new(),
            apart: None,
        });
        Ok(Attempt { hello, retry })
    }

    /// Tries files that lacked a module again with more installed.
    async fn climb(&mut self, interpreter: &Interpreter, wanted: &Wanted, tier: Tier, retry: Vec<Waiting>) {
        let (sdk, project): (Vec<_>, Vec<_>) = retry
            .into_iter()
            .partition(|file: &Waiting| file.need == Need::FullSdk);
        let mut project = project;
        if !sdk.is_empty() {
            let next = if tier == Tier::Existing {
                Tier::Lean
            } else {
                Tier::Full
            };
            self.notes.push(format!(
                "{} needs {} and was compiled with it",
                files_text(sdk.len()),
                if next == Tier::Full {
                    "more of the SDK than compiling usually does"
                } else {
                    "kfp-kubernetes, which the interpreter lacks,"
                },
            ));
            project.extend(self.again(interpreter, wanted, next, sdk).await);
            if next == Tier::Lean {
                let (full, rest): (Vec<_>, Vec<_>) = project
                    .into_iter()
                    .partition(|file: &Waiting| file.need == Need::FullSdk);
                project = rest;
                if !full.is_empty() {
                    project.extend(self.again(interpreter, wanted, Tier::Full, full).await);
                }
            }
        }
        if project.is_empty() {
            return;
        }
        let leftover = self.again(interpreter, wanted, Tier::Project, project).await;
        for file in leftover {
            self.store(file.id, file.result);
        }
    }

    async fn again(
        &mut self,
        interpreter: &Interpreter,
        wanted: &Wanted,
        tier: Tier,
        files: Vec<Waiting>,
    ) -> Vec<Waiting> {
        let mut open = Vec::new();
        for group in self.groups(tier, files) {
            let ids: Vec<usize> = group.iter().map(|file| file.id).collect();
            if tier == Tier::Project && requirements::of(self.settings, &self.sources[ids[0]]).is_none() {
                for file in group {
                    self.store(file.id, file.result);
                }
                continue;
            }
            match self.attempt(interpreter, wanted, tier, &ids).await {
                Ok(attempt) => open.extend(attempt.retry),
                Err(failure) => {
                    for Waiting { id, mut result, .. } in group {
                        let mut failure = failure.clone();
                        if let Err(first) = &result.outcome {
                            failure.message = format!(
                                "{}; the file needs it because of {}",
                                failure.message, first.message
                            );
                        }
                        failure.file = Some(self.sources[id].path.as_str().to_owned());
                        result.outcome = Err(failure);
                        self.store(id, result);
                    }
                }
            }
        }
        open
    }

    /// Files that share one environment: those with the same requirements.
    fn groups(&self, tier: Tier, files: Vec<Waiting>) -> Vec<Vec<Waiting>> {
        if tier != Tier::Project {
            return vec![files];
        }
        let mut groups: Vec<(Option<Contents>, Vec<Waiting>)> = Vec::new();
        for file in files {
            let contents = requirements::of(self.settings, &self.sources[file.id]);
            match groups.iter_mut().find(|(known, _)| *known == contents) {
                Some((_, group)) => group.push(file),
                None => groups.push((contents, vec![file])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }
}

/// A file that another environment may compile, with what it says now.
struct Waiting {
    id: usize,
    need: Need,
    result: FileResult,
}

struct Attempt {
    hello: worker::Hello,
    retry: Vec<Waiting>,
}

fn files_text(count: usize) -> String {
    if count == 1 {
        "1 file".to_owned()
    } else {
        format!("{count} files")
    }
}
