use super::*;
use crate::exit::ExitCode;
use crate::ids::{PipelineId, PipelineName, VersionId, VersionName};
use crate::kfp::transport::{BoxFuture, TransportError};
use crate::kfp::{NewPipeline, NewVersion};
use crate::secret::Secret;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

type Answer = Result<Response, TransportError>;

/// Gives the answers of a script, in order, and remembers what was asked. Afterwards it is silent.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request>>,
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Answer> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

fn ok(body: &str) -> Answer {
    status(200, body)
}

fn status(status: u16, body: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::from(body.to_owned()),
    })
}

fn lost() -> Answer {
    Err(TransportError::new(
        TransportFault::Lost,
        "connection reset by peer",
    ))
}

fn client(endpoint: &str, answers: impl IntoIterator<Item = Answer>) -> (Client, Arc<Script>) {
    client_with(endpoint, answers, |_| {})
}

fn client_with(
    endpoint: &str,
    answers: impl IntoIterator<Item = Answer>,
    change: impl FnOnce(&mut Connection),
) -> (Client, Arc<Script>) {
    let script = Arc::new(Script::default());
    script.answers.lock().unwrap().extend(answers);
    let mut connection = Connection::new(Url::parse(endpoint).unwrap());
    connection.seed = Some(1);
    change(&mut connection);
    (
        Client::with_transport(connection, Arc::clone(&script) as Arc<dyn Transport>).unwrap(),
        script,
    )
}

