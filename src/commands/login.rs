//! Settings -> how the pipelines server is told who is calling.

use crate::error::{Failure, Phase};
use crate::kfp::auth::{
    CiIdentity, ClientCredentials, DexLogin, Login, PROJECTED_TOKEN, TokenExchange, TokenFile,
};
use crate::settings::Server;
use crate::settings::environment::Environment;
use crate::settings::file::AuthKind;
use std::path::Path;
use url::Url;

/// The login. What was given decides its kind where no kind was named.
///
/// # Errors
/// When the kind needs what was not given (exit 2).
pub fn login(server: &Server, environment: &Environment) -> Result<Login, Failure> {
    login_with(server, environment, Path::new(PROJECTED_TOKEN))
}

/// The same with the place of the projected token, which no test can write to.
fn login_with(server: &Server, environment: &Environment, projected: &Path) -> Result<Login, Failure> {
    match server.auth.unwrap_or_else(|| kind(server, projected)) {
        AuthKind::None => Ok(Login::None),
        AuthKind::Bearer => match (&server.token, &server.token_file) {
            (Some(token), _) => Ok(Login::Bearer(token.clone())),
            (None, Some(file)) => Ok(Login::TokenFile(TokenFile::new(file))),
            (None, None) => Err(missing("a token", "set `KFP_GITOPS_TOKEN` or `--token-file`")),
        },
        AuthKind::ServiceAccount => {
            let path = server.service_account_token_path.clone();
            Ok(Login::TokenFile(TokenFile::new(
                path.unwrap_or_else(|| projected.to_owned()),
            )))
        }
        AuthKind::UserHeader => {
            let user = server
                .username
                .clone()
                .ok_or_else(|| missing("a user", "set `--username`"))?;
            Ok(Login::UserHeader {
                name: "kubeflow-userid".to_owned(),
                user,
            })
        }
        AuthKind::Cookie => {
            let cookie = server
                .cookie
                .clone()
                .ok_or_else(|| missing("a cookie", "set `KFP_GITOPS_COOKIE`"))?;
            Ok(Login::Cookie(cookie))
        }
        AuthKind::Dex => Ok(Login::Dex(DexLogin {
            username: server
                .username
                .clone()
                .ok_or_else(|| missing("a user", "set `--username`"))?,
            password: server
                .password
                .clone()
                .ok_or_else(|| missing("a password", "set `KFP_GITOPS_PASSWORD`"))?,
            connector: server.auth_file.connector.clone(),
        })),
        AuthKind::Oidc => ci_identity(server, environment),
        AuthKind::ClientCredentials => Ok(Login::ClientCredentials(ClientCredentials {
            token_url: token_url(server)?
                .ok_or_else(|| missing("a token endpoint", "set `auth.token_url` in `kfp-gitops.yaml`"))?,
            client_id: server
                .auth_file
                .client_id
                .clone()
                .ok_or_else(|| missing("a client id", "set `auth.client_id` in `kfp-gitops.yaml`"))?,
            client_secret: server
                .client_secret
                .clone()
                .ok_or_else(|| missing("a client secret", "set `KFP_GITOPS_CLIENT_SECRET`"))?,
            audience: server.auth_file.audience.clone(),
            scope: server.auth_file.scope.clone(),
        })),
    }
}

fn kind(server: &Server, projected: &Path) -> AuthKind {
    if server.token.is_some() || server.token_file.is_some() {
        AuthKind::Bearer
    } else if server.cookie.is_some() {
        AuthKind::Cookie
    } else if server.username.is_some() && server.password.is_some() {
        AuthKind::Dex
    } else if server.client_secret.is_some() && server.auth_file.token_url.is_some() {
        AuthKind::ClientCredentials
    } else if server.username.is_some() {
        AuthKind::UserHeader
    } else if server.service_account_token_path.is_some() || projected.is_file() {
        AuthKind::ServiceAccount
    } else {
        AuthKind::None
    }
}

fn ci_identity(server: &Server, environment: &Environment) -> Result<Login, Failure> {
    let absent = || {
        missing(
            "the CI platform's identity token, and this job has none",
            "give the job `permissions: id-token: write` (GitHub); Gitea offers no such token yet, use another login there",
        )
    };
    let address = environment
        .text("ACTIONS_ID_TOKEN_REQUEST_URL")
        .ok_or_else(absent)?;
    let exchange = token_url(server)?.map(|token_url| TokenExchange {
        token_url,
        client_id: server.auth_file.client_id.clone(),
        client_secret: server.client_secret.clone(),
        audience: server.auth_file.exchange_audience.clone(),
        connector: server.auth_file.connector.clone(),
    });
    Ok(Login::CiIdentity(CiIdentity {
        request_url: address_of("ACTIONS_ID_TOKEN_REQUEST_URL", address)?,
        request_token: environment
            .secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
            .ok_or_else(absent)?,
        audience: server.auth_file.audience.clone(),
        exchange,
    }))
}

fn token_url(server: &Server) -> Result<Option<Url>, Failure> {
    server
        .auth_file
        .token_url
        .as_deref()
        .map(|text| address_of("auth.token_url", text))
        .transpose()
}

fn address_of(what: &str, text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|error| {
        Failure::usage(Phase::Settings, format!("`{what}` is not an address: {error}"))
            .hint("write it like `https://dex.example.com/dex/token`")
    })
}

fn missing(what: &str, hint: &str) -> Failure {
    Failure::usage(Phase::Settings, format!("the login needs {what}")).hint(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::settings::merge::merge;
    use clap::Parser;

    /// The login of a job with these variables and a projected token at `projected`.
    fn chosen(arguments: &[&str], variables: &[(&str, &str)], projected: &Path) -> Login {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::new(
            variables
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        );
        let start = ["kfp-gitops", "list", "all", "--endpoint", "http://127.0.0.1:1"];
        let cli = Cli::try_parse_from(start.iter().chain(arguments)).unwrap();
        let settings = merge(&cli.global, &[folder.path().to_owned()], environment.clone()).unwrap();
        login_with(&settings.server, &environment, projected).unwrap()
    }

    #[test]
    fn the_projected_token_is_taken_where_nothing_else_was_given() {
        let projected = tempfile::NamedTempFile::new().unwrap();
        let is_file =
            |login: Login, path: &Path| matches!(login, Login::TokenFile(file) if file.path() == path);
        let nowhere = Path::new("/nowhere/token");
        assert!(is_file(chosen(&[], &[], projected.path()), projected.path()));
        assert!(matches!(chosen(&[], &[], nowhere), Login::None));
        // Named, it is expected: that it is missing is then said by whoever reads it.
        assert!(is_file(
            chosen(&["--auth", "service-account"], &[], nowhere),
            nowhere
        ));
        let other = [("KF_PIPELINES_SA_TOKEN_PATH", "/elsewhere/token")];
        assert!(is_file(
            chosen(&[], &other, projected.path()),
            Path::new("/elsewhere/token")
        ));
        let token = [("KFP_GITOPS_TOKEN", "t0ken")];
        assert!(matches!(chosen(&[], &token, projected.path()), Login::Bearer(_)));
        assert!(matches!(
            chosen(&["--auth", "none"], &[], projected.path()),
            Login::None
        ));
    }
}
