//! Takes secrets out of texts that servers wrote: an error body may repeat what was sent.

use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Shorter values are no secrets, and replacing them would make every text unreadable.
const SHORTEST: usize = 4;

/// Knows secrets and replaces them.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret inside another does not leave its rest.
    forms: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} forms)", self.forms.len())
    }
}

impl Redactor {
    /// Knows these secrets as they are, percent-encoded, in JSON strings and in base64.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets {
            let text = secret.expose();
            for line in std::iter::once(text).chain(text.lines()) {
                Self::add(line.trim(), &mut forms);
            }
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self { forms }
    }

    fn add(text: &str, forms: &mut Vec<String>) {
        if text.len() < SHORTEST {
            return;
        }
        forms.push(text.to_owned());
        forms.push(url::form_urlencoded::byte_serialize(text.as_bytes()).collect());
        if let Ok(json) = serde_json::to_string(text) {
            forms.push(json.trim_matches('"').to_owned());
        }
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            forms.push(engine.encode(text));
        }
    }

    /// The text with every known secret replaced by `***`.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), "***");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_taken_out() {
        let secret = Secret::new("p@ss w\"rd/+").unwrap();
        let redactor = Redactor::new([&secret]);
        for form in [
            "p@ss w\"rd/+",
            "p%40ss+w%22rd%2F%2B",
            "p@ss w\\\"rd/+",
            &STANDARD.encode("p@ss w\"rd/+"),
        ] {
            assert_eq!(redactor.clean(&format!("a {form} b")), "a *** b", "{form}");
        }
    }

    #[test]
    fn a_secret_inside_another_leaves_nothing() {
        let (short, long) = (Secret::new("abcdef").unwrap(), Secret::new("abcdefghij").unwrap());
        assert_eq!(
            Redactor::new([&short, &long]).clean("abcdefghij abcdef"),
            "*** ***"
        );
    }

    #[test]
    fn short_words_stay() {
        assert_eq!(
            Redactor::new([&Secret::new("on").unwrap()]).clean("on and on"),
            "on and on"
        );
    }
}
