//! What the server really holds, and what must be true of it.

use super::server::Server;
use super::world::{Pipeline, Ran, Repository, TOKEN};
use kfp_gitops::apply::Outcome;
use kfp_gitops::error::Class;
use kfp_gitops::ids::{Digest, VersionId};
use kfp_gitops::kfp::model;
use kfp_gitops::kfp::transport::Request;
use kfp_gitops::plan::mark::Mark;
use kfp_gitops::report::{Action, PipelineReport, Reason, Report};
use std::collections::BTreeMap;
use std::time::Duration;

/// A version on the server.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: VersionId,
    pub name: String,
    pub digest: Option<Digest>,
    pub run: Option<String>,
    pub created: i64,
}

/// Everything on the server: versions by pipeline name, newest first.
pub type Truth = BTreeMap<String, Vec<Held>>;

/// Asks the server without anything in between.
pub async fn truth(server: &Server) -> Truth {
    let ask = async |path: &str| {
        let url = format!("http://pipelines.test/apis/v2beta1/{path}")
            .parse()
            .expect("an address");
        let mut request = Request::new(http::Method::GET, url);
        request.headers.insert(
            "kubeflow-userid",
            http::HeaderValue::from_static(super::dialect::USER),
        );
        server.answer(request).await.body
    };
    let mut truth = Truth::new();
    for pipeline in model::pipelines(&ask("pipelines?page_size=200").await)
        .expect("a page")
        .items
    {
        let path = format!(
            "pipelines/{}/versions?page_size=200&sort_by=created_at%20desc",
            pipeline.id
        );
        let versions = model::versions(&ask(&path).await).expect("a page").items;
        let held = versions.into_iter().map(|version| Held {
            digest: version.spec.as_ref().map(kfp_gitops::ir::Spec::digest),
            run: Mark::parse(&version.description).and_then(|mark| mark.run),
            created: version.created_at.expect("a time").timestamp(),
            id: version.id,
            name: version.name.as_str().to_owned(),
        });
        let earlier = truth.insert(pipeline.name.as_str().to_owned(), held.collect());
        assert!(earlier.is_none(), "two pipelines named {}", pipeline.name);
    }
    truth
}

/// At most one version per pipeline, content and intent: no two of the same run and content next to each
/// other, and no two of any runs either, once all have ended.
pub fn no_duplicates(truth: &Truth) {
    for (name, versions) in truth {
        for pair in versions.windows(2) {
            assert!(
                pair[0].digest != pair[1].digest,
                "{name} holds the same content twice in a row: {versions:#?}"
            );
        }
        let mut seen = std::collections::BTreeSet::new();
        for version in versions {
            assert!(
                seen.insert((version.digest, version.run.clone())),
                "{name}: twice by one run: {versions:#?}"
            );
        }
    }
}

/// Two versions of a pipeline never share a second.
pub fn no_shared_second(truth: &Truth) {
    for (name, versions) in truth {
        for pair in versions.windows(2) {
            assert_ne!(pair[0].created, pair[1].created, "{name}: {versions:#?}");
        }
    }
}

/// The newest version of every pipeline is what the repository holds.
pub fn equals(truth: &Truth, repository: &Repository) {
    for pipeline in &repository.0 {
        let newest = truth.get(&pipeline.name).and_then(|versions| versions.first());
        assert_eq!(
            newest.and_then(|version| version.digest),
            Some(pipeline.digest()),
            "{} is not what the repository holds: {:#?}",
            pipeline.name,
            truth.get(&pipeline.name)
        );
    }
}

/// What the report says is what the server holds (for runs that were alone).
pub fn report_is_true(truth: &Truth, ran: &Ran) {
    exit_code_is_true(ran);
    for (pipeline, outcome) in &ran.outcomes {
        let newest = truth.get(&pipeline.name).and_then(|versions| versions.first());
        let deployed = newest.is_some_and(|version| version.digest == Some(pipeline.digest()));
        match outcome.action {
            Action::Created | Action::Updated | Action::Unchanged => {
                assert!(
                    deployed,
                    "{} is said to be {:?}: {newest:?}",
                    pipeline.name, outcome.action
                );
                assert_eq!(
                    outcome.version_id,
                    newest.map(|version| version.id.clone()),
                    "{outcome:?}"
                );
                assert!(outcome.error.is_none(), "{outcome:?}");
            }
            Action::Failed => {
                assert!(
                    !deployed,
                    "{} is said to have failed, but is there: {outcome:?}",
                    pipeline.name
                );
                assert!(outcome.error.is_some());
            }
            Action::Skipped => {
                let interrupted = outcome.reason == Some(Reason::Interrupted);
                assert!(
                    !deployed || !interrupted,
                    "{} is said to be skipped, but is there",
                    pipeline.name
                );
            }
            Action::Unknown => assert!(outcome.error.is_some(), "{outcome:?}"),
            other => panic!("{other:?} is no outcome of an apply"),
        }
    }
}

/// The exit code of the run's report is the one that its pipelines' ends ask for: 2 for usage, else 1 for what
/// failed by itself, else 75 for what may go well when it is run again, else 0.
pub fn exit_code_is_true(ran: &Ran) {
    let mut report = Report::new("apply");
    report.pipelines = ran
        .outcomes
        .iter()
        .map(|(pipeline, outcome)| PipelineReport {
            reason: outcome.reason,
            error: outcome.error.clone(),
            ..PipelineReport::of(&pipeline.compiled(), outcome.action)
        })
        .collect();
    if let Some(failure) = &ran.error {
        report.stop(failure.clone());
    }
    let failures = ran
        .outcomes
        .iter()
        .filter_map(|(_, outcome)| outcome.error.as_ref());
    let classes: Vec<Class> = failures.chain(&ran.error).map(|failure| failure.class).collect();
    let undone = |(_, outcome): &(Pipeline, Outcome)| {
        outcome.action == Action::Unknown || outcome.reason == Some(Reason::Interrupted)
    };
    let expected = if classes.contains(&Class::Usage) {
        2
    } else if classes.contains(&Class::Failed) || classes.contains(&Class::Internal) {
        1
    } else if !classes.is_empty() || ran.outcomes.iter().any(undone) {
        75
    } else {
        0
    };
    assert_eq!(report.settle().code(), expected, "{ran:#?}");
}

/// The run kept its deadline, with one call's slack.
pub fn in_time(ran: &Ran, deadline: Duration) {
    assert!(
        ran.elapsed <= deadline + Duration::from_secs(5),
        "took {:?}",
        ran.elapsed
    );
}

/// No secret is in anything the run says.
pub fn no_secret(ran: &Ran) {
    let said = format!("{ran:?} {}", serde_json::to_string(&ran.error).expect("JSON"));
    assert!(!said.contains(TOKEN), "a secret is shown: {said}");
}

/// The pipelines of the repository that are not deployed, by what the run says.
pub fn undone(ran: &Ran) -> Vec<&Pipeline> {
    ran.outcomes
        .iter()
        .filter(|(_, outcome)| {
            !matches!(
                outcome.action,
                Action::Created | Action::Updated | Action::Unchanged
            )
        })
        .map(|(pipeline, _)| pipeline)
        .collect()
}
