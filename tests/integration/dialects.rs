//! `apply` against every kind of server: the right state and the right words.

use crate::fault::dialect::{ALL, Dialect, Kind, NAMESPACE, USER};
use crate::fault::kinds::{Fault, Schedule, Times};
use crate::fault::server::{Faulty, Server, plain};
use crate::fault::truth::{self, truth};
use crate::fault::wire::Wire;
use crate::fault::world::{Alphabet, Job, Repository, client, long, run, run_with, virtually};
use crate::support::folder;
use kfp_gitops::error::Class;
use kfp_gitops::ids::{PipelineName, VersionName};
use kfp_gitops::kfp::auth::Login;
use kfp_gitops::kfp::transport::{BoxFuture, Request, Response, Transport, TransportError};
use kfp_gitops::kfp::{Client, Connection, NewPipeline, NewVersion};
use kfp_gitops::report::{Action, Reason};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn create_update_and_leave_alone_on_every_server() {
    for kind in ALL {
        virtually(async {
            let server = Server::new(Dialect::new(kind), 3);
            let first = Repository::of(&[("one", "1"), ("two", "1")]);
            let ran = run(&Faulty::new(&server, Schedule::Fair), &first, &Job::new(1)).await;
            assert_eq!(
                ran.actions(),
                [Action::Created, Action::Created],
                "{kind:?}: {ran:#?}"
            );
            tokio::time::sleep(Duration::from_secs(5)).await;
            let second = Repository::of(&[("one", "2"), ("two", "1")]);
            let ran = run(&Faulty::new(&server, Schedule::Fair), &second, &Job::new(2)).await;
            assert_eq!(
                ran.actions(),
                [Action::Updated, Action::Unchanged],
                "{kind:?}: {ran:#?}"
            );
            let held = truth(&server).await;
            truth::equals(&held, &second);
            truth::report_is_true(&held, &ran);
            truth::no_duplicates(&held);
            assert_eq!(held["one"].len(), 2, "{kind:?}");
            let expected = if kind == Kind::KubernetesOld {
                "v20260213-143002-one"
            } else {
                "v20260213-143002"
            };
            assert_eq!(held["one"][0].name, expected, "{kind:?}");
            let writes = server.writes();
            tokio::time::sleep(Duration::from_secs(5)).await;
            let ran = run(&Faulty::new(&server, Schedule::Fair), &second, &Job::new(3)).await;
            assert_eq!(ran.actions(), [Action::Unchanged, Action::Unchanged], "{kind:?}");
            assert_eq!(server.writes(), writes, "{kind:?}");
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_itself_says_what_it_did_on_every_server() {
    let folder = crate::fault::wire::root();
    for kind in ALL {
        let (wire, url) = Wire::start(kind).await;
        let mut arguments = vec!["apply", "--endpoint", &url];
        if kind == Kind::MultiUser {
            arguments.extend(["--namespace", NAMESPACE]);
        }
        let variables = [("KFP_GITOPS_AUTH", "user-header"), ("KFP_GITOPS_USERNAME", USER)];
        let variables = if kind == Kind::MultiUser {
            &variables[..]
        } else {
            &[]
        };
        for expected in ["created", "unchanged"] {
            let said = wire.run_in(folder.path(), &arguments, variables).await;
            assert_eq!(said.code, 0, "{kind:?}: {said:?}");
            let report = said.json();
            let one = &report["pipelines"][0];
            assert_eq!(one["action"], expected, "{kind:?}: {report:#}");
            let held = truth(&wire.server).await;
            assert_eq!(held["one"].len(), 1, "{kind:?}: {held:#?}");
            assert_eq!(one["version_id"], held["one"][0].id.as_str(), "{kind:?}: {one:#}");
            let told = report["server"]["version"].as_str().unwrap_or_default();
            assert!(told.starts_with("2."), "{kind:?}: {report:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_given_to_a_single_user_server_is_said_to_be_ignored() {
    let folder = crate::fault::wire::root();
    let (wire, url) = Wire::start(Kind::V2_17_0).await;
    let arguments = ["apply", "--endpoint", &url, "--namespace", "team-a"];
    let said = wire.run(folder.path(), &arguments).await;
    assert_eq!(said.code, 0, "{said:?}");
    let warnings = said.json()["warnings"].to_string();
    assert!(
        warnings.contains("has no namespaces: `team-a` is ignored"),
        "{warnings}"
    );
}

#[test]
fn a_shared_pipeline_is_never_created_by_accident() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::MultiUser), 3);
        let repository = Repository::of(&[("one", "1")]);
        for shared in [false, true] {
            let way = Faulty::new(&server, Schedule::Fair);
            let mut connection = Connection::new("http://pipelines.test".parse().expect("an address"));
            connection.login = Login::UserHeader {
                name: "kubeflow-userid".to_owned(),
                user: USER.to_owned(),
            };
            let client = Client::with_transport(connection, way).expect("a client");
            let job = Job {
                shared,
                ..Job::new(1)
            };
            let ran = run_with(&client, &repository, &job).await;
            if shared {
                assert_eq!(ran.actions(), [Action::Created], "{ran:#?}");
            } else {
                let error = ran.outcomes[0].1.error.as_ref().expect("a failure");
                assert!(
                    error.class == Class::Usage
                        && error.hint.as_ref().is_some_and(|hint| hint.contains("--shared")),
                    "{error:?}"
                );
                assert_eq!(server.writes(), 0);
            }
        }
    });
}

#[test]
fn a_namespace_means_nothing_to_a_single_user_server() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
        let mut connection = Connection::new("http://pipelines.test".parse().expect("an address"));
        connection.namespace = Some(NAMESPACE.to_owned());
        let client =
            Client::with_transport(connection, Faulty::new(&server, Schedule::Fair)).expect("a client");
        let ran = run_with(&client, &Repository::of(&[("one", "1")]), &Job::new(1)).await;
        assert_eq!(ran.actions(), [Action::Created], "{ran:#?}");
    });
}

