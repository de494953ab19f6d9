//! The kfp releases this program can install, and the pinned packages of each (`requirements/kfp.json`).

use semver::Version;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The data as `scripts/refresh-requirements.py` writes it.
const DATA: &str = include_str!("../../requirements/kfp.json");

/// What compiles where nothing decides.
pub(super) const DEFAULT: Version = Version::new(2, 17, 0);

/// A Python version, such as 3.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PythonVersion(pub u16, pub u16);

impl PythonVersion {
    /// Reads `3.11` or `3.11.7`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

impl std::fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[derive(Deserialize)]
struct Data {
    files: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    sources: BTreeSet<String>,
    #[serde(default)]
    build: Vec<String>,
    releases: BTreeMap<String, RawRelease>,
}

#[derive(Deserialize)]
struct RawRelease {
    python: (String, Option<String>),
    packages: Vec<Package>,
}

/// One pinned package of a set.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Package {
    name: String,
    version: String,
    marker: Option<String>,
    lean: bool,
}

/// One kfp release.
#[derive(Clone, Debug)]
pub(super) struct Release {
    /// Its version.
    pub version: Version,
    /// The oldest Python it runs on.
    pub oldest: PythonVersion,
    /// The first Python that is too new for it.
    pub too_new: Option<PythonVersion>,
    packages: Vec<Package>,
}

impl Release {
    /// Whether it runs on that Python.
    pub(super) fn runs_on(&self, python: PythonVersion) -> bool {
        python >= self.oldest && self.too_new.is_none_or(|too_new| python < too_new)
    }

    /// The pinned set as a requirements file with hashes; `full` adds what only running against a cluster needs,
    /// `without` leaves packages out.
    pub(super) fn requirements(&self, full: bool, without: &BTreeSet<String>) -> String {
        let mut text = String::new();
        for package in self.set(full) {
            if !without.contains(&package.name) {
                hashed(&package.pin(), package.marker.as_deref(), &mut text);
            }
        }
        text
    }

    /// Which packages of the set exist only as source.
    pub(super) fn sources(&self, full: bool) -> BTreeSet<String> {
        self.set(full)
            .filter(|package| TABLE.sources.contains(&package.pin()))
            .map(|package| package.name.clone())
            .collect()
    }

    /// The pin of one package of the set, such as `kfp-kubernetes==2.17.0`.
    pub(super) fn pin(&self, name: &str) -> Option<String> {
        let package = self.packages.iter().find(|package| package.name == name)?;
        Some(package.pin())
    }

    fn set(&self, full: bool) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |package| full || package.lean)
    }
}

impl Package {
    fn pin(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }
}

/// Adds a pin with the hashes of its files.
fn hashed(pin: &str, marker: Option<&str>, text: &mut String) {
    text.push_str(pin);
    if let Some(marker) = marker {
        text.push_str(" ; ");
        text.push_str(marker);
    }
    for hash in TABLE.files.get(pin).into_iter().flatten() {
        text.push_str(" \\\n    --hash=sha256:");
        text.push_str(hash);
    }
    text.push('\n');
}

/// What source packages are built with, as a requirements file with hashes.
pub(super) fn build_tools() -> String {
    let mut text = String::new();
    for pin in &TABLE.build {
        hashed(pin, None, &mut text);
    }
    text
}

struct Table {
    files: BTreeMap<String, Vec<String>>,
    sources: BTreeSet<String>,
    build: Vec<String>,
    releases: Vec<Release>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty table would only mean "nothing is pinned".
    let data: Data = serde_json::from_str(DATA).unwrap_or(Data {
        files: BTreeMap::new(),
        sources: BTreeSet::new(),
        build: Vec::new(),
        releases: BTreeMap::new(),
    });
    let mut releases: Vec<Release> = data
        .releases
        .into_iter()
        .filter_map(|(version, raw)| {
            Some(Release {
                version: Version::parse(&version).ok()?,
                oldest: PythonVersion::parse(&raw.python.0)?,
                too_new: raw.python.1.as_deref().and_then(PythonVersion::parse),
                packages: raw.packages,
            })
        })
        .collect();
    releases.sort_by(|a, b| a.version.cmp(&b.version));
    Table {
        files: data.files,
        sources: data.sources,
        build: data.build,
        releases,
    }
});

/// All known releases, oldest first.
pub(super) fn all() -> &'static [Release] {
    &TABLE.releases
}

/// The release of exactly that version.
pub(super) fn exactly(version: &Version) -> Option<&'static Release> {
    all().iter().find(|release| release.version == *version)
}

/// The newest release of a minor, such as 2.16.
pub(super) fn newest_of_minor(major: u64, minor: u64) -> Option<&'static Release> {
    all()
        .iter()
        .rev()
        .find(|release| release.version.major == major && release.version.minor == minor)
}

/// The release nearest to `wanted` that runs on that Python: the next newer one, else the next older one.
pub(super) fn nearest_running_on(wanted: &Version, python: PythonVersion) -> Option<&'static Release> {
    let newer = all()
        .iter()
        .find(|release| release.version >= *wanted && release.runs_on(python));
    newer.or_else(|| {
        all()
            .iter()
            .rev()
            .find(|release| release.version < *wanted && release.runs_on(python))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_pinned_with_hashes() {
        let release = exactly(&DEFAULT).expect("the default release is in the table");
        let lean = release.requirements(false, &BTreeSet::new());
        assert!(lean.contains("kfp==2.17.0 \\\n    --hash=sha256:"), "{lean}");
        assert!(lean.contains("kfp-kubernetes=="), "{lean}");
        assert!(!lean.contains("google-cloud-storage"), "{lean}");
        let full = release.requirements(true, &BTreeSet::new());
        assert!(full.contains("google-cloud-storage=="), "{full}");
        for block in full
            .split("\n")
            .filter(|line| line.contains("==") && !line.starts_with(' '))
        {
            assert!(block.ends_with('\\'), "no hash: {block}");
        }
    }

    #[test]
    fn what_builds_source_packages_is_pinned_with_hashes() {
        let tools = build_tools();
        assert!(tools.starts_with("setuptools=="), "{tools}");
        assert!(tools.matches("--hash=sha256:").count() >= 2, "{tools}");
        let source_only = exactly(&Version::new(2, 13, 0)).expect("2.13.0");
        assert!(source_only.sources(false).contains("kfp"));
    }

    #[test]
    fn a_minor_is_its_newest_patch() {
        let newest = newest_of_minor(2, 14).expect("2.14 is in the table");
        assert!(newest.version >= Version::new(2, 14, 6), "{}", newest.version);
        assert!(newest_of_minor(2, 99).is_none());
    }

    #[test]
    fn python_ranges_decide_what_runs() {
        let python = PythonVersion(3, 14);
        let nearest = nearest_running_on(&Version::new(2, 0, 1), python).expect("something runs on 3.14");
        assert!(nearest.runs_on(python));
        assert!(!exactly(&Version::new(2, 0, 1)).expect("2.0.1").runs_on(python));
        assert_eq!(PythonVersion::parse("3.11.7"), Some(PythonVersion(3, 11)));
    }
}
