//! `list`: the pipelines on the server.

use super::remote::{Owner, Remote, end, failed, reach};
use crate::cli::Which;
use crate::error::Failure;
use crate::ids::{Digest, PipelineId, VersionId, VersionName};
use crate::ir::Spec;
use crate::kfp::model::Pipeline;
use crate::plan::mark::Mark;
use crate::report::table::table;
use crate::report::text::Paint;
use crate::settings::Settings;
use futures::StreamExt;
use serde::Serialize;

/// Items of one page; 200 is the server's own limit.
const PAGE: usize = 200;
/// Pipelines up to which the newest version of each is read; beyond only with `-v`.
const FEW: usize = 200;

/// The pipelines on the server.
#[derive(Debug, Serialize)]
pub struct List {
    schema: u32,
    command: &'static str,
    endpoint: String,
    which: &'static str,
    /// All that the server holds, listed or not.
    total: usize,
    pipelines: Vec<Listed>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct Listed {
    name: String,
    display_name: Option<String>,
    pipeline_id: PipelineId,
    namespace: Option<String>,
    created_at: Option<String>,
    /// `null` for what was uploaded by hand.
    owner: Option<Owner>,
    mine: bool,
    newest: Option<Newest>,
    /// `null` where no browser would find anything.
    url: Option<String>,
    #[serde(skip)]
    owned_by: String,
}

/// The newest version of a listed pipeline.
#[derive(Debug, Serialize)]
pub struct Newest {
    version_id: VersionId,
    version_name: VersionName,
    created_at: Option<String>,
    digest: Option<Digest>,
    owner: Option<Owner>,
}

/// Runs the command.
pub async fn run(settings: &Settings, which: Which) -> u8 {
    let result = async {
        let remote = reach(settings).await?;
        let list = read(settings, &remote, which).await;
        remote.connected.close().await;
        list
    }
    .await;
    end(settings, "list", result, |list| {
        text(list, Paint(settings.output.color), settings.output.width)
    })
    .await
}

async fn read(settings: &Settings, remote: &Remote, which: Which) -> Result<List, Failure> {
    let client = &remote.connected.client;
    let mut total = 0;
    let mut kept: Vec<(Pipeline, Option<Mark>, bool)> = Vec::new();
    let mut token = None;
    loop {
        let page = client
            .pipelines_page(None, PAGE, token.as_deref())
            .await
            .map_err(|error| failed(&error, "list the pipelines"))?;
        total += page.items.len();
        for pipeline in page.items {
            let mark = Mark::parse(&pipeline.description);
            let mine = mark
                .as_ref()
                .is_some_and(|theirs| remote.mark.is_same_owner(theirs));
            let wanted = match which {
                Which::All => true,
                Which::Mine => mine,
                Which::Unmanaged => mark.is_none(),
            };
            if wanted {
                kept.push((pipeline, mark, mine));
            }
        }
        match page.next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    let look = kept.len() <= FEW || settings.output.verbose > 0;
    let concurrency = client.connection().concurrency;
    let mut pipelines: Vec<Listed> = futures::stream::iter(kept)
        .map(|(pipeline, mark, mine)| async move {
            let newest = if look {
                client.newest_version(&pipeline.id).await?
            } else {
                None
            };
            let newest = newest.map(|version| Newest {
                digest: version.spec.as_ref().map(Spec::digest),
                owner: Mark::parse(&version.description).as_ref().map(Owner::of),
                version_id: version.id,
                version_name: version.name,
                created_at: version.created_at.map(|time| time.to_rfc3339()),
            });
            Ok(Listed {
                url: client.links().pipeline(&pipeline.id),
                name: pipeline.name.as_str().to_owned(),
                display_name: pipeline.display_name,
                pipeline_id: pipeline.id,
                namespace: pipeline.namespace,
                created_at: pipeline.created_at.map(|time| time.to_rfc3339()),
                owned_by: mark.as_ref().map_or_else(String::new, Mark::owner),
                owner: mark.as_ref().map(Owner::of),
                mine,
                newest,
            })
        })
        .buffered(concurrency)
        .collect::<Vec<Result<Listed, _>>>()
        .await
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error, "read the newest versions"))?;
    pipelines.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(List {
        schema: 1,
        command: "list",
        endpoint: settings.server.endpoint.display(),
        which: which.as_str(),
        total,
        pipelines,
    })
}

fn text(list: &List, paint: Paint, width: Option<usize>) -> String {
    let rows: Vec<[String; 6]> = list
        .pipelines
        .iter()
        .map(|one| {
            let newest = one.newest.as_ref();
            let commit = newest.and_then(|newest| newest.owner.as_ref()?.commit.as_ref());
            let by = if one.owner.is_none() {
                "by hand".to_owned()
            } else {
                one.owned_by.clone()
            };
            [
                one.name.clone(),
                newest.map_or_else(String::new, |newest| newest.version_name.to_string()),
                newest
                    .and_then(|newest| newest.created_at.clone())
                    .unwrap_or_default(),
                commit.map_or_else(String::new, |commit| commit.chars().take(7).collect()),
                newest
                    .and_then(|newest| newest.digest)
                    .map_or_else(String::new, |digest| digest.short()),
                by,
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        String::new()
    } else {
        table(
            ["PIPELINE", "NEWEST", "CREATED", "COMMIT", "DIGEST", "MANAGED BY"],
            &rows,
            paint,
            width,
        )
    };
    let others = list.total - list.pipelines.len();
    let mut last = crate::report::wording::number(list.pipelines.len(), "pipeline");
    if others > 0 {
        last.push_str(&format!(", {others} not listed (`kfp-gitops list all`)"));
    }
    text.push_str(&paint.bold(&last));
    text.push('\n');
    text
}
