//! The forge: commit status, the one comment on a pull request, the run's link, and what it knows of
//! branches. One client for GitHub and Gitea (Forgejo counts as Gitea), which differ in a few places.
//!
//! Nothing here can fail a deployment: what could not be told becomes a line for the log.

mod client;
mod comment;
pub mod error;
mod history;
pub mod limits;
mod link;
pub mod publish;
pub mod redact;
mod service;
mod status;

#[cfg(test)]
mod tests;

pub use client::{Client, Options};
pub use comment::Commented;
pub use error::{Fault, ForgeError};
pub use limits::Limits;
pub use status::State;

use crate::context::ForgeKind;

/// The two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// github.com and GitHub Enterprise.
    GitHub,
    /// Gitea and Forgejo.
    Gitea,
}

impl Kind {
    /// The kind as the context knows it.
    #[must_use]
    pub const fn of(kind: ForgeKind) -> Option<Self> {
        match kind {
            ForgeKind::GitHub => Some(Self::GitHub),
            ForgeKind::Gitea => Some(Self::Gitea),
            ForgeKind::Unknown | ForgeKind::None => None,
        }
    }

    /// Back again, for the wording.
    #[must_use]
    pub const fn context(self) -> ForgeKind {
        match self {
            Self::GitHub => ForgeKind::GitHub,
            Self::Gitea => ForgeKind::Gitea,
        }
    }
}
