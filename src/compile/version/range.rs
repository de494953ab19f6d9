//! Ranges of versions that a repository asks for: `>=2.9,<2.11`, as PEP 440 describes them, and Poetry's `^2.9`.

use semver::Version;

/// Whether a version lies in a range. `None` where the range is not one of plain releases.
pub(super) fn allows(range: &str, version: &Version) -> Option<bool> {
    let version = [version.major, version.minor, version.patch];
    let mut all = true;
    for part in range.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        all &= one(part, version)?;
    }
    Some(all)
}

fn one(part: &str, version: [u64; 3]) -> Option<bool> {
    let at = part.find(|c: char| !"<>=!~^".contains(c)).unwrap_or(part.len());
    let (operator, text) = (&part[..at], part[at..].trim());
    let (text, any) = match text.strip_suffix(".*") {
        Some(start) => (start, true),
        None => (text, false),
    };
    let given: Vec<u64> = text
        .split('.')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    if given.is_empty() || given.len() > 3 {
        return None;
    }
    let mut full = [0; 3];
    full[..given.len()].copy_from_slice(&given);
    let begins = |count: usize| version[..count] == full[..count];
    Some(match (operator, any) {
        ("==", true) => begins(given.len()),
        ("!=", true) => !begins(given.len()),
        ("==", false) => version == full,
        ("!=", false) => version != full,
        (">=", false) => version >= full,
        ("<=", false) => version <= full,
        (">", false) => version > full,
        ("<", false) => version < full,
        ("~=", false) if given.len() > 1 => version >= full && begins(given.len() - 1),
        // kfp has been 2 for long: what Poetry says of 0 does not matter
        ("^", false) => version >= full && begins(1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_pip_reads_them() {
        let version = Version::new(2, 10, 1);
        for (range, expected) in [
            (">=2.9,<2.11", Some(true)),
            (">= 2.9 , < 2.10", Some(false)),
            ("<2.10.1", Some(false)),
            ("<=2.10.1", Some(true)),
            (">2.10.1", Some(false)),
            ("~=2.7", Some(true)),
            ("~=2.7.0", Some(false)),
            ("~=2.10.0", Some(true)),
            ("==2.*", Some(true)),
            ("==2.9.*", Some(false)),
            ("!=2.10.*", Some(false)),
            ("!=2.10.0", Some(true)),
            ("^2.9", Some(true)),
            ("^1.8", Some(false)),
            (">=2.0.0b1", None),
            ("=>2", None),
            ("2", None),
        ] {
            assert_eq!(allows(range, &version), expected, "{range}");
        }
    }
}