#[test]
fn a_name_held_by_a_half_created_row_gets_the_digest_appended() {
    for kind in [Kind::V2_0_5, Kind::V2_5_0, Kind::V2_16_1, Kind::V2_17_0] {
        virtually(async {
            let server = Server::new(Dialect::new(kind), 3);
            let repository = Repository::of(&[("one", "1")]);
            let job = Job::new(1);
            server.dialect.half_create(&job.version);
            let ran = run(&Faulty::new(&server, Schedule::Fair), &repository, &job).await;
            assert_eq!(ran.actions(), [Action::Created], "{kind:?}: {ran:#?}");
            let outcome = &ran.outcomes[0].1;
            let expected = format!("{}-{}", job.version, repository.0[0].digest().short());
            assert_eq!(
                outcome.version_name.as_ref().map(|name| name.as_str()),
                Some(expected.as_str()),
                "{kind:?}"
            );
            assert!(
                outcome.notes.iter().any(|note| note.contains("died half-way")),
                "{:?}",
                outcome.notes
            );
            truth::equals(&truth(&server).await, &repository);
        });
    }
}

#[test]
fn a_name_that_holds_other_content_gets_the_digest_appended() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
        let (old, new) = (
            Repository::of(&[("one", "old")]),
            Repository::of(&[("one", "new")]),
        );
        run(&Faulty::new(&server, Schedule::Fair), &old, &Job::new(1)).await;
        let job = Job {
            version: Job::new(1).version,
            ..Job::new(2)
        };
        let ran = run(&Faulty::new(&server, Schedule::Fair), &new, &job).await;
        assert_eq!(ran.actions(), [Action::Updated], "{ran:#?}");
        assert!(
            ran.outcomes[0]
                .1
                .notes
                .iter()
                .any(|note| note.contains("holds other content"))
        );
        truth::equals(&truth(&server).await, &new);
    });
}

/// One pipeline with platform settings (see `Pipeline::spec`).
fn with_settings(content: &str) -> Repository {
    Repository::of(&[("one", content)])
}

