//! The server's ways of saying no. Shapes and words are those of the 2.17.0 recording.

use super::store::StoreError;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// The result of a handler.
pub type Answer = Result<Response, Refusal>;

/// A gRPC status code, and the HTTP status the gateway makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    InvalidArgument,
    NotFound,
    AlreadyExists,
    PermissionDenied,
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
            Self::AlreadyExists => StatusCode::CONFLICT,
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
            Self::Unimplemented => "UnimplementedError",
            Self::Internal => "InternalServerError",
            Self::Unauthenticated => "Unauthenticated",
        }
    }
}

/// A refusal, in one of the three shapes the server knows.
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
        /// Whether the server had said "JSON" before it refused; else the answer is guessed to be text.
        typed: bool,
    },
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

    /// A path the server does not know (recording 2.17.0: `route_unknown`).
    #[must_use]
    pub fn no_route() -> Self {
        Self::gateway(Code::NotFound, "Not Found")
    }

    /// A refused upload, after the server has said that it will answer JSON.
    #[must_use]
    pub fn upload(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Upload {
            status,
            message: message.into(),
            typed: true,
        }
    }

    /// A refused upload, before the server has said that it will answer JSON.
    #[must_use]
    pub fn early_upload(message: impl Into<String>) -> Self {
        Self::Upload {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            typed: false,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Status { code, .. } => code.status(),
            Self::Upload { status, .. } | Self::Plain { status, .. } => *status,
        }
    }

    /// The body as of gateways since 2.14.0, where it is JSON.
    #[must_use]
    pub fn body(&self) -> Option<Value> {
        match self {
            Self::Status {
                code,
                message,
                short: None,
            } => Some(json!({"code": code.number(), "message": message})),
            Self::Status {
                code,
                message,
                short: Some(short),
            } => Some(json!({
                "code": code.number(),
                "message": message,
                "details": [{
                    "@type": "type.googleapis.com/google.rpc.Status",
                    "code": code.number(),
                    "message": short,
                }],
            })),
            Self::Upload { message, .. } => Some(json!({"error_message": message, "error_details": message})),
            Self::Plain { .. } => None,
        }
    }
}

/// What Go calls the content of an answer whose type nobody has said.
const TEXT: &str = "text/plain; charset=utf-8";

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let content_type = match &self {
            Self::Status { .. } | Self::Upload { typed: true, .. } => "application/json",
            Self::Upload { typed: false, .. } | Self::Plain { .. } => TEXT,
        };
        let body = match (self.body(), &self) {
            (Some(body), _) => body.to_string(),
            (None, Self::Plain { message, .. }) => format!("{message}\n"),
            (None, _) => String::new(),
        };
        (self.status(), [(CONTENT_TYPE, content_type)], body).into_response()
    }
}

/// A good answer: JSON.
#[must_use]
pub fn json_answer(body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
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
    (
        StatusCode::NOT_FOUND,
        [(CONTENT_TYPE, TEXT)],
        "404 page not found\n",
    )
        .into_response()
}
