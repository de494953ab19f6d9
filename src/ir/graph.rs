//! The task graph as it is drawn: tasks as nodes, loops, conditions, exit handlers and
//! sub-pipelines as frames around the tasks inside, edges between the tasks of one frame.

use super::view::{Artifact, Body, Component, Executor, Parameter, Pipeline, Source, Task};
use super::wiring::{self, Environment};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A container.
    Task,
    /// An importer.
    Importer,
    /// A frame: repeated for items.
    Loop,
    /// A frame: runs under a condition.
    Condition,
    /// A frame around the branches of if / elif / else.
    Branches,
    /// A frame whose end, good or bad, starts an exit task.
    ExitHandler,
    /// A frame: a pipeline used as a component.
    Pipeline,
    /// Something newer.
    Unknown,
}

impl NodeKind {
    /// Whether other nodes stand inside.
    #[must_use]
    pub const fn is_frame(self) -> bool {
        matches!(
            self,
            Self::Loop | Self::Condition | Self::Branches | Self::ExitHandler | Self::Pipeline
        )
    }
}

/// How a node or edge differs from the version before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Only after.
    Added,
    /// Only before.
    Removed,
    /// In both, but not the same.
    Changed,
    /// In both, the same under another name.
    Renamed,
}

/// A task or frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// Its place in [`Graph::nodes`].
    pub id: usize,
    /// Names of the tasks around it and its own, joined by `/`.
    pub path: String,
    /// Its key in the DAG.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it stands for.
    pub kind: NodeKind,
    /// The frame around it.
    pub parent: Option<usize>,
    /// The condition or the items of a frame.
    pub detail: Option<String>,
    /// The image of a task.
    pub image: Option<String>,
    /// Inputs with their sources.
    pub inputs: Vec<(String, String)>,
    /// Outputs with their types.
    pub outputs: Vec<(String, String)>,
    /// Whether results may come from the cache.
    pub caching: bool,
    /// How it differs, in the picture of a difference.
    pub mark: Option<Mark>,
}

/// One waits for the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// The node that is waited for.
    pub from: usize,
    /// The node that waits.
    pub to: usize,
    /// The outputs that are passed; empty for plain order.
    pub outputs: Vec<String>,
    /// How it differs, in the picture of a difference.
    pub mark: Option<Mark>,
}

/// A pipeline's tasks and how they wait for each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    /// Nodes, each frame before what is inside.
    pub nodes: Vec<Node>,
    /// Edges between nodes of one frame.
    pub edges: Vec<Edge>,
    /// Whether tasks were left out, because there are more than asked for or a component uses itself.
    pub truncated: bool,
}

/// Deepest frame that is opened. Compiled pipelines stay far below; a circle does not end.
const DEPTH: usize = 32;

impl Graph {
    /// Draws a pipeline with at most `most` nodes.
    #[must_use]
    pub fn of(pipeline: &Pipeline<'_>, most: usize) -> Self {
        let mut graph = Self::default();
        let mut frames = Vec::new();
        graph.open(
            pipeline,
            &pipeline.root,
            None,
            &Environment::new(),
            &mut frames,
            most,
        );
        graph
    }

