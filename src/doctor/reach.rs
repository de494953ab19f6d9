//! Can a connection be made?

use super::proxy::{self, is_in_cluster};
use super::run::PATIENCE;
use super::{Finding, Subject, manifests};
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use url::Url;

/// The finding; the first address that answers is enough.
pub async fn check(subject: &Subject, target: &Url, addresses: &[SocketAddr]) -> Finding {
    let mut causes = Vec::new();
    for address in addresses {
        match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match reset_at_once(stream).await {
                None => return Finding::passed("tcp", format!("{address} takes connections")),
                Some(error) => causes.push((
                    Cause::Reset,
                    format!("{address} closed the connection at once: {error}"),
                )),
            },
            Ok(Err(error)) => causes.push((cause(&error), format!("{address}: {error}"))),
            Err(_) => causes.push((
                Cause::Timeout,
                format!("{address} did not answer within {} s", PATIENCE.as_secs()),
            )),
        }
    }
    let said: Vec<&str> = causes.iter().map(|(_, text)| text.as_str()).collect();
    let said = said.join("; ");
    let host = target.host_str().unwrap_or_default();
    let port = proxy::port(target);
    let endpoint = &subject.connection.endpoint;
    match causes.iter().map(|(cause, _)| *cause).min() {
        Some(Cause::Timeout) if is_in_cluster(host) => Finding::failed(
            "tcp",
            format!(
                "{said}: packets are dropped in silence, which is what a missing NetworkPolicy looks like"
            ),
            "apply this NetworkPolicy, or have it applied by whoever runs the cluster",
        )
        .paste(manifests::network_policy(subject, host, port)),
        Some(Cause::Timeout) => Finding::failed(
            "tcp",
            format!("{said}: packets are dropped in silence"),
            format!("open port {port} of `{host}` to this machine in the firewall in between"),
        ),
        Some(Cause::Refused) if target != endpoint => Finding::failed(
            "tcp",
            format!("{said}: the proxy's host is there, but nothing listens on port {port}"),
            proxy::cure(endpoint),
        ),
        Some(Cause::Refused) => Finding::failed(
            "tcp",
            format!("{said}: the host is there, but nothing listens on port {port}"),
            "check the port (the API listens on 8888, its UI on 80) and that the server runs",
        ),
        Some(Cause::Reset) => Finding::failed(
            "tcp",
            said,
            "a firewall, a mesh that wants mutual TLS, or a server that is starting does this: check the mesh's \
             PeerAuthentication, and the server's log",
        ),
        _ => Finding::failed("tcp", said, "check the route from here to the server"),
    }
}

/// The most telling first: where one address of a name times out, that another has no route from here (IPv6
/// in most clusters) explains nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Timeout,
    Reset,
    Refused,
    Other,
}

fn cause(error: &std::io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Cause::Reset,
        ErrorKind::TimedOut => Cause::Timeout,
        _ => Cause::Other,
    }
}

/// Whether the other side resets before anything was said. HTTP servers wait for the request.
async fn reset_at_once(mut stream: TcpStream) -> Option<std::io::Error> {
    let mut byte = [0];
    match tokio::time::timeout(std::time::Duration::from_millis(150), stream.read(&mut byte)).await {
        Ok(Err(error)) => Some(error),
        _ => None,
    }
}
