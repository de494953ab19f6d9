//! A typed view of the compiled spec, borrowed from its canonical form.
//!
//! It takes what it knows and leaves the rest alone: a field that is missing, of another type, or
//! newer than this reads as absent. Components are kept by name and never expanded in place, so
//! that a spec whose components use each other in a circle, or each other a hundred times, costs no
//! more than its text.

mod read;
#[cfg(test)]
mod tests;

use super::Canonical;
use super::command::Lightweight;
use read::{component, entries, executor, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A pipeline as its author thinks of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline<'a> {
    /// `pipelineInfo.name`.
    pub name: &'a str,
    /// `pipelineInfo.displayName`, or empty.
    pub display_name: &'a str,
    /// `pipelineInfo.description`, or empty.
    pub description: &'a str,
    /// Such as `kfp-2.17.0`.
    pub sdk_version: &'a str,
    /// Such as `2.1.0`.
    pub schema_version: &'a str,
    /// `defaultPipelineRoot`, or empty.
    pub default_root: &'a str,
    /// Inputs, outputs and tasks of the pipeline itself.
    pub root: Component<'a>,
    /// Components by name (`comp-…`).
    pub components: BTreeMap<&'a str, Component<'a>>,
    /// Executors by label (`exec-…`).
    pub executors: BTreeMap<&'a str, Executor<'a>>,
    /// `platforms.kubernetes.deploymentSpec.executors`: settings by label.
    pub kubernetes: BTreeMap<&'a str, &'a Value>,
    /// `platforms.kubernetes.pipelineConfig`.
    pub pipeline_config: Option<&'a Value>,
}

/// A component's interface and what is behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Component<'a> {
    /// Parameters that go in, sorted by name.
    pub parameters: Vec<Parameter<'a>>,
    /// Artifacts that go in, sorted by name.
    pub artifacts: Vec<Artifact<'a>>,
    /// Parameters that come out, sorted by name.
    pub output_parameters: Vec<Parameter<'a>>,
    /// Artifacts that come out, sorted by name.
    pub output_artifacts: Vec<Artifact<'a>>,
    /// What runs.
    pub body: Body<'a>,
}

/// What a component runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body<'a> {
    /// Tasks by name.
    Dag(BTreeMap<&'a str, Task<'a>>),
    /// The executor with this label.
    Executor(&'a str),
    /// Neither, or something newer.
    #[default]
    Unknown,
}

/// A parameter of a pipeline or component.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// `STRING`, `NUMBER_INTEGER`, `NUMBER_DOUBLE`, `BOOLEAN`, `LIST`, `STRUCT`, … or empty.
    pub kind: &'a str,
    /// The default.
    pub default: Option<&'a Value>,
    /// Whether it may be left out.
    pub optional: bool,
    /// Its description, or empty.
    pub description: &'a str,
    /// The values it is limited to (kfp 2.16 and later).
    pub literals: &'a [Value],
}

/// An artifact that goes in or comes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact<'a> {
    /// Its name.
    pub name: &'a str,
    /// Such as `system.Dataset`, or empty.
    pub kind: &'a str,
    /// Whether it is a list of them.
    pub list: bool,
    /// Whether it may be left out.
    pub optional: bool,
    /// Its description, or empty.
    pub description: &'a str,
}

/// A task: a component used in a DAG.
#[derive(Clone, Debug, PartialEq)]
pub struct Task<'a> {
    /// Its key in the DAG.
    pub name: &'a str,
    /// `taskInfo.name`: what people see; the key where it is missing.
    pub label: &'a str,
    /// The component's name.
    pub component: &'a str,
    /// Tasks of the same DAG that it waits for, for their outputs or by `.after()`.
    pub dependencies: BTreeSet<&'a str>,
    /// Where its inputs come from, sorted by name, artifacts after parameters.
    pub inputs: Vec<Input<'a>>,
    /// Whether results may come from the cache.
    pub caching: bool,
    /// The condition under which it runs, as in the spec.
    pub condition: Option<&'a str>,
    /// Whether it runs even when what it waits for failed: an exit task.
    pub runs_after_failure: bool,
    /// The items it is repeated for.
    pub iterator: Option<Iterator<'a>>,
    /// The name under which the component gets the item of the loop, or empty.
    pub item: &'a str,
    /// Most copies of the loop at a time; 0 for no limit.
    pub parallelism: u64,
    /// Most retries; 0 for none.
    pub retries: u64,
}

