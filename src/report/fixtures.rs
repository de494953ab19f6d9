//! Reports for the tests of every face.

use super::{Action, Counts, PipelineReport, Reason, Report, ServerReport};
use crate::error::{Failure, Phase};
use crate::ids::{Digest, PipelineId, VersionId, VersionName};

/// The one version name of every fixture.
const VERSION: &str = "v20260213-143022";

/// One pipeline with what the server would tell of it.
pub(crate) fn pipeline(name: &str, action: Action) -> PipelineReport {
    let on_server = !matches!(
        action,
        Action::Failed | Action::Create | Action::Skipped | Action::Compiled
    );
    let written = matches!(action, Action::Created | Action::Updated);
    PipelineReport {
        file: Some(format!("{name}.py")),
        function: Some(name.to_owned()),
        name: Some(name.to_owned()),
        action,
        reason: None,
        pipeline_id: on_server.then(|| PipelineId::new("3a1c0a52-7c5c-4a4e-9d0f-0d8a4a2a9e10")),
        version_id: written.then(|| VersionId::new("b9e3a7e2-58b7-4f3f-8a4c-1f4f4f0f9a77")),
        version_name: written.then(|| VersionName::new(VERSION)),
        digest: (action != Action::Failed).then(|| Digest::from_bytes([0xab; 32])),
        output: None,
        url: on_server.then(|| format!("https://kfp.example/#/pipelines/details/{name}")),
        seconds: 0.41,
        warnings: Vec::new(),
        notes: Vec::new(),
        error: None,
        difference: None,
        suggested_version: None,
        specs: None,
        versions: Vec::new(),
    }
}

/// A pipeline that failed.
pub(crate) fn failed(name: &str, failure: Failure) -> PipelineReport {
    PipelineReport {
        error: Some(failure),
        ..pipeline(name, Action::Failed)
    }
}

/// A run over these pipelines.
pub(crate) fn report(command: &str, pipelines: Vec<PipelineReport>) -> Report {
    let count = |actions: &[Action]| pipelines.iter().filter(|p| actions.contains(&p.action)).count();
    let compile_failed = pipelines
        .iter()
        .filter(|p| {
            p.error
                .as_ref()
                .is_some_and(|error| error.phase == Phase::Compile)
        })
        .count();
    let failed = count(&[Action::Failed]);
    Report {
        notes: Vec::new(),
        expect_no_changes: false,
        plan: None,
        schema: 1,
        command: command.to_owned(),
        tool_version: "0.1.0".to_owned(),
        endpoint: Some("http://ml-pipeline.kubeflow.svc.cluster.local:8888".to_owned()),
        target: None,
        server: Some(ServerReport {
            version: Some("2.5.0".to_owned()),
            multi_user: Some(false),
        }),
        version_name: Some(VersionName::new(VERSION)),
        engine: None,
        counts: Counts {
            found: pipelines.len(),
            compiled: pipelines.len() - compile_failed,
            created: count(&[Action::Created, Action::Create]),
            updated: count(&[Action::Updated, Action::Update]),
            unchanged: count(&[Action::Unchanged]),
            failed,
            skipped: count(&[Action::Skipped]),
            unknown: count(&[Action::Unknown]),
        },
        pipelines,
        warnings: Vec::new(),
        error: None,
        commit: Some("6875ae4fd7a2bc8cfc5c8bc00f3ca4fb00e6ec58".to_owned()),
        run_url: Some("https://git.example/ml/pipelines/actions/runs/17".to_owned()),
        seconds: 3.2,
        exit_code: u8::from(failed > 0),
    }
}

const SIX: [&str; 6] = [
    "document_ingestion_pipeline",
    "dvd_transcription_pipeline",
    "evaluation_pipeline",
    "qlora_pdf_pipeline",
    "vllm_tuning_pipeline",
    "voice_cloning_pipeline",
];

fn six(command: &str, actions: [Action; 6]) -> Report {
    report(
        command,
        SIX.iter()
            .zip(actions)
            .map(|(name, action)| pipeline(name, action))
            .collect(),
    )
}

/// Nothing to deploy.
pub(crate) fn nothing_found() -> Report {
    Report {
        warnings: vec!["no file matches `*_pipeline.py` in `.`".to_owned()],
        ..report("apply", vec![])
    }
}

/// All six are on the server already.
pub(crate) fn nothing_changed() -> Report {
    six("apply", [Action::Unchanged; 6])
}

/// All six are new.
pub(crate) fn created() -> Report {
    six("apply", [Action::Created; 6])
}

/// One new version.
pub(crate) fn updated() -> Report {
    let mut report = six("apply", [Action::Unchanged; 6]);
    report.pipelines[2] = pipeline(SIX[2], Action::Updated);
    report.counts.unchanged = 5;
    report.counts.updated = 1;
    report
}

