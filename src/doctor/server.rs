//! Which server is it, and does the configuration fit it?

use super::{Finding, Subject};
use crate::kfp::Client;
use crate::kfp::model::{Server, Store};
use crate::kfp::server::newest_known;

/// The server and the finding, or the finding alone.
pub async fn check(client: &Client, subject: &Subject) -> Result<(Server, Finding), Box<Finding>> {
    let server = match client.server().await {
        Ok(server) => server,
        Err(failure) => {
            return Err(Box::new(Finding::failed(
                "server",
                failure.message,
                failure.hint.unwrap_or_default(),
            )));
        }
    };
    let version = match (&server.version, server.probed) {
        (Some(version), false) => format!("version {version}"),
        (Some(version), true) => format!("it does not tell its version; it behaves as {version}"),
        (None, _) => "it does not tell its version".to_owned(),
    };
    let store = if server.store == Store::Kubernetes {
        "pipelines are kept as cluster resources"
    } else {
        "pipelines are kept in a database"
    };
    let users = if server.multi_user {
        "users are separated by namespace"
    } else {
        "single user"
    };
    let said = format!("{version}, {users}, {store}");
    let namespace = subject.connection.namespace.as_deref();
    let finding = match (server.multi_user, namespace) {
        (true, None) if !subject.shared => Finding::failed(
            "server",
            format!("{said}; no namespace is configured"),
            "set `namespace` (`--namespace`), or `--shared` where pipelines for everybody are meant",
        ),
        (false, Some(namespace)) => Finding::passed("server", said).cure(format!(
            "leave out the namespace `{namespace}`: this server has none, it is ignored"
        )),
        _ if server
            .version
            .as_ref()
            .is_some_and(|version| *version > newest_known()) =>
        {
            Finding::passed("server", said).cure(format!(
                "newer than {}, the newest this program was measured against: it is used as that one",
                newest_known()
            ))
        }
        _ => Finding::passed("server", said),
    };
    Ok((server, finding))
}
