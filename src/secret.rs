//! [`Secret`]: a value that is never printed.

use std::fmt;

/// A token, password or cookie. Never empty, never in `Debug`, never serialized.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret; white space around it (a file's final newline) is removed.
    ///
    /// # Errors
    /// When nothing is left: an empty secret is a broken configuration, not "no secret".
    pub fn new(value: &str) -> Result<Self, EmptySecret> {
        let value = value.trim();
        if value.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(value.to_owned()))
    }

    /// The value itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A secret was given but is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty")]
pub struct EmptySecret;
