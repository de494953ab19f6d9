//! Which forge it is, which version, and which address the run's page has.

use super::Kind;
use super::client::Client;
use super::error::ForgeError;
use super::limits::Deadline;
use crate::context::Context;
use crate::kfp::transport::{Request, Transport};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    html_url: String,
}

impl Client {
    /// The version Gitea tells of itself: `1.24.3`, `1.22.0+dev-…`, `development` (recorded), or Forgejo's
    /// `11.0.1+gitea-1.22.0`. GitHub tells none.
    ///
    /// # Errors
    /// When the forge does not answer.
    pub async fn version(&self, deadline: Deadline) -> Result<Option<String>, ForgeError> {
        if self.kind == Kind::GitHub {
            return Ok(None);
        }
        Ok(Some(
            self.get("/version", deadline).await?.json::<Version>()?.version,
        ))
    }

    /// The run's page: as the API says (Gitea from 1.25 on), else by the version (number up to 1.25, id
    /// from 1.26), else the context's guess.
    pub async fn run_link(&self, context: &Context, deadline: Deadline) -> Option<String> {
        let links = context.run_links();
        if self.kind == Kind::GitHub {
            return links.by_id;
        }
        if links.by_id == links.by_number {
            return links.guess;
        }
        if context.forgejo {
            return links.by_number.or(links.guess);
        }
        if let Some(id) = context.run_id {
            let path = self.repository_path(&format!("actions/runs/{id}"));
            match self.once(&http::Method::GET, &path, None, deadline).await {
                Ok(answer) => {
                    let told = answer.json::<Run>().map(|run| run.html_url).unwrap_or_default();
                    if told.starts_with("http://") || told.starts_with("https://") {
                        return Some(told);
                    }
                }
                // Who does not answer this does not tell the version either.
                Err(error) if error.status.is_none() => return links.guess,
                Err(_) => {}
            }
        }
        let version = self.version(deadline).await.ok().flatten();
        match version.as_deref().and_then(minor) {
            _ if version.as_deref().is_some_and(is_forgejo) => links.by_number.or(links.guess),
            Some(version) if version >= (1, 26) => links.by_id.or(links.guess),
            Some(_) => links.by_number.or(links.guess),
            None => links.guess,
        }
    }
}

fn is_forgejo(version: &str) -> bool {
    version.contains("+gitea-")
}

/// Major and minor of a version that begins with numbers.
fn minor(version: &str) -> Option<(u64, u64)> {
    let (major, rest) = version.trim_start_matches('v').split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Which forge answers at an unknown address, and where its API is: asked once, without any token.
pub async fn probe(transport: &dyn Transport, server: &str, limit: Duration) -> Option<(Kind, String)> {
    let server = server.trim_end_matches('/');
    let ask = async |path: &str| -> Option<serde_json::Value> {
        let mut request = Request::new(http::Method::GET, Url::parse(&format!("{server}{path}")).ok()?);
        request.timeout = limit;
        request.response_limit = 1 << 20;
        let answer = transport.send(request).await.ok()?;
        if !answer.status.is_success() {
            return None;
        }
        serde_json::from_slice(&answer.body).ok()
    };
    if ask("/api/v1/version")
        .await
        .is_some_and(|answer| answer["version"].is_string())
    {
        return Some((Kind::Gitea, format!("{server}/api/v1")));
    }
    // GitHub Enterprise tells what it is to everybody.
    if ask("/api/v3/meta").await.is_some_and(|answer| answer.is_object()) {
        return Some((Kind::GitHub, format!("{server}/api/v3")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_far_as_they_go() {
        assert_eq!(minor("1.24.3"), Some((1, 24)));
        assert_eq!(minor("v1.26.0-rc0"), Some((1, 26)));
        assert_eq!(minor("1.22.0+dev-12-g123"), Some((1, 22)));
        assert_eq!(minor("development"), None);
        assert!(is_forgejo("11.0.1+gitea-1.22.0") && !is_forgejo("1.22.0+dev-12"));
    }
}
