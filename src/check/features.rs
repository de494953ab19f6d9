//! Which servers know every member that the spec uses.
//!
//! The table of members and releases is the embedded registry's own, made from the protobuf descriptions of
//! `kfp-pipeline-spec` 0.2.2 to 2.17.3; what it refuses, this foretells.

use super::Findings;
use crate::error::{Failure, Phase};
use crate::ir::Spec;
use crate::kfp::embedded::ir::{EVER, Need, Needs, Release, needs_of_pipeline, needs_of_platform};
use crate::kfp::features;
use semver::Version;
use serde_json::Value;

/// Most members that one line names.
const NAMED: usize = 3;

pub(super) fn check(spec: &Spec, server: Option<&Version>, findings: &mut Findings) {
    // Texts that are no JSON objects are told by the check of what is uploaded.
    let pipeline = object(spec.pipeline_text()).map(|value| needs_of_pipeline(&value));
    let platform = spec
        .platform_text()
        .and_then(object)
        .map(|value| needs_of_platform(&value));
    for (needs, drops) in [(pipeline, false), (platform, true)] {
        let Some(needs) = needs else { continue };
        if !needs.unknown.is_empty() {
            findings.warnings.push(format!(
                "no pipelines server up to 2.17 knows {}: it {}",
                listed(needs.unknown.iter().map(String::as_str)),
                consequence(drops)
            ));
        }
        match server {
            Some(server) => against(server, &needs, drops, findings),
            None => findings.notes.extend(range(&needs)),
        }
    }
    let Some(server) = server else { return };
    for feature in features::ignored_by(spec, server) {
        findings.errors.push(
            Failure::failed(
                Phase::Plan,
                format!(
                    "a server of version {server} does not know {} (it came with {}): it is not done there",
                    feature.what,
                    text(feature.since)
                ),
            )
            .hint("leave it out, or upgrade the server"),
        );
    }
}

fn object(text: &str) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

const fn consequence(drops: bool) -> &'static str {
    if drops {
        "drops all of the Kubernetes settings without a word"
    } else {
        "refuses the pipeline (\"unknown template format\")"
    }
}

fn against(server: &Version, needs: &Needs, drops: bool, findings: &mut Findings) {
    if server.major != 2 {
        return;
    }
    let minor = u16::try_from(server.minor).unwrap_or(u16::MAX - 1);
    let release: Release = (minor, u16::try_from(server.patch).unwrap_or(u16::MAX));
    let lacking: Vec<&Need> = needs
        .members
        .iter()
        .filter(|need| release < need.since || need.until <= release)
        .collect();
    let Some(first) = lacking.first() else { return };
    let when = if release < first.since {
        format!("it came with {}", text(first.since))
    } else {
        format!("it went with {}", text(first.until))
    };
    findings.errors.push(
        Failure::failed(
            Phase::Plan,
            format!(
                "a server of version {server} does not know {} ({when}): it {}",
                listed(lacking.iter().map(|need| need.place.as_str())),
                consequence(drops)
            ),
        )
        .hint(format!(
            "compile with kfp 2.{minor} (`compile.kfp`), leave the feature out, or upgrade the server"
        )),
    );
}

/// `needs a pipelines server from 2.15 on, before 2.17: …`.
fn range(needs: &Needs) -> Option<String> {
    let since = needs.members.iter().map(|need| need.since).max()?;
    let until = needs.members.iter().map(|need| need.until).min()?;
    let from = (since > (0, 0)).then(|| format!("from {} on", text(since)));
    let to = (until < EVER).then(|| format!("before {}", text(until)));
    let range: Vec<String> = from.into_iter().chain(to).collect();
    let deciding = needs
        .members
        .iter()
        .filter(|need| need.since == since || (until < EVER && need.until == until))
        .map(|need| need.place.as_str());
    Some(format!(
        "needs a pipelines server {}, because of {}",
        range.join(", "),
        listed(deciding)
    ))
}

fn text(release: Release) -> String {
    match release {
        (minor, 0) => format!("2.{minor}"),
        (minor, patch) => format!("2.{minor}.{patch}"),
    }
}

fn listed<'a>(places: impl Iterator<Item = &'a str>) -> String {
    let places: Vec<String> = places.map(|place| format!("`{place}`")).collect();
    let rest = places.len().saturating_sub(NAMED);
    let named = places[..places.len() - rest].join(", ");
    if rest == 0 {
        named
    } else {
        format!("{named} and {rest} more")
    }
}