    /// The number of nodes that are no frames.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.nodes.iter().filter(|node| !node.kind.is_frame()).count()
    }

    /// The node with this path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.path == path)
    }

    fn open<'a>(
        &mut self,
        pipeline: &Pipeline<'a>,
        component: &Component<'a>,
        parent: Option<usize>,
        environment: &Environment,
        frames: &mut Vec<&'a str>,
        most: usize,
    ) {
        let Body::Dag(tasks) = &component.body else { return };
        let mut ids = BTreeMap::new();
        for task in tasks.values() {
            if self.nodes.len() >= most {
                self.truncated = true;
                break;
            }
            ids.insert(task.name, self.add(pipeline, task, parent, environment));
        }
        for task in tasks.values() {
            let Some(&to) = ids.get(task.name) else { continue };
            for dependency in &task.dependencies {
                if let Some(&from) = ids.get(dependency) {
                    self.edges.push(Edge {
                        from,
                        to,
                        outputs: passed(task, dependency),
                        mark: None,
                    });
                }
            }
        }
        for task in tasks.values() {
            let (Some(&id), Some((name, inner))) = (
                ids.get(task.name),
                pipeline.components.get_key_value(task.component),
            ) else {
                continue;
            };
            if !matches!(inner.body, Body::Dag(_)) {
                continue;
            }
            if frames.len() >= DEPTH || frames.contains(name) {
                self.truncated = true;
                continue;
            }
            frames.push(name);
            self.open(
                pipeline,
                inner,
                Some(id),
                &wiring::inside(task, environment),
                frames,
                most,
            );
            frames.pop();
        }
    }

    fn add(
        &mut self,
        pipeline: &Pipeline<'_>,
        task: &Task<'_>,
        parent: Option<usize>,
        around: &Environment,
    ) -> usize {
        let id = self.nodes.len();
        let component = pipeline.component_of(task);
        let kind = kind(pipeline, task, component);
        let path = match parent {
            Some(parent) => format!("{}/{}", self.nodes[parent].path, task.name),
            None => task.name.to_owned(),
        };
        self.nodes.push(Node {
            id,
            path,
            name: task.name.to_owned(),
            label: task.label.to_owned(),
            kind,
            parent,
            detail: match kind {
                NodeKind::Loop => wiring::items(task, around),
                _ => wiring::condition(task, around),
            },
            image: pipeline
                .container_of(task)
                .map(|container| container.image.to_owned()),
            inputs: task
                .inputs
                .iter()
                .map(|input| {
                    (
                        wiring::plain(input.name).to_owned(),
                        wiring::describe(input, around),
                    )
                })
                .collect(),
            outputs: component.map(outputs).unwrap_or_default(),
            caching: task.caching,
            mark: None,
        });
        id
    }
}

fn kind(pipeline: &Pipeline<'_>, task: &Task<'_>, component: Option<&Component<'_>>) -> NodeKind {
    match component.map(|component| &component.body) {
        Some(Body::Dag(_)) if task.iterator.is_some() => NodeKind::Loop,
        Some(Body::Dag(_)) if task.condition.is_some() => NodeKind::Condition,
        Some(Body::Dag(_)) if task.name.starts_with("condition-branches-") => NodeKind::Branches,
        Some(Body::Dag(_)) if task.name.starts_with("exit-handler-") => NodeKind::ExitHandler,
        Some(Body::Dag(_)) => NodeKind::Pipeline,
        _ => match pipeline.executor_of(task) {
            Some(Executor::Container(_)) => NodeKind::Task,
            Some(Executor::Importer(_)) => NodeKind::Importer,
            _ => NodeKind::Unknown,
        },
    }
}

fn outputs(component: &Component<'_>) -> Vec<(String, String)> {
    let parameters = component
        .output_parameters
        .iter()
        .map(|parameter: &Parameter<'_>| {
            (
                wiring::plain(parameter.name).to_owned(),
                parameter.python_type().to_owned(),
            )
        });
    let artifacts = component.output_artifacts.iter().map(|artifact: &Artifact<'_>| {
        let kind = if artifact.list {
            format!("list of {}", artifact.kind)
        } else {
            artifact.kind.to_owned()
        };
        (wiring::plain(artifact.name).to_owned(), kind)
    });
    parameters.chain(artifacts).collect()
}

/// The outputs of `producer` that `task` takes.
fn passed(task: &Task<'_>, producer: &str) -> Vec<String> {
    let mut outputs: Vec<String> = task
        .inputs
        .iter()
        .filter_map(|input| match input.source {
            Source::Output { task, key } if task == producer => Some(wiring::plain(key).to_owned()),
            _ => None,
        })
        .collect();
    outputs.sort();
    outputs.dedup();
    outputs
}
