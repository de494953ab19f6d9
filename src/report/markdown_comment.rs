//! The comment on a pull request, and the parts it shares with the job summary.

use super::diff::markdown as changes;
use super::headline;
use super::markdown::{block, clean_cut, code, fold, link, prose};
use super::wording::{self, Outcome, number};
use super::{Action, PipelineReport, Report, page, text_changes};

/// The longest comment in bytes. GitHub takes 65 536 characters, Gitea 300 000 (recorded).
pub const COMMENT_LIMIT: usize = 60_000;

/// The first line of every comment of ours: an HTML comment that nobody sees and the program finds again,
/// one for each target.
#[must_use]
pub fn marker(target: Option<&str>) -> String {
    // A target's name cannot end the HTML comment: everything unusual in it becomes its hex code.
    let mut key = String::new();
    for byte in target.unwrap_or_default().bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            key.push(char::from(byte));
        } else {
            key.push_str(&format!(".{byte:02x}"));
        }
    }
    format!("<!-- kfp-gitops:comment:{key} -->")
}

/// The whole comment.
#[must_use]
pub fn comment(report: &Report) -> String {
    let mut text = format!("{}\n", marker(report.target.as_deref()));
    text.push_str(&heading(report));
    text.push_str(&failures(report, 15_000));
    let drawn = page::drawn(report, false);
    let entries = page::entries(&drawn);
    text.push_str(&changes::breaking(&entries));
    text.push_str(&table(report, 100, false));
    text.push_str(&unchanged(report, 4_000));
    text.push_str(&changes::folds(&entries, 35_000));
    text.push_str(&drift(report, 20));
    text.push_str(&warnings(report, 10));
    let footer = footer(report);
    let pointer = match &report.run_url {
        Some(url) => format!(
            "_This is too long for a comment: the rest is in the {}._",
            link("run", url)
        ),
        None => "_This is too long for a comment: the rest is in the log of the run._".to_owned(),
    };
    with_footer(
        clean_cut(&text, COMMENT_LIMIT - footer.len() - 1, &pointer),
        &footer,
    )
}

/// Whether a comment is worth starting: where nothing changes and nothing is wrong, only an existing one is
/// brought up to date.
#[must_use]
pub fn worth_starting(report: &Report) -> bool {
    !matches!(
        wording::outcome(report),
        Outcome::Unchanged | Outcome::NothingFound
    )
}

pub(super) fn heading(report: &Report) -> String {
    let sign = match wording::outcome(report) {
        Outcome::NothingFound | Outcome::Unsettled => "⚠️",
        Outcome::Changed if report.command == "plan" => "📋",
        Outcome::Unchanged | Outcome::Changed => "✅",
        Outcome::SomeFailed | Outcome::AllFailed => "❌",
        Outcome::Infrastructure => "🔌",
    };
    let target = report
        .target
        .as_deref()
        .map(|name| format!("{}: ", code(name)))
        .unwrap_or_default();
    let mut text = format!("### {sign} {target}{}\n\n", prose(&headline::headline(report)));
    if let Some(step) = wording::next_step(report) {
        text.push_str(&format!("**Next:** {}\n\n", prose(&step)));
    }
    text
}

