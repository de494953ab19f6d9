//! A repository, and what one CI run makes of it.

use super::dialect::{Kind, NAMESPACE, USER};
use super::server::{Faulty, Server};
use kfp_gitops::apply::{ApplySettings, Cancel, Journal, Lineage, Outcome, Task, apply};
use kfp_gitops::compile::Compiled;
use kfp_gitops::discover::Source;
use kfp_gitops::error::{Failure, Phase};
use kfp_gitops::ids::{Digest, PipelineName, SourcePath, VersionName};
use kfp_gitops::ir::Spec;
use kfp_gitops::kfp::auth::Login;
use kfp_gitops::kfp::transport::{BoxFuture, Transport};
use kfp_gitops::kfp::{Client, Connection};
use kfp_gitops::plan::decide::{Options, decide, identify_all};
use kfp_gitops::plan::identity::Rules;
use kfp_gitops::plan::mark::Mark;
use kfp_gitops::plan::{Decision, state};
use kfp_gitops::report::Action;
use kfp_gitops::secret::Secret;
use serde_json::json;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A secret that must turn up nowhere.
pub const TOKEN: &str = "tok-5ecret-5ecret";

/// Runs on a runtime of its own, on virtual time.
pub fn virtually<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// A pipeline in the repository: a name and what makes its content different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub name: String,
    pub content: String,
}

/// The pipelines of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository(pub Vec<Pipeline>);

impl Repository {
    /// `name=content` for each.
    pub fn of(pipelines: &[(&str, &str)]) -> Self {
        Self(
            pipelines
                .iter()
                .map(|(name, content)| Pipeline {
                    name: (*name).to_owned(),
                    content: (*content).to_owned(),
                })
                .collect(),
        )
    }

    /// That many pipelines.
    pub fn many(count: usize, content: &str) -> Self {
        Self(
            (0..count)
                .map(|number| Pipeline {
                    name: format!("pipeline-{number}"),
                    content: content.to_owned(),
                })
                .collect(),
        )
    }
}

impl Pipeline {
    pub fn spec(&self) -> Spec {
        let text = json!({
            "pipelineInfo": {"name": self.name, "description": self.content},
            "root": {"dag": {"tasks": {}}},
            "schemaVersion": "2.1.0",
            "sdkVersion": "kfp-2.17.0",
        });
        if self.content == "surprise" {
            // Something that no table knows of, and that 2.5.0 drops all the same.
            let labels = json!({"exec-a": {"nodeSelector": {"labels": {"surprise": "true"}}}});
            let platform = json!({"platforms": {"kubernetes": {"deploymentSpec": {"executors": labels}}}});
            return Spec::from_text(text.to_string(), Some(platform.to_string().into()));
        }
        // What 2.0.5 and 2.5.0 are known to drop.
        let platform = (self.content == "workspace").then(|| {
            json!({"platforms": {"kubernetes": {"pipelineConfig": {"workspace": {"size": "1Gi"}}}}})
                .to_string()
                .into()
        });
        Spec::from_text(text.to_string(), platform)
    }

    pub fn digest(&self) -> Digest {
        self.spec().digest()
    }

    pub fn compiled(&self) -> Compiled {
        Compiled {
            source: Source {
                path: SourcePath::new(format!("{}_pipeline.py", self.name)),
                absolute: PathBuf::from(format!("/repo/{}_pipeline.py", self.name)),
                function: None,
                parameters: BTreeMap::new(),
            },
            function: "f".to_owned(),
            one_of_several: false,
            name: PipelineName::new(self.name.clone()),
            description: "says what it does".to_owned(),
            spec: self.spec(),
            yaml: None,
        }
    }
}

/// What distinguishes one CI run from another.
#[derive(Clone)]
pub struct Job {
    pub run: u32,
    pub version: String,
    pub commit: char,
    pub force: bool,
    pub shared: bool,
    pub lineage: Option<Arc<dyn Lineage>>,
    pub cancel: Cancel,
    pub journal: Option<PathBuf>,
    pub seed: u64,
    pub concurrency: usize,
    pub deadline: Duration,
}

impl Job {
    pub fn new(run: u32) -> Self {
        Self {
            run,
            version: format!("v20260213-1430{run:02}"),
            commit: 'a',
            force: false,
            shared: false,
            lineage: None,
            cancel: Cancel::never(),
            journal: None,
            seed: u64::from(run),
            concurrency: 4,
            deadline: Duration::from_secs(600),
        }
    }

    pub fn mark(&self) -> Mark {
        Mark {
            repo: Some("ml/pipelines".to_owned()),
            project: Some("pipelines".to_owned()),
            commit: Some(self.commit.to_string().repeat(40)),
            git_ref: Some("refs/heads/main".to_owned()),
            run: Some(format!("https://ci.example/runs/{}", self.run)),
            ..Mark::default()
        }
    }
}

/// Commits follow each other by their letter; the head is `z`.
pub struct Alphabet(pub char);

