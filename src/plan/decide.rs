//! The decision for each pipeline, from what was compiled and what the server holds. Pure.

use super::diff::{Difference, diff, diff_unreadable};
use super::identity::{ByName, Identity, Match, Rules, identify};
use super::mark::Mark;
use super::naming::VersionNames;
use super::{Decision, KnownVersion, Plan, Planned, RemotePipeline, RemoteVersion, naming};
use crate::compile::Compiled;
use crate::error::{Failure, Phase};
use crate::ids::{Digest, PipelineId, PipelineName, VersionName};
use crate::ir::{Spec, SpecError, differs_only_by_sdk_pin, names};
use crate::kfp::model::Server;
use crate::kfp::model::Store;
use crate::kfp::{Capabilities, features};
use crate::report::Reason;
use std::collections::BTreeMap;

/// What the server holds of one pipeline.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The newest version.
    pub newest: Option<RemoteVersion>,
    /// Some older versions, newest first.
    pub older: Vec<RemoteVersion>,
}

/// What bends the decisions.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Who we are.
    pub mark: Mark,
    /// Take over what others manage.
    pub adopt: bool,
    /// Upload although nothing changed.
    pub force: bool,
    /// How versions are named; `None` where nothing will be uploaded.
    pub names: Option<VersionNames>,
    /// What the server is, so that what it does not know is refused before anything is written.
    pub server: Option<Server>,
}

/// One pipeline with its identity.
#[derive(Clone, Debug)]
pub struct Identified {
    /// What was compiled.
    pub compiled: Compiled,
    /// Its digest.
    pub digest: Digest,
    /// Which pipeline on the server it is, or why that cannot be told.
    pub identity: Result<Identity, Failure>,
}

/// Gives every compiled pipeline its identity and refuses when two would be the same.
///
/// # Errors
/// When two files define a pipeline of one name, or two are the same pipeline on the server (exit 2, and
/// nothing may be written).
pub fn identify_all(
    compiled: Vec<Compiled>,
    listing: &[RemotePipeline],
    rules: &Rules,
) -> Result<Vec<Identified>, Failure> {
    let by_name = ByName::of(listing);
    let identified: Vec<Identified> = compiled
        .into_iter()
        .map(|compiled| Identified {
            digest: compiled.spec.digest(),
            identity: identify(&compiled, &by_name, rules),
            compiled,
        })
        .collect();
    let mut taken: BTreeMap<String, &Identified> = BTreeMap::new();
    for one in &identified {
        let key = match &one.identity {
            Ok(Identity::Existing(pipeline, _)) => pipeline.name.as_str().to_lowercase(),
            Ok(Identity::New { name, .. }) => name.as_str().to_lowercase(),
            Err(_) => continue,
        };
        if let Some(other) = taken.insert(key.clone(), one) {
            let place =
                |one: &Identified| format!("`{}` (`{}`)", one.compiled.source.path, one.compiled.function);
            return Err(Failure::usage(
                Phase::Plan,
                format!(
                    "two pipelines have the name `{key}`: {} and {}",
                    place(other),
                    place(one)
                ),
            )
            .hint("give one of them another name: `@dsl.pipeline(name=…)`, or exclude one of the files"));
        }
    }
    Ok(identified)
}

/// Decides what to do with each.
#[must_use]
pub fn decide(identified: Vec<Identified>, held: &BTreeMap<PipelineId, Held>, options: &Options) -> Plan {
    let nothing = Held::default();
    let pipelines = identified
        .into_iter()
        .map(|one| {
            let (mut decision, mut reason, notes) = match &one.identity {
                Err(failure) => (Decision::Refused(failure.clone()), None, Vec::new()),
                Ok(Identity::New { name, display_name }) => (
                    Decision::Create {
                        name: name.clone(),
                        display_name: display_name.clone(),
                    },
                    None,
                    Vec::new(),
                ),
                Ok(Identity::Existing(pipeline, how)) => existing(
                    &one,
                    pipeline,
                    *how,
                    held.get(&pipeline.id).unwrap_or(&nothing),
                    options,
                ),
            };
            let difference = difference(&one.compiled.spec, &decision).map(Box::new);
            if let Some(failure) = unknown_to_the_server(&one, &decision, options) {
                decision = Decision::Refused(failure);
                reason = Some(Reason::Unsupported);
            }
            let version_name = named(&decision, difference.as_deref(), options)
                .and_then(|name| storable(&decision, name.as_ref(), options).map(|()| name))
                .unwrap_or_else(|failure| {
                    decision = Decision::Refused(failure.file(one.compiled.source.path.as_str()));
                    None
                });
            Planned {
                suggested_version: match &version_name {
                    Some(name) => Some(name.as_str().to_owned()),
                    None => suggested(&decision, difference.as_deref()),
                },
                version_name,
                versions: match &one.identity {
                    Ok(Identity::Existing(pipeline, _)) => known(held.get(&pipeline.id)),
                    _ => Vec::new(),
                },
                warnings: match &decision {
                    Decision::Unchanged { newest, .. } if is_kept_in_part(newest, &one) => vec![format!(
                        "version `{}` was uploaded with this content, but the server does not keep all of it",
                        newest.name
                    )],
                    _ => Vec::new(),
                },
                compiled: one.compiled,
                digest: one.digest,
                decision,
                reason,
                notes,
                difference,
            }
        })
        .collect();
    Plan { pipelines }
}

