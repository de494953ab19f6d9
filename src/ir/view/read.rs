//! Reads the view out of the documents, leniently: what is missing or of another type is absent.

use super::{Artifact, Body, Component, Container, Executor, Input, Iterator, Parameter, Source, Task};
use crate::ir::command::lightweight;
use serde_json::{Map, Value};

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// A count, which protobuf's JSON may write as a number or as text.
fn count(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::String(text)) => text.parse().unwrap_or_default(),
        Some(value) => value.as_u64().unwrap_or_default(),
        None => 0,
    }
}

pub(super) fn entries(value: Option<&Value>) -> impl std::iter::Iterator<Item = (&str, &Value)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
        .map(|(name, value)| (name.as_str(), value))
}

pub(super) fn component(value: &Value) -> Component<'_> {
    let (inputs, outputs) = (value.get("inputDefinitions"), value.get("outputDefinitions"));
    Component {
        parameters: parameters(inputs),
        artifacts: artifacts(inputs),
        output_parameters: parameters(outputs),
        output_artifacts: artifacts(outputs),
        body: match (
            value.get("dag"),
            value.get("executorLabel").and_then(Value::as_str),
        ) {
            (Some(dag), _) => Body::Dag(
                entries(dag.get("tasks"))
                    .map(|(name, value)| (name, task(name, value)))
                    .collect(),
            ),
            (None, Some(label)) => Body::Executor(label),
            (None, None) => Body::Unknown,
        },
    }
}

fn parameters(definitions: Option<&Value>) -> Vec<Parameter<'_>> {
    entries(definitions.and_then(|value| value.get("parameters")))
        .map(|(name, value)| Parameter {
            name,
            kind: match text(value, "parameterType") {
                "" => text(value, "type"),
                kind => kind,
            },
            default: value.get("defaultValue"),
            optional: flag(value, "isOptional"),
            description: text(value, "description"),
            literals: value
                .get("literals")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default(),
        })
        .collect()
}

fn artifacts(definitions: Option<&Value>) -> Vec<Artifact<'_>> {
    entries(definitions.and_then(|value| value.get("artifacts")))
        .map(|(name, value)| Artifact {
            name,
            kind: value
                .get("artifactType")
                .map(|kind| text(kind, "schemaTitle"))
                .unwrap_or_default(),
            list: flag(value, "isArtifactList"),
            optional: flag(value, "isOptional"),
            description: text(value, "description"),
        })
        .collect()
}

fn task<'a>(name: &'a str, value: &'a Value) -> Task<'a> {
    let inputs: Vec<Input<'_>> = ["parameters", "artifacts"]
        .into_iter()
        .flat_map(|group| {
            entries(value.get("inputs").and_then(|inputs| inputs.get(group))).map(move |(name, value)| {
                Input {
                    name,
                    artifact: group == "artifacts",
                    source: source(value),
                    selector: text(value, "parameterExpressionSelector"),
                }
            })
        })
        .collect();
    let explicit = value
        .get("dependentTasks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let producers = inputs.iter().filter_map(|input| match input.source {
        Source::Output { task, .. } | Source::FinalStatus(task) => Some(task),
        _ => None,
    });
    let policy = value.get("triggerPolicy").unwrap_or(&Value::Null);
    Task {
        name,
        label: match value.get("taskInfo").map(|info| text(info, "name")) {
            None | Some("") => name,
            Some(label) => label,
        },
        component: value
            .get("componentRef")
            .map(|reference| text(reference, "name"))
            .unwrap_or_default(),
        dependencies: explicit.filter_map(Value::as_str).chain(producers).collect(),
        caching: value
            .get("cachingOptions")
            .is_some_and(|options| flag(options, "enableCache")),
        condition: policy
            .get("condition")
            .and_then(Value::as_str)
            .filter(|condition| !condition.is_empty()),
        runs_after_failure: text(policy, "strategy") == "ALL_UPSTREAM_TASKS_COMPLETED",
        iterator: iterator(value),
        item: ["/parameterIterator", "/artifactIterator"]
            .into_iter()
            .find_map(|pointer| value.pointer(pointer))
            .map(|iterator| text(iterator, "itemInput"))
            .unwrap_or_default(),
        parallelism: count(value.pointer("/iteratorPolicy/parallelismLimit")),
        retries: count(value.pointer("/retryPolicy/maxRetryCount")),
        inputs,
    }
}

fn iterator(task: &Value) -> Option<Iterator<'_>> {
    if let Some(items) = task.pointer("/parameterIterator/items") {
        return Some(match items.get("raw").and_then(Value::as_str) {
            Some(raw) => Iterator::Raw(raw),
            None => Iterator::Parameter(text(items, "inputParameter")),
        });
    }
    task.pointer("/artifactIterator/items")
        .map(|items| Iterator::Artifact(text(items, "inputArtifact")))
}

fn source(value: &Value) -> Source<'_> {
    if let Some(name) = ["componentInputParameter", "componentInputArtifact"]
        .into_iter()
        .find_map(|field| value.get(field).and_then(Value::as_str))
    {
        return Source::ComponentInput(name);
    }
    if let Some(output) = value.get("taskOutputParameter") {
        return Source::Output {
            task: text(output, "producerTask"),
            key: text(output, "outputParameterKey"),
        };
    }
    if let Some(output) = value.get("taskOutputArtifact") {
        return Source::Output {
            task: text(output, "producerTask"),
            key: text(output, "outputArtifactKey"),
        };
    }
    if let Some(constant) = value.pointer("/runtimeValue/constant") {
        return Source::Constant(constant);
    }
    match value.get("taskFinalStatus") {
        Some(status) => Source::FinalStatus(text(status, "producerTask")),
        None => Source::Unknown(value),
    }
}

pub(super) fn executor(value: &Value) -> Executor<'_> {
    if let Some(container) = value.get("container") {
        return Executor::Container(Container {
            image: text(container, "image"),
            command: container.get("command"),
            args: container.get("args"),
            python: container.get("command").and_then(lightweight),
            env: container
                .get("env")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|variable| (text(variable, "name"), text(variable, "value")))
                .collect(),
            resources: container.get("resources"),
        });
    }
    match value.get("importer") {
        Some(importer) => Executor::Importer(importer),
        None => Executor::Unknown(value),
    }
}