/// What a task is repeated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iterator<'a> {
    /// JSON text of a list.
    Raw(&'a str),
    /// A parameter of the task.
    Parameter(&'a str),
    /// A list of artifacts among the task's inputs.
    Artifact(&'a str),
}

/// An input of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input<'a> {
    /// The component's name for it.
    pub name: &'a str,
    /// Whether it is an artifact.
    pub artifact: bool,
    /// Where it comes from.
    pub source: Source<'a>,
    /// What is taken out of it: `parseJson(string_value)["key"]`, or empty.
    pub selector: &'a str,
}

/// Where an input comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source<'a> {
    /// A constant.
    Constant(&'a Value),
    /// An input of the surrounding component.
    ComponentInput(&'a str),
    /// An output of another task of the same DAG.
    Output {
        /// The task.
        task: &'a str,
        /// The output's name.
        key: &'a str,
    },
    /// How a task ended.
    FinalStatus(&'a str),
    /// Something newer.
    Unknown(&'a Value),
}

/// What an executor is.
#[derive(Clone, Debug, PartialEq)]
pub enum Executor<'a> {
    /// A container.
    Container(Container<'a>),
    /// An import of an existing artifact.
    Importer(&'a Value),
    /// Something else or newer.
    Unknown(&'a Value),
}

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub struct Container<'a> {
    /// The image.
    pub image: &'a str,
    /// `command`, as it stands.
    pub command: Option<&'a Value>,
    /// `args`, as they stand.
    pub args: Option<&'a Value>,
    /// The parts of a lightweight Python component.
    pub python: Option<Lightweight<'a>>,
    /// Environment variables in order.
    pub env: Vec<(&'a str, &'a str)>,
    /// `resources`, as they stand.
    pub resources: Option<&'a Value>,
}

impl<'a> Pipeline<'a> {
    /// Looks at a canonical form.
    #[must_use]
    pub fn of(form: &'a Canonical) -> Self {
        Self::of_documents(&form.pipeline, form.platform.as_ref())
    }

    /// Looks at two documents in canonical form.
    #[must_use]
    pub fn of_documents(pipeline: &'a Value, platform: Option<&'a Value>) -> Self {
        let info = pipeline.get("pipelineInfo").unwrap_or(&Value::Null);
        let kubernetes = platform.and_then(|platform| platform.pointer("/platforms/kubernetes"));
        Self {
            name: text(info, "name"),
            display_name: text(info, "displayName"),
            description: text(info, "description"),
            sdk_version: text(pipeline, "sdkVersion"),
            schema_version: text(pipeline, "schemaVersion"),
            default_root: text(pipeline, "defaultPipelineRoot"),
            root: pipeline.get("root").map(component).unwrap_or_default(),
            components: entries(pipeline.get("components"))
                .map(|(name, value)| (name, component(value)))
                .collect(),
            executors: entries(pipeline.pointer("/deploymentSpec/executors"))
                .map(|(label, value)| (label, executor(value)))
                .collect(),
            kubernetes: entries(kubernetes.and_then(|value| value.pointer("/deploymentSpec/executors")))
                .collect(),
            pipeline_config: kubernetes.and_then(|value| value.get("pipelineConfig")),
        }
    }

    /// The component that a task uses.
    #[must_use]
    pub fn component_of(&self, task: &Task<'_>) -> Option<&Component<'a>> {
        self.components.get(task.component)
    }

    /// The container that a task starts, where it starts one.
    #[must_use]
    pub fn container_of(&self, task: &Task<'_>) -> Option<&Container<'a>> {
        match self.executor_of(task)? {
            Executor::Container(container) => Some(container),
            _ => None,
        }
    }

    /// The executor that a task starts, where it starts one.
    #[must_use]
    pub fn executor_of(&self, task: &Task<'_>) -> Option<&Executor<'a>> {
        match self.component_of(task)?.body {
            Body::Executor(label) => self.executors.get(label),
            _ => None,
        }
    }

    /// Every image, sorted, each once.
    #[must_use]
    pub fn images(&self) -> Vec<&'a str> {
        let images: BTreeSet<_> = self.containers().map(|container| container.image).collect();
        images.into_iter().filter(|image| !image.is_empty()).collect()
    }

    /// Every Python package that components install, sorted, each once; without the SDK.
    #[must_use]
    pub fn packages(&self) -> Vec<&'a str> {
        let packages: BTreeSet<_> = self
            .containers()
            .filter_map(|container| container.python.as_ref())
            .flat_map(|python| python.install.packages.iter().copied())
            .collect();
        packages.into_iter().collect()
    }

    fn containers(&self) -> impl std::iter::Iterator<Item = &Container<'a>> {
        self.executors.values().filter_map(|executor| match executor {
            Executor::Container(container) => Some(container),
            _ => None,
        })
    }
}

impl<'a> Parameter<'a> {
    /// Its type as the author wrote it in Python; what is newer than this as it stands.
    #[must_use]
    pub fn python_type(&self) -> &'a str {
        match self.kind {
            "STRING" => "str",
            "NUMBER_INTEGER" => "int",
            "NUMBER_DOUBLE" => "float",
            "BOOLEAN" => "bool",
            "LIST" => "list",
            "STRUCT" => "dict",
            other => other,
        }
    }
}

impl<'a> Component<'a> {
    /// The tasks inside; none for one that runs a container.
    pub fn tasks(&self) -> impl std::iter::Iterator<Item = &Task<'a>> {
        match &self.body {
            Body::Dag(tasks) => Some(tasks.values()),
            _ => None,
        }
        .into_iter()
        .flatten()
    }
}
