//! What is installed into one environment: from the program's own pins, or from these and the project's requirements.

use super::Contents;
use crate::compile::environment::Interpreter;
use crate::compile::releases::{self, Release};
use crate::compile::requirements::{Listed, Requirement};
use crate::compile::settings::{EngineSettings, SourceBuilds};
use crate::error::Failure;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::Path;

/// What is installed, and how it is called.
#[derive(Debug)]
pub(super) struct Plan {
    kfp: String,
    kind: &'static str,
    /// The requirements file.
    pub requirements: String,
    /// The constraints file; empty where there are none.
    pub constraints: String,
    /// Whether every file's hash is known and must match.
    pub hashed: bool,
    /// Whether dependencies are added by the resolver.
    pub resolve: bool,
    /// KFP's own packages that exist only as source, which are built with pinned tools.
    pub sources: BTreeSet<String>,
    /// Whether any package may be built from source with whatever it asks for.
    pub builds: bool,
    /// The files that the requirements may come from, where these are not pinned by hashes.
    found: String,
}

impl Plan {
    /// Plans an environment.
    ///
    /// # Errors
    /// The project's requirements cannot be read, or ask for what they may not.
    pub(super) fn new(settings: &EngineSettings, kfp: &str, contents: &Contents) -> Result<Self, Failure> {
        let release = semver::Version::parse(kfp)
            .ok()
            .and_then(|version| releases::exactly(&version));
        let mut plan = Self {
            kfp: kfp.to_owned(),
            kind: "lean",
            requirements: String::new(),
            constraints: String::new(),
            hashed: true,
            resolve: false,
            sources: BTreeSet::new(),
            builds: false,
            found: String::new(),
        };
        match (contents, release) {
            (Contents::Lean, Some(release)) => {
                plan.requirements = release.requirements(false, &BTreeSet::new());
                plan.sources = release.sources(false);
            }
            (Contents::Full, Some(release)) => {
                plan.kind = "full";
                plan.requirements = release.requirements(true, &BTreeSet::new());
                plan.sources = release.sources(true);
            }
            (Contents::Lean | Contents::Full, None) => {
                // newer than this program: the index says what belongs to it
                plan.kind = "unpinned";
                plan.hashed = false;
                plan.resolve = true;
                plan.requirements = format!("kfp=={kfp}\nkfp-kubernetes\n");
                plan.sources.insert(SERVER_API.to_owned());
            }
            (Contents::Project(listed), _) => {
                plan.kind = "project";
                plan.resolve = true;
                plan.builds = settings.source_builds == SourceBuilds::Allow;
                plan.project(listed.as_ref().map_err(|failure| (**failure).clone())?, release);
            }
        }
        if !plan.hashed
            && let Some(wheelhouse) = &settings.wheelhouse
        {
            plan.found = wheels(wheelhouse);
        }
        Ok(plan)
    }

    /// The project's requirements with this kfp. Where each of them has its hashes, so has everything else.
    fn project(&mut self, listed: &Listed, release: Option<&Release>) {
        let kfp = self.kfp.clone();
        let hashed = listed.requirements.iter().all(|one| !one.hashes.is_empty());
        self.hashed = hashed && !listed.requirements.is_empty() && release.is_some();
        // which kfp it is, is decided elsewhere
        let stays = |one: &&Requirement| one.name != "kfp" || (self.hashed && one.is_exactly(&kfp));
        let kept: Vec<&Requirement> = listed.requirements.iter().filter(stays).collect();
        let names: BTreeSet<String> = kept.iter().map(|one| one.name.clone()).collect();
        let mut text = String::new();
        if let (true, Some(release)) = (self.hashed, release) {
            text.push_str(&release.requirements(true, &names));
        } else {
            let extras = listed
                .requirements
                .iter()
                .find(|one| one.name == "kfp")
                .map_or("", Requirement::extras);
            text.push_str(&format!("kfp{extras}=={kfp}\n"));
            if !names.contains(KUBERNETES) {
                let pin = release.and_then(|release| release.pin(KUBERNETES));
                text.push_str(&pin.unwrap_or_else(|| KUBERNETES.to_owned()));
                text.push('\n');
            }
        }
        for one in kept {
            text.push_str(&one.line());
            text.push('\n');
        }
        self.requirements = text;
        for one in listed.constraints.iter().filter(|one| one.name != "kfp") {
            self.constraints.push_str(&one.line());
            self.constraints.push('\n');
        }
        if !self.builds {
            self.sources = release.map(|release| release.sources(true)).unwrap_or_default();
            // whichever version the resolver takes, there is no other form of it
            self.sources.insert(SERVER_API.to_owned());
        }
    }

    /// Keyed by the Python and everything that is installed.
    pub(super) fn name(&self, interpreter: &Interpreter) -> String {
        let mut identity = format!(
            "1\n{}\n{}\n{}",
            interpreter.implementation, interpreter.abi, self.requirements
        );
        for (title, text) in [("constraints", &self.constraints), ("found", &self.found)] {
            if !text.is_empty() {
                identity.push_str(&format!("\n{title}\n{text}"));
            }
        }
        if self.builds {
            identity.push_str("\nbuilds");
        }
        format!(
            "kfp-{}-py{}-{}-{}",
            normalized_version(&self.kfp),
            interpreter.python(),
            self.kind,
            &digest(identity.as_bytes())[..12]
        )
    }

    pub(super) fn addition(&self) -> &'static str {
        match self.kind {
            "full" => " with all of its clients",
            "project" => " and the project's requirements",
            _ => "",
        }
    }

    /// Whether the project has a say in what is installed.
    pub(super) fn is_project(&self) -> bool {
        self.kind == "project"
    }
}

