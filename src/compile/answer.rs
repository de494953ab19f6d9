//! Reading what a child wrote. It was made by hostile code: sizes, names and nesting are checked, and no
//! path in it is ever opened.

use crate::discover::Source;
use crate::ids::PipelineName;
use crate::ir::Spec;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compiled;
use super::cache::Observed;

/// A header longer than this is no header: at most a hundred warnings and one traceback go into it.
const HEADER_BYTES: usize = 2 << 20;
/// More pipelines than this in one file are an attack, not a file.
const PIPELINES: usize = 10_000;

/// Protobuf reads JSON no deeper than this, and what reads the specs later recurses.
const DEPTH: usize = 100;

/// What a child answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// The file's pipelines, or why there are none.
    pub outcome: Result<Vec<Compiled>, Box<Error>>,
    /// What was warned of.
    pub warnings: Vec<Warning>,
    /// Names of variables it read and did not get.
    pub withheld: Vec<String>,
    /// Names that packages asked for while they were imported, each with one of these packages.
    pub asked: BTreeMap<String, String>,
    /// What it looked at, where it says so.
    pub observed: Option<Observed>,
}

/// A warning that was raised while compiling.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Warning {
    /// What it says.
    pub text: String,
    /// The line in the file, where it was raised there.
    pub line: Option<u32>,
}

/// An error as Python knows it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Error {
    /// `exception`, `exit`, `memory`, or one of the driver's own refusals.
    pub kind: String,
    /// The exception's class.
    #[serde(rename = "type")]
    pub class: String,
    /// The exception's text.
    pub message: String,
    /// The file's frames, innermost last.
    pub frames: Vec<Frame>,
    /// The module an import did not find.
    pub missing: Option<String>,
    /// Whether a socket that the fence refused lies beneath it.
    pub network: bool,
    /// The argument of `sys.exit`.
    pub code: Option<i64>,
    /// The exception that caused it.
    pub cause: Option<String>,
}

/// One frame of a traceback.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Frame {
    /// The file, as Python names it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The function.
    pub name: String,
    /// The first column, from 0, in characters.
    pub column: Option<u32>,
    /// The column after the last, from 0, in characters.
    pub end: Option<u32>,
    /// The line itself, or of a very long one the part around the place.
    pub text: Option<String>,
    /// How many characters of the line are missing before that part.
    pub cut: u32,
}

#[derive(Deserialize)]
struct Header {
    ok: bool,
    #[serde(default)]
    several: bool,
    #[serde(default)]
    pipelines: Vec<Lengths>,
    #[serde(default)]
    warnings: Vec<Warning>,
    #[serde(default)]
    withheld: Vec<String>,
    #[serde(default)]
    asked: BTreeMap<String, String>,
    error: Option<Error>,
    record: Option<Observed>,
}

#[derive(Deserialize)]
struct Lengths {
    function: String,
    spec: usize,
    platform: Option<usize>,
    yaml: Option<usize>,
}

/// The part of a spec that this room looks at. Reading it also checks that the whole text is JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    pipeline_info: Info,
}

#[derive(Deserialize)]
struct Info {
    name: String,
    #[serde(default)]
    description: String,
}

