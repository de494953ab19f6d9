//! Results of earlier compiles, found again where everything they depend on is as it was. A hit starts no
//! Python.
//!
//! Two steps, as in a compiler cache: what is known before a file runs (its bytes, the settings, the kfp)
//! names a list of records; each says what the file looked at when it ran, and the first whose every entry
//! still holds gives the result. The record comes from a stranger's code, so a result is used only by runs
//! that are trusted no more than the one that made it.

mod environment;
mod inputs;
mod interpreters;
mod key;
mod record;
mod store;
mod world;

pub(super) use environment::Environment;
pub use inputs::Inputs;
pub(super) use interpreters::Interpreters;
pub(super) use record::Observed;

use super::SandboxLevel;
use super::engine::tiers::Tier;
use super::settings::EngineSettings;
use super::variables;
use super::worker::{self, Hello, Raw, Reached, Start};
use crate::discover::Source;
use record::{Record, Surroundings};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use store::{Kind, LARGEST, Store, digest};
use world::World;

/// What is kept under one name: results of a file, or environments of an interpreter, that is switched to
/// and fro between states.
const CANDIDATES: usize = 4;

/// The cache of one run.
#[derive(Debug)]
pub(super) struct Cache {
    /// `None` where only inputs are asked for.
    store: Option<Store>,
    common: key::Common,
    driver: String,
    surroundings: Surroundings,
    root: PathBuf,
    limit: u64,
    /// The tree before any worker was started.
    before: World,
    /// The tree since the last worker was started, and when that was.
    since: (World, SystemTime),
    environments: HashMap<String, Option<Arc<Environment>>>,
}

/// One result and what it depends on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Candidate {
    tier: Tier,
    /// Digest of the environment it was compiled in.
    environment: String,
    record: Record,
    /// Digest of what the child answered and printed.
    result: String,
    answer_bytes: usize,
    printed_bytes: usize,
    dropped: u64,
    sandbox: SandboxLevel,
    sandbox_reason: Option<String>,
}

/// A result from the cache.
#[derive(Debug)]
pub(super) struct Hit {
    pub raw: Raw,
    pub reached: Reached,
    pub inputs: Inputs,
}

/// What a child's result was made with.
#[derive(Clone, Debug)]
pub(super) struct Made<'a> {
    pub tier: Tier,
    /// Digest of the environment of the run's first worker, which names results.
    pub base: &'a str,
    /// The environment it was compiled in.
    pub environment: &'a Environment,
    pub reached: &'a Reached,
}

impl Cache {
    /// Opens the cache; with the reason, where there is one, why it is not used or not written.
    pub(super) fn open(settings: &EngineSettings, deployed: &[PathBuf]) -> (Option<Self>, Option<String>) {
        let (store, note) = if settings.use_cache {
            let opened = Store::open(
                &settings.cache_directory,
                settings.trust.levels(),
                &settings.scope,
            );
            match opened {
                Ok(store) => (Some(store), None),
                Err(why) => (None, Some(format!("the compile cache is not used: {why}"))),
            }
        } else {
            (None, None)
        };
        if store.is_none() && !settings.want_inputs {
            return (None, note);
        }
        let passed = variables::of_worker(settings)
            .into_iter()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect();
        let driver = worker::digest();
        let cache = Self {
            store,
            common: key::Common::new(settings, &driver),
            driver,
            surroundings: Surroundings {
                passed,
                withheld: variables::withheld(settings).into_iter().collect(),
                deployed: deployed.iter().cloned().collect(),
            },
            root: settings.root.clone(),
            limit: settings.cache_bytes,
            before: World::new(&settings.root),
            since: (World::new(&settings.root), SystemTime::UNIX_EPOCH),
            environments: HashMap::new(),
        };
        (Some(cache), note)
    }

    /// What a worker started in this way would run with, if nothing of it changed since one was.
    pub(super) fn environment(&mut self, start: &Start) -> Option<Arc<Environment>> {
        let name = environment::name(start, &self.driver);
        if let Some(known) = self.environments.get(&name) {
            return known.clone();
        }
        let store = self.store.as_ref()?;
        let found = store
            .levels()
            .flat_map(|level| environments(store, level, &name))
            .find(|environment| environment.holds(&self.surroundings.passed))
            .map(Arc::new);
        self.environments.insert(name, found.clone());
        found
    }

    /// A worker is about to be started: what changes from now on may or may not be what its files read.
    pub(super) fn begin(&mut self) {
        self.since = (World::new(&self.root), SystemTime::now());
    }

    /// Keeps what a worker said of itself. `None` where it said too little.
    pub(super) fn learn(&mut self, start: &Start, hello: &Hello) -> Option<Arc<Environment>> {
        if hello.loaded.is_empty() {
            return None;
        }
        let environment = Arc::new(Environment::of(
            start,
            hello,
            &self.root,
            &self.surroundings.passed,
        ));
        let name = environment::name(start, &self.driver);
        let known = self.environments.get(&name).cloned().flatten();
        if known.is_none_or(|known| *known != *environment)
            && let Some(store) = &mut self.store
        {
            let mut all = environments(store, 0, &name);
            all.retain(|other| *other != *environment);
            all.insert(0, (*environment).clone());
            all.truncate(CANDIDATES);
            if let Ok(bytes) = serde_json::to_vec(&all) {
                store.write(Kind::Environment, &name, &bytes);
            }
        }
        self.environments.insert(name, Some(Arc::clone(&environment)));
        Some(environment)
    }

