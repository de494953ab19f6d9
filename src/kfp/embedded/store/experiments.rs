//! Experiments.

use super::listing::{Field, Kind, Listable, Listed};
use super::{Page, PageRequest, Store, StoreError, fold, listing, taken, writing};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// A stored experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// The id the store gave it.
    pub id: String,
    /// The namespace, empty in single-user mode.
    pub namespace: String,
    /// Unique in its namespace without regard to case.
    pub name: String,
    /// May be empty.
    pub description: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970; 0 before the first run.
    pub last_run_created_at: i64,
    /// `AVAILABLE` or `ARCHIVED`.
    pub storage_state: String,
}

impl Listed for Experiment {
    const LISTABLE: Listable = Listable {
        table: "experiments",
        model: "experiments",
        type_name: "Experiment",
        fields: &[
            Field {
                api: &["created_at"],
                model: "CreatedAtInSec",
                column: "created_at",
                compared: "created_at",
                kind: Kind::Time,
            },
            Field {
                api: &["experiment_id", "id"],
                model: "UUID",
                column: "id",
                compared: "id",
                kind: Kind::Exact,
            },
            Field {
                api: &["name", "display_name"],
                model: "Name",
                column: "name",
                compared: "name_key",
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
            Field {
                api: &["storage_state"],
                model: "StorageState",
                column: "storage_state",
                compared: "storage_state",
                kind: Kind::Exact,
            },
            Field {
                api: &["last_run_created_at"],
                model: "LastRunCreatedAtInSec",
                column: "last_run_created_at",
                compared: "last_run_created_at",
                kind: Kind::Time,
            },
        ],
        tagged: false,
        columns: "id, namespace, name, description, created_at, last_run_created_at, storage_state",
    };

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            namespace: row.get(1)?,
            name: row.get(2)?,
            description: row.get(3)?,
            created_at: row.get(4)?,
            last_run_created_at: row.get(5)?,
            storage_state: row.get(6)?,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Store {
    /// Makes an experiment.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the name is taken.
    pub(in crate::kfp::embedded) async fn create_experiment(
        self: &Arc<Self>,
        namespace: String,
        name: String,
        description: String,
    ) -> Result<Experiment, StoreError> {
        let experiment = Experiment {
            id: self.new_id(),
            namespace,
            name,
            description,
            created_at: self.now(),
            last_run_created_at: 0,
            storage_state: "AVAILABLE".to_owned(),
        };
        self.run(move |connection| {
            connection
                .execute(
                    "INSERT INTO experiments (id, namespace, name, name_key, description, created_at, \
                     last_run_created_at, storage_state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        experiment.id,
                        experiment.namespace,
                        experiment.name,
                        fold(&experiment.name),
                        experiment.description,
                        experiment.created_at,
                        experiment.last_run_created_at,
                        experiment.storage_state,
                    ],
                )
                .map_err(taken)?;
            Ok(experiment)
        })
        .await
    }

    /// The experiment of that id.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn experiment(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Option<Experiment>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| experiment_by_id(connection, &id))
            .await
    }

    /// One page of experiments.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn experiments(
        self: &Arc<Self>,
        request: PageRequest,
    ) -> Result<Page<Experiment>, StoreError> {
        self.run(move |connection| listing::list(connection, &request))
            .await
    }

    /// Moves an experiment to or from the archive; says whether there was one.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn set_experiment_state(
        self: &Arc<Self>,
        id: &str,
        state: &'static str,
    ) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            Ok(connection.execute(
                "UPDATE experiments SET storage_state = ?2 WHERE id = ?1",
                params![id, state],
            )? > 0)
        })
        .await
    }

    /// Removes an experiment; says whether there was one.
    ///
    /// # Errors
    /// SQLite's own trouble.
    pub(in crate::kfp::embedded) async fn remove_experiment(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let transaction = writing(connection)?;
            let removed = transaction.execute("DELETE FROM experiments WHERE id = ?1", [&id])?;
            transaction.commit()?;
            Ok(removed > 0)
        })
        .await
    }
}

fn experiment_by_id(connection: &Connection, id: &str) -> Result<Option<Experiment>, StoreError> {
    let query = format!(
        "SELECT {} FROM experiments WHERE id = ?1",
        Experiment::LISTABLE.columns
    );
    Ok(connection
        .prepare_cached(&query)?
        .query_row([id], Experiment::from_row)
        .optional()?)
}
