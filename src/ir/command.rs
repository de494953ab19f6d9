//! The command that the SDK writes for a lightweight Python component, taken apart.
//!
//! `component_factory._get_packages_to_install_command` and
//! `_get_command_and_args_for_lightweight_component` (kfp 2.0 to 2.17) write
//! `sh -c <install> sh -ec <runner> <source>`, or without the first two where nothing is
//! installed. Anything else is an ordinary command and is left alone.

use serde_json::Value;

/// A lightweight Python component's command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lightweight<'a> {
    /// What is installed before the component runs.
    pub install: Install<'a>,
    /// The shell line that starts the executor.
    pub runner: &'a str,
    /// The Python source: imports, helpers and the function.
    pub source: &'a str,
}

/// The `pip install` calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Install<'a> {
    /// Packages that the component asks for, in order, such as `pandas==2.2.1`.
    pub packages: Vec<&'a str>,
    /// Options with their values, each once: `--index-url`, `--extra-index-url`, `--trusted-host`.
    pub options: Vec<(&'a str, &'a str)>,
    /// The SDK that is installed beside them: `kfp==2.17.0`, or a path or URL.
    pub sdk: Option<&'a str>,
    /// Whether a virtual environment is made first.
    pub venv: bool,
}

/// Takes a container's `command` apart; `None` where the SDK did not write it.
#[must_use]
pub fn lightweight(command: &Value) -> Option<Lightweight<'_>> {
    let texts: Vec<&str> = command
        .as_array()?
        .iter()
        .map(Value::as_str)
        .collect::<Option<_>>()?;
    let (install, rest) = match texts.as_slice() {
        ["sh", "-c", script, rest @ ..] => (install(script)?, rest),
        rest => (Install::default(), rest),
    };
    match rest {
        ["sh", "-ec" | "-c", runner, source]
            if runner.contains("ephemeral_component.py") && runner.contains("executor_main") =>
        {
            Some(Lightweight {
                install,
                runner,
                source,
            })
        }
        _ => None,
    }
}

const PROLOGUE: &[&str] = &[
    "if",
    "!",
    "[",
    "-x",
    "\"$(command -v pip)\"",
    "];",
    "then",
    "python3",
    "-m",
    "ensurepip",
    "||",
    "python3",
    "-m",
    "ensurepip",
    "--user",
    "||",
    "apt-get",
    "install",
    "python3-pip",
    "fi",
];
const VENV: &[&str] = &[
    "export",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
    "tmp=$(mktemp",
    "-d)",
    "python3",
    "-m",
    "venv",
    "\"$tmp/venv\"",
    "--system-site-packages",
    ".",
    "\"$tmp/venv/bin/activate\"",
];
const PIP: &[&str] = &[
    "python3",
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-warn-script-location",
];
const EPILOGUE: &[&str] = &["\"$0\"", "\"$@\""];

/// What accompanies the SDK's own pin.
fn is_companion(argument: &str) -> bool {
    argument == "--no-deps" || argument.starts_with("typing-extensions>=3.7.4,<5;")
}

/// Reads the script, or gives up at the first word that the SDK does not write.
fn install(script: &str) -> Option<Install<'_>> {
    let words = words(script)?;
    let mut rest = words.as_slice();
    // SDKs before 2.0.1 have no prologue for distroless images.
    rest = rest.strip_prefix(PROLOGUE).unwrap_or(rest);
    rest = rest.strip_prefix(&["PIP_DISABLE_PIP_VERSION_CHECK=1"])?;
    let mut install = Install::default();
    loop {
        if let Some(after) = rest.strip_prefix(VENV) {
            install.venv = true;
            rest = after;
        }
        if rest == EPILOGUE {
            return Some(install);
        }
        rest = rest.strip_prefix(PIP)?;
        let end = rest.iter().position(|word| *word == "&&")?;
        pip_call(&rest[..end], &mut install)?;
        rest = &rest[end + 1..];
    }
}

fn pip_call<'a>(words: &[&'a str], install: &mut Install<'a>) -> Option<()> {
    let first = words.iter().position(|word| is_quoted(word))?;
    let (options, packages) = words.split_at(first);
    for pair in options.chunks(2) {
        let [
            name @ ("--index-url" | "--extra-index-url" | "--trusted-host"),
            value,
        ] = pair
        else {
            return None;
        };
        if !install.options.contains(&(name, value)) {
            install.options.push((name, value));
        }
    }
    let packages: Vec<&str> = packages
        .iter()
        .map(|word| unquoted(word))
        .collect::<Option<_>>()?;
    let companions = packages.iter().any(|package| is_companion(package));
    for package in &packages {
        if is_companion(package) {
            continue;
        }
        let is_sdk = package.starts_with("kfp==") || (companions && packages[0] == *package);
        if is_sdk && install.sdk.is_none() {
            install.sdk = Some(package);
        } else {
            install.packages.push(package);
        }
    }
    Some(())
}

