//! [`Connection`]: everything the client needs to know before the first call.

use super::auth::Login;
use crate::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Where the server is, who calls, and within which limits.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The address below which `/apis/v2beta1` lies; a path prefix such as `/pipeline` is kept.
    pub endpoint: Url,
    /// The namespace on multi-user servers.
    pub namespace: Option<String>,
    /// How to log in.
    pub login: Login,
    /// Headers added to every call, such as those a gateway wants.
    pub headers: Vec<(String, Secret)>,
    /// Time limit of one call (default 30 s).
    pub timeout: Duration,
    /// Time limit of connecting (default 10 s).
    pub connect_timeout: Duration,
    /// Time limit of the first contact with all its repeats (default 15 s): where packets are dropped in
    /// silence nobody should wait for the whole deadline.
    pub first_contact: Duration,
    /// Time limit of all calls together (default 10 min).
    pub deadline: Duration,
    /// Calls in flight at once (default 8: a server on two cores answers no faster to more).
    pub concurrency: usize,
    /// A PEM file with authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure_skip_tls_verify: bool,
    /// The address of the UI, where it is not the endpoint.
    pub ui_url: Option<Url>,
    /// Makes the random waits repeatable, for tests.
    pub seed: Option<u64>,
}

impl Connection {
    /// A connection without login and with the default limits.
    #[must_use]
    pub fn new(endpoint: Url) -> Self {
        Self {
            endpoint,
            namespace: None,
            login: Login::None,
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            first_contact: Duration::from_secs(15),
            deadline: Duration::from_secs(600),
            concurrency: 8,
            ca_file: None,
            insecure_skip_tls_verify: false,
            ui_url: None,
            seed: None,
        }
    }
}
