//! Puts a [`Report`] together from what the rooms answered.

use super::{Action, Counts, PipelineReport, Reason, Report};
use crate::compile::{Compiled, FileResult};
use crate::error::Failure;
use crate::exit::ExitCode;

/// The version of the program.
pub const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Report {
    /// An empty report of a command.
    #[must_use]
    pub fn new(command: &str) -> Self {
        Self {
            schema: 1,
            command: command.to_owned(),
            tool_version: TOOL_VERSION.to_owned(),
            endpoint: None,
            target: None,
            server: None,
            version_name: None,
            engine: None,
            counts: Counts::default(),
            pipelines: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            error: None,
            commit: None,
            run_url: None,
            seconds: 0.0,
            exit_code: 0,
            plan: None,
            expect_no_changes: false,
        }
    }

    /// Adds what stopped the run as a whole.
    pub fn stop(&mut self, failure: Failure) {
        self.error = Some(failure);
    }

    /// Counts, and settles the exit code; call it once everything is in.
    pub fn settle(&mut self) -> ExitCode {
        let count = |actions: &[Action]| {
            self.pipelines
                .iter()
                .filter(|one| actions.contains(&one.action))
                .count()
        };
        self.counts.created = count(&[Action::Created, Action::Create]);
        self.counts.updated = count(&[Action::Updated, Action::Update]);
        self.counts.unchanged = count(&[Action::Unchanged]);
        self.counts.failed = count(&[Action::Failed]);
        self.counts.skipped = count(&[Action::Skipped]);
        self.counts.unknown = count(&[Action::Unknown]);
        let failures = self
            .pipelines
            .iter()
            .filter_map(|one| one.error.as_ref())
            .chain(self.error.as_ref());
        let mut code = failures
            .map(Failure::exit_code)
            .fold(ExitCode::Success, ExitCode::worst);
        let interrupted = self
            .pipelines
            .iter()
            .any(|one| one.reason == Some(Reason::Interrupted));
        if self.counts.unknown > 0 || interrupted {
            code = code.worst(ExitCode::Infrastructure);
        }
        let drifted = self.plan.as_ref().is_some_and(|plan| !plan.drift.is_empty());
        if self.expect_no_changes && (drifted || self.counts.created + self.counts.updated > 0) {
            code = code.worst(ExitCode::ChangesPending);
        }
        self.exit_code = code.code();
        code
    }
}

impl PipelineReport {
    /// A pipeline with its action and nothing else known.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            file: None,
            function: None,
            name: None,
            action,
            reason: None,
            pipeline_id: None,
            version_id: None,
            version_name: None,
            digest: None,
            output: None,
            url: None,
            seconds: 0.0,
            warnings: Vec::new(),
            notes: Vec::new(),
            error: None,
            difference: None,
            suggested_version: None,
            specs: None,
            versions: Vec::new(),
        }
    }

    /// What a compiled pipeline says of itself.
    #[must_use]
    pub fn of(compiled: &Compiled, action: Action) -> Self {
        Self {
            file: Some(compiled.source.path.as_str().to_owned()),
            function: Some(compiled.function.clone()),
            name: Some(compiled.name.as_str().to_owned()),
            ..Self::new(action)
        }
    }

    /// A file or pipeline that failed.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self {
            file: failure.file.clone(),
            error: Some(failure),
            ..Self::new(Action::Failed)
        }
    }

    /// A file that gave no pipeline.
    #[must_use]
    pub fn of_failed_file(file: &FileResult, failure: &Failure) -> Self {
        let mut failure = failure.clone();
        failure
            .file
            .get_or_insert_with(|| file.source.path.as_str().to_owned());
        Self {
            file: Some(file.source.path.as_str().to_owned()),
            function: file.source.function.clone(),
            seconds: file.seconds,
            warnings: file.warnings.clone(),
            ..Self::failed(failure)
        }
    }
}
