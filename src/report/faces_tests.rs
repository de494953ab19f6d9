//! Every face of every kind of run, as people will read it.

use super::annotations::{annotations, defused, quoted};
use super::{
    Action, Reason, Report, fixtures, headline, markdown_comment, summary, text, wording, wording_notice,
};
use crate::context::{self, Context, ForgeKind};
use crate::error::{Failure, Phase};
use std::collections::BTreeMap;

fn context() -> Context {
    let env: BTreeMap<String, String> = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITEA_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", "6875ae4fd7a2bc8cfc5c8bc00f3ca4fb00e6ec58"),
        ("GITHUB_REPOSITORY", "ml/pipelines"),
        ("GITHUB_ACTOR", "ann"),
        ("GITHUB_RUN_ID", "17"),
    ]
    .iter()
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    context::read(&env, None)
}

/// Fails where Markdown is left as it was written: a table inside a quote, code behind a fold.
fn reads_as_markdown(text: &str) {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let mut in_code = false;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(shown) if !in_code => {
                assert!(
                    !shown.contains('|') && !shown.contains('`'),
                    "{shown:?} in\n{text}"
                );
            }
            Event::Html(raw) => assert!(!raw.contains('`') && !raw.contains("]("), "{raw:?} in\n{text}"),
            _ => {}
        }
    }
}

/// All faces of one run in one text.
fn faces(report: &Report) -> String {
    let notice = wording_notice::notice(report, &context(), false);
    reads_as_markdown(&markdown_comment::comment(report));
    reads_as_markdown(&summary::summary(report));
    format!(
        "outcome: {:?}\nheadline: {}\nstatus: {}\n\n--- notification ({:?}, priority {})\n{}\n{}\n\n\
         --- annotations on GitHub\n{}\n\n--- annotations on Gitea\n{}\n\n--- comment\n{}\n--- summary\n{}",
        wording::outcome(report),
        headline::headline(report),
        headline::description(report),
        notice.tags,
        notice.priority,
        notice.title,
        notice.message,
        annotations(report, ForgeKind::GitHub).join("\n"),
        annotations(report, ForgeKind::Gitea).join("\n"),
        markdown_comment::comment(report),
        summary::summary(report),
    )
}

#[test]
fn nothing_found() {
    insta::assert_snapshot!(faces(&fixtures::nothing_found()));
}

#[test]
fn nothing_changed() {
    insta::assert_snapshot!(faces(&fixtures::nothing_changed()));
}

#[test]
fn created() {
    insta::assert_snapshot!(faces(&fixtures::created()));
}

#[test]
fn updated() {
    insta::assert_snapshot!(faces(&fixtures::updated()));
}

#[test]
fn mixed() {
    insta::assert_snapshot!(faces(&fixtures::mixed()));
}

#[test]
fn some_failed() {
    insta::assert_snapshot!(faces(&fixtures::some_failed()));
}

#[test]
fn all_failed() {
    insta::assert_snapshot!(faces(&fixtures::all_failed()));
}

#[test]
fn compile_errors() {
    insta::assert_snapshot!(faces(&fixtures::compile_errors()));
}

#[test]
fn server_unreachable() {
    insta::assert_snapshot!(faces(&fixtures::unreachable()));
}

#[test]
fn no_permission() {
    insta::assert_snapshot!(faces(&fixtures::no_permission()));
}

#[test]
fn plan() {
    insta::assert_snapshot!(faces(&fixtures::plan()));
}

#[test]
fn plan_without_changes() {
    insta::assert_snapshot!(faces(&fixtures::plan_nothing()));
}

#[test]
fn huge() {
    let report = fixtures::huge();
    let notice = wording_notice::notice(&report, &context(), false);
    let comment = markdown_comment::comment(&report);
    let summary = summary::summary(&report);
    assert!(
        comment.len() <= markdown_comment::COMMENT_LIMIT,
        "{} bytes",
        comment.len()
    );
    assert!(summary.len() <= summary::SUMMARY_LIMIT, "{} bytes", summary.len());
    assert!(notice.message.len() <= wording_notice::MESSAGE_LIMIT);
    assert_eq!(annotations(&report, ForgeKind::GitHub).len(), 10);
    let folded = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let (head, tail) = (
            &lines[..lines.len().min(24)],
            &lines[lines.len().saturating_sub(12)..],
        );
        format!(
            "{}\n[… {} lines in all …]\n{}",
            head.join("\n"),
            lines.len(),
            tail.join("\n")
        )
    };
    insta::assert_snapshot!(format!(
        "{}\n\n{}\n\n{}\n\n{}\n\n{}",
        headline::description(&report),
        notice.message,
        annotations(&report, ForgeKind::GitHub).join("\n"),
        folded(&comment),
        folded(&summary)
    ));
}

