//! What is no longer as a plan file says, and the refusal to carry it out then.

use super::file::{Entry, PlanFile, PlanSettings, SeenVersion};
use crate::error::{Failure, Phase};
use crate::ids::Digest;
use crate::report::Action;

/// Something that is no longer as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The file it is about; `None` for a setting.
    pub file: Option<String>,
    /// The function it is about.
    pub function: Option<String>,
    /// In one sentence.
    pub what: String,
}

impl PlanFile {
    /// What is no longer as planned: one sentence for each pipeline or setting that moved, in the order of
    /// `now`. What this very plan has already carried out did not move.
    #[must_use]
    pub fn moved(&self, now: &Self) -> Vec<Moved> {
        let mut moved = self.moved_settings(&now.settings);
        let (then, today) = (self.by_key(), now.by_key());
        for entry in &now.pipelines {
            match then.get(&entry.key()) {
                Some(planned) => moved.extend(self.moved_entry(planned, entry).map(|why| Moved {
                    file: entry.file.clone(),
                    function: entry.function.clone(),
                    what: format!("{}: {why}", entry.subject()),
                })),
                None if entry.action == Action::Failed && entry.function.is_none() => {
                    moved.push(Moved {
                        file: entry.file.clone(),
                        function: None,
                        what: format!("{} fails now and did not when planned", entry.subject()),
                    });
                }
                None => moved.push(Moved {
                    file: entry.file.clone(),
                    function: entry.function.clone(),
                    what: format!("{} is not in the plan", entry.subject()),
                }),
            }
        }
        for planned in &self.pipelines {
            if !today.contains_key(&planned.key()) {
                let what = if planned.action == Action::Failed && planned.function.is_none() {
                    format!("{} failed when planned and does not now", planned.subject())
                } else {
                    format!(
                        "{} is in the plan and no longer in the repository",
                        planned.subject()
                    )
                };
                moved.push(Moved {
                    file: planned.file.clone(),
                    function: planned.function.clone(),
                    what,
                });
            }
        }
        moved
    }

    fn moved_settings(&self, now: &PlanSettings) -> Vec<Moved> {
        let then = &self.settings;
        let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let pairs = [
            ("endpoint", then.endpoint.clone(), now.endpoint.clone()),
            ("namespace", optional(&then.namespace), optional(&now.namespace)),
            ("target", optional(&then.target), optional(&now.target)),
            ("repository", optional(&then.repo), optional(&now.repo)),
            ("project", optional(&then.project), optional(&now.project)),
            ("path", then.paths.join(", "), now.paths.join(", ")),
            ("`--only`", then.only.join(", "), now.only.join(", ")),
            ("`--adopt`", then.adopt.to_string(), now.adopt.to_string()),
            ("`--force`", then.force.to_string(), now.force.to_string()),
        ];
        pairs
            .into_iter()
            .filter(|(_, then, now)| then != now)
            .map(|(name, then, now)| Moved {
                file: None,
                function: None,
                what: format!("the {name} was `{then}` when planned and is `{now}` now"),
            })
            .collect()
    }

    fn moved_entry(&self, then: &Entry, now: &Entry) -> Option<String> {
        if then.digest != now.digest {
            let short = |digest: &Option<Digest>| digest.map_or("none".to_owned(), |digest| digest.short());
            return Some(format!(
                "its content was `{}` when planned and is `{}` now",
                short(&then.digest),
                short(&now.digest)
            ));
        }
        let writes = matches!(then.action, Action::Create | Action::Update);
        if writes && self.is_done(then, now) {
            return None;
        }
        if then.action == Action::Create && now.pipeline_id.is_some() && now.newest.is_none() {
            // An earlier attempt at this plan made the pipeline and ended before its first version.
            return None;
        }
        if then.pipeline_id != now.pipeline_id {
            return Some(match (&then.pipeline_id, &now.pipeline_id) {
                (None, Some(_)) => "the server did not hold it when planned and does now".to_owned(),
                (Some(_), None) => "the server held it when planned and does not now".to_owned(),
                _ => "another pipeline on the server has its name now".to_owned(),
            });
        }
        if then.newest != now.newest {
            let name = |seen: &Option<SeenVersion>| match seen {
                Some(seen) => format!("`{}`", seen.name),
                None => "none".to_owned(),
            };
            return Some(format!(
                "the newest version on the server was {} when planned and is {} now",
                name(&then.newest),
                name(&now.newest)
            ));
        }
        if then.action != now.action {
            return Some(format!(
                "the plan was `{}` and would be `{}` now",
                then.action.as_str(),
                now.action.as_str()
            ));
        }
        if then.name != now.name {
            return Some(format!("it was to be named {}", then.subject()));
        }
        None
    }

    /// Whether the newest version is the one that this plan was to upload.
    fn is_done(&self, then: &Entry, now: &Entry) -> bool {
        now.newest.as_ref().is_some_and(|newest| {
            newest.name == *then.version_name.as_ref().unwrap_or(&self.version_name)
                && newest.digest == then.digest
                && then.digest.is_some()
        })
    }
}

/// The refusal to carry out a plan.
#[must_use]
pub fn refusal(moved: &[Moved]) -> Failure {
    let count = if moved.len() == 1 {
        "1 thing".to_owned()
    } else {
        format!("{} things", moved.len())
    };
    let detail: Vec<&str> = moved.iter().map(|one| one.what.as_str()).collect();
    Failure::usage(
        Phase::Plan,
        format!("the plan no longer holds, {count} moved since; nothing was uploaded"),
    )
    .detail(detail.join("\n"))
    .hint("plan again, look at it, and apply that")
}
