//! Reads from the server what a plan needs: which pipelines there are, and the newest version of ours.
//!
//! Calls: one page of 200 pipelines for each 200 the server holds (or one look-up per name, where that is
//! fewer), then one read per pipeline that exists, and one more of recent versions where the content
//! differs from the newest, and one per pipeline that carries our mark and that no file claims.

use super::decide::{Held, Identified};
use super::identity::{Identity, Rules, candidates};
use super::mark::Mark;
use super::{RemotePipeline, RemoteVersion};
use crate::compile::Compiled;
use crate::ids::{Digest, PipelineId, PipelineName};
use crate::kfp::client::Client;
use crate::kfp::error::ApiError;
use crate::kfp::model;
use futures::{StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// Items of one page; 200 is the server's own limit.
const PAGE: usize = 200;
/// Pages that are always read before look-ups by name are considered.
const FEW_PAGES: usize = 3;
/// Versions looked at to recognise a revert; every item carries its whole spec, so few.
const RECENT: usize = 20;
/// Pipelines without a file whose newest version is read; more are listed without it.
const ORPHANS: usize = 50;

/// What the server holds, as far as it was read.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Pipelines that could be one of those compiled.
    pub candidates: Vec<RemotePipeline>,
    /// Pipelines that carry our mark, the candidates among them.
    pub ours: Vec<RemotePipeline>,
    /// Whether every pipeline was looked at; else `ours` may lack some.
    pub complete: bool,
}

impl RemotePipeline {
    /// What planning needs of a pipeline.
    #[must_use]
    pub fn of(pipeline: model::Pipeline) -> Self {
        Self {
            mark: Mark::parse(&pipeline.description),
            id: pipeline.id,
            name: pipeline.name,
        }
    }
}

impl RemoteVersion {
    /// What planning needs of a version.
    #[must_use]
    pub fn of(version: model::Version) -> Self {
        Self {
            said: said(&version),
            mark: Mark::parse(&version.description),
            digest: version.spec.as_ref().map(crate::ir::Spec::digest),
            id: version.id,
            name: version.name,
            created_at: version.created_at.map(|time| time.to_rfc3339()),
            spec: version.spec,
            unreadable: version.unreadable,
        }
    }
}

/// Longest text that an unmarked version says of itself, in characters.
const SAID: usize = 200;

/// What a version that carries no mark says of itself: its description, its tags, and where its code is.
fn said(version: &model::Version) -> Option<String> {
    if Mark::parse(&version.description).is_some() {
        return None;
    }
    let first = version
        .description
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty());
    let mut parts: Vec<String> = first.map(str::to_owned).into_iter().collect();
    parts.extend(version.tags.iter().map(|(key, value)| format!("{key}={value}")));
    parts.extend(version.source.clone());
    (!parts.is_empty()).then(|| crate::report::cut::ellipsis_chars(&parts.join(", "), SAID))
}

/// The server's pipelines that could be one of these, and those that carry `mark`. All pages are read
/// where `thorough`, else as many as names to look up.
///
/// # Errors
/// When the server cannot be read.
pub async fn listing(
    client: &Client,
    compiled: &[Compiled],
    rules: &Rules,
    mark: &Mark,
    thorough: bool,
) -> Result<Listing, ApiError> {
    let names: BTreeSet<String> = compiled
        .iter()
        .flat_map(|one| candidates(one, rules))
        .map(|(name, _)| name)
        .collect();
    let wanted: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let mut listing = Listing::default();
    let mut token = None;
    let most = if thorough {
        usize::MAX
    } else {
        names.len().max(FEW_PAGES)
    };
    for _ in 0..most {
        let page = client.pipelines_page(None, PAGE, token.as_deref()).await?;
        for pipeline in page.items.into_iter().map(RemotePipeline::of) {
            if pipeline
                .mark
                .as_ref()
                .is_some_and(|theirs| mark.is_same_owner(theirs))
            {
                listing.ours.push(pipeline.clone());
            }
            if wanted.contains(&pipeline.name.as_str().to_lowercase()) {
                listing.candidates.push(pipeline);
            }
        }
        match page.next {
            Some(next) => token = Some(next),
            None => {
                listing.complete = true;
                return Ok(listing);
            }
        }
    }
    let concurrency = client.connection().concurrency;
    let by_name: Vec<Vec<model::Pipeline>> = futures::stream::iter(names.into_iter().map(PipelineName::new))
        .map(|name| async move { client.find_pipelines(&name).await })
        .buffer_unordered(concurrency)
        .try_collect()
        .await?;
    let mut unique: BTreeMap<PipelineId, RemotePipeline> = BTreeMap::new();
    for pipeline in by_name.into_iter().flatten() {
        unique.insert(pipeline.id.clone(), RemotePipeline::of(pipeline));
    }
    listing.candidates = unique.into_values().collect();
    Ok(listing)
}

/// The newest versions of pipelines that no file claims. What cannot be read is left out: nothing is
/// done with it but saying so.
pub async fn newest(
    client: &Client,
    pipelines: Vec<RemotePipeline>,
) -> Vec<(RemotePipeline, Option<RemoteVersion>)> {
    let concurrency = client.connection().concurrency;
    futures::stream::iter(pipelines.into_iter().enumerate())
        .map(|(index, pipeline)| async move {
            let newest = if index < ORPHANS {
                client.newest_version(&pipeline.id).await.ok().flatten()
            } else {
                None
            };
            (pipeline, newest.map(RemoteVersion::of))
        })
        .buffered(concurrency)
        .collect()
        .await
}

/// What the server holds of each pipeline that exists; `Err` stays with its pipeline.
pub async fn held(
    client: &Client,
    identified: &[Identified],
) -> BTreeMap<PipelineId, Result<Held, ApiError>> {
    let concurrency = client.connection().concurrency;
    let existing = identified.iter().filter_map(|one| match &one.identity {
        Ok(Identity::Existing(pipeline, _)) => Some((pipeline.id.clone(), one.digest)),
        _ => None,
    });
    // Collected first: a stream that borrows `identified` lazily would not be `Send` for every lifetime.
    let existing: Vec<(PipelineId, Digest)> = existing.collect();
    futures::stream::iter(existing)
        .map(|(id, digest)| async move {
            let held = read_held(client, &id, digest).await;
            (id, held)
        })
        .buffer_unordered(concurrency)
        .collect()
        .await
}

async fn read_held(client: &Client, id: &PipelineId, digest: Digest) -> Result<Held, ApiError> {
    let Some(newest) = client.newest_version(id).await? else {
        return Ok(Held::default());
    };
    let mut newest = RemoteVersion::of(newest);
    if newest.digest == Some(digest) {
        // A thousand unchanged specs are not held in memory.
        newest.spec = None;
        return Ok(Held {
            newest: Some(newest),
            older: Vec::new(),
        });
    }
    let older = client
        .versions(id, RECENT)
        .await?
        .into_iter()
        .map(|version| RemoteVersion {
            spec: None,
            ..RemoteVersion::of(version)
        })
        .filter(|version| version.id != newest.id)
        .collect();
    Ok(Held {
        newest: Some(newest),
        older,
    })
}