const KUBERNETES: &str = "kfp-kubernetes";
const SERVER_API: &str = "kfp-server-api";

/// A version is part of a file name.
fn normalized_version(version: &str) -> String {
    version
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".+".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What a folder of wheels offers: without hashes another content of it must be another environment, because
/// the folder may lie in the tree and be a pull request's.
fn wheels(folder: &Path) -> String {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let bytes = std::fs::read(entry.path()).ok()?;
            Some(format!(
                "{} {}",
                entry.file_name().to_string_lossy(),
                digest(&bytes)
            ))
        })
        .collect();
    files.sort();
    files.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::requirements::read_line;

    fn interpreter(abi: &str) -> Interpreter {
        Interpreter {
            executable: "/usr/bin/python3".into(),
            version: (3, 11, 7),
            implementation: "cpython".into(),
            abi: abi.into(),
            kfp: None,
            kubernetes: None,
            pip: None,
            prefixes: Vec::new(),
            path: Vec::new(),
        }
    }

    fn settings() -> EngineSettings {
        EngineSettings::new(Path::new("/nowhere"), Path::new("/nowhere"))
    }

    fn project(lines: &[&str]) -> Contents {
        Contents::Project(Ok(Listed {
            requirements: lines.iter().map(|line| read_line(line).unwrap()).collect(),
            constraints: Vec::new(),
        }))
    }

    fn plan(kfp: &str, contents: &Contents) -> Plan {
        Plan::new(&settings(), kfp, contents).unwrap()
    }

    fn name(kfp: &str, contents: &Contents, abi: &str) -> String {
        plan(kfp, contents).name(&interpreter(abi))
    }

    #[test]
    fn every_difference_is_another_environment() {
        let mut building = settings();
        building.source_builds = SourceBuilds::Allow;
        let constrained = Contents::Project(Ok(Listed {
            requirements: vec![read_line("x").unwrap()],
            constraints: vec![read_line("y<2").unwrap()],
        }));
        let mut names = vec![
            name("2.17.0", &Contents::Lean, "a"),
            name("2.17.0", &Contents::Lean, "b"),
            name("2.17.0", &Contents::Full, "a"),
            name("2.16.1", &Contents::Lean, "a"),
            name("2.17.0", &project(&["x"]), "a"),
            name("2.17.0", &project(&["y"]), "a"),
            name("2.17.0", &constrained, "a"),
            Plan::new(&building, "2.17.0", &project(&["x"]))
                .unwrap()
                .name(&interpreter("a")),
        ];
        assert_eq!(name("2.17.0", &Contents::Lean, "a"), names[0]);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 8, "{names:?}");
    }

    #[test]
    fn a_folder_of_wheels_is_part_of_what_is_not_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings();
        settings.wheelhouse = Some(folder.path().to_path_buf());
        let name = |contents: &Contents| {
            Plan::new(&settings, "2.17.0", contents)
                .unwrap()
                .name(&interpreter("a"))
        };
        let (lean, before) = (name(&Contents::Lean), name(&project(&["x"])));
        std::fs::write(folder.path().join("x-1-py3-none-any.whl"), "1").unwrap();
        let after = name(&project(&["x"]));
        assert_ne!(before, after);
        std::fs::write(folder.path().join("x-1-py3-none-any.whl"), "2").unwrap();
        assert_ne!(after, name(&project(&["x"])));
        assert_eq!(lean, name(&Contents::Lean), "hashes pin it already");
    }

    #[test]
    fn which_kfp_is_decided_elsewhere() {
        let plan = plan(
            "2.17.0",
            &project(&["kfp[notebooks]>=2.7,<3", "pandas", "kfp-kubernetes==2.16.0"]),
        );
        assert_eq!(
            plan.requirements,
            "kfp[notebooks]==2.17.0\npandas\nkfp-kubernetes==2.16.0\n"
        );
        assert!(!plan.hashed && plan.resolve && !plan.builds);
        let plain = super::tests::plan("2.17.0", &project(&["pandas"]));
        assert_eq!(
            plain.requirements,
            "kfp==2.17.0\nkfp-kubernetes==2.17.0\npandas\n"
        );
    }

    #[test]
    fn with_hashes_everything_has_hashes() {
        let hash = format!("sha256:{}", "ab".repeat(32));
        let line = format!("pandas==2.0 --hash={hash}");
        let plan = plan(
            "2.17.0",
            &project(&[&line, &format!("protobuf==6.33.0 --hash={hash}")]),
        );
        assert!(plan.hashed);
        assert!(plan.requirements.contains(&line), "{}", plan.requirements);
        assert!(plan.requirements.contains("kfp==2.17.0 \\\n    --hash=sha256:"));
        assert_eq!(
            plan.requirements.matches("protobuf==").count(),
            1,
            "{}",
            plan.requirements
        );
        assert!(
            plan.requirements
                .contains(&format!("protobuf==6.33.0 --hash={hash}"))
        );
        let partly = super::tests::plan("2.17.0", &project(&[&line, "x"]));
        assert!(!partly.hashed);
    }

    #[test]
    fn only_kfps_own_packages_are_built() {
        assert!(plan("2.17.0", &Contents::Lean).sources.is_empty());
        let full: Vec<_> = plan("2.17.0", &Contents::Full).sources.into_iter().collect();
        assert_eq!(full, ["kfp-server-api"]);
        let old: Vec<_> = plan("2.13.0", &Contents::Lean).sources.into_iter().collect();
        assert_eq!(old, ["kfp", "kfp-kubernetes"]);
        let project: Vec<_> = plan("2.13.0", &project(&["x"])).sources.into_iter().collect();
        assert_eq!(project, ["kfp", "kfp-kubernetes", "kfp-server-api"]);
    }
}
