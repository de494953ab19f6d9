//! [`Failure`]: the one shape in which every room says that something went wrong.
//!
//! A failure names the phase, the subject (file or pipeline), the cause and the next step, and
//! knows whose fault it is ([`Class`]), from which the exit code follows.

use crate::exit::ExitCode;
use serde::{Deserialize, Serialize};

/// The part of a run in which something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Reading flags, environment, configuration and the CI context.
    Settings,
    /// Finding pipeline files.
    Discover,
    /// Finding or preparing Python and kfp.
    Prepare,
    /// Running the KFP compiler on a file.
    Compile,
    /// Reaching the pipelines server and finding out what it is.
    Connect,
    /// Comparing what was compiled with what the server holds.
    Plan,
    /// Writing to the server.
    Apply,
    /// Telling people.
    Report,
}

impl Phase {
    /// The phase as people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Discover => "discover",
            Self::Prepare => "prepare",
            Self::Compile => "compile",
            Self::Connect => "connect",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Report => "report",
        }
    }
}

/// Whose fault a failure is, and so what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Usage or configuration: exit 2.
    Usage,
    /// The user's file or pipeline cannot be deployed as it is: exit 1.
    Failed,
    /// The world: unreachable, 5xx, time-out; running again may help: exit 75.
    Infrastructure,
    /// A fault of this program: exit 1.
    Internal,
}

/// What went wrong, where, and what to do next.
///
/// `message` is a lowercase fragment without a final period; `hint` is one imperative sentence or
/// a line to paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, thiserror::Error)]
#[error("{}", self.one_line())]
pub struct Failure {
    /// The part of the run.
    pub phase: Phase,
    /// Whose fault it is.
    pub class: Class,
    /// The cause.
    pub message: String,
    /// The next step, where one is known.
    pub hint: Option<String>,
    /// The file it is about, relative to the root with `/`.
    pub file: Option<String>,
    /// The line in `file`, counted from 1.
    pub line: Option<u32>,
    /// The column in `file`, counted from 1, in characters.
    pub column: Option<u32>,
    /// More lines for people: a source excerpt, a traceback without the framework's frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Failure {
    /// A failure with a message and nothing else known.
    #[must_use]
    pub fn new(phase: Phase, class: Class, message: impl Into<String>) -> Self {
        Self {
            phase,
            class,
            message: message.into(),
            hint: None,
            file: None,
            line: None,
            column: None,
            detail: None,
        }
    }

    /// Usage or configuration (exit 2).
    #[must_use]
    pub fn usage(phase: Phase, message: impl Into<String>) -> Self {
        Self::new(phase, Class::Usage, message)
    }

    /// The user's pipeline cannot be deployed as it is (exit 1).
    #[must_use]
    pub fn failed(phase: Phase, message: impl Into<String>) -> Self {
        Self::new(phase, Class::Failed, message)
    }

    /// Infrastructure trouble (exit 75).
    #[must_use]
    pub fn infrastructure(phase: Phase, message: impl Into<String>) -> Self {
        Self::new(phase, Class::Infrastructure, message)
    }

    /// A fault of this program (exit 1).
    #[must_use]
    pub fn internal(phase: Phase, message: impl Into<String>) -> Self {
        Self::new(phase, Class::Internal, message)
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the file, relative to the root with `/`.
    #[must_use]
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Adds the line, counted from 1.
    #[must_use]
    pub fn line(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }

    /// Adds lines for people.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The exit code this failure asks for.
    #[must_use]
    pub const fn exit_code(&self) -> ExitCode {
        match self.class {
            Class::Usage => ExitCode::Usage,
            Class::Failed | Class::Internal => ExitCode::Failed,
            Class::Infrastructure => ExitCode::Infrastructure,
        }
    }

    fn one_line(&self) -> String {
        let mut text = String::new();
        if let Some(file) = &self.file {
            text.push_str(file);
            if let Some(line) = self.line {
                text.push_str(&format!(":{line}"));
            }
            text.push_str(": ");
        }
        text.push_str(&self.message);
        text
    }
}
