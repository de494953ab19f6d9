//! Cutting texts to a size without cutting a character.

/// The longest beginning of `text` within `limit` bytes that ends between two characters.
#[must_use]
pub fn to_bytes(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The text itself when it fits, else its beginning with `…`, within `limit` bytes in all.
#[must_use]
pub fn ellipsis(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!(
        "{}…",
        to_bytes(text, limit.saturating_sub('…'.len_utf8())).trim_end()
    )
}

/// As [`ellipsis`], counted in characters: what GitHub's limit of 140 for a status means.
#[must_use]
pub fn ellipsis_chars(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let start: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stay() {
        assert_eq!(ellipsis("abc", 3), "abc");
        assert_eq!(ellipsis_chars("äöü", 3), "äöü");
    }

    proptest::proptest! {
        #[test]
        fn no_character_is_cut_and_no_limit_passed(text in "\\PC{0,80}", limit in 3usize..60) {
            proptest::prop_assert!(ellipsis(&text, limit).len() <= limit.max(3));
            proptest::prop_assert!(ellipsis_chars(&text, limit).chars().count() <= limit);
            proptest::prop_assert!(text.starts_with(to_bytes(&text, limit)));
        }
    }
}
