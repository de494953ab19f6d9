//! Who may do what, on a server in multi-user mode.
//!
//! A stand-in for the cluster's own answer: a list of rights. The words are those of the multi-user recording of
//! 2.17.0, including its reason for a refusal.

use super::answer::{Code, Refusal};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::collections::BTreeMap;

/// The people and machines a multi-user server knows.
#[derive(Clone, Debug)]
pub struct Users {
    header: String,
    rights: Vec<Right>,
    tokens: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Right {
    user: String,
    namespace: String,
    verbs: Vec<String>,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            header: "kubeflow-userid".to_owned(),
            rights: Vec::new(),
            tokens: BTreeMap::new(),
        }
    }
}

impl Users {
    /// Lets `user` do `verbs` (`create`, `get`, `list`, `update`, `delete`) in `namespace`.
    #[must_use]
    pub fn allow(mut self, user: &str, namespace: &str, verbs: &[&str]) -> Self {
        let verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
        self.rights.push(Right {
            user: user.to_owned(),
            namespace: namespace.to_owned(),
            verbs,
        });
        self
    }

    /// Takes `Authorization: Bearer <token>` for `user`.
    #[must_use]
    pub fn token(mut self, token: &str, user: &str) -> Self {
        self.tokens.insert(token.to_owned(), user.to_owned());
        self
    }

    /// Checks a call.
    ///
    /// # Errors
    /// Nobody knows who calls, or they may not.
    pub(super) fn check(&self, headers: &HeaderMap, call: &Call<'_>) -> Result<(), Denied> {
        let user = self.identify(headers)?;
        let allowed = self.rights.iter().any(|right| {
            right.user == user
                && right.namespace == call.namespace
                && right.verbs.iter().any(|verb| verb == call.verb)
        });
        if allowed {
            Ok(())
        } else {
            Err(Denied::forbidden(&user, call))
        }
    }

    fn identify(&self, headers: &HeaderMap) -> Result<String, Denied> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(user) = text(&self.header).filter(|user| !user.is_empty()) {
            return Ok(user.to_owned());
        }
        let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        match bearer {
            Some(token) => self
                .tokens
                .get(token)
                .cloned()
                .ok_or_else(|| Denied::unknown(true)),
            None => Err(Denied::unknown(false)),
        }
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) verb: &'a str,
    /// `pipelines` or `experiments`.
    pub(super) resource: &'a str,
    pub(super) namespace: &'a str,
    /// The name in the request to the cluster; often empty.
    pub(super) name: &'a str,
    /// The id in the message; often empty.
    pub(super) id: &'a str,
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Denied {
    code: Code,
    words: String,
    short: String,
}

impl Denied {
    fn unknown(with_token: bool) -> Self {
        let short = "Failed to check authorization. User identity is empty in the request header";
        let no_header = "Unauthenticated: Request header error: there is no user identity header.: Request header \
                         error: there is no user identity header.";
        let cause = if with_token {
            format!(
                "[{no_header}, Authentication failure: Unauthenticated: Review.Status.Authenticated is false. Error : \
                 Failed to authenticate token review]"
            )
        } else {
            no_header.to_owned()
        };
        Self {
            code: Code::Unauthenticated,
            words: format!("Unauthenticated: {short}: {cause}"),
            short: short.to_owned(),
        }
    }

    fn forbidden(user: &str, call: &Call<'_>) -> Self {
        let short = format!(
            "User '{user}' is not authorized with reason: refused by the stand-in (request: \
             &ResourceAttributes{{Namespace:{},Verb:{},Group:pipelines.kubeflow.org,Version:v1beta1,Resource:{},\
             Subresource:,Name:{},FieldSelector:nil,LabelSelector:nil,}})",
            call.namespace, call.verb, call.resource, call.name
        );
        Self {
            code: Code::PermissionDenied,
            words: format!("PermissionDenied: {short}: Unauthorized access"),
            short,
        }
    }

    /// The refusal as the gateway gives it; the upload endpoints tell nothing of it.
    pub(super) fn refusal(self, context: &str, call: &Call<'_>) -> Refusal {
        let thing = call.resource.trim_end_matches('s');
        let message = format!(
            "{context}: Failed to access {thing} {}. Check if you have access to namespace {}: {}",
            call.id, call.namespace, self.words
        );
        Refusal::Status {
            code: self.code,
            message,
            short: Some(self.short),
        }
    }
}
