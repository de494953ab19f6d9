//! What this identity may do in the namespace, as far as reads can tell.

use super::{Finding, Subject, login, manifests};
use crate::ids::PipelineId;
use crate::kfp::Client;
use crate::kfp::error::ErrorKind;
use crate::kfp::model::Server;

/// An id that no pipeline has: asking for it needs the right to get, and changes nothing.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// The finding.
pub async fn check(client: &Client, server: &Server, subject: &Subject, logged_in: bool) -> Finding {
    if !server.multi_user {
        return Finding::skipped("rights", "a single-user server asks nobody for rights");
    }
    if !logged_in {
        return Finding::skipped("rights", "the login is refused");
    }
    let namespace = client.namespace().unwrap_or("(shared)").to_owned();
    let caller = login::caller(&subject.connection.login);
    match client.pipeline(&PipelineId::new(NOBODY)).await {
        // 404 says that the question itself was allowed. `list` was proved by the login check.
        Ok(_) => Finding::passed(
            "rights",
            format!("`list` and `get` are allowed in `{namespace}`; `create` and `delete` cannot be tried without writing"),
        )
        .cure("if an upload is refused with a bare 400, this identity lacks `create`: apply this")
        .paste(manifests::role(&namespace, caller.as_deref())),
        Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Unauthenticated) => {
            Finding::failed("rights", format!("`get` is refused in `{namespace}`: {}", error.message), "apply this Role and RoleBinding")
                .paste(manifests::role(&namespace, caller.as_deref()))
        }
        Err(error) => Finding::skipped("rights", format!("the server did not say: {}", error.message)),
    }
}