/// What failed, with its place, cause and cure, within about `limit` bytes.
pub(super) fn failures(report: &Report, limit: usize) -> String {
    let mut text = String::new();
    if let Some(detail) = report.error.as_ref().and_then(|error| error.detail.as_ref()) {
        text.push_str(&block(detail, 3_000));
        text.push('\n');
    }
    let mut left = report.counts.failed;
    for pipeline in report
        .pipelines
        .iter()
        .filter(|pipeline| pipeline.action == Action::Failed)
    {
        let entry = failure(pipeline);
        if text.len() + entry.len() > limit {
            break;
        }
        text.push_str(&entry);
        left = left.saturating_sub(1);
    }
    if left > 0 && !text.is_empty() {
        text.push_str(&format!("- and {} more\n", number(left, "failure")));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn failure(pipeline: &PipelineReport) -> String {
    let Some(error) = &pipeline.error else {
        return format!("- {}\n", subject(pipeline));
    };
    let mut subject: Vec<String> = pipeline
        .name
        .iter()
        .map(|name| format!("**{}**", code(name)))
        .collect();
    if let Some(file) = error.file.as_ref().or(pipeline.file.as_ref()) {
        let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
        subject.push(code(&format!("{file}{line}")));
    }
    let mut text = format!("- ❌ {}: {}\n", subject.join(" "), prose(&error.message));
    if let Some(hint) = &error.hint {
        text.push_str(&format!("  **Next:** {}\n", prose(hint)));
    }
    if let Some(detail) = &error.detail {
        let indented: String = block(detail, 1_500)
            .lines()
            .map(|line| format!("  {line}\n"))
            .collect();
        text.push_str(&format!("\n{indented}"));
    }
    text
}

/// One row for each pipeline that something happened to, at most `rows`; `all` takes the unchanged too.
pub(super) fn table(report: &Report, rows: usize, all: bool) -> String {
    let mut listed: Vec<&PipelineReport> = report
        .pipelines
        .iter()
        .filter(|pipeline| all || !matches!(pipeline.action, Action::Unchanged | Action::Failed))
        .collect();
    if listed.is_empty() {
        return String::new();
    }
    // What failed first, what is unchanged last; otherwise in the order of the run.
    listed.sort_by_key(|pipeline| match pipeline.action {
        Action::Failed => 0,
        Action::Unchanged => 2,
        _ => 1,
    });
    // Columns in which nothing would stand are left out.
    let versions = listed.iter().any(|pipeline| pipeline.version_name.is_some());
    let remarks = listed
        .iter()
        .any(|pipeline| !(pipeline.notes.is_empty() && pipeline.warnings.is_empty()));
    let line = |cells: [&str; 5]| {
        let [sign, name, result, version, remark] = cells;
        let mut text = format!("| {sign} | {name} | {result} |");
        for (shown, cell) in [(versions, version), (remarks, remark)] {
            if shown {
                text.push_str(&format!(" {cell} |"));
            }
        }
        text.push('\n');
        text
    };
    let mut text = line(["", "Pipeline", "Result", "Version", "Remarks"]);
    text.push_str(&line(["---"; 5]));
    for pipeline in listed.iter().take(rows) {
        let version = pipeline
            .version_name
            .as_ref()
            .map(|name| code(name.as_str()))
            .unwrap_or_default();
        let said: Vec<String> = pipeline
            .notes
            .iter()
            .chain(&pipeline.warnings)
            .take(3)
            .map(|text| prose(text))
            .collect();
        let name = match &pipeline.url {
            Some(url) => link(&subject(pipeline), url),
            None => subject(pipeline),
        };
        let sign = wording::sign(pipeline.action);
        text.push_str(&line([
            sign,
            &name,
            &wording::action(pipeline),
            &version,
            &said.join("; "),
        ]));
    }
    if listed.len() > rows {
        let more = format!("and {} more", number(listed.len() - rows, "pipeline"));
        text.push_str(&line(["", &more, "", "", ""]));
    }
    text.push('\n');
    text
}

fn subject(pipeline: &PipelineReport) -> String {
    code(
        pipeline
            .name
            .as_deref()
            .or(pipeline.file.as_deref())
            .unwrap_or("?"),
    )
}

/// The unchanged ones in a fold, as names only.
fn unchanged(report: &Report, limit: usize) -> String {
    let names: Vec<String> = report
        .pipelines
        .iter()
        .filter(|pipeline| pipeline.action == Action::Unchanged)
        .map(subject)
        .collect();
    if names.is_empty() || report.counts.unchanged == 0 {
        return String::new();
    }
    let mut body = String::new();
    let mut shown = 0;
    for name in &names {
        if body.len() + name.len() > limit {
            break;
        }
        if shown > 0 {
            body.push_str(", ");
        }
        body.push_str(name);
        shown += 1;
    }
    if shown < report.counts.unchanged {
        body.push_str(&format!(" and {} more", report.counts.unchanged - shown));
    }
    format!(
        "{}\n",
        fold(&format!("{} unchanged", report.counts.unchanged), &body)
    )
}

/// Where server and repository disagree.
fn drift(report: &Report, most: usize) -> String {
    let Some(plan) = &report.plan else {
        return String::new();
    };
    let mut text = String::new();
    for one in plan.drift.iter().take(most) {
        text.push_str(&format!(
            "- ⚠️ {}\n",
            prose(&text_changes::drift_sentence(one, plan.against.as_deref()))
        ));
        if let Some(rename) = &one.rename {
            text.push_str(&format!(
                "  {}\n\n  {}\n",
                prose(&text_changes::rename_sentence(rename)),
                code(&rename.config)
            ));
        }
    }
    if plan.drift.len() > most {
        text.push_str(&format!("- and {} more\n", plan.drift.len() - most));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Warnings about the run.
pub(super) fn warnings(report: &Report, limit: usize) -> String {
    let mut text: String = report
        .warnings
        .iter()
        .take(limit)
        .map(|warning| format!("- ⚠️ {}\n", prose(warning)))
        .collect();
    if report.warnings.len() > limit {
        text.push_str(&format!(
            "- and {} more\n",
            number(report.warnings.len() - limit, "warning")
        ));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The footer behind an empty line: directly behind a fold its Markdown would not be read.
pub(super) fn with_footer(mut text: String, footer: &str) -> String {
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(footer);
    text
}

/// Where and with what.
pub(super) fn footer(report: &Report) -> String {
    let mut parts = Vec::new();
    if let Some(digest) = report.plan.as_ref().and_then(|plan| plan.digest) {
        parts.push(format!("plan {}", code(&digest.short())));
    }
    if let Some(commit) = &report.commit {
        parts.push(format!("commit {}", code(commit.get(..7).unwrap_or(commit))));
    }
    if let Some(url) = &report.run_url {
        parts.push(link("run", url));
    }
    if let Some(engine) = &report.engine {
        parts.push(format!("kfp {}", code(&engine.kfp_version)));
        parts.push(format!("sandbox {}", code(engine.sandbox.as_str())));
    }
    if let Some(version) = report.server.as_ref().and_then(|server| server.version.as_ref()) {
        parts.push(format!("server {}", code(version)));
    }
    parts.push(format!("kfp-gitops {}", code(&report.tool_version)));
    format!("<sub>{}</sub>\n", parts.join(" · "))
}
