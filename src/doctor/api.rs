//! What answers: the API, a login, a UI, or something else; and whether the path is right.

use super::run::{hasty, transport};
use super::{Finding, Subject, proxy};
use crate::error::Failure;
use crate::kfp::auth::{Authenticator, Login};
use crate::kfp::error::{ApiError, ErrorKind, is_page};
use crate::kfp::model;
use crate::kfp::transport::{Request, Response, Transport};
use http::header::{ACCEPT, HeaderValue};
use http::{HeaderMap, Method};
use url::Url;

/// Paths under which Kubeflow's gateway, or a proxy in front of the UI, has the API.
const PREFIXES: [&str; 2] = ["/pipeline", ""];

/// The finding. The first call carries no credentials: it asks what is there, not who may. Where strangers
/// are turned away it is made again as the client makes its calls, because that is what counts.
pub async fn check(subject: &Subject) -> Finding {
    let transport = match transport(subject) {
        Ok(transport) => transport,
        Err(failure) => return Finding::failed("http", failure.message, failure.hint.unwrap_or_default()),
    };
    let endpoint = &subject.connection.endpoint;
    let mut headers = HeaderMap::new();
    let (path, mut response) = match ask(subject, &transport, endpoint, &headers).await {
        Ok(found) => found,
        Err(cause) => return silent(subject, &transport, &cause).await,
    };
    if is_api(&response) {
        return Finding::passed("http", format!("the pipelines API answers at `{path}`"));
    }
    let mut error = objection(&response);
    if let Some(finding) = told_apart(subject, &transport, &response).await {
        return finding;
    }
    if turns_away(error.kind) && has_credentials(subject) {
        let auth = match authenticator(subject) {
            Ok(auth) => auth,
            Err(failure) => {
                return Finding::failed("http", failure.message, failure.hint.unwrap_or_default());
            }
        };
        match auth.headers(&transport).await {
            Ok((found, _)) => headers = found,
            // What became of the login is the login check's to say.
            Err(_) => {
                return Finding::passed(
                    "http",
                    format!("only those who are logged in get further: {}", error.message),
                );
            }
        }
        response = match ask(subject, &transport, endpoint, &headers).await {
            Ok((_, response)) => response,
            Err(cause) => return silent(subject, &transport, &cause).await,
        };
        if is_api(&response) {
            return Finding::passed(
                "http",
                format!(
                    "the pipelines API answers at `{path}` with the configured login, and to nobody else"
                ),
            );
        }
        error = objection(&response).redacted(|text| auth.hide(text));
    }
    if let Some(finding) = turned_away(subject, &path, &error) {
        return finding;
    }
    for prefix in PREFIXES {
        let mut other = endpoint.clone();
        other.set_path(prefix);
        if other.path().trim_end_matches('/') == endpoint.path().trim_end_matches('/') {
            continue;
        }
        if let Ok((_, response)) = ask(subject, &transport, &other, &headers).await
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

/// The finding about an answer that says who may not, as opposed to what is not there.
fn turned_away(subject: &Subject, path: &str, error: &ApiError) -> Option<Finding> {
    let as_whom = if has_credentials(subject) {
        " with the configured login, too"
    } else {
        ""
    };
    match error.kind {
        ErrorKind::NotLoggedIn | ErrorKind::Unauthenticated => Some(Finding::passed(
            "http",
            format!("a login stands in front of the API: {}", error.message),
        )),
        ErrorKind::MeshDenied => Some(
            Finding::failed(
                "http",
                format!("a service mesh refuses the call before it reaches the API (`RBAC: access denied`){as_whom}"),
                "let this workload through, or call through the gateway with a token",
            )
            .paste(super::manifests::authorization_policy(subject)),
        ),
        ErrorKind::Forbidden => Some(Finding::failed(
            "http",
            format!(
                "a gateway refuses the call to `{path}`{as_whom} (status 403): {}",
                error.message
            ),
            "the API itself answers this call to everybody: have the gateway let this identity through, or configure \
             the login it asks for",
        )),
        _ => None,
    }
}

const fn turns_away(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotLoggedIn | ErrorKind::Unauthenticated | ErrorKind::MeshDenied | ErrorKind::Forbidden
    )
}

fn has_credentials(subject: &Subject) -> bool {
    !matches!(subject.connection.login, Login::None) || !subject.connection.headers.is_empty()
}

fn authenticator(subject: &Subject) -> Result<Authenticator, Failure> {
    let connection = &subject.connection;
    Authenticator::new(
        connection.login.clone(),
        &connection.endpoint,
        &connection.headers,
    )
}

/// What is wrong with an answer that is not the API's.
fn objection(response: &Response) -> ApiError {
    let readable =
        response.status.is_success() && !is_page(response, &String::from_utf8_lossy(&response.body));
    match model::health(&response.body) {
        Err(cause) if readable => ApiError::unreadable("GET healthz", response, &cause),
        _ => ApiError::from_response("GET healthz", response),
    }
}

/// The finding about an answer that shows what is in between, or that the two sides speak differently.
async fn told_apart(subject: &Subject, transport: &dyn Transport, response: &Response) -> Option<Finding> {
    let endpoint = &subject.connection.endpoint;
    match response.status.as_u16() {
        407 => Some(Finding::failed(
            "http",
            "the proxy wants to know who is calling (status 407)",
            proxy::credentials(endpoint),
        )),
        404 => speaks_v1(subject, transport).await,
        // What Go's server, nginx and others say in plain text on a port that speaks TLS.
        400 => wants_tls(subject, transport).await,
        _ => None,
    }
}

/// The finding about a server of KFP 1.x.
async fn speaks_v1(subject: &Subject, transport: &dyn Transport) -> Option<Finding> {
    let endpoint = &subject.connection.endpoint;
    let asked = call(subject, transport, endpoint, &HeaderMap::new(), "v1beta1").await;
    let (_, response) = asked.ok()?;
    let told = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&response.body);
    (response.status.is_success() && told.is_ok()).then(|| {
        Finding::failed(
            "http",
            "the server speaks only the v1 API of KFP 1.x",
            "this program needs a KFP 2.x server (2.0.5 or newer)",
        )
    })
}

