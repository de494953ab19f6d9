//! A path inside a document, for messages: `root.dag.tasks.score.inputs`, `command[2]`.

use std::fmt;

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// A path that is extended on the way down and cut on the way up.
#[derive(Clone, Debug, Default)]
pub struct Path(Vec<Step>);

/// Characters of a key that are shown.
const SHOWN: usize = 80;

impl Path {
    /// Steps into a member.
    pub fn push_key(&mut self, key: &str) {
        self.0.push(Step::Key(key.chars().take(SHOWN + 1).collect()));
    }

    /// Steps into an element.
    pub fn push_index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    /// Steps out again.
    pub fn pop(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    for character in key.chars().take(SHOWN) {
                        // Nothing invisible, and nothing that would move a terminal's cursor.
                        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                            write!(f, "\\u{:04x}", u32::from(character))?;
                        } else {
                            write!(f, "{character}")?;
                        }
                    }
                    if key.chars().nth(SHOWN).is_some() {
                        f.write_str("…")?;
                    }
                }
            }
        }
        Ok(())
    }
}
