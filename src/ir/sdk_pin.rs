//! "Only the SDK pin changed": the line that explains why every pipeline changes when kfp is updated.

use super::Spec;
use serde_json::Value;

/// Whether two specs differ in nothing but the SDK's version: `sdkVersion`, and the `kfp==…` that every
/// Python component installs.
#[must_use]
pub fn differs_only_by_sdk_pin(before: &Spec, after: &Spec) -> bool {
    before.digest() != after.digest() && without_pin(before).digest() == without_pin(after).digest()
}

fn without_pin(spec: &Spec) -> Spec {
    let Ok(mut value) = serde_json::from_str::<Value>(spec.pipeline_text()) else {
        return spec.clone();
    };
    if let Some(fields) = value.as_object_mut() {
        fields.remove("sdkVersion");
    }
    if let Some(executors) = value.pointer_mut("/deploymentSpec/executors") {
        unpin(executors);
    }
    Spec::from_text(value.to_string(), spec.platform_text().map(Into::into))
}

fn unpin(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("kfp==") => *text = unpinned(text),
        Value::Array(items) => items.iter_mut().for_each(unpin),
        Value::Object(fields) => fields.values_mut().for_each(unpin),
        _ => {}
    }
}

/// The text with the version after each `kfp==` taken out.
fn unpinned(text: &str) -> String {
    let mut parts = text.split("kfp==");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str("kfp==");
        kept.push_str(
            part.trim_start_matches(|character: char| character.is_ascii_alphanumeric() || character == '.'),
        );
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(sdk: &str, rest: &str) -> Spec {
        Spec::from_text(
            format!(
                r#"{{"deploymentSpec":{{"executors":{{"exec-a":{{"container":{{"command":["pip install 'kfp=={sdk}' {rest}"]}}}}}}}},"sdkVersion":"kfp-{sdk}"}}"#
            ),
            None,
        )
    }

    #[test]
    fn the_pin_alone() {
        assert!(differs_only_by_sdk_pin(
            &spec("2.16.1", "x"),
            &spec("2.17.0", "x")
        ));
        assert!(!differs_only_by_sdk_pin(
            &spec("2.16.1", "x"),
            &spec("2.17.0", "y")
        ));
        assert!(!differs_only_by_sdk_pin(
            &spec("2.17.0", "x"),
            &spec("2.17.0", "x")
        ));
    }
}
