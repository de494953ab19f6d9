//! One change: its effect, what it is about, and what happened.

use super::edits;
use serde::{Deserialize, Serialize};

/// The effect of a change on those who use the pipeline, strongest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Callers break: a parameter removed, made required, or retyped; an output removed or retyped.
    Interface,
    /// It does something else.
    Behaviour,
    /// It does the same somewhere else: image, packages, resources, platform settings.
    Environment,
    /// It does the same: descriptions, comments, formatting, the SDK's pin.
    Cosmetic,
}

impl Class {
    /// All, strongest first.
    pub const ALL: [Self; 4] = [
        Self::Interface,
        Self::Behaviour,
        Self::Environment,
        Self::Cosmetic,
    ];

    /// The word in JSON and in text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interface => "interface",
            Self::Behaviour => "behaviour",
            Self::Environment => "environment",
            Self::Cosmetic => "cosmetic",
        }
    }
}

/// The part of a semantic version that the changes ask for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Nothing changed.
    None,
    /// Environment or cosmetic changes alone.
    Patch,
    /// It behaves differently, or is new.
    Minor,
    /// Callers break.
    Major,
}

impl Step {
    /// The word in JSON and in text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// What a change is about.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Subject {
    /// The pipeline as a whole.
    Pipeline,
    /// A parameter or artifact that goes into the pipeline.
    Input(String),
    /// A parameter or artifact that comes out of the pipeline.
    Output(String),
    /// A task, by the names of the tasks around it and its own, joined by `/`.
    Task(String),
    /// A component that no task uses.
    Component(String),
}

/// Which side of the subject changed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Aspect {
    /// The subject itself: added, removed, renamed, moved.
    Itself,
    Type,
    Default,
    Required,
    AllowedValues,
    Description,
    Name,
    DisplayName,
    Sdk,
    SchemaVersion,
    PipelineRoot,
    /// Where an output of the pipeline or of a frame comes from.
    OutputSource,
    Component,
    Dependencies,
    /// Where an input of a task comes from.
    Input,
    Caching,
    Retries,
    Condition,
    /// What a loop goes over.
    Items,
    Parallelism,
    /// Whether it runs after a failure.
    Trigger,
    /// Inputs and outputs that a component declares.
    Declaration,
    Code,
    Image,
    Package,
    PackageIndex,
    VirtualEnvironment,
    Command,
    Arguments,
    EnvironmentVariable,
    Resource,
    Accelerator,
    Importer,
    Lifecycle,
    /// A setting of `kfp-kubernetes` for a task.
    Platform,
    /// A setting for the whole pipeline: workspace, time to live, deadline.
    PipelineConfig,
    /// Names that the compiler makes up to pass values into frames.
    Wiring,
    /// What no rule knows.
    Other,
}

/// What happened to it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Only after.
    Added,
    /// Only before.
    Removed,
    /// In both, differently.
    Changed,
    /// In both, under another name.
    Renamed,
    /// In both, in another frame.
    Moved,
}

/// One change. Texts are as in the spec, unescaped; whoever shows them escapes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// Its effect.
    pub class: Class,
    /// What it is about.
    pub subject: Subject,
    /// Which side of it.
    pub aspect: Aspect,
    /// What happened.
    pub verb: Verb,
    /// Which one, where the aspect has several: a package, a variable, an input, a setting.
    pub name: Option<String>,
    /// Shortened text of what was.
    pub before: Option<String>,
    /// Shortened text of what is.
    pub after: Option<String>,
    /// A unified difference, for code and long texts.
    pub patch: Option<String>,
    /// In how many places, where one line stands for many.
    pub count: usize,
    /// The values that this change is made of.
    #[serde(skip)]
    pub(crate) paths: Vec<edits::Pointer>,
}
