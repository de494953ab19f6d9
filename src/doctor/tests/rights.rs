//! What the caller may do in the namespace, where the cluster can be asked.

use super::refusals::multi_user;
use super::*;
use crate::secret::Secret;
use axum::routing::post;

/// A token whose subject is that service account.
fn token(account: &str) -> Secret {
    let claims = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        format!(r#"{{"sub":"{account}"}}"#),
    );
    Secret::new(&format!("e30.{claims}.sig")).unwrap()
}

/// A cluster that allows some verbs.
async fn cluster(allowed: &'static [&'static str]) -> Url {
    let review = move |body: String| async move {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let asked = &body["spec"]["resourceAttributes"];
        assert_eq!(asked["group"], "pipelines.kubeflow.org");
        assert_eq!(asked["namespace"], "team-a");
        let verb = asked["verb"].as_str().unwrap_or_default();
        let answer = serde_json::json!({"status": {"allowed": allowed.contains(&verb)}});
        (
            StatusCode::CREATED,
            [(header::CONTENT_TYPE, "application/json")],
            answer.to_string(),
        )
    };
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let address = serve(Router::new().route(path, post(review))).await;
    format!("http://{address}").parse().unwrap()
}

#[tokio::test]
async fn the_cluster_tells_the_rights_verb_by_verb() {
    let server = serve(multi_user(&[], 200)).await;
    let account = "system:serviceaccount:runners:deployer";
    for (allowed, seen) in [
        (&["get", "list", "create", "delete"][..], None),
        (
            &["get", "list"][..],
            Some("refused in `team-a`: `create`, `delete`; allowed in `team-a`: `get`, `list`"),
        ),
        (
            &[][..],
            Some("refused in `team-a`: `get`, `list`, `create`, `delete`"),
        ),
    ] {
        let mut subject = subject(&format!("http://{server}"));
        subject.connection.namespace = Some("team-a".to_owned());
        subject.connection.login = Login::Bearer(token(account));
        subject.cluster = Some(Cluster {
            api: cluster(allowed).await,
            ca_file: None,
            token: token(account),
        });
        let rights = found(&examine(&subject).await, "rights").clone();
        assert_eq!(rights.is_failed(), seen.is_some(), "{rights:?}");
        match seen {
            Some(seen) => {
                assert!(rights.seen.contains(seen), "{rights:?}");
                let role = rights.paste.unwrap();
                assert!(role.contains("verbs: [get, list, create, delete]"), "{role}");
            }
            None => assert!(rights.seen.contains("asked of the cluster"), "{rights:?}"),
        }
        // The account of this pod says nothing of another caller.
        subject.connection.login = Login::UserHeader {
            name: "kubeflow-userid".to_owned(),
            user: "alice".to_owned(),
        };
        let rights = found(&examine(&subject).await, "rights").clone();
        assert!(
            rights.seen.contains("`create` and `delete` are not tested"),
            "{rights:?}"
        );
    }
}
