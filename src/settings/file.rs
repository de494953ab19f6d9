//! The optional configuration file `kfp-gitops.yaml`, as typed values.
//!
//! Unknown keys are errors; the JSON Schema in `schema/kfp-gitops.schema.json` is made from these types.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file's name, looked for in PATH and then in the root.
pub const FILE_NAME: &str = "kfp-gitops.yaml";

/// Configuration of kfp-gitops. Every key is optional.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "kfp-gitops.yaml")]
pub struct File {
    /// Version of this format; 1 is the only one.
    pub version: Option<u32>,
    /// Name under which this repository marks what it uploads; by default the repository's name.
    pub project: Option<String>,
    /// Label of where is deployed to, such as `prod`; shown in status, comment and marks.
    pub target: Option<String>,
    /// Address of the pipelines server, or `embedded`.
    pub endpoint: Option<String>,
    /// Namespace on a multi-user server.
    pub namespace: Option<String>,
    /// On a multi-user server without a namespace: deploy shared pipelines.
    pub shared: Option<bool>,
    /// Address of the pipelines UI, for links.
    pub ui_url: Option<String>,
    /// File with certificates to trust beside the system's.
    pub ca_file: Option<String>,
    /// How to log in.
    pub auth: Auth,
    /// Extra headers for the pipelines server. Not for secrets: those go into the environment.
    pub headers: BTreeMap<String, String>,
    /// Which files hold pipelines.
    pub discover: Discover,
    /// How pipelines and versions are named on the server.
    pub naming: Naming,
    /// What is to be known about single pipelines, by their name on the server.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// How pipelines are compiled.
    pub compile: Compile,
    /// How changes are carried out.
    pub apply: Apply,
    /// Who is told.
    pub notify: Notify,
    /// The forge: statuses and comments.
    pub forge: Forge,
}

/// How to log in to the pipelines server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The kind of login.
    pub kind: Option<AuthKind>,
    /// File that holds a bearer token; read again before it expires.
    pub token_file: Option<String>,
    /// User for the `kubeflow-userid` header or a Dex password login.
    pub username: Option<String>,
    /// Audience of a CI platform's identity token, or of a client-credentials grant.
    pub audience: Option<String>,
    /// Token endpoint of a client-credentials grant, or of an exchange of the CI platform's identity token.
    pub token_url: Option<String>,
    /// Client id of a client-credentials grant or of an exchange.
    pub client_id: Option<String>,
    /// Scope of a client-credentials grant.
    pub scope: Option<String>,
    /// Dex's connector: the one to log in at where it offers several (`local` otherwise), or the one that
    /// trusts the CI platform in an exchange.
    pub connector: Option<String>,
    /// Audience of the token that an exchange gives, where it is not the CI platform's token's own.
    pub exchange_audience: Option<String>,
}

/// The kinds of login.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum AuthKind {
    /// No login.
    None,
    /// A bearer token from the environment or a file.
    Bearer,
    /// The pod's projected service-account token.
    ServiceAccount,
    /// The `kubeflow-userid` header, for use inside the mesh.
    UserHeader,
    /// User and password at Dex, through oauth2-proxy.
    Dex,
    /// A session cookie.
    Cookie,
    /// The identity token of the CI platform.
    Oidc,
    /// OAuth 2 client credentials.
    ClientCredentials,
}

/// Which files hold pipelines.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Discover {
    /// Globs of files to take, relative to PATH; default `*_pipeline.py`, which is PATH itself only.
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    pub exclude: Vec<String>,
}

/// How pipelines and versions are named on the server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Naming {
    /// Name of a pipeline that the server does not have yet: `spec` (default), `stem`, or a template of
    /// `{spec}`, `{stem}` and `{project}`.
    pub pipeline: Option<String>,
    /// Name of a run's versions: `strftime` and `{timestamp}`, `{sha7}`, `{tag}`, `{run}`, and `{semver}`, which
    /// gives each pipeline its own: the nearest git tag or newest version, raised by what its changes ask for;
    /// default `v{timestamp}`.
    pub version: Option<String>,
}

