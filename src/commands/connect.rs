//! Settings -> a client of the pipelines server, the embedded registry included.

use super::complain;
use super::login::login;
use crate::error::{Failure, Phase};
use crate::kfp::client::Client;
use crate::kfp::connection::Connection;
use crate::kfp::embedded::{EmbeddedOptions, RunningRegistry, start};
use crate::settings::Settings;
use crate::settings::endpoint::{Endpoint, missing};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Once;
use url::Url;

/// A client, and the registry it speaks to where that runs in this process.
pub struct Connected {
    /// The client.
    pub client: Client,
    registry: Option<RunningRegistry>,
}

impl Connected {
    /// Ends the embedded registry, everything written.
    pub async fn close(self) {
        if let Some(registry) = self.registry {
            registry.stop().await;
        }
    }
}

/// Makes the client; starts the embedded registry where that is the endpoint. Sends nothing yet.
///
/// # Errors
/// When the registry cannot start, or a login's settings are incomplete.
pub async fn connect(settings: &Settings) -> Result<Connected, Failure> {
    let (url, registry) = match &settings.server.endpoint {
        Endpoint::Missing => return Err(missing()),
        Endpoint::Server { url } => (url.clone(), None),
        Endpoint::Embedded { data } => {
            hide_from_git(data)?;
            let options = EmbeddedOptions {
                data: data.clone(),
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            };
            let registry = start(options).await?;
            let url = Url::parse(&registry.url()).map_err(|error| {
                Failure::internal(Phase::Connect, format!("the registry's address: {error}"))
            })?;
            (url, Some(registry))
        }
    };
    let connection = connection(settings, url)?;
    if registry.is_none() {
        warn_unchecked(&connection);
    }
    Ok(Connected {
        client: Client::new(connection)?,
        registry,
    })
}

/// Says on standard error, `--quiet` or not, that anyone on the way can be the server: the report's note is not
/// part of every command's output. Once in a process, however many servers it calls.
fn warn_unchecked(connection: &Connection) {
    static SAID: Once = Once::new();
    if connection.insecure_skip_tls_verify {
        SAID.call_once(|| {
            complain(
                "WARNING: certificates are NOT checked (`--insecure-skip-tls-verify`): anyone on the way can read \
                 the credentials and change everything",
            );
        });
    }
}

/// The settings of the connection to the server at `url`.
///
/// # Errors
/// When a login's settings are incomplete, or the UI's address is none.
pub fn connection(settings: &Settings, url: Url) -> Result<Connection, Failure> {
    let server = &settings.server;
    let mut connection = Connection::new(url);
    if matches!(server.endpoint, Endpoint::Server { .. }) {
        connection.login = login(server, &settings.environment)?;
        connection.headers.clone_from(&server.headers);
    }
    connection.namespace.clone_from(&server.namespace);
    connection.timeout = server.timeout;
    connection.deadline = server.deadline;
    connection.first_contact = connection.first_contact.min(server.deadline);
    connection.concurrency = server.concurrency;
    connection.ca_file.clone_from(&server.ca_file);
    connection.insecure_skip_tls_verify = server.insecure_skip_tls_verify;
    connection.ui_url = server
        .ui_url
        .as_deref()
        .map(|text| {
            Url::parse(text).map_err(|error| {
                Failure::usage(
                    Phase::Settings,
                    format!("the UI's address `{text}` is none: {error}"),
                )
                .hint("write it like `https://kubeflow.example.com/pipeline`")
            })
        })
        .transpose()?;
    Ok(connection)
}

/// The embedded registry's folder ignores itself, so that nobody commits it by accident.
pub fn hide_from_git(data: &Path) -> Result<(), Failure> {
    let own = data
        .parent()
        .filter(|parent| parent.ends_with(".kfp-gitops"))
        .unwrap_or(data);
    let written = std::fs::create_dir_all(own).and_then(|()| {
        let ignore = own.join(".gitignore");
        if ignore.exists() {
            Ok(())
        } else {
            std::fs::write(ignore, "*\n")
        }
    });
    written.map_err(|error| {
        Failure::usage(
            Phase::Connect,
            format!("cannot make the registry's folder `{}`: {error}", own.display()),
        )
        .hint("name a folder you may write to with `--registry`")
    })
}
