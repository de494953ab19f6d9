//! The job's outputs: lines for the file that `GITHUB_OUTPUT` names.
//!
//! Both forges read `name<<DELIMITER`, the value, `DELIMITER` (recorded on Gitea's runner). The delimiter
//! is random, so that no value can end itself and smuggle in another output.

use super::{Action, PipelineReport, Report};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// The longest `summary` output in bytes. It must fit one environment variable of a later job, which
/// Linux cuts at 128 KiB.
pub const SUMMARY_LIMIT: usize = 64 * 1024;

/// The names of the outputs, in the order they are written; `action.yml` declares the same.
pub const NAMES: &[&str] = &[
    "compiled",
    "uploaded",
    "unchanged",
    "failed",
    "failed-names",
    "version",
    "changes",
    "results",
    "summary",
];

/// All outputs of a run, as name and value. `results` is the path of the results file, where one was
/// written.
#[must_use]
pub fn outputs(report: &Report, results: Option<&str>) -> Vec<(&'static str, String)> {
    let counts = &report.counts;
    let changes = counts.created + counts.updated;
    // A plan's `created` means "to create": nothing was uploaded.
    let uploaded = if report.command == "apply" { changes } else { 0 };
    let version = report.version_name.as_ref().map_or("", |name| name.as_str());
    vec![
        ("compiled", counts.compiled.to_string()),
        ("uploaded", uploaded.to_string()),
        ("unchanged", counts.unchanged.to_string()),
        ("failed", counts.failed.to_string()),
        ("failed-names", Value::from(failed_names(report)).to_string()),
        ("version", version.to_owned()),
        ("changes", changes.to_string()),
        ("results", results.unwrap_or_default().to_owned()),
        ("summary", summary_json(report, SUMMARY_LIMIT)),
    ]
}

/// The names of the pipelines that failed; a file's name where no pipeline is known.
#[must_use]
pub fn failed_names(report: &Report) -> Vec<String> {
    report
        .pipelines
        .iter()
        .filter(|pipeline| pipeline.action == Action::Failed)
        .map(|pipeline| {
            pipeline
                .name
                .clone()
                .or_else(|| pipeline.file.clone())
                .unwrap_or_default()
        })
        .collect()
}

/// The report as JSON within `limit` bytes. Where the whole does not fit, pipelines lose their details,
/// then the unremarkable ones are left out, then the rest from the end; `omitted` tells how many. The
/// counts are always those of the whole run.
#[must_use]
pub fn summary_json(report: &Report, limit: usize) -> String {
    let text = render(report, &report.pipelines, 0);
    if text.len() <= limit {
        return text;
    }
    let mut short = report.clone();
    short.warnings.truncate(5);
    short.warnings.iter_mut().for_each(|text| cut(text, 500));
    if let Some(error) = &mut short.error {
        shorten(error);
    }
    let mut pipelines: Vec<PipelineReport> = report.pipelines.iter().map(without_details).collect();
    let all = pipelines.len();
    let text = render(&short, &pipelines, 0);
    if text.len() <= limit {
        return text;
    }
    pipelines.sort_by_key(|pipeline| remarkable(pipeline.action));
    // The size grows with the number of pipelines, so the largest number that fits is found by halving.
    let (mut fits, mut too_many) = (0, all);
    while fits + 1 < too_many {
        let middle = fits.midpoint(too_many);
        if render(&short, &pipelines[..middle], all - middle).len() <= limit {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    render(&short, &pipelines[..fits], all - fits)
}

/// What people want to read first.
const fn remarkable(action: Action) -> u8 {
    match action {
        Action::Failed => 0,
        Action::Unknown => 1,
        Action::Created | Action::Create => 2,
        Action::Updated | Action::Update => 3,
        Action::Skipped => 4,
        Action::Compiled => 5,
        Action::Unchanged => 6,
    }
}

fn without_details(pipeline: &PipelineReport) -> PipelineReport {
    let mut short = pipeline.clone();
    short.warnings = Vec::new();
    short.notes = Vec::new();
    short.difference = None;
    for text in [&mut short.name, &mut short.file, &mut short.function]
        .into_iter()
        .flatten()
    {
        cut(text, 300);
    }
    if let Some(error) = &mut short.error {
        shorten(error);
    }
    short
}

fn shorten(error: &mut crate::error::Failure) {
    error.detail = None;
    cut(&mut error.message, 300);
    if let Some(hint) = &mut error.hint {
        cut(hint, 300);
    }
}

fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        *text = super::cut::ellipsis(text, limit);
    }
}

