//! The addresses a run's page may have, before anybody asked the forge.

use super::{Context, ForgeKind};

/// The run's page: by id or by number, of which Gitea's version decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunLinks {
    /// By the run's id: GitHub, and Gitea from 1.26.
    pub by_id: Option<String>,
    /// By the run's number: Gitea up to 1.25 (recorded on 1.22), and Forgejo.
    pub by_number: Option<String>,
    /// The best guess without asking.
    pub guess: Option<String>,
}

pub(super) fn candidates(context: &Context) -> RunLinks {
    let Some(page) = repository_page(context) else {
        return RunLinks::default();
    };
    let link = |run: u64| format!("{page}/actions/runs/{run}");
    let mut by_id = context.run_id.map(link);
    let by_number = context.run_number.map(link);
    if context.forge == ForgeKind::GitHub {
        if context.attempt > 1 {
            by_id = by_id.map(|link| format!("{link}/attempts/{}", context.attempt));
        }
        return RunLinks {
            guess: by_id.clone(),
            by_id,
            by_number: None,
        };
    }
    // A server that shows job summaries is 1.27 or newer, and links by id. An older one knows only the
    // number, and newer ones fall back to it.
    let guess = if context.summary_shown == Some(true) && !context.forgejo {
        by_id.clone().or_else(|| by_number.clone())
    } else {
        by_number.clone().or_else(|| by_id.clone())
    };
    RunLinks {
        by_id,
        by_number,
        guess,
    }
}

/// The repository's page: the event's address is the public one, the server's may be internal.
fn repository_page(context: &Context) -> Option<String> {
    if let Some(page) = &context.html_url {
        return Some(page.clone());
    }
    let server = context.server_url.as_ref()?;
    Some(format!("{server}/{}", context.repository.as_ref()?.full_name()))
}
