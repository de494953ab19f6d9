//! Parameters of the pipeline: defaults that do not fit, and what every run has to give.

use super::Findings;
use crate::ir::Pipeline;
use crate::ir::view::Parameter;
use serde_json::Value;

pub(super) fn check(pipeline: &Pipeline<'_>, findings: &mut Findings) {
    for parameter in &pipeline.root.parameters {
        let Some(default) = parameter.default else {
            continue;
        };
        let name = parameter.name;
        if !fits(parameter.kind, default) {
            findings.warnings.push(format!(
                "the default of the parameter `{name}` is {}, which does not fit its type {}: a run that does \
                 not set it fails",
                shown(default),
                parameter.kind
            ));
        } else if !parameter.literals.is_empty() && !parameter.literals.contains(default) {
            findings.warnings.push(format!(
                "the default of the parameter `{name}` is {}, which is none of its allowed values",
                shown(default)
            ));
        }
    }
    let required: Vec<String> = pipeline
        .root
        .parameters
        .iter()
        .filter(|parameter| is_required(parameter))
        .map(|parameter| format!("`{}`", parameter.name))
        .collect();
    if !required.is_empty() {
        findings
            .notes
            .push(format!("every run has to set {}", required.join(", ")));
    }
}

fn is_required(parameter: &Parameter<'_>) -> bool {
    parameter.default.is_none() && !parameter.optional
}

/// Whether a server would take the value; types that are newer than this program take anything.
fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "STRING" => value.is_string(),
        "NUMBER_INTEGER" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "NUMBER_DOUBLE" => value.is_number(),
        "BOOLEAN" => value.is_boolean(),
        "LIST" => value.is_array(),
        "STRUCT" => value.is_object(),
        _ => true,
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
