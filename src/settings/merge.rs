//! The merge itself.

use super::endpoint::{Sources, decide};
use super::environment::Environment;
use super::file::{Auth, Network, Sandbox, SourceBuilds};
use super::load::load;
use super::pull_request::fence;
use super::{Apply, Compile, Discover, Forge, Naming, Notify, Output, Server, Settings, variables};
use crate::cli::{Color, Format, Global};
use crate::compile::CACHE_BYTES;
use crate::error::{Failure, Phase};
use crate::git;
use crate::secret::Secret;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Default of `naming.version`.
pub const DEFAULT_VERSION_NAME: &str = "v{timestamp}";
/// Default of `discover.include`.
pub const DEFAULT_INCLUDE: &str = "*_pipeline.py";

/// Merges flags, environment, configuration and defaults.
///
/// `paths` are the command's PATH arguments as given; none is the working directory.
///
/// # Errors
/// For anything the user has to mend before a run makes sense (exit 2).
pub fn merge(global: &Global, paths: &[PathBuf], environment: Environment) -> Result<Settings, Failure> {
    merge_at(global, paths, environment, None)
}

/// The same for a tree whose root is known: another commit's files in a folder that is no work tree.
///
/// # Errors
/// For anything the user has to mend before a run makes sense (exit 2).
pub fn merge_at(
    global: &Global,
    paths: &[PathBuf],
    environment: Environment,
    root: Option<&Path>,
) -> Result<Settings, Failure> {
    let working_directory = std::env::current_dir()
        .map_err(|error| Failure::usage(Phase::Settings, format!("no working directory: {error}")))?;
    let paths = absolute_paths(paths, &working_directory)?;
    let first_folder = folder_of(&paths[0]);
    let root = root
        .map(Path::to_owned)
        .or_else(|| git::work_tree(&first_folder))
        .unwrap_or_else(|| common_folder(&paths));
    for path in &paths {
        if !path.starts_with(&root) {
            return Err(Failure::usage(
                Phase::Settings,
                format!("`{}` lies outside of `{}`", path.display(), root.display()),
            )
            .hint("deploy one repository at a time"));
        }
    }
    let folders: [&Path; 2] = [&first_folder, &root];
    let loaded = load(global.config.as_deref(), &folders)?;
    let (loaded, mut notes) = fence(loaded, global.config.as_deref(), &folders, &root, &environment)?;
    let file = loaded.file;
    let registry = match &global.registry {
        Some(folder) => working_directory.join(folder),
        None => root.join(".kfp-gitops").join("registry"),
    };
    let decided = decide(Sources {
        flag: global.endpoint.as_deref().filter(|text| !text.is_empty()),
        file: file.endpoint.as_deref(),
        environment: &environment,
        registry,
    })?;
    notes.extend(decided.note);
    if global.insecure_skip_tls_verify {
        notes.push("certificates are NOT checked (`--insecure-skip-tls-verify`): anyone on the way can read and change everything".to_owned());
    }
    let ci = environment.is_ci();
    let twin =
        |name: &str, from_file: Option<String>| environment.text(name).map(str::to_owned).or(from_file);
    let server = Server {
        endpoint: decided.endpoint,
        endpoint_from: decided.from,
        namespace: global.namespace.clone().or(file.namespace),
        shared: global.shared || file.shared.unwrap_or(false),
        auth: global.auth.or(file.auth.kind),
        username: global.username.clone().or_else(|| file.auth.username.clone()),
        password: environment.secret(variables::PASSWORD),
        token: environment.secret(variables::TOKEN),
        token_file: global
            .token_file
            .clone()
            .or_else(|| file.auth.token_file.as_ref().map(PathBuf::from))
            .map(|path| working_directory.join(path)),
        service_account_token_path: environment
            .text(variables::KF_PIPELINES_SA_TOKEN_PATH)
            .map(PathBuf::from),
        cookie: environment.secret(variables::COOKIE),
        client_secret: environment.secret(variables::CLIENT_SECRET),
        headers: headers(&file.headers, environment.text(variables::HEADERS))?,
        auth_file: Auth {
            connector: twin(variables::AUTH_CONNECTOR, file.auth.connector),
            scope: twin(variables::AUTH_SCOPE, file.auth.scope),
            exchange_audience: twin(variables::AUTH_EXCHANGE_AUDIENCE, file.auth.exchange_audience),
            ..file.auth
        },
        ca_file: global
            .ca_file
            .clone()
            .or_else(|| file.ca_file.as_ref().map(PathBuf::from))
            .map(|path| working_directory.join(path)),
        insecure_skip_tls_verify: global.insecure_skip_tls_verify,
        ui_url: global.ui_url.clone().or(file.ui_url),
        concurrency: positive(
            "concurrency",
            global.concurrency.or(file.apply.concurrency).unwrap_or(8),
        )?,
        timeout: Duration::from_secs(positive(
            "timeout",
            global.timeout.or(file.apply.timeout).unwrap_or(30) as usize,
        )? as u64),
        deadline: Duration::from_secs(positive(
            "deadline",
            global.deadline.or(file.apply.deadline).unwrap_or(600) as usize,
        )? as u64),
    };
    let compile = Compile {
        python: global
            .python
            .clone()
            .or_else(|| file.compile.python.map(PathBuf::from))
            .map(|path| {
                if path.components().count() > 1 {
                    working_directory.join(path)
                } else {
                    path
                }
            }),
        kfp: match (&global.kfp_version, file.compile.kfp) {
            (Some(version), _) => Some((version.clone(), "--kfp-version".to_owned())),
            (None, Some(version)) => Some((version, super::file::FILE_NAME.to_owned())),
            (None, None) => None,
        },
        jobs: global
            .jobs
            .or(file.compile.jobs)
            .map(|jobs| positive("jobs", jobs))
            .transpose()?,
        timeout: Duration::from_secs(positive(
            "compile.timeout",
            file.compile.timeout.unwrap_or(120) as usize,
        )? as u64),
        memory: file.compile.memory.unwrap_or(2048).max(64) << 20,
        sandbox: global.sandbox.or(file.compile.sandbox).unwrap_or(Sandbox::Auto),
        network: global.network.or(file.compile.network).unwrap_or(Network::Deny),
        environment: file.compile.environment,
        requirements: file
            .compile
            .requirements
            .iter()
            .map(|path| root.join(path))
            .collect(),
        source_builds: global
            .source_builds
            .or(file.compile.source_builds)
            .unwrap_or(SourceBuilds::Deny),
        wheelhouse: match (&global.wheelhouse, &file.compile.wheelhouse) {
            (Some(folder), _) => Some(working_directory.join(folder)),
            (None, Some(folder)) => Some(root.join(folder)),
            (None, None) => None,
        },
        cache_directory: global
            .cache_dir
            .as_ref()
            .map(|folder| working_directory.join(folder)),
        cache: !global.no_cache && file.compile.cache.unwrap_or(true),
        cache_bytes: global
            .cache_size
            .or(file.compile.cache_size)
            .map_or(CACHE_BYTES, |megabytes| megabytes.saturating_mul(1 << 20)),
        disable_caching_by_default: environment.is_true(variables::KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT),
    };
    let or_default = |list: &[String], from_file: Vec<String>, default: &[&str]| {
        if !non_empty(list).is_empty() {
            non_empty(list)
        } else if !from_file.is_empty() {
            from_file
        } else {
            default.iter().map(|&text| text.to_owned()).collect()
        }
    };
    Ok(Settings {
        paths,
        config_path: loaded.path,
        ci,
        project: file.project,
        target: global.target.clone().or(file.target),
        server,
        discover: Discover {
            include: or_default(&global.include, file.discover.include, &[DEFAULT_INCLUDE]),
            exclude: or_default(&global.exclude, file.discover.exclude, &[]),
        },
        only: non_empty(&global.only),
        changed_since: global
            .changed_since
            .clone()
            .filter(|text| !text.trim().is_empty()),
        naming: Naming {
            pipeline: file.naming.pipeline.unwrap_or_else(|| "spec".to_owned()),
            version: global
                .version_name
                .clone()
                .or(file.naming.version)
                .unwrap_or_else(|| DEFAULT_VERSION_NAME.to_owned()),
        },
        pipelines: file.pipelines,
        compile,
        apply: Apply {
            refs: file.apply.refs,
            all_or_nothing: file.apply.all_or_nothing.unwrap_or(false),
            adopt: global.adopt,
            force: global.force,
        },
        output: Output {
            json: global.format == Some(Format::Json),
            results: global.results.as_ref().map(|path| working_directory.join(path)),
            color: match global.color.unwrap_or(Color::Auto) {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => {
                    !ci && std::io::stdout().is_terminal() && environment.text(variables::NO_COLOR).is_none()
                }
            },
            width: (!ci).then(terminal_width).flatten(),
            verbose: global.verbose,
            quiet: global.quiet,
            html: global.html.as_ref().map(|path| working_directory.join(path)),
            sarif: global.sarif.as_ref().map(|path| working_directory.join(path)),
        },
        notify: Notify {
            ntfy: environment
                .secret(variables::NTFY_URL)
                .or_else(|| file.notify.ntfy.as_deref().and_then(|url| Secret::new(url).ok())),
            ntfy_token: environment.secret(variables::NTFY_TOKEN),
            webhook: environment.secret(variables::WEBHOOK_URL).or_else(|| {
                file.notify
                    .webhook
                    .as_deref()
                    .and_then(|url| Secret::new(url).ok())
            }),
            unchanged: file.notify.unchanged.unwrap_or(false),
        },
        forge: Forge {
            kind: global.forge.or(file.forge.kind),
            api_url: global.forge_api_url.clone().or(file.forge.api_url),
            token: environment.secret(variables::FORGE_TOKEN),
            status: global.status.or(file.forge.status).unwrap_or(ci),
            comment: global.comment.or(file.forge.comment).unwrap_or(ci),
            summary: global.summary.or(file.forge.summary).unwrap_or(ci),
        },
        root,
        working_directory,
        environment,
        notes,
    })
}

