//! Markdown from texts nobody may be trusted with: names of pipelines and files, messages of compilers
//! and servers. Everything of that kind passes [`code`] or [`prose`], so that it can neither end its
//! element, nor call people (`@name`), link, hide or fake anything.

use super::cut;
use super::wording::harmless;

/// A space without width: it breaks `@name` and `#12` without being seen.
const JOIN: char = '\u{200b}';

/// A text as code: shown as it is, whatever it holds. Inside a table `|` needs its own escape, which the
/// table syntax takes away again even inside code.
#[must_use]
pub fn code(text: &str) -> String {
    let clean = harmless(text, &[]);
    let clean = cut::ellipsis(clean.trim(), 300).replace('|', "\\|");
    if clean.is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&clean, '`') + 1);
    let pad = if clean.starts_with('`') || clean.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{clean}{pad}{fence}")
}

/// A sentence whose parts in backticks are code and whose rest is plain text. Both halves are escaped, so
/// it does not matter who wrote the backticks.
#[must_use]
pub fn prose(text: &str) -> String {
    let text = harmless(text, &[]);
    let text = cut::ellipsis(text.trim(), 2000);
    let parts: Vec<&str> = text.split('`').collect();
    let paired = parts.len() % 2 == 1;
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        if index % 2 == 1 && (paired || !last) {
            if !part.is_empty() {
                push_code(part, &mut out);
            }
        } else {
            if index % 2 == 1 {
                out.push_str("\\`");
            }
            plain(part, &mut out);
        }
    }
    out
}

/// Two spans side by side would be read as one with another fence.
fn push_code(text: &str, out: &mut String) {
    if out.ends_with('`') {
        out.push(JOIN);
    }
    out.push_str(&code(text));
}

/// Plain text: no markup of Markdown or HTML survives, addresses are code, and nobody is called.
fn plain(text: &str, out: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if word.contains("://") || word.to_ascii_lowercase().contains("www.") {
            push_code(word, out);
        } else {
            plain_word(word, out);
        }
    }
}

fn plain_word(word: &str, out: &mut String) {
    for c in word.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '+' | '-' | '.' if out.is_empty() || out.chars().all(|c| c.is_ascii_digit()) => {
                // Only at the beginning of a line do these begin a list.
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' | '#' | '!' => {
                out.push('\\');
                out.push(c);
                out.push(JOIN);
            }
            _ => out.push(c),
        }
    }
}

/// Several lines as a block of code, at most `limit` bytes of them.
#[must_use]
pub fn block(text: &str, limit: usize) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let clean = harmless(&unified, &['\n', '\t']);
    let clean = cut::ellipsis(clean.trim_matches('\n'), limit);
    let fence = "`".repeat((longest_run(&clean, '`') + 1).max(3));
    format!("{fence}text\n{clean}\n{fence}\n")
}

/// A link whose text is ours. An address that is not http(s), or holds what Markdown reads, is left out.
#[must_use]
pub fn link(text: &str, address: &str) -> String {
    let fits = (address.starts_with("https://") || address.starts_with("http://"))
        && address.len() <= 2000
        && address
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | '"' | '`' | '|' | '\\'));
    if fits {
        format!("[{text}]({address})")
    } else {
        text.to_owned()
    }
}

/// A fold. The title is ours.
#[must_use]
pub fn fold(title: &str, body: &str) -> String {
    format!(
        "<details><summary>{title}</summary>\n\n{}\n\n</details>\n",
        body.trim_end()
    )
}

