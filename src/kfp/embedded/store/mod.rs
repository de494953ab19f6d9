//! What the registry remembers, in one SQLite file.
//!
//! Several processes may use the file at once and any of them may be killed at any moment: every write is
//! one transaction in WAL mode, and unique indexes, not look-ups, keep names unique.

mod experiments;
mod listing;
mod pipelines;
mod schema;
mod versions;

pub use experiments::Experiment;
pub use listing::{
    Field, Kind, Listable, Listed, Operand, Operation, Page, PageRequest, Predicate, Start, Subject,
};
pub use pipelines::{NewPipeline, Pipeline, Removal};
pub use versions::{Condition, NewVersion, Version};

use super::clock::{Clock, Identifiers, RandomIdentifiers, SystemClock};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tags of a pipeline or a version (server 2.17.0).
pub type Tags = BTreeMap<String, String>;

/// How long a call waits for another process that is writing.
const BUSY: Duration = Duration::from_secs(20);

/// Most connections to a file: readers do not wait for the one writer.
const CONNECTIONS: usize = 4;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file holds tables of a newer program.
    #[error("the registry's file has tables of shape {found}, this program knows {newest}")]
    Newer {
        /// The shape found.
        found: usize,
        /// The newest shape this program knows.
        newest: usize,
    },
    /// The name is taken.
    #[error("the name is taken")]
    Duplicate,
    /// The newest version is not the one that was asked for.
    #[error("the newest version is another one")]
    Moved,
    /// There is no such row.
    #[error("not found")]
    Missing,
    /// A stored value is not what was written.
    #[error("damaged row: {0}")]
    Damaged(String),
    /// SQLite's own trouble: disk full, locked for too long, not a database.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// The registry's memory. Cheap to share; calls may come from many tasks at once.
pub struct Store {
    connections: Mutex<Connections>,
    returned: Condvar,
    /// `None` where everything is in memory, which is one connection.
    path: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    identifiers: Arc<dyn Identifiers>,
}

/// The connections to a file, opened as they are needed.
struct Connections {
    idle: Vec<Connection>,
    opened: usize,
}

impl Store {
    /// Opens the file, creating it where it does not exist.
    ///
    /// # Errors
    /// The file cannot be opened or is not a registry of this or an older program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(path)?;
        schema::migrate(&mut connection)?;
        Ok(Self::new(connection, Some(path.to_owned())))
    }

    /// A store that forgets everything when dropped.
    ///
    /// # Errors
    /// SQLite refuses, which it only does without memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::migrate(&mut connection)?;
        Ok(Self::new(connection, None))
    }

    fn new(connection: Connection, path: Option<PathBuf>) -> Self {
        Self {
            connections: Mutex::new(Connections {
                idle: vec![connection],
                opened: 1,
            }),
            returned: Condvar::new(),
            path,
            clock: Arc::new(SystemClock),
            identifiers: Arc::new(RandomIdentifiers),
        }
    }

    /// The same store with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same store with other ids.
    #[must_use]
    pub fn with_identifiers(mut self, identifiers: Arc<dyn Identifiers>) -> Self {
        self.identifiers = identifiers;
        self
    }

    /// Now, in whole seconds since 1970: the only precision a real server keeps.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    pub(super) fn new_id(&self) -> String {
        self.identifiers.next()
    }

    /// Runs `work` on a connection away from the async threads. A store in memory is fast enough to be
    /// asked on the spot, which keeps tests on virtual time deterministic.
    pub(super) async fn run<T, W>(self: &Arc<Self>, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        if self.path.is_none() {
            return self.run_here(work);
        }
        let store = Arc::clone(self);
        match tokio::task::spawn_blocking(move || store.run_here(work)).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::Damaged(format!("the store's thread ended: {error}"))),
        }
    }

    fn run_here<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut lent = Lent {
            store: self,
            connection: self.take(),
        };
        match &mut lent.connection {
            Some(connection) => work(connection),
            // Another connection is allowed: the count already says so, and `lent` takes it back on failure.
            None => {
                let path = self.path.as_deref().unwrap_or(Path::new(":memory:"));
                work(lent.connection.insert(connect(path)?))
            }
        }
    }

    /// An idle connection, or `None` where another one may be opened; waits while all are busy.
    fn take(&self) -> Option<Connection> {
        let mut connections = self.lock();
        loop {
            if let Some(connection) = connections.idle.pop() {
                return Some(connection);
            }
            if self.path.is_some() && connections.opened < CONNECTIONS {
                connections.opened += 1;
                return None;
            }
            connections = self
                .returned
                .wait(connections)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, or the place of one, that goes back to its store however its use ends.
struct Lent<'store> {
    store: &'store Store,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut connections = self.store.lock();
        match self.connection.take() {
            Some(connection) => connections.idle.push(connection),
            None => connections.opened -= 1,
        }
        drop(connections);
        self.store.returned.notify_one();
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Turning WAL on needs the file alone for a moment, and SQLite answers "busy" at once instead of
    // waiting when another process does the same.
    let deadline = Instant::now() + BUSY;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => break other?,
        }
    }
    // A killed process loses nothing at this level; only a power cut may lose the last writes.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// A transaction that takes the write lock at its start, so that it never fails half way for want of it.
fn writing(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Tells a taken name from every other trouble.
fn taken(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Duplicate,
        _ => StoreError::Sqlite(error),
    }
}

/// A text as the server's database compares it: without case, and without spaces at the end
/// (MySQL's `utf8_general_ci`; recording 2.17.0: `pipeline_create_upper`, `pipeline_by_name_upper`).
#[must_use]
pub(super) fn fold(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

fn tags_to_text(tags: &Tags) -> String {
    serde_json::to_string(tags).unwrap_or_else(|_| "{}".to_owned())
}

fn tags_from_text(text: &str) -> Result<Tags, rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