#[test]
fn what_a_server_is_known_to_drop_is_refused_before_the_first_write() {
    for kind in ALL {
        virtually(async {
            let server = Server::new(Dialect::new(kind), 3);
            let ran = run(
                &Faulty::new(&server, Schedule::Fair),
                &with_settings("workspace"),
                &Job::new(1),
            )
            .await;
            if !matches!(kind, Kind::V2_0_5 | Kind::V2_5_0) {
                assert_eq!(ran.actions(), [Action::Created], "{kind:?}: {ran:#?}");
                return;
            }
            assert_eq!(ran.actions(), [Action::Failed], "{kind:?}: {ran:#?}");
            let outcome = &ran.outcomes[0].1;
            assert_eq!(outcome.reason, Some(Reason::Unsupported));
            let error = outcome.error.as_ref().expect("a failure");
            assert!(
                error
                    .message
                    .contains("does not know what `one` uses: `workspace`"),
                "{error:?}"
            );
            assert!(
                error.hint.as_ref().is_some_and(|hint| hint.contains("2.14")),
                "{error:?}"
            );
            assert_eq!(server.writes(), 0, "{kind:?}");
        });
    }
}

#[test]
fn what_a_server_drops_unexpectedly_is_a_failure_once() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_5_0), 3);
        let ran = run(
            &Faulty::new(&server, Schedule::Fair),
            &with_settings("surprise"),
            &Job::new(1),
        )
        .await;
        assert_eq!(ran.actions(), [Action::Failed], "{ran:#?}");
        let error = ran.outcomes[0].1.error.as_ref().expect("a failure");
        assert!(
            error.message.contains("the platform settings are missing"),
            "{error:?}"
        );
        let writes = server.writes();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let ran = run(
            &Faulty::new(&server, Schedule::Fair),
            &with_settings("surprise"),
            &Job::new(2),
        )
        .await;
        assert_eq!(ran.actions(), [Action::Unchanged], "{ran:#?}");
        let warned = ran.outcomes[0]
            .1
            .warnings
            .iter()
            .any(|warning| warning.contains("does not keep all of it"));
        assert!(warned, "{:?}", ran.outcomes[0].1);
        assert_eq!(server.writes(), writes, "not uploaded for ever");
    });
}

/// Names that a pipeline may have on the server: its own, its file's, and that with `.yaml`.
const NAMES: usize = 3;

#[test]
fn large_installations_cost_no_more_calls() {
    let (pipelines, versions) = if long() { (10_000, 5_000) } else { (450, 60) };
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
        let known = Repository::of(&[("pipeline-7", "1"), ("pipeline-8", "1"), ("pipeline-449", "1")]);
        run(&Faulty::new(&server, Schedule::Fair), &known, &Job::new(1)).await;
        let somebody = || client(&server, Faulty::new(&server, Schedule::Fair), &Job::new(1));
        let by_hand = somebody();
        for number in 0..pipelines - 3 {
            let new = NewPipeline {
                name: PipelineName::new(format!("other-{number}")),
                display_name: None,
                description: String::new(),
                tags: BTreeMap::new(),
            };
            by_hand.create_pipeline(&new).await.expect("a pipeline");
        }
        let seven = by_hand
            .find_pipelines(&PipelineName::new("pipeline-7"))
            .await
            .expect("the pipeline")
            .remove(0);
        for number in 2..=versions {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let content = if number == versions { "last" } else { "between" };
            let held = Repository::of(&[("pipeline-7", content)]);
            let new = NewVersion {
                pipeline_id: seven.id.clone(),
                name: VersionName::new(format!("v{number}")),
                display_name: None,
                description: String::new(),
                tags: BTreeMap::new(),
                document: held.0[0].spec().pipeline_text().to_owned().into(),
                after: None,
            };
            // Many runs have made so many versions: each has its own deadline.
            somebody().upload_version(&new).await.expect("a version");
        }
        let way = Faulty::new(&server, Schedule::Fair);
        let same = Repository::of(&[("pipeline-7", "last"), ("pipeline-8", "1"), ("pipeline-449", "1")]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let ran = run(&way, &same, &Job::new(90)).await;
        assert!(
            ran.actions().iter().all(|action| *action == Action::Unchanged),
            "{ran:#?}"
        );
        // healthz, pages of 200 pipelines, and the newest version of each in the repository. Where the server
        // holds many more pipelines than the repository, each is looked up by its names after a few pages.
        let listing = |names: usize| {
            let (pages, few) = (usize::div_ceil(pipelines, 200), names.max(3));
            if pages <= few { pages } else { few + names }
        };
        assert_eq!(way.calls(), 1 + listing(3 * NAMES) + 3);
        let way = Faulty::new(&server, Schedule::Fair);
        let ran = run(&way, &Repository::of(&[("pipeline-7", "new")]), &Job::new(91)).await;
        assert_eq!(ran.actions(), [Action::Updated], "{ran:#?}");
        // Newest, recent ones for a revert, newest again, upload, read back: however many versions there are.
        assert_eq!(way.calls(), 1 + listing(NAMES) + 5);
    });
}

