//! Lines that fit a terminal. Where there is none, in CI and in pipes, every line stays whole.

use unicode_width::UnicodeWidthChar;

/// Columns by which what is continued stands further to the right.
const HANG: usize = 4;
/// Narrower terminals are written to as if they had this many columns.
const NARROWEST: usize = 40;

/// Adds a line, broken between words where it is wider than `width` columns. Colours count nothing; a word
/// that is wider than a line (a path, an address) stays whole, so that it can be copied.
pub fn line(out: &mut String, line: &str, width: Option<usize>) {
    let Some(width) = width.map(|width| width.max(NARROWEST)) else {
        out.push_str(line);
        out.push('\n');
        return;
    };
    let indent = line.chars().take_while(|character| *character == ' ').count();
    let hang = (indent + HANG).min(width / 2);
    let mut column = 0;
    for (at, word) in line.split(' ').enumerate() {
        let wide = columns(word);
        // The space before the word, which a new line takes the place of.
        let space = usize::from(at > 0);
        if column > hang && wide > 0 && column + space + wide > width {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hang));
            column = hang;
        } else if space > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
    }
    out.push('\n');
}

/// How many columns a text takes, without its colours.
#[must_use]
pub fn columns(text: &str) -> usize {
    let mut columns = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // `ESC [ … m`: what is from outside holds no escape any more.
            for inner in characters.by_ref() {
                if inner.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            columns += character.width().unwrap_or_default();
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: Option<usize>) -> String {
        let mut out = String::new();
        line(&mut out, text, width);
        out
    }

    #[test]
    fn lines_are_broken_between_words_and_hang() {
        let text = "  hint: a sentence that is somewhat longer than forty columns are wide";
        assert_eq!(wrapped(text, None), format!("{text}\n"));
        let narrow = wrapped(text, Some(40));
        assert_eq!(
            narrow,
            "  hint: a sentence that is somewhat\n      longer than forty columns are wide\n"
        );
        let colored = text.replace("hint:", "\u{1b}[36mhint:\u{1b}[0m");
        assert_eq!(
            wrapped(&colored, Some(40))
                .replace("\u{1b}[36m", "")
                .replace("\u{1b}[0m", ""),
            narrow
        );
        let path = format!("  look at {}", "x".repeat(60));
        assert_eq!(
            wrapped(&path, Some(40)),
            format!("  look at\n      {}\n", "x".repeat(60))
        );
        assert_eq!(
            wrapped("日本 日本 日本 日本 日本 日本 日本 日本 日本", Some(40))
                .lines()
                .count(),
            2
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-z ]{0,200}", width in 0usize..120) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let out = wrapped(&text, Some(width));
            proptest::prop_assert_eq!(words(&out), words(&text));
            for line in out.lines().filter(|line| line.trim().contains(' ')) {
                proptest::prop_assert!(columns(line.trim_end()) <= width.max(NARROWEST) || !line.trim().contains("  "), "{}", line);
            }
        }
    }
}
