//! Which server the registry passes for.
//!
//! The registry itself answers as 2.17.0 with the database store. Tests of the client need the others too, so
//! every difference that a recording shows is one named question here, and the handlers ask it.

use super::access::Users;
use super::ir::Release;
use super::names;
use std::sync::Arc;

/// Where a server keeps its pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipelineStore {
    /// A MySQL database.
    Database,
    /// Resources of the cluster, so that names must be DNS names (since 2.14.0).
    Kubernetes,
}

/// A server the registry passes for.
#[derive(Clone, Debug)]
pub struct Dialect {
    version: String,
    release: Release,
    store: PipelineStore,
    users: Option<Arc<Users>>,
    conditional: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            version: "2.17.0".to_owned(),
            release: (17, 0),
            store: PipelineStore::Database,
            users: None,
            conditional: true,
        }
    }
}

/// The namespace of a single-user server with the Kubernetes store.
const OWN_NAMESPACE: &str = "kubeflow";

impl Dialect {
    /// The single-user server of that version (`2.<minor>.<patch>`) with the database store. Recorded, and so
    /// known to be right, are 2.0.5, 2.5.0, 2.16.1 and 2.17.0; what lies between follows the notes on when
    /// the server changed.
    #[must_use]
    pub fn of(version: &str) -> Option<Self> {
        let (minor, patch) = version.strip_prefix("2.")?.split_once('.')?;
        let release = (minor.parse().ok()?, patch.parse().ok()?);
        Some(Self {
            version: version.to_owned(),
            release,
            conditional: false,
            ..Self::default()
        })
    }

    /// The same server with the Kubernetes store.
    #[must_use]
    pub fn on_kubernetes(self) -> Self {
        Self {
            store: PipelineStore::Kubernetes,
            ..self
        }
    }

    /// The same server in multi-user mode.
    #[must_use]
    pub fn for_users(self, users: Users) -> Self {
        Self {
            users: Some(Arc::new(users)),
            ..self
        }
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) const fn release(&self) -> Release {
        self.release
    }

    pub(super) const fn store(&self) -> PipelineStore {
        self.store
    }

    pub(super) fn users(&self) -> Option<&Users> {
        self.users.as_deref()
    }

    pub(super) const fn on_database(&self) -> bool {
        matches!(self.store, PipelineStore::Database)
    }

    /// The namespace in which a call that asks for `asked` works. Single-user servers do not listen.
    pub(super) fn namespace(&self, asked: &str) -> String {
        match (self.store, &self.users) {
            (_, Some(_)) => asked.to_owned(),
            (PipelineStore::Kubernetes, None) => OWN_NAMESPACE.to_owned(),
            (PipelineStore::Database, None) => String::new(),
        }
    }

