//! What a pull request may decide through its own copy of the configuration.
//!
//! A pull request's file is written by whoever opened it, and compiling runs beside secrets. So every
//! key comes from the base branch's file, except the few that only say *which pipelines there are* and
//! those that the pull request makes stricter. A key nobody thought of is therefore safe.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A configuration as `key` or `section.key` to value; see [`flatten`].
pub type ConfigValues = BTreeMap<String, Value>;

/// Sections and keys that a pull request decides by itself: they choose and name pipelines.
const FREE: &[&str] = &["version", "project", "discover", "naming", "pipelines"];

/// Single keys that a pull request decides by itself: which kfp is a property of the code under test, and
/// installing it happens inside the same fences.
const FREE_KEYS: &[&str] = &["compile.kfp"];

/// How a pull request may change a key.
enum Rule {
    /// As it likes.
    Free,
    /// Not at all.
    Base,
    /// Towards the end of this list of words only.
    Stricter(&'static [&'static str]),
    /// By leaving entries out only.
    Subset,
}

fn rule(key: &str) -> Rule {
    let section = key.split('.').next().unwrap_or(key);
    match key {
        "compile.sandbox" => Rule::Stricter(&["off", "auto", "require"]),
        "compile.network" | "compile.source_builds" => Rule::Stricter(&["allow", "deny"]),
        "compile.environment" => Rule::Subset,
        _ if FREE_KEYS.contains(&key) || FREE.contains(&section) => Rule::Free,
        _ => Rule::Base,
    }
}

/// What became of a key that the pull request's file says differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The base branch's value is used.
    KeptBase,
    /// The pull request's value is stricter and is used.
    Tightened,
}

/// A key that the pull request's file says differently. Values are not told: addresses may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// What became of it.
    pub outcome: Outcome,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match self.outcome {
            Outcome::KeptBase => write!(
                f,
                "`{key}` differs from the base branch; the base branch's value is used until this is merged"
            ),
            Outcome::Tightened => {
                write!(
                    f,
                    "`{key}` is stricter than on the base branch; this pull request's value is used"
                )
            }
        }
    }
}

/// The configuration a pull request runs with, and what it says differently without effect.
///
/// `base` is the file of the base branch (empty where there is none), `pull` the pull request's own.
#[must_use]
pub fn restrict(base: &ConfigValues, pull: &ConfigValues) -> (ConfigValues, Vec<Difference>) {
    let mut effective = ConfigValues::new();
    let mut differences = Vec::new();
    let keys: BTreeSet<&String> = base.keys().chain(pull.keys()).collect();
    for key in keys {
        let (old, new) = (base.get(key), pull.get(key));
        let takes_new = match rule(key) {
            Rule::Free => true,
            _ if old == new => true,
            Rule::Base => false,
            Rule::Stricter(order) => stricter(order, old, new),
            Rule::Subset => subset(old, new),
        };
        if let Some(value) = if takes_new { new } else { old } {
            effective.insert(key.clone(), value.clone());
        }
        if old != new && !matches!(rule(key), Rule::Free) {
            let outcome = if takes_new {
                Outcome::Tightened
            } else {
                Outcome::KeptBase
            };
            differences.push(Difference {
                key: key.clone(),
                outcome,
            });
        }
    }
    (effective, differences)
}

/// Whether `new` lies strictly further down `order` than `old`. An absent old value counts as the first
/// word, so that only a real step is taken as one; a word that is not in the list is never taken.
fn stricter(order: &[&str], old: Option<&Value>, new: Option<&Value>) -> bool {
    let rank = |value: Option<&Value>| {
        let word = value?.as_str()?;
        order.iter().position(|entry| *entry == word)
    };
    match (rank(new), old) {
        (Some(new), None) => new + 1 == order.len(),
        (Some(new), Some(_)) => rank(old).is_some_and(|old| new > old),
        (None, _) => false,
    }
}

/// Whether `new` is a list that only leaves entries of `old` out.
fn subset(old: Option<&Value>, new: Option<&Value>) -> bool {
    let Some(new) = new else { return true };
    let (Some(Value::Array(old)), Value::Array(new)) = (old, new) else {
        return matches!(new, Value::Array(list) if list.is_empty());
    };
    new.iter().all(|entry| old.contains(entry))
}

/// A configuration file's value as keys of at most two levels, the depth at which rules are written.
/// Deeper values stay whole.
#[must_use]
pub fn flatten(config: &Value) -> ConfigValues {
    let mut flat = ConfigValues::new();
    let Value::Object(sections) = config else {
        return flat;
    };
    for (section, value) in sections {
        match value {
            // Pipelines are named by people, with dots where they like.
            Value::Object(keys) if section != "pipelines" => {
                for (key, value) in keys {
                    flat.insert(format!("{section}.{key}"), value.clone());
                }
            }
            _ => {
                flat.insert(section.clone(), value.clone());
            }
        }
    }
    flat
}

/// The reverse of [`flatten`].
#[must_use]
pub fn unflatten(flat: &ConfigValues) -> Value {
    let mut config = serde_json::Map::new();
    for (key, value) in flat {
        let Some((section, key)) = key.split_once('.') else {
            config.insert(key.clone(), value.clone());
            continue;
        };
        let entry = config
            .entry(section.to_owned())
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        // A section that one side writes as a single value and the other as keys: the keys win, which
        // were each judged by themselves.
        if !entry.is_object() {
            *entry = Value::Object(serde_json::Map::new());
        }
        if let Value::Object(keys) = entry {
            keys.insert(key.to_owned(), value.clone());
        }
    }
    Value::Object(config)
}
