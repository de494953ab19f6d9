//! Reads the [`Context`] from an environment and an event file, both handed in.

use super::event::{EventFile, PullRequestPart};
use super::{Context, Event, ForgeKind, PullRequest, Repository, variables as var};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use url::Url;

/// The longest event file that is read, in bytes: GitHub delivers no event over 25 MiB.
pub const EVENT_FILE_LIMIT: u64 = 32 * 1024 * 1024;

/// Reads the event file that `GITHUB_EVENT_PATH` names. A missing or empty file is `None`.
///
/// # Errors
/// When the file is there but cannot be read, is no UTF-8, or is longer than [`EVENT_FILE_LIMIT`].
pub fn read_event_file(path: &Path) -> std::io::Result<Option<String>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(EVENT_FILE_LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > EVENT_FILE_LIMIT {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            "the event file is over 32 MiB",
        ));
    }
    Ok((!text.trim().is_empty()).then_some(text))
}

/// Reads everything once. Never fails: what does not make sense is left out and told in
/// [`Context::problems`], and less knowledge always means that less is done.
#[must_use]
pub fn read(env: &BTreeMap<String, String>, event: Option<&str>) -> Context {
    let mut problems = Vec::new();
    let env = Variables(env);
    let file = parse_event(event, &mut problems);

    let (forge, forgejo) = forge_kind(&env);
    let ci = [var::CI, var::GITHUB_ACTIONS, var::GITEA_ACTIONS]
        .iter()
        .any(|name| env.is_true(name));
    let server_url = env.url(var::GITHUB_SERVER_URL, &mut problems);
    let repository = repository(&env, &file, &mut problems);
    let reference = env.get(var::GITHUB_REF).map(str::to_owned).or_else(|| {
        file.reference
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(full_reference)
    });
    let event = event_kind(&env, &file, reference.as_deref(), repository.as_ref());
    let sha = commit(&env, &file, &event, reference.as_deref(), &mut problems);
    let (branch, tag) = branch_and_tag(&event, reference.as_deref());

    Context {
        ci,
        forge,
        forgejo,
        sha,
        branch,
        tag,
        default_branch: file
            .repository
            .as_ref()
            .and_then(|repository| non_empty(repository.default_branch.as_deref())),
        actor: env
            .get(var::GITHUB_TRIGGERING_ACTOR)
            .or_else(|| env.get(var::GITHUB_ACTOR))
            .map(str::to_owned)
            .or_else(|| {
                file.sender
                    .as_ref()
                    .and_then(|user| non_empty(user.login.as_deref()))
            }),
        html_url: file
            .repository
            .as_ref()
            .and_then(|repository| clean_url(repository.html_url.as_deref()?)),
        api_url: env
            .url(var::GITHUB_API_URL, &mut problems)
            .or_else(|| api_url(forge, server_url.as_deref()?)),
        server_url,
        repository,
        run_id: env.number(var::GITHUB_RUN_ID),
        run_number: env.number(var::GITHUB_RUN_NUMBER),
        attempt: env.number(var::GITHUB_RUN_ATTEMPT).unwrap_or(1).max(1),
        workflow: env.get(var::GITHUB_WORKFLOW).map(str::to_owned),
        job: env.get(var::GITHUB_JOB).map(str::to_owned),
        output: env.path(var::GITHUB_OUTPUT),
        step_summary: env.path(var::GITHUB_STEP_SUMMARY),
        summary_shown: summary_shown(&env, forge),
        workspace: env.path(var::GITHUB_WORKSPACE),
        debug: env.get(var::RUNNER_DEBUG) == Some("1"),
        reference,
        event,
        problems,
    }
}

fn parse_event(event: Option<&str>, problems: &mut Vec<String>) -> EventFile {
    let Some(text) = event.filter(|text| !text.trim().is_empty()) else {
        return EventFile::default();
    };
    serde_json::from_str(text).unwrap_or_else(|error| {
        // serde_json's message may quote a value of the file, so only the place is told.
        problems.push(format!(
            "the event file makes no sense at line {} column {}",
            error.line(),
            error.column()
        ));
        EventFile::default()
    })
}

