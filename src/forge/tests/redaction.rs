//! No byte of a secret leaves the program, whatever servers answer.

use super::fake::{Broken, Fake, Plan};
use super::{NTFY, NTFY_TOKEN, TOKEN, WEBHOOK, secret, telling};
use crate::forge::Kind;
use crate::forge::publish::{Telling, begin};
use crate::report::{Report, fixtures};
use base64::Engine;
use std::sync::Arc;

/// Everything that must not be found, in all its forms.
fn needles() -> Vec<String> {
    let mut needles = Vec::new();
    for text in [
        TOKEN,
        "ntfy-passw0rd",
        NTFY_TOKEN,
        "webh00k-secret",
        "ann:ntfy-passw0rd",
        "kfp-bearer-t0ken",
    ] {
        needles.push(text.to_owned());
        needles.push(base64::engine::general_purpose::STANDARD.encode(text));
    }
    needles
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_found_in_anything_written() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [Kind::Gitea, Kind::GitHub] {
        for event in ["push", "pull_request"] {
            for broken in Broken::ALL {
                for host in ["forge", "github", "ntfy", "hook", "none"] {
                    let fake = Arc::new(Fake::new(kind == Kind::GitHub));
                    fake.with(|state| state.plan = Plan::Host(host, *broken));
                    // A report that a careless server wrote into.
                    let leak = format!("the server said: Bearer kfp-bearer-t0ken {NTFY} {WEBHOOK} {TOKEN}");
                    let mut report: Report = fixtures::some_failed();
                    report.warnings.push(leak.clone());
                    if let Some(error) = report.pipelines.iter_mut().find_map(|one| one.error.as_mut()) {
                        error.message = leak.clone();
                        error.detail = Some(leak.clone());
                    }
                    let path = folder.path().join("summary.md");
                    let mut telling: Telling = telling(&fake, kind, event);
                    telling.context.step_summary = Some(path.clone());
                    telling.context.summary_shown = Some(true);
                    telling.secrets = vec![secret("kfp-bearer-t0ken")];
                    let log = begin(telling, true).finish(&report).await;
                    let mut written = log.join("\n");
                    written.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
                    fake.with(|state| {
                        written.push_str(&format!("{:?}{:?}", state.statuses, state.comments));
                        for value in state.messages.iter().chain(&state.hooks) {
                            written.push_str(&value.to_string());
                        }
                    });
                    for needle in needles() {
                        assert!(
                            !written.contains(&needle),
                            "{needle} with {broken:?} at {host}:\n{written}"
                        );
                    }
                    std::fs::remove_file(&path).unwrap();
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_token_goes_to_its_own_server_only() {
    let fake = Arc::new(Fake::new(false));
    let _ = begin(telling(&fake, Kind::Gitea, "pull_request"), false)
        .finish(&fixtures::plan())
        .await;
    let sent: Vec<String> = fake.with(|state| state.authorizations.iter().cloned().collect());
    assert_eq!(
        sent,
        [
            format!("forge.test Bearer {TOKEN}"),
            format!("ntfy.test Bearer {NTFY_TOKEN}")
        ]
    );
}

#[test]
fn nothing_shows_itself_when_printed() {
    let ntfy = crate::notify::ntfy::Ntfy::parse(&secret(NTFY), None).unwrap();
    let hook = crate::notify::webhook::Webhook::parse(&secret("https://u:hunter22@hook.test/x")).unwrap();
    let printed = format!("{ntfy:?}{hook:?}");
    assert!(!printed.contains("ntfy-passw0rd"), "{printed}");
    assert!(!printed.contains("hunter22"), "{printed}");
}
