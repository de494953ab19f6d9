//! What server and repository disagree on, for the report.

use crate::compile::Compiled;
use crate::git::Git;
use crate::ids::PipelineId;
use crate::kfp::client::Client;
use crate::plan::drift::{Drift, Seen, of_planned, orphans, unclaimed};
use crate::plan::identity::Rules;
use crate::plan::mark::Mark;
use crate::plan::state::{self, Listing};
use crate::plan::{Decision, Planned};
use crate::report::{Action, Report};
use crate::settings::Settings;
use std::collections::BTreeSet;

/// Most commits that git is asked about.
const AUTHORS: usize = 20;

/// What there is to look at.
pub struct Look<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The server.
    pub client: &'a Client,
    /// What it holds.
    pub listing: &'a Listing,
    /// What names are given.
    pub rules: &'a Rules,
    /// Who we are.
    pub mark: &'a Mark,
    /// What is planned.
    pub planned: &'a [Planned],
    /// What compiled and `--only` left out.
    pub left_out: &'a [Compiled],
}

/// The disagreements: pipelines by hand or of others in the order of the plan, then orphans. What is
/// missing or pending is told by `plan --expect-no-changes` alone; here it is included and marked so.
pub async fn look(look: &Look<'_>, report: &mut Report) -> Vec<Drift> {
    let planned: Vec<&Planned> = look.planned.iter().collect();
    let compiled: Vec<&Compiled> = planned
        .iter()
        .map(|one| &one.compiled)
        .chain(look.left_out)
        .collect();
    let claimed: BTreeSet<PipelineId> = planned
        .iter()
        .filter_map(|one| match &one.decision {
            Decision::Update { pipeline, .. } | Decision::Unchanged { pipeline, .. } => {
                Some(pipeline.id.clone())
            }
            Decision::Create { .. } | Decision::Refused(_) => None,
        })
        .collect();
    let path = |one: &&Compiled| one.source.path.as_str().to_owned();
    let seen = Seen {
        compiled: compiled.iter().map(path).collect(),
        failed: report
            .pipelines
            .iter()
            .filter(|one| one.action == Action::Failed)
            .filter_map(|one| one.file.clone())
            .collect(),
        whole: look.settings.only.is_empty() && look.settings.paths.contains(&look.settings.root),
    };
    let unclaimed = unclaimed(&look.listing.ours, &compiled, &claimed, look.rules);
    if !look.listing.complete {
        report.notes.push(
            "the server holds more pipelines than were read: orphans may be missing, `--expect-no-changes` reads all"
                .to_owned(),
        );
    }
    let unclaimed = state::newest(look.client, unclaimed).await;
    let mut drift: Vec<Drift> = planned
        .iter()
        .filter_map(|one| of_planned(one, look.mark))
        .collect();
    drift.extend(orphans(&unclaimed, &seen, &planned, |file| {
        look.settings.root.join(file).is_file()
    }));
    let git = Git::new(&look.settings.root);
    for one in drift.iter_mut().filter(|one| one.commit.is_some()).take(AUTHORS) {
        one.author = one.commit.as_deref().and_then(|commit| git.author(commit));
    }
    drift
}
