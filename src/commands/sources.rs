//! A pipeline that a command line names: a Python file, or a compiled one.

use super::engine;
use super::found::TimedCompiled;
use crate::cli::Global;
use crate::compile::Compiled;
use crate::discover::discover;
use crate::error::{Failure, Phase};
use crate::ir::{Spec, SpecError};
use crate::kfp::embedded::package;
use crate::kfp::embedded::yaml::{self, Document};
use crate::report::Report;
use crate::settings::Settings;
use crate::settings::merge;
use serde_json::{Map, Value};
use std::path::Path;

/// One pipeline of a file.
pub struct Loaded {
    /// Its name in the spec, or empty.
    pub name: String,
    /// The file as it was named.
    pub file: String,
    /// The Python function, for a Python file.
    pub function: Option<String>,
    /// The spec, or what stands in its place and why that is none.
    pub spec: Result<Spec, (Value, SpecError)>,
}

/// Reads or compiles a file. Files that fail go into the report.
///
/// # Errors
/// When the file cannot be read, or holds nothing that could be a pipeline.
pub async fn load(
    settings: &Settings,
    global: &Global,
    path: &Path,
    report: &mut Report,
) -> Result<Vec<Loaded>, Failure> {
    let file = path.display().to_string();
    if path.extension().is_some_and(|extension| extension == "py") {
        return compile(settings, global, path, report).await;
    }
    let bytes = std::fs::read(settings.working_directory.join(path)).map_err(|error| {
        Failure::usage(Phase::Discover, format!("cannot be read: {error}"))
            .file(&file)
            .hint("name a pipeline's Python file, or a compiled pipeline")
    })?;
    let value = document(&file, bytes)?;
    let spec = Spec::from_server(&value).map_err(|error| (value, error));
    let name = spec.as_ref().map(name_of).unwrap_or_default();
    Ok(vec![Loaded {
        name,
        file,
        function: None,
        spec,
    }])
}

async fn compile(
    settings: &Settings,
    global: &Global,
    path: &Path,
    report: &mut Report,
) -> Result<Vec<Loaded>, Failure> {
    let own = merge::merge(global, &[path.to_owned()], settings.environment.clone())?;
    let discovered = discover(&own)?;
    let result = engine::compile(&own, &discovered, None, false).await;
    let compiled = engine::take(&own, report, &discovered, result);
    Ok(compiled
        .into_iter()
        .map(
            |TimedCompiled {
                 compiled, warnings, ..
             }| {
                report.warnings.extend(warnings);
                let Compiled {
                    name,
                    function,
                    spec,
                    source,
                    ..
                } = compiled;
                Loaded {
                    name: name.as_str().to_owned(),
                    file: source.path.as_str().to_owned(),
                    function: Some(function),
                    spec: Ok(spec),
                }
            },
        )
        .collect())
}

/// The documents of a compiled file in the form in which servers give them back, read as servers read
/// them: numbers and texts come out as they would be stored.
fn document(file: &str, bytes: Vec<u8>) -> Result<Value, Failure> {
    let refuse = |why: String| {
        Failure::usage(Phase::Discover, why)
            .file(file)
            .hint("name a pipeline's Python file, or what `kfp-gitops compile -o` or `kfp dsl compile` wrote")
    };
    let known = ["yaml", "yml", "json", "zip", "gz", "tgz"];
    let extension = Path::new(file)
        .extension()
        .and_then(|extension| extension.to_str());
    if !extension.is_some_and(|extension| known.contains(&extension)) {
        return Err(refuse("its name says neither Python, YAML nor JSON".to_owned()));
    }
    let bytes = package::spec_bytes(file, bytes).map_err(|error| refuse(error.to_string()))?;
    let documents = yaml::documents(&bytes).map_err(|error| refuse(format!("not YAML: {error}")))?;
    let mut mappings = documents.into_iter().filter_map(|document| match document {
        Document::Mapping(mapping) => Some(mapping),
        Document::Other => None,
    });
    let mut pipeline: Option<Map<String, Value>> = None;
    let mut platform: Option<Map<String, Value>> = None;
    for mapping in &mut mappings {
        let place = if mapping.contains_key("platforms") {
            &mut platform
        } else {
            &mut pipeline
        };
        if place.replace(mapping).is_some() {
            return Err(refuse("it holds more than one pipeline".to_owned()));
        }
    }
    match (pipeline, platform) {
        (Some(pipeline), None) => Ok(Value::Object(pipeline)),
        (Some(pipeline), Some(platform)) => Ok(serde_json::json!({
            "pipeline_spec": pipeline,
            "platform_spec": platform,
        })),
        (None, _) => Err(refuse("it holds no pipeline".to_owned())),
    }
}

fn name_of(spec: &Spec) -> String {
    serde_json::from_str::<Value>(spec.pipeline_text())
        .ok()
        .and_then(|value| {
            value
                .pointer("/pipelineInfo/name")
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Value, Failure> {
        document(name, text.as_bytes().to_vec())
    }

    #[test]
    fn documents_are_told_apart() {
        let value = read(
            "a.yaml",
            "root: {}\npipelineInfo: {name: a}\n---\nplatforms: {kubernetes: {}}\n",
        )
        .unwrap();
        assert_eq!(value["pipeline_spec"]["pipelineInfo"]["name"], "a");
        assert!(value["platform_spec"]["platforms"].is_object());
        assert!(Spec::from_server(&value).is_ok());
        let json = read("a.json", "{\"pipelineInfo\": {\"name\": \"b\"}}").unwrap();
        assert_eq!(name_of(&Spec::from_server(&json).unwrap()), "b");
    }

    #[test]
    fn what_is_no_pipeline_is_said() {
        for (name, text, why) in [
            ("a.txt", "x", "neither Python"),
            ("a.yaml", "a: [", "not YAML"),
            ("a.yaml", "", "no pipeline"),
            ("a.yaml", "- 1\n", "no pipeline"),
            ("a.yaml", "root: {}\n---\nroot: {}\n", "more than one"),
            ("a.tgz", "x", "Unexpected pipeline file format"),
        ] {
            let failure = read(name, text).unwrap_err();
            assert!(failure.message.contains(why), "{name} {text}: {failure}");
        }
        let workflow = read(
            "a.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {}\n",
        )
        .unwrap();
        assert_eq!(Spec::from_server(&workflow), Err(SpecError::V1Workflow));
    }
}