/// Columns of the terminal that standard output is.
fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// An input that an action leaves out arrives as one empty element.
fn non_empty(list: &[String]) -> Vec<String> {
    list.iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

fn positive(name: &str, value: usize) -> Result<usize, Failure> {
    if value == 0 {
        return Err(Failure::usage(Phase::Settings, format!("`{name}` is 0")).hint("give a number from 1 on"));
    }
    Ok(value)
}

fn headers(
    from_file: &std::collections::BTreeMap<String, String>,
    from_environment: Option<&str>,
) -> Result<Vec<(String, Secret)>, Failure> {
    let mut headers = Vec::new();
    let mut add = |which: &str, name: &str, value: &str| {
        let failure = |why: &str| {
            Failure::usage(Phase::Settings, format!("{which} {why}")).hint("write one `Name: value` a line")
        };
        http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| failure("has no valid name"))?;
        http::HeaderValue::from_str(value).map_err(|_| failure("has no valid value"))?;
        headers.push((
            name.to_owned(),
            Secret::new(value).map_err(|_| failure("is empty"))?,
        ));
        Ok(())
    };
    for (name, value) in from_file {
        let which = format!("header `{}`", name.trim().escape_default());
        add(&which, name.trim(), value.trim())?;
    }
    let lines = from_environment.unwrap_or_default().lines().zip(1..);
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        // Where the colon is missing or elsewhere, what stands before it may be the secret itself.
        let which = format!("line {number} of `{}`", variables::HEADERS);
        add(&which, name.trim(), value.trim())?;
    }
    Ok(headers)
}

fn absolute_paths(paths: &[PathBuf], working_directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let default = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &default[..] } else { paths };
    paths
        .iter()
        .map(|path| {
            let joined = working_directory.join(path);
            // Only folders are resolved: a file that is a link keeps its own name.
            let missing = |error: std::io::Error| {
                Failure::usage(
                    Phase::Discover,
                    format!("cannot find `{}`: {error}", path.display()),
                )
                .hint("name a folder that holds pipelines, or a pipeline's file")
            };
            if joined.is_dir() {
                return joined.canonicalize().map_err(missing);
            }
            std::fs::symlink_metadata(&joined).map_err(missing)?;
            let parent = joined
                .parent()
                .unwrap_or(working_directory)
                .canonicalize()
                .map_err(missing)?;
            Ok(parent.join(joined.file_name().unwrap_or_default()))
        })
        .collect()
}

/// The nearest folder that holds all the paths.
fn common_folder(paths: &[PathBuf]) -> PathBuf {
    let mut common = folder_of(&paths[0]);
    while !paths.iter().all(|path| path.starts_with(&common)) && common.pop() {}
    common
}

fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.to_owned()
    } else {
        path.parent().unwrap_or(path).to_owned()
    }
}
