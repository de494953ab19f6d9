//! The report for people at a terminal: aligned, outcome last, failures in full, quiet when nothing happened.

use super::wrap::line;
use super::{Action, PipelineReport, Reason, Report, text_changes, wording};
use crate::error::Failure;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// How much is said, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Colour.
    pub color: bool,
    /// Unchanged pipelines, printed output and digests as well.
    pub verbose: bool,
    /// Only failures and warnings.
    pub quiet: bool,
    /// Columns of the terminal; `None` where there is none.
    pub width: Option<usize>,
}

/// Renders a report.
#[must_use]
pub fn render(report: &Report, options: Options) -> String {
    let (paint, width) = (Paint(options.color), options.width);
    let mut text = String::new();
    if !options.quiet {
        header(&mut text, report, options, paint);
        rows(&mut text, report, options, paint);
        if let Some(plan) = &report.plan {
            text.push_str(&text_changes::drift(
                &plan.drift,
                plan.against.as_deref(),
                paint,
                width,
            ));
        }
    }
    for pipeline in &report.pipelines {
        for warning in &pipeline.warnings {
            let place = pipeline
                .file
                .as_deref()
                .or(pipeline.name.as_deref())
                .unwrap_or("pipeline");
            line(
                &mut text,
                &format!(
                    "{} {}: {}",
                    paint.yellow("warning:"),
                    clean(place),
                    clean(warning)
                ),
                width,
            );
        }
    }
    for warning in &report.warnings {
        line(
            &mut text,
            &format!("{} {}", paint.yellow("warning:"), clean(warning)),
            width,
        );
    }
    for pipeline in &report.pipelines {
        if let Some(error) = &pipeline.error {
            failure(&mut text, error, pipeline.file.as_deref(), paint, width);
        }
    }
    if let Some(error) = &report.error {
        failure(&mut text, error, None, paint, width);
    }
    if !options.quiet {
        line(&mut text, &outcome(report, paint), width);
    }
    text
}

/// A failure in full: place, cause, detail, next step.
pub fn failure(text: &mut String, error: &Failure, file: Option<&str>, paint: Paint, width: Option<usize>) {
    let place = match (error.file.as_deref().or(file), error.line, error.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
        (Some(file), Some(line), None) => format!("{file}:{line}: "),
        (Some(file), ..) => format!("{file}: "),
        _ => String::new(),
    };
    let head = paint.red(&format!("error: {}:", error.phase.as_str()));
    line(
        text,
        &format!("{head} {}{}", clean(&place), clean(&error.message)),
        width,
    );
    for detail in error.detail.iter().flat_map(|detail| detail.lines()) {
        // Of a traceback and of code every line counts as it stands.
        line(text, &format!("    {}", clean(detail)), None);
    }
    if let Some(hint) = &error.hint {
        let mut lines = hint.lines();
        line(
            text,
            &format!(
                "  {} {}",
                paint.cyan("hint:"),
                clean(lines.next().unwrap_or_default())
            ),
            width,
        );
        for rest in lines {
            line(text, &format!("        {}", clean(rest)), width);
        }
    }
}

fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        _ => format!("{count} files"),
    }
}

fn header(text: &mut String, report: &Report, options: Options, paint: Paint) {
    let width = options.width;
    let mut parts = vec![paint.bold(&format!("kfp-gitops {}", report.command))];
    if let Some(endpoint) = &report.endpoint {
        let version = report
            .server
            .as_ref()
            .and_then(|server| server.version.as_deref());
        parts.push(clean(&match version {
            Some(version) => format!("{endpoint} (server {version})"),
            None => endpoint.clone(),
        }));
    }
    if let Some(plan) = &report.plan {
        parts.extend(
            plan.against
                .as_ref()
                .map(|side| clean(&format!("against {side}"))),
        );
        parts.extend(plan.digest.map(|digest| format!("plan {}", digest.short())));
        parts.extend(plan.file.as_ref().map(|file| clean(file)));
    }
    if let Some(target) = &report.target {
        parts.push(clean(&format!("target {target}")));
    }
    if let Some(engine) = &report.engine {
        parts.push(format!("kfp {} from {}", engine.kfp_version, engine.kfp_from));
        parts.push(format!("Python {}", engine.python_version));
        parts.push(format!("sandbox {}", engine.sandbox.as_str()));
        if engine.cached > 0 {
            parts.push(format!("{} from the cache", files(engine.cached)));
        }
    }
    line(text, &parts.join(" · "), width);
    for note in &report.notes {
        line(text, &format!("  {}", clean(note)), width);
    }
    if let Some(engine) = &report.engine {
        for note in &engine.notes {
            line(text, &format!("  {}", clean(note)), width);
        }
        if let Some(reason) = &engine.sandbox_reason {
            line(text, &format!("  sandbox: {}", clean(reason)), width);
        }
        for file in engine.not_cached.iter().filter(|_| options.verbose) {
            let said = format!("not cached: {}: {}", file.file, file.reason);
            line(text, &format!("  {}", clean(&said)), width);
        }
        if let Some(hint) = &engine.pin_hint {
            line(
                text,
                &format!(
                    "  {}",
                    paint.dim(&clean(&format!(
                        "pin it for laptop and CI alike: `{hint}` in requirements.txt"
                    )))
                ),
                width,
            );
        }
    }
}

