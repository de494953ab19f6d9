//! What the project requires while it compiles: where it may be said, from which index it comes, and when it is
//! prepared.

use crate::preparing::{error, importing, installers};
use crate::support::index::Index;
use crate::support::machine::{can_unshare, unshared};
use crate::support::{Said, folder, kfp_gitops, run, write};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

const PLAIN: &str = "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.12')\ndef say(): pass\n\n\n\
                     @dsl.pipeline(name='a')\ndef a():\n    say()\n";

/// The command with this installer, a cache of its own, and the index beside the usual one.
fn with(root: &Path, path: &Path, cache: &Path, index: &Index) -> Command {
    let mut command = kfp_gitops(root);
    command
        .env("PATH", path)
        .env("PIP_EXTRA_INDEX_URL", index.url())
        .env("UV_EXTRA_INDEX_URL", index.url())
        // what the usual one does not have is asked of the next
        .env("UV_INDEX_STRATEGY", "unsafe-best-match")
        .env("KFP_GITOPS_CACHE_DIR", cache);
    command
}

/// How many environments were made.
fn environments(cache: &Path) -> usize {
    std::fs::read_dir(cache.join("python")).map_or(0, |entries| {
        let ready = entries
            .flatten()
            .filter(|entry| entry.path().join("ready.json").exists());
        ready.count()
    })
}

fn described(root: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(root.join(format!("out/{name}_pipeline.yaml"))).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# Description: "));
    line.unwrap_or_default().to_owned()
}

#[test]
fn each_set_is_prepared_when_it_is_needed_and_once() {
    let index = Index::start();
    index.add("kfp-gitops-one", "1.0", "FOUND = 'one 1.0'\n");
    index.add("kfp-gitops-two", "2.0", "FOUND = 'two 2.0'\n");
    index.add("kfp-gitops-never", "1.0", "FOUND = 'never'\n");
    let script = "# /// script\n# requires-python = \">=3.9\"\n# dependencies = [\n#   \"kfp-gitops-one==1.0\",\n# ]\n# ///\n";
    for (installer, path) in installers() {
        let cache = folder(&[]);
        let root = folder(&[
            ("plain_pipeline.py", PLAIN),
            (
                "one_pipeline.py",
                &format!("{script}{}", importing("kfp_gitops_one")),
            ),
            ("two_pipeline.py", &importing("kfp_gitops_two")),
            // says what it would need, and imports it only in its component
            (
                "lazy_pipeline.py",
                &format!("{}{PLAIN}", script.replace("one==", "never==")),
            ),
            ("deps/two.txt", "kfp-gitops-two>=1\n"),
            (
                "kfp-gitops.yaml",
                "compile: {requirements: [deps/two.txt], kfp: 2.17.0}\n",
            ),
        ]);
        let compile = |files: &[&str]| -> Said {
            run(with(root.path(), path.path(), cache.path(), &index)
                .args(["compile", "-o", "out", "--no-cache"])
                .args(files))
        };
        let said = compile(&["plain_pipeline.py", "lazy_pipeline.py"]);
        assert_eq!(said.code, 0, "{installer}: {said:?}");
        assert_eq!(environments(cache.path()), 1, "{installer}");
        // on a line of its own, before anything else is said
        assert!(
            said.err.contains("installing kfp 2.17.0 for Python 3.")
                && said.err.contains(&format!("with {installer}")),
            "{said:?}"
        );
        assert_eq!(
            index.asked("kfp-gitops-one") + index.asked("kfp-gitops-two"),
            0,
            "{installer}"
        );

        let said = compile(&[]);
        assert_eq!(said.code, 0, "{installer}: {said:?}");
        assert_eq!(environments(cache.path()), 3, "{installer}");
        assert_eq!(described(root.path(), "one"), "one 1.0", "{installer}");
        assert_eq!(described(root.path(), "two"), "two 2.0", "{installer}");
        assert!(
            said.err
                .contains("installing kfp 2.17.0 and the project's requirements"),
            "{said:?}"
        );

        let before = (index.asked("kfp-gitops-one"), index.asked("kfp-gitops-two"));
        let said = compile(&[]);
        assert_eq!(said.code, 0, "{installer}: {said:?}");
        assert!(!said.err.contains("installing"), "{said:?}");
        assert_eq!(
            (index.asked("kfp-gitops-one"), index.asked("kfp-gitops-two")),
            before
        );
        assert_eq!(environments(cache.path()), 3, "{installer}");
        assert_eq!(index.asked("kfp-gitops-never"), 0, "{installer}");
        // the next installer starts from nothing
        index.forget();
    }
}

