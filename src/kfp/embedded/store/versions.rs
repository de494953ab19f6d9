//! Pipeline versions.

use super::listing::{Field, Kind, Listable, Listed};
use super::{
    Page, PageRequest, Store, StoreError, Tags, fold, listing, tags_from_text, tags_to_text, taken, writing,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;
use std::sync::Arc;

/// A stored pipeline version.
#[derive(Clone, Debug)]
pub struct Version {
    /// The id the store gave it.
    pub id: String,
    /// The pipeline it belongs to.
    pub pipeline_id: String,
    /// Unique in its pipeline without regard to case.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// May be empty.
    pub description: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// May be empty.
    pub tags: Tags,
    /// The spec as JSON, passed through without being read; `None` where the server cannot read it back.
    pub spec: Option<Box<RawValue>>,
}

/// A version to be made.
#[derive(Clone, Debug, Default)]
pub struct NewVersion {
    pub pipeline_id: String,
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub tags: Tags,
    pub spec: Option<Box<RawValue>>,
    /// The cluster's resource it is kept in, unique in the cluster; only on the Kubernetes store.
    pub resource: Option<String>,
    /// What must hold when it is stored, else nothing is.
    pub condition: Option<Condition>,
}

/// What must hold of a pipeline when a version of it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The version of that id is its newest.
    Newest(String),
    /// It has no version.
    None,
}

impl Condition {
    fn holds(&self, newest: Option<&str>) -> bool {
        match self {
            Self::Newest(id) => newest == Some(id),
            Self::None => newest.is_none(),
        }
    }
}

impl Listed for Version {
    const LISTABLE: Listable = Listable {
        table: "versions",
        model: "pipeline_versions",
        type_name: "PipelineVersion",
        fields: &[
            Field {
                api: &["created_at"],
                model: "CreatedAtInSec",
                column: "created_at",
                compared: "created_at",
                kind: Kind::Time,
            },
            Field {
                api: &["pipeline_version_id", "id"],
                model: "UUID",
                column: "id",
                compared: "id",
                kind: Kind::Exact,
            },
            Field {
                api: &["name"],
                model: "Name",
                column: "name",
                compared: "name_key",
                kind: Kind::Folded,
            },
            Field {
                api: &["display_name"],
                model: "DisplayName",
                column: "display_name",
                compared: "display_name_key",
                kind: Kind::Folded,
            },
            Field {
                api: &["description"],
                model: "Description",
                column: "description",
                compared: "description",
                kind: Kind::Exact,
            },
            Field {
                api: &["pipeline_id"],
                model: "PipelineId",
                column: "pipeline_id",
                compared: "pipeline_id",
                kind: Kind::Exact,
            },
        ],
        tagged: true,
        columns: "id, pipeline_id, name, display_name, description, created_at, tags, spec",
    };

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let spec: Option<String> = row.get(7)?;
        let spec = spec.map(RawValue::from_string).transpose().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok(Self {
            id: row.get(0)?,
            pipeline_id: row.get(1)?,
            name: row.get(2)?,
            display_name: row.get(3)?,
            description: row.get(4)?,
            created_at: row.get(5)?,
            tags: tags_from_text(row.get_ref(6)?.as_str()?)?,
            spec,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Store {
    /// Adds a version to its pipeline.
    ///
    /// # Errors
    /// [`StoreError::Moved`] where the condition does not hold, [`StoreError::Missing`] where there is no such pipeline, [`StoreError::Duplicate`] where it has a
    /// version of that name.
    pub(in crate::kfp::embedded) async fn create_version(
        self: &Arc<Self>,
        new: NewVersion,
    ) -> Result<Version, StoreError> {
        let condition = new.condition.clone();
        let (version, resource) = self.prepare_version(new);
        self.run(move |connection| {
            let transaction = writing(connection)?;
            let known = transaction
                .query_row(
                    "SELECT 1 FROM pipelines WHERE id = ?1",
                    [&version.pipeline_id],
                    |_| Ok(()),
                )
                .optional()?;
            if known.is_none() {
                return Err(StoreError::Missing);
            }
            // Within the transaction that stores: nobody can come in between.
            if let Some(condition) = &condition
                && !condition.holds(newest_id(&transaction, &version.pipeline_id)?.as_deref())
            {
                return Err(StoreError::Moved);
            }
            insert_version(&transaction, &version, resource.as_deref())?;
            transaction.commit()?;
            Ok(version)
        })
        .await
    }

    /// The version of that id, whatever its pipeline: the server ignores the pipeline in the path.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn version(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Option<Version>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| version_by_id(connection, &id)).await
    }

    /// One page of versions.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn versions(
        self: &Arc<Self>,
        request: PageRequest,
    ) -> Result<Page<Version>, StoreError> {
        self.run(move |connection| listing::list(connection, &request))
            .await
    }

    /// Changes what may be changed; `None` leaves as it is.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn change_version(
        self: &Arc<Self>,
        id: &str,
        display_name: Option<String>,
        tags: Option<Tags>,
    ) -> Result<Option<Version>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let transaction = writing(connection)?;
            transaction.execute(
                "UPDATE versions SET display_name = coalesce(?2, display_name), \
                 display_name_key = coalesce(?3, display_name_key), tags = coalesce(?4, tags) WHERE id = ?1",
                params![
                    id,
                    display_name,
                    display_name.as_deref().map(fold),
                    tags.as_ref().map(tags_to_text)
                ],
            )?;
            let changed = version_by_id(&transaction, &id)?;
            transaction.commit()?;
            Ok(changed)
        })
        .await
    }

    /// Removes a version; says whether there was one.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn remove_version(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| Ok(connection.execute("DELETE FROM versions WHERE id = ?1", [&id])? > 0))
            .await
    }

    pub(super) fn prepare_version(&self, new: NewVersion) -> (Version, Option<String>) {
        let version = Version {
            id: self.new_id(),
            pipeline_id: new.pipeline_id,
            name: new.name,
            display_name: new.display_name,
            description: new.description,
            created_at: self.now(),
            tags: new.tags,
            spec: new.spec,
        };
        (version, new.resource)
    }
}

pub(super) fn insert_version(
    connection: &Connection,
    version: &Version,
    resource: Option<&str>,
) -> Result<(), StoreError> {
    connection
        .execute(
            "INSERT INTO versions (id, pipeline_id, name, name_key, display_name, display_name_key, description, \
             created_at, tags, spec, resource) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                version.id,
                version.pipeline_id,
                version.name,
                fold(&version.name),
                version.display_name,
                fold(&version.display_name),
                version.description,
                version.created_at,
                tags_to_text(&version.tags),
                version.spec.as_ref().map(|spec| spec.get()),
                resource,
            ],
        )
        .map_err(taken)?;
    Ok(())
}

/// The version that a list shows first.
fn newest_id(connection: &Connection, pipeline: &str) -> Result<Option<String>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT id FROM versions WHERE pipeline_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1",
        )?
        .query_row([pipeline], |row| row.get(0))
        .optional()?)
}

fn version_by_id(connection: &Connection, id: &str) -> Result<Option<Version>, StoreError> {
    let query = format!("SELECT {} FROM versions WHERE id = ?1", Version::LISTABLE.columns);
    Ok(connection
        .prepare_cached(&query)?
        .query_row([id], Version::from_row)
        .optional()?)
}
