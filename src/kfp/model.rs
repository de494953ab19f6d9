//! What the server says of itself, its pipelines and their versions, in every recorded dialect.
//!
//! Differences that are evened out here: 2.0.5 and 2.5.0 have no `name` (the identity is in
//! `display_name`); empty members are left out or, by older gateways, sent as `null` or `""`; items of a
//! list may carry only an id and an `error`; a spec with platform settings comes wrapped in two members.

use crate::ids::{PipelineId, PipelineName, VersionId, VersionName};
use crate::ir::Spec;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the server keeps pipelines (`pipeline_store` of `healthz`, from 2.14.0 on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A database.
    Database,
    /// Cluster resources: names must be DNS-1123, lists may lag behind writes.
    Kubernetes,
}

/// The server as it described itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The version: from `tag_name`, else the lowest that behaves as this one did when probed.
    pub version: Option<semver::Version>,
    /// `tag_name` as told; distributions may put anything there, or nothing.
    pub tag_name: Option<String>,
    /// Whether users are separated by namespace.
    pub multi_user: bool,
    /// Where pipelines are kept.
    pub store: Store,
    /// Whether `version` was found by probing.
    pub probed: bool,
    /// Whether an upload can name the version that must be the newest (the embedded registry alone).
    pub conditional_uploads: bool,
}

/// A pipeline on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The server's id.
    pub id: PipelineId,
    /// Its identity: `name`, or `display_name` where there is no `name` (before 2.14.0).
    pub name: PipelineName,
    /// What the UI shows, where it differs.
    pub display_name: Option<String>,
    /// The description, or empty.
    pub description: String,
    /// When it was created, to the second.
    pub created_at: Option<DateTime<Utc>>,
    /// The namespace, absent for shared pipelines and on single-user servers with a database.
    pub namespace: Option<String>,
    /// Tags (2.17.0 on).
    pub tags: BTreeMap<String, String>,
}

/// A version of a pipeline on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The server's id.
    pub id: VersionId,
    /// The pipeline it belongs to.
    pub pipeline_id: PipelineId,
    /// Its identity within the pipeline.
    pub name: VersionName,
    /// What the UI shows, where it differs.
    pub display_name: Option<String>,
    /// The description, or empty.
    pub description: String,
    /// When it was created, to the second.
    pub created_at: Option<DateTime<Utc>>,
    /// The stored spec, where it is one of KFP v2.
    pub spec: Option<Spec>,
    /// Why there is no spec: an Argo workflow of KFP v1, or the server's own error.
    pub error: Option<String>,
    /// What the server gave in the spec's place, as JSON text, where that is no spec of KFP v2.
    pub unreadable: Option<Arc<str>>,
    /// Tags (2.17.0 on).
    pub tags: BTreeMap<String, String>,
    /// `code_source_url`: where its code comes from, where whoever uploaded it said so.
    pub source: Option<String>,
}

impl Version {
    /// The order in which versions of equal content are told apart: oldest first, then by id.
    #[must_use]
    pub fn age_key(&self) -> (Option<DateTime<Utc>>, &VersionId) {
        (self.created_at, &self.id)
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// `null` and absence both mean the default: older gateways send the one, newer ones the other.
fn lenient<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct WireItem<'a> {
    #[serde(default, deserialize_with = "lenient")]
    pipeline_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pipeline_version_id: String,
    #[serde(default, deserialize_with = "lenient")]
    name: String,
    #[serde(default, deserialize_with = "lenient")]
    display_name: String,
    #[serde(default, deserialize_with = "lenient")]
    description: String,
    #[serde(default, deserialize_with = "lenient")]
    created_at: String,
    #[serde(default, deserialize_with = "lenient")]
    namespace: String,
    #[serde(default, deserialize_with = "lenient")]
    code_source_url: String,
    #[serde(default, borrow)]
    pipeline_spec: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "lenient")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    error: Option<WireStatus>,
}

#[derive(Deserialize)]
struct WireStatus {
    #[serde(default, deserialize_with = "lenient")]
    message: String,
    #[serde(default, deserialize_with = "lenient")]
    code: i64,
}

#[derive(Deserialize)]
struct WireList<'a> {
    #[serde(default, borrow, deserialize_with = "lenient")]
    pipelines: Vec<WireItem<'a>>,
    #[serde(default, borrow, deserialize_with = "lenient")]
    pipeline_versions: Vec<WireItem<'a>>,
    #[serde(default, deserialize_with = "lenient")]
    next_page_token: String,
}

impl WireItem<'_> {
    fn identity(&self) -> (String, Option<String>) {
        if self.name.is_empty() {
            (self.display_name.clone(), None)
        } else {
            let shown = (!self.display_name.is_empty() && self.display_name != self.name)
                .then(|| self.display_name.clone());
            (self.name.clone(), shown)
        }
    }

    fn created(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.created_at)
            .ok()
            .map(|time| time.to_utc())
    }

    fn into_pipeline(self) -> Result<Pipeline, String> {
        if self.pipeline_id.is_empty() {
            return Err("a pipeline without `pipeline_id`".to_owned());
        }
        let created_at = self.created();
        let (name, display_name) = self.identity();
        Ok(Pipeline {
            id: PipelineId::new(self.pipeline_id),
            name: PipelineName::new(name),
            display_name,
            description: self.description,
            created_at,
            namespace: (!self.namespace.is_empty()).then_some(self.namespace),
            tags: self.tags,
        })
    }

    fn into_version(self) -> Result<Version, String> {
        if self.pipeline_version_id.is_empty() {
            return Err("a version without `pipeline_version_id`".to_owned());
        }
        let created_at = self.created();
        let (name, display_name) = self.identity();
        let told = self
            .error
            .filter(|status| status.code != 0 || !status.message.is_empty());
        let text = self.pipeline_spec.map(RawValue::get);
        let (spec, error) = match (self.pipeline_spec.map(spec), told) {
            (Some(Ok(spec)), _) => (Some(spec), None),
            (_, Some(status)) => (None, Some(status.message)),
            (Some(Err(cause)), None) => (None, Some(cause)),
            (None, None) => (None, Some("the server returned no spec".to_owned())),
        };
        Ok(Version {
            id: VersionId::new(self.pipeline_version_id),
            pipeline_id: PipelineId::new(self.pipeline_id),
            name: VersionName::new(name),
            display_name,
            description: self.description,
            created_at,
            unreadable: text.filter(|_| spec.is_none()).map(Arc::from),
            spec,
            error,
            tags: self.tags,
            source: Some(self.code_source_url).filter(|source| !source.is_empty()),
        })
    }
}

