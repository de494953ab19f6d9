//! What another release of the SDK changes in every pipeline it compiles.

use super::canonical::{Canonical, canonical};
use super::command::lightweight;
use super::{Spec, archive};
use serde_json::{Value, json};

/// Whether two specs differ in nothing but the SDK: `sdkVersion`, and in the components the pin of
/// that SDK with the shell lines around it. False for equal specs, and for specs that cannot be
/// read.
#[must_use]
pub fn differs_only_by_sdk_pin(a: &Spec, b: &Spec) -> bool {
    let (Ok(a), Ok(b)) = (canonical(a), canonical(b)) else {
        return false;
    };
    if a == b || sdk_version(&a.pipeline) == sdk_version(&b.pipeline) {
        return false;
    }
    a.platform == b.platform && without_sdk(a) == without_sdk(b)
}

/// The SDK that compiled it, as in `sdkVersion`: `kfp-2.17.0`.
fn sdk_version(pipeline: &Value) -> &str {
    pipeline
        .get("sdkVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn without_sdk(form: Canonical) -> Value {
    let mut pipeline = form.pipeline;
    // `sdkVersion` says `kfp-2.17.0`, a component's pin `kfp==2.17.0`.
    let pin = sdk_version(&pipeline).replacen("kfp-", "kfp==", 1);
    let executors = pipeline
        .pointer_mut("/deploymentSpec/executors")
        .and_then(Value::as_object_mut);
    for executor in executors.into_iter().flat_map(|executors| executors.values_mut()) {
        if let Some(command) = executor.pointer_mut("/container/command")
            && let Some(neutral) = neutral_command(command, &pin)
        {
            *command = neutral;
        }
    }
    if let Some(members) = pipeline.as_object_mut() {
        members.remove("sdkVersion");
    }
    pipeline
}

/// The command without what belongs to the SDK. The executor's shell line counts as the SDK's.
fn neutral_command(command: &Value, pin: &str) -> Option<Value> {
    let parts = lightweight(command)?;
    let install = &parts.install;
    let sdk = install.sdk.filter(|sdk| *sdk != pin);
    Some(json!({
        "packages": install.packages,
        "options": install.options,
        "sdk": sdk,
        "hasSdk": install.sdk.is_some(),
        "venv": install.venv,
        "source": archive::described(parts.source),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../../tests/recordings/kfp/evaluation.yaml");

    fn compiled(change: impl Fn(&str) -> String) -> Spec {
        let value: Value = serde_yaml::from_str(&change(RECORDED)).unwrap();
        Spec::from_text(value.to_string(), None)
    }

    fn base() -> Spec {
        compiled(str::to_owned)
    }

    #[test]
    fn another_pin_is_only_another_pin() {
        let other = compiled(|text| {
            text.replace("kfp==2.17.0", "kfp==2.16.1")
                .replace("kfp-2.17.0", "kfp-2.16.1")
        });
        assert_ne!(base().digest(), other.digest());
        assert!(differs_only_by_sdk_pin(&base(), &other));
        assert!(differs_only_by_sdk_pin(&other, &base()));
    }

    #[test]
    fn anything_more_is_more() {
        let pinned = |text: &str| {
            text.replace("kfp==2.17.0", "kfp==2.16.1")
                .replace("kfp-2.17.0", "kfp-2.16.1")
        };
        for other in [
            compiled(str::to_owned),
            compiled(|text| pinned(text).replace("python:3.11-slim", "python:3.12-slim")),
            compiled(|text| pinned(text).replace("rows / 1000", "rows / 100")),
            compiled(|text| pinned(text).replace("'--no-deps'", "'pandas' '--no-deps'")),
            // The same SDK compiled it, so the pin is the author's.
            compiled(|text| text.replace("kfp==2.17.0", "kfp==2.16.1")),
            // Another SDK compiled it, and the pin is neither's.
            compiled(|text| pinned(text).replace("kfp==2.16.1", "kfp==2.15.0")),
        ] {
            assert!(!differs_only_by_sdk_pin(&base(), &other));
        }
    }
}