    /// The namespace as messages name it: single-user servers forget at once what was asked for.
    pub(super) fn named_namespace<'a>(&self, asked: &'a str) -> &'a str {
        if self.users.is_some() { asked } else { "" }
    }

    /// The gateway of the first 2.x servers (grpc-gateway 1): other error bodies, unknown members ignored.
    pub(super) fn old_gateway(&self) -> bool {
        self.release < (14, 0)
    }

    /// `name` beside `display_name`; before, there was one name and it was called `display_name`.
    pub(super) fn has_names(&self) -> bool {
        self.release >= (14, 0)
    }

    /// Tags, and `PATCH` to change them.
    pub(super) fn has_tags(&self) -> bool {
        self.release >= (17, 0)
    }

    /// The length of names is checked before the database sees them.
    pub(super) fn checks_lengths(&self) -> bool {
        self.release >= (15, 0)
    }

    /// `GET /pipelines/names/{name}` works (2.0.5: 500 to everything).
    pub(super) fn finds_by_name(&self) -> bool {
        self.release >= (1, 0)
    }

    /// Uploads under a taken name answer 409 (2.0.5: 500).
    pub(super) fn tells_duplicate_uploads(&self) -> bool {
        self.release >= (1, 0)
    }

    /// Uploads say why they are refused, chain and all.
    pub(super) fn explains_uploads(&self) -> bool {
        self.release < (15, 0)
    }

    /// Refused specs answer 400 with a reason (before: 500).
    pub(super) fn blames_the_spec(&self) -> bool {
        self.release >= (17, 0)
    }

    /// Refusals late in an upload are JSON by their content type too (2.0.5: text).
    pub(super) fn types_refused_uploads(&self) -> bool {
        self.release >= (1, 0)
    }

    /// `cascade=true` removes a pipeline with its versions.
    pub(super) fn cascades(&self) -> bool {
        self.release >= (14, 0)
    }

    /// Page tokens that cannot be read are called *page* tokens, and carry `SortBySQLColumn`.
    pub(super) fn new_page_tokens(&self) -> bool {
        self.release >= (17, 0)
    }

    /// `last_run_created_at` of an experiment that never ran is there.
    pub(super) fn tells_last_run(&self) -> bool {
        self.release >= (1, 0)
    }

    /// Argo workflows come back with `creationTimestamp: null`.
    pub(super) fn dates_workflows(&self) -> bool {
        self.release < (17, 0)
    }

    /// Uploads may name the version that must be the newest: the registry's own, no released server has it.
    pub(super) const fn takes_conditions(&self) -> bool {
        self.conditional
    }

    /// `healthz` tells the store.
    pub(super) fn tells_store(&self) -> bool {
        self.release >= (14, 0)
    }

    /// What the database says to storing these two names, if one of them holds a four-byte character. 2.0.5 and
    /// 2.16.1 store it (and then cannot look it up); 2.5.0 and 2.17.0 refuse it.
    pub(super) fn refuses_to_store(&self, display_name: &str, name: &str) -> Option<String> {
        let stores = self.release < (1, 0) || ((14, 0)..(17, 0)).contains(&self.release);
        if stores || !self.on_database() {
            return None;
        }
        let columns = [(display_name, "DisplayName"), (name, "Name")];
        let columns = if self.has_names() {
            &columns[..]
        } else {
            &columns[1..]
        };
        let (text, column) = columns
            .iter()
            .find(|(text, _)| names::has_four_byte_character(text))?;
        Some(format!(
            "Failed to add pipeline to pipeline table: {}",
            names::incorrect_string(text, column)
        ))
    }

    /// What the database says to looking for such a text.
    pub(super) fn refuses_to_find(&self, text: &str) -> Option<String> {
        if !self.on_database() || !names::has_four_byte_character(text) {
            return None;
        }
        let state = if self.release < (1, 0) { "" } else { " (HY000)" };
        Some(format!("Error 1267{state}: {}", names::ILLEGAL_COLLATIONS))
    }

    /// Checks a name against the rules of the Kubernetes store, where that is the store.
    pub(super) fn check_resource_name(&self, kind: &str, name: &str) -> Result<(), String> {
        if self.on_database() || names::is_dns_subdomain(name) {
            return Ok(());
        }
        Err(names::not_a_dns_subdomain(kind, name))
    }

    /// The resource of a version, unique in its cluster, where there is one. The first version of a pipeline
    /// bears the pipeline's name; later ones were named by themselves before 2.17.0, so that no two pipelines
    /// could have a version of one name, and are named by both since.
    pub(super) fn version_resource(
        &self,
        namespace: &str,
        pipeline: &str,
        version: &str,
        first: bool,
    ) -> Option<String> {
        if self.on_database() {
            return None;
        }
        let name = match (first, self.release >= (17, 0)) {
            (true, _) => pipeline.to_owned(),
            (false, true) => format!("{pipeline}-{version}"),
            (false, false) => version.to_owned(),
        };
        Some(format!("{namespace}/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(Dialect::of("2.16.1").unwrap().release(), (16, 1));
        assert!(Dialect::of("1.8.5").is_none());
        assert!(Dialect::of("2.17").is_none());
    }

    #[test]
    fn resources_of_versions_collide_as_on_their_server() {
        let new = Dialect::default().on_kubernetes();
        assert_eq!(
            new.version_resource("n", "a-b", "c", false),
            new.version_resource("n", "a", "b-c", false)
        );
        let old = Dialect::of("2.16.1").unwrap().on_kubernetes();
        assert_eq!(
            old.version_resource("n", "a", "v1", false),
            old.version_resource("n", "b", "v1", false)
        );
        assert_eq!(Dialect::default().version_resource("n", "a", "v1", false), None);
    }
}
