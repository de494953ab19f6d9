//! A difference at a terminal: one line for each change, the code below it on request.

use super::Entry;
use super::words::{Word, counted, headline, sentence, visible, visible_block};
use crate::plan::diff::{Change, Class, Status, Verb};
use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

/// How much is said, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Colour.
    pub color: bool,
    /// Differences of code, cosmetic changes and unchanged pipelines as well.
    pub verbose: bool,
    /// Columns to wrap at; `None` where there is no terminal.
    pub width: Option<usize>,
}

/// Most changes of one pipeline that are listed unless everything is asked for.
const LISTED: usize = 40;

/// Renders the differences, one paragraph for each pipeline that differs.
#[must_use]
pub fn render(entries: &[Entry<'_>], options: Options) -> String {
    let mut out = String::new();
    for entry in entries {
        if entry.difference.status == Status::Unchanged && !options.verbose {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        pipeline(&mut out, entry, options);
    }
    out
}

fn pipeline(out: &mut String, entry: &Entry<'_>, options: Options) {
    let difference = entry.difference;
    let (sign, color) = match difference.status {
        Status::Created => ('+', AnsiColor::Green),
        Status::Unchanged => ('=', AnsiColor::BrightBlack),
        Status::Changed | Status::Unreadable => ('~', AnsiColor::Yellow),
    };
    let mut head = vec![
        (visible(entry.name), Style::new().bold()),
        (format!(": {}", headline(difference)), Style::new()),
    ];
    if let Some(file) = entry.file {
        head.insert(1, (format!(" ({})", visible(file)), Style::new().dimmed()));
    }
    line(out, &painted(sign, color), 0, &head, options);
    let hidden: Vec<&Change> = difference
        .changes
        .iter()
        .filter(|change| !options.verbose && change.class == Class::Cosmetic)
        .collect();
    // An SDK's new pin may be all there is.
    let only_hidden = hidden.len() == difference.changes.len();
    let mut shown = 0;
    for change in &difference.changes {
        if change.class == Class::Cosmetic && !options.verbose && !only_hidden {
            continue;
        }
        if shown == LISTED && !options.verbose {
            break;
        }
        shown += 1;
        self::change(out, change, options);
    }
    let left = difference.changes.len() - shown;
    if left > 0 {
        let what = if left == hidden.len() {
            "cosmetic change"
        } else {
            "change"
        };
        let text = format!("and {} more, shown with --verbose", counted(left, what));
        line(
            out,
            &painted(' ', AnsiColor::BrightBlack),
            2,
            &[(text, Style::new().dimmed())],
            options,
        );
    }
}

fn change(out: &mut String, change: &Change, options: Options) {
    let (sign, color) = match (change.class, change.verb) {
        (Class::Interface, _) => ('!', AnsiColor::Red),
        (_, Verb::Added) => ('+', AnsiColor::Green),
        (_, Verb::Removed) => ('-', AnsiColor::Red),
        (Class::Cosmetic, _) => ('.', AnsiColor::BrightBlack),
        _ => ('~', AnsiColor::Yellow),
    };
    let words: Vec<(String, Style)> = sentence(change)
        .into_iter()
        .map(|word| match word {
            Word::Plain(text) => (text.into_owned(), Style::new()),
            Word::Code(text) => (text, Style::new().fg_color(Some(AnsiColor::Cyan.into()))),
        })
        .collect();
    line(out, &painted(sign, color), 2, &words, options);
    if options.verbose
        && let Some(patch) = &change.patch
    {
        for text in visible_block(patch).lines() {
            let style = match text.as_bytes().first() {
                Some(b'+') => AnsiColor::Green.on_default(),
                Some(b'-') => AnsiColor::Red.on_default(),
                Some(b'@') => AnsiColor::Cyan.on_default(),
                _ => Style::new().dimmed(),
            };
            out.push_str("      ");
            paint(out, text, style, options.color);
            out.push('\n');
        }
    }
}

fn painted(sign: char, color: AnsiColor) -> (char, Style) {
    (sign, color.on_default())
}

fn paint(out: &mut String, text: &str, style: Style, color: bool) {
    if color && style != Style::new() {
        out.push_str(&format!("{style}{text}{style:#}"));
    } else {
        out.push_str(text);
    }
}

/// A sign, an indentation, and words wrapped at the width with the rest below the first word.
fn line(out: &mut String, sign: &(char, Style), indent: usize, words: &[(String, Style)], options: Options) {
    out.extend(std::iter::repeat_n(' ', indent));
    paint(out, &sign.0.to_string(), sign.1, options.color);
    out.push(' ');
    let start = indent + 2;
    let width = options.width.map_or(usize::MAX, |width| width.max(start + 20));
    let mut column = start;
    for (text, style) in words {
        for piece in pieces(text) {
            let wide: usize = piece
                .chars()
                .map(|character| character.width().unwrap_or_default())
                .sum();
            if column > start
                && column
                    + piece
                        .trim_end()
                        .chars()
                        .map(|c| c.width().unwrap_or_default())
                        .sum::<usize>()
                    > width
            {
                while out.ends_with(' ') {
                    out.pop();
                }
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', start));
                column = start;
            }
            paint(out, piece, *style, options.color);
            column += wide;
        }
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
}

/// Words with the spaces behind them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Spec;
    use crate::ir::fixtures::{fixture, value};
    use crate::plan::diff::diff;

    const PLAIN: Options = Options {
        color: false,
        verbose: false,
        width: None,
    };

    fn rendered(from: &str, to: &str, options: Options) -> String {
        let before: serde_json::Value = value("packages");
        let after = serde_json::from_str(&before.to_string().replace(from, to)).unwrap();
        let difference = diff(
            Some(&Spec::from_server(&before).unwrap()),
            &Spec::from_server(&after).unwrap(),
        );
        render(
            &[Entry {
                name: "packages",
                file: Some("packages_pipeline.py"),
                difference: &difference,
                graph: None,
            }],
            options,
        )
    }

    #[test]
    fn one_line_for_each_change() {
        assert_eq!(
            rendered("def one():", "def one(): # x", PLAIN),
            "~ packages (packages_pipeline.py): 1 cosmetic; suggests a patch version\n  . task one: code reformatted or commented, +1 −1 lines\n"
        );
        let verbose = rendered(
            "def one():",
            "def one(): # x",
            Options {
                verbose: true,
                ..PLAIN
            },
        );
        assert!(
            verbose.contains("\n      -def one():\n      +def one(): # x\n"),
            "{verbose}"
        );
    }

    #[test]
    fn wrapped_at_the_width() {
        let text = rendered(
            "requests==2.32.3",
            "requests==2.33.0",
            Options {
                width: Some(40),
                ..PLAIN
            },
        );
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.lines().count() > 3, "{text}");
        assert!(text.contains("\n    requests==2.32.3"), "{text}");
    }

    #[test]
    fn nothing_moves_the_cursor() {
        let text = rendered("python:3.11-slim", "\\u202e\\u0007\\u200b\\u001b[31m", PLAIN);
        assert!(text.contains("\\u{202e}\\u{7}\\u{200b}\\u{1b}[31m"), "{text}");
        assert!(
            text.chars()
                .all(|character| character == '\n' || !character.is_control()),
            "{text}"
        );
    }

    #[test]
    fn unchanged_pipelines_are_quiet() {
        let spec = fixture("packages");
        let difference = diff(Some(&spec), &spec);
        let entry = [Entry {
            name: "packages",
            file: None,
            difference: &difference,
            graph: None,
        }];
        assert_eq!(render(&entry, PLAIN), "");
        assert_eq!(
            render(
                &entry,
                Options {
                    verbose: true,
                    ..PLAIN
                }
            ),
            "= packages: unchanged\n"
        );
        let colored = render(
            &entry,
            Options {
                verbose: true,
                color: true,
                width: None,
            },
        );
        assert!(colored.contains("\u{1b}["), "{colored}");
    }
}