/// Answers uploads itself; everything else goes to the server.
struct Uploads(Arc<Server>, fn(&Request) -> Option<Response>);

impl Transport for Uploads {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            Ok(match (self.1)(&request) {
                Some(response) => response,
                None => self.0.answer(request).await,
            })
        })
    }
}

fn client_of(server: &Arc<Server>, answer: fn(&Request) -> Option<Response>) -> Client {
    let mut connection = Connection::new("http://pipelines.test".parse().expect("an address"));
    connection.seed = Some(1);
    if server.dialect.kind == Kind::MultiUser {
        connection.namespace = Some(NAMESPACE.to_owned());
        connection.login = Login::UserHeader {
            name: "kubeflow-userid".to_owned(),
            user: USER.to_owned(),
        };
    }
    Client::with_transport(connection, Arc::new(Uploads(Arc::clone(server), answer))).expect("a client")
}

fn is_upload(request: &Request) -> bool {
    request.url.path().ends_with("/upload_version")
}

#[test]
fn a_refused_upload_says_what_it_was() {
    const SILENT: &str = r#"{"error_message":"Failed to create a pipeline version","error_details":"Failed to create a pipeline version"}"#;
    const BAD_OLD: &str = r#"{"error_message":"Failed to create a pipeline version: Failed to create a pipeline version due to template creation error: InvalidInputError: unknown template format: pipeline spec is invalid","error_details":""}"#;
    const BAD_NEW: &str =
        r#"{"error_message":"unknown template format","error_details":"unknown template format"}"#;
    const DENIED_OLD: &str = r#"{"error_message":"Failed to create a pipeline version due to authorization error: Unauthorized access","error_details":""}"#;
    type Case = (Kind, fn(&Request) -> Option<Response>, Class, &'static str);
    let cases: [Case; 6] = [
        (
            Kind::MultiUser,
            |request| is_upload(request).then(|| plain(400, "text/plain", SILENT)),
            Class::Usage,
            "may read the pipeline but not write it",
        ),
        (
            Kind::V2_5_0,
            |request| is_upload(request).then(|| plain(400, "application/json", DENIED_OLD)),
            Class::Usage,
            "may read the pipeline but not write it",
        ),
        (
            Kind::V2_5_0,
            |request| is_upload(request).then(|| plain(500, "application/json", BAD_OLD)),
            Class::Failed,
            "cannot read the spec",
        ),
        (
            Kind::V2_17_0,
            |request| is_upload(request).then(|| plain(400, "application/json", BAD_NEW)),
            Class::Failed,
            "cannot read the spec",
        ),
        (
            Kind::V2_16_1,
            |request| is_upload(request).then(|| plain(500, "application/json", SILENT)),
            Class::Failed,
            "status 500 every time",
        ),
        (
            Kind::V2_17_0,
            |request| is_upload(request).then(|| plain(400, "text/plain", SILENT)),
            Class::Failed,
            "Failed to create a pipeline version",
        ),
    ];
    for (kind, answer, class, words) in cases {
        virtually(async {
            let server = Server::new(Dialect::new(kind), 3);
            let ran = run_with(
                &client_of(&server, answer),
                &Repository::of(&[("one", "1")]),
                &Job::new(1),
            )
            .await;
            assert_eq!(ran.actions(), [Action::Failed], "{kind:?}: {ran:#?}");
            let outcome = &ran.outcomes[0].1;
            let error = outcome.error.as_ref().expect("a failure");
            assert!(
                error.class == class && error.message.contains(words),
                "{kind:?}: {error:?}"
            );
            assert!(
                outcome
                    .notes
                    .iter()
                    .any(|note| note.contains("has no version yet")),
                "{outcome:?}"
            );
            // The empty pipeline is healed by the next run.
            let healed = run(
                &Faulty::new(&server, Schedule::Fair),
                &Repository::of(&[("one", "1")]),
                &Job::new(2),
            )
            .await;
            assert!(truth::undone(&healed).is_empty(), "{healed:#?}");
        });
    }
}

/// Refuses the first upload for a while, in which a later commit is deployed.
struct Overtaking(Arc<Server>, std::sync::atomic::AtomicBool);

impl Transport for Overtaking {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            if !is_upload(&request) || self.1.swap(true, std::sync::atomic::Ordering::Relaxed) {
                return Ok(self.0.answer(request).await);
            }
            let later = Job {
                commit: 'c',
                ..Job::new(7)
            };
            let new = Repository::of(&[("one", "new")]);
            run(&Faulty::new(&self.0, Schedule::Fair), &new, &later).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let mut response = plain(429, "text/plain", "slow down");
            response
                .headers
                .insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
            Ok(response)
        })
    }
}

