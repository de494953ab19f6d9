//! Logins: who calls the server, and how that is proved.
//!
//! Credentials are attached to calls to the endpoint only; redirects are never followed with them.

mod authenticator;
mod token_file;

pub use authenticator::Authenticator;
pub use token_file::{PROJECTED_TOKEN, TokenFile};

use crate::secret::Secret;

/// How the caller proves who it is.
#[derive(Clone, Debug, Default)]
pub enum Login {
    /// Not at all: single-user servers, and identity added by a sidecar.
    #[default]
    None,
    /// `Authorization: Bearer …` with a token that stays the same.
    Bearer(Secret),
    /// `Authorization: Bearer …` with a token in a file that somebody else renews.
    TokenFile(TokenFile),
    /// A header that names the user, for calls inside the mesh (`kubeflow-userid: alice@example.com`).
    UserHeader {
        /// The header's name.
        name: String,
        /// The user.
        user: String,
    },
    /// `Cookie: …` as copied from a browser.
    Cookie(Secret),
}
