//! User and password at Dex, through an oauth2-proxy in front of the API: what a browser would do.
//!
//! The pages lead: whatever asks is answered (start, connector, password, approval), redirects are followed
//! with a cookie jar of their own, until the API itself answers. Recording: `login-dex-oauth2-proxy.json`.

use super::client_credentials::{form_request, shown};
use super::forms::{Form, forms, links};
use super::grant::send;
use crate::error::{Failure, Phase};
use crate::kfp::error::{is_page, one_line};
use crate::kfp::transport::{Request, Response, Transport};
use crate::secret::Secret;
use http::Method;
use http::header::{ACCEPT, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use reqwest::cookie::{CookieStore, Jar};
use url::Url;
use url::form_urlencoded::Serializer;

/// Why a login did not come to a session.
pub(super) struct NoSession {
    pub(super) failure: Box<Failure>,
    /// The password was refused: trying again does nothing but harm.
    pub(super) refused: bool,
}

impl From<Failure> for NoSession {
    fn from(failure: Failure) -> Self {
        Self {
            failure: Box::new(failure),
            refused: false,
        }
    }
}

/// A user of Dex.
#[derive(Clone, Debug)]
pub struct DexLogin {
    /// The user's name or mail address.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The connector to choose where Dex offers several (`local`, `ldap`).
    pub connector: Option<String>,
}

/// Steps a login may take; the recorded one takes 12.
const STEPS: usize = 30;

impl DexLogin {
    /// Logs in and returns the cookies of the session, as the `Cookie` header wants them.
    pub(super) async fn log_in(
        &self,
        transport: &dyn Transport,
        endpoint: &Url,
    ) -> Result<Secret, NoSession> {
        let mut api = endpoint.clone();
        if let Ok(mut path) = api.path_segments_mut() {
            path.pop_if_empty().extend(["apis", "v2beta1", "pipelines"]);
        }
        api.set_query(Some("page_size=1"));
        let jar = Jar::default();
        let mut walk = Walk {
            login: self,
            endpoint,
            jar: &jar,
            sent_password: false,
        };
        let mut request = page_request(&api);
        for _ in 0..STEPS {
            let url = request.url.clone();
            let response = walk.fetch(transport, request).await?;
            match walk.next(&url, &response)? {
                Some(next) => request = next,
                None if url.origin() == endpoint.origin() => return Ok(walk.session(endpoint)?),
                None => return Err(odd(&url, "answered with something that is no page").into()),
            }
        }
        Err(odd(endpoint, "went in circles").into())
    }
}

struct Walk<'a> {
    login: &'a DexLogin,
    endpoint: &'a Url,
    jar: &'a Jar,
    sent_password: bool,
}

