//! Rules for names.

/// Most bytes of a pipeline's name (database store, since 2.15).
pub const MAX_PIPELINE_NAME: usize = 128;
/// Most bytes of a version's name.
pub const MAX_VERSION_NAME: usize = 127;
/// Most bytes of a namespace.
pub const MAX_NAMESPACE: usize = 63;

/// The database speaks three-byte UTF-8, so an emoji in a name is an error of the database
/// (recording 2.17.0: `pipeline_create_emoji`).
#[must_use]
pub fn has_four_byte_character(text: &str) -> bool {
    text.chars().any(|c| c.len_utf8() == 4)
}

/// The database's words about such a text in `column`: at most six bytes from the first such character on.
#[must_use]
pub fn incorrect_string(text: &str, column: &str) -> String {
    let start = text
        .char_indices()
        .find(|(_, c)| c.len_utf8() == 4)
        .map_or(0, |(index, _)| index);
    let bytes = &text.as_bytes()[start..];
    let shown: String = bytes
        .iter()
        .take(6)
        .map(|byte| {
            if byte.is_ascii() {
                char::from(*byte).to_string()
            } else {
                format!("\\x{byte:02X}")
            }
        })
        .collect();
    let dots = if bytes.len() > 6 { "..." } else { "" };
    format!(
        "Error 1366 (22007): Incorrect string value: '{shown}{dots}' for column `mlpipeline`.`pipelines`.`{column}` at row 1"
    )
}

/// The database's words about looking for such a text.
pub const ILLEGAL_COLLATIONS: &str = "Error 1267 (HY000): Illegal mix of collations (utf8mb4_general_ci,IMPLICIT) and \
     (utf8mb3_general_ci,COERCIBLE) for operation '='";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_databases_words_are_those_recorded() {
        assert_eq!(
            incorrect_string("rocket 🚀demoe537", "DisplayName"),
            "Error 1366 (22007): Incorrect string value: '\\xF0\\x9F\\x9A\\x80de...' for column \
             `mlpipeline`.`pipelines`.`DisplayName` at row 1"
        );
    }
}
