//! Pipelines.

use super::listing::{Field, Kind, Listable, Listed};
use super::versions::insert_version;
use super::{
    NewVersion, Page, PageRequest, Store, StoreError, Tags, fold, listing, tags_from_text, tags_to_text,
};
use super::{taken, writing};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// A stored pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The id the store gave it.
    pub id: String,
    /// The namespace, empty in single-user mode.
    pub namespace: String,
    /// Unique in its namespace without regard to case.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// May be empty.
    pub description: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// May be empty.
    pub tags: Tags,
}

/// A pipeline to be made.
#[derive(Clone, Debug, Default)]
pub struct NewPipeline {
    pub namespace: String,
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub tags: Tags,
}

/// What removing a pipeline came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    Removed,
    Missing,
    /// It has versions, this one for example, and removing them was not asked for.
    HasVersion(String),
}

impl Listed for Pipeline {
    const LISTABLE: Listable = Listable {
        table: "pipelines",
        model: "pipelines",
        type_name: "Pipeline",
        fields: &[
            Field {
                api: &["created_at"],
                model: "CreatedAtInSec",
                column: "created_at",
                compared: "created_at",
                kind: Kind::Time,
            },
            Field {
                api: &["pipeline_id", "id"],
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
                api: &["namespace"],
                model: "Namespace",
                column: "namespace",
                compared: "namespace",
                kind: Kind::Exact,
            },
        ],
        tagged: true,
        columns: "id, namespace, name, display_name, description, created_at, tags",
    };

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            namespace: row.get(1)?,
            name: row.get(2)?,
            display_name: row.get(3)?,
            description: row.get(4)?,
            created_at: row.get(5)?,
            tags: tags_from_text(row.get_ref(6)?.as_str()?)?,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Store {
    /// Makes a pipeline without versions.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the name is taken.
    pub(in crate::kfp::embedded) async fn create_pipeline(
        self: &Arc<Self>,
        new: NewPipeline,
    ) -> Result<Pipeline, StoreError> {
        let pipeline = self.prepare(new);
        self.run(move |connection| {
            let transaction = writing(connection)?;
            insert_pipeline(&transaction, &pipeline)?;
            transaction.commit()?;
            Ok(pipeline)
        })
        .await
    }

    /// Makes a pipeline and its first version, or neither.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the name is taken.
    pub(in crate::kfp::embedded) async fn create_pipeline_with_version(
        self: &Arc<Self>,
        new: NewPipeline,
        version: NewVersion,
    ) -> Result<Pipeline, StoreError> {
        let pipeline = self.prepare(new);
        let (version, resource) = self.prepare_version(NewVersion {
            pipeline_id: pipeline.id.clone(),
            ..version
        });
        self.run(move |connection| {
            let transaction = writing(connection)?;
            insert_pipeline(&transaction, &pipeline)?;
            insert_version(&transaction, &version, resource.as_deref())?;
            transaction.commit()?;
            Ok(pipeline)
        })
        .await
    }

    /// The pipeline of that id.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn pipeline(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Option<Pipeline>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| pipeline_by_id(connection, &id)).await
    }

    /// The pipeline of that name, without regard to case; the newest where `namespace` is `None` and several
    /// namespaces hold the name.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn pipeline_by_name(
        self: &Arc<Self>,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Pipeline>, StoreError> {
        let (namespace, key) = (namespace.map(ToOwned::to_owned), fold(name));
        self.run(move |connection| {
            let columns = Pipeline::LISTABLE.columns;
            let found = match namespace {
                Some(namespace) => connection
                    .prepare_cached(&format!(
                        "SELECT {columns} FROM pipelines WHERE namespace = ?1 AND name_key = ?2"
                    ))?
                    .query_row([namespace, key], Pipeline::from_row),
                None => connection
                    .prepare_cached(&format!(
                        "SELECT {columns} FROM pipelines WHERE name_key = ?1 ORDER BY created_at DESC LIMIT 1"
                    ))?
                    .query_row([key], Pipeline::from_row),
            };
            Ok(found.optional()?)
        })
        .await
    }

    /// One page of pipelines.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn pipelines(
        self: &Arc<Self>,
        request: PageRequest,
    ) -> Result<Page<Pipeline>, StoreError> {
        self.run(move |connection| listing::list(connection, &request))
            .await
    }

    /// Changes what may be changed; `None` leaves as it is.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn change_pipeline(
        self: &Arc<Self>,
        id: &str,
        display_name: Option<String>,
        tags: Option<Tags>,
    ) -> Result<Option<Pipeline>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let transaction = writing(connection)?;
            transaction.execute(
                "UPDATE pipelines SET display_name = coalesce(?2, display_name), \
                 display_name_key = coalesce(?3, display_name_key), tags = coalesce(?4, tags) WHERE id = ?1",
                params![
                    id,
                    display_name,
                    display_name.as_deref().map(fold),
                    tags.as_ref().map(tags_to_text)
                ],
            )?;
            let changed = pipeline_by_id(&transaction, &id)?;
            transaction.commit()?;
            Ok(changed)
        })
        .await
    }

    /// Removes a pipeline, with its versions where `cascade` says so.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn remove_pipeline(
        self: &Arc<Self>,
        id: &str,
        cascade: bool,
    ) -> Result<Removal, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let transaction = writing(connection)?;
            if cascade {
                transaction.execute("DELETE FROM versions WHERE pipeline_id = ?1", [&id])?;
            } else {
                let version: Option<String> = transaction
                    .query_row(
                        "SELECT id FROM versions WHERE pipeline_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1",
                        [&id],
                        |row| row.get(0),
                    )
                    .optional()?;
                if let Some(version) = version {
                    return Ok(Removal::HasVersion(version));
                }
            }
            let removed = transaction.execute("DELETE FROM pipelines WHERE id = ?1", [&id])?;
            transaction.commit()?;
            Ok(if removed == 0 { Removal::Missing } else { Removal::Removed })
        })
        .await
    }

    fn prepare(&self, new: NewPipeline) -> Pipeline {
        Pipeline {
            id: self.new_id(),
            namespace: new.namespace,
            name: new.name,
            display_name: new.display_name,
            description: new.description,
            created_at: self.now(),
            tags: new.tags,
        }
    }
}

fn insert_pipeline(connection: &Connection, pipeline: &Pipeline) -> Result<(), StoreError> {
    connection
        .execute(
            "INSERT INTO pipelines (id, namespace, name, name_key, display_name, display_name_key, description, \
             created_at, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                pipeline.id,
                pipeline.namespace,
                pipeline.name,
                fold(&pipeline.name),
                pipeline.display_name,
                fold(&pipeline.display_name),
                pipeline.description,
                pipeline.created_at,
                tags_to_text(&pipeline.tags),
            ],
        )
        .map_err(taken)?;
    Ok(())
}

fn pipeline_by_id(connection: &Connection, id: &str) -> Result<Option<Pipeline>, StoreError> {
    let query = format!(
        "SELECT {} FROM pipelines WHERE id = ?1",
        Pipeline::LISTABLE.columns
    );
    Ok(connection
        .prepare_cached(&query)?
        .query_row([id], Pipeline::from_row)
        .optional()?)
}
