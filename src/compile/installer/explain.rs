//! Making sense of how installers fail.

use crate::error::{Failure, Phase};
use std::path::Path;
use std::process::Output;

/// What is known about an installation.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// `uv` or `pip`.
    pub installer: &'a str,
    /// Whether the project has a say in what is installed.
    pub project: bool,
    /// The folder of wheels that it comes from.
    pub wheelhouse: Option<&'a Path>,
    /// The Python, such as `3.11`.
    pub python: &'a str,
}

/// What an installer's message means.
pub(super) fn explain(output: &Output, about: About<'_>) -> Failure {
    let said = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let text = without_credentials(&said.join("\n"));
    meaning(&text, about)
}

/// Whether the kernel refused the installer something.
pub(super) fn is_refused(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
    [
        "permission denied",
        "os error 13",
        "errno 13",
        "operation not permitted",
    ]
    .iter()
    .any(|needle| text.contains(needle))
}

fn meaning(text: &str, about: About<'_>) -> Failure {
    let About {
        installer, project, ..
    } = about;
    let lower = text.to_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|needle| lower.contains(needle));
    let detail = shortened(text);
    if any(&[
        "no space left",
        "os error 28",
        "errno 28",
        "disk quota exceeded",
        "os error 122",
    ]) {
        return Failure::infrastructure(
            Phase::Prepare,
            format!("the disk is full: {installer} could not install kfp"),
        )
        .hint("free some space, or put the cache elsewhere with `--cache-dir`")
        .detail(detail);
    }
    if any(&["hash mismatch", "do not match the hashes"]) {
        return Failure::failed(
            Phase::Prepare,
            format!("a downloaded package is not the one that is pinned ({installer})"),
        )
        .hint(if project {
            "correct the hash in the requirements, if it is not as the index tells it; else check the package index or proxy that is configured: it serves changed files"
        } else {
            "check the package index or proxy that is configured: it serves changed files"
        })
        .detail(detail);
    }
    if any(&[
        "hashes are required",
        "in `--require-hashes` mode",
        "with `--require-hashes`",
    ]) {
        return Failure::failed(
            Phase::Prepare,
            format!("some of the project's requirements have hashes and others have none ({installer})"),
        )
        .hint("give every requirement and everything it needs a `--hash=`, as `uv pip compile --generate-hashes` does, or none")
        .detail(detail);
    }
    let missing = without_wheels(text).or_else(|| unknown(text));
    if let (Some(folder), Some(package)) = (about.wheelhouse, &missing) {
        return Failure::failed(
            Phase::Prepare,
            format!("the folder of wheels `{}` does not have `{package}` for Python {} and this machine ({installer})", folder.display(), about.python),
        )
        .hint("fill it with `pip download --only-binary :all: -d DIR kfp kfp-kubernetes` of the versions that `kfp-gitops env` names, or leave `--wheelhouse` out")
        .detail(detail);
    }
    // pip may say no more than that it found none; what is pinned by this program is on every index
    let silent = !project && lower.contains("(from versions: none)");
    if silent
        || any(&[
            "dns error",
            "name resolution",
            "name or service not known",
            "failed to establish a new connection",
            "connection refused",
            "timed out",
            "failed to fetch",
            "error sending request",
            "network is unreachable",
            "connection reset",
            "tunnel",
            "max retries",
            "client error (connect)",
        ])
    {
        return Failure::infrastructure(Phase::Prepare, format!("the package index cannot be reached ({installer})"))
            .hint("install kfp beforehand (`pip install kfp kfp-kubernetes`), point `PIP_INDEX_URL` or `UV_INDEX_URL` at an index, or give a folder of wheels with `--wheelhouse`")
            .detail(detail);
    }
    if let Some(conflict) = conflict(text) {
        return Failure::failed(Phase::Prepare, conflict)
            .hint("change one of the two requirements")
            .detail(detail);
    }
    if any(&[
        "resolutionimpossible",
        "conflicting dependencies",
        "are incompatible",
    ]) {
        return Failure::failed(
            Phase::Prepare,
            format!("the project's requirements do not fit together ({installer})"),
        )
        .hint("change one of the two requirements named")
        .detail(detail);
    }
    if let Some(package) = without_wheels(text) {
        return no_wheels(&package, about).detail(detail);
    }
    if any(&[
        "no matching distribution",
        "could not find a version",
        "no version of",
        "not found in the package registry",
        "not found in the provided package locations",
        "no solution found",
    ]) {
        let message = match unknown(text) {
            Some(package) => format!("the package index does not have `{package}` ({installer})"),
            None => format!("a package is not on the index ({installer})"),
        };
        return Failure::failed(Phase::Prepare, message)
            .hint(if project && installer == "pip" {
                "check the name, the version and which index is configured; what has no wheel is not there either, unless `compile.source_builds` is `allow`"
            } else {
                "check the name and the version, and which index is configured"
            })
            .detail(detail);
    }
    Failure::infrastructure(Phase::Prepare, format!("{installer} could not install kfp"))
        .hint("the installer's own message is below; `kfp-gitops env` tells what is being installed")
        .detail(detail)
}

