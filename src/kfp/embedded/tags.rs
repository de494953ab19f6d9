//! Rules for tags (server 2.17.0).

use super::store::Tags;

/// Most tags of one pipeline or version.
const MAX_TAGS: usize = 20;
/// Most characters of a key, and of a value.
const MAX_LENGTH: usize = 63;

/// Checks tags as the server does; the error is in its words
/// (recording 2.17.0: `version_upload_tag_key_dot`, `…_tag_value_64`, `…_21_tags`).
///
/// # Errors
/// Too many, too long, or a key with a dot.
pub fn check(tags: &Tags) -> Result<(), String> {
    if tags.len() > MAX_TAGS {
        return Err(format!(
            "number of tags ({}) exceeds maximum of {MAX_TAGS} per entity",
            tags.len()
        ));
    }
    for (key, value) in tags {
        if key.is_empty() {
            return Err("tag key must not be empty".to_owned());
        }
        if key.contains('.') {
            return Err(format!("tag key {key:?} must not contain '.' character"));
        }
        if key.chars().count() > MAX_LENGTH {
            return Err(format!(
                "tag key {key:?} exceeds maximum length of {MAX_LENGTH} characters"
            ));
        }
        if value.chars().count() > MAX_LENGTH {
            return Err(format!(
                "tag value {value:?} for key {key:?} exceeds maximum length of {MAX_LENGTH} characters"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn limits_are_counted_in_characters() {
        assert!(check(&tags(&[("k", &"é".repeat(63))])).is_ok());
        assert!(check(&tags(&[("k", &"é".repeat(64))])).is_err());
        assert!(check(&tags(&[(&"k".repeat(64), "v")])).is_err());
        assert!(check(&tags(&[("", "v")])).is_err());
        assert!(check(&tags(&[("a.b", "v")])).is_err());
    }
}
