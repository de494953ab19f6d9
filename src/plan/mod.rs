//! Compiled pipelines x what the server holds -> [`Plan`]: one decision for each pipeline. Pure; only
//! `state` reads the server.

pub mod decide;
pub mod diff;
pub mod drift;
pub mod file;
pub mod identity;
pub mod mark;
pub mod moved;
pub mod naming;
pub mod state;

use crate::compile::Compiled;
use crate::error::Failure;
use crate::ids::{Digest, PipelineId, PipelineName, VersionId, VersionName};
use crate::report::Reason;
use mark::Mark;

/// A pipeline on the server, as far as planning needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePipeline {
    /// The server's id.
    pub id: PipelineId,
    /// Its name.
    pub name: PipelineName,
    /// Who uploaded it, where it says.
    pub mark: Option<Mark>,
}

/// A version on the server, as far as planning needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteVersion {
    /// The server's id.
    pub id: VersionId,
    /// Its name.
    pub name: VersionName,
    /// Digest of the spec it holds; `None` when that cannot be read (an Argo workflow, a broken row).
    pub digest: Option<Digest>,
    /// Who uploaded it, where it says.
    pub mark: Option<Mark>,
    /// When it was created, as the server wrote it.
    pub created_at: Option<String>,
    /// What it says of itself where nobody marked it: a server keeps no name of who uploaded a version, so
    /// this is all that can be known.
    pub said: Option<String>,
    /// The spec, kept only where it differs from what was compiled.
    pub spec: Option<crate::ir::Spec>,
    /// What stands in the spec's place, as JSON text, where that cannot be read as one.
    pub unreadable: Option<std::sync::Arc<str>>,
}

/// What a plan does with one pipeline.
#[derive(Clone, Debug)]
pub enum Decision {
    /// The server has none: create it under this name.
    Create {
        /// The name it gets.
        name: PipelineName,
        /// What people see, where the server's rules force another name.
        display_name: Option<String>,
    },
    /// Upload a version.
    Update {
        /// The pipeline.
        pipeline: RemotePipeline,
        /// What is newest there now; `None` when the pipeline has no version (an earlier run died).
        newest: Option<Box<RemoteVersion>>,
    },
    /// The newest version holds exactly this.
    Unchanged {
        /// The pipeline.
        pipeline: RemotePipeline,
        /// The version that holds it.
        newest: Box<RemoteVersion>,
    },
    /// It must not be done.
    Refused(Failure),
}

/// One pipeline of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What was compiled.
    pub compiled: Compiled,
    /// Its digest.
    pub digest: Digest,
    /// What to do.
    pub decision: Decision,
    /// Why, where it helps.
    pub reason: Option<Reason>,
    /// Said beside it.
    pub notes: Vec<String>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
    /// What changes against the newest version; `None` where nothing is written.
    pub difference: Option<Box<diff::Difference>>,
    /// The semantic version that the changes ask for, where the newest version's name is one.
    pub suggested_version: Option<String>,
    /// The name its version gets; `None` for the run's own.
    pub version_name: Option<VersionName>,
    /// Versions on the server that were looked at, newest first.
    pub versions: Vec<KnownVersion>,
}

/// A version on the server, as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownVersion {
    /// Its name.
    pub name: VersionName,
    /// When it was created, as RFC 3339.
    pub created_at: Option<String>,
    /// The commit it was made from, where its mark says.
    pub commit: Option<String>,
    /// Digest of what it holds.
    pub digest: Option<Digest>,
    /// Who uploaded it: a repository, or what an unmarked version says of itself.
    pub by: Option<String>,
}

impl From<&RemoteVersion> for KnownVersion {
    fn from(version: &RemoteVersion) -> Self {
        let mark = version.mark.as_ref();
        Self {
            name: version.name.clone(),
            created_at: version.created_at.clone(),
            commit: mark.and_then(|mark| mark.commit.clone()),
            digest: version.digest,
            by: mark.map(Mark::owner).or_else(|| version.said.clone()),
        }
    }
}

/// One decision for each compiled pipeline.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order of the sources.
    pub pipelines: Vec<Planned>,
}
