use super::*;
use crate::discover::Source;
use crate::ids::{PipelineName, SourcePath};
use crate::ir::fixtures::{fixture, value};
use std::path::PathBuf;

fn compiled(file: &str, name: &str, spec: Spec) -> Compiled {
    Compiled {
        source: Source {
            path: SourcePath::new(file),
            absolute: PathBuf::from(file),
            function: None,
            parameters: BTreeMap::new(),
        },
        function: name.replace('-', "_"),
        one_of_several: false,
        name: PipelineName::new(name),
        description: String::new(),
        spec,
        yaml: None,
    }
}

fn planned(compiled: Compiled, decision: Decision) -> Planned {
    Planned {
        digest: compiled.spec.digest(),
        compiled,
        decision,
        reason: None,
        warnings: Vec::new(),
        notes: Vec::new(),
        difference: None,
        suggested_version: None,
        version_name: None,
        versions: Vec::new(),
    }
}

fn create(file: &str, name: &str, spec: Spec) -> Planned {
    planned(
        compiled(file, name, spec),
        Decision::Create {
            name: PipelineName::new(name),
            display_name: None,
        },
    )
}

fn ours() -> Mark {
    Mark {
        repo: Some("ml/pipelines".into()),
        project: Some("pipelines".into()),
        ..Mark::default()
    }
}

fn remote(name: &str, file: Option<&str>) -> RemotePipeline {
    RemotePipeline {
        id: PipelineId::new(format!("id-{name}")),
        name: PipelineName::new(name),
        mark: Some(Mark {
            file: file.map(str::to_owned),
            ..ours()
        }),
    }
}

fn version(mark: Option<Mark>, spec: Spec) -> RemoteVersion {
    RemoteVersion {
        id: VersionId::new("v"),
        name: VersionName::new("v1"),
        digest: Some(spec.digest()),
        mark,
        created_at: Some("2026-02-13T14:30:22+00:00".into()),
        said: Some("author=ann".into()),
        spec: Some(spec),
        unreadable: None,
    }
}

fn seen(compiled: &[&str], failed: &[&str]) -> Seen {
    let set = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect();
    Seen {
        compiled: set(compiled),
        failed: set(failed),
        whole: true,
    }
}

fn kinds(pipeline: RemotePipeline, seen: &Seen, exists: bool) -> Vec<DriftKind> {
    orphans(&[(pipeline, None)], seen, &[], |_| exists)
        .into_iter()
        .map(|drift| drift.kind)
        .collect()
}

#[test]
fn only_what_is_surely_gone_is_an_orphan() {
    let a = || remote("a", Some("a_pipeline.py"));
    assert_eq!(
        kinds(a(), &seen(&[], &[]), false),
        [DriftKind::Orphan],
        "its file is gone"
    );
    assert_eq!(
        kinds(a(), &seen(&["a_pipeline.py"], &[]), true),
        [DriftKind::Orphan],
        "its file defines another now"
    );
    assert_eq!(
        kinds(a(), &seen(&[], &[]), true),
        [],
        "its file was not looked at"
    );
    assert_eq!(
        kinds(a(), &seen(&[], &["a_pipeline.py"]), true),
        [],
        "its file does not compile now"
    );
    let unknown = || remote("a", None);
    assert_eq!(
        kinds(unknown(), &seen(&["b.py"], &[]), false),
        [DriftKind::Orphan]
    );
    assert_eq!(
        kinds(unknown(), &seen(&[], &["b.py"]), false),
        [],
        "it may be the one that fails"
    );
    let partly = Seen {
        whole: false,
        ..seen(&["b.py"], &[])
    };
    assert_eq!(kinds(unknown(), &partly, false), [], "it may lie elsewhere");
}

#[test]
fn what_a_file_claims_is_no_orphan() {
    let listing = [
        remote("First", None),
        remote("second", None),
        remote("third", None),
    ];
    let first = compiled("a_pipeline.py", "first", fixture("packages"));
    let claimed = BTreeSet::from([PipelineId::new("id-second")]);
    let left = unclaimed(&listing, &[&first], &claimed, &Rules::default());
    let names: Vec<&str> = left.iter().map(|pipeline| pipeline.name.as_str()).collect();
    assert_eq!(names, ["third"], "names are compared without case");
}

#[test]
fn a_renamed_pipeline_is_offered_with_its_configuration() {
    let old = fixture("evaluation");
    let mut renamed = value("evaluation");
    renamed["pipelineInfo"]["name"] = "scoring".into();
    let renamed = Spec::from_server(&renamed).unwrap();
    let plans = [
        create("other_pipeline.py", "other", fixture("packages")),
        create("scoring \"x\"_pipeline.py", "scoring", renamed),
    ];
    let planned: Vec<&Planned> = plans.iter().collect();
    let gone = [(
        remote("evaluation", Some("evaluation_pipeline.py")),
        Some(version(Some(ours()), old)),
    )];
    let found = orphans(&gone, &seen(&[], &[]), &planned, |_| false);
    let rename = found[0].rename.as_ref().expect("a rename");
    assert_eq!((rename.name.as_str(), rename.similarity), ("scoring", 100));
    assert_eq!(
        rename.config,
        r#"pipelines: {"evaluation": {file: "scoring \"x\"_pipeline.py"}}"#
    );
    let file = crate::settings::load::parse(&rename.config, "kfp-gitops.yaml").expect("a configuration");
    assert_eq!(
        file.pipelines["evaluation"].file.as_deref(),
        Some("scoring \"x\"_pipeline.py")
    );

    let unlike = orphans(&gone, &seen(&[], &[]), &planned[..1], |_| false);
    assert_eq!(unlike[0].rename, None);
}

#[test]
fn updates_are_told_apart_by_who_made_the_newest_version() {
    let update = |mark: Option<Mark>, spec: Spec| {
        planned(
            compiled("a_pipeline.py", "a", fixture("packages")),
            Decision::Update {
                pipeline: remote("a", None),
                newest: Some(Box::new(version(mark, spec))),
            },
        )
    };
    let kind = |planned: &Planned| of_planned(planned, &ours()).map(|drift| drift.kind);
    let other = || fixture("venv");
    assert_eq!(kind(&update(None, other())), Some(DriftKind::ByHand));
    assert_eq!(kind(&update(Some(ours()), other())), Some(DriftKind::Pending));
    let foreign = Mark {
        repo: Some("ml/other".into()),
        ..ours()
    };
    assert_eq!(kind(&update(Some(foreign), other())), Some(DriftKind::Foreign));
    assert_eq!(
        kind(&update(None, fixture("packages"))),
        None,
        "forced, but equal"
    );
    assert_eq!(
        kind(&create("a_pipeline.py", "a", other())),
        Some(DriftKind::Missing)
    );
}

#[test]
fn similarity_is_between_none_and_all() {
    let print = |name: &str| Print::of(&fixture(name)).unwrap();
    assert_eq!(print("evaluation").similarity(&print("evaluation")), 100);
    assert!(print("evaluation").similarity(&print("packages")) < NEARLY);
}
