//! What a spec asks for that a server does not know, found before anything is written.
//!
//! A member the server's parser does not know makes it refuse a pipeline spec ("unknown template format",
//! a bare 500 before 2.17.0), and is dropped in silence from a platform spec. Which release knows which member
//! is the embedded registry's table, made from the protobuf descriptions. Members added before 2.14.0
//! are left to the server: what 2.0.5 makes of them is not recorded, and a wrong refusal helps nobody.

use super::embedded::ir::{EVER, Need, Release, needs_of_pipeline, needs_of_platform};
use super::model::Server;
use crate::error::{Failure, Phase};
use crate::ir::Spec;
use semver::Version;
use serde_json::{Map, Value};

/// Something a spec uses, and the releases whose servers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// As people know it, with where it is used.
    pub what: String,
    /// The first release that knows it.
    pub since: Release,
    /// The first release that knows it no more.
    pub until: Release,
}

/// Servers older than this are left to say themselves what they do not know.
const JUDGED_FROM: Release = (14, 0);

/// The one member that the table does not hold, because servers keep it unread: the launcher reads it.
const DOWNLOAD_TO_WORKSPACE: Release = (15, 0);

/// What is looked for, and the first release that knows it; the README's table.
pub const TABLE: [(&str, Release); 5] = [
    ("knows a workspace", (14, 0)),
    ("knows task configuration (`TASK_CONFIG`, passthroughs)", (15, 0)),
    ("knows importing into the workspace", DOWNLOAD_TO_WORKSPACE),
    ("knows allowed values of parameters (`Literal`)", (16, 0)),
    ("knows `resource_ttl_…` and `active_deadline_seconds`", (17, 0)),
];

/// What the spec uses that the server does not know. Nothing where the server did not tell its version.
#[must_use]
pub fn unknown_to(spec: &Spec, server: &Server) -> Vec<Feature> {
    match &server.version {
        Some(version) if !server.probed => not_known_by(spec, version),
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
    let hint = if release_of(version) < needed {
        format!("leave it out, or upgrade the server to 2.{} or newer", needed.0)
    } else {
        let minor = version.minor;
        format!(
            "leave it out: servers from 2.{minor} on know other settings; compile with kfp 2.{minor} (`compile.kfp`) to see them"
        )
    };
    Some(Failure::failed(phase, text).hint(hint))
}

/// What the spec uses that a release does not know.
#[must_use]
pub fn not_known_by(spec: &Spec, version: &Version) -> Vec<Feature> {
    let release = release_of(version);
    let mut found: Vec<Feature> = Vec::new();
    if let Some(pipeline) = object(spec.pipeline_text()) {
        found.extend(needs_of_pipeline(&pipeline).members.iter().map(Feature::of));
        found.extend(importers_into_the_workspace(&pipeline));
    }
    if let Some(platform) = spec.platform_text().and_then(object) {
        found.extend(needs_of_platform(&platform).members.iter().map(Feature::of));
    }
    found.retain(|feature| {
        let too_new = release < feature.since && feature.since >= JUDGED_FROM;
        too_new || feature.until <= release
    });
    found
}

/// Of [`not_known_by`] what a release takes and does not do: nobody refuses it there.
#[must_use]
pub fn ignored_by(spec: &Spec, version: &Version) -> Vec<Feature> {
    let release = release_of(version);
    object(spec.pipeline_text())
        .map(|pipeline| importers_into_the_workspace(&pipeline))
        .unwrap_or_default()
        .into_iter()
        .filter(|feature| release < feature.since)
        .collect()
}

impl Feature {
    fn of(need: &Need) -> Self {
        let name = match need.name.as_str() {
            "literals" => "allowed values (`Literal`)".to_owned(),
            "TASK_CONFIG" => "a parameter for the task's configuration".to_owned(),
            "taskConfigPassthroughs" => "task configuration handed on".to_owned(),
            name => format!("`{name}`"),
        };
        Self {
            what: format!("{name} (`{}`)", need.place),
            since: need.since,
            until: need.until,
        }
    }
}

fn importers_into_the_workspace(spec: &Map<String, Value>) -> Vec<Feature> {
    let executors = spec
        .get("deploymentSpec")
        .and_then(|deployment| deployment.get("executors")?.as_object());
    executors
        .into_iter()
        .flatten()
        .filter(|(_, executor)| executor["importer"]["downloadToWorkspace"] == true)
        .map(|(name, _)| Feature {
            what: format!("importing into the workspace (`{name}`)"),
            since: DOWNLOAD_TO_WORKSPACE,
            until: EVER,
        })
        .collect()
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Minor and patch; releases after 2 are newer than all that is known.
fn release_of(version: &Version) -> Release {
    let part = |number: u64| u16::try_from(number).unwrap_or(u16::MAX - 1);
    match version.major {
        0..=2 => (part(version.minor), part(version.patch)),
        _ => (u16::MAX - 1, 0),
    }
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

    fn found(version: &str) -> Vec<Release> {
        not_known_by(&spec(), &Version::parse(version).unwrap())
            .iter()
            .map(|feature| feature.since)
            .collect()
    }

    #[test]
    fn what_a_server_does_not_know_is_found_by_its_version() {
        assert_eq!(found("2.17.0"), []);
        assert_eq!(found("2.16.1"), [(17, 0)]);
        assert_eq!(found("2.15.2"), [(16, 0), (17, 0)]);
        assert_eq!(found("2.5.0").len(), 6);
        assert_eq!(found("3.0.0"), []);
    }

    #[test]
    fn what_a_server_knows_no_more_is_found_too() {
        let platform = json!({"platforms": {"kubernetes": {"pipelineConfig": {"resourceTtl": 5}}}});
        let spec = Spec::from_text("{}".to_owned(), Some(platform.to_string().into()));
        let at = |version: &str| not_known_by(&spec, &Version::parse(version).unwrap());
        assert_eq!(at("2.16.1"), []);
        assert_eq!(at("2.17.0")[0].until, (17, 0));
    }

    #[test]
    fn the_readmes_table_is_the_registrys() {
        let platform = json!({"platforms": {"kubernetes": {"pipelineConfig": {
            "workspace": {"size": "1Gi"}, "resourceTtlOnSuccess": 5, "activeDeadlineSeconds": 5,
        }}}});
        let spec = Spec::from_text(
            spec().pipeline_text().to_owned(),
            Some(platform.to_string().into()),
        );
        let mut known: Vec<Release> = not_known_by(&spec, &Version::new(2, 13, 0))
            .iter()
            .map(|feature| feature.since)
            .collect();
        known.sort_unstable();
        known.dedup();
        let mut told: Vec<Release> = TABLE.iter().map(|(_, since)| *since).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(known, told);
    }

    #[test]
    fn a_name_that_reads_like_a_feature_is_none() {
        let named =
            json!({"root": {"inputDefinitions": {"parameters": {"literals": {"parameterType": "STRING"}}}}});
        assert!(not_known_by(&Spec::from_text(named.to_string(), None), &Version::new(2, 0, 5)).is_empty());
        assert!(
            not_known_by(
                &Spec::from_text("no JSON, literals", None),
                &Version::new(2, 0, 5)
            )
            .is_empty()
        );
    }
}
