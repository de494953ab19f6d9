//! Tables for people at a terminal: aligned columns, nothing that moves the cursor.

use super::text::{Paint, clean};
use unicode_width::UnicodeWidthStr;

/// Widest cell in columns; longer texts are cut.
const WIDEST: usize = 60;

/// Renders rows under a heading. Columns in which nothing stands are left out.
#[must_use]
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]], paint: Paint) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell_text(cell)).collect())
        .collect();
    let shown: Vec<usize> = (0..N)
        .filter(|column| rows.iter().any(|row| !row[*column].is_empty()))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].width())
            .chain([heading[column].width()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for &column in &shown {
            let cell = cells(column);
            let missing = widths[column].saturating_sub(cell.width());
            line.push_str(&cell);
            line.push_str(&" ".repeat(missing + 2));
        }
        line.truncate(line.trim_end().len());
        line
    };
    let mut text = format!("{}\n", paint.bold(&line(&|column| heading[column].to_owned())));
    for row in &rows {
        text.push_str(&line(&|column| row[column].clone()));
        text.push('\n');
    }
    text
}

fn cell_text(text: &str) -> String {
    let text = clean(&text.replace('\n', " "));
    if text.width() <= WIDEST {
        return text;
    }
    let mut short = String::new();
    for character in text.chars() {
        if short.width() + 2 > WIDEST {
            break;
        }
        short.push(character);
    }
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let rows = [
            ["a".to_owned(), String::new(), "1".to_owned()],
            ["äöü\u{1b}[2J".to_owned(), String::new(), "x".repeat(100)],
        ];
        let text = table(["NAME", "NONE", "LAST"], &rows, Paint(false));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "NAME     LAST");
        assert_eq!(lines[1], "a        1");
        assert!(lines[2].starts_with("äöü\u{fffd}[2J  xxx"), "{text}");
        assert!(lines[2].ends_with('…') && lines[2].width() < 80, "{text}");
    }
}
