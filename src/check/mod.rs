//! What a server would refuse, or a run would choke on, told from the compiled pipeline alone. Pure: no
//! server and no network.

mod features;
mod parameters;
mod sizes;

#[cfg(test)]
mod tests;

use crate::compile::Compiled;
use crate::error::{Failure, Phase};
use crate::ir::{canonical, names};
use semver::Version;

/// What was found out about one pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// It cannot be deployed, or no run of it can start.
    pub errors: Vec<Failure>,
    /// It may bite.
    pub warnings: Vec<String>,
    /// Worth knowing: which servers it can go to.
    pub notes: Vec<String>,
}

/// Checks a compiled pipeline, for a server of that version where it is given.
#[must_use]
pub fn check(compiled: &Compiled, server: Option<&Version>) -> Findings {
    let mut findings = Findings::default();
    if let Err(error) = names::check_spec_name(compiled.name.as_str()) {
        findings.errors.push(
            Failure::failed(Phase::Plan, error.to_string())
                .hint("give it another name: `@dsl.pipeline(name=…)`"),
        );
    }
    features::check(&compiled.spec, server, &mut findings);
    sizes::check(&compiled.spec, server, &mut findings);
    match canonical(&compiled.spec) {
        Ok(form) => parameters::check(&crate::ir::Pipeline::of(&form), &mut findings),
        Err(error) => findings
            .errors
            .push(Failure::internal(Phase::Plan, error.to_string())),
    }
    for failure in &mut findings.errors {
        failure
            .file
            .get_or_insert_with(|| compiled.source.path.as_str().to_owned());
    }
    findings
}

/// A number with its thousands apart, as people read bytes.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
