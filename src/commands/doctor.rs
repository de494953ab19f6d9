//! `doctor`: every check, and the short form that explains a first call that failed.

use super::connect::{Connected, connect};
use super::finish;
use crate::doctor::{
    Diagnosis, Finding, ForgeAccess, Proxies, Subject, examine, first_contact, render, short,
};
use crate::error::{Class, Failure};
use crate::exit::ExitCode;
use crate::settings::Settings;
use crate::settings::endpoint::Endpoint;
use std::io::Write;
use std::path::PathBuf;
use url::Url;

/// The namespace of this pod's service account.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Makes every check and says what it found.
pub async fn run(settings: &Settings) -> u8 {
    let endpoint = settings.server.endpoint.display();
    let mut checks = vec![Finding::passed(
        "config",
        format!("the endpoint comes from {}", settings.server.endpoint_from),
    )];
    match connect(settings).await {
        Ok(connected) => {
            checks.extend(examine(&subject(settings, &connected)).await);
            connected.close().await;
        }
        Err(failure) => {
            checks[0] = Finding::failed("config", failure.message, failure.hint.unwrap_or_default());
        }
    }
    let diagnosis = Diagnosis::new(endpoint, checks);
    let text = if settings.output.json {
        // The findings hold text only, which always serializes.
        serde_json::to_string_pretty(&diagnosis).unwrap_or_default() + "\n"
    } else {
        render(&diagnosis)
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => diagnosis.exit_code,
        Err(_) => ExitCode::Failed.code(),
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
    let findings = first_contact(&subject(settings, connected), failure.class == Class::Usage).await;
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
    let ntfy = settings
        .notify
        .ntfy
        .as_ref()
        .and_then(|topic| address(topic.expose()));
    Subject {
        connection: connected.client.connection().clone(),
        embedded: matches!(settings.server.endpoint, Endpoint::Embedded { .. }),
        shared: settings.server.shared,
        proxies: Proxies {
            http: first(["HTTP_PROXY", "http_proxy"]),
            https: first(["HTTPS_PROXY", "https_proxy"]),
            no_proxy: first(["NO_PROXY", "no_proxy"]),
        },
        own_namespace: std::fs::read_to_string(OWN_NAMESPACE)
            .ok()
            .map(|text| text.trim().to_owned()),
        forge_url: context.server_url.as_deref().and_then(address),
        python: settings
            .compile
            .python
            .clone()
            .unwrap_or_else(|| PathBuf::from("python3")),
        kfp_version: settings
            .compile
            .kfp
            .as_ref()
            .and_then(|(version, _)| semver::Version::parse(version).ok()),
        ntfy: ntfy.map(|topic| (topic, settings.notify.ntfy_token.clone())),
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