/// One pipeline.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pipeline {
    /// The file it comes from, relative to the root.
    pub file: Option<String>,
    /// The function in the file, where it holds several.
    pub function: Option<String>,
    /// Values for the pipeline's parameters, set at compile time (`kfp dsl compile --pipeline-parameters`).
    pub parameters: BTreeMap<String, serde_json::Value>,
}

impl Pipeline {
    /// Whether this entry, found under `name`, speaks of a file: the one it names, else one whose stem is
    /// the name (with `_` for `-`, with or without `_pipeline`).
    #[must_use]
    pub fn applies_to(&self, name: &str, path: &crate::ids::SourcePath) -> bool {
        match &self.file {
            Some(file) => file.trim_start_matches("./") == path.as_str(),
            None => {
                let is = |stem: &str| {
                    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte };
                    stem.len() == name.len() && name.bytes().map(plain).eq(stem.bytes())
                };
                is(path.stem()) || path.stem().strip_suffix("_pipeline").is_some_and(is)
            }
        }
    }
}

/// How pipelines are compiled.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compile {
    /// Exact kfp version.
    pub kfp: Option<String>,
    /// The interpreter to use.
    pub python: Option<String>,
    /// Children that compile at the same time; default the processor cores.
    pub jobs: Option<usize>,
    /// Seconds one file may take; default 120.
    pub timeout: Option<u64>,
    /// Megabytes of memory one file may take; default 2048.
    pub memory: Option<u64>,
    /// Whether a run without isolation is refused, possible, or asked for.
    pub sandbox: Option<Sandbox>,
    /// Whether pipelines may use the network while they compile.
    pub network: Option<Network>,
    /// Names of environment variables that pipelines may read while they compile.
    pub environment: Vec<String>,
    /// Requirement files whose packages pipelines import at module level, relative to the root.
    pub requirements: Vec<String>,
    /// Whether packages without a wheel are built from source, which runs code of theirs; only the base branch's
    /// file can allow it.
    pub source_builds: Option<SourceBuilds>,
    /// Folder of wheels to install from instead of a package index, relative to the root.
    pub wheelhouse: Option<String>,
    /// `false` turns the compile cache off.
    pub cache: Option<bool>,
    /// Megabytes that compile results may take in the cache; default 256.
    pub cache_size: Option<u64>,
}

/// Isolation of the compiler.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sandbox {
    /// Refuse to compile where isolation is not complete.
    Require,
    /// The best the machine offers.
    Auto,
    /// None.
    Off,
}

/// Network while compiling.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// No network.
    Deny,
    /// Pipelines may load components from URLs.
    Allow,
}

/// Packages that have no wheel.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SourceBuilds {
    /// They are not installed.
    Deny,
    /// They are built.
    Allow,
}

/// How changes are carried out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Apply {
    /// Refs beside the default branch that `auto` deploys, as globs such as `refs/heads/release/*`.
    pub refs: Vec<String>,
    /// Upload nothing unless every file compiled.
    pub all_or_nothing: Option<bool>,
    /// Calls to the server at the same time; default 8.
    pub concurrency: Option<usize>,
    /// Seconds a call to the server may take; default 30.
    pub timeout: Option<u64>,
    /// Seconds all calls to the server may take together; default 600.
    pub deadline: Option<u64>,
}

/// Who is told.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// `scheme://host/topic` of an ntfy server.
    pub ntfy: Option<String>,
    /// Address that gets the report as JSON.
    pub webhook: Option<String>,
    /// Tell even when a push changed nothing.
    pub unchanged: Option<bool>,
}

/// The forge.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Forge {
    /// Which forge, where it cannot be told from the environment.
    pub kind: Option<ForgeKind>,
    /// Address of its API, where the job cannot reach the public one.
    pub api_url: Option<String>,
    /// Post a commit status; default true in CI.
    pub status: Option<bool>,
    /// Keep one comment on the pull request; default true in CI.
    pub comment: Option<bool>,
    /// Write the job summary; default true in CI.
    pub summary: Option<bool>,
}

/// Forges.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeKind {
    /// Gitea, Forgejo, Codeberg.
    Gitea,
    /// GitHub.
    Github,
}

/// The JSON Schema of the file, pretty-printed, as committed in `schema/kfp-gitops.schema.json`.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(File);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