fn render(report: &Report, pipelines: &[PipelineReport], omitted: usize) -> String {
    let mut bare = Report {
        pipelines: Vec::new(),
        ..report.clone()
    };
    if let Some(plan) = bare.plan.as_mut().filter(|_| omitted > 0 || pipelines.is_empty()) {
        plan.drift.truncate(20);
    }
    let mut value = serde_json::to_value(bare).unwrap_or_else(|error| json!({"error": error.to_string()}));
    if let Value::Object(map) = &mut value {
        map.insert(
            "pipelines".to_owned(),
            serde_json::to_value(pipelines).unwrap_or_default(),
        );
        if omitted > 0 {
            map.insert("omitted".to_owned(), Value::from(omitted));
        }
    }
    value.to_string()
}

/// The outputs as text for the file. `delimiter` must not occur in any value; [`append`] sees to it.
#[must_use]
pub fn file_text(outputs: &[(&str, String)], delimiter: &str) -> String {
    outputs
        .iter()
        .map(|(name, value)| format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
        .collect()
}

/// Appends the outputs to the file that `GITHUB_OUTPUT` names, under a delimiter drawn at random.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, outputs: &[(&str, String)]) -> std::io::Result<()> {
    let delimiter = loop {
        let candidate = format!("kfp_gitops_{}", uuid::Uuid::new_v4().simple());
        if !outputs.iter().any(|(_, value)| value.contains(&candidate)) {
            break candidate;
        }
    };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(file_text(outputs, &delimiter).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn value(outputs: &[(&'static str, String)], name: &str) -> String {
        outputs
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.clone())
            .expect("an output")
    }

    #[test]
    fn every_name_is_written_once_and_in_order() {
        let names: Vec<&str> = outputs(&fixtures::mixed(), None)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn a_mixed_run_counts_what_was_uploaded() {
        let outputs = outputs(&fixtures::some_failed(), Some("/tmp/results.json"));
        assert_eq!(value(&outputs, "uploaded"), "2");
        assert_eq!(value(&outputs, "changes"), "2");
        assert_eq!(value(&outputs, "failed"), "1");
        assert_eq!(value(&outputs, "failed-names"), r#"["vllm_tuning_pipeline"]"#);
        assert_eq!(value(&outputs, "version"), "v20260213-143022");
        assert_eq!(value(&outputs, "results"), "/tmp/results.json");
    }

    #[test]
    fn a_plan_uploads_nothing() {
        let outputs = outputs(&fixtures::plan(), None);
        assert_eq!(value(&outputs, "uploaded"), "0");
        assert_eq!(value(&outputs, "changes"), "2");
    }

    #[test]
    fn a_small_summary_is_the_report_itself() {
        let report = fixtures::mixed();
        let text = summary_json(&report, SUMMARY_LIMIT);
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            serde_json::to_value(&report).unwrap()
        );
    }

    #[test]
    fn a_huge_summary_keeps_the_counts_and_the_failures() {
        let report = fixtures::huge();
        let text = summary_json(&report, SUMMARY_LIMIT);
        assert!(text.len() <= SUMMARY_LIMIT, "{} bytes", text.len());
        let back: Report = serde_json::from_str(&text).expect("still a report");
        assert_eq!(back.counts, report.counts);
        assert_eq!(failed_names(&back), failed_names(&report), "failures come first");
        let omitted = serde_json::from_str::<Value>(&text).unwrap()["omitted"]
            .as_u64()
            .unwrap();
        assert_eq!(omitted as usize + back.pipelines.len(), 1000);
    }

    #[test]
    fn even_a_monstrous_message_fits() {
        let mut report = fixtures::huge();
        report.warnings = vec!["w".repeat(70_000); 20];
        for pipeline in &mut report.pipelines {
            pipeline.name = Some("é".repeat(500));
        }
        let text = summary_json(&report, SUMMARY_LIMIT);
        assert!(text.len() <= SUMMARY_LIMIT, "{} bytes", text.len());
        serde_json::from_str::<Report>(&text).expect("still a report");
    }

    #[test]
    fn a_value_cannot_end_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        let hostile = "a\nEOF\nkfp_gitops_\nfailed=0\n::set-output name=failed::0".to_owned();
        append(&path, &[("version", hostile.clone()), ("failed", "1".to_owned())]).unwrap();
        append(&path, &[("more", "2".to_owned())]).unwrap();
        assert_eq!(
            fixtures::read_outputs(&std::fs::read_to_string(&path).unwrap()),
            vec![
                ("version".to_owned(), hostile),
                ("failed".to_owned(), "1".to_owned()),
                ("more".to_owned(), "2".to_owned())
            ]
        );
    }
}
