//! Names that a server refuses, told before anything is sent.

/// Longest pipeline name in bytes: `varchar(128)`, checked with `len()` since server 2.15.
pub const PIPELINE_NAME_BYTES: usize = 128;
/// Longest version name in bytes, checked since server 2.15; 2.0.5 takes 128 (recording
/// `version_upload_name_128_bytes`).
pub const VERSION_NAME_BYTES: usize = 127;
/// Longest name of a Kubernetes object, also for `<pipeline>-<version>` (server 2.17.0).
pub const KUBERNETES_NAME_BYTES: usize = 253;

/// Why a name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or white space alone.
    #[error("the {kind} name is empty")]
    Empty {
        /// `pipeline` or `version`.
        kind: &'static str,
    },
    /// Over the limit.
    #[error("the {kind} name `{name}` has {bytes} bytes, the server takes {limit}")]
    TooLong {
        /// `pipeline` or `version`.
        kind: &'static str,
        /// The name.
        name: String,
        /// Its bytes in UTF-8.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A character of four bytes in UTF-8, which MySQL's `utf8` does not hold: 2.17.0 answers 500,
    /// 2.16.1 creates the row and then answers 500 to every look-up of it.
    #[error("the {kind} name `{name}` holds {character:?} (U+{:04X}), which the server's database cannot store", u32::from(*.character))]
    FourByteCharacter {
        /// `pipeline` or `version`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// A control character.
    #[error("the {kind} name {name:?} holds the control character U+{:04X}", u32::from(*.character))]
    ControlCharacter {
        /// `pipeline` or `version`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// The spec's own name breaks the rule of every server: `^[a-z0-9][a-z0-9-]{0,127}$`.
    #[error(
        "the spec's name {name:?} is not made of lower-case letters, digits and `-` with a letter or digit first, at most 128"
    )]
    Spec {
        /// `pipelineInfo.name`.
        name: String,
    },
    /// Not a DNS-1123 subdomain, which a server with a Kubernetes store demands.
    #[error(
        "the {kind} name {name:?} is not a DNS name (lower-case letters, digits, `-` and `.`, at most 253), which this server's Kubernetes store demands"
    )]
    Kubernetes {
        /// `pipeline` or `version`.
        kind: &'static str,
        /// The name.
        name: String,
    },
}

/// Checks the name of a pipeline on the server.
///
/// # Errors
/// The first rule that is broken.
pub fn check_pipeline_name(name: &str) -> Result<(), NameError> {
    check("pipeline", name, PIPELINE_NAME_BYTES)
}

/// Checks the name of a version.
///
/// # Errors
/// The first rule that is broken.
pub fn check_version_name(name: &str) -> Result<(), NameError> {
    check("version", name, VERSION_NAME_BYTES)
}

/// Checks `pipelineInfo.name`, which every server checks on upload (500 up to 2.16.1, 400 from 2.17.0).
///
/// # Errors
/// [`NameError::Spec`].
pub fn check_spec_name(name: &str) -> Result<(), NameError> {
    let right = (1..=PIPELINE_NAME_BYTES).contains(&name.len())
        && !name.starts_with('-')
        && name
            .bytes()
            .all(|byte| is_lower_alphanumeric(byte) || byte == b'-');
    if right {
        Ok(())
    } else {
        Err(NameError::Spec {
            name: name.to_owned(),
        })
    }
}

/// Checks a pipeline's name for a server whose `pipeline_store` is `kubernetes`.
///
/// # Errors
/// The first rule that is broken.
pub fn check_kubernetes_pipeline_name(name: &str) -> Result<(), NameError> {
    check_pipeline_name(name)?;
    dns_or("pipeline", name)
}

/// Checks a version's name for a server whose `pipeline_store` is `kubernetes`: itself, and as
/// `<pipeline>-<version>`, which is the object's name from 2.17.0 on.
///
/// # Errors
/// The first rule that is broken.
pub fn check_kubernetes_version_name(pipeline: &str, version: &str) -> Result<(), NameError> {
    check_version_name(version)?;
    dns_or("version", version)?;
    dns_or("version", &format!("{pipeline}-{version}"))
}

