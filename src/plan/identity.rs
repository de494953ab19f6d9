//! Which pipeline on the server is this one?
//!
//! The name in the configuration; else an exact match of the spec's name, of the file's stem, or of
//! `stem.yaml`, because the workflows people come from uploaded under those. One match is adopted, two
//! are refused. Names are compared as the server compares them: without case (2.17.0 recording,
//! `pipeline_create_upper`).

use super::{RemotePipeline, naming};
use crate::compile::Compiled;
use crate::error::{Failure, Phase};
use crate::ids::PipelineName;
use crate::ir::names;
use crate::settings::file::Pipeline;
use std::collections::{BTreeMap, HashMap};

/// What decides names.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// `naming.pipeline`.
    pub naming: String,
    /// The project, for templates.
    pub project: Option<String>,
    /// `pipelines` of the configuration, by name on the server.
    pub configured: BTreeMap<String, Pipeline>,
    /// The server keeps pipelines as Kubernetes objects, so names must be DNS names.
    pub kubernetes_store: bool,
}

/// How a pipeline on the server was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// By the name in the configuration.
    Configured,
    /// By the spec's name.
    Spec,
    /// By the file's stem, with or without `.yaml`.
    Stem,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// This one.
    Existing(Box<RemotePipeline>, Match),
    /// None yet.
    New {
        /// The name it gets.
        name: PipelineName,
        /// What people see, where the server's rules force another name.
        display_name: Option<String>,
    },
}

/// Names under which the server may hold a pipeline, in order of trust.
#[must_use]
pub fn candidates(compiled: &Compiled, rules: &Rules) -> Vec<(String, Match)> {
    if let Some(name) = configured_name(compiled, rules) {
        let mut names = vec![(name.to_owned(), Match::Configured)];
        if rules.kubernetes_store {
            names.push((names::to_dns_1123(name), Match::Configured));
        }
        return names;
    }
    let mut names = vec![(compiled.name.as_str().to_owned(), Match::Spec)];
    if let Ok(own) = naming::pipeline_name(
        &rules.naming,
        compiled.name.as_str(),
        compiled.source.path.stem(),
        rules.project.as_deref(),
    ) {
        names.push((own.as_str().to_owned(), Match::Spec));
        if rules.kubernetes_store {
            names.push((names::to_dns_1123(own.as_str()), Match::Spec));
        }
    }
    if !compiled.one_of_several {
        let stem = compiled.source.path.stem();
        names.push((stem.to_owned(), Match::Stem));
        names.push((format!("{stem}.yaml"), Match::Stem));
    }
    names
}

/// The configuration's name for a pipeline.
#[must_use]
pub fn configured_name<'a>(compiled: &Compiled, rules: &'a Rules) -> Option<&'a str> {
    rules
        .configured
        .iter()
        .filter(|(name, pipeline)| pipeline.applies_to(name, &compiled.source.path))
        .find(|(_, pipeline)| match &pipeline.function {
            Some(function) => *function == compiled.function,
            None => !compiled.one_of_several,
        })
        .map(|(name, _)| name.as_str())
}

/// The server's pipelines by name, as servers compare names: without case. A plan looks up some names for
/// each of its pipelines, which must not cost more the more there are.
#[derive(Debug, Default)]
pub struct ByName<'a>(HashMap<String, Vec<&'a RemotePipeline>>);

impl<'a> ByName<'a> {
    /// All of these.
    #[must_use]
    pub fn of(listing: &'a [RemotePipeline]) -> Self {
        let mut named: HashMap<String, Vec<&RemotePipeline>> = HashMap::with_capacity(listing.len());
        for pipeline in listing {
            named
                .entry(pipeline.name.as_str().to_lowercase())
                .or_default()
                .push(pipeline);
        }
        Self(named)
    }

    /// Those of one name, in the order of the listing.
    fn named(&self, name: &str) -> &[&'a RemotePipeline] {
        self.0.get(&name.to_lowercase()).map_or(&[], Vec::as_slice)
    }
}

/// Decides which of the server's pipelines this is.
///
/// # Errors
/// When two match (exit 2), or the name it would get is one that servers refuse (exit 1).
pub fn identify(compiled: &Compiled, listing: &ByName<'_>, rules: &Rules) -> Result<Identity, Failure> {
    let file = compiled.source.path.as_str();
    let mut matches: Vec<(&RemotePipeline, Match)> = Vec::new();
    for (name, how) in candidates(compiled, rules) {
        for pipeline in listing.named(&name) {
            if !matches.iter().any(|(seen, _)| seen.id == pipeline.id) {
                matches.push((pipeline, how));
            }
        }
    }
    match matches.as_slice() {
        [] => create(compiled, rules).map_err(|failure| failure.file(file)),
        [(pipeline, how)] => Ok(Identity::Existing(Box::new((*pipeline).clone()), *how)),
        [(first, _), (second, _), ..] => Err(Failure::usage(
            Phase::Plan,
            format!(
                "the server holds both `{}` and `{}`, either could be this pipeline",
                first.name, second.name
            ),
        )
        .file(file)
        .hint(format!(
            "say which in kfp-gitops.yaml: `pipelines: {{\"{}\": {{file: {file}}}}}`",
            first.name
        ))),
    }
}

fn create(compiled: &Compiled, rules: &Rules) -> Result<Identity, Failure> {
    let wanted = match configured_name(compiled, rules) {
        Some(name) => PipelineName::new(name),
        None => naming::pipeline_name(
            &rules.naming,
            compiled.name.as_str(),
            compiled.source.path.stem(),
            rules.project.as_deref(),
        )?,
    };
    let refused = |error: names::NameError| {
        Failure::failed(Phase::Plan, error.to_string())
            .hint("give another name: `@dsl.pipeline(name=…)`, or `pipelines: {NAME: {file: …}}` in kfp-gitops.yaml")
    };
    names::check_pipeline_name(wanted.as_str()).map_err(refused)?;
    if rules.kubernetes_store && !names::is_dns_1123_subdomain(wanted.as_str()) {
        let name = names::to_dns_1123(wanted.as_str());
        names::check_kubernetes_pipeline_name(&name).map_err(refused)?;
        return Ok(Identity::New {
            name: PipelineName::new(name),
            display_name: Some(wanted.as_str().to_owned()),
        });
    }
    Ok(Identity::New {
        name: wanted,
        display_name: None,
    })
}
