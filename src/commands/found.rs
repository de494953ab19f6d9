//! Find and compile: what every command on the repository's pipelines starts with.

use super::changed::Changes;
use super::engine;
use crate::compile::Compiled;
use crate::discover::{Discovered, discover};
use crate::error::Failure;
use crate::report::{Action, PipelineReport, Report};
use crate::settings::Settings;
use semver::Version;

/// The files of a run, and which of them `--changed-since` leaves out.
pub struct Found {
    discovered: Discovered,
    changes: Option<Changes>,
}

/// A compiled pipeline with what compiling it took.
pub struct TimedCompiled {
    /// The pipeline.
    pub compiled: Compiled,
    /// Wall seconds; zero for all but the first pipeline of a file.
    pub seconds: f64,
    /// The file's warnings, with its first pipeline.
    pub warnings: Vec<String>,
}

/// What compiled.
pub struct Compilation {
    /// What the command is to go on with.
    pub selected: Vec<TimedCompiled>,
    /// What `--only` and `--changed-since` leave out.
    pub left_out: Vec<TimedCompiled>,
}

impl Found {
    /// Looks for the files; compiles nothing.
    ///
    /// # Errors
    /// A named file that is not there, a commit that git does not know.
    pub fn look(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            discovered: discover(settings)?,
            changes: Changes::since(settings)?,
        })
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.discovered.found() == 0
    }

    /// What was noticed while looking.
    pub fn into_warnings(self) -> Vec<String> {
        self.discovered.warnings
    }

    /// Compiles. Files that failed and pipelines that nothing changed for go into the report.
    pub async fn compile(
        self,
        settings: &Settings,
        report: &mut Report,
        server: Option<Version>,
        want_yaml: bool,
    ) -> Compilation {
        let mut result = engine::compile(settings, &self.discovered, server, want_yaml).await;
        let unaffected = self
            .changes
            .map_or_else(Vec::new, |changes| changes.take_out(&mut result));
        let (selected, mut left_out): (Vec<_>, Vec<_>) =
            engine::take(settings, report, &self.discovered, result)
                .into_iter()
                .partition(|one| engine::is_selected(settings, &one.compiled));
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
        Compilation { selected, left_out }
    }
}

impl TimedCompiled {
    /// Its line in the report.
    pub fn report(&self, action: Action) -> PipelineReport {
        PipelineReport {
            seconds: self.seconds,
            warnings: self.warnings.clone(),
            digest: Some(self.compiled.spec.digest()),
            ..PipelineReport::of(&self.compiled, action)
        }
    }
}