/// The environment, with empty values counted as absent: Gitea sets many names to nothing.
struct Variables<'a>(&'a BTreeMap<String, String>);

impl<'a> Variables<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    fn url(&self, name: &str, problems: &mut Vec<String>) -> Option<String> {
        let text = self.get(name)?;
        let url = clean_url(text);
        if url.is_none() {
            problems.push(format!("`{name}` is no http address"));
        }
        url
    }
}

fn non_empty(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// An http(s) address without user, query, fragment and final slash.
fn clean_url(text: &str) -> Option<String> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn forge_kind(env: &Variables<'_>) -> (ForgeKind, bool) {
    if env.is_true(var::FORGEJO_ACTIONS) {
        return (ForgeKind::Gitea, true);
    }
    if env.is_true(var::GITEA_ACTIONS) {
        return (ForgeKind::Gitea, false);
    }
    if !env.is_true(var::GITHUB_ACTIONS) {
        return (ForgeKind::None, false);
    }
    let host = |name| {
        let url = Url::parse(env.get(name)?).ok()?;
        Some(url.host_str()?.to_ascii_lowercase())
    };
    let of_github = |host: &str| {
        host == "github.com" || host == "api.github.com" || host == "ghe.com" || host.ends_with(".ghe.com")
    };
    let api = env
        .get(var::GITHUB_API_URL)
        .unwrap_or_default()
        .trim_end_matches('/');
    let kind =
        if host(var::GITHUB_SERVER_URL).is_some_and(|host| of_github(&host)) || api.ends_with("/api/v3") {
            ForgeKind::GitHub
        } else if api.ends_with("/api/v1") {
            ForgeKind::Gitea
        } else {
            ForgeKind::Unknown
        };
    (kind, false)
}

fn api_url(forge: ForgeKind, server: &str) -> Option<String> {
    match forge {
        ForgeKind::Gitea => Some(format!("{server}/api/v1")),
        ForgeKind::GitHub if server == "https://github.com" => Some("https://api.github.com".to_owned()),
        ForgeKind::GitHub => Some(format!("{server}/api/v3")),
        ForgeKind::Unknown | ForgeKind::None => None,
    }
}

fn summary_shown(env: &Variables<'_>, forge: ForgeKind) -> Option<bool> {
    match forge {
        ForgeKind::GitHub => Some(true),
        // Before 1.27 the file is written and dropped by the runner; the server says when it is not.
        ForgeKind::Gitea => Some(
            env.get(var::GITEA_ACTIONS_CAPABILITIES)
                .is_some_and(|list| list.split(',').any(|word| word.trim() == "job-summary")),
        ),
        ForgeKind::Unknown | ForgeKind::None => None,
    }
}

fn repository(env: &Variables<'_>, file: &EventFile, problems: &mut Vec<String>) -> Option<Repository> {
    let named = env.get(var::GITHUB_REPOSITORY).or_else(|| {
        file.repository
            .as_ref()
            .and_then(|repository| repository.full_name.as_deref())
    })?;
    let repository = Repository::parse(named);
    if repository.is_none() {
        problems.push("the repository's name is not `owner/name`".to_owned());
    }
    repository
}

fn event_kind(
    env: &Variables<'_>,
    file: &EventFile,
    reference: Option<&str>,
    repository: Option<&Repository>,
) -> Event {
    let push = || {
        if reference.is_some_and(|text| text.starts_with("refs/tags/")) {
            Event::Tag
        } else {
            Event::Push
        }
    };
    let name = env.get(var::GITHUB_EVENT_NAME).unwrap_or_default();
    let pull = |target: bool| {
        pull_request(env, file, reference, repository, target)
            .map_or_else(|| Event::Other(name.to_owned()), Event::PullRequest)
    };
    match name {
        "" => Event::None,
        "push" => push(),
        "schedule" => Event::Schedule,
        "workflow_dispatch" => Event::Dispatch,
        "pull_request_target" => pull(true),
        // Gitea inside a reusable workflow: the name is always this one, the file is the caller's.
        "workflow_call" if file.pull_request.is_some() => {
            pull(!reference.is_some_and(|text| text.starts_with("refs/pull/")))
        }
        "workflow_call" if file.schedule.is_some() => Event::Schedule,
        "workflow_call" if file.workflow.is_some() => Event::Dispatch,
        "workflow_call" if file.after.is_some() => push(),
        _ if name.starts_with("pull_request") => pull(false),
        _ => Event::Other(name.to_owned()),
    }
}

fn pull_request(
    env: &Variables<'_>,
    file: &EventFile,
    reference: Option<&str>,
    repository: Option<&Repository>,
    target: bool,
) -> Option<PullRequest> {
    let nothing = PullRequestPart::default();
    let part = file.pull_request.as_ref().unwrap_or(&nothing);
    let number = file
        .number
        .or(part.number)
        .or_else(|| number_of_reference(reference?))?;
    let head = part.head.as_ref();
    let base = part.base.as_ref();
    let fork = head.is_some_and(|head| {
        let from = head.repo.as_ref().and_then(|repo| repo.full_name.as_deref());
        match (from, repository) {
            (Some(from), Some(to)) => !from.eq_ignore_ascii_case(&to.full_name()),
            // A fork that was deleted meanwhile has no repository.
            _ => true,
        }
    });
    Some(PullRequest {
        number,
        head_sha: head.and_then(|head| hexadecimal(head.sha.as_deref()?)),
        head_ref: head
            .and_then(|head| non_empty(head.reference.as_deref()))
            .or_else(|| env.get(var::GITHUB_HEAD_REF).map(str::to_owned)),
        base_ref: base
            .and_then(|base| non_empty(base.reference.as_deref()))
            .or_else(|| env.get(var::GITHUB_BASE_REF).map(str::to_owned)),
        base_sha: base.and_then(|base| hexadecimal(base.sha.as_deref()?)),
        fork,
        target,
        merged: part.merged.unwrap_or(false),
        html_url: part.html_url.as_deref().and_then(clean_url),
    })
}

/// `refs/pull/12/head` and `refs/pull/12/merge` hold the number.
fn number_of_reference(reference: &str) -> Option<u64> {
    let (number, _) = reference.strip_prefix("refs/pull/")?.split_once('/')?;
    number.parse().ok()
}

fn commit(
    env: &Variables<'_>,
    file: &EventFile,
    event: &Event,
    reference: Option<&str>,
    problems: &mut Vec<String>,
) -> Option<String> {
    let named = env.get(var::GITHUB_SHA);
    let own = named.and_then(hexadecimal);
    if named.is_some() && own.is_none() {
        problems.push(format!("`{}` is no commit", var::GITHUB_SHA));
    }
    let Event::PullRequest(pull) = event else {
        return own.or_else(|| file.after.as_deref().and_then(hexadecimal));
    };
    if pull.head_sha.is_some() {
        return pull.head_sha.clone();
    }
    // Gitea checks out the head itself; on GitHub the variable holds a merge commit nobody looks at.
    if !pull.target && reference.is_some_and(|text| text.ends_with("/head")) {
        return own;
    }
    problems.push("the event does not name the pull request's head commit".to_owned());
    None
}

/// A full object name, 40 (SHA-1) or 64 (SHA-256) hex digits, that is not all zeros.
fn hexadecimal(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'0');
    fits.then(|| text.to_ascii_lowercase())
}

fn full_reference(text: &str) -> String {
    if text.starts_with("refs/") {
        text.to_owned()
    } else {
        format!("refs/heads/{text}")
    }
}

fn branch_and_tag(event: &Event, reference: Option<&str>) -> (Option<String>, Option<String>) {
    if let Event::PullRequest(pull) = event {
        return (pull.head_ref.clone(), None);
    }
    let after = |prefix| reference.and_then(|text| non_empty(text.strip_prefix(prefix)));
    (after("refs/heads/"), after("refs/tags/"))
}
