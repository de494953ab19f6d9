//! Every environment variable the program reads or writes beside those that describe the CI job
//! (`context::variables`), named once.
//!
//! The README's table is made from [`TABLE`]; a test compares the two.

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Twin of the flag of the same name.
    Flag,
    /// A secret: read at start, then taken out of the program's own environment.
    Secret,
    /// Read.
    Read,
}

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub kind: Use,
    /// In one sentence.
    pub meaning: &'static str,
}

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $constant:ident = $kind:ident $name:literal;)*) => {
        $($(#[doc = $doc])+ pub const $constant: &str = $name;)*
        /// All of them, in the README's order.
        pub const TABLE: &[Variable] = &[$(Variable {
            name: $name,
            kind: Use::$kind,
            meaning: concat!($($doc),+),
        }),*];
    };
}

variables! {
    /// Bearer token for the pipelines server.
    TOKEN = Secret "KFP_GITOPS_TOKEN";
    /// Password of a Dex login.
    PASSWORD = Secret "KFP_GITOPS_PASSWORD";
    /// Session cookie (`name=value; …`) for the pipelines server.
    COOKIE = Secret "KFP_GITOPS_COOKIE";
    /// Extra headers for the pipelines server, one `Name: value` a line; may hold secrets.
    HEADERS = Secret "KFP_GITOPS_HEADERS";
    /// Client secret of a client-credentials grant.
    CLIENT_SECRET = Secret "KFP_GITOPS_CLIENT_SECRET";
    /// Token (`tk_…`) or `user:password` for ntfy.
    NTFY_TOKEN = Secret "KFP_GITOPS_NTFY_TOKEN";
    /// Address of an ntfy topic, `scheme://host/topic`.
    NTFY_URL = Secret "KFP_GITOPS_NTFY_URL";
    /// Address that gets the report as JSON.
    WEBHOOK_URL = Secret "KFP_GITOPS_WEBHOOK_URL";
    /// Token for the forge (the job's own, as a rule).
    FORGE_TOKEN = Secret "KFP_GITOPS_FORGE_TOKEN";
    /// Twin of `auth.connector`: Dex's connector.
    AUTH_CONNECTOR = Read "KFP_GITOPS_AUTH_CONNECTOR";
    /// Twin of `auth.scope`: scope of a client-credentials grant.
    AUTH_SCOPE = Read "KFP_GITOPS_AUTH_SCOPE";
    /// Twin of `auth.exchange_audience`: audience of the token that an exchange gives.
    AUTH_EXCHANGE_AUDIENCE = Read "KFP_GITOPS_AUTH_EXCHANGE_AUDIENCE";
    /// The pipelines server, in the form kfp's own client takes; without a scheme `https` (`http` for `*.svc*` and localhost).
    KF_PIPELINES_ENDPOINT = Read "KF_PIPELINES_ENDPOINT";
    /// File with the service-account token, as kfp's own client reads it.
    KF_PIPELINES_SA_TOKEN_PATH = Read "KF_PIPELINES_SA_TOKEN_PATH";
    /// Honoured as by `kfp dsl compile`: execution caching is off unless a task turns it on.
    KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT = Read "KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT";
    /// The runner's tool cache, where a prepared Python and compile results are kept if it exists.
    RUNNER_TOOL_CACHE = Read "RUNNER_TOOL_CACHE";
    /// The same on an Azure Pipelines agent.
    AGENT_TOOLSDIRECTORY = Read "AGENT_TOOLSDIRECTORY";
    /// Where the cache lies on a laptop (default `~/.cache`).
    XDG_CACHE_HOME = Read "XDG_CACHE_HOME";
    /// No colour, whatever its value.
    NO_COLOR = Read "NO_COLOR";
}

/// Whether a variable is this program's own.
#[must_use]
pub fn is_own(name: &str) -> bool {
    name.starts_with("KFP_GITOPS_") || name.starts_with("KF_PIPELINES_")
}

/// Names of variables that hold secrets of this program or are known to hold secrets of others; they
/// are taken out of the process's own environment before anything else happens.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    if is_own(name) {
        return TABLE
            .iter()
            .any(|variable| variable.kind == Use::Secret && variable.name == name);
    }
    name.starts_with("ACTIONS_")
        || [
            "TOKEN",
            "SECRET",
            "PASSWORD",
            "PASSWD",
            "PASSPHRASE",
            "CREDENTIAL",
            "PRIVATE_KEY",
            "API_KEY",
            "APIKEY",
            "ACCESS_KEY",
            "SIGNING_KEY",
            "ENCRYPTION_KEY",
            "SSH_KEY",
            "CONNECTION_STRING",
        ]
        .iter()
        .any(|word| name.to_ascii_uppercase().contains(word))
        || ["_PASS", "_PAT", "_DSN"]
            .iter()
            .any(|end| name.to_ascii_uppercase().ends_with(end))
}

/// What an address in a variable logs in with, `scheme://user:password@host`: as secret as any password, under a
/// name that says nothing, such as that of a proxy or a package index. Both as it stands there and decoded.
#[must_use]
pub fn credentials(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    // several addresses may stand in one variable
    for word in value.split(|c: char| c.is_whitespace() || c == ',' || c == '|') {
        let Some((scheme, rest)) = word.split_once("://") else {
            continue;
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let Some((login, _)) = authority.rsplit_once('@').filter(|_| !scheme.is_empty()) else {
            continue;
        };
        // without a colon it is a token: nobody is called by a name alone there
        let password = login.split_once(':').map_or(login, |(_, password)| password);
        let decoded = percent_decoded(password);
        if decoded != password {
            found.push(decoded);
        }
        if !password.is_empty() {
            found.push(password.to_owned());
        }
    }
    found
}

fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognised() {
        for name in [
            "KFP_GITOPS_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "INPUT_FORGE-TOKEN",
            "DATABASE_PASS",
            "GH_PAT",
            "SENTRY_DSN",
            "GPG_PASSPHRASE",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "KFP_GITOPS_ENDPOINT",
            "GITHUB_SHA",
            "HOME",
            "GITHUB_PATH",
            "COMPASS",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_login_in_an_address_is_one() {
        for (value, expected) in [
            ("https://ann:s3cret-pass@example.com/simple", &["s3cret-pass"][..]),
            ("http://ann:a%40b+c@proxy:3128", &["a@b+c", "a%40b+c"]),
            ("https://t0ken-of-ann@example.com", &["t0ken-of-ann"]),
            ("https://a.example/x https://b:secret1@b.example", &["secret1"]),
            ("https://example.com/a@b", &[]),
            ("ann:pass@host", &[]),
            ("", &[]),
        ] {
            assert_eq!(credentials(value), expected, "{value}");
        }
    }
}
