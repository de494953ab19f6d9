//! `plan --against endpoint:URL` and `--against config:FILE`: what is compiled here, compared with what
//! another server holds than the one that `apply` would write to. Only that server is asked, so the login in
//! the environment is for it.

use crate::cli::Global;
use crate::error::{Failure, Phase};
use crate::settings::file::FILE_NAME;
use crate::settings::{Settings, merge, variables};
use std::path::PathBuf;

/// Another server to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// The server at an address.
    Endpoint(String),
    /// The server of another configuration file, with its namespace, login, target and names.
    Config(PathBuf),
}

impl Elsewhere {
    /// What `--against` names, unless that is a commit: git allows no `:` in the name of a branch or tag.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        if text.starts_with("https://") || text.starts_with("http://") {
            return Some(Self::Endpoint(text.to_owned()));
        }
        match text.split_once(':')? {
            ("endpoint", address) => Some(Self::Endpoint(address.to_owned())),
            ("config", file) => Some(Self::Config(PathBuf::from(file))),
            _ => None,
        }
    }

    /// This run's settings with the other server in them: compiled is as ever, only compared is elsewhere.
    ///
    /// # Errors
    /// When the other side's settings are wrong (exit 2).
    pub fn settings(&self, own: &Settings, global: &Global) -> Result<Settings, Failure> {
        let mut other = global.clone();
        match self {
            Self::Endpoint(address) if address.trim().is_empty() => {
                return Err(
                    Failure::usage(Phase::Settings, "`--against endpoint:` names no address")
                        .hint("give one, such as `--against endpoint:https://kfp.example.com`"),
                );
            }
            Self::Endpoint(address) => other.endpoint = Some(address.clone()),
            Self::Config(file) => {
                other.config = Some(own.working_directory.join(file));
                // What the command line or the environment says of this run's server is not about that one.
                other.endpoint = None;
                other.namespace = None;
                other.target = None;
            }
        }
        let environment = match self {
            Self::Endpoint(_) => own.environment.clone(),
            Self::Config(_) => own.environment.without(variables::KF_PIPELINES_ENDPOINT),
        };
        let other = merge::merge(&other, &own.paths, environment)?;
        if let Self::Config(file) = self
            && other.server.endpoint_from != FILE_NAME
        {
            return Err(Failure::usage(
                Phase::Settings,
                format!("`{}` names no server to compare with", file.display()),
            )
            .hint("set `endpoint` in it"));
        }
        let mut settings = own.clone();
        let here = own.server.endpoint.display();
        settings.server = other.server;
        if matches!(self, Self::Config(_)) {
            settings.target = other.target;
            settings.naming = other.naming;
            settings.pipelines = other.pipelines;
        }
        settings.notes = other.notes;
        settings.notes.push(format!(
            "compared with `{}`, not with `{here}`: this is not what `apply` would do",
            settings.server.endpoint.display()
        ));
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_no_server() {
        for (text, expected) in [
            ("origin/main", None),
            ("HEAD~1", None),
            ("v1.2.3", None),
            (
                "endpoint:kfp.example.com",
                Some(Elsewhere::Endpoint("kfp.example.com".into())),
            ),
            (
                "https://kfp.example.com",
                Some(Elsewhere::Endpoint("https://kfp.example.com".into())),
            ),
            (
                "config:staging.yaml",
                Some(Elsewhere::Config("staging.yaml".into())),
            ),
            ("main:path", None),
        ] {
            assert_eq!(Elsewhere::of(text), expected, "{text}");
        }
    }
}
