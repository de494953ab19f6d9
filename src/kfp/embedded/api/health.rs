//! Who is answering.

use super::super::answer::json_answer;
use axum::response::Response;
use serde_json::json;

/// `GET /healthz` (recording 2.17.0: `healthz`).
pub async fn health() -> Response {
    json_answer(&json!({
        "commit_sha": "0000000",
        "tag_name": "2.17.0",
        "multi_user": false,
        "pipeline_store": "database",
    }))
}
