//! The server's ways of saying no. Shapes and words are those of the 2.17.0 recording.

use super::dialect::Dialect;
use super::store::StoreError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// The result of a handler.
pub type Answer = Result<Response, Refusal>;

/// A gRPC status code, and the HTTP status the gateway makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    InvalidArgument,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    Aborted,
    Unimplemented,
    Internal,
    Unauthenticated,
}

impl Code {
    /// The number in `code`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::InvalidArgument => 3,
            Self::NotFound => 5,
            Self::AlreadyExists => 6,
            Self::PermissionDenied => 7,
            Self::Aborted => 10,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unauthenticated => 16,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidArgument => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::AlreadyExists | Self::Aborted => StatusCode::CONFLICT,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
        }
    }

    /// How the server's own chain of messages names the class.
    const fn chain_name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "Invalid input error",
            Self::NotFound => "ResourceNotFoundError",
            Self::AlreadyExists => "Already exist error",
            Self::PermissionDenied => "PermissionDenied",
            Self::Aborted => "BadKubernetesNameError",
            Self::Unimplemented => "UnimplementedError",
            Self::Internal => "InternalServerError",
            Self::Unauthenticated => "Unauthenticated",
        }
    }
}

/// A refusal, in one of the shapes the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Everything that goes through the gateway: `{"code","message","details"}`.
    Status {
        /// The class.
        code: Code,
        /// The whole chain.
        message: String,
        /// The short message for people; absent where the gateway itself refuses.
        short: Option<String>,
    },
    /// The upload endpoints: `{"error_message","error_details"}`.
    Upload {
        /// The HTTP status.
        status: StatusCode,
        /// The words.
        message: String,
        /// The words again, but for two refusals of the first servers.
        details: String,
        /// Whether the server had said "JSON" before it refused; else the answer is guessed to be text.
        typed: bool,
    },
    /// No such path under `/apis/`.
    NoRoute,
    /// Another method is meant.
    NoMethod,
    /// The upload endpoints refusing a name: bare text.
    Plain {
        /// The HTTP status.
        status: StatusCode,
        /// The words, without the newline at the end.
        message: String,
    },
}

impl Refusal {
    /// The gateway's own refusal, without details.
    #[must_use]
    pub fn gateway(code: Code, message: impl Into<String>) -> Self {
        Self::Status {
            code,
            message: message.into(),
            short: None,
        }
    }

    /// A refusal with its chain: `context: class: short`.
    #[must_use]
    pub fn chain(code: Code, context: &str, short: impl Into<String>) -> Self {
        let short = short.into();
        Self::Status {
            code,
            message: format!("{context}: {}: {short}", code.chain_name()),
            short: Some(short),
        }
    }

    /// A trouble of the server; the short message says nothing.
    #[must_use]
    pub fn internal(context: &str, cause: &str) -> Self {
        Self::Status {
            code: Code::Internal,
            message: format!("{context}: InternalServerError: {cause}"),
            short: Some("Internal Server Error".to_owned()),
        }
    }

    /// The store's own trouble.
    #[must_use]
    pub fn store(context: &str, error: &StoreError) -> Self {
        tracing::warn!(%error, context, "the registry's store failed");
        Self::internal(context, &error.to_string())
    }

    /// A refused upload, after the server has said that it will answer JSON.
    #[must_use]
    pub fn upload(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Upload {
            status,
            details: message.clone(),
            message,
            typed: true,
        }
    }

    /// A refused upload, before the server has said that it will answer JSON.
    #[must_use]
    pub fn early_upload(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Upload {
            status: StatusCode::BAD_REQUEST,
            details: message.clone(),
            message,
            typed: false,
        }
    }

    /// The answer as a server of that dialect gives it.
    #[must_use]
    pub fn render(&self, dialect: &Dialect) -> Response {
        let old = dialect.old_gateway();
        match self {
            Self::Status { code, message, short } => {
                let mut body = json!({"code": code.number(), "message": message});
                if let Some(short) = short {
                    let kind = "type.googleapis.com/google.rpc.Status";
                    body["details"] = json!([{"@type": kind, "code": code.number(), "message": short}]);
                }
                if old {
                    body["error"] = json!(message);
                }
                typed(code.status(), JSON, body.to_string())
            }
            Self::Upload {
                status,
                message,
                details,
                typed: json,
            } => {
                let body = json!({"error_message": message, "error_details": details});
                let kind = if *json && dialect.types_refused_uploads() {
                    JSON
                } else {
                    TEXT
                };
                typed(*status, kind, body.to_string())
            }
            Self::NoRoute if old => typed(StatusCode::NOT_FOUND, TEXT, "Not Found\n"),
            Self::NoRoute => Self::gateway(Code::NotFound, "Not Found").render(dialect),
            Self::NoMethod if old => typed(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Method Not Allowed\n"),
            Self::NoMethod => Self::gateway(Code::Unimplemented, "Method Not Allowed").render(dialect),
            Self::Plain { status, message } => typed(*status, TEXT, format!("{message}\n")),
        }
    }
}

fn typed(status: StatusCode, kind: &'static str, body: impl Into<String>) -> Response {
    (status, [(CONTENT_TYPE, kind)], body.into()).into_response()
}

const JSON: &str = "application/json";
/// What Go calls the content of an answer whose type nobody has said.
const TEXT: &str = "text/plain; charset=utf-8";

/// Handlers do not know how their dialect words a refusal: it travels beside the answer until [`speak`]
/// gives it its shape.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives refusals the shape of the dialect.
pub async fn speak(State(dialect): State<Arc<Dialect>>, response: Response) -> Response {
    match response.extensions().get::<Refusal>() {
        Some(refusal) => refusal.render(&dialect),
        None => response,
    }
}

/// A good answer: JSON.
#[must_use]
pub fn json_answer(body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(body) => typed(StatusCode::OK, JSON, body),
        Err(error) => Refusal::internal("Failed to write an answer", &error.to_string()).into_response(),
    }
}

/// `{}`, the answer to what leaves nothing to say.
#[must_use]
pub fn empty_answer() -> Response {
    json_answer(&json!({}))
}

/// A path outside the API (recording 2.17.0: `root`).
#[must_use]
pub fn page_not_found() -> Response {
    typed(StatusCode::NOT_FOUND, TEXT, "404 page not found\n")
}
