//! What came out of one child, and of the whole run.

use super::tiers::{Tier, needs};
use super::{Run, Waiting};
use crate::compile::cache::{Made, Observed};
use crate::compile::worker::Raw;
use crate::compile::{CompileResult, EngineInfo, FileResult, NotCached, answer, diagnostics, variables};
use crate::error::{Failure, Phase};
use crate::settings::file::FILE_NAME;
use std::collections::BTreeMap;

impl Run<'_> {
    /// Takes one child's result; hands it back where another environment may do better. Without `made` it
    /// came from the cache.
    pub(super) fn take(
        &mut self,
        id: usize,
        raw: Raw,
        tier: Tier,
        made: Option<&Made<'_>>,
    ) -> Option<Waiting> {
        let source = &self.sources[id];
        let mut need = None;
        let (outcome, warnings, withheld, asked) = match answer::read(source, &raw.result) {
            Ok(answer) => {
                if let (Some(made), Ok(_)) = (made, &answer.outcome) {
                    self.keep(id, answer.observed.as_ref(), &raw, made);
                }
                let outcome = answer.outcome.map_err(|error| {
                    need = error
                        .missing
                        .as_deref()
                        .and_then(|missing| needs(missing, &error.message, tier));
                    diagnostics::from_error(self.settings, source, &error, &answer.withheld)
                });
                (outcome, answer.warnings, answer.withheld, answer.asked)
            }
            Err(unsound) => {
                let failure = diagnostics::from_end(self.settings, source, &raw, &unsound);
                (Err(failure), Vec::new(), Vec::new(), BTreeMap::new())
            }
        };
        let mut printed = String::from_utf8_lossy(&raw.printed).into_owned();
        if raw.dropped > 0 {
            printed.push_str(&format!("\n… and {} more bytes", raw.dropped));
        }
        let result = FileResult {
            source: source.clone(),
            outcome,
            warnings: warnings
                .into_iter()
                .map(|warning| match warning.line {
                    Some(line) => format!("line {line}: {}", warning.text),
                    None => warning.text,
                })
                .chain(self.asked_for(&asked))
                .collect(),
            withheld: self.really_withheld(withheld),
            printed,
            seconds: raw.seconds,
        };
        match need {
            Some(need) => Some(Waiting { id, need, result }),
            None => {
                self.store(id, result);
                None
            }
        }
    }

    /// Keeps a result for later runs, or remembers why not.
    fn keep(&mut self, id: usize, observed: Option<&Observed>, raw: &Raw, made: &Made<'_>) {
        let Some(cache) = &mut self.cache else { return };
        let source = &self.sources[id];
        match cache.keep(source, observed, raw, made) {
            Ok(inputs) => self.inputs[id] = Some(inputs),
            Err(reason) => self.not_cached.push(NotCached {
                file: source.path.as_str().to_owned(),
                reason,
            }),
        }
    }

    /// Only names that are withheld indeed: the list was made by a stranger's code.
    fn really_withheld(&self, names: Vec<String>) -> Vec<String> {
        let known = variables::withheld(self.settings);
        names.into_iter().filter(|name| known.contains(name)).collect()
    }

    /// What packages asked for while they were imported: as a rule for themselves, and nobody can tell.
    fn asked_for(&self, asked: &BTreeMap<String, String>) -> Vec<String> {
        let known = variables::withheld(self.settings);
        asked
            .iter()
            .filter(|(name, _)| known.contains(name) && !variables::is_never_passed(name))
            .map(|(name, package)| {
                let package: String = package.chars().take(100).collect();
                format!(
                    "`{package}` asked for the variable `{name}` while it was imported, which is set but was \
                     withheld: if the pipeline depends on it, pass it with `compile: {{environment: [{name}]}}` in \
                     {FILE_NAME}"
                )
            })
            .collect()
    }

    pub(super) fn fail(&mut self, id: usize, failure: Failure) {
        let result = FileResult {
            source: self.sources[id].clone(),
            outcome: Err(failure),
            warnings: Vec::new(),
            withheld: Vec::new(),
            printed: String::new(),
            seconds: 0.0,
        };
        self.store(id, result);
    }

    pub(super) fn store(&mut self, id: usize, result: FileResult) {
        self.done += 1;
        self.progress.file_done(
            &result.source.path,
            result.outcome.is_ok(),
            self.done,
            self.sources.len(),
        );
        self.results[id] = Some(result);
    }

    pub(super) fn finish(
        mut self,
        engine: Option<EngineInfo>,
        preparation: Option<Failure>,
    ) -> CompileResult {
        for id in 0..self.sources.len() {
            if self.results[id].is_none() {
                let failure = preparation
                    .clone()
                    .unwrap_or_else(|| Failure::internal(Phase::Compile, "no result came back for this file"))
                    .file(self.sources[id].path.as_str());
                self.fail(id, failure);
            }
        }
        CompileResult {
            files: self.results.into_iter().flatten().collect(),
            inputs: self.inputs,
            engine,
            preparation,
        }
    }
}
