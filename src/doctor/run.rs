//! The order of the checks, and which need which.

use super::{
    Finding, Subject, api, clock, forge, login, name, ntfy, proxy, python, reach, rights, run_link, sdk,
    secure, server,
};
use crate::compile::Outlook;
use crate::error::Failure;
use crate::kfp::http::HttpTransport;
use crate::kfp::{Client, Connection};
use std::time::Duration;

/// How long one step on the network may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// From the name to the API.
const STEPS: [&str; 5] = ["proxy", "dns", "tcp", "tls", "http"];

/// All checks. `compiler` is what the compile engine would start from.
pub async fn examine(subject: &Subject, compiler: &Result<Outlook, Failure>) -> Vec<Finding> {
    let mut findings = vec![python::check(compiler)];
    let way = network(subject, &mut findings).await;
    match client(subject) {
        Err(failure) => findings.push(Finding::failed(
            "server",
            failure.message,
            failure.hint.unwrap_or_default(),
        )),
        Ok(client) if way => {
            match server::check(&client, subject).await {
                Ok((server, finding)) => {
                    findings.push(finding);
                    let (finding, listed) = login::check(&client, subject).await;
                    findings.push(finding);
                    findings.push(match listed {
                        Some(listed) => {
                            let first = listed.first().map(|pipeline| &pipeline.id);
                            rights::check(&client, &server, subject, first).await
                        }
                        None => Finding::skipped("rights", "the login is refused"),
                    });
                    findings.push(sdk::check(&server, compiler));
                }
                Err(finding) => {
                    findings.push(*finding);
                    let why = "the server did not say what it is";
                    match login::objection(&client, subject).await {
                        Some(objection) => findings.push(objection),
                        None => skip(&mut findings, &["login"], why),
                    }
                    skip(&mut findings, &["rights", "versions"], why);
                }
            }
            findings.push(clock::check(&client));
        }
        Ok(_) => skip(
            &mut findings,
            &["server", "login", "rights", "versions", "clock"],
            "the server cannot be reached",
        ),
    }
    findings.push(ntfy::check(subject).await);
    findings.push(forge::check(subject).await);
    findings.push(run_link::check(subject).await);
    findings
}

/// What is left where the configuration says nothing usable about the server: Python, where at least that is
/// known, and everything else by name.
pub fn without_server(compiler: Option<&Result<Outlook, Failure>>, why: &str) -> Vec<Finding> {
    let mut findings = vec![compiler.map_or_else(|| Finding::skipped("python", why), python::check)];
    skip(&mut findings, &STEPS, why);
    let rest = [
        "server", "login", "rights", "versions", "clock", "ntfy", "forge", "run link",
    ];
    skip(&mut findings, &rest, why);
    findings
}

/// The checks that explain why a first call failed: only the way to the server, and with `refused`, where
/// it was the caller that something minded, what it minds.
pub async fn first_contact(subject: &Subject, refused: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let way = network(subject, &mut findings).await;
    if way
        && refused
        && let Ok(client) = client(subject)
    {
        // Only a server that separates users may be sent a namespace: which it is decides the next call.
        let _ = client.server().await;
        findings.extend(login::objection(&client, subject).await);
    }
    findings
}

/// From the name to the API; whether the whole way is open.
async fn network(subject: &Subject, findings: &mut Vec<Finding>) -> bool {
    if subject.embedded {
        skip(
            findings,
            &STEPS,
            "the registry is embedded: there is no network in between",
        );
        return true;
    }
    let (finding, through) = proxy::check(subject);
    findings.push(finding);
    let target = through.as_ref().unwrap_or(&subject.connection.endpoint);
    let (finding, addresses) = name::check(target, through.is_some()).await;
    findings.push(finding);
    if addresses.is_empty() {
        skip(findings, &["tcp", "tls", "http"], "the name does not resolve");
        return false;
    }
    let finding = reach::check(subject, target, &addresses).await;
    let open = !finding.is_failed();
    findings.push(finding);
    if !open {
        skip(findings, &["tls", "http"], "no connection");
        return false;
    }
    let finding = secure::check(subject, &addresses, through.is_some()).await;
    let secured = !finding.is_failed();
    findings.push(finding);
    if !secured {
        skip(findings, &["http"], "TLS could not be agreed on");
        return false;
    }
    let finding = api::check(subject).await;
    let answers = !finding.is_failed();
    findings.push(finding);
    answers
}

fn skip(findings: &mut Vec<Finding>, checks: &[&'static str], why: &str) {
    findings.extend(checks.iter().map(|check| Finding::skipped(check, why)));
}

/// A client that gives up soon.
fn client(subject: &Subject) -> Result<Client, Failure> {
    Client::new(hasty(&subject.connection))
}

/// The same connection with little patience.
pub(super) fn hasty(connection: &Connection) -> Connection {
    let mut connection = connection.clone();
    connection.timeout = connection.timeout.min(2 * PATIENCE);
    connection.connect_timeout = PATIENCE;
    // Long enough for a login to give up first: its authority's silence is not the server's.
    connection.first_contact = 3 * PATIENCE;
    connection.deadline = Duration::from_secs(60);
    connection
}

/// A transport for calls to the pipelines server.
pub(super) fn transport(subject: &Subject) -> Result<HttpTransport, Failure> {
    HttpTransport::new(
        subject.connection.ca_file.as_deref(),
        subject.connection.insecure_skip_tls_verify,
        PATIENCE,
    )
}

/// A transport for everybody else, such as the forge: that the pipelines server's certificate is not checked
/// says nothing about theirs, and they are sent tokens.
pub(super) fn strict_transport(subject: &Subject) -> Result<HttpTransport, Failure> {
    HttpTransport::new(subject.connection.ca_file.as_deref(), false, PATIENCE)
}