/// Whether this is a DNS-1123 subdomain: labels of lower-case letters, digits and `-`, joined by
/// `.`, beginning and ending with a letter or digit, at most 253 bytes together.
#[must_use]
pub fn is_dns_1123_subdomain(name: &str) -> bool {
    name.len() <= KUBERNETES_NAME_BYTES
        && name.split('.').all(|label| {
            label
                .bytes()
                .all(|byte| is_lower_alphanumeric(byte) || byte == b'-')
                && !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// A DNS name made of any name, for creating a pipeline on a Kubernetes store; the given name then
/// becomes the display name. Empty when nothing usable is left.
#[must_use]
pub fn to_dns_1123(name: &str) -> String {
    let mut dns = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            dns.push(character);
        } else if !dns.is_empty() && !dns.ends_with('-') {
            dns.push('-');
        }
        if dns.len() == PIPELINE_NAME_BYTES {
            break;
        }
    }
    dns.truncate(dns.trim_end_matches('-').len());
    dns
}

fn check(kind: &'static str, name: &str, limit: usize) -> Result<(), NameError> {
    if name.trim().is_empty() {
        return Err(NameError::Empty { kind });
    }
    if name.len() > limit {
        return Err(NameError::TooLong {
            kind,
            name: name.to_owned(),
            bytes: name.len(),
            limit,
        });
    }
    if let Some(character) = name.chars().find(|character| character.len_utf8() == 4) {
        return Err(NameError::FourByteCharacter {
            kind,
            name: name.to_owned(),
            character,
        });
    }
    if let Some(character) = name.chars().find(|character| character.is_control()) {
        return Err(NameError::ControlCharacter {
            kind,
            name: name.to_owned(),
            character,
        });
    }
    Ok(())
}

fn dns_or(kind: &'static str, name: &str) -> Result<(), NameError> {
    if is_dns_1123_subdomain(name) {
        Ok(())
    } else {
        Err(NameError::Kubernetes {
            kind,
            name: name.to_owned(),
        })
    }
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_real_servers_took_are_taken() {
        for name in ["demo", "A+B 100%", "a/b", "評価", "say \"hi\" \\ there", "x.yaml"] {
            check_pipeline_name(name).unwrap();
        }
        check_pipeline_name(&"a".repeat(128)).unwrap();
        check_version_name(&"a".repeat(127)).unwrap();
    }

    #[test]
    fn names_that_real_servers_refused_are_refused() {
        assert!(matches!(check_pipeline_name(" "), Err(NameError::Empty { .. })));
        assert!(matches!(
            check_pipeline_name(&"a".repeat(129)),
            Err(NameError::TooLong { bytes: 129, .. })
        ));
        // 43 characters of three bytes: the server counts bytes.
        assert!(matches!(
            check_pipeline_name(&"評".repeat(43)),
            Err(NameError::TooLong { .. })
        ));
        assert!(matches!(
            check_version_name(&"a".repeat(128)),
            Err(NameError::TooLong { limit: 127, .. })
        ));
        let error = check_pipeline_name("rocket 🚀").unwrap_err();
        assert!(error.to_string().contains("U+1F680"), "{error}");
        assert!(matches!(
            check_pipeline_name("a\nb"),
            Err(NameError::ControlCharacter { .. })
        ));
    }

    #[test]
    fn spec_names() {
        for name in ["a", "0-", "evaluation-pipeline", &"a".repeat(128)] {
            check_spec_name(name).unwrap();
        }
        for name in ["", "-a", "A", "a_b", "a.b", "é", &"a".repeat(129)] {
            check_spec_name(name).unwrap_err();
        }
    }

    #[test]
    fn kubernetes_names() {
        for name in ["a", "a-b.c", "0"] {
            check_kubernetes_pipeline_name(name).unwrap();
        }
        for name in ["A", "a_b", "-a", "a-", "a..b", ".a", "é"] {
            assert!(
                matches!(
                    check_kubernetes_pipeline_name(name),
                    Err(NameError::Kubernetes { .. })
                ),
                "{name}"
            );
        }
        check_kubernetes_version_name("demo", "v20260213-143022").unwrap();
        check_kubernetes_version_name(&"p".repeat(128), &"v".repeat(124)).unwrap();
        check_kubernetes_version_name(&"p".repeat(128), &"v".repeat(125)).unwrap_err();
        assert_eq!(to_dns_1123("My_Cool  Pipe!"), "my-cool-pipe");
        assert_eq!(to_dns_1123("評価"), "");
        assert_eq!(to_dns_1123(&"A".repeat(300)).len(), 128);
    }
}
