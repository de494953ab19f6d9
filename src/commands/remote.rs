//! What `list`, `show`, `history` and `graph` share: reading one server, and data on standard output.

use super::connect::{Connected, connect};
use super::origin::mark;
use super::{finish, stopped};
use crate::error::{Failure, Phase};
use crate::git::Git;
use crate::ids::PipelineName;
use crate::kfp::advice;
use crate::kfp::error::ApiError;
use crate::kfp::model::{Pipeline, Version};
use crate::plan::mark::Mark;
use crate::report::annotations;
use crate::settings::Settings;
use serde::Serialize;

/// A server that answered.
pub struct Remote {
    /// The connection; close it.
    pub connected: Connected,
    /// Who we are.
    pub mark: Mark,
}

/// Who uploaded something, as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Owner {
    /// `owner/name` of the repository.
    pub repo: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The target's label.
    pub target: Option<String>,
    /// The source file, relative to the root.
    pub file: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Whether the work tree differed from the commit.
    pub dirty: bool,
    /// The git ref.
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    /// Link to the CI run.
    pub run: Option<String>,
}

impl Owner {
    /// What a mark says.
    #[must_use]
    pub fn of(mark: &Mark) -> Self {
        Self {
            repo: mark.repo.clone(),
            project: mark.project.clone(),
            target: mark.target.clone(),
            file: mark.file.clone(),
            commit: mark.commit.clone(),
            dirty: mark.dirty,
            git_ref: mark.git_ref.clone(),
            run: mark.run.clone(),
        }
    }
}

/// Reaches the server.
///
/// # Errors
/// When it cannot be reached.
pub async fn reach(settings: &Settings) -> Result<Remote, Failure> {
    let connected = connect(settings).await?;
    if let Err(failure) = connected.client.server().await {
        connected.close().await;
        return Err(failure);
    }
    let context = finish::read_context(&settings.environment);
    let mark = mark(settings, &context, &Git::new(&settings.root));
    Ok(Remote { connected, mark })
}

/// The failure of a read.
#[must_use]
pub fn failed(error: &ApiError, doing: &str) -> Failure {
    advice::failure(error, Phase::Plan, doing)
}

/// The pipeline of that name: exactly it, else the one that differs in case only.
///
/// # Errors
/// When there is none (exit 2), or the server cannot be read.
pub async fn find(remote: &Remote, name: &str) -> Result<Pipeline, Failure> {
    let mut found = remote
        .connected
        .client
        .find_pipelines(&PipelineName::new(name))
        .await
        .map_err(|error| failed(&error, "look the pipeline up"))?;
    let exact = found
        .iter()
        .position(|pipeline| pipeline.name.as_str() == name)
        .unwrap_or(0);
    if found.is_empty() {
        return Err(
            Failure::usage(Phase::Plan, format!("the server has no pipeline `{name}`"))
                .hint("`kfp-gitops list all` names them"),
        );
    }
    Ok(found.swap_remove(exact))
}

/// The newest versions of a pipeline, newest first.
///
/// # Errors
/// When the server cannot be read.
pub async fn versions(remote: &Remote, pipeline: &Pipeline, limit: usize) -> Result<Vec<Version>, Failure> {
    remote
        .connected
        .client
        .versions(&pipeline.id, limit)
        .await
        .map_err(|error| failed(&error, "read the versions"))
}

/// Ends a command: data on standard output, or a report of what went wrong.
pub async fn end<T: Serialize>(
    settings: &Settings,
    command: &str,
    result: Result<T, Failure>,
    text: impl FnOnce(&T) -> String,
) -> u8 {
    match result {
        Ok(data) if settings.output.json => match serde_json::to_string_pretty(&data) {
            Ok(json) => {
                finish::say(&format!("{json}\n"));
                0
            }
            Err(error) => {
                let failure = Failure::internal(Phase::Report, error.to_string());
                finish::finish(settings, stopped(settings, command, failure), None).await
            }
        },
        Ok(data) => {
            let text = text(&data);
            if settings.ci {
                // No name on a server may command the runner.
                finish::say(&format!("{}\n", annotations::defused(&text)));
            } else {
                finish::say(&text);
            }
            0
        }
        Err(failure) => finish::finish(settings, stopped(settings, command, failure), None).await,
    }
}
