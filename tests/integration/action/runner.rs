//! A small runner for composite actions: expressions, step environments, output files.

use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the action's scripts need beside a downloader and Python.
const PROGRAMS: &[&str] = &[
    "sh",
    "uname",
    "sed",
    "mkdir",
    "mv",
    "chmod",
    "rm",
    "tr",
    "cat",
    "env",
    "sha256sum",
    "git",
    "touch",
    "sleep",
];

/// The action in a folder of its own, and a job's folders.
pub struct Runner {
    root: tempfile::TempDir,
    /// The job's environment.
    pub env: BTreeMap<String, String>,
    /// Whether inputs also arrive as `INPUT_…`, as Gitea's runner does.
    pub inputs_in_environment: bool,
}

/// What running the action gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit code of the step that failed, or 0.
    pub code: i32,
    /// Everything printed.
    pub log: String,
    /// The action's outputs.
    pub outputs: BTreeMap<String, String>,
    /// The job summary.
    pub summary: String,
}

impl Runner {
    /// A clean checkout of the action with these checksums, and these programs beside the usual ones.
    pub fn new(checksums: &str, programs: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["action/action", "work", "temp", "tools", "bin", "files"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let action = root.path().join("action");
        for file in ["action.yml", "action/install.sh", "action/run.sh", "Cargo.toml"] {
            std::fs::copy(source.join(file), action.join(file)).unwrap();
        }
        std::fs::write(action.join("action/checksums.txt"), checksums).unwrap();
        for name in PROGRAMS.iter().chain(programs) {
            let place = find(name).unwrap_or_else(|| panic!("{name} is not on this machine"));
            symlink(place, root.path().join("bin").join(name)).unwrap();
        }
        let text = |path: &str| root.path().join(path).display().to_string();
        let env = BTreeMap::from([
            ("PATH".to_owned(), text("bin")),
            ("HOME".to_owned(), String::new()),
            ("CI".to_owned(), "true".to_owned()),
            ("RUNNER_TEMP".to_owned(), text("temp")),
            ("RUNNER_TOOL_CACHE".to_owned(), text("tools")),
            ("GITHUB_WORKSPACE".to_owned(), text("work")),
            ("GITHUB_STEP_SUMMARY".to_owned(), text("files/summary.md")),
            ("GITHUB_ACTION_PATH".to_owned(), text("action")),
        ]);
        Self {
            root,
            env,
            inputs_in_environment: true,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.insert(name.to_owned(), value.into());
    }

    /// Writes an executable script.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Runs all steps of the action.
    pub fn run(&self, given: &[(&str, &str)]) -> Ran {
        let action = action_file();
        let mut inputs = BTreeMap::new();
        for (name, about) in action["inputs"].as_object().unwrap() {
            let default = about["default"].as_str().unwrap_or_default();
            let value = given
                .iter()
                .find(|(known, _)| known == name)
                .map_or(default, |(_, value)| value);
            inputs.insert(name.clone(), value.to_owned());
        }
        for (name, _) in given {
            assert!(inputs.contains_key(*name), "the action has no input `{name}`");
        }
        let mut values = BTreeMap::from([
            ("github.token".to_owned(), crate::forge::TOKEN.to_owned()),
            (
                "github.action_path".to_owned(),
                self.path("action").display().to_string(),
            ),
        ]);
        for (name, value) in &inputs {
            let value = evaluate(value, &values);
            values.insert(format!("inputs.{name}"), value);
        }
        let mut ran = Ran {
            code: 0,
            log: String::new(),
            outputs: BTreeMap::new(),
            summary: String::new(),
        };
        for step in action["runs"]["steps"].as_array().unwrap() {
            self.step(step, &mut values, &mut ran);
            if ran.code != 0 {
                break;
            }
        }
        for (name, about) in action["outputs"].as_object().unwrap() {
            ran.outputs
                .insert(name.clone(), evaluate(about["value"].as_str().unwrap(), &values));
        }
        ran.summary = std::fs::read_to_string(self.path("files/summary.md")).unwrap_or_default();
        ran
    }

    fn step(&self, step: &Value, values: &mut BTreeMap<String, String>, ran: &mut Ran) {
        let id = step["id"].as_str().unwrap();
        assert_eq!(step["shell"], "sh", "step {id}");
        let script = step["run"].as_str().unwrap();
        assert!(
            !script.contains("${{"),
            "step {id} has a template expression in its script"
        );
        let output = self.path(&format!("files/{id}.output"));
        std::fs::write(&output, "").unwrap();
        let file = self.path(&format!("files/{id}.sh"));
        std::fs::write(&file, script).unwrap();
        let mut command = Command::new(self.path("bin/sh"));
        command
            .arg("-e")
            .arg(&file)
            .current_dir(self.path("work"))
            .env_clear()
            .envs(&self.env);
        command.env("GITHUB_OUTPUT", &output);
        if self.inputs_in_environment {
            for (name, value) in values
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix("inputs.")?, value)))
            {
                command.env(format!("INPUT_{}", name.to_uppercase()), value);
            }
        }
        for (name, value) in step["env"].as_object().unwrap() {
            command.env(name, evaluate(value.as_str().unwrap(), values));
        }
        let done = command.output().expect("sh starts");
        ran.log.push_str(&String::from_utf8_lossy(&done.stdout));
        ran.log.push_str(&String::from_utf8_lossy(&done.stderr));
        ran.code = done.status.code().unwrap_or(-1);
        for (name, value) in outputs(&std::fs::read_to_string(&output).unwrap()) {
            values.insert(format!("steps.{id}.outputs.{name}"), value);
        }
    }
}

/// `action.yml` as JSON.
pub fn action_file() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).expect("action.yml is YAML")
}

/// The only expressions the action may use: a plain name, alone. An unknown one is empty, as on a runner.
fn evaluate(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some(name) = text
        .strip_prefix("${{ ")
        .and_then(|rest| rest.strip_suffix(" }}"))
    else {
        assert!(
            !text.starts_with("${{"),
            "an expression this runner does not know: {text}"
        );
        return text.to_owned();
    };
    assert!(
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
        "{text}"
    );
    values.get(name).cloned().unwrap_or_default()
}

/// An output file: `name=value` and heredocs.
fn outputs(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    let mut outputs = Vec::new();
    while let Some(line) = lines.next() {
        match (line.split_once("<<"), line.split_once('=')) {
            (Some((name, end)), plain) if plain.is_none_or(|(before, _)| before.len() > name.len()) => {
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                outputs.push((name.to_owned(), value.join("\n")));
            }
            (_, Some((name, value))) => outputs.push((name.to_owned(), value.to_owned())),
            _ => panic!("not an output: {line}"),
        }
    }
    outputs
}

/// A program of this machine. Python is asked for itself: what is on PATH may be a script that needs more.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let place = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|place| place.is_file())?;
    if name != "python3" {
        return Some(place);
    }
    let asked = Command::new(place)
        .args(["-I", "-c", "import sys; print(sys.executable)"])
        .output()
        .ok()?;
    Some(PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim()))
}
