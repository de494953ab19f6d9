//! The tables, and the path from every older shape of them to the newest.

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// One step per shape of the tables, oldest first. A step is never edited once released: a change is a
/// new step at the end. `PRAGMA user_version` of a file is the number of steps it has behind it.
///
/// `…_key` columns hold the text as the server's database compares it (see [`super::fold`]), because
/// names there are unique without regard to case. The indexes on `created_at` serve the call that every
/// plan makes: the newest version of one pipeline.
const STEPS: &[&str] = &[
    "
    CREATE TABLE pipelines (
        id               TEXT PRIMARY KEY NOT NULL,
        namespace        TEXT NOT NULL,
        name             TEXT NOT NULL,
        name_key         TEXT NOT NULL,
        display_name     TEXT NOT NULL,
        display_name_key TEXT NOT NULL,
        description      TEXT NOT NULL,
        created_at       INTEGER NOT NULL,
        tags             TEXT NOT NULL,
        UNIQUE (namespace, name_key)
    ) STRICT;
    CREATE INDEX pipelines_by_time ON pipelines (namespace, created_at, id);

    CREATE TABLE versions (
        id               TEXT PRIMARY KEY NOT NULL,
        pipeline_id      TEXT NOT NULL REFERENCES pipelines (id),
        name             TEXT NOT NULL,
        name_key         TEXT NOT NULL,
        display_name     TEXT NOT NULL,
        display_name_key TEXT NOT NULL,
        description      TEXT NOT NULL,
        created_at       INTEGER NOT NULL,
        tags             TEXT NOT NULL,
        spec             TEXT,
        UNIQUE (pipeline_id, name_key)
    ) STRICT;
    CREATE INDEX versions_by_time ON versions (pipeline_id, created_at, id);

    CREATE TABLE experiments (
        id                  TEXT PRIMARY KEY NOT NULL,
        namespace           TEXT NOT NULL,
        name                TEXT NOT NULL,
        name_key            TEXT NOT NULL,
        description         TEXT NOT NULL,
        created_at          INTEGER NOT NULL,
        last_run_created_at INTEGER NOT NULL,
        storage_state       TEXT NOT NULL,
        UNIQUE (namespace, name_key)
    ) STRICT;
    CREATE INDEX experiments_by_time ON experiments (namespace, created_at, id);
",
    // The resource that a server with the Kubernetes store would keep the version in; only tests have any.
    "
    ALTER TABLE versions ADD COLUMN resource TEXT;
    CREATE UNIQUE INDEX versions_by_resource ON versions (resource) WHERE resource IS NOT NULL;
",
];

/// Brings the tables to the newest shape. Two processes may do so at once: the second waits for the first
/// and finds nothing left to do.
///
/// # Errors
/// The file was written by a newer program, or SQLite refuses.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let newest = STEPS.len();
    if version(connection)? == newest {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > newest {
        return Err(StoreError::Newer { found, newest });
    }
    for step in &STEPS[found..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(newest).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}

fn version(connection: &Connection) -> Result<usize, StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_newer_program_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert_eq!(version(&connection).unwrap(), 99);
    }

    #[test]
    fn rows_of_every_older_shape_survive() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection
            .execute_batch(
                "INSERT INTO pipelines VALUES ('p', '', 'n', 'n', 'n', 'n', '', 1, '{}');
                 INSERT INTO versions VALUES ('v', 'p', 'n', 'n', 'n', 'n', '', 1, '{}', NULL);
                 INSERT INTO versions VALUES ('w', 'p', 'm', 'm', 'm', 'm', '', 1, '{}', NULL);",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let kept: i64 = connection
            .query_row("SELECT count(*) FROM versions", [], |row| row.get(0))
            .unwrap();
        assert_eq!((version(&connection).unwrap(), kept), (STEPS.len(), 2));
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), STEPS.len());
    }
}
