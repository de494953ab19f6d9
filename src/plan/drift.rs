//! Where server and repository disagree, and of which kind it is. Pure.
//!
//! Orphans are told carefully: a pipeline is one only when it carries our own mark (repository, project
//! and target), no compiled pipeline is it, and its file is gone or was compiled without giving it. What
//! a run did not look at, or could not compile, is never called orphaned.

use super::identity::{Rules, candidates};
use super::mark::Mark;
use super::{Decision, Planned, RemotePipeline, RemoteVersion};
use crate::compile::Compiled;
use crate::ids::{PipelineId, VersionId, VersionName};
use crate::ir::{Spec, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// From which share of equal values on two specs count as nearly equal, in percent.
const NEARLY: u8 = 80;

/// The kind of a disagreement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// The repository has it and the server does not.
    Missing,
    /// The repository has other content than what it uploaded last.
    Pending,
    /// The newest version was uploaded by hand, and differs.
    ByHand,
    /// The newest version was uploaded by another repository, project or target, and differs.
    Foreign,
    /// The server has it under our mark and the repository has no file for it any more.
    Orphan,
}

impl DriftKind {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Pending => "pending",
            Self::ByHand => "by-hand",
            Self::Foreign => "foreign",
            Self::Orphan => "orphan",
        }
    }

    /// Whether it is worth saying beside the plan itself.
    #[must_use]
    pub const fn is_unexpected(self) -> bool {
        matches!(self, Self::ByHand | Self::Foreign | Self::Orphan)
    }
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Drift {
    /// Its kind.
    pub kind: DriftKind,
    /// The pipeline's name on the server, or the one it would get.
    pub name: String,
    /// The server's id.
    pub pipeline_id: Option<PipelineId>,
    /// The newest version.
    pub version_id: Option<VersionId>,
    /// Its name.
    pub version_name: Option<VersionName>,
    /// When it was created, as RFC 3339.
    pub created_at: Option<String>,
    /// Who uploaded it, where its mark says.
    pub owner: Option<String>,
    /// The source file, relative to the root.
    pub file: Option<String>,
    /// The commit it was made from, where its mark says.
    pub commit: Option<String>,
    /// The CI run that uploaded it, where its mark says.
    pub run: Option<String>,
    /// Who wrote that commit, where this clone has it.
    #[serde(default)]
    pub author: Option<String>,
    /// What a version that was uploaded by hand says of itself: its description, tags and source.
    #[serde(default)]
    pub said: Option<String>,
    /// An orphan that seems to be a pipeline under its old name.
    pub rename: Option<Rename>,
}

/// An orphan that is nearly equal to a pipeline that would be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rename {
    /// The name of what would be created.
    pub name: String,
    /// Its file.
    pub file: String,
    /// How much of both is equal, in percent.
    pub similarity: u8,
    /// The line for `kfp-gitops.yaml` with which the old pipeline, its versions and its id are kept.
    pub config: String,
}

/// What of a planned pipeline is drift; `None` where both agree or the plan refuses it.
#[must_use]
pub fn of_planned(planned: &Planned, mark: &Mark) -> Option<Drift> {
    let file = Some(planned.compiled.source.path.as_str().to_owned());
    match &planned.decision {
        Decision::Create { name, .. } => Some(Drift {
            file,
            ..Drift::new(DriftKind::Missing, name.as_str())
        }),
        Decision::Update {
            pipeline,
            newest: None,
        } => Some(Drift {
            pipeline_id: Some(pipeline.id.clone()),
            file,
            ..Drift::new(DriftKind::Missing, pipeline.name.as_str())
        }),
        Decision::Update {
            pipeline,
            newest: Some(newest),
        } => {
            if newest.digest == Some(planned.digest) {
                return None;
            }
            let kind = match &newest.mark {
                None => DriftKind::ByHand,
                Some(theirs) if mark.is_foreign(theirs) => DriftKind::Foreign,
                Some(theirs)
                    if mark.target.is_some() && theirs.target.is_some() && mark.target != theirs.target =>
                {
                    DriftKind::Foreign
                }
                Some(_) => DriftKind::Pending,
            };
            let mut drift = Drift::on_server(kind, pipeline, Some(newest));
            drift.file = file;
            Some(drift)
        }
        Decision::Unchanged { .. } | Decision::Refused(_) => None,
    }
}

