//! Turning what Python said into a [`Failure`] that shows the place and the next step.

use super::answer::{Error, Frame};
use super::hints;
use super::settings::EngineSettings;
use super::worker::Raw;
use crate::discover::Source;
use crate::error::{Failure, Phase};
use std::path::Path;

/// The failure of a file whose child answered with an error.
pub(super) fn from_error(
    settings: &EngineSettings,
    source: &Source,
    error: &Error,
    withheld: &[String],
) -> Failure {
    let message = match error.kind.as_str() {
        "exception" if error.message.is_empty() => error.class.clone(),
        "exception" => format!("{}: {}", error.class, error.message.trim_end()),
        "exit" => match error.code {
            Some(code) => format!("it called `sys.exit({code})` while it was imported"),
            None if error.message.is_empty() => "it called `sys.exit()` while it was imported".to_owned(),
            None => format!("it ended itself with `sys.exit`: {}", error.message),
        },
        "memory" => memory(settings),
        _ => error.message.clone(),
    };
    let mut failure = Failure::failed(Phase::Compile, message).file(source.path.as_str());
    if let Some(frame) = error.frames.last() {
        // a place in kfp or Python is none in this file: the way there is told below
        if let Some(file) = shown(settings, source, frame) {
            failure = failure.file(file);
            failure.line = frame.line;
            failure.column = frame.column.map(|column| column.saturating_add(1));
        }
    }
    if let Some(hint) = hints::hint(settings, source, error, withheld) {
        failure = failure.hint(hint);
    }
    let detail = detail(settings, source, error);
    if !detail.is_empty() {
        failure = failure.detail(detail);
    }
    failure
}

/// The failure of a file whose child gave no sound answer.
pub(super) fn from_end(settings: &EngineSettings, source: &Source, raw: &Raw, unsound: &str) -> Failure {
    let (message, hint) = match raw.reason.as_deref() {
        Some("timeout") => (
            format!("it did not finish within {} s", settings.timeout.as_secs()),
            "look for a loop or a wait at the top level of the file; only the pipeline function needs to run",
        ),
        Some("memory") => (
            memory(settings),
            "load data in a component, not at the top level of the file",
        ),
        Some("processes") => (
            "it started more processes than compiling may".to_owned(),
            "start nothing at the top level of the file",
        ),
        Some("disk") => (
            "it wrote more to disk than compiling may".to_owned(),
            "write files in a component, not at the top level of the file",
        ),
        Some("hidden") => (
            "it started a program that cannot be watched".to_owned(),
            "start nothing at the top level of the file",
        ),
        Some("results-too-large") => (
            format!(
                "the compiled pipelines of this run take more than {} MiB together",
                settings.results_bytes >> 20
            ),
            "pass large data as an artifact, not as a constant, or compile fewer files at once with `--include`",
        ),
        Some("result-too-large") => (
            "its compiled pipeline is larger than any server takes".to_owned(),
            "pass large data as an artifact, not as a constant",
        ),
        _ => (ended(raw.status, unsound), ""),
    };
    let failure = Failure::failed(Phase::Compile, message).file(source.path.as_str());
    if hint.is_empty() {
        failure
    } else {
        failure.hint(hint)
    }
}

fn memory(settings: &EngineSettings) -> String {
    format!(
        "it took more than {} MiB of memory while compiling",
        settings.memory_bytes >> 20
    )
}

/// What a wait status means to people.
fn ended(status: i32, unsound: &str) -> String {
    let signal = status & 0x7f;
    let code = (status >> 8) & 0xff;
    match (signal, code) {
        (0, 0) if unsound == EMPTY => {
            "it ended the process by itself, without an error (`os._exit(0)`)".to_owned()
        }
        (0, 0) => format!("what it sent back is not a compiled pipeline: {unsound}"),
        (0, 121) => "it changed or closed something that compiling needs".to_owned(),
        (0, code) => format!("it ended the process by itself with code {code} (`os._exit`)"),
        (signal, _) => format!("it crashed Python with {}", signal_name(signal)),
    }
}

/// What [`super::answer::read`] says of nothing at all.
const EMPTY: &str = "it holds no header";

fn signal_name(signal: i32) -> String {
    let name = match signal {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL (out of memory, or killed from outside)",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        24 => "SIGXCPU (too much processor time)",
        25 => "SIGXFSZ (a file grew too large)",
        31 => "SIGSYS (a system call that compiling may not use)",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

/// The frame's file relative to the root; `None` for one outside.
fn shown(settings: &EngineSettings, source: &Source, frame: &Frame) -> Option<String> {
    let path = Path::new(&frame.file);
    if path == source.absolute {
        return Some(source.path.as_str().to_owned());
    }
    let relative = path.strip_prefix(&settings.root).ok()?;
    Some(relative.to_string_lossy().into_owned())
}

/// The way from the file to the error, each step with its line and the span marked.
fn detail(settings: &EngineSettings, source: &Source, error: &Error) -> String {
    let mut text = String::new();
    for frame in &error.frames {
        let file = shown(settings, source, frame).unwrap_or_else(|| frame.file.clone());
        text.push_str(&file);
        if let Some(line) = frame.line {
            text.push_str(&format!(":{line}"));
        }
        if !frame.name.is_empty() && frame.name != "<module>" {
            text.push_str(&format!(" in {}", frame.name));
        }
        text.push('\n');
        if let Some(line) = &frame.text {
            let in_part = |column: u32| column.checked_sub(frame.cut);
            text.push_str(&excerpt(
                line,
                frame.column.and_then(in_part),
                frame.end.and_then(in_part),
            ));
        }
    }
    if let Some(cause) = &error.cause {
        text.push_str(&format!("caused by {cause}\n"));
    }
    text.trim_end().to_owned()
}

/// A source line without its indentation, and carets under the span.
fn excerpt(line: &str, column: Option<u32>, end: Option<u32>) -> String {
    let indent = line.chars().take_while(|c| c.is_whitespace()).count();
    let body: String = line.chars().skip(indent).collect();
    let mut text = format!("    {}\n", body.trim_end());
    let length = body.trim_end().chars().count();
    if let Some(column) = column.map(|column| column as usize)
        && column >= indent
        && column - indent <= length
    {
        let from = column - indent;
        let to = end
            .map_or(from + 1, |end| (end as usize).saturating_sub(indent))
            .clamp(from + 1, length.max(from + 1));
        if from > 0 || to < length {
            text.push_str(&format!("    {}{}\n", " ".repeat(from), "^".repeat(to - from)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_is_marked_without_the_indentation() {
        assert_eq!(
            excerpt("    a = b(c)", Some(8), Some(12)),
            "    a = b(c)\n        ^^^^\n"
        );
        assert_eq!(excerpt("x", Some(0), Some(1)), "    x\n");
        assert_eq!(excerpt("ä = ö(", Some(4), None), "    ä = ö(\n        ^\n");
        assert_eq!(excerpt("x", Some(4_000_000_000), Some(1)), "    x\n");
    }

    #[test]
    fn ends_are_told_apart() {
        assert!(ended(0, EMPTY).contains("os._exit(0)"));
        assert!(ended(3 << 8, EMPTY).contains("code 3"));
        assert!(ended(11, EMPTY).contains("SIGSEGV"));
        assert!(ended(0, "the spec: x").contains("not a compiled pipeline"));
    }
}
