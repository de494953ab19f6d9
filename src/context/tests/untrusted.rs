//! Hostile configurations in pull requests.

use crate::context::untrusted::{ConfigValues, Outcome, flatten, restrict, unflatten};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

fn restricted(base: &Value, pull: &Value) -> (Value, Vec<(String, Outcome)>) {
    let (effective, differences) = restrict(&flatten(base), &flatten(pull));
    (
        unflatten(&effective),
        differences.into_iter().map(|d| (d.key, d.outcome)).collect(),
    )
}

#[test]
fn everything_that_moves_secrets_stays() {
    let base = json!({
        "endpoint": "https://kfp.example", "auth": {"type": "bearer"}, "ui_url": "https://kfp.example/ui",
        "compile": {"sandbox": "auto", "network": "deny", "environment": ["HF_HOME"], "requirements": "https://pypi.example"},
        "apply": {"refs": ["release/*"]}, "notify": {"ntfy": {"url": "https://ntfy.example/ci"}},
        "forge": {"api_url": "https://git.example/api/v1"}, "python": "/usr/bin/python3",
    });
    let hostile = json!({
        "endpoint": "https://evil.example", "auth": {"type": "none", "headers": {"X": "y"}},
        "ui_url": "https://evil.example",
        "compile": {"sandbox": "off", "network": "allow", "environment": ["HF_HOME", "KFP_TOKEN"],
            "requirements": "https://evil.example", "timeout": "99h"},
        "apply": {"refs": ["**"]}, "notify": {"ntfy": {"url": "https://evil.example/ci"}},
        "forge": {"api_url": "https://evil.example"}, "python": "./evil", "brand-new-key": true,
    });
    let (effective, differences) = restricted(&base, &hostile);
    assert_eq!(effective, base);
    assert_eq!(differences.len(), 14);
    assert!(
        differences
            .iter()
            .all(|(_, outcome)| *outcome == Outcome::KeptBase)
    );
}

#[test]
fn pipelines_are_the_pull_requests_own() {
    let base = json!({"pipelines": {"a.b": {"file": "a.py"}}, "naming": {"pipeline": "spec"}});
    let pull = json!({"pipelines": {"c": {"file": "c.py"}}, "discover": {"include": ["**/*_pipeline.py"]},
        "compile": {"kfp": "2.17.0"}});
    let (effective, differences) = restricted(&base, &pull);
    assert_eq!(effective, pull);
    assert_eq!(differences, vec![]);
}

#[test]
fn a_pull_request_may_be_stricter() {
    let base = json!({"compile": {"sandbox": "auto", "network": "allow", "environment": ["A", "B"]}});
    let pull = json!({"compile": {"sandbox": "require", "network": "deny", "environment": ["B"]}});
    let (effective, differences) = restricted(&base, &pull);
    assert_eq!(effective, pull);
    assert!(
        differences
            .iter()
            .all(|(_, outcome)| *outcome == Outcome::Tightened)
    );
    assert_eq!(differences.len(), 3);
}

#[test]
fn taking_a_fence_away_does_not_lower_it() {
    let base = json!({"compile": {"sandbox": "require", "network": "deny"}});
    let (effective, differences) = restricted(&base, &json!({}));
    assert_eq!(effective, base);
    assert_eq!(differences.len(), 2);
    for word in [
        json!("off"),
        json!("whatever"),
        json!(null),
        json!(["require"]),
        json!(true),
    ] {
        let (effective, _) = restricted(&base, &json!({"compile": {"sandbox": word, "network": "deny"}}));
        assert_eq!(effective, base);
    }
    // A section written as one value cannot replace its keys.
    let (effective, _) = restricted(&base, &json!({"compile": "off"}));
    assert_eq!(effective, base);
    // Without a base file only the strictest word is a step.
    let (effective, _) = restricted(
        &json!({}),
        &json!({"compile": {"sandbox": "auto", "environment": ["TOKEN"]}}),
    );
    assert_eq!(effective, json!({}));
    let (effective, _) = restricted(&json!({}), &json!({"compile": {"sandbox": "require"}}));
    assert_eq!(effective, json!({"compile": {"sandbox": "require"}}));
}

#[test]
fn differences_read_well_and_hold_no_value() {
    let base: ConfigValues = flatten(&json!({"endpoint": "https://u:hunter2@kfp.example"}));
    let (_, differences) = restrict(&base, &flatten(&json!({"endpoint": "https://evil.example"})));
    insta::assert_snapshot!(differences[0].to_string(), @"`endpoint` differs from the base branch; the base branch's value is used until this is merged");
}

proptest::proptest! {
    /// Whatever a pull request says of any other key, the base branch's value is what counts.
    #[test]
    fn unknown_keys_are_never_taken(key in "[a-z-]{1,12}(\\.[a-z-]{1,12})?", word in "[a-z]{0,6}") {
        let free = ["version", "discover", "naming", "pipelines", "project"];
        let section = key.split('.').next().unwrap_or_default().to_owned();
        proptest::prop_assume!(!free.contains(&section.as_str()));
        proptest::prop_assume!(!key.starts_with("compile."));
        let pull = ConfigValues::from([(key.clone(), json!(word))]);
        let (effective, differences) = restrict(&ConfigValues::new(), &pull);
        proptest::prop_assert!(effective.is_empty());
        proptest::prop_assert_eq!(differences.len(), 1);
    }
}
