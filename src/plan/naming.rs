//! Names: of a run's versions, and of a pipeline that the server does not have yet.
//!
//! As a rule a run gives all its versions one name. A template that holds `{semver}` gives each pipeline its
//! own: the higher of the nearest git tag and the newest version that was deployed from here, raised by
//! what the changes ask for.

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
    /// Whether what is compiled is exactly what has that tag.
    pub tagged: bool,
    /// The CI run's number or id.
    pub run: Option<String>,
}

/// The placeholder that names each pipeline's version on its own.
const SEMVER: &str = "{semver}";

/// How the versions of a run are named, checked and fixed before anything is written.
#[derive(Clone, Debug)]
pub struct VersionNames {
    template: String,
    facts: VersionFacts,
    run: VersionName,
}

impl VersionNames {
    /// Names by a template.
    ///
    /// # Errors
    /// As [`version_name`].
    pub fn new(template: &str, facts: VersionFacts) -> Result<Self, Failure> {
        Ok(Self {
            run: version_name(template, &facts)?,
            template: template.to_owned(),
            facts,
        })
    }

    /// The name that every version of the run gets; with `{semver}` the one of the tag itself.
    #[must_use]
    pub fn of_run(&self) -> &VersionName {
        &self.run
    }

    /// Whether each pipeline's version has a name of its own.
    #[must_use]
    pub fn is_per_pipeline(&self) -> bool {
        self.template.contains(SEMVER)
    }

    /// The name of one pipeline's next version, `None` where all have the run's. `newest` is the name of its
    /// newest version on the server, where that was deployed from here.
    ///
    /// A commit that has the tag gets the tag's number, unless something as high is deployed already.
    ///
    /// # Errors
    /// When the number cannot be raised, or the name becomes too long (exit 2).
    pub fn of_pipeline(&self, step: Step, newest: Option<&str>) -> Result<Option<VersionName>, Failure> {
        let Some(tag) = self.facts.semver.as_ref().filter(|_| self.is_per_pipeline()) else {
            return Ok(None);
        };
        let deployed = newest.and_then(number_in);
        let is_new = deployed
            .as_ref()
            .is_none_or(|deployed| tag.cmp_precedence(deployed).is_gt());
        let number = if self.facts.tagged && is_new {
            tag.clone()
        } else {
            let base = deployed.filter(|_| !is_new).unwrap_or_else(|| tag.clone());
            // What is uploaded although nothing changed needs a name of its own as well.
            raised(&base, step.max(Step::Patch)).ok_or_else(|| {
                Failure::usage(
                    Phase::Settings,
                    format!("version name `{}`: nothing comes after `{base}`", self.template),
                )
                .hint("tag the commit with the number to use")
            })?
        };
        let facts = VersionFacts {
            semver: Some(number),
            ..self.facts.clone()
        };
        version_name(&self.template, &facts).map(Some)
    }
}

/// The first `1.2.3` in a version's name, without what stands behind it: in a name, that is as a rule no
/// pre-release.
fn number_in(name: &str) -> Option<semver::Version> {
    name.split(|character: char| !(character.is_ascii_digit() || character == '.'))
        .filter_map(|run| {
            let parts: Vec<&str> = run.trim_matches('.').split('.').collect();
            let number = |part: &str| part.parse::<u64>().ok();
            match parts.as_slice() {
                [major, minor, patch] => Some(semver::Version::new(
                    number(major)?,
                    number(minor)?,
                    number(patch)?,
                )),
                _ => None,
            }
        })
        .next()
}

/// Fills a template such as `v{timestamp}` or `v%Y%m%d-{sha7}`; times are UTC.
///
/// # Errors
/// When the template names what is unknown here, or gives a name that servers refuse (exit 2).
pub fn version_name(template: &str, facts: &VersionFacts) -> Result<VersionName, Failure> {
    let bad = |why: String| {
        Failure::usage(Phase::Settings, format!("version name `{template}`: {why}"))
            .hint("use `{timestamp}`, `{sha7}`, `{tag}`, `{semver}`, `{run}` and strftime such as `%Y%m%d`; tags need \
                   a checkout that has them (`fetch-depth: 0`)")
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
    let next = raised(&semver::Version::parse(number).ok()?, step)?;
    Some(format!("{prefix}{next}"))
}

/// The next version after one; `None` without a step, and where a number cannot grow.
fn raised(old: &semver::Version, step: Step) -> Option<semver::Version> {
    let (major, minor, patch) = (old.major, old.minor, old.patch);
    // A pre-release leads up to the number it carries; anything beyond that is the next number.
    let (major, minor, patch) = match step {
        Step::None => return None,
        Step::Patch if !old.pre.is_empty() => (major, minor, patch),
        Step::Patch => (major, minor, patch.checked_add(1)?),
        Step::Minor => (major, minor.checked_add(1)?, 0),
        Step::Major => (major.checked_add(1)?, 0, 0),
    };
    Some(semver::Version::new(major, minor, patch))
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
            tagged: false,
            run: Some("42".into()),
        }
    }

    #[test]
    fn each_pipeline_has_its_own_semantic_version() {
        let name = |facts: VersionFacts, step, newest: Option<&str>| {
            let names = VersionNames::new("v{semver}", facts).unwrap();
            assert!(names.is_per_pipeline());
            names
                .of_pipeline(step, newest)
                .unwrap()
                .unwrap()
                .as_str()
                .to_owned()
        };
        let tagged = || VersionFacts {
            tagged: true,
            ..facts()
        };
        for (step, newest, expected) in [
            (Step::Major, None, "v2.0.0"),
            (Step::Minor, None, "v1.3.0"),
            (Step::Patch, Some("v1.2.0"), "v1.2.4"),
            (Step::None, None, "v1.2.4"),
            // What was deployed since the tag counts on, under a server's longer names too.
            (Step::Minor, Some("v1.3.0"), "v1.4.0"),
            (Step::Patch, Some("v1.4.0-scoring"), "v1.4.1"),
            // Names that hold no such number say nothing.
            (Step::Patch, Some("v20260213-143022"), "v1.2.4"),
            (Step::Patch, Some("1.2.3.4"), "v1.2.4"),
        ] {
            assert_eq!(name(facts(), step, newest), expected, "{step:?} {newest:?}");
        }
        assert_eq!(name(tagged(), Step::Major, None), "v1.2.3");
        assert_eq!(name(tagged(), Step::Major, Some("v1.2.2")), "v1.2.3");
        assert_eq!(name(tagged(), Step::Major, Some("v1.2.3")), "v2.0.0");
        let candidate = VersionFacts {
            semver: Some("2.0.0-rc.1".parse().unwrap()),
            ..facts()
        };
        assert_eq!(name(candidate, Step::Patch, Some("v1.9.0")), "v2.0.0");
        let last = VersionFacts {
            semver: Some(semver::Version::new(1, 2, u64::MAX)),
            ..facts()
        };
        let names = VersionNames::new("{semver}", last).unwrap();
        assert!(names.of_pipeline(Step::Patch, None).is_err());
    }

    #[test]
    fn without_a_semantic_version_all_have_one_name() {
        let names = VersionNames::new("v{timestamp}", facts()).unwrap();
        assert_eq!(names.of_pipeline(Step::Major, None).unwrap(), None);
        assert_eq!(names.of_run().as_str(), "v20260213-143022");
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
