//! The cluster this pod runs in, asked what its service account may do.

use super::login::subject_of;
use super::run::PATIENCE;
use crate::kfp::http::HttpTransport;
use crate::kfp::transport::{Request, Transport};
use crate::secret::Secret;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::json;
use std::path::PathBuf;
use url::Url;

/// What is asked for; the pipelines server asks the cluster the same of its callers.
pub const VERBS: [&str; 4] = ["get", "list", "create", "delete"];

/// The cluster's own API, as a pod reaches it.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its address.
    pub api: Url,
    /// The authority that signed its certificate.
    pub ca_file: Option<PathBuf>,
    /// The token of the pod's service account.
    pub token: Secret,
}

impl Cluster {
    /// The service account, as the cluster names it.
    pub fn account(&self) -> Option<String> {
        subject_of(self.token.expose())
    }

    /// Whether the account may do each of [`VERBS`] with the pipelines of a namespace. A review is an answer to
    /// a question: nothing is stored, and every account may ask about itself.
    ///
    /// # Errors
    /// Says why the cluster did not tell.
    pub async fn allowed(&self, namespace: &str) -> Result<Vec<(&'static str, bool)>, String> {
        let transport = HttpTransport::new(self.ca_file.as_deref(), false, PATIENCE)
            .map_err(|failure| failure.message)?;
        let transport = &transport;
        let reviews = VERBS.map(|verb| async move {
            let allowed = self.review(transport, namespace, verb).await?;
            Ok::<_, String>((verb, allowed))
        });
        futures::future::try_join_all(reviews).await
    }

    async fn review(&self, transport: &HttpTransport, namespace: &str, verb: &str) -> Result<bool, String> {
        let mut url = self.api.clone();
        url.set_path("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        let mut request = Request::new(Method::POST, url);
        request.timeout = PATIENCE;
        request.response_limit = 1 << 20;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))
            .map_err(|_| "the service account's token is no header".to_owned())?;
        bearer.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, bearer);
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "group": "pipelines.kubeflow.org",
                "version": "v1beta1",
                "resource": "pipelines",
                "namespace": namespace,
                "verb": verb,
            }},
        });
        request.body = review.to_string().into();
        let response = tokio::time::timeout(PATIENCE, transport.send(request))
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
            .map_err(|error| error.message)?;
        let told: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        told["status"]["allowed"]
            .as_bool()
            .filter(|_| response.status.is_success())
            .ok_or_else(|| format!("status {}", response.status.as_u16()))
    }
}
