//! Every decision, from values alone.

use super::*;
use crate::discover::Source;
use crate::ids::{PipelineName, SourcePath, VersionId, VersionName};
use crate::ir::Spec;
use crate::kfp::model::Server;
use crate::plan::naming::VersionFacts;
use crate::settings::file;

fn compiled(path: &str, name: &str, content: &str) -> Compiled {
    Compiled {
        source: Source {
            path: SourcePath::new(path),
            absolute: path.into(),
            function: None,
            parameters: BTreeMap::new(),
        },
        function: name.replace('-', "_"),
        one_of_several: false,
        name: PipelineName::new(name),
        description: String::new(),
        spec: spec(content),
        yaml: None,
    }
}

fn spec(content: &str) -> Spec {
    Spec::from_text(
        format!(
            r#"{{"pipelineInfo":{{"name":"x"}},"root":{{"dag":{{"tasks":{{}}}}}},"schemaVersion":"{content}"}}"#
        ),
        None,
    )
}

fn remote(id: &str, name: &str, mark: Option<Mark>) -> RemotePipeline {
    RemotePipeline {
        id: PipelineId::new(id),
        name: PipelineName::new(name),
        mark,
    }
}

fn version(name: &str, content: &str, mark: Option<Mark>) -> RemoteVersion {
    RemoteVersion {
        id: VersionId::new(format!("id-{name}")),
        name: VersionName::new(name),
        digest: Some(spec(content).digest()),
        mark,
        created_at: None,
        said: None,
        spec: Some(spec(content)),
        unreadable: None,
    }
}

fn ours() -> Mark {
    Mark {
        repo: Some("ml/pipelines".into()),
        project: Some("pipelines".into()),
        ..Mark::default()
    }
}

fn rules() -> Rules {
    Rules {
        naming: "spec".into(),
        ..Rules::default()
    }
}

/// The one decision for one file against one pipeline on the server.
fn decision(content: &str, pipeline_mark: Option<Mark>, held: Held, options: &Options) -> Planned {
    let listing = [remote("p", "scoring", pipeline_mark)];
    let identified = identify_all(
        vec![compiled("scoring_pipeline.py", "scoring", content)],
        &listing,
        &rules(),
    )
    .unwrap();
    let held = BTreeMap::from([(PipelineId::new("p"), held)]);
    decide(identified, &held, options).pipelines.remove(0)
}

fn options() -> Options {
    Options {
        mark: ours(),
        adopt: false,
        force: false,
        names: None,
        server: None,
    }
}

#[test]
fn an_absent_pipeline_is_created_under_the_naming_rule() {
    for (naming, name) in [
        ("spec", "scoring"),
        ("stem", "scoring_pipeline"),
        ("x-{spec}", "x-scoring"),
    ] {
        let rules = Rules {
            naming: naming.into(),
            ..Rules::default()
        };
        let identified =
            identify_all(vec![compiled("scoring_pipeline.py", "scoring", "a")], &[], &rules).unwrap();
        let planned = decide(identified, &BTreeMap::new(), &options())
            .pipelines
            .remove(0);
        assert!(
            matches!(planned.decision, Decision::Create { name: given, .. } if given.as_str() == name),
            "{naming}"
        );
    }
}

#[test]
fn equal_content_is_unchanged_unless_forced() {
    let held = Held {
        newest: Some(version("v1", "a", Some(ours()))),
        older: Vec::new(),
    };
    let planned = decision("a", Some(ours()), held.clone(), &options());
    assert!(matches!(planned.decision, Decision::Unchanged { .. }));
    assert_eq!(planned.reason, None);
    let forced = decision(
        "a",
        Some(ours()),
        held,
        &Options {
            force: true,
            ..options()
        },
    );
    assert!(matches!(forced.decision, Decision::Update { .. }));
    assert_eq!(forced.reason, Some(Reason::Forced));
}

#[test]
fn other_content_is_a_version_and_a_revert_is_called_one() {
    let newest = version("v2", "b", Some(ours()));
    let planned = decision(
        "c",
        None,
        Held {
            newest: Some(newest.clone()),
            older: Vec::new(),
        },
        &options(),
    );
    assert!(matches!(planned.decision, Decision::Update { .. }));
    assert_eq!(planned.reason, None);
    let held = Held {
        newest: Some(newest),
        older: vec![version("v1", "a", Some(ours()))],
    };
    let planned = decision("a", None, held, &options());
    assert_eq!(planned.reason, Some(Reason::Reverted));
    assert_eq!(planned.notes, ["a revert: version `v1` had this content"]);
}

#[test]
fn what_was_uploaded_by_hand_is_adopted() {
    let held = Held {
        newest: Some(version("scoring", "a", None)),
        older: Vec::new(),
    };
    let planned = decision("a", None, held.clone(), &options());
    assert!(matches!(planned.decision, Decision::Unchanged { .. }));
    assert_eq!(planned.reason, Some(Reason::Adopted));
    let planned = decision("b", None, held, &options());
    assert!(
        planned
            .notes
            .iter()
            .any(|note| note == "replaces version `scoring`, which was uploaded by hand")
    );
}