/// A write that the server would refuse, or keep only in part.
fn unknown_to_the_server(one: &Identified, decision: &Decision, options: &Options) -> Option<Failure> {
    let name = written(decision)?;
    let server = options.server.as_ref()?;
    features::refusal(name.as_str(), &one.compiled.spec, server, Phase::Plan)
        .map(|failure| failure.file(one.compiled.source.path.as_str()))
}

/// The pipeline that a decision writes to.
fn written(decision: &Decision) -> Option<&PipelineName> {
    match decision {
        Decision::Create { name, .. } => Some(name),
        Decision::Update { pipeline, .. } => Some(&pipeline.name),
        Decision::Unchanged { .. } | Decision::Refused(_) => None,
    }
}

fn known(held: Option<&Held>) -> Vec<KnownVersion> {
    let held = held.into_iter();
    held.flat_map(|held| held.newest.iter().chain(&held.older))
        .map(KnownVersion::from)
        .collect()
}

/// What a write changes; never fails, whatever the server holds.
fn difference(after: &Spec, decision: &Decision) -> Option<Difference> {
    match decision {
        Decision::Create { .. } | Decision::Update { newest: None, .. } => Some(diff(None, after)),
        Decision::Update {
            newest: Some(newest), ..
        } => Some(against(newest, after)),
        Decision::Unchanged { .. } | Decision::Refused(_) => None,
    }
}

/// What changes from a version on the server, which may hold anything, to a spec.
#[must_use]
pub fn against(version: &RemoteVersion, after: &Spec) -> Difference {
    if let Some(spec) = &version.spec {
        return diff(Some(spec), after);
    }
    if version.digest == Some(after.digest()) {
        // Kept without its spec, because it is the same; only `--force` writes it again.
        return diff(Some(after), after);
    }
    let value = version
        .unreadable
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(serde_json::Value::Null);
    let why = match Spec::from_server(&value) {
        Err(error) => error,
        Ok(_) => SpecError::Empty,
    };
    diff_unreadable(&value, &why, after)
}

/// The version's own name, where the run's names differ by pipeline.
fn named(
    decision: &Decision,
    difference: Option<&Difference>,
    options: &Options,
) -> Result<Option<VersionName>, Failure> {
    let newest = match decision {
        Decision::Create { .. } => None,
        Decision::Update { newest, .. } => newest.as_ref(),
        Decision::Unchanged { .. } | Decision::Refused(_) => return Ok(None),
    };
    // A number in a name that somebody gave by hand means nothing here.
    let deployed = newest
        .filter(|newest| {
            newest
                .mark
                .as_ref()
                .is_some_and(|mark| !options.mark.is_foreign(mark))
        })
        .map(|newest| newest.name.as_str());
    match (&options.names, difference) {
        (Some(names), Some(difference)) => names.of_pipeline(difference.step, deployed),
        _ => Ok(None),
    }
}

/// Where versions are objects of a cluster, their names are refused before anything is created for them.
fn storable(decision: &Decision, own: Option<&VersionName>, options: &Options) -> Result<(), Failure> {
    let names = options.names.as_ref();
    let name = own.or_else(|| names.map(VersionNames::of_run));
    let (Some(pipeline), Some(name), Some(server)) = (written(decision), name, &options.server) else {
        return Ok(());
    };
    if server.store != Store::Kubernetes {
        return Ok(());
    }
    let name = Capabilities::of(server).version_name(name, pipeline);
    names::check_kubernetes_version_name(pipeline.as_str(), name.as_str()).map_err(|error| {
        Failure::failed(Phase::Plan, error.to_string())
            .hint("set `naming.version` to a template of lower-case letters, digits, `-` and `.`, such as the default")
    })
}