impl Walk<'_> {
    async fn fetch(&self, transport: &dyn Transport, mut request: Request) -> Result<Response, Failure> {
        if let Some(cookies) = self.jar.cookies(&request.url) {
            request.headers.insert(COOKIE, cookies);
        }
        let url = request.url.clone();
        let response = send(transport, &request, &format!("the login at {}", shown(&url))).await?;
        let mut set = response.headers.get_all(SET_COOKIE).iter();
        self.jar.set_cookies(&mut set, &url);
        Ok(response)
    }

    /// The next request, or `None` when no page asks for anything any more.
    fn next(&mut self, url: &Url, response: &Response) -> Result<Option<Request>, NoSession> {
        if response.status.is_redirection() {
            let target = url
                .join(response.header(LOCATION))
                .map_err(|_| odd(url, "redirected to an address that is none"))?;
            return Ok(Some(page_request(&target)));
        }
        let text = String::from_utf8_lossy(&response.body);
        if !is_page(response, &text) {
            // The API: 200, or its own refusal of this user, which later calls will explain.
            return Ok(None);
        }
        let forms = forms(&text);
        if let Some(form) = forms.iter().find(|form| form.asks_for_password()) {
            return self.password(url, form).map(Some);
        }
        if let Some(form) = forms.iter().find(|form| {
            form.input("approval")
                .is_some_and(|input| input.value == "approve")
        }) {
            return Ok(Some(filled(url, form, &[])?));
        }
        if let Some(form) = forms.iter().find(|form| form.action.contains("/oauth2/start")) {
            return Ok(Some(filled(url, form, &[])?));
        }
        if let Some(target) = self.connector(url, &links(&text))? {
            let target = url
                .join(&target)
                .map_err(|_| odd(url, "offers a link to an address that is none"))?;
            return Ok(Some(page_request(&target)));
        }
        Err(odd(
            url,
            &format!(
                "shows a page (status {}) that asks for nothing this program can give",
                response.status.as_u16()
            ),
        )
        .into())
    }

    fn password(&mut self, url: &Url, form: &Form) -> Result<Request, NoSession> {
        if self.sent_password {
            let failure = Failure::usage(
                Phase::Connect,
                format!(
                    "the login at {} refuses user `{}` with this password",
                    shown(url),
                    self.login.username
                ),
            )
            .hint("check the user name (Dex wants the mail address) and the password");
            return Err(NoSession {
                failure: Box::new(failure),
                refused: true,
            });
        }
        if self.endpoint.scheme() == "https" && url.scheme() != "https" {
            return Err(odd(
                url,
                "asks for the password without TLS, although the server is called with it",
            )
            .into());
        }
        self.sent_password = true;
        let field = |form: &Form| {
            form.inputs
                .iter()
                .find(|input| ["login", "username", "email", "user"].contains(&input.name.as_str()))
                .map_or_else(|| "login".to_owned(), |input| input.name.clone())
        };
        let password = form
            .inputs
            .iter()
            .find(|input| input.is_password)
            .map_or("password", |input| input.name.as_str());
        let request = filled(
            url,
            form,
            &[
                (field(form).as_str(), &self.login.username),
                (password, self.login.password.expose()),
            ],
        )?;
        // The page that asks gets the password, and nobody it names.
        if request.url.origin() != url.origin() {
            return Err(odd(url, "wants the password sent to another server").into());
        }
        Ok(request)
    }

    /// The link to a connector: the one asked for, else `local`, else the only one.
    fn connector(&self, url: &Url, links: &[String]) -> Result<Option<String>, Failure> {
        let offered: Vec<(&str, &String)> = links
            .iter()
            .filter(|link| link.contains("/auth/"))
            .map(|link| {
                let path = link.split('?').next().unwrap_or(link);
                (path.rsplit('/').next().unwrap_or(path), link)
            })
            .collect();
        let named = |wanted: &str| offered.iter().find(|(name, _)| *name == wanted);
        let chosen = match self.login.connector.as_deref() {
            Some(wanted) => named(wanted),
            None => named("local").or_else(|| offered.first().filter(|_| offered.len() == 1)),
        };
        if chosen.is_none() && !offered.is_empty() {
            let names: Vec<&str> = offered.iter().map(|(name, _)| *name).collect();
            let what = match &self.login.connector {
                Some(wanted) => format!("has no connector `{wanted}`"),
                None => "offers several connectors".to_owned(),
            };
            return Err(
                Failure::usage(Phase::Connect, format!("the login at {} {what}", shown(url))).hint(format!(
                    "set `auth.connector` (`KFP_GITOPS_AUTH_CONNECTOR`) to one of: {}",
                    one_line(&names.join(", "), 200)
                )),
            );
        }
        Ok(chosen.map(|(_, link)| (*link).clone()))
    }

    fn session(&self, endpoint: &Url) -> Result<Secret, Failure> {
        let cookies = self.jar.cookies(endpoint);
        cookies
            .as_ref()
            .and_then(|value| value.to_str().ok())
            .and_then(|text| Secret::new(text).ok())
            .ok_or_else(|| {
                Failure::usage(Phase::Connect, format!("{} asks for no login", shown(endpoint)))
                    .hint("leave the Dex login out: the server answers without it")
            })
    }
}

fn page_request(url: &Url) -> Request {
    let mut request = Request::new(Method::GET, url.clone());
    // With `application/json` an oauth2-proxy answers 401 and no page.
    request.headers.insert(
        ACCEPT,
        HeaderValue::from_static("text/html,application/xhtml+xml"),
    );
    request.response_limit = 4 << 20;
    request
}

/// The request a form makes, with its own values and those given.
fn filled(url: &Url, form: &Form, values: &[(&str, &str)]) -> Result<Request, Failure> {
    let mut target = if form.action.is_empty() {
        url.clone()
    } else {
        url.join(&form.action)
            .map_err(|_| odd(url, "shows a form whose address is none"))?
    };
    let mut pairs = Serializer::new(String::new());
    for input in form.inputs.iter().filter(|input| !input.name.is_empty()) {
        let given = values
            .iter()
            .find(|(name, _)| *name == input.name)
            .map(|(_, value)| *value);
        pairs.append_pair(&input.name, given.unwrap_or(&input.value));
    }
    let pairs = pairs.finish();
    if form.post {
        let mut request = form_request(&target, pairs);
        request.headers.insert(
            ACCEPT,
            HeaderValue::from_static("text/html,application/xhtml+xml"),
        );
        request.response_limit = 4 << 20;
        return Ok(request);
    }
    target.set_query(Some(&pairs));
    Ok(page_request(&target))
}

fn odd(url: &Url, what: &str) -> Failure {
    Failure::usage(Phase::Connect, format!("the login at {} {what}", shown(url)))
        .hint("log in with a browser and give the session as a cookie, or use a token")
}