#[test]
fn a_pipeline_without_version_is_healed() {
    let planned = decision("a", Some(ours()), Held::default(), &options());
    assert!(matches!(planned.decision, Decision::Update { newest: None, .. }));
    assert_eq!(
        planned.notes,
        ["the pipeline had no version: an earlier run ended between the two"]
    );
}

#[test]
fn another_repository_s_pipeline_is_refused() {
    let theirs = Mark {
        repo: Some("other/repo".into()),
        ..ours()
    };
    let held = Held {
        newest: Some(version("v1", "a", Some(theirs))),
        older: Vec::new(),
    };
    let planned = decision("b", None, held.clone(), &options());
    assert!(matches!(&planned.decision, Decision::Refused(failure) if failure.exit_code().code() == 2));
    let adopted = decision(
        "b",
        None,
        held,
        &Options {
            adopt: true,
            ..options()
        },
    );
    assert_eq!(adopted.reason, Some(Reason::Adopted));
}

#[test]
fn two_candidates_are_refused_with_the_line_that_decides() {
    let listing = [
        remote("1", "scoring", None),
        remote("2", "scoring_pipeline", None),
    ];
    let one = compiled("scoring_pipeline.py", "scoring", "a");
    let failure = identify(&one, &ByName::of(&listing), &rules()).unwrap_err();
    assert!(
        failure.message.contains("`scoring`") && failure.message.contains("`scoring_pipeline`"),
        "{failure}"
    );
    assert!(failure.hint.unwrap().contains("pipelines:"));
    let configured = BTreeMap::from([(
        "scoring_pipeline".to_owned(),
        file::Pipeline {
            file: Some("scoring_pipeline.py".into()),
            ..file::Pipeline::default()
        },
    )]);
    let rules = Rules {
        configured,
        ..rules()
    };
    let decided = identify(&one, &ByName::of(&listing), &rules).unwrap();
    assert!(
        matches!(decided, Identity::Existing(pipeline, Match::Configured) if pipeline.id.as_str() == "2")
    );
}

#[test]
fn names_are_compared_as_the_server_does() {
    let listing = [remote("1", "Scoring", None)];
    let decided = identify(&compiled("a.py", "scoring", "a"), &ByName::of(&listing), &rules()).unwrap();
    assert!(matches!(decided, Identity::Existing(pipeline, Match::Spec) if pipeline.id.as_str() == "1"));
}

#[test]
fn a_kubernetes_store_gets_a_dns_name() {
    let rules = Rules {
        naming: "stem".into(),
        kubernetes_store: true,
        ..Rules::default()
    };
    let decided = identify(
        &compiled("My_Scoring.py", "scoring", "a"),
        &ByName::default(),
        &rules,
    )
    .unwrap();
    let Identity::New { name, display_name } = decided else {
        panic!("{decided:?}")
    };
    assert!(crate::ir::names::is_dns_1123_subdomain(name.as_str()), "{name}");
    assert_eq!(display_name.as_deref(), Some("My_Scoring"));
}

#[test]
fn two_files_that_are_one_pipeline_stop_everything() {
    let listing = [remote("1", "a_pipeline", None)];
    let both = vec![
        compiled("x/a_pipeline.py", "a", "1"),
        compiled("y/a_pipeline.py", "b", "2"),
    ];
    let failure = identify_all(both, &listing, &rules()).unwrap_err();
    assert!(
        failure.message.contains("x/a_pipeline.py") && failure.message.contains("y/a_pipeline.py"),
        "{failure}"
    );
}

#[test]
fn a_version_name_that_a_cluster_cannot_hold_is_refused_before_the_pipeline_is_created() {
    let named = |template: &str, store: Store| {
        let facts = VersionFacts {
            now: chrono::DateTime::UNIX_EPOCH,
            commit: None,
            tag: Some("Release_1".to_owned()),
            semver: None,
            tagged: false,
            run: None,
        };
        let options = Options {
            names: Some(VersionNames::new(template, facts).unwrap()),
            server: Some(Server {
                version: Some(semver::Version::new(2, 17, 0)),
                tag_name: None,
                multi_user: false,
                store,
                probed: false,
                conditional_uploads: false,
            }),
            ..options()
        };
        let identified =
            identify_all(vec![compiled("demo_pipeline.py", "demo", "a")], &[], &rules()).unwrap();
        decide(identified, &BTreeMap::new(), &options).pipelines.remove(0)
    };
    let Decision::Refused(failure) = named("{tag}", Store::Kubernetes).decision else {
        panic!("not refused");
    };
    assert!(failure.message.contains("Release_1"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("naming.version")));
    for (template, store) in [("{tag}", Store::Database), ("{timestamp}", Store::Kubernetes)] {
        assert!(
            matches!(named(template, store).decision, Decision::Create { .. }),
            "{template}"
        );
    }
}
