//! What differs between two values, value by value.

use serde_json::Value;

/// Keys from the root down to a value.
pub(crate) type Pointer = Vec<String>;

/// A value that differs.
#[derive(Clone, Debug)]
pub(super) struct Edit<'a> {
    /// Keys from the root down to the value.
    pub(super) path: Vec<&'a str>,
    /// How many of them lead to a value that is there on both sides but for its last key. The rest
    /// leads into something that one side lacks, which rules look at piece by piece.
    pub(super) real: usize,
    /// What was.
    pub(super) before: Option<&'a Value>,
    /// What is.
    pub(super) after: Option<&'a Value>,
}

impl Edit<'_> {
    /// The path that must be copied to carry the edit out.
    pub(super) fn pointer(&self) -> Pointer {
        self.path[..self.real]
            .iter()
            .map(|key| (*key).to_owned())
            .collect()
    }
}

/// All edits from `before` to `after`, in the order of their paths. Lists are taken as a whole.
pub(super) fn edits<'a>(before: &'a Value, after: &'a Value) -> Vec<Edit<'a>> {
    let mut walk = Walk {
        path: Vec::new(),
        edits: Vec::new(),
    };
    walk.compare(Some(before), Some(after), None);
    walk.edits
}

struct Walk<'a> {
    path: Vec<&'a str>,
    edits: Vec<Edit<'a>>,
}

impl<'a> Walk<'a> {
    fn compare(&mut self, before: Option<&'a Value>, after: Option<&'a Value>, real: Option<usize>) {
        if before == after {
            return;
        }
        let (old, new) = (
            before.and_then(Value::as_object),
            after.and_then(Value::as_object),
        );
        let both = old.is_some() && new.is_some();
        let one_side = (before.is_none() && new.is_some()) || (after.is_none() && old.is_some());
        if both || (one_side && is_split(&self.path)) {
            let real = if both {
                real
            } else {
                real.or(Some(self.path.len()))
            };
            let count = self.edits.len();
            let mut keys: Vec<&'a String> = old
                .into_iter()
                .chain(new)
                .flat_map(serde_json::Map::keys)
                .collect();
            // Two sorted runs: the stable sort only merges them.
            keys.sort();
            keys.dedup();
            for key in keys {
                self.path.push(key);
                self.compare(
                    old.and_then(|old| old.get(key)),
                    new.and_then(|new| new.get(key)),
                    real,
                );
                self.path.pop();
            }
            if both || self.edits.len() > count {
                return;
            }
        }
        self.edits.push(Edit {
            real: real.unwrap_or(self.path.len()),
            path: self.path.clone(),
            before,
            after,
        });
    }
}

/// Whether something that one side lacks as a whole is looked at member by member.
fn is_split(path: &[&str]) -> bool {
    match path {
        ["pipeline", "pipelineInfo" | "deploymentSpec" | "components"]
        | ["pipeline", "deploymentSpec", "executors"]
        | ["platform", "platforms"]
        | ["platform", "platforms", "kubernetes"]
        | ["platform", "platforms", "kubernetes", "deploymentSpec"]
        | [
            "platform",
            "platforms",
            "kubernetes",
            "deploymentSpec",
            "executors",
        ]
        | [
            "platform",
            "platforms",
            "kubernetes",
            "deploymentSpec",
            "executors",
            _,
        ]
        | ["platform", "platforms", "kubernetes", "pipelineConfig"]
        | [
            "platform",
            "platforms",
            "kubernetes",
            "pipelineConfig",
            "workspace",
        ]
        | [
            "pipeline",
            "deploymentSpec",
            "executors",
            _,
            "container",
            "resources",
        ] => true,
        ["pipeline", "root", rest @ ..] | ["pipeline", "components", _, rest @ ..] => match rest {
            ["inputDefinitions" | "outputDefinitions"]
            | [
                "inputDefinitions" | "outputDefinitions",
                "parameters" | "artifacts",
            ]
            | ["dag"]
            | ["dag", "outputs"]
            | ["dag", "outputs", "parameters" | "artifacts"]
            | ["dag", "tasks"] => true,
            ["dag", "tasks", _, rest @ ..] => matches!(
                rest,
                ["inputs"] | ["inputs", "parameters" | "artifacts"] | ["triggerPolicy"]
            ),
            _ => false,
        },
        _ => false,
    }
}

/// Makes `path` in `target` what it is in `from`: sets it, or removes it where `from` has none.
#[cfg(test)]
pub(super) fn copy(target: &mut Value, from: &Value, path: &[String]) {
    let source = path.iter().try_fold(from, |value, key| value.get(key));
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut place = target;
    for key in parents {
        match place.get_mut(key) {
            Some(_) => {}
            None => return,
        }
        place = &mut place[key.as_str()];
    }
    if let Some(members) = place.as_object_mut() {
        match source {
            Some(value) => {
                members.insert(last.clone(), value.clone());
            }
            None => {
                members.remove(last);
            }
        }
    }
}
