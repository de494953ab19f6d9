//! Is there a Python, and a kfp in it?

use super::Finding;
use semver::Version;
use serde::Deserialize;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Says what the interpreter is and has, without importing kfp (which takes a second).
const PROBE: &str = "import sys, json, importlib.metadata as m\n\
try: kfp = m.version('kfp')\n\
except m.PackageNotFoundError: kfp = None\n\
print(json.dumps({'version': '.'.join(map(str, sys.version_info[:3])), 'kfp': kfp}))\n";

#[derive(Deserialize)]
struct Probed {
    version: String,
    kfp: Option<String>,
}

/// The finding.
pub async fn check(python: &Path, wanted: Option<&Version>) -> Finding {
    let probing = Command::new(python)
        .args(["-I", "-c", PROBE])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let shown = python.display();
    let output = match tokio::time::timeout(Duration::from_secs(20), probing).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            return Finding::failed(
                "python",
                format!("`{shown}` cannot be started: {error}"),
                "install Python 3.9 or newer, or name one with `--python`",
            );
        }
        Err(_) => {
            return Finding::failed(
                "python",
                format!("`{shown}` does not answer"),
                "name another interpreter with `--python`",
            );
        }
    };
    let Ok(probed) = serde_json::from_slice::<Probed>(&output.stdout) else {
        let said = crate::kfp::error::one_line(&String::from_utf8_lossy(&output.stderr), 200);
        return Finding::failed(
            "python",
            format!("`{shown}` does not run a line of Python: {said}"),
            "name another interpreter with `--python`",
        );
    };
    match probed.kfp {
        None => Finding::passed(
            "python",
            format!(
                "Python {} without kfp: one is prepared in a private environment",
                probed.version
            ),
        ),
        Some(kfp) if wanted.is_some_and(|wanted| wanted.to_string() != kfp) => Finding::passed(
            "python",
            format!(
                "Python {} with kfp {kfp}; another version is asked for and prepared in a private environment",
                probed.version
            ),
        ),
        Some(kfp) => Finding::passed("python", format!("Python {} with kfp {kfp}", probed.version)),
    }
}
