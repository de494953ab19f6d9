//! Finding and fetching the binary, from a local server, with each of the three downloaders.

use super::runner::{Ran, Runner};
use crate::support::http;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

/// Stands for the binary: it says its version, and what it was started with.
const BINARY: &str =
    "#!/bin/sh\nif [ \"$1\" = version ]; then echo 'kfp-gitops VERSION (test)'; else echo \"ran: $*\"; fi\n";

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn binary() -> String {
    BINARY.replace("VERSION", version())
}

fn name() -> String {
    let machine = std::env::consts::ARCH;
    format!("kfp-gitops-v{}-{machine}-unknown-linux-musl", version())
}

fn checksums(text: &str) -> String {
    format!(
        "# released\n{}  {}\n",
        hex::encode(Sha256::digest(text.as_bytes())),
        name()
    )
}

/// A release server; gives back its address and the paths it was asked for.
async fn releases(text: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let wanted = format!("/base/v{}/{}", version(), name());
    let router = axum::Router::new().fallback(move |uri: axum::http::Uri| async move {
        seen.lock().unwrap().push(uri.path().to_owned());
        if uri.path() == wanted {
            (axum::http::StatusCode::OK, text)
        } else {
            (axum::http::StatusCode::NOT_FOUND, "not found".to_owned())
        }
    });
    let address = http::serve(router).await;
    (format!("http://{address}/base/"), asked)
}

async fn run(runner: Runner, inputs: Vec<(&'static str, String)>) -> (Runner, Ran) {
    tokio::task::spawn_blocking(move || {
        let given: Vec<(&str, &str)> = inputs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let ran = runner.run(&given);
        (runner, ran)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_downloader_alone_is_enough_and_the_tool_cache_saves_the_second() {
    for tool in ["curl", "wget", "python3"] {
        let (url, asked) = releases(binary()).await;
        let runner = Runner::new(&checksums(&binary()), &[tool]);
        let (runner, ran) = run(
            runner,
            vec![("download-url", url.clone()), ("command", "plan".to_owned())],
        )
        .await;
        assert_eq!(ran.code, 0, "{tool}: {}", ran.log);
        assert!(
            ran.log.contains(&format!("with {tool}")) && ran.log.contains("ran: plan"),
            "{}",
            ran.log
        );
        let (_, again) = run(runner, vec![("download-url", url)]).await;
        assert!(
            again.log.contains("from the tool cache") && again.log.contains("ran: auto"),
            "{}",
            again.log
        );
        assert_eq!(asked.lock().unwrap().len(), 1, "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_checksum_is_never_run() {
    let (url, _) = releases(binary()).await;
    let runner = Runner::new(&checksums("something else"), &["python3"]);
    let (runner, ran) = run(runner, vec![("download-url", url)]).await;
    assert_ne!(ran.code, 0);
    assert!(
        ran.log.contains("wrong checksum") && !ran.log.contains("ran:"),
        "{}",
        ran.log
    );
    let kept: Vec<_> = std::fs::read_dir(runner.path(&format!(
        "tools/kfp-gitops/{}/{}",
        version(),
        std::env::consts::ARCH
    )))
    .unwrap()
    .flatten()
    .collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_tool_cache_is_fetched_again() {
    let (url, asked) = releases(binary()).await;
    let runner = Runner::new(&checksums(&binary()), &["python3"]);
    let folder = runner.path(&format!(
        "tools/kfp-gitops/{}/{}",
        version(),
        std::env::consts::ARCH
    ));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name()), "#!/bin/sh\necho evil\n").unwrap();
    let (_, ran) = run(runner, vec![("download-url", url)]).await;
    assert!(
        ran.code == 0 && ran.log.contains("another checksum") && !ran.log.contains("evil"),
        "{}",
        ran.log
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_stops_and_says_what_else_there_is() {
    let (url, asked) = releases(binary()).await;
    for (checksums, wanted) in [
        (checksums(&binary()), "v9.9.9"),
        ("# nothing released yet\n".to_owned(), ""),
    ] {
        let runner = Runner::new(&checksums, &["python3", "curl"]);
        let inputs = vec![("download-url", url.clone()), ("tool-version", wanted.to_owned())];
        let (_, ran) = run(runner, inputs).await;
        assert_eq!(ran.code, 1, "{}", ran.log);
        assert!(
            ran.log.contains("no checksum is known") && ran.log.contains("`tool-version: source`"),
            "{}",
            ran.log
        );
    }
    assert_eq!(asked.lock().unwrap().len(), 0, "nothing was downloaded");
    let runner = Runner::new(&checksums(&binary()), &[]);
    let (_, ran) = run(runner, vec![("tool-version", "../../etc".to_owned())]).await;
    assert!(ran.code == 1 && ran.log.contains("no version"), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_download_with_and_nowhere_to_download_from() {
    let runner = Runner::new(&checksums(&binary()), &[]);
    let (_, ran) = run(runner, vec![("download-url", "http://127.0.0.1:9".to_owned())]).await;
    assert!(
        ran.code == 1 && ran.log.contains("curl, wget and python3 are all missing"),
        "{}",
        ran.log
    );
    let runner = Runner::new(&checksums(&binary()), &["curl", "wget", "python3"]);
    let (_, ran) = run(
        runner,
        vec![("download-url", "http://ann:passw0rd@127.0.0.1:9/x".to_owned())],
    )
    .await;
    assert!(
        ran.code == 1 && ran.log.contains("could not be downloaded"),
        "{}",
        ran.log
    );
    assert!(!ran.log.contains("passw0rd"), "{}", ran.log);
    for url in [
        "file:///etc/passwd",
        "--output /tmp/x",
        "http://x/$(id)",
        "http://x y",
    ] {
        let runner = Runner::new(&checksums(&binary()), &["curl"]);
        let (_, ran) = run(runner, vec![("download-url", url.to_owned())]).await;
        assert!(
            ran.code == 1 && ran.log.contains("`download-url`"),
            "{url}: {}",
            ran.log
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_that_is_there_is_used() {
    // By input, relative to the workspace; nothing is downloaded and no checksum asked.
    let runner = Runner::new("", &[]);
    runner.script("work/mine", &binary());
    let (_, ran) = run(runner, vec![("binary", "mine".to_owned())]).await;
    assert!(ran.code == 0 && ran.log.contains("ran: auto"), "{}", ran.log);
    // On PATH, of the right version.
    let runner = Runner::new("", &[]);
    runner.script("bin/kfp-gitops", &binary());
    let (_, ran) = run(runner, vec![]).await;
    assert!(ran.code == 0 && ran.log.contains("from PATH"), "{}", ran.log);
    // On PATH, of another version.
    let runner = Runner::new("", &[]);
    runner.script("bin/kfp-gitops", &BINARY.replace("VERSION", "0.0.1"));
    let (_, ran) = run(runner, vec![]).await;
    assert!(
        ran.code == 1 && ran.log.contains("ignoring kfp-gitops 0.0.1"),
        "{}",
        ran.log
    );
    // Missing, not executable, for another machine.
    for (text, said) in [
        (None, "no file"),
        (Some("#!/bin/sh\nexit 1\n"), "no kfp-gitops for this machine"),
    ] {
        let runner = Runner::new("", &[]);
        if let Some(text) = text {
            runner.script("work/mine", text);
        }
        let (_, ran) = run(runner, vec![("binary", "mine".to_owned())]).await;
        assert!(ran.code == 1 && ran.log.contains(said), "{}", ran.log);
    }
}
