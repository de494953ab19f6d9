//! Our mark: one documented line in a description, and the same as tags where the server has them (2.17).
//!
//! ```text
//! kfp-gitops/1 repo=ml/pipelines project=pipelines target=prod file=a_pipeline.py commit=<40 hex>[+dirty] ref=refs/heads/main digest=sha256:<64 hex> run=https://…
//! ```
//!
//! White space, `%` and control characters in values are percent-encoded; what is not known is left out.

use crate::ids::Digest;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// First word of the line; the number is the version of this format.
pub const PREFIX: &str = "kfp-gitops/1";

/// Longest value of a tag in characters (server 2.17.0, `version_upload_tag_value_64` in its recording).
const TAG_LIMIT: usize = 63;

/// Who uploaded a version, from where, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// `owner/name` of the repository.
    pub repo: Option<String>,
    /// The configuration's `project`, by default the repository's name.
    pub project: Option<String>,
    /// Label of where was deployed to.
    pub target: Option<String>,
    /// The source file, relative to the root: tells a removed pipeline from one that was not looked at.
    pub file: Option<String>,
    /// The commit, 40 hex digits.
    pub commit: Option<String>,
    /// Whether the work tree differed from the commit.
    pub dirty: bool,
    /// The git ref.
    pub git_ref: Option<String>,
    /// Digest of the spec; not on the pipeline itself.
    pub digest: Option<Digest>,
    /// Link to the CI run, without its attempt; `local:<uuid>` for a run outside CI.
    pub run: Option<String>,
}

impl Mark {
    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = PREFIX.to_owned();
        let mut add = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                // Writing into a String does not fail.
                let _ = write!(line, " {key}={}", encode(value));
            }
        };
        add("repo", self.repo.as_deref());
        add("project", self.project.as_deref());
        add("target", self.target.as_deref());
        add("file", self.file.as_deref());
        let commit = self
            .commit
            .as_ref()
            .map(|commit| format!("{commit}{}", if self.dirty { "+dirty" } else { "" }));
        add("commit", commit.as_deref());
        add("ref", self.git_ref.as_deref());
        add("digest", self.digest.map(|digest| digest.to_string()).as_deref());
        add("run", self.run.as_deref());
        line
    }

    /// Human first line, then the mark.
    #[must_use]
    pub fn describe(&self, first_line: &str) -> String {
        let first_line = first_line.trim();
        if first_line.is_empty() {
            self.line()
        } else {
            format!("{first_line}\n{}", self.line())
        }
    }

    /// Reads the mark out of a description; the last line that is one counts.
    #[must_use]
    pub fn parse(description: &str) -> Option<Self> {
        let line = description
            .lines()
            .rev()
            .find(|line| line.split(' ').next() == Some(PREFIX))?;
        let mut mark = Self::default();
        for word in line.split(' ').skip(1) {
            let Some((key, value)) = word.split_once('=') else {
                continue;
            };
            let value = decode(value);
            match key {
                "repo" => mark.repo = Some(value),
                "project" => mark.project = Some(value),
                "target" => mark.target = Some(value),
                "file" => mark.file = Some(value),
                "commit" => {
                    mark.dirty = value.ends_with("+dirty");
                    mark.commit = Some(value.trim_end_matches("+dirty").to_owned());
                }
                "ref" => mark.git_ref = Some(value),
                "digest" => mark.digest = Digest::parse(&value),
                "run" => mark.run = Some(value),
                // A later version of this program may write more.
                _ => {}
            }
        }
        Some(mark)
    }

    /// The same as tags, values cut to what the server takes.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        let digest = self.digest.map(|digest| digest.base32());
        [
            ("kfp-gitops-repo", &self.repo),
            ("kfp-gitops-project", &self.project),
            ("kfp-gitops-target", &self.target),
            ("kfp-gitops-commit", &self.commit),
            ("kfp-gitops-digest", &digest),
        ]
        .into_iter()
        .filter_map(|(key, value)| {
            Some((
                key.to_owned(),
                value.as_ref()?.chars().take(TAG_LIMIT).collect::<String>(),
            ))
        })
        .collect()
    }

    /// Whether the other mark is of another repository or project than this one. What either does not know
    /// counts as the same.
    #[must_use]
    pub fn is_foreign(&self, other: &Self) -> bool {
        let differs = |ours: &Option<String>, theirs: &Option<String>| matches!((ours, theirs), (Some(ours), Some(theirs)) if !ours.eq_ignore_ascii_case(theirs));
        differs(&self.repo, &other.repo) || differs(&self.project, &other.project)
    }

    /// Whether the other mark is surely of this repository, project and target: what is not known on
    /// both sides is not the same, because whatever is ours may be called orphaned.
    #[must_use]
    pub fn is_same_owner(&self, other: &Self) -> bool {
        let same = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            (None, None) => true,
            _ => false,
        };
        self.project.is_some()
            && same(&self.repo, &other.repo)
            && same(&self.project, &other.project)
            && same(&self.target, &other.target)
    }

    /// Who that is, for people: `ml/pipelines`, or `ml/pipelines (project fraud)`.
    #[must_use]
    pub fn owner(&self) -> String {
        let repo = self.repo.as_deref().unwrap_or("an unnamed repository");
        match &self.project {
            Some(project) if repo.rsplit('/').next() != Some(project) => {
                format!("{repo} (project {project})")
            }
            _ => repo.to_owned(),
        }
    }
}

fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if character.is_whitespace() || character.is_control() || character == '%' {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

fn decode(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let byte = (bytes[index] == b'%')
            .then(|| {
                value
                    .get(index + 1..index + 3)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            })
            .flatten();
        decoded.push(byte.unwrap_or(bytes[index]));
        index += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full() -> Mark {
        Mark {
            repo: Some("ml/pipelines".into()),
            project: Some("fraud detection".into()),
            target: Some("prod".into()),
            file: Some("a b_pipeline.py".into()),
            commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            dirty: true,
            git_ref: Some("refs/heads/main".into()),
            digest: Some(Digest::from_bytes([7; 32])),
            run: Some("https://git.example.com/ml/pipelines/actions/runs/42".into()),
        }
    }

    #[test]
    fn the_line_reads_back() {
        let text = full().describe("score the newest model");
        assert!(text.starts_with(
            "score the newest model\nkfp-gitops/1 repo=ml/pipelines project=fraud%20detection "
        ));
        assert_eq!(Mark::parse(&text), Some(full()));
        assert_eq!(Mark::parse("uploaded by hand"), None);
        assert_eq!(Mark::parse("kfp-gitops/12 repo=a"), None);
    }

    #[test]
    fn tags_fit() {
        let mut mark = full();
        mark.repo = Some("é".repeat(80));
        let tags = mark.tags();
        assert_eq!(tags["kfp-gitops-repo"].chars().count(), 63);
        assert_eq!(tags["kfp-gitops-digest"].len(), 52);
        assert!(tags.keys().all(|key| !key.contains('.')));
    }

    #[test]
    fn foreign_means_another_repository_or_project() {
        let ours = full();
        assert!(!ours.is_foreign(&Mark::default()));
        assert!(!ours.is_foreign(&Mark {
            target: Some("dev".into()),
            ..full()
        }));
        assert!(ours.is_foreign(&Mark {
            repo: Some("other/repo".into()),
            ..full()
        }));
        assert!(ours.is_foreign(&Mark {
            project: Some("other".into()),
            ..full()
        }));
    }

    #[test]
    fn only_the_same_repository_project_and_target_is_the_same_owner() {
        let ours = full();
        assert!(ours.is_same_owner(&full()));
        let others = [
            Mark {
                target: None,
                ..full()
            },
            Mark { repo: None, ..full() },
            Mark {
                project: Some("other".into()),
                ..full()
            },
        ];
        for other in others {
            assert!(!ours.is_same_owner(&other), "{other:?}");
        }
        assert!(!Mark::default().is_same_owner(&Mark::default()));
    }

    proptest! {
        #[test]
        fn any_value_reads_back(repo in ".+", project in "\\PC+", target in any::<Option<String>>()) {
            let mark = Mark { repo: Some(repo), project: Some(project), target, ..Mark::default() };
            prop_assert_eq!(Mark::parse(&mark.describe("x\ny")), Some(mark));
        }
    }
}
