//! What is fuzzed: each function takes any bytes, must return, and panics only where a promise is broken.
//!
//! `cargo +nightly fuzz run NAME` drives them with coverage; `cargo test fuzzing` drives the same functions
//! with some thousand inputs made from recordings and from a generator, so that no promise rots unseen.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kfp_gitops::context;
use kfp_gitops::error::Phase;
use kfp_gitops::ir::{Spec, upload_documents};
use kfp_gitops::kfp::error::ApiError;
use kfp_gitops::kfp::transport::Response;
use kfp_gitops::kfp::{features, model, retry};
use kfp_gitops::plan::mark::Mark;
use kfp_gitops::plan::{diff, file};
use kfp_gitops::report::{annotations, text, wording};
use kfp_gitops::settings::load;
use std::collections::BTreeMap;

/// Text where the bytes are some, with what is not UTF-8 replaced, as readers of foreign output do.
fn lossy(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// Nothing that a terminal or a log would obey.
fn assert_one_tame_line(line: &str) {
    assert!(
        !line.chars().any(char::is_control),
        "a control character came through: {line:?}"
    );
}

/// A server's answer in every place where one is read, and as an error.
pub fn server_json(data: &[u8]) {
    for version in [model::version(data)].into_iter().flatten() {
        let _ = (version.age_key(), Mark::parse(&version.description));
        if let Some(spec) = &version.spec {
            let _ = spec.digest();
        }
    }
    if let Ok(page) = model::versions(data) {
        for version in page.items {
            let _ = Mark::parse(&version.description);
        }
    }
    let _ = (model::pipeline(data), model::pipelines(data));
    if let Ok(health) = model::health(data) {
        let _ = kfp_gitops::kfp::capabilities::Capabilities::of(&health.server);
    }
    // The first byte chooses how the same bytes come back as a refusal.
    let (status, kind) = match data.first().unwrap_or(&0) % 6 {
        0 => (200, "text/html; charset=utf-8"),
        1 => (400, "text/plain"),
        2 => (401, "application/json"),
        3 => (302, "text/html"),
        4 => (409, "application/json"),
        _ => (500, "application/json"),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_bytes(data.get(..64.min(data.len())).unwrap_or_default()) {
        headers.insert(header::LOCATION, value.clone());
        headers.insert(header::RETRY_AFTER, value);
    }
    let response = Response {
        status: StatusCode::from_u16(status).unwrap_or_default(),
        headers,
        body: Bytes::copy_from_slice(data),
    };
    for error in [
        ApiError::from_response("GET /apis", &response),
        ApiError::unreadable("GET /apis", &response, "it is cut off"),
    ] {
        let _ = (error.passes(), error.effect());
        assert_one_tame_line(&error.message);
        assert!(
            error.message.len() < 4096,
            "an error quotes {} bytes",
            error.message.len()
        );
        let failure = error.into_failure(Phase::Plan, "reading");
        assert!(failure.message.len() < 8192);
    }
}

/// A configuration, and a plan file.
pub fn config(data: &[u8]) {
    let text = lossy(data);
    if let Err(failure) = load::parse(&text, "kfp-gitops.yaml") {
        assert_eq!(failure.exit_code().code(), 2, "{failure:?}");
        assert!(failure.hint.is_some(), "{failure:?}");
    }
    let _ = file::PlanFile::parse(&text, "plan.json");
}

/// The event file of a CI job. The first byte chooses the event.
pub fn event(data: &[u8]) {
    let (chosen, rest) = data.split_first().unwrap_or((&0, &[]));
    let name = [
        "push",
        "pull_request",
        "pull_request_target",
        "workflow_dispatch",
        "schedule",
        "release",
    ][usize::from(*chosen) % 6];
    let env: BTreeMap<String, String> = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", name),
        ("GITHUB_SERVER_URL", "https://git.example"),
        ("GITHUB_REPOSITORY", "ml/pipelines"),
        ("GITHUB_SHA", "6875ae4fd7a2bc8cfc5c8bc00f3ca4fb00e6ec58"),
        ("GITHUB_RUN_ID", "17"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let context = context::read(&env, Some(&lossy(rest)));
    let _ = (context.from_fork(), context.run_key(), context.run_links());
    // An event that cannot be read is no reason to deploy: what is not known to be ours is a plan.
    let (command, why) = context::auto::decide(&context, &["refs/heads/main"], None);
    assert!(!why.is_empty(), "{}", command.as_str());
    if name.starts_with("pull_request") {
        assert_eq!(command.as_str(), "plan", "{why}");
    }
}

/// Specs: two documents, parted by a zero byte, and as a server would give them back.
pub fn ir(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let pipeline = lossy(parts.next().unwrap_or_default());
    let platform = parts.next().map(|bytes| lossy(bytes).into());
    let spec = Spec::from_text(pipeline, platform);
    assert_eq!(spec.digest(), spec.clone().digest());
    if let Ok(document) = upload_documents(&spec) {
        // What is sent must be what every server's parser takes: no raw control characters, no surprises.
        let text = std::str::from_utf8(&document).unwrap_or_else(|error| panic!("{error}"));
        let tame = |character: char| character == '\n' || !character.is_control();
        assert!(text.chars().all(tame), "{text:?}");
        let mut sent = text.split("\n---\n");
        let again = Spec::from_text(
            sent.next().unwrap_or_default().trim_end(),
            sent.next().map(|platform| platform.trim_end().into()),
        );
        assert_eq!(again.digest(), spec.digest(), "the upload means something else");
    }
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(data)
        && let Ok(returned) = Spec::from_server(&value)
    {
        let difference = diff::diff(Some(&spec), &returned);
        let _ = (difference.is_breaking(), difference.is_sdk_only());
        let _ = diff::diff_drawn(None, &returned, 40);
    }
    let server = model::Server {
        version: Some("2.5.0".parse().unwrap_or_else(|error| panic!("{error}"))),
        tag_name: None,
        multi_user: false,
        store: model::Store::Database,
        probed: false,
        conditional_uploads: false,
    };
    if let Some(failure) = features::refusal("one", &spec, &server, Phase::Plan) {
        assert!(failure.hint.is_some());
    }
}

/// Foreign text on its way to a runner's log.
pub fn workflow_commands(data: &[u8]) {
    let text = lossy(data);
    let encoded = annotations::data(&text);
    assert!(!encoded.contains(['\r', '\n']), "{encoded:?}");
    let decode = |text: &str| {
        text.replace("%2C", ",")
            .replace("%3A", ":")
            .replace("%0A", "\n")
            .replace("%0D", "\r")
            .replace("%25", "%")
    };
    // A runner reads exactly what was meant; `%25` is written last, so it is undone last.
    if !text.contains('%') {
        assert_eq!(decode(&encoded), text);
    }
    let property = annotations::property(&text);
    assert!(!property.contains([':', ',', '\r', '\n']), "{property:?}");
    assert_one_tame_line(&annotations::group(&text));
    let quoted = annotations::quoted(&text, Some("word"));
    let lines: Vec<&str> = quoted.split('\n').collect();
    assert_eq!(lines[0], "::stop-commands::word");
    assert_eq!(&lines[lines.len() - 2..], ["::word::", ""]);
    for line in &lines[1..lines.len() - 2] {
        assert!(line.starts_with("  | ") && !line.contains("##["), "{line:?}");
        assert!(
            !line
                .chars()
                .any(|character| character.is_control() && character != '\t'),
            "{line:?}"
        );
    }
    for line in annotations::defused(&text).lines() {
        assert!(!line.trim_start().starts_with("::"), "a command: {line:?}");
    }
    assert_one_tame_line(&text::clean(&text));
    assert_one_tame_line(&wording::one_line(&text));
}

/// `Retry-After`.
pub fn retry_after(data: &[u8]) {
    let now = chrono::DateTime::from_timestamp(1_795_219_200, 0).unwrap_or_default();
    let text = lossy(data);
    let wait = retry::retry_after(&text, now);
    let digits = !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
    assert!(!digits || wait.is_some(), "{text:?}");
}
