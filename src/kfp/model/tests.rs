use super::*;

const RECORDED: [&str; 6] = [
    "2.0.5",
    "2.5.0",
    "2.16.1",
    "2.17.0",
    "2.17.0-multiuser",
    "2.17.0-kubernetes-store",
];

fn exchanges(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/tests/recordings/kfp/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["exchanges"].as_array().unwrap().clone()
}

fn body(exchange: &serde_json::Value) -> Vec<u8> {
    exchange["response"]["json"].to_string().into_bytes()
}

#[test]
fn every_recorded_pipeline_and_version_is_read() {
    for server in RECORDED {
        let (mut pipelines_read, mut versions_read, mut pages) = (0, 0, 0);
        for exchange in exchanges(server) {
            let answer = &exchange["response"]["json"];
            if exchange["response"]["status"] != 200 {
                continue;
            }
            if answer["pipeline_version_id"].is_string() {
                let version = version(&body(&exchange)).unwrap();
                assert!(!version.name.as_str().is_empty(), "{server} {}", exchange["name"]);
                assert!(version.created_at.is_some());
                versions_read += 1;
            } else if answer["pipeline_id"].is_string() {
                let pipeline = pipeline(&body(&exchange)).unwrap();
                assert!(!pipeline.name.as_str().is_empty());
                pipelines_read += 1;
            } else if answer["pipelines"].is_array() {
                pages += pipelines(&body(&exchange)).unwrap().items.len();
            } else if answer["pipeline_versions"].is_array() {
                pages += versions(&body(&exchange)).unwrap().items.len();
            }
        }
        assert!(pipelines_read > 0 && versions_read > 0 && pages > 0, "{server}");
    }
}

#[test]
fn the_identity_is_display_name_where_there_is_no_name() {
    let find = |server: &str| {
        let all = exchanges(server);
        let exchange = all
            .iter()
            .find(|exchange| exchange["name"] == "version_upload_display_name")
            .unwrap();
        version(&body(exchange)).unwrap()
    };
    let old = find("2.5.0");
    assert_eq!((old.name.as_str(), old.display_name), ("v20260213-143023", None));
    let new = find("2.17.0");
    assert_eq!(
        (new.name.as_str(), new.display_name.as_deref()),
        ("v20260213-143023", Some("Release 1.2"))
    );
}

#[test]
fn a_platform_spec_comes_wrapped() {
    let all = exchanges("2.17.0");
    let named = |name: &str| {
        let exchange = all.iter().find(|exchange| exchange["name"] == name).unwrap();
        version(&body(exchange)).unwrap()
    };
    let one = named("version_upload").spec.unwrap();
    assert!(one.pipeline_text().contains("pipelineInfo") && one.platform_text().is_none());
    let two = named("version_upload_two_documents").spec.unwrap();
    assert!(two.pipeline_text().contains("pipelineInfo") && !two.pipeline_text().contains("platform_spec"));
    assert!(two.platform_text().unwrap().contains("platforms"));
    let argo = named("version_upload_v1_workflow");
    assert_eq!(
        (argo.spec, argo.error.as_deref()),
        (None, Some("an Argo workflow of KFP v1"))
    );
}

#[test]
fn empty_pages_and_null_members_are_fine() {
    assert!(versions(b"{}").unwrap().items.is_empty());
    let old =
        br#"{"pipelines":[{"pipeline_id":"1","display_name":"a","description":null,"tags":null,"error":null,
        "created_at":"2026-11-21T00:20:24Z"}],"total_size":1,"next_page_token":""}"#;
    let page = pipelines(old).unwrap();
    assert_eq!((page.items[0].name.as_str(), page.next), ("a", None));
}

#[test]
fn an_item_may_carry_only_an_error() {
    let page =
        br#"{"pipeline_versions":[{"pipeline_version_id":"v","error":{"code":13,"message":"broken"}}]}"#;
    let version = versions(page).unwrap().items.remove(0);
    assert_eq!((version.spec, version.error.as_deref()), (None, Some("broken")));
}

#[test]
fn health_is_read_from_api_and_ui() {
    for (name, version, multi_user, store) in [
        ("2.0.5", "2.0.5", false, Store::Database),
        ("2.5.0", "2.5.0", false, Store::Database),
        ("2.16.1", "2.16.1", false, Store::Database),
        ("2.17.0", "2.17.0", false, Store::Database),
        ("2.17.0-multiuser", "2.17.0", true, Store::Database),
        ("2.17.0-kubernetes-store", "2.17.0", false, Store::Kubernetes),
    ] {
        let all = exchanges(name);
        let exchange = all
            .iter()
            .find(|exchange| exchange["name"].as_str().unwrap().ends_with("healthz"))
            .unwrap();
        let server = health(&body(exchange)).unwrap().server;
        assert_eq!(server.version, Some(semver::Version::parse(version).unwrap()));
        assert_eq!((server.multi_user, server.store), (multi_user, store), "{name}");
    }
    let ui =
        br#"{"apiServerTagName":"2.5.0","apiServerMultiUser":true,"multi_user":true,"apiServerReady":true}"#;
    assert!(health(ui).unwrap().server.multi_user);
    assert!(!health(br#"{"apiServerReady":false}"#).unwrap().ready);
    assert_eq!(
        health(br#"{"tag_name":"unknown","multi_user":false}"#)
            .unwrap()
            .server
            .version,
        None
    );
    assert!(health(b"{}").is_err());
    assert!(health(b"[1]").is_err());
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(text in "\\PC*") {
        let _ = (pipeline(text.as_bytes()), versions(text.as_bytes()), health(text.as_bytes()));
    }
}