/// Something of each.
pub(crate) fn mixed() -> Report {
    use Action::{Created, Skipped, Unchanged, Unknown, Updated};
    let mut report = six(
        "apply",
        [Created, Updated, Unchanged, Unchanged, Skipped, Unknown],
    );
    report.pipelines[1].reason = Some(Reason::Reverted);
    report.pipelines[2].reason = Some(Reason::Adopted);
    report.pipelines[2].notes = vec!["replaces a version uploaded by hand".to_owned()];
    report.pipelines[4].reason = Some(Reason::Superseded);
    report.warnings = vec!["kfp 2.17.0 compiles for a server of version 2.5.0".to_owned()];
    report
}

/// Two went well, one did not.
pub(crate) fn some_failed() -> Report {
    use Action::{Created, Unchanged, Updated};
    let mut list: Vec<_> = [Created, Updated, Unchanged, Unchanged]
        .iter()
        .zip(SIX)
        .map(|(action, name)| pipeline(name, *action))
        .collect();
    list.push(failed(
        "vllm_tuning_pipeline",
        Failure::failed(
            Phase::Apply,
            "the server refuses the pipeline: the spec is 33 MiB, the limit is 32 MiB",
        )
        .hint("move embedded data to object storage")
        .file("vllm_tuning_pipeline.py"),
    ));
    report("apply", list)
}

/// Every upload failed.
pub(crate) fn all_failed() -> Report {
    let list = SIX.iter().map(|name| {
        failed(
            name,
            Failure::failed(Phase::Apply, "the server answered 400: invalid pipeline spec"),
        )
    });
    report("apply", list.collect())
}

/// Two files do not compile.
pub(crate) fn compile_errors() -> Report {
    let mut list = vec![
        failed(
            "evaluation_pipeline",
            Failure::failed(Phase::Compile, "NameError: name 'metrics' is not defined")
                .file("evaluation_pipeline.py")
                .line(42)
                .detail("    score = metrics.accuracy(x)\n            ^^^^^^^"),
        ),
        failed(
            "voice_cloning_pipeline",
            Failure::failed(Phase::Compile, "the file holds no pipeline")
                .file("voice_cloning_pipeline.py")
                .hint("decorate a function with `@dsl.pipeline`"),
        ),
    ];
    for pipeline in &mut list {
        pipeline.name = None;
    }
    list.push(pipeline("qlora_pdf_pipeline", Action::Unchanged));
    report("apply", list)
}

/// The pipelines server does not answer.
pub(crate) fn unreachable() -> Report {
    let mut report = report("apply", vec![]);
    report.counts.found = 6;
    report.counts.compiled = 6;
    report.server = None;
    report.exit_code = 75;
    report.error = Some(
        Failure::infrastructure(
            Phase::Connect,
            "cannot reach `http://ml-pipeline.kubeflow.svc.cluster.local:8888`: connection refused",
        )
        .hint("check that the runner is in the cluster, or set `endpoint`"),
    );
    report
}

/// The pipelines server lets nobody in.
pub(crate) fn no_permission() -> Report {
    let mut report = unreachable();
    report.exit_code = 2;
    report.error = Some(
        Failure::usage(
            Phase::Connect,
            "the server answered 403: the token may not list pipelines in `ml`",
        )
        .hint("grant `list` and `create` on `pipelines` in the namespace `ml`"),
    );
    report
}

/// A plan for a pull request.
pub(crate) fn plan() -> Report {
    use Action::{Create, Unchanged, Update};
    let mut report = six(
        "plan",
        [Create, Update, Unchanged, Unchanged, Unchanged, Unchanged],
    );
    report.target = Some("prod".to_owned());
    report
}

/// A plan that changes nothing.
pub(crate) fn plan_nothing() -> Report {
    six("plan", [Action::Unchanged; 6])
}

/// A thousand pipelines.
pub(crate) fn huge() -> Report {
    let list = (0..1000).map(|number| {
        let name = format!(
            "team_{:02}_feature_store_refresh_{number:04}_pipeline",
            number % 40
        );
        match number % 100 {
            7 => failed(
                &name,
                Failure::failed(Phase::Compile, "ModuleNotFoundError: No module named 'features'")
                    .file(format!("{name}.py"))
                    .line(3),
            ),
            n if n % 3 == 0 => pipeline(&name, Action::Updated),
            n if n % 10 == 1 => pipeline(&name, Action::Created),
            _ => pipeline(&name, Action::Unchanged),
        }
    });
    report("apply", list.collect())
}

/// Reads an output file as a runner does: heredocs only.
pub(crate) fn read_outputs(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    let mut outputs = Vec::new();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line
            .split_once("<<")
            .unwrap_or_else(|| panic!("no heredoc: {line}"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        outputs.push((name.to_owned(), value.join("\n")));
    }
    outputs
}