fn no_wheels(package: &str, about: About<'_>) -> Failure {
    let About {
        installer,
        project,
        python,
        ..
    } = about;
    let failure = Failure::failed(
        Phase::Prepare,
        format!(
            "the package index has no wheel of `{package}` for Python {python} and this machine ({installer})"
        ),
    );
    if project {
        failure.hint(
            "require a version that has one; `compile.source_builds: allow` in the base branch's configuration lets packages be built, which runs code of theirs",
        )
    } else {
        failure.hint("give another Python with `--python`, or install kfp beforehand")
    }
}

/// The package that has only source, or wheels for other machines.
fn without_wheels(text: &str) -> Option<String> {
    // uv: "Because tensorflow==1.15.0 has no wheels with a matching Python ABI tag", "has no usable wheels"
    for mark in [" has no usable wheels", " has no wheels with a matching"] {
        if let Some(at) = text.find(mark) {
            return word_before(text, at);
        }
    }
    // uv: "hint: Wheels are required for `x` because building from source is disabled"
    if let Some(rest) = text.split("Wheels are required for `").nth(1) {
        return rest.split('`').next().map(str::to_owned);
    }
    // pip hides what has no wheels: it lists none at all, or others
    let rest = text.split("satisfies the requirement ").nth(1)?;
    let (package, rest) = rest.split_once(" (from")?;
    let listed = rest.split_once("versions: ")?.1.split(')').next()?;
    (listed.trim() == "none").then(|| package.trim().to_owned())
}

/// The package that is not there.
fn unknown(text: &str) -> Option<String> {
    for mark in [" was not found in the", " not found in the"] {
        if let Some(at) = text.find(mark) {
            return word_before(text, at);
        }
    }
    if let Some(rest) = text.split("there is no version of ").nth(1) {
        return rest.split_whitespace().next().map(str::to_owned);
    }
    let rest = text.split("No matching distribution found for ").nth(1)?;
    rest.lines().next().map(|line| line.trim().to_owned())
}

fn word_before(text: &str, at: usize) -> Option<String> {
    text[..at]
        .split_whitespace()
        .next_back()
        .map(|word| word.trim_matches('`').to_owned())
}

/// The two requirements that exclude each other, as one sentence.
fn conflict(text: &str) -> Option<String> {
    // what is broken over lines is one sentence
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.contains("The conflict is caused by:") {
        let block = text.split("The conflict is caused by:").nth(1)?;
        let lines: Vec<&str> = block
            .lines()
            .map(str::trim)
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty())
            .collect();
        let depends = lines.iter().find_map(|line| line.split_once(" depends on "))?;
        let asked = lines
            .iter()
            .find_map(|line| line.strip_prefix("The user requested "));
        return Some(match asked {
            Some(asked) => said(&depends.0.replace(' ', "=="), depends.1, asked),
            None => {
                let other = lines
                    .iter()
                    .filter_map(|line| line.split_once(" depends on "))
                    .nth(1)?;
                format!(
                    "`{}` needs `{}`, but `{}` needs `{}`",
                    depends.0.replace(' ', "=="),
                    depends.1,
                    other.0.replace(' ', "=="),
                    other.1
                )
            }
        });
    }
    // uv: "Because A depends on B and you require A, … And because you require C, …"
    let (before, after) = joined.split_once(" depends on ")?;
    let who = before.split_whitespace().next_back()?;
    let needs = after.split_whitespace().next()?.trim_end_matches([',', '.']);
    let name = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect()
    };
    let rival = joined
        .split("you require ")
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next())
        .map(|word| word.trim_end_matches([',', '.']))
        .find(|word| name(word) == name(needs) && *word != needs)?;
    Some(said(who, needs, rival))
}

fn said(who: &str, needs: &str, asked: &str) -> String {
    format!("`{who}` needs `{needs}`, but the project requires `{asked}`")
}

/// `https://user:password@host` as `https://****@host`.
fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || "/'\"`".contains(c))
            .unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(user) => {
                clean.push_str("****");
                &after[user..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

/// The lines that say something, at most a dozen.
fn shortened(text: &str) -> String {
    const NOISE: [&str; 15] = [
        "ignoring ",
        "warning: running pip",
        "warning: retrying",
        "warning: the directory",
        "[notice]",
        "using python",
        "looking in",
        "collecting ",
        "  downloading ",
        "  using cached ",
        "downloading ",
        "using cached ",
        "  return _run_code",
        "requirement already",
        "installing collected",
    ];
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !NOISE.iter().any(|noise| line.to_lowercase().starts_with(noise)))
        .collect();
    let from = lines.len().saturating_sub(12);
    lines[from..]
        .iter()
        .map(|line| line.chars().take(400).collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests;
