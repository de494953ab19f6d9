//! Sizes that bite: at the upload, and later at the run.
//!
//! A run's Argo workflow holds the JSON of every component, container and Kubernetes setting as texts. What
//! is computed here is a lower bound of it: the texts alone, each distinct one once.

use super::{Findings, thousands};
use crate::error::{Failure, Phase};
use crate::ir::{Spec, upload_documents};
use semver::Version;
use serde_json::Value;
use std::collections::BTreeSet;

/// Kubernetes allows this many bytes of annotations on an object, where servers kept the components until
/// 2.3 moved them to arguments (kubeflow/pipelines #10968 and #10979).
const ANNOTATIONS_BYTES: usize = 262_144;
/// The longest single argument of a program on Linux (`MAX_ARG_STRLEN`, 32 pages of 4 KiB); servers pass a
/// component to their driver as one (kubeflow/pipelines #12453, server 2.14).
const ARGUMENT_BYTES: usize = 131_072;
/// What Argo asks workflows to stay below.
const ARGO_BYTES: usize = 1 << 20;
/// What etcd takes in one request by default: no larger workflow can be created (kubeflow/pipelines #13738,
/// server 2.15).
const ETCD_BYTES: usize = 1_572_864;

const SMALLER: &str = "move embedded files and large constants to an image or an object store, or split it";

pub(super) fn check(spec: &Spec, server: Option<&Version>, findings: &mut Findings) {
    if let Err(error) = upload_documents(spec) {
        findings.errors.push(error.failure());
        return;
    }
    let texts = texts(spec);
    for (what, name, text) in &texts {
        if text.len() >= ARGUMENT_BYTES {
            findings.warnings.push(format!(
                "the {what} `{name}` takes {} bytes, and servers pass it to a program of theirs as one argument, \
                 of which Linux takes {}: a run may end with \"argument list too long\"; {SMALLER}",
                thousands(text.len()),
                thousands(ARGUMENT_BYTES)
            ));
        }
    }
    let distinct: BTreeSet<&str> = texts.iter().map(|(_, _, text)| text.as_str()).collect();
    let workflow: usize = distinct.iter().map(|text| escaped(text)).sum();
    let bytes = thousands(workflow);
    if workflow >= ETCD_BYTES {
        findings.warnings.push(format!(
            "it uploads, but a run's Argo workflow takes at least {bytes} bytes, and Kubernetes stores {} by \
             default: no run may start; {SMALLER}",
            thousands(ETCD_BYTES)
        ));
    } else if workflow >= ARGO_BYTES {
        findings.warnings.push(format!(
            "it uploads, but a run's Argo workflow takes at least {bytes} bytes, and Argo asks for less than {}: \
             a run may fail; {SMALLER}",
            thousands(ARGO_BYTES)
        ));
    }
    // Annotations are counted as they are, not as JSON escapes them.
    let annotations: usize = distinct.iter().map(|text| text.len()).sum();
    if annotations >= ANNOTATIONS_BYTES {
        let why = format!(
            "keep {} bytes of components in annotations, of which Kubernetes takes {}: no run starts there",
            thousands(annotations),
            thousands(ANNOTATIONS_BYTES)
        );
        match server {
            Some(server) if (server.major, server.minor) < (2, 3) => findings.errors.push(
                Failure::failed(Phase::Plan, format!("a server of version {server} would {why}"))
                    .hint("upgrade the server, or make the pipeline smaller"),
            ),
            Some(_) => {}
            None => findings.notes.push(format!("servers before 2.3 {why}")),
        }
    }
}

/// What the workflow holds as texts: kind, name, JSON.
fn texts(spec: &Spec) -> Vec<(&'static str, String, String)> {
    let pipeline: Value = serde_json::from_str(spec.pipeline_text()).unwrap_or_default();
    let platform: Value = spec
        .platform_text()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let mut texts = Vec::new();
    if let Some(root) = pipeline.get("root") {
        texts.push(("pipeline itself", "root".to_owned(), root.to_string()));
    }
    let mut add = |what: &'static str, value: Option<&Value>, member: Option<&str>| {
        for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
            let value = match member {
                Some(member) => value.get(member),
                None => Some(value),
            };
            texts.extend(value.map(|value| (what, name.clone(), value.to_string())));
        }
    };
    add("component", pipeline.get("components"), None);
    add(
        "container of",
        pipeline.pointer("/deploymentSpec/executors"),
        Some("container"),
    );
    add(
        "Kubernetes settings of",
        platform.pointer("/platforms/kubernetes/deploymentSpec/executors"),
        None,
    );
    texts
}

/// Bytes of a text inside JSON, where quotes and line ends take two.
fn escaped(text: &str) -> usize {
    text.bytes()
        .map(|byte| if matches!(byte, b'"' | b'\\') { 2 } else { 1 })
        .sum()
}
