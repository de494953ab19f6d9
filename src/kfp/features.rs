//! What a spec asks for that a server does not know, found before anything is written.
//!
//! A member the server's parser does not know makes it refuse a pipeline spec ("unknown template format",
//! a bare 500 before 2.17.0), and is dropped in silence from a platform spec. Which release knows which member
//! is the embedded registry's table, made from the protobuf descriptions; 2.0.5 and 2.5.0 were seen to be as
//! strict as the later ones (recordings: a document they do not know answers 500, a platform document with
//! a workspace only is dropped).

pub use super::embedded::ir::Release;
use super::embedded::ir::{EVER, Need, needs_of_pipeline, needs_of_platform};
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

/// The one member that the table does not hold, because servers keep it unread: the launcher reads it.
const DOWNLOAD_TO_WORKSPACE: Release = (15, 0);

/// What is looked for, the first release that knows it, and the first that knows it no more; the README's table.
pub const TABLE: [(&str, Release, Release); 9] = [
    ("knows a task's cache key", (4, 0), EVER),
    ("knows platform settings of a whole pipeline", (4, 0), EVER),
    ("knows semaphores and mutexes", (5, 0), (15, 0)),
    ("knows `resource_ttl`", (5, 0), (17, 0)),
    ("knows a workspace", (14, 0), EVER),
    (
        "knows task configuration (`TASK_CONFIG`, passthroughs)",
        (15, 0),
        EVER,
    ),
    ("knows importing into the workspace", DOWNLOAD_TO_WORKSPACE, EVER),
    ("knows allowed values of parameters (`Literal`)", (16, 0), EVER),
    (
        "knows `resource_ttl_on_…` and `active_deadline_seconds`",
        (17, 0),
        EVER,
    ),
];

/// What the spec uses that the server does not know. Of a server that did not tell its version only what
/// no release knows that behaves as this one did when it was probed.
#[must_use]
pub fn unknown_to(spec: &Spec, server: &Server) -> Vec<Feature> {
    let Some(version) = &server.version else {
        return Vec::new();
    };
    let mut found = not_known_by(spec, version);
    if server.probed {
        let next = next_told_apart(release_of(version));
        found.retain(|feature| feature.until <= release_of(version) || feature.since >= next);
    }
    found
}

/// The first release that probing tells from this one ([`super::server`]): the gateway changed with 2.14.0,
/// tags came with 2.17.0. Where in between 2.0.5 and 2.5.0 look-ups by name were mended is not recorded.
fn next_told_apart(lowest: Release) -> Release {
    match lowest.0 {
        0..14 => (14, 0),
        14..17 => (17, 0),
        _ => EVER,
    }
}

/// Why a server cannot take a pipeline, where the spec uses what that server does not know.
#[must_use]
pub fn refusal(name: &str, spec: &Spec, server: &Server, phase: Phase) -> Option<Failure> {
    let unknown = unknown_to(spec, server);
    let needed = unknown.iter().map(|feature| feature.since).max()?;
    let version = server.version.as_ref()?;
    let what: Vec<&str> = unknown.iter().map(|feature| feature.what.as_str()).collect();
    let about = if server.probed { " (by its behaviour)" } else { "" };
    let text = format!(
        "server {version}{about} does not know what `{name}` uses: {}",
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
        found.extend(innermost(&needs_of_platform(&platform).members).map(Feature::of));
    }
    found.retain(|feature| release < feature.since || feature.until <= release);
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

/// Without members that only hold others of the list: what people wrote is what lies inside.
fn innermost(needs: &[Need]) -> impl Iterator<Item = &Need> {
    needs.iter().filter(|need| {
        let inside = format!("{}.", need.place);
        !needs.iter().any(|other| other.place.starts_with(&inside))
    })
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
        assert_eq!(found("2.0.5").len(), 6);
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
        let mut pipeline: Value = serde_json::from_str(spec().pipeline_text()).unwrap();
        pipeline["root"]["dag"] = json!({"tasks": {"a": {"cachingOptions": {"cacheKey": "x"}}}});
        let platform = json!({"platforms": {
            "elsewhere": {"pipelineConfig": {}},
            "kubernetes": {"pipelineConfig": {
                "workspace": {"size": "1Gi"}, "resourceTtlOnSuccess": 5, "activeDeadlineSeconds": 5,
                "semaphoreKey": "s", "mutexName": "m", "resourceTtl": 5,
            }},
        }});
        let spec = Spec::from_text(pipeline.to_string(), Some(platform.to_string().into()));
        let spans = |features: Vec<Feature>| {
            let mut spans: Vec<(Release, Release)> = features
                .iter()
                .map(|feature| (feature.since, feature.until))
                .collect();
            spans.sort_unstable();
            spans.dedup();
            spans
        };
        let mut told: Vec<(Release, Release)> =
            TABLE.iter().map(|(_, since, until)| (*since, *until)).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(spans(not_known_by(&spec, &Version::new(2, 0, 5))), told);
    }

    #[test]
    fn what_no_release_of_that_behaviour_knows_is_told_of_a_probed_server() {
        let probed = |version: &str| Server {
            version: Some(Version::parse(version).unwrap()),
            tag_name: None,
            multi_user: false,
            store: crate::kfp::model::Store::Database,
            probed: true,
            conditional_uploads: false,
        };
        let since = |version: &str| {
            let unknown = unknown_to(&spec(), &probed(version));
            unknown
                .iter()
                .map(|feature| feature.since.0)
                .min()
                .unwrap_or_default()
        };
        assert_eq!([since("2.0.5"), since("2.5.0")], [14, 14]);
        assert_eq!([since("2.14.0"), since("2.17.0")], [17, 0]);
        let failure = refusal("demo", &spec(), &probed("2.14.0"), Phase::Plan).unwrap();
        assert!(
            failure
                .message
                .starts_with("server 2.14.0 (by its behaviour) does not know"),
            "{}",
            failure.message
        );
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