#[test]
fn a_run_that_is_overtaken_while_it_waits_does_not_upload() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
        let old = Repository::of(&[("one", "old")]);
        run(&Faulty::new(&server, Schedule::Fair), &old, &Job::new(1)).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let job = Job {
            commit: 'b',
            lineage: Some(Arc::new(Alphabet('b'))),
            ..Job::new(2)
        };
        let between = Repository::of(&[("one", "between")]);
        let way = Arc::new(Overtaking(Arc::clone(&server), false.into()));
        let ran = run_with(&client(&server, way, &job), &between, &job).await;
        assert_eq!(ran.actions(), [Action::Skipped], "{ran:#?}");
        assert_eq!(ran.outcomes[0].1.reason, Some(Reason::Superseded));
        let held = truth(&server).await;
        truth::equals(&held, &Repository::of(&[("one", "new")]));
        assert_eq!(held["one"].len(), 2, "{held:#?}");
    });
}

#[test]
fn a_superseded_run_is_skipped_only_on_proof() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
        let (old, new) = (
            Repository::of(&[("one", "old")]),
            Repository::of(&[("one", "new")]),
        );
        let later = Job {
            commit: 'c',
            ..Job::new(1)
        };
        run(&Faulty::new(&server, Schedule::Fair), &new, &later).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let earlier = Job {
            commit: 'b',
            lineage: Some(Arc::new(Alphabet('b'))),
            ..Job::new(2)
        };
        let ran = run(&Faulty::new(&server, Schedule::Fair), &old, &earlier).await;
        assert_eq!(ran.actions(), [Action::Skipped], "{ran:#?}");
        let outcome = &ran.outcomes[0].1;
        assert_eq!(outcome.reason, Some(Reason::Superseded));
        assert!(
            outcome
                .notes
                .iter()
                .any(|note| note.contains("superseded by `v20260213-143001` (commit ccccccc)")),
            "{outcome:?}"
        );
        truth::equals(&truth(&server).await, &new);

        let doubtful = Job {
            lineage: Some(Arc::new(Alphabet('d'))),
            commit: 'd',
            ..Job::new(3)
        };
        let ran = run(&Faulty::new(&server, Schedule::Fair), &old, &doubtful).await;
        assert_eq!(
            ran.actions(),
            [Action::Updated],
            "a commit that is not proved later does not stop anybody"
        );
        tokio::time::sleep(Duration::from_secs(5)).await;

        let forced = Job {
            force: true,
            version: "v-forced".to_owned(),
            ..Job { run: 4, ..earlier }
        };
        let ran = run(&Faulty::new(&server, Schedule::Fair), &new, &forced).await;
        assert_eq!(ran.actions(), [Action::Updated], "{ran:#?}");
    });
}

