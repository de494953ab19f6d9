//! Does the name resolve?

use super::Finding;
use super::proxy::{self, is_in_cluster};
use super::run::PATIENCE;
use std::net::SocketAddr;
use url::Url;

/// The finding, and the addresses.
pub async fn check(target: &Url, is_proxy: bool) -> (Finding, Vec<SocketAddr>) {
    let host = target
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let port = proxy::port(target);
    let what = if is_proxy { "the proxy" } else { "the server" };
    let looked = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host.as_str(), port))).await;
    let cause = match looked {
        Ok(Ok(found)) => {
            let addresses: Vec<SocketAddr> = found.collect();
            if !addresses.is_empty() {
                let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                return (
                    Finding::passed("dns", format!("{what} `{host}` is {}", shown.join(", "))),
                    addresses,
                );
            }
            "the answer is empty".to_owned()
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!(
            "no answer within {} s: the resolver itself may be cut off",
            PATIENCE.as_secs()
        ),
    };
    (
        Finding::failed(
            "dns",
            format!("{what} `{host}` does not resolve: {cause}"),
            cure(
                &host,
                &search_domains(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default()),
            ),
        ),
        Vec::new(),
    )
}

/// What helps where the resolver appends these domains to short names.
pub(super) fn cure(host: &str, search: &[String]) -> String {
    let in_cluster_machine = search.iter().any(|domain| domain.contains("svc."));
    if is_in_cluster(host) && !in_cluster_machine {
        let asked = if search.is_empty() {
            "none".to_owned()
        } else {
            search.join(", ")
        };
        return format!(
            "`{host}` exists only inside the cluster, and this machine is not in one (search domains: {asked}): run there, \
             use the gateway's address, or `kubectl port-forward`"
        );
    }
    if is_in_cluster(host) {
        let labels: Vec<&str> = host.split('.').collect();
        let (service, namespace) = (labels[0], labels.get(1).copied().unwrap_or("NAMESPACE"));
        return format!(
            "check that `kubectl get service {service} --namespace {namespace}` finds it, and write the whole name: \
             `{service}.{namespace}.svc.cluster.local`"
        );
    }
    "check the spelling, and that this machine may ask a resolver that knows it".to_owned()
}

/// What the resolver appends to short names: of several `search` lines (or `domain`, the old word) the last
/// counts, as resolv.conf(5) has it.
pub(super) fn search_domains(configuration: &str) -> Vec<String> {
    let last = configuration.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("search" | "domain")).then_some(words)
    });
    last.into_iter().flatten().map(str::to_owned).collect()
}
