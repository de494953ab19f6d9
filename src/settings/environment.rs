//! The environment as it was at start.

use super::variables;
use crate::context::variables as ci;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// All variables, secrets included; never printed.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

impl Environment {
    /// Takes the given variables.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// A variable that is set and not empty; an input that an action leaves out arrives as an empty one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(OsStr::new(name))?
            .to_str()
            .filter(|value| !value.is_empty())
    }

    /// Everything but one variable.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut variables = self.0.clone();
        variables.remove(OsStr::new(name));
        Self(variables)
    }

    /// Whether a variable says yes (`true`, `1`, `yes`, `on`).
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str()))
    }

    /// A secret that is set and not empty.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).and_then(|value| Secret::new(value).ok())
    }

    /// Every variable that is text, for the CI context.
    #[must_use]
    pub fn all_text(&self) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())))
            .collect()
    }

    /// Every variable that is no secret, for the compiler's allow list; with those that only look like one
    /// where the user names them. This program's own are never among them.
    #[must_use]
    pub fn without_secrets(&self, named: &[String]) -> BTreeMap<OsString, OsString> {
        self.0
            .iter()
            .filter(|(name, _)| !is_hidden(name, named))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// What logs `uv` in to the package indexes that it is configured with, which look like secrets and are:
    /// for installers alone.
    #[must_use]
    pub fn index_credentials(&self) -> BTreeMap<OsString, OsString> {
        self.0
            .iter()
            .filter(|(name, _)| {
                name.to_str().is_some_and(|name| {
                    name.starts_with("UV_INDEX_")
                        && (name.ends_with("_PASSWORD") || name.ends_with("_USERNAME"))
                })
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The names that [`Self::without_secrets`] leaves out.
    #[must_use]
    pub fn secret_names(&self, named: &[String]) -> Vec<String> {
        self.0
            .keys()
            .filter(|name| is_hidden(name, named))
            .filter_map(|name| name.to_str().map(str::to_owned))
            .collect()
    }

    /// The values of everything that looks secret, and the logins in addresses, for masking; short ones are left out, because masking
    /// `1` or `on` would make every log unreadable.
    #[must_use]
    pub fn secret_values(&self) -> Vec<Secret> {
        self.0
            .iter()
            .filter_map(|(name, value)| {
                let value = value.to_str()?;
                let mut found = variables::credentials(value);
                if name.to_str().is_some_and(variables::is_secret) {
                    found.push(value.to_owned());
                }
                Some(found)
            })
            .flatten()
            .filter_map(|value| Secret::new(&value).ok())
            .filter(|secret| secret.expose().len() >= 6)
            .collect()
    }

    /// Whether this is a CI job: `CI`, `GITHUB_ACTIONS` or `GITEA_ACTIONS` is true.
    #[must_use]
    pub fn is_ci(&self) -> bool {
        [ci::CI, ci::GITHUB_ACTIONS, ci::GITEA_ACTIONS]
            .iter()
            .any(|name| self.is_true(name))
    }

    /// Whether this is a job on GitHub itself (Gitea sets both variables).
    #[must_use]
    pub fn is_github(&self) -> bool {
        self.is_true(ci::GITHUB_ACTIONS) && !self.is_true(ci::GITEA_ACTIONS)
    }
}

fn is_hidden(name: &OsStr, named: &[String]) -> bool {
    name.to_str().is_some_and(|name| {
        variables::is_secret(name) && (variables::is_own(name) || !named.iter().any(|one| one == name))
    })
}
