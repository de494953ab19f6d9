//! Hostile inputs stay data, and secrets stay out of arguments.

use super::runner::{Runner, action_file};

/// Writes its arguments and its environment beside the workspace, each ended by a NUL.
const SPY: &str = "#!/bin/sh\nif [ \"$1\" = version ]; then echo 'kfp-gitops 0.0.0'; exit; fi\n\
    for word in \"$@\"; do printf '%s\\0' \"$word\"; done >\"$RUNNER_TEMP/arguments\"\nenv -0 >\"$RUNNER_TEMP/environment\"\n";

/// A string that means something to every shell, runner and log.
const HOSTILE: &str = "a'b\"c$(touch pwned)`touch pwned`;touch pwned|&\n::set-output name=path::evil\n\
    path=evil\nEOF\n${{ github.token }}\\\n--force\t*";

fn spied(runner: &Runner, name: &str) -> Vec<String> {
    let bytes = std::fs::read(runner.path(&format!("temp/{name}"))).unwrap_or_default();
    String::from_utf8(bytes)
        .unwrap()
        .split_terminator('\0')
        .map(str::to_owned)
        .collect()
}

fn spy() -> Runner {
    let runner = Runner::new("", &[]);
    runner.script("work/spy", SPY);
    runner
}

#[test]
fn every_input_arrives_as_it_was_written() {
    let action = action_file();
    let env = action["runs"]["steps"][1]["env"].as_object().unwrap();
    let passed: Vec<(&String, &str)> = env
        .iter()
        .filter_map(|(name, value)| {
            let input = value.as_str()?.strip_prefix("${{ inputs.")?.strip_suffix(" }}")?;
            name.starts_with("KFP_GITOPS_").then_some((name, input))
        })
        .collect();
    assert!(passed.len() > 25, "{passed:?}");
    for in_environment in [true, false] {
        let mut runner = spy();
        runner.inputs_in_environment = in_environment;
        let mut inputs: Vec<(&str, &str)> = passed.iter().map(|(_, input)| (*input, HOSTILE)).collect();
        inputs.push(("binary", "spy"));
        let ran = runner.run(&inputs);
        assert_eq!(ran.code, 0, "{}", ran.log);
        let environment = spied(&runner, "environment");
        for (name, input) in &passed {
            assert!(
                environment.contains(&format!("{name}={HOSTILE}")),
                "{input} did not arrive as {name}"
            );
        }
        assert_eq!(spied(&runner, "arguments"), ["auto"]);
        assert!(!runner.path("work/pwned").exists());
        assert!(
            !ran.log.lines().any(|line| line.starts_with("::set-output")),
            "{}",
            ran.log
        );
    }
}

#[test]
fn paths_and_arguments_are_words_and_nothing_else() {
    let runner = spy();
    let inputs = [
        ("binary", "spy"),
        ("command", "plan"),
        ("path", "one folder\n--force\n$(touch pwned)\n\n*\n"),
        ("extra-args", "--jobs 4\n  --only=*  $(touch pwned)"),
    ];
    let ran = runner.run(&inputs);
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_eq!(
        spied(&runner, "arguments"),
        [
            "plan",
            "--jobs",
            "4",
            "--only=*",
            "$(touch",
            "pwned)",
            "--",
            "one folder",
            "--force",
            "$(touch pwned)",
            "*"
        ]
    );
    assert!(!runner.path("work/pwned").exists());
}

#[test]
fn hostile_commands_binaries_and_versions_stop() {
    for (name, value) in [
        ("command", "apply; touch pwned"),
        ("command", "--help"),
        ("command", HOSTILE),
        ("binary", HOSTILE),
        ("binary", "spy\npath=/bin/false"),
        ("tool-version", HOSTILE),
        ("download-url", HOSTILE),
    ] {
        let runner = spy();
        let mut inputs = vec![(name, value)];
        if name == "command" {
            inputs.push(("binary", "spy"));
        }
        let ran = runner.run(&inputs);
        assert_ne!(ran.code, 0, "{name}: {}", ran.log);
        assert!(!runner.path("work/pwned").exists(), "{name}");
        assert!(
            !ran.log.lines().any(|line| line.starts_with("::set-output")),
            "{}",
            ran.log
        );
        assert_eq!(spied(&runner, "arguments"), Vec::<String>::new());
    }
}

#[test]
fn arguments_may_not_carry_secrets() {
    for argument in [
        "--token=abc",
        "--password x",
        "--ntfy-token tk_abc",
        "--headers=A:b",
        "--cookie=session=1",
        "--endpoint https://ann:passw0rd@kfp.example",
        "--only job-t0ken-0123456789",
        "--only given-t0ken",
        "--client-secret x",
    ] {
        let runner = spy();
        let ran = runner.run(&[
            ("binary", "spy"),
            ("token", "given-t0ken"),
            ("extra-args", argument),
        ]);
        assert_eq!(ran.code, 2, "{argument}: {}", ran.log);
        assert!(ran.log.contains("may not carry a secret"), "{}", ran.log);
        for secret in ["abc", "passw0rd", "given-t0ken", "job-t0ken"] {
            assert!(!ran.log.contains(secret), "{}", ran.log);
        }
        assert_eq!(spied(&runner, "arguments"), Vec::<String>::new());
    }
    let runner = spy();
    let ran = runner.run(&[("binary", "spy"), ("extra-args", "--token-file /run/token")]);
    assert_eq!(ran.code, 0, "{}", ran.log);
}

#[test]
fn the_results_have_a_place_by_themselves() {
    let runner = spy();
    let _ = runner.run(&[("binary", "spy")]);
    let wanted = format!(
        "KFP_GITOPS_RESULTS={}",
        runner.path("temp/kfp-gitops/results.json").display()
    );
    assert!(spied(&runner, "environment").contains(&wanted));
    let runner = spy();
    let _ = runner.run(&[("binary", "spy"), ("results", "mine.json")]);
    assert!(spied(&runner, "environment").contains(&"KFP_GITOPS_RESULTS=mine.json".to_owned()));
}
