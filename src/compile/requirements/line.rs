//! One requirement as PEP 508 writes it, and nothing else: what is not understood here never reaches an installer.

/// One plain requirement of a package from the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::compile) struct Requirement {
    /// The name as the index compares it: lower case, `-` for every run of `-`, `_` and `.`.
    pub name: String,
    /// The requirement without hashes, such as `pandas[sql]>=2,<3 ; python_version < "3.12"`.
    pub text: String,
    /// Hashes that its files must have, such as `sha256:…`.
    pub hashes: Vec<String>,
}

impl Requirement {
    /// The line as both installers read it.
    pub(in crate::compile) fn line(&self) -> String {
        let hashes = self.hashes.iter().map(|hash| format!(" --hash={hash}"));
        std::iter::once(self.text.clone()).chain(hashes).collect()
    }

    /// Whether it asks for exactly that version.
    pub(in crate::compile) fn is_exactly(&self, version: &str) -> bool {
        let specifier = self.text.split(';').next().unwrap_or_default();
        specifier
            .split_once("==")
            .is_some_and(|(_, rest)| rest.trim().trim_start_matches('=').trim() == version)
    }

    /// The extras with their brackets, or nothing.
    pub(in crate::compile) fn extras(&self) -> &str {
        match (self.text.find('['), self.text.find(']')) {
            (Some(from), Some(to)) if from < to => &self.text[from..=to],
            _ => "",
        }
    }
}

/// Why a line is no plain requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::compile) enum Refused {
    /// It names a file, a folder, an address or a repository instead of a package of the index.
    Elsewhere(&'static str),
    /// An option of pip that may not stand behind a requirement.
    Option(String),
    /// Not what PEP 508 describes: the part that is not understood.
    Unclear(String),
}

/// File name endings that pip and uv take for an archive to install rather than for a name.
const ARCHIVES: [&str; 11] = [
    ".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".egg",
];

/// What PEP 508 knows in a marker beside quoted texts.
const MARKER_WORDS: [&str; 15] = [
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "and",
    "or",
    "in",
    "not",
];

/// Reads one logical line: continuations joined, comment gone, not empty.
///
/// # Errors
/// What else it is.
pub(in crate::compile) fn read(line: &str) -> Result<Requirement, Refused> {
    let (requirement, options) = match line.find(" --").or_else(|| line.find("\t--")) {
        Some(at) => (&line[..at], line[at..].trim()),
        None => (line, ""),
    };
    let hashes = hashes(options)?;
    let requirement = requirement.trim();
    if let Some(what) = elsewhere(requirement) {
        return Err(Refused::Elsewhere(what));
    }
    let (before, marker) = match requirement.split_once(';') {
        Some((before, marker)) => (before.trim(), Some(marker.trim())),
        None => (requirement, None),
    };
    let (written, rest) = before.split_at(
        before
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(before.len()),
    );
    if !is_name(written) {
        return Err(unclear(before));
    }
    let mut text = written.to_owned();
    let mut rest = rest.trim();
    if let Some(inside) = rest.strip_prefix('[') {
        let (extras, behind) = inside.split_once(']').ok_or_else(|| unclear(before))?;
        let extras: Vec<&str> = extras.split(',').map(str::trim).collect();
        if !extras.iter().all(|extra| is_name(extra)) {
            return Err(unclear(before));
        }
        text.push_str(&format!("[{}]", extras.join(",")));
        rest = behind.trim();
    }
    let specifiers = match rest.strip_prefix('(') {
        Some(inside) => inside.strip_suffix(')').ok_or_else(|| unclear(before))?,
        None => rest,
    };
    if !specifiers.trim().is_empty() {
        let specifiers: Vec<String> = specifiers
            .split(',')
            .map(|one| specifier(one.trim()).ok_or_else(|| unclear(before)))
            .collect::<Result<_, _>>()?;
        text.push_str(&specifiers.join(","));
    }
    if let Some(marker) = marker {
        if !is_marker(marker) {
            return Err(unclear(marker));
        }
        text.push_str(" ; ");
        text.push_str(marker);
    }
    Ok(Requirement {
        name: normalized(written),
        text,
        hashes,
    })
}

/// The part of a text that may be shown: short, and without what might be a password.
fn unclear(text: &str) -> Refused {
    let shown: String = text
        .chars()
        .take_while(|c| *c != '@' && !c.is_control())
        .take(60)
        .collect();
    Refused::Unclear(shown)
}

/// Names that differ only in case and in `-`, `_`, `.` are one (PEP 503).
fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-").to_ascii_lowercase()
}

fn is_name(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().next_back())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// A file, a folder, an address or a repository.
fn elsewhere(requirement: &str) -> Option<&'static str> {
    let lower = requirement.to_ascii_lowercase();
    let head = lower
        .split([';', ' ', '[', '<', '>', '=', '!', '~'])
        .next()
        .unwrap_or_default();
    if ["git+", "hg+", "svn+", "bzr+"]
        .iter()
        .any(|kind| lower.contains(kind))
    {
        return Some("a repository");
    }
    if lower.contains("://") || lower.starts_with("file:") || requirement.contains('@') {
        return Some("an address");
    }
    if head.starts_with('.') || head.starts_with('~') || head.contains(['/', '\\']) {
        return Some("a path");
    }
    ARCHIVES
        .iter()
        .any(|ending| head.ends_with(ending))
        .then_some("a file")
}

