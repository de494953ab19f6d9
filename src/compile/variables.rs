//! Which variables a pipeline sees while it compiles: an allow list, built from nothing.

use super::settings::EngineSettings;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Passed as they are.
const PASSED: [&str; 2] = ["PATH", "TZ"];

/// Set by this program.
const SET: [(&str, &str); 6] = [
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("PYTHONUTF8", "1"),
    // a pipeline that loops over a set must give its tasks the same names in every run
    ("PYTHONHASHSEED", "0"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("PYTHONNOUSERSITE", "1"),
];

/// Files that the runner takes commands from: writing one gives later steps away. Never passed, even when named.
const NEVER: [&str; 10] = [
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITEA_ENV",
    "GITEA_OUTPUT",
    "GITEA_PATH",
    "GITEA_STATE",
    "GITEA_STEP_SUMMARY",
];

/// Different in every process, or about the terminal: nobody means them when a pipeline is compiled.
const NOT_MEANT: [&str; 18] = [
    "HOME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "SHELL",
    "USER",
    "LOGNAME",
    "HOSTNAME",
    "LANG",
    "LC_ALL",
];

/// What programs and packages ask for by themselves, to look or to connect as is usual on a machine: a file that
/// calls them did not mean these.
const CONVENTIONS: [&str; 24] = [
    "CI",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "PY_COLORS",
    "LANGUAGE",
    "BROWSER",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NETRC",
    "OMP_NUM_THREADS",
    "MPLBACKEND",
    "LD_LIBRARY_PATH",
    "SOURCE_DATE_EPOCH",
];

fn is_conventional(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    CONVENTIONS.contains(&upper.as_str())
        || ["LC_", "XDG_", "PYTHON", "KFP_GITOPS_", "RUNNER_"]
            .iter()
            .any(|prefix| upper.starts_with(prefix))
}

fn never(name: &OsStr) -> bool {
    is_never_passed(&name.to_string_lossy())
}

/// Whether a variable belongs to the runner or to this program and is kept from pipelines even when the configuration names it.
#[must_use]
pub fn is_never_passed(name: &str) -> bool {
    NEVER.contains(&name) || name.starts_with("ACTIONS_") || name.starts_with("KFP_GITOPS_")
}

/// The environment of a worker.
pub(super) fn of_worker(settings: &EngineSettings) -> BTreeMap<OsString, OsString> {
    let mut variables = BTreeMap::new();
    let named = settings.pass_environment.iter().map(String::as_str);
    for name in PASSED.into_iter().chain(named) {
        if let Some(value) = settings.variable(name).filter(|_| !never(OsStr::new(name))) {
            variables.insert(OsString::from(name), value.to_owned());
        }
    }
    for (name, value) in SET {
        variables.insert(OsString::from(name), OsString::from(value));
    }
    variables
}

/// Names that are set outside and kept from pipelines, so that reading one can be noticed.
pub(super) fn withheld(settings: &EngineSettings) -> Vec<String> {
    let passed = of_worker(settings);
    settings
        .environment
        .keys()
        .filter(|name| {
            !passed.contains_key(*name)
                && !NOT_MEANT
                    .iter()
                    .any(|other| name.as_os_str() == OsStr::new(other))
        })
        .filter_map(|name| name.to_str().map(str::to_owned))
        .chain(settings.secret_names.iter().cloned())
        .collect()
}

/// Those of the withheld that packages read for themselves.
pub(super) fn conventional(settings: &EngineSettings) -> Vec<String> {
    let mut names = withheld(settings);
    names.retain(|name| is_conventional(name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings(variables: &[&str], pass: &[&str]) -> EngineSettings {
        let mut settings = EngineSettings::new(Path::new("/"), Path::new("/"));
        settings.environment = variables
            .iter()
            .map(|name| (OsString::from(name), OsString::from("x")))
            .collect();
        settings.pass_environment = pass.iter().map(|name| (*name).to_owned()).collect();
        settings
    }

    #[test]
    fn only_what_is_named_is_passed() {
        let settings = settings(
            &["PATH", "AWS_SECRET", "IMAGE_TAG", "HOME"],
            &["IMAGE_TAG", "ABSENT"],
        );
        let names: Vec<_> = of_worker(&settings)
            .into_keys()
            .filter(|name| name != "LC_ALL")
            .collect();
        assert!(names.contains(&"IMAGE_TAG".into()) && names.contains(&"PATH".into()));
        assert!(!names.contains(&"AWS_SECRET".into()) && !names.contains(&"ABSENT".into()));
        assert_eq!(withheld(&settings), ["AWS_SECRET"]);
    }

    #[test]
    fn the_runners_files_are_never_passed() {
        let settings = settings(
            &["GITHUB_ENV", "ACTIONS_RUNTIME_TOKEN"],
            &["GITHUB_ENV", "ACTIONS_RUNTIME_TOKEN"],
        );
        let passed = of_worker(&settings);
        assert!(!passed.contains_key(OsStr::new("GITHUB_ENV")));
        assert!(!passed.contains_key(OsStr::new("ACTIONS_RUNTIME_TOKEN")));
        assert_eq!(withheld(&settings).len(), 2);
    }
}
