//! Parse, run, exit code.

use kfp_gitops::commands;
use kfp_gitops::settings::environment::Environment;
use kfp_gitops::settings::variables;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = Environment::new(std::env::vars_os());
    for (name, value) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        // An input that an action leaves out arrives as an empty variable, which must not count as a flag.
        let left_out = value.is_empty() && text.starts_with("KFP_GITOPS_");
        if left_out || variables::is_secret(text) {
            // SAFETY: no other thread exists yet; this is the first thing the process does.
            unsafe { std::env::remove_var(&name) };
        }
    }
    ExitCode::from(commands::main(environment))
}