#[derive(Deserialize)]
struct WireSpec<'a> {
    #[serde(default, borrow)]
    pipeline_spec: Option<&'a RawValue>,
    #[serde(default, borrow)]
    platform_spec: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "apiVersion")]
    api_version: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "pipelineInfo")]
    pipeline_info: Option<&'a RawValue>,
    #[serde(default, borrow)]
    root: Option<&'a RawValue>,
}

/// Reads `pipeline_spec` of a version: bare, or wrapped together with platform settings.
fn spec(raw: &RawValue) -> Result<Spec, String> {
    let wire: WireSpec<'_> = serde_json::from_str(raw.get())
        .map_err(|error| format!("the stored spec is not a pipeline: {error}"))?;
    if let Some(pipeline) = wire.pipeline_spec {
        let platform = wire.platform_spec.map(|platform| Arc::from(platform.get()));
        return Ok(Spec::from_text(pipeline.get(), platform));
    }
    if wire.pipeline_info.is_some() || wire.root.is_some() {
        return Ok(Spec::from_text(raw.get(), None));
    }
    if wire.api_version.is_some() {
        return Err("an Argo workflow of KFP v1".to_owned());
    }
    Err("the stored spec is not a pipeline of KFP v2".to_owned())
}

/// Reads one pipeline.
///
/// # Errors
/// When the text is not a pipeline; the message is for people.
pub fn pipeline(text: &[u8]) -> Result<Pipeline, String> {
    item(text)?.into_pipeline()
}

/// Reads one version.
///
/// # Errors
/// When the text is not a version; the message is for people.
pub fn version(text: &[u8]) -> Result<Version, String> {
    item(text)?.into_version()
}

fn item(text: &[u8]) -> Result<WireItem<'_>, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// Reads a page of pipelines. An empty page may lack every member.
///
/// # Errors
/// When the text is not such a page.
pub fn pipelines(text: &[u8]) -> Result<Page<Pipeline>, String> {
    let list = list(text)?;
    let items = list
        .pipelines
        .into_iter()
        .map(WireItem::into_pipeline)
        .collect::<Result<_, _>>()?;
    Ok(page(items, list.next_page_token))
}

/// Reads a page of versions. An empty page may lack every member.
///
/// # Errors
/// When the text is not such a page.
pub fn versions(text: &[u8]) -> Result<Page<Version>, String> {
    let list = list(text)?;
    let items = list
        .pipeline_versions
        .into_iter()
        .map(WireItem::into_version)
        .collect::<Result<_, _>>()?;
    Ok(page(items, list.next_page_token))
}

fn list(text: &[u8]) -> Result<WireList<'_>, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

fn page<T>(items: Vec<T>, next: String) -> Page<T> {
    Page {
        items,
        next: (!next.is_empty()).then_some(next),
    }
}

#[derive(Deserialize)]
struct WireHealth {
    #[serde(default, deserialize_with = "lenient")]
    tag_name: String,
    // The UI answers in the API's place with its own names, and repeats `multi_user`.
    #[serde(default, deserialize_with = "lenient", rename = "apiServerTagName")]
    api_server_tag_name: String,
    #[serde(default)]
    multi_user: Option<bool>,
    #[serde(default, rename = "apiServerMultiUser")]
    api_server_multi_user: Option<bool>,
    #[serde(default, rename = "apiServerReady")]
    api_server_ready: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pipeline_store: String,
    // The embedded registry's own.
    #[serde(default)]
    conditional_uploads: Option<bool>,
}

/// What `healthz` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The server, its version only as far as told.
    pub server: Server,
    /// `false` when the UI answered that the API behind it does not.
    pub ready: bool,
}

/// Reads `healthz` of the API or of the UI in front of it.
///
/// # Errors
/// When the text is not that of a pipelines server.
pub fn health(text: &[u8]) -> Result<Health, String> {
    let wire: WireHealth = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let ready = wire.api_server_ready.unwrap_or(true);
    let multi_user = wire.multi_user.or(wire.api_server_multi_user);
    if multi_user.is_none() && ready {
        return Err("`multi_user` is missing".to_owned());
    }
    let tag_name = [wire.tag_name, wire.api_server_tag_name]
        .into_iter()
        .find(|tag| !tag.is_empty() && tag != "unknown");
    let version = tag_name.as_deref().and_then(|tag| {
        let digits = tag.trim_start_matches(|character: char| !character.is_ascii_digit());
        semver::Version::parse(digits).ok()
    });
    let store = if wire.pipeline_store == "kubernetes" {
        Store::Kubernetes
    } else {
        Store::Database
    };
    Ok(Health {
        server: Server {
            version,
            tag_name,
            multi_user: multi_user.unwrap_or(false),
            store,
            probed: false,
            conditional_uploads: wire.conditional_uploads.unwrap_or(false),
        },
        ready,
    })
}

#[cfg(test)]
mod tests;