fn suggested(decision: &Decision, difference: Option<&Difference>) -> Option<String> {
    match decision {
        Decision::Update {
            newest: Some(newest), ..
        } => naming::next_version(newest.name.as_str(), difference?.step),
        _ => None,
    }
}

fn existing(
    one: &Identified,
    pipeline: &RemotePipeline,
    how: Match,
    held: &Held,
    options: &Options,
) -> (Decision, Option<Reason>, Vec<String>) {
    let mut notes = Vec::new();
    let mark = held
        .newest
        .as_ref()
        .and_then(|newest| newest.mark.as_ref())
        .or(pipeline.mark.as_ref());
    let mut reason = None;
    match mark {
        Some(other) if options.mark.is_foreign(other) => {
            if !options.adopt {
                return (Decision::Refused(foreign(one, pipeline, other)), None, notes);
            }
            notes.push(format!("taken over from {}", other.owner()));
            reason = Some(Reason::Adopted);
        }
        Some(_) => {}
        None => {
            reason = Some(Reason::Adopted);
            if how == Match::Stem {
                notes.push(format!(
                    "adopted `{}`, which was uploaded under the file's name",
                    pipeline.name
                ));
            } else {
                notes.push(format!("adopted `{}`, which was uploaded by hand", pipeline.name));
            }
        }
    }
    let Some(newest) = &held.newest else {
        if pipeline.mark.is_some() {
            notes.push("the pipeline had no version: an earlier run ended between the two".to_owned());
        }
        return (
            Decision::Update {
                pipeline: pipeline.clone(),
                newest: None,
            },
            reason,
            notes,
        );
    };
    if newest.digest == Some(one.digest) || is_kept_in_part(newest, one) {
        if !options.force {
            let newest = Box::new(newest.clone());
            return (
                Decision::Unchanged {
                    pipeline: pipeline.clone(),
                    newest,
                },
                reason,
                notes,
            );
        }
        reason = Some(Reason::Forced);
    } else {
        if newest.mark.is_none() && reason.is_some() {
            notes.push(format!(
                "replaces version `{}`, which was uploaded by hand",
                newest.name
            ));
        } else if newest.mark.is_none() {
            notes.push(format!(
                "version `{}` was uploaded by hand after the last deployment",
                newest.name
            ));
        }
        if newest.spec.is_none()
            && let Some(why) = unreadable(newest)
        {
            notes.push(format!("version `{}` cannot be compared: {why}", newest.name));
        }
        if let Some(older) = held.older.iter().find(|older| older.digest == Some(one.digest)) {
            notes.push(format!("a revert: version `{}` had this content", older.name));
            reason = Some(Reason::Reverted);
        } else if newest
            .spec
            .as_ref()
            .is_some_and(|spec| differs_only_by_sdk_pin(spec, &one.compiled.spec))
        {
            notes.push("only the SDK pin changed".to_owned());
            reason = reason.or(Some(Reason::SdkPin));
        }
    }
    let newest = Some(Box::new(newest.clone()));
    (
        Decision::Update {
            pipeline: pipeline.clone(),
            newest,
        },
        reason,
        notes,
    )
}

/// Whether a version of ours was uploaded with this content and the server does not keep all of it, which was
/// a failure when it was read back: uploading it again would lose the same again.
fn is_kept_in_part(newest: &RemoteVersion, one: &Identified) -> bool {
    newest.digest != Some(one.digest) && newest.mark.as_ref().and_then(|mark| mark.digest) == Some(one.digest)
}

/// Why a version holds nothing that can be compared by meaning.
fn unreadable(version: &RemoteVersion) -> Option<String> {
    let text = version.unreadable.as_deref().unwrap_or("null");
    let value = serde_json::from_str(text).unwrap_or(serde_json::Value::Null);
    Spec::from_server(&value).err().map(|error| error.to_string())
}

fn foreign(one: &Identified, pipeline: &RemotePipeline, other: &Mark) -> Failure {
    Failure::usage(
        Phase::Plan,
        format!("`{}` is managed by {}", pipeline.name, other.owner()),
    )
    .file(one.compiled.source.path.as_str())
    .hint("take it over with `--adopt`, or give this pipeline another name")
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
