//! The journal: what was about to be written, and what came of it, one JSON object per line.
//!
//! It explains what was in flight when a run died, and spares the next run what this one has found out
//! already. The server stays the truth: nothing is left out and nothing is sent because of the journal alone.

use crate::ids::{Digest, PipelineId, VersionId};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
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
    /// The name is held by what nobody can list: another one has to be used.
    Taken,
    /// A later run has looked at the server, and found what there is.
    Settled,
}

impl Event {
    /// Whether the write may have been carried out, for all that this line says.
    const fn is_open(self) -> bool {
        matches!(self, Self::Intent | Self::Unknown)
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in UTC.
    pub at: String,
    /// The CI run, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The process that wrote the line; runs outside CI have nothing else to be told apart by.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub process: String,
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

/// From this size on a journal is made smaller when it is opened, in bytes.
const LARGE: usize = 1 << 20;

/// Appends entries to a file, or to nothing.
#[derive(Debug, Default)]
pub struct Journal {
    file: Option<Mutex<File>>,
    run: Option<String>,
    process: String,
    earlier: Earlier,
}

/// What earlier runs left, by pipeline.
#[derive(Debug, Default)]
struct Earlier {
    /// Writes that were announced and never settled.
    unsettled: HashMap<String, Vec<Entry>>,
    /// Version names that nobody can use.
    taken: HashMap<String, Vec<Entry>>,
}

impl Journal {
    /// A journal that keeps nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Opens or creates the file and reads what earlier runs left unsettled in it. A large one loses the
    /// lines that tell nothing any more, unless another run has it open.
    ///
    /// # Errors
    /// When the file cannot be created or read.
    pub fn open(path: &Path, run: Option<String>) -> std::io::Result<Self> {
        // A pipe would be read for ever, and a link may lead to a file that is somebody else's.
        if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
            let text = format!("`{}` is not a plain file", path.display());
            return Err(std::io::Error::other(text));
        }
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        // Held shared for the life of this run: who makes it smaller must be alone.
        let alone = file.try_lock().is_ok();
        let mut left = Vec::new();
        file.read_to_end(&mut left)?;
        let earlier = Earlier::read(&String::from_utf8_lossy(&left));
        if alone && left.len() > LARGE {
            file.set_len(0)?;
            file.write_all(earlier.lines().as_bytes())?;
        } else if !left.is_empty() && !left.ends_with(b"\n") {
            // The earlier run died in the middle of a line.
            file.write_all(b"\n")?;
        }
        // File systems without locks: then nobody makes it smaller.
        let _ = file.lock_shared();
        Ok(Self {
            earlier,
            file: Some(Mutex::new(file)),
            run,
            process: uuid::Uuid::new_v4().simple().to_string()[..8].to_owned(),
        })
    }

    /// Writes that an earlier run announced and never settled, of that pipeline.
    pub fn unsettled<'a>(&'a self, pipeline: &str) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.earlier.unsettled.get(pipeline).into_iter().flatten()
    }

    /// Whether an earlier run found that name to be held by what nobody can list. Finding it out again takes
    /// seconds.
    #[must_use]
    pub fn is_taken(&self, pipeline: &str, version_name: &str) -> bool {
        let taken = self.earlier.taken.get(pipeline).into_iter().flatten();
        taken
            .map(|entry| entry.version_name.as_deref())
            .any(|name| name == Some(version_name))
    }

    /// What an earlier run left open of that pipeline, in words. The server has been asked since: from now
    /// on it counts as settled, with the version that is there.
    pub fn recall(&self, pipeline: &str, found: Option<&VersionId>) -> Vec<String> {
        let mut told = Vec::new();
        for entry in self.unsettled(pipeline) {
            let what = entry.version_name.as_deref().unwrap_or("the pipeline");
            told.push(format!(
                "an earlier run ended during `{}` of `{what}` ({})",
                entry.write, entry.at
            ));
            self.record(Entry {
                event: Event::Settled,
                version_id: found.cloned(),
                cause: None,
                ..entry.clone()
            });
        }
        told
    }

    /// Appends an entry; its time and run are filled in. A journal that cannot be written is no reason to
    /// stop a deployment: it only explains.
    pub fn record(&self, mut entry: Entry) {
        let Some(file) = &self.file else { return };
        entry.at = now().to_rfc3339_opts(SecondsFormat::Millis, true);
        entry.run.clone_from(&self.run);
        entry.process.clone_from(&self.process);
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
            process: String::new(),
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

impl Earlier {
    /// Lines that are not ours are passed over: a killed run leaves half lines.
    fn read(text: &str) -> Self {
        let mut earlier = Self::default();
        for entry in text
            .lines()
            .filter_map(|line| serde_json::from_str::<Entry>(line).ok())
        {
            let open = earlier.unsettled.entry(entry.pipeline.clone()).or_default();
            // What another run did later settles what a killed run left: it looked at the server first.
            open.retain(|before| {
                let other = (&before.process, &before.run) != (&entry.process, &entry.run);
                let same = before.write == entry.write && before.version_name == entry.version_name;
                !(same || other && before.write == entry.write && !entry.event.is_open())
            });
            if entry.event.is_open() {
                open.push(entry);
            } else if entry.event == Event::Taken {
                let taken = earlier.taken.entry(entry.pipeline.clone()).or_default();
                taken.retain(|before| before.version_name != entry.version_name);
                taken.push(entry);
            }
        }
        earlier.unsettled.retain(|_, open| !open.is_empty());
        earlier
    }

    /// The lines that still tell something.
    fn lines(&self) -> String {
        let mut lines = String::new();
        for entry in self.unsettled.values().chain(self.taken.values()).flatten() {
            if let Ok(line) = serde_json::to_string(entry) {
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let theirs = folder.path().join("theirs");
        std::fs::write(&theirs, "theirs").unwrap();
        std::os::unix::fs::symlink(&theirs, &path).unwrap();
        let error = Journal::open(&path, None).unwrap_err();
        assert!(error.to_string().contains("is not a plain file"), "{error}");
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "theirs");
        // A pipe would be waited for: nobody ever closes it.
        std::fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(Journal::open(&path, None).is_err());
    }

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

    fn upload(event: Event, name: &str) -> Entry {
        Entry {
            version_name: Some(name.to_owned()),
            ..Entry::new("demo", "upload-version", event)
        }
    }

    #[test]
    fn what_a_later_run_did_or_found_settles_what_an_earlier_one_left() {
        for event in [Event::Done, Event::Settled] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.jsonl");
            // Two runs on a laptop: neither has a CI run to be told by.
            let open = || Journal::open(&path, None).unwrap();
            open().record(upload(Event::Intent, "v1"));
            let second = open();
            assert_eq!(second.unsettled("demo").count(), 1);
            if event == Event::Done {
                second.record(upload(Event::Done, "v2"));
            } else {
                let told = second.recall("demo", None);
                assert!(told[0].contains("`upload-version` of `v1`"), "{told:?}");
            }
            drop(second);
            assert_eq!(open().unsettled("demo").count(), 0, "{event:?}");
        }
    }

    #[test]
    fn names_that_nobody_can_use_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::open(&path, None)
            .unwrap()
            .record(upload(Event::Taken, "v1"));
        let journal = Journal::open(&path, None).unwrap();
        assert!(journal.is_taken("demo", "v1"));
        assert!(!journal.is_taken("demo", "v2") && !journal.is_taken("other", "v1"));
        assert_eq!(journal.unsettled("demo").count(), 0);
    }

    #[test]
    fn a_large_journal_keeps_what_still_tells_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::open(&path, None).unwrap();
        journal.record(upload(Event::Taken, "v0"));
        let long = "x".repeat(LARGE / 100);
        for number in 0..110 {
            let name = format!("v{number}-{long}");
            journal.record(upload(Event::Intent, &name));
            journal.record(upload(Event::Done, &name));
        }
        journal.record(upload(Event::Intent, "v1"));
        // While a run has it open nobody takes lines away.
        drop(Journal::open(&path, None).unwrap());
        assert!(std::fs::metadata(&path).unwrap().len() > LARGE as u64);
        drop(journal);
        let journal = Journal::open(&path, None).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 1000);
        assert!(journal.is_taken("demo", "v0"));
        drop(journal);
        assert_eq!(Journal::open(&path, None).unwrap().unsettled("demo").count(), 1);
    }

    #[test]
    fn no_journal_keeps_nothing() {
        Journal::none().record(Entry::new("demo", "upload-version", Event::Intent));
    }
}
