//! Failures and warnings as SARIF 2.1.0, for code scanning.
//!
//! What is about a file is a result; what is about the world (a server that does not answer) is a
//! notification of the run, because nobody mends it in a file. Every result has a place with a line, which
//! GitHub asks for; where none is known it is the first.

use super::build::TOOL_VERSION;
use super::wording::harmless;
use super::{PipelineReport, Report};
use crate::error::{Class, Failure, Phase};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The base of all addresses: the root of the repository.
const BASE: &str = "%SRCROOT%";

/// Every rule: its id and what it is about.
const RULES: [(&str, &str); 9] = [
    ("settings", "Flags, environment and configuration make sense"),
    ("discover", "Files of pipelines can be taken"),
    ("prepare", "Python and kfp can be had"),
    ("compile", "The file compiles"),
    ("connect", "The pipelines server can be reached"),
    ("plan", "The pipelines server takes the compiled pipeline"),
    ("apply", "The pipeline was deployed"),
    ("report", "The results can be written"),
    ("warning", "Nothing about the pipeline is likely to surprise"),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
}

#[derive(Serialize)]
struct Fingerprints {
    /// Stays the same when lines move.
    #[serde(rename = "kfpGitops/v1")]
    first: String,
}

/// Renders a report, with a final newline.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for pipeline in &report.pipelines {
        let file = pipeline.file.as_deref();
        if let Some(failure) = &pipeline.error {
            tell(failure, file, &mut results, &mut notifications);
        }
        results.extend(warnings(pipeline));
    }
    if let Some(failure) = &report.error {
        tell(failure, None, &mut results, &mut notifications);
    }
    for warning in &report.warnings {
        notifications.push(Notification {
            level: "warning",
            message: message(warning),
        });
    }
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "kfp-gitops",
                    semantic_version: TOOL_VERSION,
                    rules: RULES
                        .iter()
                        .map(|(id, about)| Rule {
                            id,
                            short_description: message(about),
                        })
                        .collect(),
                },
            },
            // Columns are counted in characters.
            column_kind: "unicodeCodePoints",
            invocations: [Invocation {
                execution_successful: report.error.is_none(),
                exit_code: report.exit_code,
                tool_execution_notifications: notifications,
            }],
            results,
        }],
    };
    // Texts and numbers only, which always serialize.
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn tell(
    failure: &Failure,
    file: Option<&str>,
    results: &mut Vec<Finding>,
    notifications: &mut Vec<Notification>,
) {
    let mut text = failure.message.clone();
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\nhint: {hint}"));
    }
    match failure.file.as_deref().or(file) {
        Some(file) if matches!(failure.class, Class::Failed | Class::Usage) => {
            let place = (failure.line, failure.column);
            results.push(finding(rule(failure.phase), "error", file, place, &text));
        }
        file => notifications.push(Notification {
            level: "error",
            message: message(&match file {
                Some(file) => format!("{file}: {text}"),
                None => text,
            }),
        }),
    }
}

fn warnings(pipeline: &PipelineReport) -> impl Iterator<Item = Finding> {
    let file = pipeline.file.as_deref();
    pipeline.warnings.iter().filter_map(move |warning| {
        // The engine says the line as people read it.
        let (line, text) = warning
            .strip_prefix("line ")
            .and_then(|rest| rest.split_once(": "))
            .and_then(|(line, text)| Some((line.parse().ok()?, text)))
            .map_or((None, warning.as_str()), |(line, text)| (Some(line), text));
        Some(finding("warning", "warning", file?, (line, None), text))
    })
}

const fn rule(phase: Phase) -> &'static str {
    phase.as_str()
}

fn finding(
    rule: &'static str,
    level: &'static str,
    file: &str,
    (line, column): (Option<u32>, Option<u32>),
    text: &str,
) -> Finding {
    let mut hash = Sha256::new();
    for part in [rule, file, text] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    Finding {
        rule_id: rule,
        rule_index: RULES.iter().position(|(id, _)| *id == rule).unwrap_or_default(),
        level,
        message: message(text),
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri: uri(file),
                    uri_base_id: BASE,
                },
                region: Region {
                    start_line: line.unwrap_or(1).max(1),
                    start_column: line.and(column).filter(|column| *column > 0),
                },
            },
        }],
        partial_fingerprints: Fingerprints {
            first: hex::encode(hash.finalize()),
        },
    }
}

/// Text that may come from files and servers, without what could act on a terminal.
fn message(text: &str) -> Message {
    Message {
        text: harmless(text, &['\n', '\t']),
    }
}

/// A path relative to the root as a relative reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Action;
    use serde_json::Value;

    fn rendered() -> Value {
        let mut report = Report::new("check");
        let mut failure = Failure::failed(Phase::Compile, "no\u{1b}[31mpe")
            .file("a b/ä:c_pipeline.py")
            .line(3);
        failure.column = Some(7);
        report
            .pipelines
            .push(PipelineReport::failed(failure.hint("do this")));
        let mut fine = PipelineReport::new(Action::Compiled);
        fine.file = Some("fine_pipeline.py".to_owned());
        fine.warnings = vec!["line 12: odd".to_owned(), "line of thought: odd".to_owned()];
        report.pipelines.push(fine);
        report.pipelines.push(PipelineReport::failed(
            Failure::infrastructure(Phase::Prepare, "no index").file("c_pipeline.py"),
        ));
        report.warnings.push("about the run".to_owned());
        report.stop(Failure::infrastructure(Phase::Connect, "nobody there"));
        report.settle();
        serde_json::from_str(&render(&report)).unwrap()
    }

    #[test]
    fn required_members_are_there() {
        let log = rendered();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["name"], "kfp-gitops");
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 3);
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.starts_with('/') && !uri.contains([':', ' ', '\\']), "{uri}");
            assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }

    #[test]
    fn places_are_those_of_the_failures() {
        let log = rendered();
        let results = &log["runs"][0]["results"];
        let first = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(first["artifactLocation"]["uri"], "a%20b/%C3%A4%3Ac_pipeline.py");
        assert_eq!(
            first["region"],
            serde_json::json!({"startLine": 3, "startColumn": 7})
        );
        assert_eq!(results[0]["level"], "error");
        assert_eq!(results[0]["message"]["text"], "no [31mpe\nhint: do this");
        assert_eq!(results[1]["level"], "warning");
        assert_eq!(results[1]["message"]["text"], "odd");
        let line = |index: usize| &results[index]["locations"][0]["physicalLocation"]["region"]["startLine"];
        assert_eq!((line(1).as_u64(), line(2).as_u64()), (Some(12), Some(1)));
    }

    #[test]
    fn the_world_is_no_finding_in_a_file() {
        let log = rendered();
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        assert_eq!(
            invocation["exitCode"],
            log["runs"][0]["invocations"][0]["exitCode"]
        );
        let told: Vec<&str> = invocation["toolExecutionNotifications"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["message"]["text"].as_str())
            .collect();
        assert_eq!(told, ["c_pipeline.py: no index", "nobody there", "about the run"]);
    }
}
