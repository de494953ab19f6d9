//! How the two upload endpoints refuse.
//!
//! Until 2.14 they tell the whole chain, from 2.15 on one general sentence, from 2.17 on the reason where the spec
//! is to blame.

use super::super::answer::Refusal;
use super::super::dialect::Dialect;
use super::super::template::TemplateError;
use axum::http::StatusCode;

/// Which endpoint refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/pipelines/upload`
    Pipeline,
    /// `/pipelines/upload_version`
    Version,
}

/// Why an upload is refused.
#[derive(Clone, Debug)]
pub enum UploadProblem {
    /// The request holds no file; the cause in Go's words.
    NoFile(&'static str),
    /// The file cannot be read.
    Unreadable(String),
    /// `pipelineid` is missing.
    NoPipelineId,
    /// There is no such pipeline.
    UnknownPipeline(String),
    /// The caller may not.
    Denied,
    /// `tags` is not an object of texts.
    UnreadableTags,
    /// The tags break a rule.
    Tags(String),
    /// The name breaks a rule of the cluster.
    ResourceName(String),
    /// The spec is refused.
    Template(TemplateError),
    /// The name is taken.
    Taken(String),
    /// The server's own trouble.
    Trouble(String),
}

impl Endpoint {
    /// The sentence that says nothing.
    const fn general(self) -> &'static str {
        match self {
            Self::Pipeline => "Failed to create a pipeline and a pipeline version",
            Self::Version => "Failed to create a pipeline version",
        }
    }

    /// The refusal in the words of the dialect.
    pub fn refuse(self, problem: UploadProblem, dialect: &Dialect) -> Refusal {
        let general = self.general();
        let status = problem.status(dialect);
        let message = if dialect.explains_uploads() {
            let (message, details) = self.explain(&problem, dialect);
            if let Some(details) = details {
                return Refusal::Upload {
                    status,
                    message,
                    details,
                    typed: false,
                };
            }
            message
        } else {
            match &problem {
                UploadProblem::UnreadableTags => {
                    "Failed to parse tags query parameter. Expected JSON object with string keys and values"
                        .to_owned()
                }
                UploadProblem::Tags(words) | UploadProblem::ResourceName(words)
                    if dialect.blames_the_spec() =>
                {
                    words.clone()
                }
                // Broken YAML: the one deliberate difference.
                UploadProblem::Template(error @ TemplateError::Broken(_)) => error.to_string(),
                UploadProblem::Template(error @ (TemplateError::Format(_) | TemplateError::Name(_)))
                    if dialect.blames_the_spec() =>
                {
                    error.to_string()
                }
                UploadProblem::NoFile(_) if self == Self::Pipeline => {
                    "Failed to read pipeline from file".to_owned()
                }
                UploadProblem::Unreadable(_) if self == Self::Pipeline => {
                    "Failed to read a pipeline spec file".to_owned()
                }
                UploadProblem::Denied if self == Self::Pipeline => "Failed to create a pipeline".to_owned(),
                _ => general.to_owned(),
            }
        };
        if problem.is_early() {
            Refusal::early_upload(message)
        } else {
            Refusal::upload(status, message)
        }
    }

    /// The chain that the first servers tell, and its second form where that differs.
    fn explain(self, problem: &UploadProblem, dialect: &Dialect) -> (String, Option<String>) {
        let general = self.general();
        let message = match problem {
            UploadProblem::NoFile(cause) => {
                let message = format!("{general} due to error parsing pipeline spec filename: {cause}");
                return (message, Some((*cause).to_owned()));
            }
            UploadProblem::Unreadable(cause) => {
                format!("{general} due to error reading pipeline spec file: {cause}")
            }
            UploadProblem::NoPipelineId => format!("{general} due to error reading pipeline id"),
            UploadProblem::UnknownPipeline(id) => format!(
                "{general} due to error reading namespace: Failed to get namespace for pipeline id {id}: Failed to get \
                 a pipeline with id {id}: ResourceNotFoundError: Pipeline {id} not found"
            ),
            UploadProblem::Denied => format!("{general} due to authorization error"),
            UploadProblem::Template(error @ TemplateError::Broken(_)) => error.to_string(),
            UploadProblem::Template(error @ TemplateError::Name(_)) => {
                format!("{general}: Invalid input error: {error}")
            }
            UploadProblem::Template(error) => format!(
                "{general}: Failed to create a pipeline version due to template creation error: InvalidInputError: \
                 {error}: pipeline spec is invalid"
            ),
            UploadProblem::Taken(name) => {
                let taken = match self {
                    Self::Pipeline => format!(
                        "Failed to create a pipeline and a pipeline version: Already exist error: Failed to create a \
                         new pipeline. The name {name} already exists. Please specify a new name"
                    ),
                    Self::Version => format!(
                        "Failed to create pipeline version in PipelineStore: Already exist error: Failed to create a \
                         new pipeline version. The name {name} already exist. Specify a new name"
                    ),
                };
                let told = if dialect.tells_duplicate_uploads() {
                    ". The pipeline already exists."
                } else {
                    ""
                };
                format!("{general}{told}: {taken}")
            }
            UploadProblem::UnreadableTags => general.to_owned(),
            UploadProblem::Tags(words)
            | UploadProblem::ResourceName(words)
            | UploadProblem::Trouble(words) => {
                format!("{general}: {words}")
            }
        };
        (message, None)
    }
}

impl UploadProblem {
    /// Whether the server refuses before it has said that it will answer JSON.
    const fn is_early(&self) -> bool {
        matches!(
            self,
            Self::NoFile(_)
                | Self::Unreadable(_)
                | Self::NoPipelineId
                | Self::UnknownPipeline(_)
                | Self::Denied
                | Self::UnreadableTags
        )
    }

    fn status(&self, dialect: &Dialect) -> StatusCode {
        let blamed = dialect.blames_the_spec();
        match self {
            Self::Taken(_) if dialect.tells_duplicate_uploads() => StatusCode::CONFLICT,
            Self::Template(TemplateError::Broken(_)) => StatusCode::BAD_REQUEST,
            Self::Template(TemplateError::Format(_) | TemplateError::Name(_)) | Self::ResourceName(_)
                if blamed =>
            {
                StatusCode::BAD_REQUEST
            }
            Self::Template(_) | Self::ResourceName(_) | Self::Taken(_) | Self::Trouble(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
