//! The name under which results of a file are found: everything that is known before it runs.

use super::store::digest;
use crate::compile::settings::{EngineSettings, NetworkMode, SandboxMode};
use crate::discover::Source;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What is the same for all files of a run.
#[derive(Debug, Serialize)]
pub(super) struct Common {
    /// The driver; the form of records.
    driver: String,
    root: String,
    working_directory: String,
    want_yaml: bool,
    disable_caching_by_default: bool,
    sandbox: SandboxMode,
    network: NetworkMode,
    /// Local time: what `fromtimestamp` says depends on it, and no hook sees it.
    zone: Option<String>,
    local_time: String,
}

#[derive(Serialize)]
struct Key<'a> {
    common: &'a Common,
    environment: &'a str,
    path: &'a str,
    function: Option<&'a str>,
    parameters: &'a BTreeMap<String, serde_json::Value>,
    content: &'a str,
}

impl Common {
    pub(super) fn new(settings: &EngineSettings, driver: &str) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            driver: driver.to_owned(),
            root: text(&settings.root),
            working_directory: text(&settings.working_directory),
            want_yaml: settings.want_yaml,
            disable_caching_by_default: settings.disable_caching_by_default,
            sandbox: settings.sandbox,
            network: settings.network,
            zone: settings
                .variable("TZ")
                .map(|zone| zone.to_string_lossy().into_owned()),
            local_time: std::fs::read("/etc/localtime")
                .map_or_else(|_| String::new(), |bytes| digest(&bytes)),
        }
    }

    /// The name for one file, with the digest of its bytes and of what compiles it.
    pub(super) fn name(&self, source: &Source, content: &str, environment: &str) -> String {
        let key = Key {
            common: self,
            environment,
            path: source.path.as_str(),
            function: source.function.as_deref(),
            parameters: &source.parameters,
            content,
        };
        digest(&serde_json::to_vec(&key).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SourcePath;
    use std::collections::BTreeSet;

    type Change = fn(&mut EngineSettings, &mut Source, &mut [String; 3]);

    fn name(change: Change) -> String {
        let mut settings = EngineSettings::new(Path::new("/tree"), Path::new("/cache"));
        let mut source = Source {
            path: SourcePath::new("a_pipeline.py"),
            absolute: "/tree/a_pipeline.py".into(),
            function: None,
            parameters: BTreeMap::new(),
        };
        let mut rest = [
            "driver".to_owned(),
            "content".to_owned(),
            "environment".to_owned(),
        ];
        change(&mut settings, &mut source, &mut rest);
        let [driver, content, environment] = rest;
        Common::new(&settings, &driver).name(&source, &content, &environment)
    }

    #[test]
    fn every_input_makes_another_name_and_no_output_does() {
        let changes: &[Change] = &[
            |_, _, _| {},
            |settings, _, _| settings.root = "/other".into(),
            |settings, _, _| settings.working_directory = "/other".into(),
            |settings, _, _| settings.want_yaml = true,
            |settings, _, _| settings.disable_caching_by_default = true,
            |settings, _, _| settings.sandbox = SandboxMode::Require,
            |settings, _, _| settings.sandbox = SandboxMode::Off,
            |settings, _, _| settings.network = NetworkMode::Allow,
            |settings, _, _| drop(settings.environment.insert("TZ".into(), "Asia/Tokyo".into())),
            |_, source, _| source.path = SourcePath::new("b_pipeline.py"),
            |_, source, _| source.function = Some("f".into()),
            |_, source, _| drop(source.parameters.insert("x".into(), 1.into())),
            |_, source, _| drop(source.parameters.insert("x".into(), 2.into())),
            |_, _, rest| rest[0].push('x'),
            |_, _, rest| rest[1].push('x'),
            |_, _, rest| rest[2].push('x'),
        ];
        let names: BTreeSet<String> = changes.iter().map(|change| name(*change)).collect();
        assert_eq!(names.len(), changes.len());
        let none: &[Change] = &[
            |settings, _, _| settings.jobs = 99,
            |settings, _, _| settings.cache_directory = "/elsewhere".into(),
            |settings, _, _| drop(settings.environment.insert("UNREAD".into(), "1".into())),
        ];
        for change in none {
            assert_eq!(name(*change), name(|_, _, _| {}));
        }
    }
}