fn longest_run(text: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// The beginning of a Markdown text within `limit` bytes, ended between two lines with everything closed
/// that was open there, and `pointer` (one paragraph that says where the rest is) behind it. A text that
/// fits comes back as it is.
#[must_use]
pub fn clean_cut(text: &str, limit: usize, pointer: &str) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    // What may have to be closed: a fence of up to 40 signs and five folds.
    let reserve = pointer.len() + 130;
    let mut kept = cut::to_bytes(text, limit.saturating_sub(reserve));
    kept = &kept[..kept.rfind('\n').map_or(0, |end| end + 1)];
    let (mut fence, mut folds) = open_elements(kept);
    // More than the reserve can close: step back to where nothing is open.
    while folds > 5 || fence.as_ref().is_some_and(|fence| fence.len() > 40) {
        let shorter = kept.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
        kept = &kept[..shorter];
        (fence, folds) = open_elements(kept);
    }
    let mut out = kept.to_owned();
    if let Some(fence) = fence {
        out.push_str(&format!("{fence}\n"));
    }
    for _ in 0..folds {
        out.push_str("\n</details>\n");
    }
    out.push_str(&format!("\n{pointer}\n"));
    out
}

/// The fence that is open at the end of a text, and how many folds are.
fn open_elements(text: &str) -> (Option<String>, usize) {
    let mut fence: Option<String> = None;
    let mut folds: usize = 0;
    for line in text.lines() {
        let start = line.trim_start();
        let run = start.chars().take_while(|c| *c == '`').count();
        match &fence {
            Some(open) if run >= open.len() && start[run..].trim().is_empty() => fence = None,
            Some(_) => {}
            None if run >= 3 => fence = Some("`".repeat(run)),
            None => {
                folds += start.matches("<details").count();
                folds = folds.saturating_sub(start.matches("</details>").count());
            }
        }
    }
    (fence, folds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_be_ended() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("a\n| b |"), "`a \\| b \\|`");
        assert_eq!(code("  "), "` `");
    }

    #[test]
    fn prose_keeps_code_and_disarms_the_rest() {
        assert_eq!(
            prose("cannot reach `http://x:1`: refused"),
            "cannot reach `http://x:1`: refused"
        );
        assert_eq!(
            prose("<img src=x> @ann closes #12"),
            "&lt;img src=x&gt; \\@\u{200b}ann closes \\#\u{200b}12"
        );
        assert_eq!(prose("![x](http://evil)"), "`![x](http://evil)`");
        assert_eq!(prose("- a list"), "\\- a list");
        assert_eq!(prose("1. a list"), "1\\. a list");
        assert_eq!(prose("`a`b`` `c`"), "`a`b `c`");
        assert_eq!(prose("`a``b`"), "`a`\u{200b}`b`");
        assert_eq!(prose("open ` end"), "open \\` end");
        assert_eq!(prose("\u{202e}gnp.exe"), "gnp.exe");
    }

    #[test]
    fn links_only_lead_to_pages() {
        assert_eq!(link("run", "https://x/y?z=1#f"), "[run](https://x/y?z=1#f)");
        for address in [
            "javascript:alert(1)",
            "https://x/) [evil](y",
            "https://x y",
            "data:text/html,x",
        ] {
            assert_eq!(link("run", address), "run");
        }
    }

    #[test]
    fn a_cut_closes_what_is_open() {
        let text = format!(
            "# Title\n\n<details><summary>x</summary>\n\n```diff\n{}```\n\n</details>\n",
            "+ a line\n".repeat(100)
        );
        let cut = clean_cut(&text, 400, "The rest is in the log.");
        assert!(cut.len() <= 400);
        assert!(
            cut.ends_with("+ a line\n```\n\n</details>\n\nThe rest is in the log.\n"),
            "{cut}"
        );
        assert_eq!(open_elements(&cut), (None, 0));
    }

    proptest::proptest! {
        #[test]
        fn a_cut_never_passes_its_limit(lines in proptest::collection::vec("(```|````text|<details>|</details>|é{0,30}|[a-z `]{0,40})", 0..80), limit in 300usize..900) {
            let text = lines.join("\n");
            let cut = clean_cut(&text, limit, "more");
            proptest::prop_assert!(cut.len() <= limit);
        }

        #[test]
        fn code_is_one_span(text in "\\PC{0,60}") {
            let out = code(&text);
            let fence = out.chars().take_while(|c| *c == '`').count();
            let inner = &out[fence..out.len() - fence];
            proptest::prop_assert!(longest_run(inner, '`') < fence);
            proptest::prop_assert!(!out.contains('\n'));
        }
    }
}