impl Drift {
    /// One of which nothing but the name is known.
    #[must_use]
    pub fn new(kind: DriftKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            pipeline_id: None,
            version_id: None,
            version_name: None,
            created_at: None,
            owner: None,
            file: None,
            commit: None,
            run: None,
            author: None,
            said: None,
            rename: None,
        }
    }

    fn on_server(kind: DriftKind, pipeline: &RemotePipeline, newest: Option<&RemoteVersion>) -> Self {
        let mark = newest.and_then(|newest| newest.mark.as_ref());
        Self {
            pipeline_id: Some(pipeline.id.clone()),
            version_id: newest.map(|newest| newest.id.clone()),
            version_name: newest.map(|newest| newest.name.clone()),
            created_at: newest.and_then(|newest| newest.created_at.clone()),
            owner: mark.map(Mark::owner),
            commit: mark.and_then(|mark| mark.commit.clone()),
            run: mark.and_then(|mark| mark.run.clone()),
            said: newest.and_then(|newest| newest.said.clone()),
            file: mark
                .and_then(|mark| mark.file.clone())
                .or_else(|| pipeline.mark.as_ref()?.file.clone()),
            ..Self::new(kind, pipeline.name.as_str())
        }
    }
}

/// Our pipelines on the server that none of the compiled ones is.
#[must_use]
pub fn unclaimed(
    ours: &[RemotePipeline],
    compiled: &[&Compiled],
    claimed: &BTreeSet<PipelineId>,
    rules: &Rules,
) -> Vec<RemotePipeline> {
    let names: BTreeSet<String> = compiled
        .iter()
        .flat_map(|one| candidates(one, rules))
        .map(|(name, _)| name.to_lowercase())
        .collect();
    ours.iter()
        .filter(|pipeline| !claimed.contains(&pipeline.id))
        .filter(|pipeline| !names.contains(&pipeline.name.as_str().to_lowercase()))
        .cloned()
        .collect()
}

/// What a run saw of the repository.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Files that compiled, relative to the root.
    pub compiled: BTreeSet<String>,
    /// Files that were found and gave nothing.
    pub failed: BTreeSet<String>,
    /// Whether the run looked at the whole repository.
    pub whole: bool,
}

/// The orphans among pipelines that nothing claims; `exists` says whether a file of the repository,
/// relative to the root, is still there.
#[must_use]
pub fn orphans(
    unclaimed: &[(RemotePipeline, Option<RemoteVersion>)],
    seen: &Seen,
    planned: &[&Planned],
    exists: impl Fn(&str) -> bool,
) -> Vec<Drift> {
    let mut orphans = Vec::new();
    let mut prints = BTreeMap::new();
    for (pipeline, newest) in unclaimed {
        let mut drift = Drift::on_server(DriftKind::Orphan, pipeline, newest.as_ref());
        let gone = match &drift.file {
            Some(file) if seen.failed.contains(file) => false,
            Some(file) if seen.compiled.contains(file) => true,
            Some(file) => !exists(file),
            None => seen.whole && seen.failed.is_empty(),
        };
        if !gone {
            continue;
        }
        if let Some(spec) = newest.as_ref().and_then(|newest| newest.spec.as_ref()) {
            drift.rename = renamed(pipeline.name.as_str(), spec, planned, &mut prints);
        }
        orphans.push(drift);
    }
    orphans
}

