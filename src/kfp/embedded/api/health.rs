//! Who is answering.

use super::super::answer::json_answer;
use super::super::dialect::PipelineStore;
use super::Registry;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

/// `GET /healthz` (recordings: `healthz`).
pub async fn health(State(registry): State<Registry>) -> Response {
    let dialect = &registry.dialect;
    let mut body = json!({
        "commit_sha": "0000000",
        "tag_name": dialect.version(),
        "multi_user": dialect.users().is_some(),
    });
    if dialect.tells_store() {
        body["pipeline_store"] = match dialect.store() {
            PipelineStore::Database => json!("database"),
            PipelineStore::Kubernetes => json!("kubernetes"),
        };
    }
    if dialect.takes_conditions() {
        body["conditional_uploads"] = json!(true);
    }
    json_answer(&body)
}