impl Lineage for Alphabet {
    fn is_superseded_by(&self, deployed: &str) -> BoxFuture<'_, bool> {
        let deployed = deployed.chars().next();
        Box::pin(async move { deployed.is_some_and(|deployed| deployed > self.0) })
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Ran {
    pub outcomes: Vec<(Pipeline, Outcome)>,
    /// What ended the run before anything could be planned.
    pub error: Option<Failure>,
    pub elapsed: Duration,
}

impl Ran {
    pub fn actions(&self) -> Vec<Action> {
        self.outcomes.iter().map(|(_, outcome)| outcome.action).collect()
    }
}

/// A client of the server.
pub fn client(server: &Server, transport: Arc<dyn Transport>, job: &Job) -> Client {
    let mut connection = Connection::new("http://pipelines.test".parse().expect("an address"));
    connection.seed = Some(job.seed);
    connection.concurrency = job.concurrency;
    connection.deadline = job.deadline;
    if server.dialect.kind == Kind::MultiUser {
        connection.namespace = Some(NAMESPACE.to_owned());
        connection.login = Login::UserHeader {
            name: "kubeflow-userid".to_owned(),
            user: USER.to_owned(),
        };
        connection.headers = vec![("x-key".to_owned(), Secret::new(TOKEN).expect("a secret"))];
    } else {
        connection.login = Login::Bearer(Secret::new(TOKEN).expect("a secret"));
    }
    Client::with_transport(connection, transport).expect("a client")
}

/// One whole run: plan and apply, as the command does it.
pub async fn run(way: &Arc<Faulty>, repository: &Repository, job: &Job) -> Ran {
    run_with(
        &client(&way.server, Arc::clone(way) as Arc<dyn Transport>, job),
        repository,
        job,
    )
    .await
}

/// The same with a client made elsewhere.
pub async fn run_with(client: &Client, repository: &Repository, job: &Job) -> Ran {
    let started = Instant::now();
    let result = plan_and_apply(client, repository, job).await;
    let elapsed = started.elapsed();
    match result {
        Ok(outcomes) => Ran {
            outcomes,
            error: None,
            elapsed,
        },
        Err(failure) => Ran {
            outcomes: Vec::new(),
            error: Some(failure),
            elapsed,
        },
    }
}

async fn plan_and_apply(
    client: &Client,
    repository: &Repository,
    job: &Job,
) -> Result<Vec<(Pipeline, Outcome)>, Failure> {
    let server = client.server().await?;
    let rules = Rules {
        naming: "spec".to_owned(),
        project: Some("pipelines".to_owned()),
        configured: BTreeMap::new(),
        kubernetes_store: server.store == kfp_gitops::kfp::Store::Kubernetes,
    };
    let trouble = |error: kfp_gitops::kfp::ApiError| error.into_failure(Phase::Plan, "reading the server");
    let compiled: Vec<Compiled> = repository.0.iter().map(Pipeline::compiled).collect();
    let listing = state::listing(client, &compiled, &rules, &job.mark(), false)
        .await
        .map_err(trouble)?;
    let identified = identify_all(compiled, &listing.candidates, &rules)?;
    let mut held = BTreeMap::new();
    for (id, found) in state::held(client, &identified).await {
        held.insert(id, found.map_err(trouble)?);
    }
    let options = Options {
        mark: job.mark(),
        adopt: false,
        force: job.force,
        names: None,
        // What the plan refuses never comes to be applied; `apply` must refuse it by itself.
        server: None,
    };
    let plan = decide(identified, &held, &options);
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    let mut tasks = Vec::new();
    for planned in &plan.pipelines {
        match (Task::of(planned, &job.mark()), &planned.decision) {
            (Some(task), _) => {
                tasks.push(task);
                outcomes.push(None);
            }
            (None, Decision::Unchanged { pipeline, newest }) => {
                let mut outcome = Outcome::new(Action::Unchanged);
                outcome.pipeline_id = Some(pipeline.id.clone());
                outcome.version_id = Some(newest.id.clone());
                outcome.warnings.clone_from(&planned.warnings);
                outcomes.push(Some(outcome));
            }
            (None, Decision::Refused(failure)) => outcomes.push(Some(Outcome::failed(failure.clone()))),
            (None, other) => panic!("no task for {other:?}"),
        }
    }
    let settings = ApplySettings {
        version_name: VersionName::new(job.version.clone()),
        mark: job.mark(),
        force: job.force,
        shared: job.shared,
        refuse_moved: false,
        lineage: job.lineage.clone(),
    };
    let journal = match &job.journal {
        Some(path) => Journal::open(path, job.mark().run).expect("a journal"),
        None => Journal::none(),
    };
    let mut done = apply(client, &settings, tasks, &job.cancel, &journal)
        .await
        .into_iter();
    Ok(repository
        .0
        .iter()
        .cloned()
        .zip(
            outcomes
                .into_iter()
                .map(|outcome| outcome.unwrap_or_else(|| done.next().expect("an outcome for each task"))),
        )
        .collect())
}

/// Whether the long mode was asked for (`KFP_GITOPS_LONG_TESTS=1`): every case instead of a sample, and 100 000
/// random schedules.
pub fn long() -> bool {
    std::env::var_os("KFP_GITOPS_LONG_TESTS").is_some()
}

/// Runs cases on all cores.
pub fn in_parallel<C: Send + Sync + Clone + 'static>(
    cases: Vec<C>,
    work: impl Fn(C) + Send + Sync + 'static,
) {
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { break };
                    work(case.clone());
                }
            });
        }
    });
}