    /// The result of a file, where one is known that still holds. `base` is the digest of the environment
    /// that the run's first worker would have, `of` says in which environment a tier's would run.
    pub(super) fn find(
        &mut self,
        source: &Source,
        base: &str,
        of: &dyn Fn(Tier) -> Option<Start>,
    ) -> Option<Hit> {
        let content = std::fs::read(&source.absolute).ok().map(|bytes| digest(&bytes))?;
        let name = self.common.name(source, &content, base);
        let store = self.store.as_ref()?;
        let known: Vec<(usize, Candidate)> = store
            .levels()
            .flat_map(|level| {
                candidates(store, level, &name)
                    .into_iter()
                    .map(move |candidate| (level, candidate))
            })
            .collect();
        for (level, candidate) in known {
            if !candidate.record.holds(&mut self.before, &self.surroundings) {
                continue;
            }
            if candidate.environment != base {
                let environment = of(candidate.tier).and_then(|start| self.environment(&start));
                if environment.is_none_or(|environment| environment.digest() != candidate.environment) {
                    continue;
                }
            }
            let Some(hit) = self
                .store
                .as_ref()
                .and_then(|store| store.read(level, Kind::Result, &candidate.result))
                .and_then(|bytes| candidate.hit(bytes))
            else {
                continue;
            };
            return Some(hit);
        }
        None
    }

    /// Keeps a file's result, and says what it came from.
    ///
    /// # Errors
    /// Why it cannot be kept, as a fragment.
    pub(super) fn keep(
        &mut self,
        source: &Source,
        observed: Option<&Observed>,
        raw: &Raw,
        made: &Made<'_>,
    ) -> Result<Inputs, String> {
        let observed = observed.ok_or("the compile said nothing of what it read")?;
        let (world, begun) = &mut self.since;
        let record = Record::make(
            observed,
            world,
            &self.surroundings,
            &made.environment.libraries,
            *begun,
        )?;
        let inputs = record.inputs();
        let content = std::fs::read(&source.absolute)
            .map(|bytes| digest(&bytes))
            .map_err(|error| error.to_string())?;
        let path = source.path.as_str();
        if !world.is_settled(path, *begun) {
            return Err(format!("`{path}` changed while it was compiled"));
        }
        let Some(store) = &mut self.store else {
            return Ok(inputs);
        };
        let mut bytes = raw.result.clone();
        bytes.extend_from_slice(&raw.printed);
        if bytes.len() as u64 > LARGEST.min(self.limit / 4) {
            return Err(format!("its result takes {} MiB", bytes.len() >> 20));
        }
        let candidate = Candidate {
            tier: made.tier,
            environment: made.environment.digest(),
            record,
            result: digest(&bytes),
            answer_bytes: raw.result.len(),
            printed_bytes: raw.printed.len(),
            dropped: raw.dropped,
            sandbox: made.reached.level,
            sandbox_reason: made.reached.reason.clone(),
        };
        let name = self.common.name(source, &content, made.base);
        let mut all = candidates(store, 0, &name);
        all.retain(|other| other.record != candidate.record);
        all.insert(0, candidate);
        all.truncate(CANDIDATES);
        store.write(Kind::Result, &all[0].result, &bytes);
        if let Ok(list) = serde_json::to_vec(&all) {
            store.write(Kind::Records, &name, &list);
        }
        Ok(inputs)
    }

    /// Keeps the cache within its bounds, and says what could not be written.
    pub(super) fn close(&self) -> Option<String> {
        let store = self.store.as_ref()?;
        if store.written {
            store.trim(self.limit);
        }
        store
            .read_only
            .as_ref()
            .filter(|_| store.refused)
            .map(|why| format!("the compile cache is not written: {why}"))
    }
}

impl Candidate {
    fn hit(self, mut bytes: Vec<u8>) -> Option<Hit> {
        if bytes.len() != self.answer_bytes.checked_add(self.printed_bytes)? {
            return None;
        }
        let printed = bytes.split_off(self.answer_bytes);
        Some(Hit {
            inputs: self.record.inputs(),
            raw: Raw {
                result: bytes,
                printed,
                dropped: self.dropped,
                ..Raw::default()
            },
            reached: Reached {
                level: self.sandbox,
                reason: self.sandbox_reason,
            },
        })
    }
}

fn environments(store: &Store, level: usize, name: &str) -> Vec<Environment> {
    store
        .read(level, Kind::Environment, name)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

fn candidates(store: &Store, level: usize, name: &str) -> Vec<Candidate> {
    store
        .read(level, Kind::Records, name)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}
