//! Where the pipelines server is: one order of sources, one reading of addresses.

use super::environment::Environment;
use super::variables;
use crate::error::{Failure, Phase};
use std::path::PathBuf;
use url::Url;

/// The first user's server, which zero configuration in CI means.
pub const IN_CLUSTER: &str = "http://ml-pipeline.kubeflow.svc.cluster.local:8888";

/// A pipelines server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The registry in this process, with its data in a folder.
    Embedded {
        /// The folder.
        data: PathBuf,
    },
    /// A server at an address; the path is a prefix such as `/pipeline`.
    Server {
        /// The address.
        url: Url,
    },
    /// Nobody named one, and it cannot be guessed: a job on GitHub. Only what asks a server minds.
    Missing,
}

impl Endpoint {
    /// As reports show it: `embedded`, or the address without user and password.
    #[must_use]
    pub fn display(&self) -> String {
        match self {
            Self::Embedded { .. } => "embedded".to_owned(),
            Self::Missing => "none".to_owned(),
            Self::Server { url } => {
                let mut url = url.clone();
                // Both fail only for addresses that cannot hold credentials in the first place.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.as_str().trim_end_matches('/').to_owned()
            }
        }
    }
}

/// What decides the endpoint.
pub struct Sources<'a> {
    /// `--endpoint` or its twin.
    pub flag: Option<&'a str>,
    /// `endpoint:` of the configuration.
    pub file: Option<&'a str>,
    /// The environment, for kfp's own variable and for "in CI".
    pub environment: &'a Environment,
    /// Folder of the embedded registry.
    pub registry: PathBuf,
}

/// The endpoint, where it was decided, and a note where something was guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Where it was decided.
    pub from: String,
    /// A guess worth saying.
    pub note: Option<String>,
}

/// Decides: flag, environment, configuration; in CI without any the first user's server, outside CI the
/// embedded registry.
///
/// # Errors
/// When an address is not one (exit 2).
pub fn decide(sources: Sources<'_>) -> Result<Decided, Failure> {
    let environment = sources.environment;
    let flag_name = if environment.text("KFP_GITOPS_ENDPOINT") == sources.flag {
        "KFP_GITOPS_ENDPOINT"
    } else {
        "--endpoint"
    };
    let given = sources
        .flag
        .map(|value| (value, flag_name))
        .or_else(|| {
            environment
                .text(variables::KF_PIPELINES_ENDPOINT)
                .map(|value| (value, variables::KF_PIPELINES_ENDPOINT))
        })
        .or_else(|| sources.file.map(|value| (value, super::file::FILE_NAME)));
    if let Some((value, from)) = given {
        if value == "embedded" {
            return Ok(Decided {
                endpoint: Endpoint::Embedded {
                    data: sources.registry,
                },
                from: from.to_owned(),
                note: None,
            });
        }
        let (url, note) = parse(value, from)?;
        return Ok(Decided {
            endpoint: Endpoint::Server { url },
            from: from.to_owned(),
            note,
        });
    }
    if environment.is_github() {
        return Ok(Decided {
            endpoint: Endpoint::Missing,
            from: "default on GitHub".to_owned(),
            note: None,
        });
    }
    if environment.is_ci() {
        let (url, _) = parse(IN_CLUSTER, "default")?;
        return Ok(Decided {
            endpoint: Endpoint::Server { url },
            from: "default in CI".to_owned(),
            note: None,
        });
    }
    Ok(Decided {
        endpoint: Endpoint::Embedded {
            data: sources.registry,
        },
        from: "default outside CI".to_owned(),
        note: Some(
            "no endpoint is set: using the embedded registry; name your server with `--endpoint URL`"
                .to_owned(),
        ),
    })
}

/// What is said where a server is needed and none is named (exit 2).
#[must_use]
pub fn missing() -> Failure {
    Failure::usage(Phase::Settings, "no pipelines server is named")
        .hint("set `endpoint` in `kfp-gitops.yaml`, the action's input `endpoint`, or `KFP_GITOPS_ENDPOINT`")
}

