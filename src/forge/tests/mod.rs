//! The forge's client and everything that tells people, against stand-ins that behave as recorded and
//! break at any call.

mod calls;
mod fake;
mod faults;
mod recorded;
mod redaction;

use super::publish::Telling;
use super::{Kind, Limits};
use crate::context::{self, Context};
use crate::notify::When;
use crate::secret::Secret;
use fake::Fake;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SHA: &str = "6875ae4fd7a2bc8cfc5c8bc00f3ca4fb00e6ec58";
pub(crate) const TOKEN: &str = "f0rge-t0ken-c0ffee";
pub(crate) const NTFY: &str = "http://ann:ntfy-passw0rd@ntfy.test/gitea-ci";
pub(crate) const NTFY_TOKEN: &str = "tk_ntfyt0kenntfyt0kenntfyt0kenn";
pub(crate) const WEBHOOK: &str = "http://hook.test/in/webh00k-secret";

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text).expect("a secret")
}

pub(crate) fn limits() -> Limits {
    Limits {
        call: Duration::from_secs(4),
        total: Duration::from_secs(10),
        pause: Duration::from_millis(300),
        repetitions: 2,
    }
}

/// A job on Gitea or GitHub, written as the recorded ones are.
pub(crate) fn context(kind: Kind, event: &str) -> Context {
    let gitea = kind == Kind::Gitea;
    let mut env = BTreeMap::from([
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITEA_ACTIONS", if gitea { "true" } else { "" }),
        ("GITHUB_REPOSITORY", "ml/pipelines"),
        (
            "GITHUB_SERVER_URL",
            if gitea {
                "http://forge.test"
            } else {
                "https://github.com"
            },
        ),
        (
            "GITHUB_API_URL",
            if gitea {
                "http://forge.test/api/v1"
            } else {
                "https://api.github.com"
            },
        ),
        ("GITHUB_SHA", SHA),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_ACTOR", "ann"),
        ("GITHUB_RUN_ID", "17"),
        ("GITHUB_RUN_NUMBER", "11"),
        ("GITHUB_EVENT_NAME", event),
    ]);
    let mut file = r#"{"repository":{"full_name":"ml/pipelines","default_branch":"main"}}"#.to_owned();
    if event == "pull_request" {
        env.insert("GITHUB_REF", "refs/pull/1/head");
        file = format!(
            r#"{{"number":1,"pull_request":{{"head":{{"sha":"{SHA}","ref":"feature","repo":{{"full_name":"ml/pipelines"}}}},
               "base":{{"ref":"main"}}}},"repository":{{"full_name":"ml/pipelines","default_branch":"main"}}}}"#
        );
    }
    let env = env
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    context::read(&env, Some(&file))
}

/// Everything is told: status, comment, ntfy and webhook.
pub(crate) fn telling(fake: &Arc<Fake>, kind: Kind, event: &str) -> Telling {
    Telling {
        transport: Arc::clone(fake) as Arc<_>,
        context: context(kind, event),
        target: None,
        kind: None,
        api_url: None,
        token: Some(secret(TOKEN)),
        status: true,
        comment: true,
        summary: true,
        ntfy: Some(secret(NTFY)),
        ntfy_token: Some(secret(NTFY_TOKEN)),
        webhook: Some(secret(WEBHOOK)),
        when: When::Always,
        ui_url: Some("https://kfp.example".to_owned()),
        secrets: Vec::new(),
        limits: limits(),
    }
}
