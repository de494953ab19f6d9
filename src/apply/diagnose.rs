//! What a refused write means, where the answer alone does not say.

use crate::error::{Class, Failure, Phase};
use crate::ids::PipelineId;
use crate::kfp::Client;
use crate::kfp::advice;
use crate::kfp::error::{ApiError, ErrorKind};

/// Signs of a spec the server cannot read, in the words of 2.0.5 to 2.17.0. Up to 2.16.1 they come with
/// status 500; 2.15.0 to 2.16.1 say nothing at all.
const BAD_SPEC: [&str; 5] = [
    "unknown template format",
    "pipeline spec is invalid",
    "supports schema version",
    "pipeline's name must contain",
    "template creation error",
];

/// Signs of a name that is taken: 2.0.x answers 500 with these words to an upload.
const TAKEN: [&str; 2] = ["already exist", "AlreadyExists"];

/// Whether the server says that it cannot read the spec.
#[must_use]
pub fn is_bad_spec(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::Refused | ErrorKind::Server)
        && BAD_SPEC.iter().any(|sign| error.message.contains(sign))
}

/// Whether the server says that the name is taken.
#[must_use]
pub fn is_taken(error: &ApiError) -> bool {
    error.kind == ErrorKind::Conflict
        || (error.kind == ErrorKind::Server && TAKEN.iter().any(|sign| error.message.contains(sign)))
}

/// Whether this is the API's own 500, which on 2.15.0 to 2.16.1 is all that a spec it cannot read gets.
#[must_use]
pub fn is_silent_500(error: &ApiError, client: &Client) -> bool {
    let can = client.capabilities();
    error.status == Some(500)
        && can.bad_spec_is_500
        && can.silent_refusals
        && error.message.starts_with("Failed to create")
}

/// The failure for an upload that was surely refused, found out with a read where the answer says nothing.
pub async fn refused_upload(client: &Client, pipeline: &PipelineId, error: ApiError, doing: &str) -> Failure {
    if is_bad_spec(&error) {
        return bad_spec(client, &error, doing);
    }
    if error.kind != ErrorKind::Refused {
        return advice::failure(&error, Phase::Apply, doing);
    }
    if error.message.contains("authorization error") || error.message.contains("Unauthorized") {
        return not_allowed(doing, &error.message);
    }
    // Since 2.15.0 a missing permission, an unknown pipeline and an unreadable file share one answer.
    match client.pipeline(pipeline).await {
        Err(read)
            if matches!(
                read.kind,
                ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotLoggedIn
            ) =>
        {
            advice::failure(&read, Phase::Apply, doing)
        }
        Err(_) => advice::failure(&error, Phase::Apply, doing),
        Ok(None) => Failure::new(
            Phase::Apply,
            Class::Infrastructure,
            format!("{doing}: the pipeline was deleted in the meantime"),
        )
        .hint("run again: it is created anew"),
        Ok(Some(_)) if says_nothing(&error.message) && is_multi_user(client) => {
            not_allowed(doing, &error.message)
        }
        Ok(Some(_)) => advice::failure(&error, Phase::Apply, doing),
    }
}

/// The failure for a 500 that stayed a 500 while reads succeed.
#[must_use]
pub fn stubborn_500(error: &ApiError, doing: &str) -> Failure {
    let mut failure = Failure::failed(
        Phase::Apply,
        format!("{doing}: status 500 every time: {}", error.message),
    );
    failure.hint = Some(
        "servers before 2.17.0 answer this to a spec they cannot read: compile with a kfp not newer than the server, \
         or look into the server's log"
            .to_owned(),
    );
    failure
}

fn bad_spec(client: &Client, error: &ApiError, doing: &str) -> Failure {
    let version = client
        .known_server()
        .and_then(|server| server.version)
        .map_or_else(|| "the server".to_owned(), |version| format!("server {version}"));
    Failure::failed(
        Phase::Apply,
        format!("{doing}: {version} cannot read the spec: {}", error.message),
    )
    .hint("compile with a kfp version not newer than the server, or leave out what it does not know")
}

fn not_allowed(doing: &str, message: &str) -> Failure {
    Failure::usage(
        Phase::Apply,
        format!("{doing}: this identity may read the pipeline but not write it ({message})"),
    )
    .hint("run `kfp-gitops doctor`: it prints the Role and RoleBinding this identity needs")
}

fn says_nothing(message: &str) -> bool {
    matches!(
        message,
        "Failed to create a pipeline version"
            | "Failed to create a pipeline"
            | "Failed to create a pipeline and a pipeline version"
    )
}

fn is_multi_user(client: &Client) -> bool {
    client.known_server().is_some_and(|server| server.multi_user)
}
