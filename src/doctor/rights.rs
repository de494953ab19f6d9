//! What this identity may do in the namespace, as far as reads can tell.

use super::{Finding, Subject, login, manifests};
use crate::ids::PipelineId;
use crate::kfp::Client;
use crate::kfp::error::ErrorKind;
use crate::kfp::model::Server;

/// What no call can try without writing.
const UNTRIED: &str = "`create` and `delete` are not tested: no safe call tells, except from a pod with the same service account";

/// The finding where the cluster told, which the server itself asks as well.
fn by_verb(verbs: &[(&str, bool)], namespace: &str, role: String) -> Finding {
    let those = |wanted: bool| {
        let of: Vec<String> = verbs
            .iter()
            .filter(|(_, allowed)| *allowed == wanted)
            .map(|(verb, _)| format!("`{verb}`"))
            .collect();
        of.join(", ")
    };
    let allowed = format!("allowed in `{namespace}`: {}", those(true));
    if verbs.iter().all(|(_, allowed)| *allowed) {
        return Finding::passed("rights", format!("{allowed} (asked of the cluster)"));
    }
    let refused = format!("refused in `{namespace}`: {}", those(false));
    let said = if verbs.iter().any(|(_, allowed)| *allowed) {
        format!("{refused}; {allowed} (asked of the cluster)")
    } else {
        format!("{refused} (asked of the cluster)")
    };
    Finding::failed("rights", said, "apply this Role and RoleBinding").paste(role)
}

/// The finding. `listed` is a pipeline of the namespace, from the list that the login check made, which is
/// what proved `list`.
///
/// An id that nobody has would tell nothing: the server looks a pipeline up before it asks for the caller's
/// rights, and answers 404 to everybody.
pub async fn check(
    client: &Client,
    server: &Server,
    subject: &Subject,
    listed: Option<&PipelineId>,
) -> Finding {
    if !server.multi_user {
        return Finding::skipped("rights", "a single-user server asks nobody for rights");
    }
    let Some(namespace) = client.namespace() else {
        return Finding::skipped(
            "rights",
            format!("everybody may read shared pipelines, so that reads prove nothing; {UNTRIED}"),
        );
    };
    let caller = login::caller(&subject.connection.login);
    let role = manifests::role(namespace, caller.as_deref());
    let cluster = subject
        .cluster
        .as_ref()
        .filter(|cluster| caller.is_some() && cluster.account() == caller);
    if let Some(cluster) = cluster
        && let Ok(verbs) = cluster.allowed(namespace).await
    {
        return by_verb(&verbs, namespace, role);
    }
    let passed = |said: String| {
        Finding::passed("rights", format!("{said}; {UNTRIED}"))
            .cure("if an upload is refused with a bare 400, this identity lacks `create`: apply this")
            .paste(role.clone())
    };
    let Some(id) = listed else {
        return passed(format!(
            "`list` is allowed in `{namespace}`; `get` cannot be told while it has no pipeline"
        ));
    };
    match client.pipeline(id).await {
        Ok(Some(_)) => passed(format!("`list` and `get` are allowed in `{namespace}`")),
        Ok(None) => passed(format!(
            "`list` is allowed in `{namespace}`; `get` cannot be told: the pipeline asked for has just gone"
        )),
        Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Unauthenticated) => {
            Finding::failed(
                "rights",
                format!(
                    "`list` is allowed in `{namespace}`, `get` is refused: {}",
                    error.message
                ),
                "apply this Role and RoleBinding",
            )
            .paste(role)
        }
        Err(error) => Finding::skipped("rights", format!("the server did not say: {}", error.message)),
    }
}
