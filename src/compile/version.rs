//! Which kfp compiles, decided once and with the reason.

use super::environment::Interpreter;
use super::pins;
use super::releases;
use super::settings::EngineSettings;
use crate::discover::Source;
use crate::error::{Failure, Phase};
use semver::Version;
use std::path::PathBuf;

mod range;

/// The kfp that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The exact version.
    pub version: String,
    /// Where it was decided: `--kfp-version`, `requirements.txt:3`, `server 2.17.0`, `default`.
    pub from: String,
    /// The line that would pin it, where nothing does.
    pub pin_hint: Option<String>,
    /// Whether somebody asked for exactly this.
    pub pinned: bool,
    /// The range that the repository asks for, where it pins none.
    pub range: Option<String>,
    /// Things worth saying.
    pub notes: Vec<String>,
}

impl Wanted {
    /// The version as semver, where it is one (`2.0.0b1` is not).
    pub(super) fn semver(&self) -> Option<Version> {
        Version::parse(&self.version).ok()
    }

    /// Whether the repository's range leaves room for a version.
    fn may_be(&self, version: &str) -> bool {
        let Some((range, version)) = self.range.as_deref().zip(Version::parse(version).ok()) else {
            return true;
        };
        range::allows(range, &version) != Some(false)
    }

    /// Changes the version where nobody asked for it and the interpreter says otherwise.
    pub(super) fn fit(&mut self, settings: &EngineSettings, interpreter: &Interpreter) {
        let installed = interpreter.kfp.as_deref();
        if (self.from == "default" || self.range.is_some())
            && settings.server_version.is_none()
            && settings.python.is_some()
            && let Some(installed) = installed.filter(|version| version.starts_with("2."))
            && self.may_be(installed)
        {
            self.version = installed.to_owned();
            self.from = format!("installed in {}", interpreter.executable.display());
            self.pin_hint = Some(format!("kfp=={installed}"));
            return;
        }
        let Some(version) = self.semver() else { return };
        let Some(release) = releases::exactly(&version) else {
            return;
        };
        let python = interpreter.python();
        if release.runs_on(python) || installed == Some(self.version.as_str()) {
            return;
        }
        if let Some(nearest) = releases::nearest_running_on(&version, python) {
            self.notes.push(format!(
                "kfp {version} (from `{}`) does not run on Python {python}; kfp {} is used instead: name an older Python with `--python` to get the pinned one",
                self.from, nearest.version
            ));
            self.version = nearest.version.to_string();
        }
    }
}

/// Decides: flag or configuration, else a pin in the repository, else the newest SDK of the server's minor,
/// else the built-in default.
///
/// # Errors
/// A version that is none, or one before 2.0, which writes pipelines that this program does not handle.
pub(super) fn decide(settings: &EngineSettings, sources: &[Source]) -> Result<Wanted, Failure> {
    if let Some((version, from)) = &settings.kfp_version {
        return asked(version, from, Vec::new());
    }
    let paths: Vec<PathBuf> = sources.iter().map(|source| source.absolute.clone()).collect();
    let found = pins::find(&settings.root, &paths);
    let pins = found.exact;
    if let Some(pin) = pins.first() {
        let other = pins.iter().find(|other| other.version != pin.version);
        let notes = other.map(|other| {
            format!(
                "kfp is pinned twice: `{}` in `{}` and `{}` in `{}`; the first counts",
                pin.version, pin.from, other.version, other.from
            )
        });
        return asked(&pin.version, &pin.from, notes.into_iter().collect());
    }
    let (version, from) = match &settings.server_version {
        Some(server) => match releases::newest_of_minor(server.major, server.minor) {
            Some(release) => (release.version.clone(), format!("server {server}")),
            None => (nearest_to(server), format!("nearest to server {server}")),
        },
        None => (releases::DEFAULT, "default".to_owned()),
    };
    let range = found
        .ranges
        .into_iter()
        .find(|range| range::allows(&range.version, &version).is_some());
    let (version, from, notes) = match &range {
        Some(asked) => within(asked, version, from),
        None => (version, from, Vec::new()),
    };
    Ok(Wanted {
        pin_hint: Some(format!("kfp=={version}")),
        version: version.to_string(),
        from,
        pinned: false,
        range: range.map(|range| range.version),
        notes,
    })
}

