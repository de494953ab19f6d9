//! `doctor`: every check, and the short form that explains a first call that failed.

use super::connect::{Connected, connect};
use super::{engine, finish};
use crate::cli::{Format, Global};
use crate::compile::outlook;
use crate::discover::discover;
use crate::doctor::{
    Cluster, Diagnosis, Finding, ForgeAccess, Proxies, Subject, examine, first_contact, render, short,
    without_server,
};
use crate::error::{Class, Failure, Phase};
use crate::exit::ExitCode;
use crate::kfp::auth::Login;
use crate::kfp::error::{ApiError, ErrorKind};
use crate::report::annotations;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::settings::endpoint::Endpoint;
use crate::settings::environment::Environment;
use std::io::Write;
use std::path::Path;
use url::Url;

/// Where a pod finds its service account: `namespace`, `token` and `ca.crt`.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Makes every check and says what it found.
pub async fn run(settings: &Settings) -> u8 {
    let mut config = Finding::passed(
        "config",
        format!("the endpoint comes from {}", settings.server.endpoint_from),
    );
    let sources = match discover(settings) {
        Ok(found) => found.sources,
        Err(failure) => {
            config = refused(failure);
            Vec::new()
        }
    };
    let compiler = outlook(&engine::engine_settings(settings, None, false), &sources).await;
    let checks = match connect(settings).await {
        Ok(connected) => {
            let checks = examine(&subject(settings, &connected), &compiler).await;
            connected.close().await;
            checks
        }
        Err(failure) => {
            config = refused(failure);
            without_server(Some(&compiler), "the configuration has to be mended first")
        }
    };
    let checks = std::iter::once(config).chain(checks).collect();
    let diagnosis = Diagnosis::new(settings.server.endpoint.display(), checks);
    tell(&diagnosis, settings.output.json)
}

/// The diagnosis where not even the settings could be read: a broken file is a finding, too.
#[must_use]
pub fn without_settings(failure: Failure, global: &Global) -> u8 {
    let mut checks = vec![refused(failure)];
    checks.extend(without_server(None, "the configuration has to be mended first"));
    let diagnosis = Diagnosis::new("unknown".to_owned(), checks);
    tell(&diagnosis, global.format == Some(Format::Json))
}

/// What is wrong with the configuration, and where.
fn refused(failure: Failure) -> Finding {
    let place = match (&failure.file, failure.line, failure.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
        (Some(file), Some(line), None) => format!("{file}:{line}: "),
        (Some(file), None, _) => format!("{file}: "),
        (None, ..) => String::new(),
    };
    Finding::failed(
        "config",
        format!("{place}{}", failure.message),
        failure.hint.unwrap_or_default(),
    )
}

fn tell(diagnosis: &Diagnosis, json: bool) -> u8 {
    let text = if json {
        // The findings hold text only, which always serializes.
        serde_json::to_string_pretty(diagnosis).unwrap_or_default() + "\n"
    } else {
        // Files and servers have a say in it, and may not command the runner.
        annotations::defused(&render(diagnosis)) + "\n"
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => diagnosis.exit_code,
        Err(_) => ExitCode::Failed.code(),
    }
}

/// The failure of the first list: where it is the caller that is refused, with the checks of way and login.
/// `healthz` is open to everybody, so this is where a wrong login shows on most servers.
pub async fn explain_list(settings: &Settings, connected: &Connected, error: ApiError) -> Failure {
    let refused = matches!(
        error.kind,
        ErrorKind::NotLoggedIn | ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::MeshDenied
    );
    let failure = error.into_failure(Phase::Plan, "list the pipelines");
    if refused {
        explain(settings, connected, failure).await
    } else {
        failure
    }
}

/// Adds to the failure of a first call what the checks of the way to the server found.
pub async fn explain(settings: &Settings, connected: &Connected, mut failure: Failure) -> Failure {
    let Endpoint::Server { .. } = settings.server.endpoint else {
        return failure;
    };
    if failure.class == Class::Internal {
        return failure;
    }
    let mut subject = subject(settings, connected);
    // Said is enough: each further try brings the account closer to being closed.
    let refusal = connected.client.password_refused().await;
    if refusal {
        subject.connection.login = Login::None;
    }
    let findings = first_contact(&subject, failure.class == Class::Usage && !refusal).await;
    if findings.iter().any(Finding::is_failed) {
        failure.detail = Some(short(&findings));
    }
    failure
}

fn subject(settings: &Settings, connected: &Connected) -> Subject {
    let environment = &settings.environment;
    let context = finish::read_context(environment);
    let first = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| environment.text(name))
            .map(str::to_owned)
    };
    let address = |text: &str| Url::parse(text).ok();
    let api = settings
        .forge
        .api_url
        .as_deref()
        .or(context.api_url.as_deref())
        .and_then(address);
    Subject {
        connection: connected.client.connection().clone(),
        embedded: matches!(settings.server.endpoint, Endpoint::Embedded { .. }),
        shared: settings.server.shared,
        proxies: Proxies {
            http: first(["HTTP_PROXY", "http_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"])),
            https: first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"])),
            no_proxy: first(["NO_PROXY", "no_proxy"]),
        },
        own_namespace: std::fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace"))
            .ok()
            .map(|text| text.trim().to_owned()),
        cluster: cluster(environment, Path::new(SERVICE_ACCOUNT)),
        forge_url: context.server_url.as_deref().and_then(address),
        ntfy: settings
            .notify
            .ntfy
            .clone()
            .map(|topic| (topic, settings.notify.ntfy_token.clone())),
        forge: api.map(|api| ForgeAccess {
            api,
            token: settings.forge.token.clone(),
            repository: context
                .repository
                .as_ref()
                .map(|repository| repository.full_name()),
        }),
        run_link: context.run_links().guess.as_deref().and_then(address),
    }
}

/// The cluster this pod runs in; every pod is told its address.
fn cluster(environment: &Environment, account: &Path) -> Option<Cluster> {
    let host = environment.text("KUBERNETES_SERVICE_HOST")?;
    let port = environment.text("KUBERNETES_SERVICE_PORT").unwrap_or("443");
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let token = std::fs::read_to_string(account.join("token")).ok()?;
    Some(Cluster {
        api: Url::parse(&format!("https://{host}:{port}")).ok()?,
        ca_file: Some(account.join("ca.crt")).filter(|path| path.exists()),
        token: Secret::new(&token).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_knows_its_cluster() {
        let account = tempfile::tempdir().unwrap();
        let of = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
            cluster(&Environment::new(variables), account.path())
        };
        let variables = [
            ("KUBERNETES_SERVICE_HOST", "fd00::1"),
            ("KUBERNETES_SERVICE_PORT", "6443"),
        ];
        assert!(of(&variables).is_none(), "an account without token asks nothing");
        std::fs::write(account.path().join("token"), "abc\n").unwrap();
        let found = of(&variables).unwrap();
        assert_eq!(found.api.as_str(), "https://[fd00::1]:6443/");
        assert_eq!(found.token.expose(), "abc");
        assert!(of(&[]).is_none());
    }
}
