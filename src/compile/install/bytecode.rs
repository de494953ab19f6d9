//! Bytecode of installed packages: written beside the first compile, because only a fifth of an environment's
//! modules are ever loaded, and importing those without it takes a third of a second, once.

use crate::compile::environment::{Interpreter, tool_environment};
use crate::compile::settings::EngineSettings;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// The file beside the packages that says that this was done.
const DONE: &str = "bytecode";

/// Longer than any disk takes. What is not written by then is not missed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Parses files and runs none of them; each is written whole or not at all, as Python always does it.
const WRITE: &str = "\
import os, py_compile, sys
for name in sys.stdin.buffer.read().split(b'\\0'):
    try:
        py_compile.compile(os.fsdecode(name), doraise=True, quiet=2)
    except Exception:
        pass
";

/// Bytecode that is being written.
#[derive(Debug)]
pub(in crate::compile) struct Writing {
    writer: Child,
    written: JoinHandle<bool>,
    done: PathBuf,
}

/// Whether an environment lacks it.
pub(super) fn is_missing(environment: &Path) -> bool {
    !environment.join(DONE).exists()
}

/// Begins to write the bytecode of what was loaded from the environment. `None` where that cannot be.
pub(in crate::compile) fn begin(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    site: &Path,
    loaded: &[PathBuf],
) -> Option<Writing> {
    let names: Vec<&[u8]> = loaded
        .iter()
        .filter(|path| path.starts_with(site) && path.extension() == Some(OsStr::new("py")))
        .map(|path| path.as_os_str().as_bytes())
        .collect();
    let mut writer = Command::new(&interpreter.executable)
        .args(["-I", "-S", "-c", WRITE])
        .env_clear()
        .envs(tool_environment(settings))
        .current_dir(site)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let done = site.parent()?.join(DONE);
    let mut input = writer.stdin.take()?;
    let names = names.join(&0);
    let written = tokio::spawn(async move { input.write_all(&names).await.is_ok() });
    Some(Writing {
        writer,
        written,
        done,
    })
}

/// Writes all of it: for an environment that is made ahead of its first use.
pub(in crate::compile) async fn all(settings: &EngineSettings, interpreter: &Interpreter, site: &Path) {
    let files: Vec<PathBuf> = ignore::WalkBuilder::new(site)
        .standard_filters(false)
        .build()
        .flatten()
        .map(ignore::DirEntry::into_path)
        .collect();
    if let Some(writing) = begin(settings, interpreter, site, &files) {
        writing.end().await;
    }
}

impl Writing {
    /// Waits for the end.
    pub(in crate::compile) async fn end(mut self) {
        let write = async {
            self.written.await.ok().filter(|written| *written)?;
            self.writer.wait().await.ok().filter(|status| status.success())
        };
        if let Ok(Some(_)) = tokio::time::timeout(PATIENCE, write).await {
            // without it the next run writes it all again, which harms nobody
            let _ = std::fs::write(&self.done, "");
        }
    }
}
