//! Results that need no compile: the cache is asked before any Python is started.

use super::tiers::Tier;
use super::{Run, Wanted};
use crate::compile::cache::{Environment, Hit};
use crate::compile::environment::Interpreter;
use crate::compile::install::{self, Contents};
use crate::compile::requirements;
use crate::compile::settings::EngineSettings;
use crate::compile::worker::{Reached, Start};
use crate::discover::Source;
use std::path::PathBuf;
use std::sync::Arc;

impl Run<'_> {
    /// Answers what can be answered from the cache, and gives back the files that have to be compiled, with
    /// what the first worker would run with.
    pub(super) fn recall(
        &mut self,
        interpreter: &Interpreter,
        wanted: &Wanted,
        tier: Tier,
    ) -> (Vec<usize>, Option<Arc<Environment>>) {
        let all: Vec<usize> = (0..self.sources.len()).collect();
        let Some(mut cache) = self.cache.take() else {
            return (all, None);
        };
        let (settings, sources) = (self.settings, self.sources);
        let start = |tier: Tier, source: &Source| located(settings, interpreter, wanted, tier, source);
        let environment = start(tier, &sources[0]).and_then(|start| cache.environment(&start));
        let mut open = Vec::new();
        if let Some(environment) = &environment {
            let base = environment.digest();
            for id in all {
                let source = &sources[id];
                match cache.find(source, &base, &|tier| start(tier, source)) {
                    Some(hit) => open.extend(self.use_again(id, hit, tier)),
                    None => open.push(id),
                }
            }
            self.base = Some(base);
        } else {
            open = all;
        }
        self.cache = Some(cache);
        (open, environment)
    }

    fn use_again(&mut self, id: usize, hit: Hit, tier: Tier) -> Option<usize> {
        // what reads well once reads well again: anything else is no result
        if self.take(id, hit.raw, tier, None).is_some()
            || self.results[id].as_ref().is_none_or(|file| file.outcome.is_err())
        {
            return Some(id);
        }
        self.cached += 1;
        self.inputs[id] = Some(hit.inputs);
        self.reach(hit.reached);
        None
    }

    /// The least of all workers, those of earlier runs included.
    pub(super) fn reach(&mut self, reached: Reached) {
        if self
            .reached
            .as_ref()
            .is_none_or(|known| reached.level < known.level)
        {
            self.reached = Some(reached);
        }
    }
}

/// How a worker of a tier is started, where nothing has to be installed for it.
fn located(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    wanted: &Wanted,
    tier: Tier,
    source: &Source,
) -> Option<Start> {
    let contents = match tier {
        Tier::Existing => return Some(existing(interpreter, wanted)),
        Tier::Lean => Contents::Lean,
        Tier::Full => Contents::Full,
        Tier::Project => requirements::of(settings, source)?,
    };
    let there = |contents: &Contents| {
        let (site, ready) = install::locate(settings, interpreter, &wanted.version, contents);
        ready.then_some(site)
    };
    let site = there(&contents)?;
    Some(match contents {
        Contents::Project(_) => with_project(settings, interpreter, wanted, there(&Contents::Lean), site),
        _ => prepared(settings, interpreter, wanted, site),
    })
}

/// A worker with what the interpreter has installed.
pub(in crate::compile) fn existing(interpreter: &Interpreter, wanted: &Wanted) -> Start {
    let mut readable = interpreter.prefixes.clone();
    readable.extend(interpreter.path.iter().cloned());
    Start {
        python: interpreter.executable.clone(),
        kfp: wanted.version.clone(),
        paths: Vec::new(),
        project: Vec::new(),
        only_paths: false,
        readable,
    }
}

/// A worker with a prepared environment.
pub(in crate::compile) fn prepared(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    wanted: &Wanted,
    site: PathBuf,
) -> Start {
    if install::is_pinned(settings, &wanted.version) {
        start(interpreter, wanted, Some(site), None)
    } else {
        start(interpreter, wanted, None, Some(site))
    }
}

/// A worker with the project's packages: its supervisor imports kfp from the pinned ones alone, where there are any.
pub(super) fn with_project(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    wanted: &Wanted,
    pinned: Option<PathBuf>,
    project: PathBuf,
) -> Start {
    let pinned = pinned.filter(|_| install::is_pinned(settings, &wanted.version));
    start(interpreter, wanted, pinned, Some(project))
}

fn start(
    interpreter: &Interpreter,
    wanted: &Wanted,
    pinned: Option<PathBuf>,
    project: Option<PathBuf>,
) -> Start {
    let mut readable = interpreter.prefixes.clone();
    readable.extend(pinned.iter().chain(&project).cloned());
    Start {
        python: interpreter.executable.clone(),
        kfp: wanted.version.clone(),
        paths: pinned.into_iter().collect(),
        project: project.into_iter().collect(),
        only_paths: true,
        readable,
    }
}
