//! The journal: what was about to be written, and what came of it, one JSON object per line.
//!
//! It explains what was in flight when a run died. The server stays the truth: nothing is decided from the
//! journal alone.

use crate::ids::{Digest, PipelineId, VersionId};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A write is about to be sent.
    Intent,
    /// It was carried out.
    Done,
    /// It surely was not.
    NotDone,
    /// Nobody can say.
    Unknown,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in UTC.
    pub at: String,
    /// The CI run, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The pipeline's name.
    pub pipeline: String,
    /// `create-pipeline`, `upload-version` or `delete-version`.
    pub write: String,
    /// What the line says of it.
    pub event: Event,
    /// The version's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_name: Option<String>,
    /// The content's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The pipeline's id, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<PipelineId>,
    /// The version's id, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// The cause, where it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Appends entries to a file, or to nothing.
#[derive(Debug, Default)]
pub struct Journal {
    file: Option<Mutex<File>>,
    run: Option<String>,
    unsettled: Vec<Entry>,
}

impl Journal {
    /// A journal that keeps nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Opens or creates the file and reads what an earlier run left unsettled in it.
    ///
    /// # Errors
    /// When the file cannot be created or read.
    pub fn open(path: &Path, run: Option<String>) -> std::io::Result<Self> {
        let left = std::fs::read(path).unwrap_or_default();
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if !left.is_empty() && !left.ends_with(b"\n") {
            // The earlier run died in the middle of a line.
            file.write_all(b"\n")?;
        }
        Ok(Self {
            unsettled: unsettled(&String::from_utf8_lossy(&left)),
            file: Some(Mutex::new(file)),
            run,
        })
    }

    /// Writes that an earlier run announced and never settled, of that pipeline.
    pub fn unsettled<'a>(&'a self, pipeline: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.unsettled
            .iter()
            .filter(move |entry| entry.pipeline == pipeline)
    }

    /// Appends an entry; its time and run are filled in. A journal that cannot be written is no reason to
    /// stop a deployment: it only explains.
    pub fn record(&self, mut entry: Entry) {
        let Some(file) = &self.file else { return };
        entry.at = now().to_rfc3339_opts(SecondsFormat::Millis, true);
        entry.run.clone_from(&self.run);
        let Ok(mut line) = serde_json::to_string(&entry) else {
            return;
        };
        line.push('\n');
        // One write call per line: lines of concurrent pipelines never mix.
        if let Ok(mut file) = file.lock()
            && let Err(error) = file.write_all(line.as_bytes())
        {
            tracing::warn!(%error, "the journal cannot be written");
        }
    }
}

fn now() -> DateTime<Utc> {
    Utc::now()
}

impl Entry {
    /// An entry without time.
    #[must_use]
    pub fn new(pipeline: &str, write: &str, event: Event) -> Self {
        Self {
            at: String::new(),
            run: None,
            pipeline: pipeline.to_owned(),
            write: write.to_owned(),
            event,
            version_name: None,
            digest: None,
            pipeline_id: None,
            version_id: None,
            cause: None,
        }
    }
}

/// Intents without a settled result. Lines that are not ours are passed over: a killed run leaves half lines.
fn unsettled(text: &str) -> Vec<Entry> {
    let mut open: Vec<Entry> = Vec::new();
    for entry in text
        .lines()
        .filter_map(|line| serde_json::from_str::<Entry>(line).ok())
    {
        // A write that was done later settles what a killed run left: that run looked at the server first.
        open.retain(|earlier| {
            let same_write = (&earlier.pipeline, &earlier.write) == (&entry.pipeline, &entry.write);
            let same_name = earlier.version_name == entry.version_name;
            let later_run = entry.event == Event::Done && earlier.run != entry.run;
            !(same_write && (same_name || later_run))
        });
        if matches!(entry.event, Event::Intent | Event::Unknown) {
            open.push(entry);
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intents_without_result_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let named = |event, name: &str| Entry {
            version_name: Some(name.to_owned()),
            ..Entry::new("demo", "upload-version", event)
        };
        let journal = Journal::open(&path, Some("https://ci/1".to_owned())).unwrap();
        journal.record(named(Event::Intent, "v1"));
        journal.record(named(Event::Done, "v1"));
        journal.record(named(Event::Intent, "v2"));
        journal.record(Entry::new("other", "create-pipeline", Event::Intent));
        journal.record(Entry::new("other", "create-pipeline", Event::NotDone));
        drop(journal);
        // Killed in the middle of a line.
        std::fs::write(
            &path,
            [std::fs::read(&path).unwrap(), b"{\"at\":\"2".to_vec()].concat(),
        )
        .unwrap();
        let journal = Journal::open(&path, None).unwrap();
        let left: Vec<_> = journal
            .unsettled("demo")
            .map(|entry| entry.version_name.as_deref())
            .collect();
        assert_eq!(left, [Some("v2")]);
        assert_eq!(journal.unsettled("other").count(), 0);
        journal.record(named(Event::Done, "v2"));
        let journal = Journal::open(&path, None).unwrap();
        assert_eq!(journal.unsettled("demo").count(), 0);
    }

    #[test]
    fn no_journal_keeps_nothing() {
        Journal::none().record(Entry::new("demo", "upload-version", Event::Intent));
    }
}
