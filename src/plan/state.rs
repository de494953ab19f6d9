//! Reads from the server what a plan needs: which pipelines there are, and the newest version of ours.
//!
//! Calls: one page of 200 pipelines for each 200 the server holds (or one look-up per name, where that is
//! fewer), then one read per pipeline that exists, and one more of recent versions where the content
//! differs from the newest.

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
            mark: Mark::parse(&version.description),
            digest: version.spec.as_ref().map(crate::ir::Spec::digest),
            id: version.id,
            name: version.name,
            created_at: version.created_at.map(|time| time.to_rfc3339()),
            spec: version.spec,
        }
    }
}

/// The server's pipelines that could be one of these.
///
/// # Errors
/// When the server cannot be read.
pub async fn listing(
    client: &Client,
    compiled: &[Compiled],
    rules: &Rules,
) -> Result<Vec<RemotePipeline>, ApiError> {
    let names: BTreeSet<String> = compiled
        .iter()
        .flat_map(|one| candidates(one, rules))
        .map(|(name, _)| name)
        .collect();
    let wanted: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..names.len().max(FEW_PAGES) {
        let page = client.pipelines_page(None, PAGE, token.as_deref()).await?;
        found.extend(
            page.items
                .into_iter()
                .filter(|pipeline| wanted.contains(&pipeline.name.as_str().to_lowercase()))
                .map(RemotePipeline::of),
        );
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(found),
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
    Ok(unique.into_values().collect())
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
