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
pub const ILLEGAL_COLLATIONS: &str = "Illegal mix of collations (utf8mb4_general_ci,IMPLICIT) and (utf8mb3_general_ci,COERCIBLE) for operation '='";

/// Most bytes of a name in a cluster.
const MAX_DNS_SUBDOMAIN: usize = 253;

/// Whether a cluster takes the text as a resource's name (RFC 1123 subdomain).
#[must_use]
pub fn is_dns_subdomain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MAX_DNS_SUBDOMAIN
        && text.split('.').all(|part| {
            part.starts_with(plain) && part.ends_with(plain) && part.chars().all(|c| plain(c) || c == '-')
        })
}

/// The server's words about a name that is none (recording 2.17.0-kubernetes-store: `pipeline_create_upper`).
#[must_use]
pub fn not_a_dns_subdomain(kind: &str, name: &str) -> String {
    let reason = if name.len() > MAX_DNS_SUBDOMAIN {
        "must be no more than 253 bytes".to_owned()
    } else {
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
         and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            .to_owned()
    };
    format!(
        "Invalid {kind} name {}: {reason}. Use 'display_name' for human-readable labels",
        go_quoted(name)
    )
}

/// Text in quotes as Go writes it: printable characters stay.
fn go_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

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

    #[test]
    fn dns_names_are_told() {
        for name in ["a", "a-b", "a.b-c.d", "0"] {
            assert!(is_dns_subdomain(name), "{name}");
        }
        for name in [
            "",
            "A",
            "a_b",
            "-a",
            "a-",
            "a..b",
            ".a",
            "a/b",
            "é",
            &"a".repeat(254),
        ] {
            assert!(!is_dns_subdomain(name), "{name}");
        }
        assert!(
            not_a_dns_subdomain("pipeline", "say \"hi\" \\").contains(r#"name "say \"hi\" \\": a lower"#)
        );
    }
}
