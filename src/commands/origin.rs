//! Who we are, for the mark in descriptions and for version names: from the CI job, else from git.

use crate::context::Context;
use crate::git::Git;
use crate::plan::mark::Mark;
use crate::plan::naming::VersionFacts;
use crate::settings::Settings;

/// Who we are: from the CI job, else from git.
pub(super) fn mark(settings: &Settings, context: &Context, git: &Git) -> Mark {
    let repo = context
        .repository
        .as_ref()
        .map(|repository| repository.full_name())
        .or_else(|| git.repository());
    let project = settings
        .project
        .clone()
        .or_else(|| {
            repo.as_ref()
                .and_then(|repo| repo.rsplit('/').next().map(str::to_owned))
        })
        .or_else(|| {
            settings
                .root
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        });
    let head = git.head();
    let commit = context.sha.clone().or_else(|| head.clone());
    Mark {
        repo,
        project,
        target: settings.target.clone(),
        file: None,
        // In CI the checkout is the commit; files that the job itself made say nothing.
        dirty: !settings.ci && commit.is_some() && git.is_dirty(),
        commit,
        git_ref: context.reference.clone().or_else(|| git.branch_ref()),
        digest: None,
        run: context
            .run_links()
            .guess
            .map(|link| link.split("/attempts/").next().unwrap_or(&link).to_owned())
            // A person's run is an intent of its own: `--force` twice uploads twice.
            .or_else(|| Some(format!("local:{}", uuid::Uuid::new_v4()))),
    }
}

/// What templates of version names are filled from.
pub(super) fn facts(settings: &Settings, context: &Context, mark: &Mark, git: &Git) -> VersionFacts {
    let template = &settings.naming.version;
    let uses = |key: &str| template.contains(&format!("{{{key}}}"));
    let (semver, tagged) = match uses("semver") {
        true => nearest_version(context, mark, git),
        false => (None, false),
    };
    VersionFacts {
        now: chrono::Utc::now(),
        commit: mark.commit.clone(),
        tag: uses("tag")
            .then(|| context.tag.clone().or_else(|| git.nearest_tag()))
            .flatten(),
        semver,
        tagged,
        run: context.run_number.or(context.run_id).map(|run| run.to_string()),
    }
}

/// The nearest tag that is a semantic version, and whether it is this commit's own.
fn nearest_version(context: &Context, mark: &Mark, git: &Git) -> (Option<semver::Version>, bool) {
    if let Some(version) = context.tag.as_deref().and_then(crate::git::version_of_tag) {
        return (Some(version), true);
    }
    let nearest = git.nearest_version();
    let tagged = !mark.dirty && nearest.is_some() && git.version_at_head() == nearest;
    (nearest, tagged)
}
