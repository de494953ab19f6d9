//! What answers: the API, a login, a UI, or something else; and whether the path is right.

use super::run::{hasty, transport};
use super::{Finding, Subject};
use crate::kfp::error::{ApiError, ErrorKind, is_page};
use crate::kfp::model;
use crate::kfp::transport::{Request, Response, Transport};
use http::Method;
use http::header::{ACCEPT, HeaderValue};
use url::Url;

/// Paths under which Kubeflow's gateway, or a proxy in front of the UI, has the API.
const PREFIXES: [&str; 2] = ["/pipeline", ""];

/// The finding. The call carries no credentials: it asks what is there, not who may.
pub async fn check(subject: &Subject) -> Finding {
    let transport = match transport(subject) {
        Ok(transport) => transport,
        Err(failure) => return Finding::failed("http", failure.message, failure.hint.unwrap_or_default()),
    };
    let endpoint = &subject.connection.endpoint;
    let (path, response) = match ask(subject, &transport, endpoint).await {
        Ok(found) => found,
        Err(cause) => {
            return Finding::failed(
                "http",
                format!("no answer to a first call: {cause}"),
                "check what listens there: it takes connections but does not answer HTTP",
            );
        }
    };
    if is_api(&response) {
        return Finding::passed("http", format!("the pipelines API answers at `{path}`"));
    }
    let error = ApiError::from_response("GET healthz", &response);
    if error.kind == ErrorKind::NotLoggedIn || error.kind == ErrorKind::Unauthenticated {
        return Finding::passed(
            "http",
            format!("a login stands in front of the API: {}", error.message),
        );
    }
    if error.kind == ErrorKind::MeshDenied {
        return Finding::failed(
            "http",
            "a service mesh refuses the call before it reaches the API (`RBAC: access denied`)",
            "let this workload through, or call through the gateway with a token",
        )
        .paste(super::manifests::authorization_policy(subject));
    }
    for prefix in PREFIXES {
        let mut other = endpoint.clone();
        other.set_path(prefix);
        if other.path().trim_end_matches('/') == endpoint.path().trim_end_matches('/') {
            continue;
        }
        if let Ok((_, response)) = ask(subject, &transport, &other).await
            && is_api(&response)
        {
            let shown = shown(&other);
            return Finding::failed(
                "http",
                format!("`{path}` is not the API: {}", error.message),
                format!("use `{shown}` as the endpoint"),
            );
        }
    }
    let what = if error.kind == ErrorKind::Redirected {
        error.message
    } else {
        format!("`{path}` is not the API: {}", error.message)
    };
    Finding::failed(
        "http",
        what,
        "point the endpoint at the API: inside the cluster `http://ml-pipeline.kubeflow.svc.cluster.local:8888`, behind \
         Kubeflow's gateway an address that ends in `/pipeline`",
    )
}

async fn ask(
    subject: &Subject,
    transport: &dyn Transport,
    endpoint: &Url,
) -> Result<(String, Response), String> {
    let mut url = endpoint.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["apis", "v2beta1", "healthz"]);
    }
    let limit = hasty(&subject.connection).timeout;
    let mut request = Request::new(Method::GET, url.clone());
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.timeout = limit;
    request.response_limit = 1 << 20;
    match tokio::time::timeout(limit, transport.send(request)).await {
        Ok(Ok(response)) => Ok((url.path().to_owned(), response)),
        Ok(Err(error)) => Err(error.message),
        Err(_) => Err(format!("nothing came back within {} s", limit.as_secs())),
    }
}

fn is_api(response: &Response) -> bool {
    response.status.is_success()
        && !is_page(response, &String::from_utf8_lossy(&response.body))
        && model::health(&response.body).is_ok()
}

fn shown(url: &Url) -> String {
    format!(
        "{}{}",
        url.origin().ascii_serialization(),
        url.path().trim_end_matches('/')
    )
}
