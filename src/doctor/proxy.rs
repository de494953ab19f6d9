//! Is a proxy in the way?

use super::{Finding, Subject};
use crate::kfp::links::is_service;
use std::net::IpAddr;
use url::Url;

/// The proxies of the environment, as they stand there.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// `HTTP_PROXY` or `http_proxy`, else `ALL_PROXY`.
    pub http: Option<String>,
    /// `HTTPS_PROXY` or `https_proxy`, else `ALL_PROXY`.
    pub https: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub no_proxy: Option<String>,
}

impl Proxies {
    /// The proxy through which this address is called.
    #[must_use]
    pub fn of(&self, address: &Url) -> Option<Url> {
        let proxy = if address.scheme() == "https" {
            &self.https
        } else {
            &self.http
        };
        let proxy = proxy.as_deref().filter(|text| !text.is_empty())?;
        let host = address.host_str()?;
        if self.is_exempt(host) {
            return None;
        }
        // `proxy.example:3128` would parse as an address whose scheme is `proxy.example`.
        let proxy = if proxy.contains("://") {
            proxy.to_owned()
        } else {
            format!("http://{proxy}")
        };
        Url::parse(&proxy).ok()
    }

    /// `NO_PROXY` as curl reads it: names with or without a leading dot, `*`, addresses.
    fn is_exempt(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.no_proxy
            .as_deref()
            .unwrap_or_default()
            .split([',', ' '])
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .any(|entry| {
                let entry = entry
                    .trim_start_matches("*.")
                    .trim_start_matches('.')
                    .to_ascii_lowercase();
                entry == "*" || host == entry || host.ends_with(&format!(".{entry}")) || within(&host, &entry)
            })
    }
}

/// `10.0.0.0/8`.
fn within(host: &str, block: &str) -> bool {
    let Some((net, bits)) = block.split_once('/') else {
        return false;
    };
    let (Ok(IpAddr::V4(host)), Ok(IpAddr::V4(net)), Ok(bits)) =
        (host.parse(), net.parse(), bits.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
    u32::from(host) & mask == u32::from(net) & mask
}

/// The port of a proxy; SOCKS has one of its own (RFC 1928).
#[must_use]
pub fn port(proxy: &Url) -> u16 {
    proxy.port_or_known_default().unwrap_or(1080)
}

/// Whether a name only means something inside a cluster.
#[must_use]
pub fn is_in_cluster(host: &str) -> bool {
    is_service(host) || !host.contains('.') && host.parse::<IpAddr>().is_err() && host != "localhost"
}

/// What to do about a proxy that does not work.
#[must_use]
pub fn cure(endpoint: &Url) -> String {
    let variable = if endpoint.scheme() == "https" {
        "HTTPS_PROXY"
    } else {
        "HTTP_PROXY"
    };
    let host = endpoint.host_str().unwrap_or_default();
    format!(
        "check the proxy in `{variable}` (or `ALL_PROXY`), or add `{host}` to `NO_PROXY` where none is needed"
    )
}

/// What to do about a proxy that asks who is calling.
#[must_use]
pub fn credentials(endpoint: &Url) -> String {
    let host = endpoint.host_str().unwrap_or_default();
    format!(
        "give the proxy's user and password in its variable (`http://user:password@proxy:port`), or add `{host}` to \
         `NO_PROXY` where none is needed"
    )
}

/// The finding, and the proxy that is used.
pub fn check(subject: &Subject) -> (Finding, Option<Url>) {
    let endpoint = &subject.connection.endpoint;
    let Some(proxy) = subject.proxies.of(endpoint) else {
        return (Finding::passed("proxy", "none is used for this address"), None);
    };
    let shown = format!("{}:{}", proxy.host_str().unwrap_or("?"), port(&proxy));
    let host = endpoint.host_str().unwrap_or_default();
    if is_in_cluster(host) {
        let finding = Finding::failed(
            "proxy",
            format!("`{host}` exists only inside the cluster, but calls to it go through the proxy {shown}"),
            format!("add `{host}` (or `.svc,.cluster.local`) to `NO_PROXY`"),
        );
        return (finding, Some(proxy));
    }
    (
        Finding::passed("proxy", format!("calls go through {shown}")),
        Some(proxy),
    )
}
