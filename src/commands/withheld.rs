//! Variables that are set, that a file read, and that were kept from it.

use crate::compile::{FileResult, is_never_passed};
use crate::error::{Failure, Phase};
use crate::settings::file::FILE_NAME;

/// What a file that read such variables fails with on `apply`; `None` where it read none.
#[must_use]
pub fn failure(file: &FileResult) -> Option<Failure> {
    let names = &file.withheld;
    let (first, rest) = names.split_first()?;
    let (word, verb) = if rest.is_empty() {
        ("variable", "is set but was")
    } else {
        ("variables", "are set but were")
    };
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let listed = match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => format!("`{first}`"),
    };
    let failure = Failure::failed(
        Phase::Compile,
        format!(
            "the {word} {listed} {verb} withheld while the file compiled, so it may have become something \
             else than meant"
        ),
    )
    .file(file.source.path.as_str());
    let passable: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !is_never_passed(name))
        .collect();
    Some(if passable.is_empty() {
        failure.hint(
            "do not read it in the file: the variables of the runner and of this program are never passed",
        )
    } else {
        failure.hint(format!(
            "pass it with `compile: {{environment: [{}]}}` in {FILE_NAME}, or do not read it",
            passable.join(", ")
        ))
    })
}

/// The same for people who deploy nothing yet.
#[must_use]
pub fn warning(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{}; {hint}", failure.message),
        None => failure.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Source;
    use crate::ids::SourcePath;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    fn file(withheld: &[&str]) -> FileResult {
        FileResult {
            source: Source {
                path: SourcePath::new("a_pipeline.py"),
                absolute: PathBuf::from("/a_pipeline.py"),
                function: None,
                parameters: BTreeMap::new(),
            },
            outcome: Ok(Vec::new()),
            warnings: Vec::new(),
            withheld: withheld.iter().map(|name| (*name).to_owned()).collect(),
            printed: String::new(),
            seconds: 0.0,
        }
    }

    #[test]
    fn all_are_named_and_only_those_are_offered_that_can_be_passed() {
        assert_eq!(failure(&file(&[])), None);
        let one = failure(&file(&["TAG"])).unwrap();
        assert!(one.message.contains("the variable `TAG` is set"), "{one}");
        assert!(one.hint.unwrap().contains("`compile: {environment: [TAG]}`"));
        let three = failure(&file(&["A", "B", "GITHUB_ENV"])).unwrap();
        assert!(three.message.contains("`A`, `B` and `GITHUB_ENV` are"), "{three}");
        assert!(three.hint.unwrap().contains("environment: [A, B]"));
        let never = failure(&file(&["ACTIONS_RUNTIME_TOKEN"])).unwrap();
        assert!(never.hint.unwrap().contains("never passed"));
    }
}
