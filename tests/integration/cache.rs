//! The cache of compile results: what is a hit, what must not be, and who may use whose.

mod disks;
mod inputs;
mod keeping;
mod levels;
mod property;
mod unkept;

use crate::compile_support::{Tree, plain};
use crate::support::{python, repository};
use kfp_gitops::compile::{CompileResult, Engine, EngineSettings, Silent};
use kfp_gitops::discover::Source;
use kfp_gitops::ids::SourcePath;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The tree's settings with the cache on.
fn cached(tree: &Tree) -> EngineSettings {
    let mut settings = tree.settings();
    settings.use_cache = true;
    settings
}

/// Files that came from the cache.
fn hits(result: &CompileResult) -> usize {
    result
        .engine
        .as_ref()
        .map_or_else(|| panic!("{:?}", result.preparation), |engine| engine.cached)
}

/// Everything that a run says of its files, beside how long they took.
fn said(result: &CompileResult) -> Vec<String> {
    result
        .files
        .iter()
        .map(|file| {
            let outcome = match &file.outcome {
                Ok(pipelines) => pipelines
                    .iter()
                    .map(|one| {
                        format!(
                            "{} {} {} {} {:?} {:?} {:?}",
                            one.name,
                            one.function,
                            one.one_of_several,
                            one.description,
                            one.spec.digest(),
                            one.spec.platform_text().map(str::len),
                            one.yaml.as_deref().map(String::from_utf8_lossy),
                        )
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
                Err(failure) => failure.to_string(),
            };
            format!(
                "{} {outcome} {:?} {:?} {:?}",
                file.source.path, file.warnings, file.withheld, file.printed
            )
        })
        .collect()
}

/// A virtual environment that shares the packages of [`python::with_kfp`] and writes a line for each start.
struct Counted {
    folder: tempfile::TempDir,
}

impl Counted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ask = |code: &str| {
            let output = std::process::Command::new(python::with_kfp())
                .args(["-I", "-c", code])
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let base = ask("import os, sys; print(os.path.realpath(sys.executable))");
        let version = ask("import sys; print('python%d.%d' % sys.version_info[:2])");
        let packages = ask("import sysconfig; print(sysconfig.get_path('purelib'))");
        let site = folder.path().join("lib").join(version).join("site-packages");
        std::fs::create_dir_all(&site).unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        let home = Path::new(&base).parent().unwrap().display().to_string();
        std::fs::write(folder.path().join("pyvenv.cfg"), format!("home = {home}\n")).unwrap();
        std::os::unix::fs::symlink(&base, folder.path().join("bin/python")).unwrap();
        std::fs::write(site.join("kfp.pth"), format!("{packages}\n")).unwrap();
        let log = folder.path().join("log");
        let line = format!(
            "import os; os.write(os.open({:?}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666), b'%d\\n' % os.getpid())\n",
            log.display().to_string()
        );
        std::fs::write(site.join("count.pth"), line).unwrap();
        Self { folder }
    }

    fn python(&self) -> PathBuf {
        self.folder.path().join("bin/python")
    }

    fn starts(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("log")).map_or(0, |text| {
            // the file is read twice at each start
            text.lines().collect::<std::collections::BTreeSet<_>>().len()
        })
    }
}

#[test]
fn a_hit_starts_no_python() {
    let counted = Counted::new();
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", &plain("a"));
    tree.pipeline("b_pipeline.py", &plain("b"));
    let mut settings = cached(&tree);
    settings.python = Some(counted.python());
    // so that the interpreter can write down that it was started
    settings.sandbox = kfp_gitops::compile::SandboxMode::Off;
    let cold = tree.compile(&settings);
    assert_eq!(
        (hits(&cold), counted.starts()),
        (0, 2),
        "asked what it is, and started"
    );
    let warm = tree.compile(&settings);
    assert_eq!((hits(&warm), counted.starts()), (2, 2));
    assert_eq!(said(&warm), said(&cold));
    let bytes = |result: &CompileResult| -> Vec<String> {
        let files = result
            .files
            .iter()
            .flat_map(|file| file.outcome.as_ref().unwrap());
        files.map(|one| one.spec.pipeline_text().to_owned()).collect()
    };
    assert_eq!(bytes(&warm), bytes(&cold));
    let engines = [&cold, &warm].map(|result| {
        let engine = result.engine.as_ref().unwrap();
        (
            engine.kfp_version.clone(),
            engine.python_version.clone(),
            engine.sandbox,
        )
    });
    assert_eq!(engines[0], engines[1]);
    tree.file("a_pipeline.py", &plain("other"));
    let mixed = tree.compile(&settings);
    assert_eq!(
        (hits(&mixed), counted.starts()),
        (1, 3),
        "what it is was remembered"
    );
    settings.use_cache = false;
    assert_eq!(
        (hits(&tree.compile(&settings)), counted.starts()),
        (0, 4),
        "compiled anew; what it is is no result of compiling"
    );
}

/// The corpus's files, without those that are there to fail.
fn corpus() -> Vec<Source> {
    let root = repository().join("tests/corpus");
    let text = std::fs::read_to_string(root.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = manifest.as_array().unwrap().iter();
    files
        .map(|file| {
            let path = file["file"].as_str().unwrap();
            Source {
                path: SourcePath::new(path),
                absolute: root.join(path),
                function: file["functions"][0].as_str().map(str::to_owned),
                parameters: BTreeMap::new(),
            }
        })
        .collect()
}

#[test]
fn the_corpus_is_the_same_cold_warm_and_without() {
    let cache = keeping::own_cache();
    let mut settings = EngineSettings::new(&repository().join("tests/corpus"), cache.path());
    settings.environment = std::env::vars_os().collect();
    settings.kfp_version = Some(("2.17.0".to_owned(), "test".to_owned()));
    settings.jobs = 2;
    let sources = corpus();
    let compile = |settings: &EngineSettings, sources: &[Source]| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(Engine::compile(settings, sources, &Silent))
    };
    let cold = compile(&settings, &sources);
    let warm = compile(&settings, &sources);
    let compiled = cold.files.iter().filter(|file| file.outcome.is_ok()).count();
    assert!(compiled > 100, "{compiled}");
    assert!(
        hits(&cold) == 0 && hits(&warm) > compiled * 9 / 10,
        "{} of {compiled}",
        hits(&warm)
    );
    assert_eq!(
        hits(&warm) + warm.engine.as_ref().unwrap().not_cached.len(),
        compiled
    );
    settings.use_cache = false;
    let without = compile(&settings, &sources);
    for ((one, two), three) in said(&cold).iter().zip(said(&warm)).zip(said(&without)) {
        assert_eq!(*one, two);
        assert_eq!(*one, three);
    }
}