fn is_quoted(word: &str) -> bool {
    word.starts_with(['\'', '"'])
}

/// The text inside `repr` quotes.
fn unquoted(word: &str) -> Option<&str> {
    let quote = word.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

/// Words of a shell script as they stand, quotes included; `None` when a quote is left open.
fn words(script: &str) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    for (at, character) in script.char_indices() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if character.is_ascii_whitespace() => {
                if let Some(from) = start.take() {
                    words.push(&script[from..at]);
                }
                continue;
            }
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => {}
        }
        start.get_or_insert(at);
    }
    if let Some(from) = start {
        words.push(&script[from..]);
    }
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As kfp 2.17.0 writes it.
    const RUNNER: &str = "program_path=$(mktemp -d)\n\nprintf \"%s\" \"$0\" > \"$program_path/ephemeral_component.py\"\n_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main                         --component_module_path                         \"$program_path/ephemeral_component.py\"                         \"$@\"\n";

    fn script(calls: &str) -> String {
        format!(
            "\nif ! [ -x \"$(command -v pip)\" ]; then\n    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip\nfi\n\nPIP_DISABLE_PIP_VERSION_CHECK=1 {calls} && \"$0\" \"$@\"\n"
        )
    }

    const SDK: &str = "python3 -m pip install --quiet --no-warn-script-location 'kfp==2.17.0' '--no-deps' 'typing-extensions>=3.7.4,<5; python_version<\"3.9\"'";

    #[test]
    fn the_sdk_alone() {
        let command = json!(["sh", "-c", script(SDK), "sh", "-ec", RUNNER, "def a(): pass\n"]);
        let parts = lightweight(&command).unwrap();
        assert_eq!(
            parts.install,
            Install {
                sdk: Some("kfp==2.17.0"),
                ..Install::default()
            }
        );
        assert_eq!(parts.source, "def a(): pass\n");
    }

    #[test]
    fn packages_options_and_a_virtual_environment() {
        let pip = "python3 -m pip install --quiet --no-warn-script-location";
        let calls = format!(
            "{pip} --index-url https://one --trusted-host https://one 'pandas==2.2.1' \"it's==1\"  &&  \nexport PIP_DISABLE_PIP_VERSION_CHECK=1\ntmp=$(mktemp -d)\npython3 -m venv \"$tmp/venv\" --system-site-packages\n. \"$tmp/venv/bin/activate\"\n {SDK}"
        );
        let command = json!(["sh", "-c", script(&calls), "sh", "-ec", RUNNER, ""]);
        let install = lightweight(&command).unwrap().install;
        assert_eq!(install.packages, ["pandas==2.2.1", "it's==1"]);
        assert_eq!(
            install.options,
            [("--index-url", "https://one"), ("--trusted-host", "https://one")]
        );
        assert_eq!(install.sdk, Some("kfp==2.17.0"));
        assert!(install.venv);
    }

    #[test]
    fn an_sdk_from_elsewhere_and_none_at_all() {
        let pip = "python3 -m pip install --quiet --no-warn-script-location";
        let from_git = script(&format!("{pip} 'git+https://x/kfp@refs/pull/1' '--no-deps'"));
        let command = json!(["sh", "-c", from_git, "sh", "-ec", RUNNER, ""]);
        assert_eq!(
            lightweight(&command).unwrap().install.sdk,
            Some("git+https://x/kfp@refs/pull/1")
        );
        let bare = json!(["sh", "-ec", RUNNER, "x"]);
        assert_eq!(lightweight(&bare).unwrap().install, Install::default());
    }

    #[test]
    fn the_first_sdks_wrote_less() {
        let old = "\nPIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet     --no-warn-script-location 'pandas' 'kfp==2.0.0' && \"$0\" \"$@\"\n";
        let command = json!(["sh", "-c", old, "sh", "-ec", RUNNER, ""]);
        let install = lightweight(&command).unwrap().install;
        assert_eq!(
            (install.packages, install.sdk),
            (vec!["pandas"], Some("kfp==2.0.0"))
        );
    }

    #[test]
    fn other_commands_are_left_alone() {
        for command in [
            json!(["echo"]),
            json!([]),
            json!("sh"),
            json!(["sh", "-c", "echo hi", "sh", "-ec", RUNNER, "x"]),
            json!([
                "sh",
                "-c",
                script(&format!("{SDK} ; rm -rf /")),
                "sh",
                "-ec",
                RUNNER,
                "x"
            ]),
            json!(["sh", "-c", script(SDK), "sh", "-ec", "python3 main.py", "x"]),
            json!(["sh", "-ec", RUNNER, "x", "more"]),
            json!(["sh", "-ec", RUNNER, {"Concat": []}]),
        ] {
            assert_eq!(lightweight(&command), None, "{command}");
        }
    }
}
