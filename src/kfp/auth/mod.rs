//! Logins: who calls the server, and how that is proved.
//!
//! Credentials are attached to calls to the endpoint only; redirects are never followed with them. A login
//! that can be made anew is, shortly before it runs out and whenever the server refuses it.

mod authenticator;
mod ci_identity;
mod client_credentials;
mod dex;
mod forms;
mod grant;
mod token_file;

pub use authenticator::Authenticator;
pub use ci_identity::{CiIdentity, TokenExchange};
pub use client_credentials::ClientCredentials;
pub use dex::DexLogin;
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
    /// User and password at Dex, through an oauth2-proxy (or the older authservice) in front of the API.
    Dex(DexLogin),
    /// The identity token of the CI platform, as it is or exchanged for another.
    CiIdentity(CiIdentity),
    /// The OAuth 2 client-credentials grant.
    ClientCredentials(ClientCredentials),
}
