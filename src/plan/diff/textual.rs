//! Differences of text, for what is no pipeline spec that can be read.

use super::text;
use super::{Aspect, Change, Class, Difference, Side, Status, Subject, Verb};
use crate::ir::{Spec, SpecError};
use serde_json::Value;

/// What changes from something on the server that is no pipeline spec (a v1 workflow, something
/// newer) to `after`. `before` is what the server gave, `why` what [`Spec::from_server`] said.
#[must_use]
pub fn diff_unreadable(before: &Value, why: &SpecError, after: &Spec) -> Difference {
    let old = pretty(before);
    let new = pretty_spec(after);
    let name = name_of(after);
    let after = Side {
        digest: Some(after.digest()),
        sdk: None,
    };
    let mut difference = Difference::of(
        name,
        Status::Unreadable,
        Some(Side {
            digest: None,
            sdk: None,
        }),
        after,
        vec![whole(&old, &new)],
    );
    difference.reason = Some(why.to_string());
    difference
}

/// Two specs of which one is no JSON.
pub(super) fn of_texts(before: Option<&Spec>, after: &Spec, why: &SpecError) -> Difference {
    let same = before.is_some_and(|before| before.digest() == after.digest());
    let side = |spec: &Spec| Side {
        digest: Some(spec.digest()),
        sdk: None,
    };
    let changes = match before {
        Some(before) if !same => vec![whole(&pretty_spec(before), &pretty_spec(after))],
        _ => Vec::new(),
    };
    let status = match before {
        None => Status::Created,
        Some(_) if same => Status::Unchanged,
        Some(_) => Status::Unreadable,
    };
    let mut difference = Difference::of(name_of(after), status, before.map(side), side(after), changes);
    difference.reason = Some(why.to_string());
    difference
}

/// Digests that differ where nothing can be shown.
pub(super) fn unexplained() -> Change {
    Change {
        class: Class::Behaviour,
        subject: Subject::Pipeline,
        aspect: Aspect::Other,
        verb: Verb::Changed,
        name: None,
        before: None,
        after: None,
        patch: None,
        count: 1,
        paths: vec![vec!["pipeline".to_owned()], vec!["platform".to_owned()]],
    }
}

fn whole(before: &str, after: &str) -> Change {
    Change {
        patch: Some(text::patch(before, after)),
        ..unexplained()
    }
}

fn name_of(spec: &Spec) -> String {
    serde_json::from_str::<Value>(spec.pipeline_text())
        .ok()
        .and_then(|value| {
            value
                .pointer("/pipelineInfo/name")
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
        .unwrap_or_default()
}

fn pretty_spec(spec: &Spec) -> String {
    let mut text = pretty_text(spec.pipeline_text());
    if let Some(platform) = spec.platform_text() {
        text.push_str("---\n");
        text.push_str(&pretty_text(platform));
    }
    text
}

fn pretty_text(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => pretty(&value),
        Err(_) => format!("{text}\n"),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
