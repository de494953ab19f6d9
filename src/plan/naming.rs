//! Names: one version name for a run, and the name of a pipeline that the server does not have yet.

use super::diff::Step;
use crate::error::{Failure, Phase};
use crate::ids::{PipelineName, VersionName};
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Utc};

/// Longest version name in bytes (server 2.15 and later; 2.17.0 recording, `version_upload_name_128_bytes`).
pub const VERSION_NAME_LIMIT: usize = 127;

/// What a version-name template can use.
#[derive(Clone, Debug, Default)]
pub struct VersionFacts {
    /// When the run began.
    pub now: DateTime<Utc>,
    /// The commit.
    pub commit: Option<String>,
    /// The nearest git tag.
    pub tag: Option<String>,
    /// The nearest git tag that is a semantic version.
    pub semver: Option<semver::Version>,
    /// The CI run's number or id.
    pub run: Option<String>,
}

/// Fills a template such as `v{timestamp}` or `v%Y%m%d-{sha7}`; times are UTC.
///
/// # Errors
/// When the template names what is unknown here, or gives a name that servers refuse (exit 2).
pub fn version_name(template: &str, facts: &VersionFacts) -> Result<VersionName, Failure> {
    let bad = |why: String| {
        Failure::usage(Phase::Settings, format!("version name `{template}`: {why}"))
            .hint("use `{timestamp}`, `{sha7}`, `{tag}`, `{semver}`, `{run}` and strftime such as `%Y%m%d`")
    };
    let timed = if template.contains('%') {
        let items: Vec<Item<'_>> = StrftimeItems::new(template).collect();
        if items.contains(&Item::Error) {
            return Err(bad("it holds an unknown `%` sequence".to_owned()));
        }
        facts.now.format_with_items(items.into_iter()).to_string()
    } else {
        template.to_owned()
    };
    let name =
        fill(&timed, |key| match key {
            "timestamp" => Ok(facts.now.format("%Y%m%d-%H%M%S").to_string()),
            "sha7" => facts
                .commit
                .as_ref()
                .and_then(|commit| commit.get(..7))
                .map(str::to_owned)
                .ok_or_else(|| "no git commit is known here for `{sha7}`".to_owned()),
            "tag" => facts
                .tag
                .clone()
                .ok_or_else(|| "no git tag is reachable for `{tag}`".to_owned()),
            "semver" => facts.semver.as_ref().map(ToString::to_string).ok_or_else(|| {
                "no git tag that is a semantic version is reachable for `{semver}`".to_owned()
            }),
            "run" => facts
                .run
                .clone()
                .ok_or_else(|| "there is no CI run here for `{run}`".to_owned()),
            other => Err(format!("`{{{other}}}` is unknown")),
        })
        .map_err(bad)?;
    if name.trim() != name || name.is_empty() {
        return Err(bad("it is empty, or begins or ends with white space".to_owned()));
    }
    if name.len() > VERSION_NAME_LIMIT {
        return Err(bad(format!(
            "`{name}` is {} bytes long, {VERSION_NAME_LIMIT} is the limit",
            name.len()
        )));
    }
    if name
        .chars()
        .any(|character| character.is_control() || character.len_utf8() == 4)
    {
        return Err(bad(
            "it holds a control character or one outside of the server's character set".to_owned(),
        ));
    }
    Ok(VersionName::new(name))
}

/// Name of a pipeline that is created: `spec`, `stem`, or a template of `{spec}`, `{stem}`, `{project}`.
///
/// # Errors
/// When the template names something unknown (exit 2).
pub fn pipeline_name(
    template: &str,
    spec: &str,
    stem: &str,
    project: Option<&str>,
) -> Result<PipelineName, Failure> {
    let name = match template {
        "spec" => spec.to_owned(),
        "stem" => stem.to_owned(),
        _ => fill(template, |key| match key {
            "spec" => Ok(spec.to_owned()),
            "stem" => Ok(stem.to_owned()),
            "project" => project.map(str::to_owned).ok_or_else(|| "no project is known".to_owned()),
            other => Err(format!("`{{{other}}}` is unknown")),
        })
        .map_err(|why| {
            Failure::usage(Phase::Settings, format!("pipeline name `{template}`: {why}"))
                .hint("set `naming.pipeline` to `spec`, `stem`, or a template of `{spec}`, `{stem}` and `{project}`")
        })?,
    };
    Ok(PipelineName::new(name))
}