#[test]
fn a_wheel_that_was_tampered_with_is_refused() {
    let index = Index::start();
    let hash = index.add("kfp-gitops-one", "1.0", "FOUND = 'as released'\n");
    for (installer, path) in installers() {
        let cache = folder(&[]);
        let root = folder(&[
            ("one_pipeline.py", &importing("kfp_gitops_one")),
            (
                "requirements.txt",
                &format!("kfp-gitops-one==1.0 --hash=sha256:{hash}\n"),
            ),
            ("kfp-gitops.yaml", "compile: {kfp: 2.17.0}\n"),
        ]);
        let compile = || {
            run(with(root.path(), path.path(), cache.path(), &index)
                .env("UV_CACHE_DIR", cache.path().join("uv"))
                .args(["compile", "-o", "out", "--no-cache", "--format", "json"]))
        };
        index.add("kfp-gitops-one", "1.0", "FOUND = 'tampered with'\n");
        let said = compile();
        assert_eq!(said.code, 1, "{installer}: {said:?}");
        let text = error(&said);
        assert!(text.to_lowercase().contains("hash"), "{installer}: {text}");
        assert!(
            text.contains("hint: ") && !text.contains("hint: \n"),
            "{installer}: {text}"
        );
        assert!(!root.path().join("out").exists(), "{installer}");
        assert_eq!(
            environments(cache.path()),
            1,
            "{installer}: nothing half-made counts"
        );

        index.add("kfp-gitops-one", "1.0", "FOUND = 'as released'\n");
        let said = compile();
        assert_eq!(said.code, 0, "{installer}: {said:?}");
        assert_eq!(described(root.path(), "one"), "as released", "{installer}");
    }
}

#[test]
fn the_index_and_the_proxy_of_the_installers_are_honoured() {
    let root = folder(&[("a_pipeline.py", PLAIN)]);
    for (installer, path) in installers() {
        let index = Index::start();
        let cache = folder(&[]);
        let alone = |name: &str, value: &str| {
            let mut command = kfp_gitops(root.path());
            for other in [
                "HTTPS_PROXY",
                "https_proxy",
                "ALL_PROXY",
                "all_proxy",
                "NO_PROXY",
                "no_proxy",
                "PIP_FIND_LINKS",
            ] {
                command.env_remove(other);
            }
            command
                .args(["compile", "--format", "json", "--cache-dir"])
                .arg(cache.path())
                .env("PATH", path.path())
                .env("UV_CACHE_DIR", cache.path().join("uv"))
                .env("PIP_CACHE_DIR", cache.path().join("pip"))
                .env("PIP_CONFIG_FILE", "/dev/null")
                .env("PIP_RETRIES", "0")
                .env("UV_HTTP_RETRIES", "0")
                .env(name, value);
            run(&mut command)
        };
        let own = if installer == "uv" {
            "UV_INDEX_URL"
        } else {
            "PIP_INDEX_URL"
        };
        let said = alone(own, &index.url());
        assert_ne!(said.code, 0, "{installer}: {said:?}");
        assert!(index.asked("/simple/") > 0, "{installer} asked another: {said:?}");

        let (address, heads) = refusing_proxy();
        let said = alone("HTTPS_PROXY", &format!("http://{address}"));
        assert_eq!(said.code, 75, "{installer}: {said:?}");
        let heads = heads.lock().unwrap();
        assert!(
            heads.iter().any(|head| head.starts_with("CONNECT pypi.org:443")),
            "{installer}: {heads:?} {said:?}"
        );
    }
}

/// A proxy that lets nobody through, and what it was asked.
fn refusing_proxy() -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let count = stream.read(&mut head).unwrap_or(0);
            seen.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&head[..count]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (address, heads)
}