/// Pipelines that another state of the repository had and this one has not, each with what it seems to
/// have become.
#[must_use]
pub fn removed(gone: &[&Compiled], names: &[String], planned: &[&Planned]) -> Vec<Drift> {
    let mut prints = BTreeMap::new();
    gone.iter()
        .zip(names)
        .map(|(old, name)| Drift {
            file: Some(old.source.path.as_str().to_owned()),
            rename: renamed(name, &old.spec, planned, &mut prints),
            ..Drift::new(DriftKind::Orphan, name)
        })
        .collect()
}

/// The new pipeline that is most like an orphan, where one is nearly equal.
fn renamed(
    old: &str,
    spec: &Spec,
    planned: &[&Planned],
    prints: &mut BTreeMap<usize, Option<Print>>,
) -> Option<Rename> {
    let print = Print::of(spec)?;
    let mut best: Option<(u8, &Planned)> = None;
    for (index, new) in planned.iter().enumerate() {
        if !matches!(new.decision, Decision::Create { .. }) {
            continue;
        }
        let other = prints
            .entry(index)
            .or_insert_with(|| Print::of(&new.compiled.spec));
        let similarity = other.as_ref().map_or(0, |other| print.similarity(other));
        if similarity >= NEARLY && best.is_none_or(|(other, _)| similarity > other) {
            best = Some((similarity, new));
        }
    }
    let (similarity, new) = best?;
    let Decision::Create { name, .. } = &new.decision else {
        return None;
    };
    Some(Rename {
        name: name.as_str().to_owned(),
        file: new.compiled.source.path.as_str().to_owned(),
        similarity,
        config: adoption(old, &new.compiled),
    })
}

/// The configuration that gives a compiled pipeline the name of one on the server.
#[must_use]
pub fn adoption(name: &str, compiled: &Compiled) -> String {
    // JSON texts are YAML flow scalars, so no name breaks out of the line.
    let quoted = |text: &str| Value::from(text).to_string();
    let function = if compiled.one_of_several {
        format!(", function: {}", quoted(&compiled.function))
    } else {
        String::new()
    };
    format!(
        "pipelines: {{{}: {{file: {}{function}}}}}",
        quoted(name),
        quoted(compiled.source.path.as_str())
    )
}

/// The values of a spec, each with its place, without what a renaming changes.
struct Print(BTreeMap<u64, usize>);

impl Print {
    /// `None` for what is no spec that can be read.
    fn of(spec: &Spec) -> Option<Self> {
        let form = canonical(spec).ok()?;
        let mut values = BTreeMap::new();
        collect(&form.pipeline, "", 0, &mut values);
        if let Some(platform) = &form.platform {
            collect(platform, "platform", 0, &mut values);
        }
        Some(Self(values))
    }

    /// How many of the values of both are in both, in percent.
    fn similarity(&self, other: &Self) -> u8 {
        let count = |print: &Self| print.0.values().sum::<usize>();
        let all = count(self) + count(other);
        let common: usize = self
            .0
            .iter()
            .filter_map(|(value, count)| Some(*count.min(other.0.get(value)?)))
            .sum();
        // At most 100 by construction.
        (200 * common).checked_div(all).unwrap_or(0) as u8
    }
}

fn collect(value: &Value, place: &str, depth: usize, values: &mut BTreeMap<u64, usize>) {
    use std::hash::{DefaultHasher, Hash, Hasher};
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if depth == 0 && (key == "pipelineInfo" || key == "sdkVersion") {
                    continue;
                }
                collect(member, &format!("{place}/{key}"), depth + 1, values);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                collect(element, place, depth + 1, values);
            }
        }
        // Code is one text: each of its lines counts, so that one edited line is one difference.
        Value::String(text) => {
            for line in text.lines() {
                let mut hasher = DefaultHasher::new();
                (place, line).hash(&mut hasher);
                *values.entry(hasher.finish()).or_default() += 1;
            }
        }
        other => {
            let mut hasher = DefaultHasher::new();
            (place, other.to_string()).hash(&mut hasher);
            *values.entry(hasher.finish()).or_default() += 1;
        }
    }
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