/// The finding where an `http` address leads to a port that speaks TLS. Nothing secret is sent to find it out.
async fn wants_tls(subject: &Subject, transport: &dyn Transport) -> Option<Finding> {
    let mut other = subject.connection.endpoint.clone();
    // Without a port the other scheme has another one.
    if other.scheme() != "http" || other.port().is_none() || other.set_scheme("https").is_err() {
        return None;
    }
    let _ = other.set_username("");
    let _ = other.set_password(None);
    let speaks = match ask(subject, transport, &other, &HeaderMap::new()).await {
        Ok(_) => true,
        Err(cause) => cause.contains("certificate"),
    };
    speaks.then(|| {
        Finding::failed(
            "http",
            "the server speaks TLS, and the address says `http`",
            format!("use `{}` as the endpoint", shown(&other)),
        )
    })
}

async fn silent(subject: &Subject, transport: &dyn Transport, cause: &str) -> Finding {
    let endpoint = &subject.connection.endpoint;
    let seen = format!("no answer to a first call: {cause}");
    if subject.proxies.of(endpoint).is_some() {
        // reqwest's and its connectors' own words.
        if cause.contains("proxy authorization required") {
            return Finding::failed("http", seen, proxy::credentials(endpoint));
        }
        if ["tunnel", "proxy", "SOCKS"]
            .iter()
            .any(|word| cause.contains(word))
        {
            return Finding::failed("http", seen, proxy::cure(endpoint));
        }
    }
    if let Some(finding) = wants_tls(subject, transport).await {
        return finding;
    }
    Finding::failed(
        "http",
        seen,
        "check what listens there: it takes connections but does not answer HTTP",
    )
}

async fn ask(
    subject: &Subject,
    transport: &dyn Transport,
    endpoint: &Url,
    headers: &HeaderMap,
) -> Result<(String, Response), String> {
    call(subject, transport, endpoint, headers, "v2beta1").await
}

async fn call(
    subject: &Subject,
    transport: &dyn Transport,
    endpoint: &Url,
    headers: &HeaderMap,
    generation: &str,
) -> Result<(String, Response), String> {
    let mut url = endpoint.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["apis", generation, "healthz"]);
    }
    let limit = hasty(&subject.connection).timeout;
    let mut request = Request::new(Method::GET, url.clone());
    request.headers.extend(headers.clone());
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
