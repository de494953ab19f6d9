//! The plan as a file: what would be done, made for which content and which state of the server, so that
//! `apply --plan` carries out exactly that or refuses, naming what moved.
//!
//! The file holds no specs: `apply` compiles again and compares digests, so a file that was tampered with
//! can stop an `apply`, but never make it upload something else than what the repository says.

use super::{Decision, Planned};
use crate::error::{Failure, Phase};
use crate::ids::{Digest, PipelineId, VersionId, VersionName};
use crate::report::{Action, Reason, ServerReport};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// The version of the format.
pub const SCHEMA: u32 = 1;

/// A plan that was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A plan of kfp-gitops")]
pub struct PlanFile {
    /// Version of this format; 1 is the only one.
    pub schema: u32,
    /// `sha256` over everything else in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The program's version.
    pub tool_version: String,
    /// The commit that was compiled, 40 hex digits.
    pub commit: Option<String>,
    /// The name that every version of the run gets.
    pub version_name: VersionName,
    /// What decides what is done beside content and server.
    pub settings: PlanSettings,
    /// The server as it described itself.
    pub server: Option<PlanServer>,
    /// Which kfp compiled.
    pub kfp: Option<String>,
    /// One for each pipeline, and one for each file that gave none.
    pub pipelines: Vec<Entry>,
}

/// Settings that decide what is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSettings {
    /// The server's address, or `embedded`.
    pub endpoint: String,
    /// The namespace on a multi-user server.
    pub namespace: Option<String>,
    /// The target's label.
    pub target: Option<String>,
    /// `owner/name` of the repository.
    pub repo: Option<String>,
    /// The project under which is marked.
    pub project: Option<String>,
    /// What was searched, relative to the root; `.` is the root.
    pub paths: Vec<String>,
    /// `--only`.
    pub only: Vec<String>,
    /// `--adopt`.
    pub adopt: bool,
    /// `--force`.
    pub force: bool,
}

/// The server as it described itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanServer {
    /// Its version, where told.
    pub version: Option<String>,
    /// Whether it separates users by namespace.
    pub multi_user: Option<bool>,
}

/// What is planned for one pipeline, and for which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The source file, relative to the root.
    pub file: Option<String>,
    /// The Python name of the pipeline function.
    pub function: Option<String>,
    /// Its name on the server, as it is or would be.
    pub name: Option<String>,
    /// `create`, `update`, `unchanged` or `failed`.
    pub action: Action,
    /// Why, where it helps.
    pub reason: Option<Reason>,
    /// Digest of the compiled spec.
    pub digest: Option<Digest>,
    /// The server's id of the pipeline.
    pub pipeline_id: Option<PipelineId>,
    /// The newest version there.
    pub newest: Option<SeenVersion>,
    /// The name its version gets, where `{semver}` gives each pipeline its own; else the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_name: Option<VersionName>,
}

/// A version on the server as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenVersion {
    /// The server's id.
    pub id: VersionId,
    /// Its name.
    pub name: VersionName,
    /// Digest of what it holds; `null` where that cannot be read.
    pub digest: Option<Digest>,
}

impl From<&ServerReport> for PlanServer {
    fn from(server: &ServerReport) -> Self {
        Self {
            version: server.version.clone(),
            multi_user: server.multi_user,
        }
    }
}

/// What names a planned pipeline: its file and its function.
pub(super) type Key<'a> = (Option<&'a str>, Option<&'a str>);

impl Entry {
    /// What is planned for a pipeline.
    #[must_use]
    pub fn of(planned: &Planned) -> Self {
        let (action, name, pipeline, newest) = match &planned.decision {
            Decision::Create { name, .. } => (Action::Create, name.as_str(), None, None),
            Decision::Update { pipeline, newest } => (
                Action::Update,
                pipeline.name.as_str(),
                Some(pipeline),
                newest.as_ref(),
            ),
            Decision::Unchanged { pipeline, newest } => (
                Action::Unchanged,
                pipeline.name.as_str(),
                Some(pipeline),
                Some(newest),
            ),
            Decision::Refused(_) => (Action::Failed, planned.compiled.name.as_str(), None, None),
        };
        Self {
            file: Some(planned.compiled.source.path.as_str().to_owned()),
            function: Some(planned.compiled.function.clone()),
            name: Some(name.to_owned()),
            action,
            reason: planned.reason,
            digest: Some(planned.digest),
            pipeline_id: pipeline.map(|pipeline| pipeline.id.clone()),
            newest: newest.map(|newest| SeenVersion {
                id: newest.id.clone(),
                name: newest.name.clone(),
                digest: newest.digest,
            }),
            version_name: planned.version_name.clone(),
        }
    }

    /// A file that gave no pipeline.
    #[must_use]
    pub fn failed(file: Option<String>) -> Self {
        Self {
            file,
            function: None,
            name: None,
            action: Action::Failed,
            reason: None,
            digest: None,
            pipeline_id: None,
            newest: None,
            version_name: None,
        }
    }

    pub(super) fn key(&self) -> Key<'_> {
        (self.file.as_deref(), self.function.as_deref())
    }

    pub(super) fn subject(&self) -> String {
        let text = self.name.as_ref().or(self.file.as_ref());
        format!("`{}`", text.map_or("?", String::as_str))
    }
}

impl PlanFile {
    /// `sha256` over everything but the digest itself.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let bare = Self {
            digest: None,
            ..self.clone()
        };
        // Serialising plain structs of texts does not fail.
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        Digest::from_bytes(Sha256::digest(text).into())
    }

    /// The file's text, its digest in it.
    #[must_use]
    pub fn render(&self) -> String {
        let whole = Self {
            digest: Some(self.digest()),
            ..self.clone()
        };
        let mut text = serde_json::to_string_pretty(&whole).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads the file's text; `name` is how messages call it.
    ///
    /// # Errors
    /// When it is no plan, one of another format, or was changed after it was made (exit 2).
    pub fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        let refuse = |why: String| {
            Failure::usage(Phase::Plan, format!("`{name}` {why}"))
                .hint("make it with `kfp-gitops plan --out FILE`, and change nothing in it")
        };
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| refuse(format!("is not JSON: {error}")))?;
        match value.get("schema").and_then(serde_json::Value::as_u64) {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(schema) => {
                return Err(refuse(format!(
                    "has the format {schema}, this program reads {SCHEMA}"
                )));
            }
            None => return Err(refuse("is no plan".to_owned())),
        }
        let plan: Self =
            serde_json::from_value(value).map_err(|error| refuse(format!("is no plan: {error}")))?;
        if plan.digest != Some(plan.digest()) {
            return Err(refuse(
                "was changed after it was made: its digest does not fit".to_owned(),
            ));
        }
        Ok(plan)
    }

    /// The planned pipelines by what names them; of two alike the first.
    pub(super) fn by_key(&self) -> HashMap<Key<'_>, &Entry> {
        let entries = self.pipelines.iter().rev();
        entries.map(|entry| (entry.key(), entry)).collect()
    }

    /// Gives each pipeline's version the name that the plan has for it, where that is not the plan's own.
    pub fn name_versions<'a>(&self, planned: impl Iterator<Item = &'a mut Planned>) {
        let entries = self.by_key();
        for planned in planned {
            let compiled = &planned.compiled;
            let key = (
                Some(compiled.source.path.as_str()),
                Some(compiled.function.as_str()),
            );
            planned.version_name = entries.get(&key).and_then(|entry| entry.version_name.clone());
        }
    }
}

/// The JSON Schema of the file, pretty-printed, as committed in `schema/plan.schema.json`.
#[must_use]
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(PlanFile)).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
