//! Lightweight Python components: the SDK's pin, packages, and the code.

use super::Classifier;
use super::change::{change, verb, with_texts};
use crate::ir::command::{Install, Lightweight, lightweight};
use crate::ir::python::same_meaning;
use crate::plan::diff::edits::Edit;
use crate::plan::diff::{Aspect, Class, Subject, Verb, text};
use serde_json::Value;
use std::collections::BTreeMap;

impl<'a> Classifier<'_, 'a> {
    pub(super) fn command(&mut self, subject: Subject, edit: &Edit<'a>) {
        let parts = |value: Option<&'a Value>| value.and_then(lightweight);
        let (Some(old), Some(new)) = (parts(edit.before), parts(edit.after)) else {
            let change = change(
                Class::Behaviour,
                subject,
                Aspect::Command,
                verb(edit.before.is_some(), edit.after.is_some()),
            );
            return self.list(change, edit);
        };
        let mut told = self.sdk(&subject, &old.install, &new.install, edit);
        told |= self.packages(&subject, &old.install, &new.install, edit);
        if old.install.options != new.install.options {
            told = true;
            let mut change = change(
                Class::Environment,
                subject.clone(),
                Aspect::PackageIndex,
                Verb::Changed,
            );
            change.before = Some(options(&old.install)).filter(|text| !text.is_empty());
            change.after = Some(options(&new.install)).filter(|text| !text.is_empty());
            change.verb = verb(change.before.is_some(), change.after.is_some());
            self.push(change, edit);
        }
        if old.install.venv != new.install.venv {
            told = true;
            let verb = verb(old.install.venv, new.install.venv);
            self.push(
                change(
                    Class::Environment,
                    subject.clone(),
                    Aspect::VirtualEnvironment,
                    verb,
                ),
                edit,
            );
        }
        told |= self.code(&subject, &old, &new, edit);
        if !told {
            // The shell lines around it: another SDK writes them differently.
            let class = if self.old.view.sdk_version == self.new.view.sdk_version {
                Class::Environment
            } else {
                Class::Cosmetic
            };
            let change = if class == Class::Cosmetic {
                change(class, Subject::Pipeline, Aspect::Sdk, Verb::Changed)
            } else {
                change(class, subject, Aspect::Command, Verb::Changed)
            };
            self.list(change, edit);
        }
    }

    /// Whether the pin is each side's own SDK, so that one line says it for all components.
    fn sdk(&mut self, subject: &Subject, old: &Install<'_>, new: &Install<'_>, edit: &Edit<'_>) -> bool {
        if old.sdk == new.sdk {
            return false;
        }
        let own = |version: &str| version.replacen("kfp-", "kfp==", 1);
        if old.sdk == Some(&own(self.old.view.sdk_version))
            && new.sdk == Some(&own(self.new.view.sdk_version))
        {
            self.push(
                change(Class::Cosmetic, Subject::Pipeline, Aspect::Sdk, Verb::Changed),
                edit,
            );
            return true;
        }
        let mut change = change(
            Class::Environment,
            subject.clone(),
            Aspect::Package,
            verb(old.sdk.is_some(), new.sdk.is_some()),
        );
        change.name = Some("kfp".to_owned());
        change.before = old.sdk.map(text::short);
        change.after = new.sdk.map(text::short);
        self.push(change, edit);
        true
    }

    fn packages(&mut self, subject: &Subject, old: &Install<'_>, new: &Install<'_>, edit: &Edit<'_>) -> bool {
        if old.packages == new.packages {
            return false;
        }
        let by_name = |install: &Install<'_>| {
            let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for package in &install.packages {
                names
                    .entry(package_name(package))
                    .or_default()
                    .push((*package).to_owned());
            }
            names
        };
        let (before, after) = (by_name(old), by_name(new));
        let mut told = false;
        for name in before
            .keys()
            .chain(after.keys().filter(|name| !before.contains_key(*name)))
        {
            let (old, new) = (before.get(name), after.get(name));
            if old == new {
                continue;
            }
            told = true;
            let mut change = change(
                Class::Environment,
                subject.clone(),
                Aspect::Package,
                verb(old.is_some(), new.is_some()),
            );
            change.name = Some(text::short(name));
            let change = with_texts(change, old.map(|old| old.join(" ")), new.map(|new| new.join(" ")));
            self.push(change, edit);
        }
        if !told {
            let change = change(
                Class::Environment,
                subject.clone(),
                Aspect::Package,
                Verb::Changed,
            );
            self.push(
                with_texts(change, Some(old.packages.join(" ")), Some(new.packages.join(" "))),
                edit,
            );
        }
        true
    }

    fn code(
        &mut self,
        subject: &Subject,
        old: &Lightweight<'_>,
        new: &Lightweight<'_>,
        edit: &Edit<'_>,
    ) -> bool {
        if old.source == new.source {
            return false;
        }
        let class = if same_meaning(old.source, new.source) {
            Class::Cosmetic
        } else {
            Class::Behaviour
        };
        let mut change = change(class, subject.clone(), Aspect::Code, Verb::Changed);
        change.patch = Some(text::patch(old.source, new.source));
        self.push(change, edit);
        true
    }
}

fn options(install: &Install<'_>) -> String {
    install
        .options
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The normalised name of a requirement (PEP 503): `scikit_learn[x]==1` is `scikit-learn`.
fn package_name(requirement: &str) -> String {
    let end = requirement
        .find(|character: char| !(character.is_alphanumeric() || matches!(character, '-' | '_' | '.')))
        .unwrap_or(requirement.len());
    let name = if end == 0
        || requirement[end..].starts_with("+")
        || requirement[end..].starts_with(':')
        || requirement[end..].starts_with('/')
    {
        requirement
    } else {
        &requirement[..end]
    };
    name.to_lowercase().replace(['_', '.'], "-")
}
