use super::*;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
    Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::from(body.to_owned()),
    }
}

fn recorded(server: &str, name: &str) -> Response {
    let path = format!(
        "{}/tests/recordings/kfp/{server}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let exchange = file["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name)
        .unwrap();
    let response = &exchange["response"];
    let body = response["text"]
        .as_str()
        .map_or_else(|| response["json"].to_string(), str::to_owned);
    answer(
        u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        response["content_type"].as_str().unwrap(),
        &body,
    )
}

fn read(server: &str, name: &str) -> (ErrorKind, String) {
    let error = ApiError::from_response("GET /x", &recorded(server, name));
    (error.kind, error.message)
}

#[test]
fn the_short_message_is_found_in_every_shape() {
    for server in ["2.0.5", "2.5.0", "2.16.1", "2.17.0"] {
        let (kind, message) = read(server, "pipeline_by_id_missing");
        assert_eq!(kind, ErrorKind::NotFound);
        assert_eq!(
            message, "Pipeline 00000000-0000-0000-0000-000000000000 not found",
            "{server}"
        );
    }
    assert_eq!(
        read("2.17.0", "version_upload_duplicate"),
        (
            ErrorKind::Conflict,
            "Failed to create a pipeline version".to_owned()
        )
    );
    let (kind, message) = read("2.0.5", "version_upload_duplicate");
    assert_eq!(kind, ErrorKind::Server);
    assert!(
        message.ends_with("The name v20260213-143022 already exist. Specify a new name"),
        "{message}"
    );
    assert_eq!(
        read("2.17.0", "version_upload_name_128_bytes").1,
        "Invalid input error: PipelineVersion.Name length cannot exceed 127"
    );
    // "Internal Server Error" says nothing: the chain is shown instead.
    assert!(
        read("2.0.5", "pipeline_by_name")
            .1
            .contains("Invalid api version detected")
    );
    assert!(
        read("2.17.0", "pipeline_create_unknown_field")
            .1
            .contains("unknown field")
    );
}

#[test]
fn who_is_calling_and_what_they_may_are_told_apart() {
    assert_eq!(
        read("2.17.0-multiuser", "mu_no_identity_list").0,
        ErrorKind::Unauthenticated
    );
    assert_eq!(read("2.17.0-multiuser", "mu_denied_list").0, ErrorKind::Forbidden);
    assert_eq!(read("2.17.0-multiuser", "mu_denied_upload").0, ErrorKind::Refused);
    let mesh = ApiError::from_response("GET /x", &answer(403, "text/plain", "RBAC: access denied"));
    assert_eq!(mesh.kind, ErrorKind::MeshDenied);
}

#[test]
fn login_pages_are_recognised_whatever_their_status() {
    let form = "<!DOCTYPE html><html><form method=\"GET\" action=\"/oauth2/start\">Sign in with OpenID Connect</form>";
    for status in [200, 403] {
        let error = ApiError::from_response("GET /x", &answer(status, "text/html; charset=utf-8", form));
        assert_eq!(error.kind, ErrorKind::NotLoggedIn);
        assert_eq!(error.effect(), Effect::None);
    }
    let proxy = ApiError::from_response("GET /x", &answer(401, "application/json", "{}"));
    assert_eq!(proxy.kind, ErrorKind::NotLoggedIn);
    let mut redirect = answer(302, "text/html", "");
    redirect.headers.insert(
        LOCATION,
        HeaderValue::from_static("https://dex.example/dex/auth?client_id=kubeflow&state=s3cr3t"),
    );
    let error = ApiError::from_response("GET /x", &redirect);
    assert_eq!(error.kind, ErrorKind::NotLoggedIn);
    assert!(!error.message.contains("s3cr3t"));
}

#[test]
fn a_proxys_page_is_not_a_login() {
    let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let error = ApiError::from_response("POST /x", &answer(502, "text/html", page));
    assert_eq!(error.kind, ErrorKind::Page);
    assert_eq!(
        error.message,
        "a web page instead of the API (status 502, titled `502 Bad Gateway`)"
    );
    assert!(error.passes());
    assert_eq!(error.effect(), Effect::Unknown);
    // A page that calls itself JSON is still a page, and a UI's page with 200 is no success.
    let ui = ApiError::from_response(
        "GET /x",
        &answer(200, "application/json", "<!doctype html><title>Kubeflow</title>"),
    );
    assert_eq!(ui.kind, ErrorKind::Page);
    assert!(!ui.passes());
}

#[test]
fn failures_know_whose_fault_it_is() {
    use crate::exit::ExitCode;
    let exit = |error: ApiError| error.into_failure(Phase::Connect, "reading").exit_code();
    let fault = |fault| ApiError::from_transport("GET /x", &TransportError::new(fault, "because"));
    assert_eq!(exit(fault(TransportFault::Refused)), ExitCode::Infrastructure);
    assert_eq!(exit(fault(TransportFault::Timeout)), ExitCode::Infrastructure);
    assert_eq!(exit(fault(TransportFault::Tls)), ExitCode::Usage);
    assert_eq!(
        exit(ApiError::from_response(
            "x",
            &answer(503, "text/plain", "upstream")
        )),
        ExitCode::Infrastructure
    );
    assert_eq!(
        exit(ApiError::from_response(
            "x",
            &answer(401, "application/json", "{}")
        )),
        ExitCode::Usage
    );
    assert_eq!(
        exit(ApiError::from_response(
            "x",
            &answer(400, "application/json", "{\"message\":\"bad\"}")
        )),
        ExitCode::Failed
    );
    let failure = ApiError::from_response("x", &answer(503, "text/plain", "upstream"))
        .into_failure(Phase::Apply, "uploading v1");
    assert_eq!(failure.message, "uploading v1: status 503: upstream");
}

#[test]
fn what_was_sent_tells_what_can_have_happened() {
    let fault = |fault| ApiError::from_transport("POST /x", &TransportError::new(fault, "because"));
    assert_eq!(fault(TransportFault::Refused).effect(), Effect::None);
    assert_eq!(fault(TransportFault::Lost).effect(), Effect::Unknown);
    let server = ApiError::from_response("POST /x", &recorded("2.0.5", "version_upload_duplicate"));
    assert_eq!(server.effect(), Effect::Unknown);
    assert_eq!(
        ApiError::from_response("POST /x", &recorded("2.17.0", "version_upload_duplicate")).effect(),
        Effect::Unknown
    );
}

proptest::proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(status in 100_u16..999, body in "\\PC*", html in proptest::bool::ANY) {
        let kind = if html { "text/html" } else { "application/json" };
        let error = ApiError::from_response("GET /x", &answer(status, kind, &body));
        proptest::prop_assert!(!error.message.contains('\n'));
    }
}
