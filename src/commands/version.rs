//! `version`: the version, the commit it was built from, and the platform.

use crate::exit::ExitCode;
use crate::report::build::TOOL_VERSION;
use std::io::Write;

/// Prints one line and nothing else; starts nothing.
#[must_use]
pub fn run() -> u8 {
    let commit = option_env!("KFP_GITOPS_BUILD_COMMIT").unwrap_or("unknown commit");
    let line = format!(
        "kfp-gitops {TOOL_VERSION} ({commit}, {}-{})",
        std::env::consts::ARCH,
        std::env::consts::OS
    );
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => ExitCode::Success.code(),
        Err(_) => ExitCode::Failed.code(),
    }
}