#[test]
fn rights_and_deaths() {
    use wording_notice::{Place, could_not, died, missing_permission, not_notified};
    let mut text = String::new();
    for place in [Place::Status, Place::Comment] {
        for (code, forge, version, fork) in [
            (403, ForgeKind::Gitea, Some("1.24.3"), false),
            (403, ForgeKind::Gitea, Some("1.27.0"), false),
            (403, ForgeKind::Gitea, Some("development"), true),
            (401, ForgeKind::Gitea, None, false),
            (403, ForgeKind::GitHub, None, false),
            (403, ForgeKind::GitHub, None, true),
        ] {
            text.push_str(&missing_permission(place, code, forge, version, fork));
            text.push('\n');
        }
    }
    text.push_str(&could_not(
        Place::Comment,
        "the forge answered 500:\nan HTML page",
    ));
    text.push('\n');
    text.push_str(&not_notified("ntfy", "no answer within 4 s"));
    text.push('\n');
    for result in ["failure", "cancelled", "skipped", "success"] {
        let notice = died(result, &context());
        text.push_str(&format!(
            "{} ({:?}): {}\n",
            notice.title,
            notice.tags,
            notice.message.replace('\n', " / ")
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_recovery_says_so() {
    let notice = wording_notice::notice(&fixtures::updated(), &context(), true);
    assert!(
        notice
            .title
            .starts_with("ml/pipelines: Recovered: Deployed 1 of 6"),
        "{}",
        notice.title
    );
}

/// What an attacker puts into names, files, messages and hints.
const HOSTILE: &str = "x` | </summary> <!-- kfp-gitops:comment: --> <script>alert(1)</script>\n::set-output name=a::b\r##[error]\
    @everyone closes #1 ![i](https://evil/x.png) [t](javascript:x) https://evil.example \u{202e}%0A::add-mask::a \u{1b}[2J\u{9b}31m\u{7}";

fn hostile() -> Report {
    let mut report = fixtures::some_failed();
    for pipeline in &mut report.pipelines {
        pipeline.name = Some(HOSTILE.to_owned());
        pipeline.file = Some(HOSTILE.to_owned());
        pipeline.url = Some(format!("javascript:{HOSTILE}"));
        pipeline.warnings = vec![HOSTILE.to_owned()];
        if let Some(error) = &mut pipeline.error {
            *error = Failure::failed(Phase::Compile, HOSTILE)
                .hint(HOSTILE)
                .file(HOSTILE)
                .line(1)
                .detail(HOSTILE);
        }
    }
    report.target = Some(HOSTILE.to_owned());
    report.warnings = vec![HOSTILE.to_owned()];
    report
}

#[test]
fn hostile_texts_are_shown_and_do_nothing() {
    let report = hostile();
    let comment = markdown_comment::comment(&report);
    assert_eq!(
        comment.matches("<!--").count(),
        visible(&comment, "<!--") + 1,
        "{comment}"
    );
    for face in [comment, summary::summary(&report)] {
        for forbidden in [
            "<script",
            "</summary> <",
            "](javascript",
            "](https://evil",
            "@everyone",
            "#1",
        ] {
            assert_eq!(
                face.matches(forbidden).count(),
                visible(&face, forbidden),
                "{forbidden} has an effect in:\n{face}"
            );
        }
    }
}

/// How often a text occurs inside code, where it is only shown.
fn visible(markdown: &str, wanted: &str) -> usize {
    let mut count = 0;
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let run = line.trim_start().chars().take_while(|c| *c == '`').count();
        match fence {
            Some(open) if run >= open => fence = None,
            Some(_) => count += line.matches(wanted).count(),
            None if run >= 3 && line.trim_start()[run..].chars().all(char::is_alphanumeric) => {
                fence = Some(run)
            }
            None => {
                count += spans(line)
                    .iter()
                    .map(|span| span.matches(wanted).count())
                    .sum::<usize>()
            }
        }
    }
    count
}

/// The code spans of a line, as CommonMark reads them.
fn spans(line: &str) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let run = |from: usize| chars[from..].iter().take_while(|c| **c == '`').count();
    let mut spans = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at] == '\\' {
            at += 2;
            continue;
        }
        let open = run(at);
        if open == 0 {
            at += 1;
            continue;
        }
        let mut close = at + open;
        while close < chars.len() && (chars[close] != '`' || run(close) != open) {
            close += if chars[close] == '`' { run(close) } else { 1 };
        }
        if close < chars.len() {
            spans.push(chars[at + open..close].iter().collect());
            at = close + open;
        } else {
            at += open;
        }
    }
    spans
}

