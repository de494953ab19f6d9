//! What a spec asks for that a server does not know, found before anything is written.
//!
//! A member the server's parser does not know makes it refuse a pipeline spec ("unknown template format",
//! a bare 500 before 2.17.0), and is dropped in silence from a platform spec. Members added before 2.14.0
//! are left to the server: what 2.0.5 makes of them is not recorded, and a wrong refusal helps nobody.

use super::model::Server;
use crate::error::{Failure, Phase};
use crate::ir::Spec;
use semver::Version;
use serde_json::{Map, Value};

/// Something a spec uses, and the first release whose server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// As people know it, with where it is used.
    pub what: String,
    /// The first release: major and minor.
    pub since: (u64, u64),
}

/// Members of the pipeline config (`kfp.dsl.PipelineConfig`), by the release that brought them.
const PIPELINE_CONFIG: [(&str, (u64, u64)); 5] = [
    ("workspace", (2, 14)),
    ("resourceTtlOnCompletion", (2, 17)),
    ("resourceTtlOnSuccess", (2, 17)),
    ("resourceTtlOnFailure", (2, 17)),
    ("activeDeadlineSeconds", (2, 17)),
];

/// What is looked for, and the first release that knows it; the README's table.
pub const TABLE: [(&str, (u64, u64)); 5] = [
    ("knows a workspace", (2, 14)),
    ("knows task configuration (`TASK_CONFIG`, passthroughs)", (2, 15)),
    ("knows importing into the workspace", (2, 15)),
    ("knows allowed values of parameters (`Literal`)", (2, 16)),
    ("knows `resource_ttl_…` and `active_deadline_seconds`", (2, 17)),
];

/// What the spec uses that the server does not know. Nothing where the server did not tell its version.
#[must_use]
pub fn unknown_to(spec: &Spec, server: &Server) -> Vec<Feature> {
    match &server.version {
        Some(version) if !server.probed => newer_than(spec, version),
        _ => Vec::new(),
    }
}

/// Why a server cannot take a pipeline, where the spec uses what that server does not know.
#[must_use]
pub fn refusal(name: &str, spec: &Spec, server: &Server, phase: Phase) -> Option<Failure> {
    let unknown = unknown_to(spec, server);
    let needed = unknown.iter().map(|feature| feature.since).max()?;
    let version = server.version.as_ref()?;
    let what: Vec<&str> = unknown.iter().map(|feature| feature.what.as_str()).collect();
    let text = format!(
        "server {version} does not know what `{name}` uses: {}",
        what.join(", ")
    );
    Some(Failure::failed(phase, text).hint(format!(
        "leave it out, or upgrade the server to {}.{} or newer",
        needed.0, needed.1
    )))
}

/// What the spec uses that came after a release.
#[must_use]
pub fn newer_than(spec: &Spec, version: &Version) -> Vec<Feature> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut found = Vec::new();
    // Most specs name none of them; looking for the words costs far less than parsing.
    let text = spec.pipeline_text();
    if ["literals", "askConfig", "TASK_CONFIG", "downloadToWorkspace"]
        .iter()
        .any(|word| text.contains(word))
    {
        pipeline_features(&parse(text), &mut found);
    }
    if let Some(text) = spec
        .platform_text()
        .filter(|text| text.contains("pipelineConfig"))
    {
        platform_features(&parse(text), &mut found);
    }
    found.retain(|feature| feature.since > (version.major, version.minor));
    found
}

fn pipeline_features(spec: &Value, found: &mut Vec<Feature>) {
    let mut add = |what: String, since| found.push(Feature { what, since });
    let components =
        members(&spec["components"]).map(|(name, component)| (format!("component `{name}`"), component));
    for (place, component) in components.chain([("the pipeline".to_owned(), &spec["root"])]) {
        for (name, parameter) in members(&component["inputDefinitions"]["parameters"]) {
            if parameter["literals"]
                .as_array()
                .is_some_and(|literals| !literals.is_empty())
            {
                add(
                    format!("allowed values (`Literal`) of parameter `{name}` of {place}"),
                    (2, 16),
                );
            }
            if parameter["parameterType"] == "TASK_CONFIG" {
                add(
                    format!("the task configuration parameter `{name}` of {place}"),
                    (2, 15),
                );
            }
        }
        if component["taskConfigPassthroughs"]
            .as_array()
            .is_some_and(|list| !list.is_empty())
        {
            add(format!("task configuration handed to {place}"), (2, 15));
        }
    }
    for (name, executor) in members(&spec["deploymentSpec"]["executors"]) {
        if executor["importer"]["downloadToWorkspace"] == true {
            add(format!("importing into the workspace (`{name}`)"), (2, 15));
        }
    }
}

fn platform_features(spec: &Value, found: &mut Vec<Feature>) {
    for (platform, settings) in members(&spec["platforms"]) {
        for (member, since) in PIPELINE_CONFIG {
            if settings["pipelineConfig"]
                .get(member)
                .is_some_and(|value| !value.is_null())
            {
                found.push(Feature {
                    what: format!("`{member}` of the pipeline config ({platform})"),
                    since,
                });
            }
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec() -> Spec {
        let pipeline = json!({
            "pipelineInfo": {"name": "literals"},
            "components": {"comp-a": {
                "inputDefinitions": {"parameters": {"mode": {"parameterType": "STRING", "literals": ["x"]}, "t": {"parameterType": "TASK_CONFIG"}}},
                "taskConfigPassthroughs": [{"field": "RESOURCES"}],
            }},
            "deploymentSpec": {"executors": {"exec-i": {"importer": {"downloadToWorkspace": true}}}},
            "root": {"inputDefinitions": {"parameters": {"literals": {"parameterType": "STRING"}}}},
        });
        let platform = json!({"platforms": {"kubernetes": {"pipelineConfig": {"workspace": {"size": "1Gi"}, "activeDeadlineSeconds": 5}}}});
        Spec::from_text(pipeline.to_string(), Some(platform.to_string().into()))
    }

    fn found(version: &str) -> Vec<(u64, u64)> {
        newer_than(&spec(), &Version::parse(version).unwrap())
            .iter()
            .map(|feature| feature.since)
            .collect()
    }

    #[test]
    fn what_a_server_does_not_know_is_found_by_its_version() {
        assert_eq!(found("2.17.0"), []);
        assert_eq!(found("2.16.1"), [(2, 17)]);
        assert_eq!(found("2.15.2"), [(2, 16), (2, 17)]);
        assert_eq!(found("2.5.0").len(), 6);
        assert_eq!(found("3.0.0"), []);
    }

    #[test]
    fn a_name_that_reads_like_a_feature_is_none() {
        let named =
            json!({"root": {"inputDefinitions": {"parameters": {"literals": {"parameterType": "STRING"}}}}});
        assert!(newer_than(&Spec::from_text(named.to_string(), None), &Version::new(2, 0, 5)).is_empty());
        assert!(
            newer_than(
                &Spec::from_text("no JSON, literals", None),
                &Version::new(2, 0, 5)
            )
            .is_empty()
        );
    }
}
