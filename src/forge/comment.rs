//! The one comment on a pull request, edited in place.
//!
//! Found by its hidden first line and by its author. Whatever happens (two runs at once, a lost answer),
//! there is one in the end: after creating, everybody lists again, the lowest id stays, and later ones
//! of ours go.

use super::Kind;
use super::client::Client;
use super::error::{Fault, ForgeError};
use super::limits::Deadline;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

/// The most pages of comments that are read.
const PAGES: usize = 30;

/// Comments a page: GitHub's most; Gitea gives fewer when its own limit is lower.
const PAGE: usize = 100;

#[derive(Clone, Debug, Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Clone, Debug, Deserialize)]
struct User {
    #[serde(default)]
    login: String,
}

/// What became of the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commented {
    /// There was none, and now there is one.
    Created,
    /// It says something new.
    Edited,
    /// It said this already.
    Unchanged,
    /// There was none, and none was wanted.
    None,
}

impl Client {
    /// Makes the pull request's comment say `body`, which begins with `marker`. `start` says whether one
    /// is started where there is none.
    ///
    /// # Errors
    /// When the forge does not let it.
    pub async fn comment(
        &self,
        number: u64,
        marker: &str,
        body: &str,
        start: bool,
        deadline: Deadline,
    ) -> Result<Commented, ForgeError> {
        let (me, listed) = tokio::join!(self.login(deadline), self.comments(number, deadline));
        let me = me?;
        let own = own(listed?, marker, &me);
        if own.is_empty() {
            if !start {
                return Ok(Commented::None);
            }
            let own = self.create(number, marker, body, &me, deadline).await?;
            self.settle(&own, body, deadline).await?;
            return Ok(Commented::Created);
        }
        match self.settle(&own, body, deadline).await {
            // Somebody deleted it in between.
            Err(error) if error.fault == Fault::NotFound && start => {
                let own = self.create(number, marker, body, &me, deadline).await?;
                self.settle(&own, body, deadline).await?;
                Ok(Commented::Created)
            }
            settled => settled,
        }
    }

    /// The lowest id stays and says `body`; later ones of ours go.
    async fn settle(&self, own: &[Comment], body: &str, deadline: Deadline) -> Result<Commented, ForgeError> {
        // Created, and the list does not show it yet: nothing more can be known.
        let Some((first, later)) = own.split_first() else {
            return Ok(Commented::Created);
        };
        self.remove(later, deadline).await;
        if first.body.as_deref().map(str::trim_end) == Some(body.trim_end()) {
            return Ok(Commented::Unchanged);
        }
        self.edit(first.id, body, deadline).await?;
        Ok(Commented::Edited)
    }

    /// Creates, asks what happened, and repeats once when it certainly did not happen. Gives back all own
    /// comments, the lowest id first.
    async fn create(
        &self,
        number: u64,
        marker: &str,
        body: &str,
        me: &str,
        deadline: Deadline,
    ) -> Result<Vec<Comment>, ForgeError> {
        let path = self.repository_path(&format!("issues/{number}/comments"));
        let said = json!({ "body": body });
        let mut repeated = false;
        loop {
            let sent = self.once(&Method::POST, &path, Some(&said), deadline).await;
            let sent = sent.and_then(|answer| answer.json::<Comment>().map(|_| ()));
            if let Err(error) = &sent
                && !error.passing()
                && !error.perhaps_done()
            {
                return Err(error.clone());
            }
            // Also after a success: another run may have created one in the meantime.
            let listed = match (self.comments(number, deadline).await, &sent) {
                (Ok(listed), _) => listed,
                (Err(_), Ok(_)) => return Ok(Vec::new()),
                (Err(_), Err(error)) => return Err(error.clone()),
            };
            let own = own(listed, marker, me);
            match sent {
                Ok(_) => return Ok(own),
                Err(_) if !own.is_empty() => return Ok(own),
                Err(error) if repeated => return Err(error),
                Err(error) => {
                    let pause = error.retry_after.unwrap_or(self.limits.pause);
                    if pause >= deadline.left() {
                        return Err(error);
                    }
                    tokio::time::sleep(pause).await;
                    repeated = true;
                }
            }
        }
    }

    async fn edit(&self, id: u64, body: &str, deadline: Deadline) -> Result<(), ForgeError> {
        let path = self.repository_path(&format!("issues/comments/{id}"));
        let answer = self
            .repeated(&Method::PATCH, &path, Some(&json!({ "body": body })), deadline)
            .await?;
        // A proxy's page with a 200 is no edit.
        answer.json::<Comment>().map(|_| ())
    }

    /// Removes comments of ours. One that is gone already is as good, and one that stays is removed by the
    /// next run.
    async fn remove(&self, later: &[Comment], deadline: Deadline) {
        for comment in later {
            let path = self.repository_path(&format!("issues/comments/{}", comment.id));
            let gone = self.repeated(&Method::DELETE, &path, None, deadline).await;
            if let Err(error) = gone.map(|_| ()) {
                tracing::debug!(%error, "a second comment stays");
            }
        }
    }

    /// All comments of a pull request.
    async fn comments(&self, number: u64, deadline: Deadline) -> Result<Vec<Comment>, ForgeError> {
        let mut comments: Vec<Comment> = Vec::new();
        let mut seen = BTreeSet::new();
        for page in 1..=PAGES {
            let query = format!("issues/{number}/comments?per_page={PAGE}&limit={PAGE}&page={page}");
            let answer = self.get(&self.repository_path(&query), deadline).await?;
            let total = answer
                .headers
                .get("x-total-count")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            let listed: Vec<Comment> = answer.json()?;
            let before = seen.len();
            comments.extend(listed.into_iter().filter(|comment| seen.insert(comment.id)));
            // Gitea 1.22 gives everything on every page, and tells how many there are (recorded).
            let all = total.is_some_and(|total: usize| seen.len() >= total);
            let fresh = seen.len() - before;
            if all || fresh == 0 || (self.kind == Kind::GitHub && fresh < PAGE) {
                break;
            }
        }
        Ok(comments)
    }

    /// Who we are. GitHub's job token may not ask (403), and always writes as this bot.
    async fn login(&self, deadline: Deadline) -> Result<String, ForgeError> {
        match self.get("/user", deadline).await {
            Ok(answer) => Ok(answer.json::<User>()?.login),
            Err(error) if self.kind == Kind::GitHub && error.fault == Fault::Forbidden => {
                Ok("github-actions[bot]".to_owned())
            }
            Err(error) => Err(error),
        }
    }
}

/// The comments with our first line, written by us, the lowest id first.
fn own(listed: Vec<Comment>, marker: &str, me: &str) -> Vec<Comment> {
    let mut own: Vec<Comment> = listed
        .into_iter()
        .filter(|comment| {
            comment
                .body
                .as_deref()
                .is_some_and(|body| body.trim_start().starts_with(marker))
        })
        .filter(|comment| {
            comment
                .user
                .as_ref()
                .is_some_and(|user| user.login.eq_ignore_ascii_case(me))
        })
        .collect();
    own.sort_by_key(|comment| comment.id);
    own
}