#[test]
fn hostile_texts_cannot_command_the_runner() {
    for forge in [ForgeKind::GitHub, ForgeKind::Gitea] {
        for line in annotations(&hostile(), forge) {
            assert!(!line.chars().any(super::wording::harmful), "{line:?}");
            assert!(!line.contains(['\n', '\r']), "{line}");
            assert!(
                line.starts_with("::error") || line.starts_with("::warning"),
                "{line}"
            );
        }
    }
    let github = annotations(&hostile(), ForgeKind::GitHub);
    // The property ends where ours ends: the hostile `::` and `,` are encoded.
    let properties = github[0]
        .strip_prefix("::error ")
        .and_then(|rest| rest.split("::").next())
        .unwrap_or_default();
    assert!(properties.contains("line=1,title="), "{properties}");
    assert!(properties.contains("%3A%3Aset-output"), "{properties}");
    assert!(properties.contains("%250A%3A%3Aadd-mask"), "{properties}");

    let printed =
        "::set-output name=a::b\r::add-mask::x\n##[error]y\n  ::stop-commands::t\nt::\n::t::\n\u{1b}[2J";
    for line in quoted(printed, Some("t0ken")).lines() {
        assert!(
            line.starts_with("  | ") || line == "::stop-commands::t0ken" || line == "::t0ken::",
            "{line}"
        );
        assert!(!line.contains("##[") && !line.contains('\u{1b}'));
    }
    for line in defused(HOSTILE).lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##["),
            "{line}"
        );
    }
}

#[test]
fn a_marker_is_one_comment_whatever_the_target() {
    assert_eq!(markdown_comment::marker(None), "<!-- kfp-gitops:comment: -->");
    assert_eq!(
        markdown_comment::marker(Some("prod")),
        "<!-- kfp-gitops:comment:prod -->"
    );
    let hostile = markdown_comment::marker(Some("a --> <b>"));
    assert_eq!(hostile.matches("-->").count(), 1);
    assert_ne!(
        markdown_comment::marker(Some("a b")),
        markdown_comment::marker(Some("a.b"))
    );
}

#[test]
fn an_interrupted_run_says_what_is_done_not_done_and_unknown() {
    let mut stopped = fixtures::pipeline("two", Action::Skipped);
    stopped.reason = Some(Reason::Interrupted);
    let mut report = fixtures::report(
        "apply",
        vec![
            fixtures::pipeline("one", Action::Created),
            stopped,
            fixtures::pipeline("three", Action::Unknown),
            fixtures::pipeline("four", Action::Failed),
        ],
    );
    report.exit_code = 75;
    let words = "1 done, 2 not done, 1 unknown";
    assert_eq!(headline::headline(&report), format!("Interrupted: {words}"));
    assert!(text::outcome(&report, text::Paint(false)).starts_with(&format!("interrupted: {words} (")));
    let page = summary::summary(&report);
    assert_eq!(page.matches(words).count(), 1, "{page}");
    assert!(wording::next_step(&report).is_some_and(|step| step.contains("uploads nothing twice")));
    // The summary splits whenever something is not done.
    report.pipelines[1].reason = None;
    let page = summary::summary(&report);
    assert!(page.contains(words), "{page}");
}