/// Reads a child's answer.
///
/// # Errors
/// What is wrong with it, as a fragment. An empty answer is an error too.
pub(super) fn read(source: &Source, bytes: &[u8]) -> Result<Answer, String> {
    let end = bytes
        .iter()
        .take(HEADER_BYTES)
        .position(|byte| *byte == b'\n')
        .ok_or("it holds no header")?;
    let header: Header =
        serde_json::from_slice(&bytes[..end]).map_err(|error| format!("its header: {error}"))?;
    if !header.ok {
        let error = Box::new(header.error.unwrap_or_default());
        return Ok(Answer {
            outcome: Err(error),
            warnings: header.warnings,
            withheld: header.withheld,
            asked: BTreeMap::new(),
            observed: None,
        });
    }
    if header.pipelines.is_empty() || header.pipelines.len() > PIPELINES {
        return Err(format!("it holds {} pipelines", header.pipelines.len()));
    }
    let mut rest = &bytes[end + 1..];
    let mut compiled = Vec::with_capacity(header.pipelines.len());
    for lengths in header.pipelines {
        let pipeline = text(take(&mut rest, lengths.spec)?)?;
        let platform = lengths
            .platform
            .map(|length| text(take(&mut rest, length)?))
            .transpose()?;
        let yaml = lengths
            .yaml
            .map(|length| take(&mut rest, length).map(<[u8]>::to_vec))
            .transpose()?;
        for document in [Some(pipeline), platform].into_iter().flatten() {
            if depth(document) > DEPTH {
                return Err(format!("it is nested deeper than {DEPTH} levels"));
            }
        }
        let head: Head = serde_json::from_str(pipeline).map_err(|error| format!("the spec: {error}"))?;
        if let Some(platform) = platform {
            serde_json::from_str::<serde::de::IgnoredAny>(platform)
                .map_err(|error| format!("the platform spec: {error}"))?;
        }
        compiled.push(Compiled {
            source: source.clone(),
            function: lengths.function,
            one_of_several: header.several,
            name: PipelineName::new(head.pipeline_info.name),
            description: head.pipeline_info.description,
            spec: Spec::from_text(pipeline, platform.map(Arc::from)),
            yaml,
        });
    }
    if !rest.is_empty() {
        return Err(format!("{} bytes follow its last document", rest.len()));
    }
    Ok(Answer {
        outcome: Ok(compiled),
        warnings: header.warnings,
        withheld: header.withheld,
        asked: header.asked,
        observed: header.record,
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (taken, left) = rest
        .split_at_checked(length)
        .ok_or("a document is shorter than announced")?;
    *rest = left;
    Ok(taken)
}

/// The deepest nesting of a JSON text, found without recursion.
fn depth(text: &str) -> usize {
    let (mut now, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!("a document is not UTF-8: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SourcePath;

    fn source() -> Source {
        Source {
            path: SourcePath::new("a_pipeline.py"),
            absolute: "/x/a_pipeline.py".into(),
            function: None,
            parameters: BTreeMap::new(),
        }
    }

    fn answer(header: &str, documents: &str) -> Result<Answer, String> {
        read(&source(), format!("{header}\n{documents}").as_bytes())
    }

    const SPEC: &str = r#"{"pipelineInfo":{"name":"a","description":"d"},"root":{}}"#;

    #[test]
    fn a_sound_answer_is_read() {
        let header = format!(
            r#"{{"ok":true,"several":false,"pipelines":[{{"function":"f","spec":{},"platform":2,"yaml":3}}],"warnings":[]}}"#,
            SPEC.len()
        );
        let compiled = answer(&header, &format!("{SPEC}{{}}a: "))
            .unwrap()
            .outcome
            .unwrap();
        assert_eq!(compiled[0].name.as_str(), "a");
        assert_eq!(compiled[0].description, "d");
        assert_eq!(compiled[0].spec.platform_text(), Some("{}"));
        assert_eq!(compiled[0].yaml.as_deref(), Some(b"a: ".as_slice()));
    }

    #[test]
    fn hostile_answers_are_refused() {
        let deep = format!(
            r#"{{"pipelineInfo":{{"name":"a"}},"x":{}{}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let one = |length: usize| {
            format!(
                r#"{{"ok":true,"pipelines":[{{"function":"f","spec":{length},"platform":null,"yaml":null}}]}}"#
            )
        };
        for (header, documents) in [
            (String::new(), String::new()),
            ("{}".into(), String::new()),
            (r#"{"ok":true,"pipelines":[]}"#.into(), String::new()),
            (one(usize::MAX), SPEC.into()),
            (one(SPEC.len() + 1), SPEC.into()),
            (one(SPEC.len()), format!("{SPEC}more")),
            (one(2), "{}".into()),
            (one(deep.len()), deep),
            (one(4), "\u{ff}\u{ff}".into()),
        ] {
            assert!(answer(&header, &documents).is_err(), "{header}");
        }
        assert!(read(&source(), &[b'x'; HEADER_BYTES + 10]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = read(&source(), &bytes);
        }
    }
}