impl Script {
    fn asked(&self, index: usize) -> Request {
        self.asked.lock().unwrap()[index].clone()
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

const HEALTH_2_17: &str = r#"{"tag_name":"2.17.0","multi_user":false,"pipeline_store":"database"}"#;
const HEALTH_2_5: &str = r#"{"tag_name":"2.5.0","multi_user":false}"#;
const HEALTH_TEAMS: &str = r#"{"tag_name":"2.17.0","multi_user":true,"pipeline_store":"database"}"#;

#[tokio::test(start_paused = true)]
async fn the_filter_is_encoded_twice_as_recorded() {
    let name = "A+B 100%demo";
    let (client, script) = client("http://host", [ok("{}")]);
    client.find_pipelines(&PipelineName::new(name)).await.unwrap();
    let request = script.asked(0);
    // What a server does: decode the query, then the value again.
    let once = request
        .url
        .query_pairs()
        .find(|(key, _)| key == "filter")
        .unwrap()
        .1
        .into_owned();
    assert!(!once.contains(' ') && !once.contains('"'), "{once}");
    let twice = url::form_urlencoded::parse(format!("f={}", once.replace('&', "%26")).as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned();
    let filter: serde_json::Value = serde_json::from_str(&twice).unwrap();
    assert_eq!(filter["predicates"][0]["string_value"], name);
    assert_eq!(filter["predicates"][0]["key"], "name");
    assert_eq!(request.url.path(), "/apis/v2beta1/pipelines");
}

#[tokio::test(start_paused = true)]
async fn a_path_prefix_and_ids_are_kept_and_escaped() {
    let (client, script) = client("https://host/pipeline/", [ok("{}")]);
    client.newest_version(&PipelineId::new("a/b")).await.unwrap();
    let url = script.asked(0).url;
    assert_eq!(url.path(), "/pipeline/apis/v2beta1/pipelines/a%2Fb/versions");
    assert_eq!(url.query(), Some("page_size=1&sort_by=created_at+desc"));
}

#[tokio::test(start_paused = true)]
async fn pages_are_followed() {
    let page = |from: usize, next: &str| {
        let items: Vec<String> = (from..from + 2)
            .map(|id| format!(r#"{{"pipeline_id":"{id}","name":"p{id}"}}"#))
            .collect();
        ok(&format!(
            r#"{{"pipelines":[{}],"next_page_token":"{next}"}}"#,
            items.join(",")
        ))
    };
    let (client, script) = client("http://host", [page(0, "t+1"), page(2, "t2"), page(4, "")]);
    let found = client.find_pipelines(&PipelineName::new("p")).await.unwrap();
    assert_eq!(found.len(), 6);
    let token = script
        .asked(1)
        .url
        .query_pairs()
        .find(|(key, _)| key == "page_token")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(token, "t+1");
    // A token is only valid with the filter it was made for.
    assert!(script.asked(2).url.query_pairs().any(|(key, _)| key == "filter"));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_an_end_is_given_up() {
    let page = || ok(r#"{"pipelines":[{"pipeline_id":"1","name":"p"}],"next_page_token":"t"}"#);
    let (client, script) = client("http://host", (0..9).map(|_| page()));
    let error = client.find_pipelines(&PipelineName::new("p")).await.unwrap_err();
    assert!(error.message.contains("has no end"), "{error}");
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_and_writes_are_not() {
    let (client, script) = client(
        "http://host",
        [
            lost(),
            status(503, "busy"),
            ok(r#"{"pipeline_versions":["#),
            ok("{}"),
        ],
    );
    assert!(
        client
            .newest_version(&PipelineId::new("p"))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!((script.count(), client.patience().repeats()), (4, 3));

    let (client, script) = self::client("http://host", [lost(), ok("{}")]);
    let error = client
        .delete_version(&PipelineId::new("p"), &VersionId::new("v"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoAnswer(TransportFault::Lost));
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_as_long_as_the_server_asks() {
    let mut busy = status(429, "").unwrap();
    busy.headers
        .insert(http::header::RETRY_AFTER, HeaderValue::from_static("42"));
    let (client, _) = client("http://host", [Ok(busy), ok("{}")]);
    let start = Instant::now();
    client.newest_version(&PipelineId::new("p")).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 42);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_costs_the_timeout_and_the_run_its_deadline() {
    let (client, script) = client_with("http://host", [], |connection| {
        connection.deadline = Duration::from_secs(100)
    });
    let start = Instant::now();
    let error = client.newest_version(&PipelineId::new("p")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoAnswer(TransportFault::Timeout));
    assert!(
        start.elapsed() <= Duration::from_secs(100),
        "{:?}",
        start.elapsed()
    );
    assert!(script.count() >= 3);
    tokio::time::advance(Duration::from_secs(100)).await;
    let error = client.newest_version(&PipelineId::new("p")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Deadline);
}

#[tokio::test(start_paused = true)]
async fn the_first_contact_has_a_budget_of_its_own() {
    let (client, _) = client("http://host", []);
    let start = Instant::now();
    let failure = client.server().await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 15);
    assert_eq!(failure.exit_code(), ExitCode::Infrastructure);
    assert_eq!(failure.message, "http://host did not answer within 15 s");
    assert!(failure.hint.unwrap().contains("doctor"));
}

#[tokio::test(start_paused = true)]
async fn the_server_is_asked_once() {
    let (client, script) = client("http://host", [ok(HEALTH_2_17)]);
    assert_eq!(
        client.server().await.unwrap().version,
        Some(semver::Version::new(2, 17, 0))
    );
    client.server().await.unwrap();
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_v2_server_is_named() {
    let not_found = || status(404, r#"{"code":5,"message":"Not Found"}"#);
    let (client, _) = client("http://host", [not_found(), ok(r#"{"tag_name":"1.8.5"}"#)]);
    let failure = client.server().await.unwrap_err();
    assert_eq!(failure.exit_code(), ExitCode::Usage);
    assert!(failure.message.contains("only the v1 API"), "{}", failure.message);

    let (client, _) = self::client("http://host", [not_found(), not_found()]);
    let failure = client.server().await.unwrap_err();
    assert_eq!(failure.exit_code(), ExitCode::Usage);
    assert!(failure.hint.unwrap().contains("`/pipeline`"));

    let (client, _) = self::client(
        "http://host",
        [ok("<!doctype html><title>Kubeflow Central Dashboard</title>")],
    );
    let failure = client.server().await.unwrap_err();
    assert_eq!(failure.exit_code(), ExitCode::Usage);
    assert!(
        failure.message.contains("Kubeflow Central Dashboard"),
        "{}",
        failure.message
    );

    let (client, _) = self::client("http://host", [status(401, "{}")]);
    let failure = client.server().await.unwrap_err();
    assert_eq!(failure.exit_code(), ExitCode::Usage);
    assert!(failure.message.contains("not logged in"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_not_told_is_probed() {
    let silent = || ok(r#"{"tag_name":"unknown","multi_user":false}"#);
    for (answers, expected) in [
        (
            vec![silent(), status(404, "Not Found\n"), status(500, "{}")],
            "2.0.5",
        ),
        (
            vec![silent(), status(404, "Not Found\n"), status(404, "{}")],
            "2.5.0",
        ),
        (
            vec![silent(), status(404, r#"{"code":5}"#), status(400, "{}")],
            "2.14.0",
        ),
        (vec![silent(), status(404, r#"{"code":5}"#), ok("{}")], "2.17.0"),
    ] {
        let (client, _) = client("http://host", answers);
        let server = client.server().await.unwrap();
        assert_eq!(server.version.unwrap().to_string(), expected);
        assert!(server.probed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_sent_only_where_users_are_separated() {
    for (health, sent) in [(HEALTH_2_17, false), (HEALTH_TEAMS, true)] {
        let (client, script) = client_with(
            "http://host",
            [ok(health), ok("{}"), ok(r#"{"pipeline_id":"1"}"#)],
            |connection| {
                connection.namespace = Some("team-a".to_owned());
            },
        );
        client.server().await.unwrap();
        client.find_pipelines(&PipelineName::new("p")).await.unwrap();
        assert_eq!(
            script.asked(1).url.query().unwrap().contains("namespace=team-a"),
            sent
        );
        client.create_pipeline(&new_pipeline()).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&script.asked(2).body).unwrap();
        assert_eq!(body["namespace"] == "team-a", sent);
    }
}

fn new_pipeline() -> NewPipeline {
    NewPipeline {
        name: PipelineName::new("demo"),
        display_name: Some("Demo shown".to_owned()),
        description: String::new(),
        tags: BTreeMap::from([("team".to_owned(), "ml".to_owned())]),
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_a_server_knows_is_sent() {
    let (client, script) = client(
        "http://host",
        [
            ok(HEALTH_2_5),
            ok(r#"{"pipeline_id":"1","display_name":"demo"}"#),
            ok(r#"{"pipeline_version_id":"1"}"#),
        ],
    );
    client.server().await.unwrap();
    client.create_pipeline(&new_pipeline()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&script.asked(1).body).unwrap();
    assert_eq!(body, serde_json::json!({"display_name": "demo"}));
    upload(&client).await;
    assert_eq!(
        script.asked(2).url.query(),
        Some("name=v+1&pipelineid=p&description=d%26e")
    );

    let (client, script) = self::client(
        "http://host",
        [
            ok(HEALTH_2_17),
            ok(r#"{"pipeline_id":"1"}"#),
            ok(r#"{"pipeline_version_id":"1"}"#),
        ],
    );
    client.server().await.unwrap();
    client.create_pipeline(&new_pipeline()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&script.asked(1).body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"display_name": "Demo shown", "name": "demo", "tags": {"team": "ml"}})
    );
    upload(&client).await;
    let request = script.asked(2);
    assert_eq!(
        request.url.query(),
        Some("name=v+1&display_name=shown&pipelineid=p&description=d%26e&tags=%7B%22team%22%3A%22ml%22%7D")
    );
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    assert!(
        body.contains("name=\"uploadfile\"; filename=\"pipeline.yaml\"") && body.contains("\r\n\r\n{}\r\n")
    );
}

async fn upload(client: &Client) {
    let new = NewVersion {
        pipeline_id: PipelineId::new("p"),
        name: VersionName::new("v 1"),
        display_name: Some("shown".to_owned()),
        description: "d&e".to_owned(),
        tags: BTreeMap::from([("team".to_owned(), "ml".to_owned())]),
        document: Bytes::from_static(b"{}"),
        after: None,
    };
    client.upload_version(&new).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_even_when_a_server_repeats_it() {
    let echo = status(
        401,
        r#"{"code":16,"message":"token tok-very-secret is not valid, key k-secret"}"#,
    );
    let (client, script) = client_with("http://host", [echo], |connection| {
        connection.login = crate::kfp::auth::Login::Bearer(Secret::new("tok-very-secret").unwrap());
        connection.headers = vec![("X-Key".to_owned(), Secret::new("k-secret").unwrap())];
    });
    let error = client.newest_version(&PipelineId::new("p")).await.unwrap_err();
    assert_eq!(error.message, "token *** is not valid, key ***");
    let request = script.asked(0);
    assert_eq!(request.headers["authorization"], "Bearer tok-very-secret");
    assert_eq!(request.headers["x-key"], "k-secret");
    assert!(!format!("{request:?} {:?}", request.headers).contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let mut moved = status(301, "").unwrap();
    moved.headers.insert(
        http::header::LOCATION,
        HeaderValue::from_static("https://elsewhere.example/apis?token=1"),
    );
    let (client, script) = client("http://host", [Ok(moved)]);
    let error = client.newest_version(&PipelineId::new("p")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Redirected);
    assert_eq!(
        error.message,
        "redirected to https://elsewhere.example/apis (status 301)"
    );
    assert_eq!(script.count(), 1);
}

#[test]
fn an_endpoint_must_be_http() {
    let error = Client::new(Connection::new(Url::parse("ftp://u:pass@host").unwrap()))
        .err()
        .unwrap();
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert!(!error.message.contains("pass"));
}
