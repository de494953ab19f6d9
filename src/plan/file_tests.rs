use super::super::moved::refusal;
use super::*;
use proptest::prelude::*;

fn entry(name: &str, action: Action, content: u8) -> Entry {
    let existing = action != Action::Create;
    Entry {
        file: Some(format!("{name}_pipeline.py")),
        function: Some(name.to_owned()),
        name: Some(name.to_owned()),
        action,
        reason: None,
        digest: Some(Digest::from_bytes([content; 32])),
        pipeline_id: existing.then(|| PipelineId::new(format!("id-{name}"))),
        newest: existing.then(|| SeenVersion {
            id: VersionId::new("old"),
            name: VersionName::new("v0"),
            digest: Some(Digest::from_bytes(
                [if action == Action::Unchanged { content } else { 0 }; 32],
            )),
        }),
        version_name: None,
    }
}

fn plan(pipelines: Vec<Entry>) -> PlanFile {
    PlanFile {
        schema: SCHEMA,
        digest: None,
        tool_version: "0.1.0".into(),
        commit: Some("a".repeat(40)),
        version_name: VersionName::new("v1"),
        settings: PlanSettings {
            endpoint: "embedded".into(),
            paths: vec![".".into()],
            ..PlanSettings::default()
        },
        server: None,
        kfp: Some("2.17.0".into()),
        pipelines,
    }
}

fn three() -> PlanFile {
    plan(vec![
        entry("new", Action::Create, 1),
        entry("old", Action::Update, 2),
        entry("same", Action::Unchanged, 3),
    ])
}

fn moves(now: &PlanFile) -> Vec<String> {
    three().moved(now).into_iter().map(|moved| moved.what).collect()
}

#[test]
fn reads_back_and_notices_changes() {
    let plan = three();
    let text = plan.render();
    let read = PlanFile::parse(&text, "plan.json").unwrap();
    assert_eq!(read.digest(), plan.digest());
    assert_eq!(read.pipelines, plan.pipelines);
    for (from, to, why) in [
        ("\"v1\"", "\"v2\"", "was changed"),
        ("\"schema\": 1", "\"schema\": 2", "has the format 2"),
        ("\"schema\": 1", "\"unknown\": 1", "is no plan"),
        ("\"only\"", "\"only_\"", "is no plan"),
        ("{", "", "is not JSON"),
    ] {
        let failure = PlanFile::parse(&text.replacen(from, to, 1), "plan.json").unwrap_err();
        assert!(failure.message.contains(why), "{from}: {failure}");
        assert_eq!(failure.exit_code().code(), 2);
    }
}

#[test]
fn the_same_state_has_not_moved() {
    assert_eq!(moves(&three()), Vec::<String>::new());
    let mut later = three();
    later.commit = None;
    later.tool_version = "0.2.0".into();
    later.version_name = VersionName::new("v9");
    assert_eq!(moves(&later), Vec::<String>::new(), "what decides nothing");
}

#[test]
fn everything_that_moved_is_named() {
    let mut now = three();
    now.settings.target = Some("prod".into());
    now.pipelines[0].pipeline_id = Some(PipelineId::new("x"));
    now.pipelines[0].newest = now.pipelines[2].newest.clone();
    now.pipelines[1].newest.as_mut().unwrap().name = VersionName::new("by-hand");
    now.pipelines[2].digest = None;
    now.pipelines.push(entry("more", Action::Create, 4));
    now.pipelines.push(Entry::failed(Some("bad_pipeline.py".into())));
    assert_eq!(
        moves(&now),
        [
            "the target was `none` when planned and is `prod` now",
            "`new`: the server did not hold it when planned and does now",
            "`old`: the newest version on the server was `v0` when planned and is `by-hand` now",
            "`same`: its content was `0303030` when planned and is `none` now",
            "`more` is not in the plan",
            "`bad_pipeline.py` fails now and did not when planned",
        ]
    );
    let mut gone = three();
    gone.pipelines.remove(1);
    assert_eq!(
        moves(&gone),
        ["`old` is in the plan and no longer in the repository"]
    );
    let failure = refusal(&three().moved(&gone));
    assert_eq!(failure.exit_code().code(), 2);
    assert!(failure.detail.unwrap().contains("`old`"));
}

#[test]
fn what_the_plan_itself_did_has_not_moved() {
    let mut now = three();
    for (entry, content) in now.pipelines.iter_mut().zip([1, 2]) {
        entry.action = Action::Unchanged;
        entry.pipeline_id = Some(PipelineId::new("id"));
        entry.newest = Some(SeenVersion {
            id: VersionId::new("new"),
            name: VersionName::new("v1"),
            digest: Some(Digest::from_bytes([content; 32])),
        });
    }
    assert_eq!(moves(&now), Vec::<String>::new());
    // The same content under another name came from somebody else.
    now.pipelines[1].newest.as_mut().unwrap().name = VersionName::new("v2");
    assert_eq!(moves(&now).len(), 1);
    // A pipeline whose first version an earlier attempt did not get to.
    let mut half = three();
    half.pipelines[0].action = Action::Update;
    half.pipelines[0].pipeline_id = Some(PipelineId::new("id"));
    assert_eq!(moves(&half), Vec::<String>::new());
}

proptest! {
    #[test]
    fn any_plan_reads_back(name in "\\PC*", file in any::<Option<String>>(), content in any::<u8>()) {
        let mut one = entry(&name, Action::Update, content);
        one.file = file;
        let plan = plan(vec![one]);
        let read = PlanFile::parse(&plan.render(), "plan.json").unwrap();
        prop_assert!(read.moved(&plan).is_empty());
        prop_assert_eq!(read.digest(), plan.digest());
    }

    #[test]
    fn any_other_content_moved(content in 1u8..) {
        let then = plan(vec![entry("a", Action::Update, 0)]);
        let now = plan(vec![entry("a", Action::Update, content)]);
        prop_assert_eq!(then.moved(&now).len(), 1);
    }
}