#[test]
fn a_revert_is_uploaded_and_a_forced_upload_is_made_once_per_run() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
        let (one, two) = (Repository::of(&[("one", "1")]), Repository::of(&[("one", "2")]));
        for (number, repository) in [(1, &one), (2, &two), (3, &one)] {
            let ran = run(
                &Faulty::new(&server, Schedule::Fair),
                repository,
                &Job::new(number),
            )
            .await;
            assert!(truth::undone(&ran).is_empty());
            assert_eq!(
                ran.outcomes[0].1.reason == Some(Reason::Reverted),
                number == 3,
                "{ran:#?}"
            );
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        assert_eq!(truth(&server).await["one"].len(), 3);
        for attempt in 0..2 {
            let forced = Job {
                force: true,
                version: format!("v-forced-{attempt}"),
                ..Job::new(4)
            };
            let ran = run(&Faulty::new(&server, Schedule::Fair), &one, &forced).await;
            let expected = if attempt == 0 {
                Action::Updated
            } else {
                Action::Unchanged
            };
            assert_eq!(ran.actions(), [expected], "{ran:#?}");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        // The second attempt found the forced copy and left it where it is.
        let held = truth(&server).await;
        assert_eq!(held["one"].len(), 4, "{held:#?}");
        assert_eq!(held["one"][0].name, "v-forced-0", "{held:#?}");
    });
}

#[test]
fn what_an_earlier_run_found_out_about_a_name_is_not_found_out_again() {
    let folder = folder(&[]);
    let mut told = Vec::new();
    for journal in [None, Some(folder.path().join("journal.jsonl"))] {
        virtually(async {
            let server = Server::new(Dialect::new(Kind::V2_17_0), 3);
            let repository = Repository::of(&[("one", "1")]);
            let job = Job {
                journal: journal.clone(),
                ..Job::new(1)
            };
            server.dialect.half_create(&job.version);
            // Its process dies with the second upload, under the other name, before the server has done it.
            let way = Faulty::dying(&server, 16, false);
            tokio::select! {
                ran = run(&way, &repository, &job) => panic!("it lived: {ran:?}"),
                () = way.died() => {}
            }
            let way = Faulty::new(&server, Schedule::Fair);
            let again = run(&way, &repository, &job).await;
            assert!(
                matches!(again.actions()[..], [Action::Created | Action::Updated]),
                "{again:#?}\n{}",
                way.log()
            );
            assert_eq!(truth(&server).await["one"].len(), 1);
            told.push((way.calls(), again.elapsed));
        });
    }
    let [(calls, elapsed), (with, quick)] = told[..] else {
        panic!("{told:?}")
    };
    // The refused upload and the looks for who holds the name, with seconds in between, are spared.
    assert!(
        with < calls && quick + Duration::from_secs(5) < elapsed,
        "{told:?}"
    );
}

#[test]
fn a_store_whose_cache_lags_for_seconds_ends_right() {
    for lag in [900, 1_500, 3_000] {
        virtually(async {
            let server = Server::new(Dialect::lagging(chrono::TimeDelta::milliseconds(lag)), 3);
            for (number, content) in [(1, "1"), (2, "2")] {
                let repository = Repository::of(&[("one", content), ("two", "1")]);
                let way = Faulty::new(&server, Schedule::Fair);
                let ran = run(&way, &repository, &Job::new(number)).await;
                let expected = if number == 1 {
                    [Action::Created, Action::Created]
                } else {
                    [Action::Updated, Action::Unchanged]
                };
                assert_eq!(ran.actions(), expected, "{lag}: {ran:#?}\n{}", way.log());
                tokio::time::sleep(Duration::from_secs(5)).await;
                let held = truth(&server).await;
                truth::equals(&held, &repository);
                truth::report_is_true(&held, &ran);
                truth::no_duplicates(&held);
                let writes = server.writes();
                // Another attempt of the same job, at once.
                let again = run(
                    &Faulty::new(&server, Schedule::Fair),
                    &repository,
                    &Job::new(number),
                )
                .await;
                assert_eq!(again.actions(), [Action::Unchanged, Action::Unchanged], "{lag}");
                assert_eq!(server.writes(), writes, "{lag}");
            }
        });
    }
}

