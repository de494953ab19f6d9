//! `graph`: a pipeline's tasks as a drawing, of a source, a compiled file or a pipeline on the server.

use super::remote::{find, reach};
use super::sources::{Loaded, load};
use super::{finish, history, stopped};
use crate::cli::{Drawing, Global, GraphArgs};
use crate::error::{Class, Failure, Phase};
use crate::ir::graph::Graph;
use crate::ir::{Pipeline, Spec, canonical};
use crate::report::{Report, graph};
use crate::settings::Settings;
use std::path::Path;

/// Most nodes that are drawn.
const MOST: usize = 5_000;

/// Runs the command.
pub async fn run(settings: &Settings, global: &Global, arguments: &GraphArgs) -> u8 {
    match draw(settings, global, arguments).await {
        Ok(text) => {
            finish::say(&text);
            0
        }
        Err(failure) => finish::finish(settings, stopped(settings, "graph", failure), None).await,
    }
}

async fn draw(settings: &Settings, global: &Global, arguments: &GraphArgs) -> Result<String, Failure> {
    let name = &arguments.pipeline;
    let path = Path::new(name);
    if path.extension().is_none() && !settings.working_directory.join(path).is_file() {
        return one(&uploaded(settings, name).await?, name, arguments.form);
    }
    let mut report = Report::new("graph");
    let loaded = load(settings, global, path, &mut report).await?;
    if let Some(failure) = report.pipelines.into_iter().find_map(|one| one.error) {
        return Err(failure);
    }
    let chosen: Vec<&Loaded> = loaded
        .iter()
        .filter(|one| {
            settings.only.is_empty()
                || settings
                    .only
                    .iter()
                    .any(|only| *only == one.name || Some(only) == one.function.as_ref())
        })
        .collect();
    match chosen.as_slice() {
        [loaded] => match &loaded.spec {
            Ok(spec) => one(spec, &loaded.file, arguments.form),
            Err((_, why)) => Err(Failure::failed(Phase::Plan, why.to_string()).file(&loaded.file)),
        },
        several => {
            let names: Vec<String> = several.iter().map(|one| format!("`{}`", one.name)).collect();
            Err(Failure::usage(
                Phase::Plan,
                format!("it holds {} pipelines: {}", names.len(), names.join(", ")),
            )
            .file(name)
            .hint("choose one with `--only NAME`"))
        }
    }
}

async fn uploaded(settings: &Settings, name: &str) -> Result<Spec, Failure> {
    let remote = reach(settings).await?;
    let version = async {
        let pipeline = find(&remote, name).await?;
        history::version(&remote, &pipeline, "newest").await
    }
    .await;
    remote.connected.close().await;
    let version = version.map_err(|failure| match failure.class {
        Class::Usage => failure.hint("name a pipeline on the server (`kfp-gitops list all`), or a file"),
        _ => failure,
    })?;
    version.spec.ok_or_else(|| {
        Failure::failed(
            Phase::Plan,
            format!(
                "version `{}` of `{name}` holds no pipeline that can be read: {}",
                version.name,
                version.error.unwrap_or_default()
            ),
        )
    })
}

fn one(spec: &Spec, file: &str, form: Drawing) -> Result<String, Failure> {
    let canonical =
        canonical(spec).map_err(|error| Failure::failed(Phase::Plan, error.to_string()).file(file))?;
    let view = Pipeline::of(&canonical);
    let drawing = Graph::of(&view, MOST);
    let text = match form {
        Drawing::Json => graph::json(view.name, &drawing),
        Drawing::Mermaid => graph::mermaid::whole(&drawing),
        Drawing::Svg => graph::svg::svg(view.name, &drawing),
    };
    Ok(format!("{}\n", text.trim_end()))
}