/// `>= 2.0` as `>=2.0`.
fn specifier(text: &str) -> Option<String> {
    let operator = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"]
        .into_iter()
        .find(|operator| text.starts_with(operator))?;
    let version = text[operator.len()..].trim();
    let plain = !version.is_empty()
        && version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".*+!-_".contains(c));
    plain.then(|| format!("{operator}{version}"))
}

/// Whether a marker holds nothing but what markers are made of; the installers read its structure.
fn is_marker(text: &str) -> bool {
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return false;
    }
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let Some(end) = rest[1..].find(first) else {
                    return false;
                };
                let inside = &rest[1..=end];
                if !inside
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || " ._-+*".contains(c))
                {
                    return false;
                }
                end + 2
            }
            '(' | ')' => 1,
            '<' | '>' | '=' | '!' | '~' => rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len()),
            _ => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_lowercase() || c == '_'))
                    .unwrap_or(rest.len());
                if !MARKER_WORDS.contains(&&rest[..end]) {
                    return false;
                }
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    true
}

/// `--hash=sha256:… --hash sha256:…`
fn hashes(options: &str) -> Result<Vec<String>, Refused> {
    let mut hashes = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let value = match word.split_once('=') {
            Some(("--hash", value)) => Some(value),
            None if word == "--hash" => words.next(),
            _ => None,
        };
        let sound = |value: &&str| {
            value.split_once(':').is_some_and(|(algorithm, digest)| {
                ["sha256", "sha384", "sha512"].contains(&algorithm)
                    && digest.len() >= 64
                    && digest.chars().all(|c| c.is_ascii_hexdigit())
            })
        };
        match value {
            Some(value) if sound(&value) => hashes.push(value.to_ascii_lowercase()),
            Some(_) => return Err(unclear(word)),
            None => {
                let name = word.split('=').next().unwrap_or(word);
                return Err(Refused::Option(name.chars().take(40).collect()));
            }
        }
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> String {
        read(line).map_or_else(|refused| format!("{refused:?}"), |one| one.line())
    }

    #[test]
    fn plain_requirements_are_kept() {
        for (line, expected) in [
            ("pandas", "pandas"),
            ("Pandas [sql , x.y] >= 2.0, <3", "Pandas[sql,x.y]>=2.0,<3"),
            ("a (==1.0)", "a==1.0"),
            ("a===1.0+local", "a===1.0+local"),
            ("a==1.*", "a==1.*"),
            ("a~=1!2.0", "a~=1!2.0"),
            (
                "a>=1;python_version<'3.12' and sys_platform not in \"win32 cygwin\"",
                "a>=1 ; python_version<'3.12' and sys_platform not in \"win32 cygwin\"",
            ),
        ] {
            assert_eq!(text(line), expected, "{line}");
        }
        let hash = "ab".repeat(32);
        assert_eq!(
            text(&format!("a==1 --hash=sha256:{hash} --hash sha256:{hash}")),
            format!("a==1 --hash=sha256:{hash} --hash=sha256:{hash}")
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for line in [
            "./local",
            "../up",
            ".",
            "~/x",
            "a/b",
            "C:\\x",
            "x.whl",
            "evil-1.0.tar.gz",
            "evil.zip[extra]",
            "https://x/y.whl",
            "file:///etc",
            "a @ https://x/y.whl",
            "a@file:x",
            "git+https://x/y",
            "a @ git+ssh://x",
            "a; $(x)",
            "a ; extra == 'x'",
            "a ; python_versions < '3'",
            "a ; python_version < '${TOKEN}'",
            "a==${TOKEN}",
            "$X",
            "a==1 --global-option=x",
            "a==1 --config-settings x=y",
            "a==1 --hash=md5:00",
            "a==1 --hash",
            "a b",
            "a\n--index-url http://x",
            "a==1\n-e .",
            "a;\n",
            "-e .",
            "[x]",
            "a[",
            "a(==1",
            "ä",
            "a\u{0}",
        ] {
            assert!(read(line).is_err(), "{line:?}: {}", text(line));
        }
    }

    #[test]
    fn parts_of_a_requirement() {
        let one = read("Kfp_X[a,b]==2.16.0 ; python_version > '3'").unwrap();
        assert_eq!((one.name.as_str(), one.extras()), ("kfp-x", "[a,b]"));
        assert!(one.is_exactly("2.16.0") && !one.is_exactly("2.16"));
        assert!(!read("kfp>=2.16.0").unwrap().is_exactly("2.16.0"));
    }

    proptest::proptest! {
        /// Whatever is accepted is one line of a closed alphabet: no option, no path, no address.
        #[test]
        fn what_is_accepted_is_harmless(line in "[a-zA-Z0-9 ;=<>!~,.\\[\\]()'\"@/:$\\\\\n\t#-]{0,60}") {
            if let Ok(one) = read(&line) {
                let text = one.line();
                proptest::prop_assert!(!text.contains(['\n', '\r', '/', '@', '$', '\\', ':']) || !one.hashes.is_empty());
                proptest::prop_assert!(!text.starts_with('-') && !text.contains(" -"), "{text}");
            }
        }
    }
}
