//! What the registry refuses, and what it takes, beyond the recordings.

use crate::support::http;
use crate::support::registry::{Api, escape, running, spec};
use kfp_gitops::kfp::embedded::{Store, router};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

async fn api() -> Api {
    let router = router(Arc::new(Store::in_memory().unwrap()));
    Api::new(&format!("http://{}", http::serve(router).await))
}

#[tokio::test]
async fn broken_yaml_is_refused_at_once_and_nothing_is_stored() {
    let api = api().await;
    for broken in [
        "a: [1, 2\nb: }",
        "a: b: c",
        "\u{7f}",
        "---\n{\"a\": \"\\ud83d\\ude80\"}",
    ] {
        let answer = api.upload("upload", "name=broken", broken.into()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{broken:?}");
        let body: Value = answer.json().await.unwrap();
        let message = body["error_message"].as_str().unwrap();
        assert!(
            message.starts_with("failed to parse pipeline spec YAML: yaml: line "),
            "{message}"
        );
    }
    assert_eq!(api.get("/pipelines").await, json!({}));
}

#[tokio::test]
async fn names_are_counted_in_bytes_and_compared_without_case_and_trailing_spaces() {
    let api = api().await;
    let upload = |name: String| {
        let api = &api;
        async move {
            api.upload("upload", &format!("name={}", escape(&name)), spec("p"))
                .await
                .unwrap()
                .status()
        }
    };
    assert_eq!(upload("é".repeat(64)).await, StatusCode::OK);
    assert_eq!(upload("é".repeat(64) + "e").await, StatusCode::BAD_REQUEST);
    assert_eq!(upload("É".repeat(64)).await, StatusCode::CONFLICT);
    assert_eq!(upload("Demo".into()).await, StatusCode::OK);
    assert_eq!(upload("demo ".into()).await, StatusCode::CONFLICT);
    assert_eq!(
        upload("rocket 🚀".into()).await,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[tokio::test]
async fn a_refused_upload_leaves_no_pipeline_behind() {
    let api = api().await;
    for (bytes, status) in [(b"hello: 1".to_vec(), 400), (Vec::new(), 500), (spec("Bad"), 400)] {
        let answer = api.upload("upload", "name=p", bytes).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    assert_eq!(api.get("/pipelines").await, json!({}));
    assert_eq!(
        api.upload("upload", "name=p", spec("p")).await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn what_the_registry_does_not_do_is_refused_by_name() {
    let api = api().await;
    for path in ["/runs", "/recurringruns"] {
        let answer = api.post(path, &json!({})).await;
        assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
        let body: Value = answer.json().await.unwrap();
        assert!(body["message"].as_str().unwrap().contains("runs"), "{body}");
    }
    let answer = api
        .client
        .put(format!("{}/pipelines", api.base))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn empty_tags_clear_and_absent_tags_stay() {
    let api = api().await;
    let id = api.pipeline("p").await;
    let patch = |body: Value| {
        let call = api
            .client
            .patch(format!("{}/pipelines/{id}", api.base))
            .json(&body);
        async move { call.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(
        patch(json!({"tags": {"a": "1"}})).await["tags"],
        json!({"a": "1"})
    );
    let kept = patch(json!({"display_name": "P"})).await;
    assert_eq!(
        (&kept["tags"], &kept["display_name"]),
        (&json!({"a": "1"}), &json!("P"))
    );
    assert_eq!(patch(json!({"tags": {}})).await.get("tags"), None);
}

/// Every page once, in order, whatever the size: versions of one second are told apart by their id.
#[tokio::test]
async fn pages_hold_every_version_once() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, api) = running(folder.path()).await;
    let pipeline = api.pipeline("p").await;
    for index in 0..23 {
        let query = format!("pipelineid={pipeline}&name=v{index}");
        assert_eq!(
            api.upload("upload_version", &query, spec("p"))
                .await
                .unwrap()
                .status(),
            StatusCode::OK
        );
    }
    for (size, order) in [
        (1, "created_at desc"),
        (5, "name"),
        (23, "id desc"),
        (7, "created_at"),
    ] {
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let page = api
                .get(&format!(
                    "/pipelines/{pipeline}/versions?page_size={size}&sort_by={}&page_token={}",
                    escape(order),
                    escape(&token)
                ))
                .await;
            assert_eq!(page["total_size"], 23);
            let versions = page["pipeline_versions"].as_array().unwrap();
            assert!(versions.len() <= size);
            seen.extend(
                versions
                    .iter()
                    .map(|version| version["name"].as_str().unwrap().to_owned()),
            );
            match page["next_page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen.len(), 23, "{order}: {seen:?}");
        assert_eq!(
            seen.iter().collect::<BTreeSet<_>>().len(),
            23,
            "{order}: {seen:?}"
        );
    }
    registry.stop().await;
}

#[tokio::test]
async fn a_page_token_belongs_to_its_question() {
    let api = api().await;
    for name in ["a", "b", "c"] {
        api.pipeline(name).await;
    }
    let filter = |name: &str| {
        let json =
            json!({"predicates": [{"operation": "IS_SUBSTRING", "key": "name", "string_value": name}]});
        escape(&escape(&json.to_string()))
    };
    let page = api
        .get(&format!("/pipelines?page_size=1&filter={}", filter("")))
        .await;
    let token = escape(page["next_page_token"].as_str().unwrap());
    // The filter goes on without being said again, and may be said again, but not be another.
    for query in [
        format!("page_token={token}"),
        format!("page_token={token}&filter={}", filter("")),
    ] {
        assert_eq!(api.get(&format!("/pipelines?{query}")).await["total_size"], 3);
    }
    for other in [format!("filter={}", filter("a")), "sort_by=name".to_owned()] {
        let url = format!("{}/pipelines?page_token={token}&{other}", api.base);
        let answer = api.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{other}");
    }
    // A token of one kind of list is no token of another.
    let url = format!("{}/experiments?page_token={token}", api.base);
    assert_eq!(
        api.client.get(url).send().await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
}
