//! What a worker begins with: the packages of its tier, prepared where they are not there yet.

use super::tiers::Tier;
use super::{Run, Wanted, recall};
use crate::compile::environment::Interpreter;
use crate::compile::install::{self, Contents};
use crate::compile::requirements;
use crate::compile::worker::{Start, Task};
use crate::error::Failure;

impl Run<'_> {
    /// Prepares what the worker of a tier runs with.
    pub(super) async fn start(
        &mut self,
        interpreter: &Interpreter,
        wanted: &Wanted,
        tier: Tier,
        files: &[usize],
    ) -> Result<Start, Failure> {
        let contents = match tier {
            Tier::Existing => return Ok(recall::existing(interpreter, wanted)),
            Tier::Lean => Contents::Lean,
            Tier::Full => Contents::Full,
            Tier::Project => {
                requirements::of(self.settings, &self.sources[files[0]]).unwrap_or(Contents::Full)
            }
        };
        let environment = install::prepare(
            self.settings,
            interpreter,
            &wanted.version,
            &contents,
            self.progress,
        )
        .await?;
        if let (Some(took), Some(installer)) = (environment.took, environment.installer) {
            self.notes.push(format!(
                "preparing kfp {} took {:.1} s with {installer}",
                wanted.version,
                took.as_secs_f64()
            ));
        }
        self.notes.extend(environment.note);
        if tier != Tier::Project {
            self.without_bytecode = environment.without_bytecode.then(|| environment.site.clone());
            return Ok(recall::prepared(
                self.settings,
                interpreter,
                wanted,
                environment.site,
            ));
        }
        // a folder of wheels may hold the project's alone: then each child imports kfp by itself
        let pinned = install::prepare(
            self.settings,
            interpreter,
            &wanted.version,
            &Contents::Lean,
            self.progress,
        )
        .await
        .ok();
        self.without_bytecode = pinned
            .as_ref()
            .filter(|pinned| pinned.without_bytecode)
            .map(|pinned| pinned.site.clone());
        let pinned = pinned.map(|pinned| pinned.site);
        Ok(recall::with_project(
            self.settings,
            interpreter,
            wanted,
            pinned,
            environment.site,
        ))
    }

    /// What a worker is told of a file.
    pub(super) fn task(&self, id: usize) -> Task {
        let source = &self.sources[id];
        Task {
            id,
            path: source.absolute.clone(),
            function: source.function.clone(),
            parameters: source.parameters.clone(),
        }
    }
}
