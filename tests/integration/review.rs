//! What a reviewer sees of a pull request on the examples: the comment and the page. With `UPDATE_DOCS=1` both
//! are kept as the pictures in `docs/`, taken by a headless Chromium.

use crate::browser::Browser;
use crate::forge::{StandIn, TOKEN};
use crate::support::registry::Served;
use crate::support::{examples, git, kfp_gitops, repository, run, write};
use kfp_gitops::ir::Spec;
use kfp_gitops::plan::diff::diff_drawn;
use kfp_gitops::report::graph::svg::svg;
use serde::Deserialize as _;
use serde_json::{Value, json};
use std::path::Path;

/// The pull request: what it replaces in `examples/evaluation_pipeline.py`.
const EDITS: [(&str, &str); 7] = [
    // A task is renamed,
    ("def decide(", "def weigh("),
    ("decision = decide(", "decision = weigh("),
    // an image bumped,
    (
        "@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[MLFLOW, \"boto3==1.35.99\", *TABULAR, \"xgboost==2.1.3\"])",
        "@dsl.component(base_image=\"python:3.12.8-slim-bookworm\", packages_to_install=[MLFLOW, \"boto3==1.35.99\", *TABULAR, \"xgboost==2.1.3\"])",
    ),
    // a parameter removed,
    ("    threshold: float = 0.5,\n", ""),
    (
        "outputs[\"predictions\"], threshold=threshold)",
        "outputs[\"predictions\"], threshold=0.5)",
    ),
    // a loop added,
    (
        "    decision = ",
        "    with dsl.ParallelFor([0.3, 0.5, 0.7], name=\"cuts\") as cut:\n        \
         score(predictions=candidate.outputs[\"predictions\"], threshold=cut).set_display_name(\"quality at a cut\")\n    decision = ",
    ),
    // and some code changed that decides.
    (
        "promote = gain >= min_gain and not losers",
        "promote = gain > min_gain and not losers",
    ),
];

/// And a description is edited in another file.
const DESCRIPTION: (&str, &str) = (
    "Transcribes the titles of a ripped DVD with Whisper.",
    "Transcribes every title of a ripped DVD with Whisper, one after the other.",
);

struct Review {
    comment: String,
    page: String,
    /// The evaluation before and after.
    specs: [Spec; 2],
}

fn edit(root: &Path, file: &str, edits: &[(&str, &str)]) {
    let path = format!("examples/{file}");
    let mut text = std::fs::read_to_string(root.join(&path)).unwrap();
    for (from, to) in edits {
        assert!(text.contains(from), "{file} has no {from:?} any more");
        text = text.replace(from, to);
    }
    write(root, &path, &text);
}

/// What the compiler made of the evaluation.
fn compiled(root: &Path, folder: &str) -> Spec {
    let file = "examples/evaluation_pipeline.py";
    let said = run(kfp_gitops(root).args(["compile", file, "-o", folder]));
    assert_eq!(said.code, 0, "{said:?}");
    let name = walk(&root.join(folder)).expect("a compiled file");
    let text = std::fs::read_to_string(name).unwrap();
    let mut documents = serde_yaml::Deserializer::from_str(&text).map(|one| Value::deserialize(one).unwrap());
    let pipeline = documents.next().unwrap();
    let platform = documents.next();
    Spec::from_server(&json!({"pipeline_spec": pipeline, "platform_spec": platform})).unwrap()
}

fn walk(folder: &Path) -> Option<std::path::PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|one| one.path())
        .collect();
    entries.sort();
    entries
        .into_iter()
        .find_map(|path| if path.is_dir() { walk(&path) } else { Some(path) })
}

/// The examples are deployed, the pull request is made, and its job plans.
async fn review() -> Review {
    let root = examples();
    let root = root.path();
    write(root, "requirements.txt", "kfp==2.17.0\nkfp-kubernetes==2.17.0\n");
    write(
        root,
        ".gitignore",
        "compiled-*\npage.html\nevent.json\n.kfp-gitops\n",
    );
    let origin = "https://git.example.org/ml/pipelines.git";
    git(root, &["remote", "add", "origin", origin]);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-qm", "base"]);
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(&data.path().join("data"));
    let said = run(kfp_gitops(root).args(["apply", "examples", "--endpoint", &served.url]));
    assert_eq!(said.code, 0, "{said:?}");
    let before = compiled(root, "compiled-before");

    edit(root, "evaluation_pipeline.py", &EDITS);
    edit(root, "dvd_transcription_pipeline.py", &[DESCRIPTION]);
    git(root, &["commit", "-qam", "pull request"]);
    let after = compiled(root, "compiled-after");

    let stand_in = StandIn::start().await;
    let head = git(root, &["rev-parse", "HEAD"]);
    let event = json!({
        "action": "opened",
        "number": 7,
        "pull_request": {
            "number": 7,
            "base": {"ref": "main", "sha": "", "repo": {"full_name": "ml/pipelines", "fork": false}},
            "head": {"ref": "work", "sha": head.trim(), "repo": {"full_name": "ml/pipelines", "fork": false}},
        },
        "repository": {"full_name": "ml/pipelines", "default_branch": "main"},
    });
    std::fs::write(root.join("event.json"), event.to_string()).unwrap();
    let mut job = kfp_gitops(root);
    job.args([
        "plan",
        "examples",
        "--html",
        "page.html",
        "--ui-url",
        "https://kfp.example.org",
    ])
    .args(["--endpoint", &served.url])
    .envs([
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITEA_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REPOSITORY", "ml/pipelines"),
        ("GITHUB_REF", "refs/pull/7/head"),
        ("GITHUB_BASE_REF", "main"),
        ("GITHUB_HEAD_REF", "work"),
        ("GITHUB_RUN_ID", "17"),
        ("KFP_GITOPS_FORGE_TOKEN", TOKEN),
    ])
    .env("GITHUB_EVENT_PATH", root.join("event.json"))
    .env("GITHUB_SERVER_URL", "https://git.example.org")
    .env("GITHUB_API_URL", format!("{}/api/v1", stand_in.url))
    .env("KFP_GITOPS_NTFY_URL", format!("{}/gitea-ci", stand_in.url));
    let said = tokio::task::spawn_blocking(move || run(&mut job)).await.unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    let told = stand_in.told.lock().unwrap();
    assert_eq!(told.comments.len(), 1, "{said:?} {:?}", told.calls);
    Review {
        comment: told.comments[0].1.clone(),
        page: std::fs::read_to_string(root.join("page.html"))
            .unwrap()
            .replace(&served.url, "https://kfp.example.org"),
        specs: [before, after],
    }
}