/// The next version after one whose name is a semantic version (with or without `v`, build metadata
/// dropped), raised by `step`; `None` for names that are none.
#[must_use]
pub fn next_version(name: &str, step: Step) -> Option<String> {
    let (prefix, number) = match name.strip_prefix('v') {
        Some(number) => ("v", number),
        None => ("", name),
    };
    let old = semver::Version::parse(number).ok()?;
    let (major, minor, patch) = (old.major, old.minor, old.patch);
    // A pre-release leads up to the number it carries; anything beyond that is the next number.
    let (major, minor, patch) = match step {
        Step::None => return None,
        Step::Patch if !old.pre.is_empty() => (major, minor, patch),
        Step::Patch => (major, minor, patch.checked_add(1)?),
        Step::Minor => (major, minor.checked_add(1)?, 0),
        Step::Major => (major.checked_add(1)?, 0, 0),
    };
    Some(format!("{prefix}{}", semver::Version::new(major, minor, patch)))
}

fn fill(template: &str, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after
            .split_once('}')
            .ok_or_else(|| "a `{` is never closed".to_owned())?;
        filled.push_str(before);
        filled.push_str(&value(key)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> VersionFacts {
        VersionFacts {
            now: "2026-02-13T14:30:22Z".parse().unwrap(),
            commit: Some("0123456789abcdef".into()),
            tag: Some("release-3".into()),
            semver: Some(semver::Version::new(1, 2, 3)),
            run: Some("42".into()),
        }
    }

    #[test]
    fn templates() {
        for (template, name) in [
            ("v{timestamp}", "v20260213-143022"),
            ("v%Y%m%d-%H%M%S", "v20260213-143022"),
            ("{semver}+{sha7}", "1.2.3+0123456"),
            ("{tag}-{run}", "release-3-42"),
        ] {
            assert_eq!(version_name(template, &facts()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let none = VersionFacts {
            now: facts().now,
            ..VersionFacts::default()
        };
        for (template, why) in [
            ("{sha7}", "no git commit"),
            ("{run}", "no CI run"),
            ("{x}", "`{x}` is unknown"),
            ("v{timestamp", "never closed"),
            ("%!", "unknown `%`"),
            ("", "empty"),
            ("🚀", "character set"),
        ] {
            let failure = version_name(template, &none).unwrap_err();
            assert!(failure.message.contains(why), "{template}: {failure}");
        }
        assert!(
            version_name(&"x".repeat(128), &none)
                .unwrap_err()
                .message
                .contains("128 bytes")
        );
    }

    #[test]
    fn the_next_semantic_version() {
        for (name, step, next) in [
            ("1.2.3", Step::Patch, Some("1.2.4")),
            ("v1.2.3+0123456", Step::Minor, Some("v1.3.0")),
            ("1.2.3", Step::Major, Some("2.0.0")),
            ("1.2.3-rc.1", Step::Patch, Some("1.2.3")),
            ("1.2.3", Step::None, None),
            ("v20260213-143022", Step::Major, None),
            ("first", Step::Major, None),
            ("1.2.18446744073709551615", Step::Patch, None),
        ] {
            assert_eq!(next_version(name, step).as_deref(), next, "{name} {step:?}");
        }
    }

    #[test]
    fn pipelines() {
        assert_eq!(pipeline_name("spec", "a-b", "a_b", None).unwrap().as_str(), "a-b");
        assert_eq!(pipeline_name("stem", "a-b", "a_b", None).unwrap().as_str(), "a_b");
        assert_eq!(
            pipeline_name("{project}-{spec}", "a", "b", Some("p"))
                .unwrap()
                .as_str(),
            "p-a"
        );
        assert!(pipeline_name("{nope}", "a", "b", None).is_err());
    }
}
