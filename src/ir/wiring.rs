//! Where values come from, followed through the inputs that the compiler adds.
//!
//! Inside a loop, a condition or an exit handler a value arrives under a made-up name
//! (`pipelinechannel--flip-Output`). People wrote `flip.Output`; so that is what they are shown.

use super::view::{Body, Input, Iterator, Pipeline, Source, Task};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The prefix of names that the compiler makes up.
pub const CHANNEL: &str = "pipelinechannel--";

/// Longest text that a source is described with, in characters.
const SHOWN: usize = 200;

/// For comparing instead of showing.
const WHOLE: usize = usize::MAX;

/// What a component's inputs hold, by name.
pub type Environment = BTreeMap<String, String>;

/// What the inputs of the component behind `task` hold, given those of the component around it.
#[must_use]
pub fn inside(task: &Task<'_>, around: &Environment) -> Environment {
    // Short, because values are handed down from frame to frame.
    let mut environment: Environment = task
        .inputs
        .iter()
        .map(|input| (input.name.to_owned(), describe(input, around)))
        .collect();
    if let Some(items) = items(task, around)
        && !task.item.is_empty()
    {
        environment.insert(task.item.to_owned(), format!("item of {items}"));
    }
    environment
}

/// The items that a task is repeated for.
#[must_use]
pub fn items(task: &Task<'_>, around: &Environment) -> Option<String> {
    Some(match task.iterator? {
        Iterator::Raw(raw) => short(raw),
        Iterator::Parameter(name) | Iterator::Artifact(name) => {
            match task.inputs.iter().find(|input| input.name == name) {
                Some(input) => describe(input, around),
                None => plain(name).to_owned(),
            }
        }
    })
}

/// The condition with the sources of its values in their places.
#[must_use]
pub fn condition(task: &Task<'_>, around: &Environment) -> Option<String> {
    whole_condition(task, around).map(|condition| short(&condition))
}

/// The condition as [`condition`] gives it, uncut.
#[must_use]
pub fn whole_condition(task: &Task<'_>, around: &Environment) -> Option<String> {
    let environment = inside(task, around);
    task.condition.map(|condition| in_text(condition, &environment))
}

/// Where an input comes from as [`describe`] says, with constants uncut.
#[must_use]
pub fn whole_source(input: &Input<'_>, around: &Environment) -> String {
    describe_within(input, around, WHOLE)
}

/// Where an input comes from: `rows`, `score.Output`, `"text"`, `item of rows`.
#[must_use]
pub fn describe(input: &Input<'_>, around: &Environment) -> String {
    describe_within(input, around, SHOWN)
}

fn describe_within(input: &Input<'_>, around: &Environment, most: usize) -> String {
    let from = match input.source {
        Source::Constant(value) => constant(value, around, most),
        Source::ComponentInput(name) => around
            .get(name)
            .cloned()
            .unwrap_or_else(|| plain(name).to_owned()),
        Source::Output { task, key } => format!("{task}.{}", plain(key)),
        Source::FinalStatus(task) => format!("final status of {task}"),
        Source::Unknown(value) => cut(&value.to_string(), most),
    };
    match input.selector {
        "" => from,
        selector => {
            let key = selector
                .strip_prefix("parseJson(string_value)")
                .unwrap_or(selector);
            cut(&format!("{from}{key}"), most)
        }
    }
}

/// A name without the compiler's prefix.
#[must_use]
pub fn plain(name: &str) -> &str {
    name.strip_prefix(CHANNEL).unwrap_or(name)
}

/// A constant as JSON, with placeholders in texts resolved.
fn constant(value: &Value, around: &Environment, most: usize) -> String {
    match value {
        Value::String(text) => {
            let text = cut(text, most.saturating_mul(4));
            cut(&Value::from(in_text(&text, around)).to_string(), most)
        }
        other => cut(&other.to_string(), most),
    }
}

/// Replaces `inputs.parameter_values['x']` and `{{$.inputs.parameters['x']}}` by what `x` holds.
fn in_text(text: &str, environment: &Environment) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    'text: while !rest.is_empty() {
        for (before, after, open, close) in [
            ("inputs.parameter_values['", "']", "", ""),
            ("{{$.inputs.parameters['", "']}}", "{", "}"),
        ] {
            if let Some(inner) = rest.strip_prefix(before)
                && let Some(end) = inner.find(after)
            {
                let name = &inner[..end];
                out.push_str(open);
                out.push_str(environment.get(name).map_or(plain(name), String::as_str));
                out.push_str(close);
                rest = &inner[end + after.len()..];
                continue 'text;
            }
        }
        let next = rest
            .char_indices()
            .skip(1)
            .find(|(_, character)| matches!(character, 'i' | '{'))
            .map_or(rest.len(), |(at, _)| at);
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    out
}

fn short(text: &str) -> String {
    cut(text, SHOWN)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The environment of every component with tasks, as its first user gives it. The root's inputs
/// hold themselves.
#[must_use]
pub fn environments<'a>(pipeline: &Pipeline<'a>) -> BTreeMap<&'a str, Environment> {
    let mut environments = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(&pipeline.root, Environment::new())];
    while let Some((component, around)) = waiting.pop() {
        for task in component.tasks() {
            if let Some(inner) = pipeline.component_of(task)
                && matches!(inner.body, Body::Dag(_))
                && seen.insert(task.component)
            {
                let environment = inside(task, &around);
                let name = pipeline
                    .components
                    .get_key_value(task.component)
                    .map(|(name, _)| *name);
                if let Some(name) = name {
                    environments.insert(name, environment.clone());
                }
                waiting.push((inner, environment));
            }
        }
    }
    environments
}