#[test]
fn the_runners_tool_cache_is_used_where_it_persists() {
    let root = folder(&[("a_pipeline.py", PLAIN)]);
    let tools = folder(&[]);
    let used = |tools: &Path, user: &Path| {
        let said = run(kfp_gitops(root.path())
            .args(["env", "--format", "json"])
            .env("XDG_CACHE_HOME", user)
            .env("RUNNER_TOOL_CACHE", tools));
        assert_eq!(said.code, 0, "{said:?}");
        std::path::PathBuf::from(said.json()["cache_directory"].as_str().unwrap())
    };
    let user = folder(&[]);
    assert_eq!(used(tools.path(), user.path()), tools.path().join("kfp-gitops"));
    // an agent without one names a folder that is not there
    assert_eq!(
        used(&tools.path().join("absent"), user.path()),
        user.path().join("kfp-gitops")
    );
}

/// A command that reaches nothing but itself; `None` where the machine cannot do that.
fn without_network(template: &Command) -> Option<Command> {
    if !can_unshare("--net") {
        return None;
    }
    let mut command = unshared("--net", template);
    command.arg(env!("CARGO_BIN_EXE_kfp-gitops"));
    if let Some(folder) = template.get_current_dir() {
        command.current_dir(folder);
    }
    Some(command)
}

#[test]
fn a_prepared_runner_image_needs_no_network() {
    let index = Index::start();
    index.add("kfp-gitops-one", "1.0", "FOUND = 'one 1.0'\n");
    let kubernetes = PLAIN.replace("import dsl", "import dsl, kubernetes").replace(
        "    say()\n",
        "    kubernetes.use_secret_as_env(say(), 'name', {'key': 'VALUE'})\n",
    );
    let root = folder(&[
        ("plain_pipeline.py", PLAIN),
        ("platform_pipeline.py", &kubernetes.replace("'a'", "'b'")),
        // more of the SDK than compiling usually needs
        (
            "client_pipeline.py",
            &format!(
                "from kubernetes import client\nclient.V1Pod\n{}",
                PLAIN.replace("'a'", "'c'")
            ),
        ),
        (
            "one_pipeline.py",
            &importing("kfp_gitops_one").replace("'a'", "'d'"),
        ),
        ("requirements.txt", "kfp==2.17.0\nkfp-gitops-one\n"),
    ]);
    let (_, path) = installers().pop().unwrap();
    let caches = [folder(&[]), folder(&[])];
    let command = |cache: &Path| {
        let mut command = with(root.path(), path.path(), cache, &index);
        command.env("PIP_RETRIES", "0").env("UV_HTTP_RETRIES", "0");
        // what installers keep is no environment
        command
            .env("UV_CACHE_DIR", cache.join("uv"))
            .env("PIP_CACHE_DIR", cache.join("pip"));
        command
    };
    let prepared = run(command(caches[0].path()).args(["env", "--prepare", "--format", "json"]));
    assert_eq!(prepared.code, 0, "{prepared:?}");
    assert_eq!(environments(caches[0].path()), 3, "{prepared:?}");
    let Some(_) = without_network(&command(caches[0].path())) else {
        eprintln!("skipped: no network can be taken away here");
        return;
    };
    for arguments in [
        &["check", "--format", "json"][..],
        &["compile", "--no-cache", "--format", "json"],
    ] {
        let said = run(without_network(&command(caches[0].path()))
            .unwrap()
            .args(arguments));
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        assert_eq!(said.json()["counts"]["compiled"], 4, "{said:?}");
    }
    // and without having been prepared it is missed
    let said = run(without_network(&command(caches[1].path()))
        .unwrap()
        .args(["check", "--format", "json"]));
    assert_eq!(said.code, 75, "{said:?}");
    // a file that does not compile stops nobody
    write(root.path(), "broken_pipeline.py", "raise ValueError('no')\n");
    let prepared = run(command(caches[0].path()).args(["env", "--prepare", "--format", "json"]));
    assert_eq!(prepared.code, 0, "{prepared:?}");
    assert!(
        prepared.out.contains("1 of 5 files do not compile"),
        "{prepared:?}"
    );
}