/// Reads an address; without a scheme it is `https`, but `http` for in-cluster names and this machine.
fn parse(value: &str, from: &str) -> Result<(Url, Option<String>), Failure> {
    let bad = |why: &str| {
        Failure::usage(
            Phase::Settings,
            format!("the endpoint from {from} is no address: {why}"),
        )
        .hint(
            "write it like `https://kubeflow.example.com/pipeline` or `http://ml-pipeline.kubeflow.svc:8888`",
        )
    };
    let value = value.trim();
    let (text, note) = if value.contains("://") {
        (value.to_owned(), None)
    } else {
        let host = value.split(['/', ':']).next().unwrap_or(value);
        let local = host == "localhost" || host.starts_with("127.") || value.starts_with("[::1]");
        let in_cluster = host.ends_with(".svc") || host.contains(".svc.");
        let scheme = if local || in_cluster { "http" } else { "https" };
        (
            format!("{scheme}://{value}"),
            Some(format!(
                "the endpoint from {from} has no scheme: using `{scheme}://`"
            )),
        )
    };
    let mut url = Url::parse(&text).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(&format!(
            "scheme `{}` is neither http nor https",
            url.scheme()
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("it names no host"));
    }
    // Copied from a browser it may end in `#/pipelines`, or carry a token. Calls are made without either, so
    // nothing else needs them: reports and links would only show them to everybody.
    url.set_query(None);
    url.set_fragment(None);
    Ok((url, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        )
    }

    fn decided(flag: Option<&str>, file: Option<&str>, pairs: &[(&str, &str)]) -> Result<Decided, Failure> {
        let environment = environment(pairs);
        decide(Sources {
            flag,
            file,
            environment: &environment,
            registry: "/r".into(),
        })
    }

    #[test]
    fn flag_wins_over_environment_over_file() {
        let kfp = [("KF_PIPELINES_ENDPOINT", "https://b")];
        assert_eq!(
            decided(Some("http://a"), Some("http://c"), &kfp)
                .unwrap()
                .endpoint
                .display(),
            "http://a"
        );
        assert_eq!(
            decided(None, Some("http://c"), &kfp).unwrap().endpoint.display(),
            "https://b"
        );
        assert_eq!(
            decided(None, Some("http://c"), &[]).unwrap().from,
            "kfp-gitops.yaml"
        );
    }

    #[test]
    fn nothing_given() {
        assert_eq!(decided(None, None, &[]).unwrap().endpoint.display(), "embedded");
        let gitea = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITEA_ACTIONS", "true"),
        ];
        assert_eq!(
            decided(None, None, &gitea).unwrap().endpoint.display(),
            IN_CLUSTER
        );
        let github = [("CI", "true"), ("GITHUB_ACTIONS", "true")];
        assert_eq!(decided(None, None, &github).unwrap().endpoint, Endpoint::Missing);
        assert!(missing().hint.unwrap().starts_with("set `endpoint`"));
        assert_eq!(
            decided(Some("embedded"), None, &github)
                .unwrap()
                .endpoint
                .display(),
            "embedded"
        );
    }

    #[test]
    fn schemes_are_guessed_and_said() {
        for (given, url) in [
            (
                "ml-pipeline.kubeflow.svc.cluster.local:8888",
                "http://ml-pipeline.kubeflow.svc.cluster.local:8888",
            ),
            (
                "ml-pipeline.kubeflow.svc:8888",
                "http://ml-pipeline.kubeflow.svc:8888",
            ),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            (
                "kubeflow.example.com/pipeline",
                "https://kubeflow.example.com/pipeline",
            ),
        ] {
            let decided = decided(None, None, &[("KF_PIPELINES_ENDPOINT", given)]).unwrap();
            assert_eq!(decided.endpoint.display(), url);
            assert!(decided.note.unwrap().contains("no scheme"));
        }
    }

    #[test]
    fn what_a_browser_adds_is_left_out() {
        for given in [
            "https://h/pipeline?token=secret",
            "https://h/pipeline/#/pipelines?token=secret",
            "h/pipeline?token=secret#x",
        ] {
            let decided = decided(Some(given), None, &[]).unwrap();
            assert_eq!(decided.endpoint.display(), "https://h/pipeline", "{given}");
            let Endpoint::Server { url } = decided.endpoint else {
                panic!("{given}")
            };
            assert!(url.query().is_none() && url.fragment().is_none(), "{given}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(
            decided(Some("https://me:secret@h/p"), None, &[])
                .unwrap()
                .endpoint
                .display(),
            "https://h/p"
        );
        for bad in ["ftp://h", "http://", "http://a b"] {
            let failure = decided(Some(bad), None, &[]).unwrap_err();
            assert_eq!(failure.exit_code().code(), 2, "{bad}");
        }
    }
}