/// The version where it lies in the range that the repository asks for, else the newest release that does.
fn within(asked: &pins::Pin, version: Version, from: String) -> (Version, String, Vec<String>) {
    let allowed = |version: &Version| range::allows(&asked.version, version) == Some(true);
    if allowed(&version) {
        return (version, from, Vec::new());
    }
    match releases::all()
        .iter()
        .rev()
        .find(|release| allowed(&release.version))
    {
        Some(release) => (release.version.clone(), asked.from.clone(), Vec::new()),
        None => {
            let note = format!(
                "`{}` asks for `kfp{}`, and this program knows no such release: kfp {version} is used",
                asked.from, asked.version
            );
            (version, from, vec![note])
        }
    }
}

/// The newest release not newer than the server; else the oldest of all.
fn nearest_to(server: &Version) -> Version {
    let all = releases::all();
    let not_newer = all
        .iter()
        .rev()
        .find(|release| (release.version.major, release.version.minor) <= (server.major, server.minor));
    not_newer
        .or(all.first())
        .map_or(releases::DEFAULT, |release| release.version.clone())
}

fn asked(version: &str, from: &str, notes: Vec<String>) -> Result<Wanted, Failure> {
    let version = version.trim().trim_start_matches('=').to_owned();
    let major = version
        .split('.')
        .next()
        .and_then(|part| part.parse::<u64>().ok());
    let plain = version
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".+".contains(c));
    match major {
        Some(2..) if plain && version.contains('.') => Ok(Wanted {
            version,
            from: from.to_owned(),
            pin_hint: None,
            pinned: true,
            range: None,
            notes,
        }),
        Some(0 | 1) => Err(Failure::usage(
            Phase::Prepare,
            format!("kfp {version} (from `{from}`) writes version 1 pipelines, which are not supported"),
        )
        .hint(format!("pin kfp 2, such as `kfp=={}`", releases::DEFAULT))),
        _ => Err(Failure::usage(
            Phase::Prepare,
            format!("`{version}` (from `{from}`) is not a kfp version"),
        )
        .hint(format!("give an exact version, such as `{}`", releases::DEFAULT))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings() -> EngineSettings {
        EngineSettings::new(Path::new("/nowhere"), Path::new("/nowhere/cache"))
    }

    #[test]
    fn flag_before_server_before_default() {
        let mut settings = settings();
        let wanted = decide(&settings, &[]).unwrap();
        assert_eq!(
            (wanted.version.as_str(), wanted.from.as_str()),
            ("2.17.0", "default")
        );
        assert_eq!(wanted.pin_hint.as_deref(), Some("kfp==2.17.0"));
        settings.server_version = Some(Version::new(2, 14, 0));
        let wanted = decide(&settings, &[]).unwrap();
        assert_eq!(
            (wanted.version.as_str(), wanted.from.as_str()),
            ("2.14.6", "server 2.14.0")
        );
        settings.server_version = Some(Version::new(2, 99, 1));
        assert!(
            decide(&settings, &[])
                .unwrap()
                .from
                .starts_with("nearest to server")
        );
        settings.kfp_version = Some(("2.16.0".into(), "--kfp-version".into()));
        let wanted = decide(&settings, &[]).unwrap();
        assert_eq!((wanted.version.as_str(), wanted.pin_hint), ("2.16.0", None));
    }

    #[test]
    fn a_range_of_the_repository_is_kept_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = EngineSettings::new(folder.path(), Path::new("/nowhere/cache"));
        let mut decided = |line: &str, server: Option<Version>| {
            std::fs::write(folder.path().join("requirements.txt"), line).unwrap();
            settings.server_version = server;
            let wanted = decide(&settings, &[]).unwrap();
            (wanted.version, wanted.from, wanted.notes.len())
        };
        let said = |version: &str, from: &str, notes| (version.to_owned(), from.to_owned(), notes);
        assert_eq!(decided("kfp>=2.9", None), said("2.17.0", "default", 0));
        let (version, from, _) = decided("x\nkfp>=2.9,<2.11", None);
        assert!(version.starts_with("2.10.") && from == "requirements.txt:2");
        let server = || Some(Version::new(2, 14, 0));
        assert_eq!(decided("kfp~=2.9", server()), said("2.14.6", "server 2.14.0", 0));
        assert!(decided("kfp<2.12", server()).0.starts_with("2.11."));
        assert_eq!(decided("kfp<2", None), said("2.17.0", "default", 1));
        assert_eq!(decided("kfp>=2.0.0b1", None), said("2.17.0", "default", 0));
    }

    #[test]
    fn a_version_1_is_refused() {
        let mut settings = settings();
        for bad in ["1.8.22", "latest", "2", "2.0; rm", ""] {
            settings.kfp_version = Some((bad.into(), "x".into()));
            let failure = decide(&settings, &[]).unwrap_err();
            assert!(failure.hint.is_some(), "{bad}");
        }
    }
}
