//! Whether two Python sources mean the same: tokens without comments, blank lines, line breaks
//! inside brackets, indentation width, and texts that stand alone (docstrings).

/// Whether two sources have the same tokens. Sources that cannot be read are never the same.
#[must_use]
pub fn same_meaning(before: &str, after: &str) -> bool {
    match (tokens(before), tokens(after)) {
        (Some(before), Some(after)) => before == after,
        _ => false,
    }
}

/// A token; texts as they stand in the source.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Text(&'a str),
    NewLine,
    Indent,
    Dedent,
}

fn tokens(source: &str) -> Option<Vec<Token<'_>>> {
    let mut reader = Reader {
        source,
        at: 0,
        depth: 0,
        indents: vec![0],
        tokens: Vec::new(),
        line_from: 0,
    };
    while reader.at < source.len() {
        reader.line()?;
    }
    while reader.indents.len() > 1 {
        reader.indents.pop();
        reader.tokens.push(Token::Dedent);
    }
    (reader.depth == 0).then_some(reader.tokens)
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    depth: usize,
    indents: Vec<usize>,
    tokens: Vec<Token<'a>>,
    /// The first token of the logical line.
    line_from: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.source.as_bytes()[self.at..]
    }

    /// One line: its indentation, then tokens up to the end of the logical line.
    fn line(&mut self) -> Option<()> {
        let indent = self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\x0C'));
        match self.rest().first() {
            None => return Some(()),
            Some(b'\n' | b'\r') => {
                self.at += 1;
                return Some(());
            }
            Some(b'#') => {
                self.skip(|byte| byte != b'\n');
                return Some(());
            }
            Some(_) => {}
        }
        self.indentation(indent)?;
        self.line_from = self.tokens.len();
        loop {
            match self.rest() {
                [] => break,
                [b' ' | b'\t' | b'\x0C' | b'\r', ..] => self.at += 1,
                [b'\\', b'\n', ..] => self.at += 2,
                [b'\\', b'\r', b'\n', ..] => self.at += 3,
                [b'#', ..] => {
                    self.skip(|byte| byte != b'\n');
                }
                [b'\n', ..] => {
                    self.at += 1;
                    if self.depth == 0 {
                        break;
                    }
                }
                _ => self.token()?,
            }
        }
        if self.is_lone_text() {
            self.tokens.truncate(self.line_from);
        } else {
            self.tokens.push(Token::NewLine);
        }
        Some(())
    }

    fn indentation(&mut self, indent: usize) -> Option<()> {
        let current = *self.indents.last()?;
        if indent > current {
            self.indents.push(indent);
            self.tokens.push(Token::Indent);
        }
        while *self.indents.last()? > indent {
            self.indents.pop();
            self.tokens.push(Token::Dedent);
        }
        (*self.indents.last()? == indent).then_some(())
    }

    /// A statement that is one text: nothing happens when it runs. One with a prefix may hold
    /// expressions (`f"…"`) and stays.
    fn is_lone_text(&self) -> bool {
        matches!(&self.tokens[self.line_from..], [Token::Text(text)] if text.starts_with(['\'', '"']))
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let count = self.rest().iter().take_while(|byte| wanted(**byte)).count();
        self.at += count;
        count
    }

    fn token(&mut self) -> Option<()> {
        let from = self.at;
        let word =
            self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte >= 0x80);
        match self.rest() {
            [quote @ (b'\'' | b'"'), ..] if word <= 2 && self.is_prefix(from) => self.text(*quote)?,
            _ if word > 0 => {}
            [byte, ..] => {
                match byte {
                    b'(' | b'[' | b'{' => self.depth += 1,
                    b')' | b']' | b'}' => self.depth = self.depth.checked_sub(1)?,
                    _ => {}
                }
                self.at += 1;
            }
            [] => {}
        }
        self.tokens.push(Token::Text(self.source.get(from..self.at)?));
        Some(())
    }

    fn is_prefix(&self, from: usize) -> bool {
        self.source[from..self.at]
            .bytes()
            .all(|byte| matches!(byte.to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't'))
    }

    fn text(&mut self, quote: u8) -> Option<()> {
        let triple = self.rest().starts_with(&[quote; 3]);
        self.at += if triple { 3 } else { 1 };
        loop {
            match self.rest() {
                [] => return None,
                [b'\\', _, ..] => self.at += 2,
                [b'\n', ..] if !triple => return None,
                rest if triple && rest.starts_with(&[quote; 3]) => {
                    self.at += 3;
                    return Some(());
                }
                [byte, ..] => {
                    self.at += 1;
                    if !triple && *byte == quote {
                        return Some(());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blank_lines_and_layout_mean_nothing() {
        let before =
            "def f(a, b):\n    \"\"\"Old.\"\"\"\n    if a:  # why\n        return g(a, b)\n    return 'x'\n";
        let after = "\n# new\ndef f(a,\n      b):\n  '''New\n  text.'''\n\n  if a:\n     return g(\n         a,  # first\n         b)\n  return 'x'\n\n";
        assert!(same_meaning(before, after));
        assert!(same_meaning(
            "def f():\n    'doc'\n    g()\n",
            "def f():\n    g()\n"
        ));
    }

    #[test]
    fn what_runs_means_something() {
        let base = "def f():\n    x = 'a # b'\n    if x:\n        g()\n    h()\n";
        for after in [
            "def f():\n    x = 'a # c'\n    if x:\n        g()\n    h()\n",
            "def f():\n    x = 'a # b'\n    if x:\n        g()\n        h()\n",
            "def f():\n    x = 'a # b'\n    if x:\n        g()\n",
            "def f():\n    x = f'a # b'\n    if x:\n        g()\n    h()\n",
            "def f():\n    x = 'a # b',\n    if x:\n        g()\n    h()\n",
            "def f():\n    x = ('a # b'\n    if x:\n        g()\n    h()\n",
        ] {
            assert!(!same_meaning(base, after), "{after}");
        }
        assert!(!same_meaning("a b", "ab"));
        assert!(!same_meaning("x = 1 .real", "x = 1.real"));
        assert!(!same_meaning("f'{g()}'\n", "\n"));
        assert!(!same_meaning("x = '''a\n  b'''\n", "x = '''a\nb'''\n"));
    }

    #[test]
    fn broken_sources_are_never_the_same() {
        for broken in ["'", "'''", "(", ")", "  if x:\n y\n  z"] {
            assert!(!same_meaning(broken, broken), "{broken}");
        }
    }
}
