//! Tables for people at a terminal: aligned columns, nothing that moves the cursor.

use super::text::{Paint, clean};
use unicode_width::UnicodeWidthStr;

/// Widest cell in columns; longer texts are cut.
const WIDEST: usize = 60;

/// Narrowest column that is made narrower to fit.
const NARROWEST: usize = 10;

/// Renders rows under a heading. Columns in which nothing stands are left out; on a terminal of `terminal`
/// columns the widest cells are cut until a row is one line.
#[must_use]
pub fn table<const N: usize>(
    heading: [&str; N],
    rows: &[[String; N]],
    paint: Paint,
    terminal: Option<usize>,
) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell_text(cell, WIDEST)).collect())
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
    let mut widths: Vec<usize> = (0..N).map(width).collect();
    if let Some(terminal) = terminal {
        fit(&mut widths, &shown, terminal);
    }
    let line = |cells: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for &column in &shown {
            let cell = cell_text(&cells(column), widths[column]);
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

/// Takes from the widest columns until all of them stand in one line.
fn fit(widths: &mut [usize], shown: &[usize], terminal: usize) {
    let between = 2 * shown.len().saturating_sub(1);
    loop {
        let all: usize = shown.iter().map(|&column| widths[column]).sum();
        let widest = shown.iter().copied().max_by_key(|&column| widths[column]);
        match widest {
            Some(column) if all + between > terminal && widths[column] > NARROWEST => widths[column] -= 1,
            _ => return,
        }
    }
}

fn cell_text(text: &str, widest: usize) -> String {
    let text = clean(&text.replace('\n', " "));
    if text.width() <= widest {
        return text;
    }
    let mut short = String::new();
    for character in text.chars() {
        if short.width() + 2 > widest {
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
        let text = table(["NAME", "NONE", "LAST"], &rows, Paint(false), None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "NAME     LAST");
        assert_eq!(lines[1], "a        1");
        assert!(lines[2].starts_with("äöü\u{fffd}[2J  xxx"), "{text}");
        assert!(lines[2].ends_with('…') && lines[2].width() < 80, "{text}");
        let narrow = table(["NAME", "NONE", "LAST"], &rows, Paint(false), Some(30));
        assert!(narrow.lines().all(|line| line.width() <= 30), "{narrow}");
        assert!(narrow.contains("äöü\u{fffd}[2J  xxxxxx"), "{narrow}");
    }
}