fn rows(text: &mut String, report: &Report, options: Options, paint: Paint) {
    let terminal = options.width;
    let shown: Vec<&PipelineReport> = report
        .pipelines
        .iter()
        .filter(|pipeline| {
            options.verbose || pipeline.action != Action::Unchanged || report.pipelines.len() <= 20
        })
        .collect();
    let name = |pipeline: &PipelineReport| clean(pipeline.name.as_deref().unwrap_or("-"));
    let names = shown
        .iter()
        .map(|pipeline| name(pipeline).width())
        .max()
        .unwrap_or(0)
        .min(48);
    for pipeline in &shown {
        let (sign, word) = sign_and_word(pipeline.action);
        let label = paint.action(pipeline.action, &format!("{sign} {word:<9}"));
        let version = pipeline
            .version_name
            .as_ref()
            .map_or(String::new(), |version| version.to_string());
        let place = pipeline
            .output
            .as_deref()
            .or(pipeline.file.as_deref())
            .unwrap_or_default();
        let mut row = format!("  {label}  {}  ", pad(&name(pipeline), names));
        if !version.is_empty() {
            let _ = write!(row, "{}  ", clean(&version));
        }
        row.push_str(&paint.dim(&clean(place)));
        if let Some(reason) = pipeline.reason.filter(|reason| *reason != Reason::SdkPin) {
            let _ = write!(row, "  ({})", reason.as_str());
        }
        line(text, row.trim_end(), terminal);
        for note in &pipeline.notes {
            line(text, &format!("      {}", paint.dim(&clean(note))), terminal);
        }
        if let Some(difference) = &pipeline.difference {
            text.push_str(&text_changes::below(
                difference,
                pipeline.suggested_version.as_deref(),
                options,
            ));
        }
        if options.verbose {
            if let Some(digest) = &pipeline.digest {
                line(
                    text,
                    &format!("      {}", paint.dim(&digest.to_string())),
                    terminal,
                );
            }
            if let Some(url) = &pipeline.url {
                line(text, &format!("      {}", clean(url)), terminal);
            }
        }
    }
    let hidden = report.pipelines.len() - shown.len();
    if hidden > 0 {
        line(
            text,
            &format!("  {}", paint.dim(&format!("= {hidden} unchanged, shown with -v"))),
            terminal,
        );
    }
}

/// The last line: the outcome in one sentence.
#[must_use]
pub fn outcome(report: &Report, paint: Paint) -> String {
    let counts = &report.counts;
    let mut parts: Vec<String> = Vec::new();
    let plan = matches!(report.command.as_str(), "plan" | "diff" | "init");
    let (create, update) = if report.command == "diff" {
        ("added", "changed")
    } else {
        ("to create", "to update")
    };
    for (count, done, todo) in [
        (counts.created, "created", create),
        (counts.updated, "updated", update),
        (counts.unchanged, "unchanged", "unchanged"),
        (counts.skipped, "skipped", "skipped"),
        (counts.unknown, "unknown", "unknown"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {}", if plan { todo } else { done }));
        }
    }
    if wording::only_compiled(report) {
        parts.push(format!("{} compiled", counts.compiled));
    }
    if counts.failed > 0 {
        parts.push(format!("{} failed", counts.failed));
    }
    let mut sentence = if parts.is_empty() {
        "nothing to do".to_owned()
    } else {
        parts.join(", ")
    };
    if let (Some(version), true) = (&report.version_name, counts.created + counts.updated > 0) {
        let _ = write!(sentence, " as {}", clean(version.as_str()));
    } else if counts.unchanged > 0 && counts.created + counts.updated + counts.failed == 0 && !plan {
        sentence.push_str(", nothing uploaded");
    }
    if let Some(kinds) = wording::drift_kinds(report) {
        let _ = write!(sentence, "; drift: {kinds}");
    }
    if wording::interrupted(report) {
        sentence = format!("interrupted: {} ({sentence})", wording::split(report));
    } else if wording::is_partial(report) {
        let _ = write!(sentence, "; {}", wording::split(report));
    }
    let _ = write!(sentence, " in {:.1} s", report.seconds);
    if report.error.is_some() || counts.failed > 0 {
        paint.red(&sentence)
    } else {
        paint.bold(&sentence)
    }
}

fn sign_and_word(action: Action) -> (&'static str, &'static str) {
    let sign = match action {
        Action::Created | Action::Create => "+",
        Action::Updated | Action::Update => "~",
        Action::Unchanged => "=",
        Action::Compiled => "*",
        Action::Skipped => "-",
        Action::Failed => "x",
        Action::Unknown => "?",
    };
    (sign, action.as_str())
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Text from files and servers never moves the cursor, forges lines, or hides itself.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                '\u{fffd}'
            }
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// Colour, or none.
#[derive(Clone, Copy, Debug)]
pub struct Paint(pub bool);

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Failures.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// Warnings.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// Hints.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    /// Headings.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What matters less.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// What is new.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    fn action(self, action: Action, text: &str) -> String {
        match action {
            Action::Created | Action::Create | Action::Compiled => {
                self.with(AnsiColor::Green.on_default(), text)
            }
            Action::Updated | Action::Update => self.yellow(text),
            Action::Failed | Action::Unknown => self.red(text),
            Action::Unchanged | Action::Skipped => self.dim(text),
        }
    }
}
