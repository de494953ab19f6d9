//! A tree of files and the engine run over it. The engine prepares its own Python under `target/test-cache`.

#![allow(clippy::unwrap_used)]

use kfp_gitops::compile::{CompileResult, Engine, EngineSettings, FileResult, Silent};
use kfp_gitops::discover::Source;
use kfp_gitops::ids::SourcePath;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A component and a pipeline that calls it: the least that compiles.
pub const PLAIN: &str = r#"
from kfp import dsl

@dsl.component
def hello(text: str) -> str:
    return text

@dsl.pipeline(name="NAME")
def pipe(text: str = "x"):
    hello(text=text)
"#;

/// [`PLAIN`] with a name.
pub fn plain(name: &str) -> String {
    PLAIN.replace("NAME", name)
}

/// Files in a temporary folder.
pub struct Tree {
    folder: tempfile::TempDir,
    sources: Vec<Source>,
}

impl Tree {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("tree").tempdir().unwrap();
        Self {
            folder,
            sources: Vec::new(),
        }
    }

    /// Writes a file that is not compiled by itself.
    pub fn file(&mut self, path: &str, text: &str) -> &mut Self {
        let absolute = self.root().join(path);
        std::fs::create_dir_all(absolute.parent().unwrap()).unwrap();
        std::fs::write(&absolute, text).unwrap();
        self
    }

    /// Writes a file to compile.
    pub fn pipeline(&mut self, path: &str, text: &str) -> &mut Source {
        self.file(path, text);
        self.sources.push(Source {
            path: SourcePath::new(path),
            absolute: self.root().join(path),
            function: None,
            parameters: BTreeMap::new(),
        });
        self.sources.last_mut().unwrap()
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// Lets every user write every file, so that no ordinary permission hides what a sandbox must do.
    pub fn writable_by_all(&self) {
        use std::os::unix::fs::PermissionsExt;
        let mut left = vec![self.root()];
        while let Some(path) = left.pop() {
            if path.is_symlink() {
                continue;
            }
            let mode = if path.is_dir() { 0o777 } else { 0o666 };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            if path.is_dir() {
                left.extend(
                    std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
        }
    }

    /// One of the files to compile, to change what is asked of it.
    pub fn source(&mut self, index: usize) -> &mut Source {
        &mut self.sources[index]
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub fn settings(&self) -> EngineSettings {
        let mut settings = EngineSettings::new(&self.root(), &cache());
        settings.environment = std::env::vars_os().collect();
        settings.use_cache = false;
        settings.timeout = Duration::from_secs(60);
        settings.jobs = 2;
        settings
    }

    pub fn compile(&self, settings: &EngineSettings) -> CompileResult {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(Engine::compile(settings, &self.sources, &Silent))
    }
}

/// Where the tests keep prepared environments between runs.
pub fn cache() -> PathBuf {
    std::env::var_os("KFP_GITOPS_TEST_CACHE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-cache"),
        PathBuf::from,
    )
}

/// The result of one file.
pub fn of<'a>(result: &'a CompileResult, path: &str) -> &'a FileResult {
    result
        .files
        .iter()
        .find(|file| file.source.path.as_str() == path)
        .unwrap()
}

/// The names of a file's pipelines, or its failure.
pub fn names(result: &CompileResult, path: &str) -> Result<Vec<String>, String> {
    match &of(result, path).outcome {
        Ok(compiled) => Ok(compiled.iter().map(|one| one.name.to_string()).collect()),
        Err(failure) => Err(failure.to_string()),
    }
}
