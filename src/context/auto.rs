//! What `auto` means: whether this event deploys or only plans.

use super::{Context, Event};
use glob::{MatchOptions, Pattern};

/// What `auto` decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoCommand {
    /// Look, say, write nothing to the pipelines server.
    Plan,
    /// Deploy.
    Apply,
}

impl AutoCommand {
    /// The command's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
        }
    }
}

/// Decides between `plan` and `apply`, and says why in one sentence fragment.
///
/// `apply_refs` are globs that deploy besides the default branch: `release/*` for branches,
/// `refs/tags/v*` for tags; one that begins with `!` never deploys, the last match counts. `*` does not
/// cross `/`.
/// `tag_reachable` says whether the tag's commit is on the default branch, where that is known.
/// Less knowledge always means `plan`, and a pull request is never deployed.
#[must_use]
pub fn decide(
    context: &Context,
    apply_refs: &[impl AsRef<str>],
    tag_reachable: Option<bool>,
) -> (AutoCommand, String) {
    if let Event::PullRequest(pull) = &context.event {
        let kind = if pull.fork {
            "a pull request from a fork"
        } else {
            "a pull request"
        };
        return plan(format!("{kind} is planned, not deployed"));
    }
    match listed(context, apply_refs) {
        Some((true, pattern)) => {
            return apply(format!(
                "{} is named by `apply.refs` (`{pattern}`)",
                subject(context)
            ));
        }
        Some((false, pattern)) => {
            return plan(format!(
                "{} is excluded by `apply.refs` (`{pattern}`)",
                subject(context)
            ));
        }
        None => {}
    }
    match &context.event {
        Event::Schedule => apply("the schedule deploys".to_owned()),
        Event::Push | Event::Dispatch => on_branch(context),
        Event::Tag => on_tag(context, tag_reachable),
        Event::None => plan("there is no event to go by; `apply` deploys".to_owned()),
        Event::PullRequest(_) | Event::Other(_) => plan(format!(
            "`{}` is not an event that deploys; `command: apply` or `apply.refs` would",
            context.event.as_str()
        )),
    }
}

fn on_branch(context: &Context) -> (AutoCommand, String) {
    let what = context.event.as_str();
    match (&context.branch, &context.default_branch) {
        (Some(branch), Some(default)) if branch == default => {
            apply(format!("{what} on the default branch `{branch}`"))
        }
        (Some(branch), Some(default)) => plan(format!(
            "{what} on `{branch}`, which is not the default branch `{default}`; name it in `apply.refs` to \
             deploy it"
        )),
        (Some(branch), None) => plan(format!(
            "{what} on `{branch}`, and the event does not tell the default branch; name `{branch}` in \
             `apply.refs` to deploy it"
        )),
        (None, _) => plan(format!("{what} on no branch; `command: apply` deploys it")),
    }
}

fn on_tag(context: &Context, reachable: Option<bool>) -> (AutoCommand, String) {
    let tag = context.tag.as_deref().unwrap_or("?");
    let default = context.default_branch.as_deref().unwrap_or("the default branch");
    match reachable {
        Some(true) => apply(format!("tag `{tag}` is on `{default}`")),
        Some(false) => plan(format!(
            "tag `{tag}` is not on `{default}`; name `refs/tags/{tag}` in `apply.refs` to deploy it"
        )),
        None => plan(format!(
            "nobody can tell whether tag `{tag}` is on `{default}`; check out with `fetch-depth: 0`, or name \
             `refs/tags/*` in `apply.refs`"
        )),
    }
}

fn subject(context: &Context) -> String {
    match (&context.branch, &context.tag) {
        (Some(branch), _) => format!("branch `{branch}`"),
        (None, Some(tag)) => format!("tag `{tag}`"),
        (None, None) => context.reference.clone().unwrap_or_else(|| "this ref".to_owned()),
    }
}

/// Whether a pattern names this ref, and which: `(deploys, pattern)`.
fn listed<'a>(context: &Context, apply_refs: &'a [impl AsRef<str>]) -> Option<(bool, &'a str)> {
    let reference = context.reference.as_deref()?;
    let branch = reference.strip_prefix("refs/heads/");
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    apply_refs.iter().rev().find_map(|entry| {
        let entry = entry.as_ref();
        let (deploys, text) = entry
            .strip_prefix('!')
            .map_or((true, entry), |rest| (false, rest));
        // A broken pattern names nothing here; the settings refuse it with its place in the file.
        let pattern = Pattern::new(text).ok()?;
        // A short pattern means branches only: a tag may carry any branch's name, and anybody who may
        // push tags could deploy with it.
        let candidate = if text.starts_with("refs/") {
            reference
        } else {
            branch?
        };
        pattern
            .matches_with(candidate, options)
            .then_some((deploys, entry))
    })
}

fn plan(reason: String) -> (AutoCommand, String) {
    (AutoCommand::Plan, reason)
}

fn apply(reason: String) -> (AutoCommand, String) {
    (AutoCommand::Apply, reason)
}
