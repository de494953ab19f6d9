//! The first contact: is this a pipelines server, which one, and what can it do.

use super::client::Client;
use super::error::{ApiError, ErrorKind, is_page};
use super::model::{self, Server, Store};
use super::retry::passes;
use super::transport::{Request, TransportFault};
use crate::error::{Class, Failure, Phase};
use http::Method;
use semver::Version;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Where the two generations of the API lie.
const V1: [&str; 3] = ["apis", "v1beta1", "healthz"];

/// How often one probe is sent at most.
const PROBES: u32 = 4;

impl Client {
    /// Asks the server what it is. The answer is kept; only the first call sends anything.
    ///
    /// # Errors
    /// Unreachable within [`super::Connection::first_contact`], not a pipelines server, a server of the v1
    /// API only, a login page, or a UI whose API does not answer.
    pub async fn server(&self) -> Result<Server, Failure> {
        if let Some(server) = self.shared.server.get() {
            return Ok(server.clone());
        }
        let server = self.ask().await?;
        let server = match server.version {
            Some(_) => server,
            None => self.probe(server).await,
        };
        Ok(self.shared.server.get_or_init(|| server).clone())
    }

    async fn ask(&self) -> Result<Server, Failure> {
        let budget = self.shared.connection.first_contact;
        let end = Instant::now() + budget;
        let error = match self
            .read_until(&self.url(&["healthz"]), &model::health, end)
            .await
        {
            Ok(health) if health.ready => return Ok(health.server),
            Ok(_) => {
                return Err(Failure::infrastructure(
                    Phase::Connect,
                    "the pipelines UI answers, but the API behind it is not ready",
                )
                .hint("check the `ml-pipeline` deployment, or point the endpoint at the API itself"));
            }
            Err(error) => error,
        };
        match error.kind {
            ErrorKind::NoAnswer(TransportFault::Timeout)
            | ErrorKind::Unreachable(TransportFault::ConnectTimeout) => Err(self.silent(budget)),
            _ => Err(self.explain(error).await),
        }
    }

    /// Says what is at an address that is not a v2 API.
    async fn explain(&self, error: ApiError) -> Failure {
        let at = self.shown();
        match error.kind {
            ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Unreadable if self.speaks_v1().await => {
                Failure::usage(
                    Phase::Connect,
                    format!("the server at {at} speaks only the v1 API of KFP 1.x"),
                )
                .hint("this program needs a KFP 2.x server (2.0.5 or newer)")
            }
            ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Unreadable => {
                let mut failure = Failure::usage(
                    Phase::Connect,
                    format!("what answers at {at} is not a pipelines API: {}", error.message),
                );
                failure.hint = Some(if self.shared.connection.endpoint.path().len() > 1 {
                    "check the endpoint's host, port and path".to_owned()
                } else {
                    "check the endpoint's host and port; behind Kubeflow's gateway it ends in `/pipeline`"
                        .to_owned()
                });
                failure
            }
            _ => error.into_failure(Phase::Connect, &format!("the first call to {at}")),
        }
    }

    async fn speaks_v1(&self) -> bool {
        let mut url = self.shared.connection.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(V1);
        }
        // Any JSON object will do: 1.x says `commit_sha` and `tag_name`, sometimes nothing.
        let parse = |text: &[u8]| {
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(text)
                .map_err(|error| error.to_string())
        };
        self.read_once(&url, &parse).await.is_ok()
    }

    fn silent(&self, budget: Duration) -> Failure {
        Failure::new(
            Phase::Connect,
            Class::Infrastructure,
            format!("{} did not answer within {} s", self.shown(), budget.as_secs()),
        )
        .hint("run `kfp-gitops doctor`: inside a cluster a NetworkPolicy that drops packets looks like this")
    }

    /// Finds out the version by safe reads where `healthz` does not tell. The result is the lowest release
    /// that behaves so.
    async fn probe(&self, mut server: Server) -> Server {
        server.probed = true;
        server.version = match self.probed_version().await {
            Ok(version) => Some(version),
            // Probing is a help, not a condition: without it the newest known set is tried.
            Err(error) => {
                tracing::debug!(%error, "probing failed");
                None
            }
        };
        server
    }

    async fn probed_version(&self) -> Result<Version, ApiError> {
        // An unknown route: gateway v2 (2.14.0 on) answers JSON, v1 plain text.
        let unknown = self.raw(self.url(&["no-such-collection"])).await?;
        if !unknown.1.starts_with('{') {
            // 2.0.x answers 500 to every look-up by name.
            let named = self
                .raw(self.url(&["pipelines", "names", "kfp-gitops-probe"]))
                .await?;
            return Ok(if named.0 == 500 {
                Version::new(2, 0, 5)
            } else {
                Version::new(2, 5, 0)
            });
        }
        // Tags can be asked for from 2.17.0 on.
        let mut url = self.url(&["pipelines"]);
        {
            let filter = r#"{"predicates":[{"operation":"EQUALS","key":"tags.probe","string_value":"x"}]}"#;
            let once: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
            let mut query = url.query_pairs_mut();
            query.append_pair("page_size", "1").append_pair("filter", &once);
            if let Some(namespace) = self.namespace() {
                query.append_pair("namespace", namespace);
            }
        }
        let tags = self.raw(url).await?;
        Ok(if tags.0 == 200 {
            Version::new(2, 17, 0)
        } else {
            Version::new(2, 14, 0)
        })
    }

    /// Status and trimmed body, whatever the API itself says. What passes, and what comes from something in
    /// between, says nothing of the API: it is asked again.
    async fn raw(&self, url: Url) -> Result<(u16, String), ApiError> {
        let mut attempt = 1;
        loop {
            let request = Request::new(Method::GET, url.clone());
            let error = match self.exchange(request).await.0 {
                Ok(response) => {
                    let text = String::from_utf8_lossy(&response.body).trim().to_owned();
                    let status = response.status.as_u16();
                    // 500 is how 2.0.5 answers a look-up by name.
                    let passing = status != 500 && passes(status);
                    if !passing && !is_page(&response, &text) {
                        return Ok((status, text));
                    }
                    ApiError::from_response("the probe", &response)
                }
                Err(error) => error,
            };
            let wait = self.patience().wait(attempt, error.retry_after);
            let Some(wait) = wait.filter(|_| attempt < PROBES) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    fn shown(&self) -> String {
        let mut url = self.shared.connection.endpoint.clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.as_str().trim_end_matches('/').to_owned()
    }
}

/// The newest version this program was measured against; newer ones work as this one does.
#[must_use]
pub const fn newest_known() -> Version {
    Version::new(2, 17, 0)
}

/// Whether the store keeps pipelines as cluster resources.
#[must_use]
pub fn is_kubernetes(server: &Server) -> bool {
    server.store == Store::Kubernetes
}