#[test]
fn a_version_that_cannot_be_read_back_is_done_with_a_warning_and_compared_by_the_next_run() {
    virtually(async {
        let server = Server::new(Dialect::new(Kind::V2_5_0), 3);
        let repository = with_settings("surprise");
        // Everything after the upload fails.
        let way = Faulty::new(&server, Schedule::At(6, Fault::Status500, Times::Always));
        let ran = run(&way, &repository, &Job::new(1)).await;
        assert_eq!(ran.actions(), [Action::Created], "{ran:#?}\n{}", way.log());
        let warnings = &ran.outcomes[0].1.warnings;
        assert!(
            warnings
                .iter()
                .any(|warning| warning.contains("was not read back")),
            "{warnings:?}"
        );
        tokio::time::sleep(Duration::from_secs(5)).await;
        let writes = server.writes();
        let again = run(&Faulty::new(&server, Schedule::Fair), &repository, &Job::new(2)).await;
        assert_eq!(again.actions(), [Action::Unchanged], "{again:#?}");
        let warnings = &again.outcomes[0].1.warnings;
        assert!(
            warnings.iter().any(|warning| warning.contains("does not keep")),
            "{warnings:?}"
        );
        assert_eq!(server.writes(), writes);
    });
}

#[test]
fn a_server_that_tells_no_time_never_gets_two_versions_in_one_second() {
    for wait in [0, 300, 700] {
        virtually(async {
            let server = Server::new(Dialect::timeless(Kind::V2_17_0), 3);
            for number in 1..=4 {
                let repository = Repository::of(&[("one", &number.to_string())]);
                let way = Faulty::new(&server, Schedule::Fair);
                let ran = run(&way, &repository, &Job::new(number)).await;
                assert!(truth::undone(&ran).is_empty(), "{wait}: {ran:#?}\n{}", way.log());
                truth::equals(&truth(&server).await, &repository);
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            let held = truth(&server).await;
            truth::no_duplicates(&held);
            truth::no_shared_second(&held);
            assert_eq!(held["one"].len(), 4);
        });
    }
}

/// A pipeline that needs a server from 2.14 on.
const WORKSPACE: &str = "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.11-slim')\ndef say(text: str):\n    \
                         print(text)\n\n\n@dsl.pipeline(name='one', pipeline_config=dsl.PipelineConfig(\n    \
                         workspace=dsl.WorkspaceConfig(size='1Gi')))\ndef one(text: str = 'a'):\n    say(text=text)\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_says_what_the_server_does_not_know() {
    let root = folder(&[
        ("one_pipeline.py", WORKSPACE),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    for (kind, code) in [(Kind::V2_5_0, 1), (Kind::V2_17_0, 0)] {
        let (wire, url) = Wire::start(kind).await;
        for command in ["plan", "apply"] {
            let said = wire.run(root.path(), &[command, "--endpoint", &url]).await;
            assert_eq!(said.code, code, "{kind:?}: {said:?}");
            let report = said.json();
            let one = &report["pipelines"][0];
            if code == 0 {
                assert_ne!(one["action"], "failed", "{one:#}");
                continue;
            }
            assert_eq!(
                (&one["action"], &one["reason"]),
                (&"failed".into(), &"unsupported".into()),
                "{one:#}"
            );
            let error = &one["error"];
            let says = |field: &str, words: &str| {
                let text = error[field].as_str().unwrap_or_default();
                assert!(text.contains(words), "{field}: {error:#}");
            };
            says(
                "message",
                "server 2.5.0 does not know what `one` uses: `workspace`",
            );
            says("hint", "2.14");
            assert_eq!(wire.server.writes(), 0);
        }
    }
}