/// The comment as a forge shows it, with our own drawing in the place of Mermaid's.
fn rendered(review: &Review) -> String {
    use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, html};
    let options = Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH;
    let [before, after] = &review.specs;
    let (_, graph) = diff_drawn(Some(before), after, 1_000);
    let picture = svg("evaluation", &graph);
    let mut mermaid = false;
    let mut language = String::new();
    let events = Parser::new_ext(&review.comment, options).filter_map(|event| match event {
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) if &*kind == "mermaid" => {
            mermaid = true;
            None
        }
        Event::Text(text) if mermaid => {
            // Only the evaluation's tasks change; the other's picture is the compiler's.
            text.contains("weigh")
                .then(|| Event::Html(format!("<div class=picture>{picture}</div>").into()))
        }
        Event::End(TagEnd::CodeBlock) if mermaid => {
            mermaid = false;
            None
        }
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
            language = kind.to_string();
            Some(Event::Html("<pre>".into()))
        }
        Event::End(TagEnd::CodeBlock) => Some(Event::Html("</pre>".into())),
        Event::Text(text) if language == "diff" && text.contains('\n') => {
            let lines: String = text
                .lines()
                .map(|line| {
                    let class = match line.as_bytes().first() {
                        Some(b'+') => "plus",
                        Some(b'-') => "minus",
                        Some(b'@') => "at",
                        _ => "",
                    };
                    let line = line.replace('&', "&amp;").replace('<', "&lt;");
                    format!("<span class=\"{class}\">{line}</span>\n")
                })
                .collect();
            language.clear();
            Some(Event::Html(lines.into()))
        }
        Event::Start(Tag::BlockQuote(Some(BlockQuoteKind::Warning))) => Some(Event::Html(
            "<div class=warning><p class=head>⚠ Warning</p>".into(),
        )),
        Event::End(TagEnd::BlockQuote(Some(BlockQuoteKind::Warning))) => Some(Event::Html("</div>".into())),
        other => Some(other),
    });
    let mut body = String::new();
    html::push_html(&mut body, events);
    assert!(
        body.contains("<table>") && body.contains("<sub>plan <code>"),
        "{body}"
    );
    // The fold is open, as a reviewer has it who looks.
    let body = body.replace(
        "<details><summary><code>evaluation</code>",
        "<details open><summary><code>evaluation</code>",
    );
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>comment</title><style>{}</style>\
         <div class=who><b>gitea-actions</b> commented on the pull request</div><article>{body}</article></html>",
        include_str!("review.css")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_understands_a_pull_request_on_the_examples() {
    let review = review().await;
    let comment = &review.comment;
    // The count comes first, what breaks callers stands in the open, and each edit is one line.
    for line in [
        "Would deploy 2 of 6 pipelines: 2 to update, 4 unchanged",
        "> [!WARNING]\n> **Callers break:**\n> - `evaluation`: parameter `threshold` removed",
        "task `decide` renamed to `weigh`",
        "`python:3.11.11-slim-bookworm` → `python:3.12.8-slim-bookworm`",
        "-    promote = gain >= min_gain and not losers\n+    promote = gain > min_gain and not losers",
        "```mermaid\nflowchart TD\n",
        "Transcribes every title of a ripped DVD with Whisper, one after the other.",
    ] {
        assert!(comment.contains(line), "{line:?} is not in\n{comment}");
    }
    assert!(
        comment.contains("loop over") && comment.contains("[0.3, 0.5, 0.7]"),
        "{comment}"
    );
    let breaking = comment.find("Callers break").unwrap();
    assert!(breaking < comment.find("<details>").unwrap(), "{comment}");
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let docs = repository().join("docs");
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let keep = |browser: &mut Browser, name: &str| {
        let picture = browser.shot();
        if update {
            std::fs::create_dir_all(&docs).unwrap();
            assert!(picture.len() < 300_000, "{name}: {}", picture.len());
            std::fs::write(docs.join(name), picture).unwrap();
        }
    };
    browser.frame(920, 1720, 1.25, false);
    browser.open(&rendered(&review), "");
    keep(&mut browser, "plan-comment.png");

    browser.frame(1280, 1330, 1.0, false);
    browser.open(&review.page, "#pipeline=evaluation");
    assert!(
        browser.count("svg .node.renamed, svg .node.changed") > 1,
        "{}",
        browser.text("main")
    );
    assert!(browser.text("main").contains("Interface: callers break"));
    keep(&mut browser, "plan-page.png");
    browser.frame(390, 844, 2.0, true);
    browser.open(&review.page, "#pipeline=evaluation&task=weigh");
    assert!(
        browser.text(".task").contains("renamed"),
        "{}",
        browser.text(".task")
    );
    keep(&mut browser, "plan-page-dark.png");
    browser.assert_quiet();
}
