//! What goes into pipelines and components and comes out of them.

use super::Classifier;
use super::change::{change, task_or_component, text_of, verb, with_values};
use crate::ir::view::{Artifact, Parameter};
use crate::ir::wiring::{self, CHANNEL};
use crate::plan::diff::edits::Edit;
use crate::plan::diff::structure::{ROOT, Structure};
use crate::plan::diff::{Aspect, Class, Subject, Verb, text};
use serde_json::Value;

impl Classifier<'_, '_> {
    pub(super) fn pipeline_input(&mut self, group: &str, name: &str, rest: &[&str], edit: &Edit<'_>) {
        let describe = |structure: &Structure<'_>| match group {
            "parameters" => structure
                .view
                .root
                .parameters
                .iter()
                .find(|one| one.name == name)
                .map(parameter_text),
            _ => structure
                .view
                .root
                .artifacts
                .iter()
                .find(|one| one.name == name)
                .map(artifact_text),
        };
        let is_optional = |structure: &Structure<'_>| {
            let parameter = structure
                .view
                .root
                .parameters
                .iter()
                .find(|one| group == "parameters" && one.name == name);
            let artifact = structure
                .view
                .root
                .artifacts
                .iter()
                .find(|one| group == "artifacts" && one.name == name);
            parameter.is_some_and(|one| one.optional || one.default.is_some())
                || artifact.is_some_and(|one| one.optional)
        };
        let (was_optional, optional) = (is_optional(self.old), is_optional(self.new));
        let verb = verb(edit.before.is_some(), edit.after.is_some());
        let (class, aspect) = match (rest.first().copied(), verb) {
            (None, Verb::Added) if optional => (Class::Behaviour, Aspect::Itself),
            (None, _) => (Class::Interface, Aspect::Itself),
            (Some("parameterType" | "type" | "artifactType" | "isArtifactList"), _) => {
                (Class::Interface, Aspect::Type)
            }
            (Some("isOptional" | "defaultValue"), _) if was_optional && !optional => {
                (Class::Interface, Aspect::Required)
            }
            (Some("isOptional" | "defaultValue"), _) if was_optional != optional => {
                (Class::Behaviour, Aspect::Required)
            }
            (Some("isOptional" | "defaultValue"), _) => (Class::Behaviour, Aspect::Default),
            (Some("literals"), _) => {
                let list =
                    |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
                let (old, new) = (list(edit.before), list(edit.after));
                let narrower =
                    (old.is_empty() || old.iter().any(|value| !new.contains(value))) && !new.is_empty();
                (
                    if narrower {
                        Class::Interface
                    } else {
                        Class::Behaviour
                    },
                    Aspect::AllowedValues,
                )
            }
            (Some("description"), _) => (Class::Cosmetic, Aspect::Description),
            (Some(_), _) => return self.other(Subject::Input(name.to_owned()), edit),
        };
        let mut change = change(class, Subject::Input(name.to_owned()), aspect, verb);
        match aspect {
            Aspect::Itself | Aspect::Type | Aspect::Required => {
                if rest.is_empty() {
                    change.before = edit.before.and(describe(self.old));
                    change.after = edit.after.and(describe(self.new));
                } else {
                    change.verb = Verb::Changed;
                    change.before = describe(self.old);
                    change.after = describe(self.new);
                }
                self.push(change, edit);
            }
            Aspect::Description => {
                let (before, after) = (
                    text_of(edit.before).unwrap_or_default(),
                    text_of(edit.after).unwrap_or_default(),
                );
                let (before, after) = text::pair(before, after);
                change.before = Some(before).filter(|text| !text.is_empty());
                change.after = Some(after).filter(|text| !text.is_empty());
                self.push(change, edit);
            }
            _ => self.push(with_values(change, edit.before, edit.after), edit),
        }
    }

    pub(super) fn pipeline_output(&mut self, group: &str, name: &str, rest: &[&str], edit: &Edit<'_>) {
        let describe = |structure: &Structure<'_>| match group {
            "parameters" => structure
                .view
                .root
                .output_parameters
                .iter()
                .find(|one| one.name == name)
                .map(parameter_text),
            _ => structure
                .view
                .root
                .output_artifacts
                .iter()
                .find(|one| one.name == name)
                .map(artifact_text),
        };
        let verb = verb(edit.before.is_some(), edit.after.is_some());
        let (class, aspect) = match (rest.first().copied(), verb) {
            (None, Verb::Added) => (Class::Behaviour, Aspect::Itself),
            (None, _) => (Class::Interface, Aspect::Itself),
            (Some("description"), _) => (Class::Cosmetic, Aspect::Description),
            (Some("properties" | "customProperties" | "metadata"), _) => (Class::Behaviour, Aspect::Other),
            (Some(_), _) => (Class::Interface, Aspect::Type),
        };
        let mut change = change(
            class,
            Subject::Output(name.to_owned()),
            aspect,
            if rest.is_empty() { verb } else { Verb::Changed },
        );
        if matches!(aspect, Aspect::Itself | Aspect::Type) {
            change.before = describe(self.old);
            change.after = describe(self.new);
        } else {
            change = with_values(change, edit.before, edit.after);
        }
        self.push(change, edit);
    }

    /// What a component inside declares.
    pub(super) fn declaration(&mut self, component: &str, name: &str, rest: &[&str], edit: &Edit<'_>) {
        if name.starts_with(CHANNEL) {
            return self.wiring(edit);
        }
        let subject = task_or_component(self.owner(component), component);
        let description = rest == ["description"];
        let (class, aspect) = if description {
            (Class::Cosmetic, Aspect::Description)
        } else {
            (Class::Behaviour, Aspect::Declaration)
        };
        let mut change = change(
            class,
            subject,
            aspect,
            verb(edit.before.is_some(), edit.after.is_some()),
        );
        if !rest.is_empty() {
            change.verb = Verb::Changed;
        }
        change.name = Some(name.to_owned());
        if description {
            change = with_values(change, edit.before, edit.after);
        } else {
            let describe = |structure: &Structure<'_>| {
                let component = structure.component(component)?;
                let parameters = component.parameters.iter().chain(&component.output_parameters);
                let artifacts = component.artifacts.iter().chain(&component.output_artifacts);
                parameters
                    .filter(|one| one.name == name)
                    .map(parameter_text)
                    .chain(artifacts.filter(|one| one.name == name).map(artifact_text))
                    .next()
            };
            change.before = describe(self.old);
            change.after = describe(self.new);
        }
        self.push(change, edit);
    }

    pub(super) fn output_source(&mut self, component: &str, name: &str, edit: &Edit<'_>) {
        let same = match (edit.before, edit.after) {
            // The same output of a frame that only the compiler names.
            (Some(before), Some(after)) => self.replumb_equals(before, after),
            _ => component != ROOT && name.starts_with(CHANNEL),
        };
        if same {
            return self.wiring(edit);
        }
        let subject = if component == ROOT {
            Subject::Output(name.to_owned())
        } else {
            task_or_component(self.owner(component), component)
        };
        let mut change = change(
            Class::Behaviour,
            subject,
            Aspect::OutputSource,
            verb(edit.before.is_some(), edit.after.is_some()),
        );
        change.name = Some(wiring::plain(name).to_owned());
        self.push(with_values(change, edit.before, edit.after), edit);
    }
}

fn parameter_text(parameter: &Parameter<'_>) -> String {
    let mut out = if parameter.kind.is_empty() {
        "untyped".to_owned()
    } else {
        parameter.python_type().to_owned()
    };
    match (parameter.default, parameter.optional) {
        (Some(default), _) => {
            out.push_str(", default ");
            out.push_str(&text::value(default));
        }
        (None, true) => out.push_str(", optional"),
        (None, false) => out.push_str(", required"),
    }
    out
}

fn artifact_text(artifact: &Artifact<'_>) -> String {
    let mut out = if artifact.list {
        format!("list of {}", artifact.kind)
    } else {
        artifact.kind.to_owned()
    };
    if artifact.optional {
        out.push_str(", optional");
    }
    out
}
