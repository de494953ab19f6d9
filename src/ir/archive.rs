//! Files that the KFP compiler embeds in a component's source, seen as their contents.
//!
//! kfp (`component_factory._generate_shared_extraction_helper` and `notebook_executor`, 2.17.0)
//! writes `__KFP_EMBEDDED_ARCHIVE_B64 = '<base64 of a gzipped tar>'` into the source. The archive's
//! bytes differ at every compile (gzip time) and on every checkout (file times, owners, modes), its
//! members do not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Read;

/// What stands before the base64 text in the generated source.
const PREFIX: &str = "__KFP_EMBEDDED_ARCHIVE_B64 = '";

/// One member of an embedded archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The path inside the archive, as stored.
    pub name: Vec<u8>,
    /// The tar entry type: `0` file, `5` folder, `2` symbolic link, and so on.
    pub kind: u8,
    /// Whether the owner may execute it. Always false for folders.
    pub executable: bool,
    /// The target of a link, else empty.
    pub link: Vec<u8>,
    /// Bytes of content.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// How much may be unpacked in one spec, so that a small upload cannot keep the program busy.
#[derive(Debug)]
pub struct Budget {
    bytes: u64,
    members: usize,
}

impl Default for Budget {
    /// 256 MiB and 100 000 members: an upload holds at most 32 MiB, and assets are source files.
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            members: 100_000,
        }
    }
}

/// A piece of a component's source.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// The base64 text of an archive that could be read, seen as its sorted members.
    Archive(Vec<Member>),
}

/// Splits a source into text and archives. What cannot be read as an archive within the budget
/// stays text, so that it is compared byte for byte.
pub fn split<'a>(source: &'a str, budget: &mut Budget) -> Vec<Piece<'a>> {
    // `contains` looks at many bytes at a time where `find` does not, and hardly any source has one.
    if !source.contains(PREFIX) {
        return vec![Piece::Text(source)];
    }
    let mut pieces = Vec::new();
    let mut text_from = 0;
    let mut search_from = 0;
    while let Some(found) = source[search_from..].find(PREFIX) {
        let start = search_from + found + PREFIX.len();
        search_from = start;
        let Some(length) = source[start..].find('\'') else {
            break;
        };
        let end = start + length;
        if let Some(members) = read(&source[start..end], budget) {
            pieces.push(Piece::Text(&source[text_from..start]));
            pieces.push(Piece::Archive(members));
            text_from = end;
            search_from = end;
        }
    }
    if text_from == 0 || text_from < source.len() {
        pieces.push(Piece::Text(&source[text_from..]));
    }
    pieces
}

/// The source with every archive written as lines for people, one for each member. Equal for equal
/// sources, unequal for sources with another digest.
#[must_use]
pub fn described(source: &str) -> Cow<'_, str> {
    let pieces = split(source, &mut Budget::default());
    if let [Piece::Text(text)] = pieces[..] {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Archive(members) => {
                for member in members {
                    let _ = write!(out, "\n<{}", String::from_utf8_lossy(&member.name).escape_debug());
                    if member.kind != b'0' {
                        let _ = write!(out, " type {}", char::from(member.kind).escape_debug());
                    }
                    if member.executable {
                        out.push_str(" executable");
                    }
                    if !member.link.is_empty() {
                        let _ = write!(
                            out,
                            " to {}",
                            String::from_utf8_lossy(&member.link).escape_debug()
                        );
                    }
                    let _ = write!(
                        out,
                        " {} bytes sha256:{}>",
                        member.size,
                        hex::encode(member.sha256)
                    );
                }
                out.push('\n');
            }
        }
    }
    Cow::Owned(out)
}

fn read(text: &str, budget: &mut Budget) -> Option<Vec<Member>> {
    if text.is_empty() {
        return None;
    }
    let compressed = STANDARD.decode(text).ok()?;
    let unpacked = flate2::read::MultiGzDecoder::new(compressed.as_slice()).take(budget.bytes + 1);
    let mut archive = tar::Archive::new(Counted {
        inner: unpacked,
        left: &mut budget.bytes,
    });
    let mut members = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        budget.members = budget.members.checked_sub(1)?;
        let kind = entry.header().entry_type();
        let mut content = Sha256::new();
        let mut size = 0;
        loop {
            let read = entry.read(&mut buffer).ok()?;
            if read == 0 {
                break;
            }
            content.update(&buffer[..read]);
            size += read as u64;
        }
        members.push(Member {
            name: entry.path_bytes().into_owned(),
            // The old and the new way to say "regular file".
            kind: if kind.is_file() { b'0' } else { kind.as_byte() },
            executable: !kind.is_dir() && entry.header().mode().ok()? & 0o100 != 0,
            link: entry
                .link_name_bytes()
                .map(|name| name.into_owned())
                .unwrap_or_default(),
            size,
            sha256: content.finalize().into(),
        });
    }
    // A text that happens to decode to nothing is not an archive.
    if members.is_empty() {
        return None;
    }
    // Stable, because of two members with one name the later one wins at unpacking.
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Some(members)
}

/// Fails once more bytes were read than are left.
struct Counted<'a, R> {
    inner: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => *self.left = left,
            None => {
                return Err(std::io::Error::other(
                    "the archive unpacks to more than is allowed",
                ));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Write as _;

    /// A source as kfp writes it, with the given files, gzip time and file time.
    pub(crate) fn source(files: &[(&str, u32, &[u8])], time: u32) -> String {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, mode, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(*mode);
            header.set_mtime(u64::from(time));
            header.set_cksum();
            tar.append_data(&mut header, name, *content).unwrap();
        }
        let tar = tar.into_inner().unwrap();
        let mut gzip = flate2::GzBuilder::new()
            .mtime(time)
            .write(Vec::new(), flate2::Compression::default());
        gzip.write_all(&tar).unwrap();
        format!(
            "import kfp\n\n{PREFIX}{}'\n\nimport base64 as __kfp_b64\n",
            STANDARD.encode(gzip.finish().unwrap())
        )
    }

    fn members(source: &str) -> Vec<Member> {
        match split(source, &mut Budget::default()).into_iter().nth(1) {
            Some(Piece::Archive(members)) => members,
            other => panic!("expected an archive, got {other:?}"),
        }
    }

    #[test]
    fn times_order_and_read_permissions_do_not_matter() {
        let one = source(&[("a.py", 0o644, b"A"), ("b.sh", 0o755, b"B")], 1);
        let two = source(&[("b.sh", 0o700, b"B"), ("a.py", 0o600, b"A")], 2);
        assert_ne!(one, two);
        assert_eq!(members(&one), members(&two));
    }

    #[test]
    fn names_contents_and_the_executable_bit_matter() {
        let base = members(&source(&[("a.py", 0o644, b"A")], 1));
        assert_ne!(base, members(&source(&[("b.py", 0o644, b"A")], 1)));
        assert_ne!(base, members(&source(&[("a.py", 0o644, b"B")], 1)));
        assert_ne!(base, members(&source(&[("a.py", 0o755, b"A")], 1)));
        assert_ne!(
            base,
            members(&source(&[("a.py", 0o644, b"A"), ("c.py", 0o644, b"")], 1))
        );
    }

    #[test]
    fn text_around_archives_is_kept() {
        let source = source(&[("a.py", 0o644, b"A")], 1).repeat(2);
        let pieces = split(&source, &mut Budget::default());
        assert_eq!(pieces.len(), 5);
        assert!(matches!(pieces[0], Piece::Text(text) if text.ends_with("B64 = '")));
        assert!(matches!(pieces[4], Piece::Text(text) if text.starts_with("'\n\nimport base64")));
    }

    #[test]
    fn what_is_no_archive_stays_text() {
        for text in [
            "",
            "plain",
            "__KFP_EMBEDDED_ARCHIVE_B64 = '",
            "__KFP_EMBEDDED_ARCHIVE_B64 = ''",
            "__KFP_EMBEDDED_ARCHIVE_B64 = 'not base64!'",
            "__KFP_EMBEDDED_ARCHIVE_B64 = 'aGVsbG8='",
        ] {
            assert_eq!(split(text, &mut Budget::default()), [Piece::Text(text)], "{text}");
        }
    }

    #[test]
    fn a_bomb_stays_text() {
        let zeros = vec![0; 1 << 20];
        let source = source(&[("zeros", 0o644, &zeros)], 1);
        let mut small = Budget {
            bytes: 1 << 19,
            members: 10,
        };
        assert_eq!(split(&source, &mut small), [Piece::Text(&source)]);
        let mut few = Budget {
            bytes: 1 << 30,
            members: 0,
        };
        assert_eq!(split(&source, &mut few), [Piece::Text(&source)]);
    }

    #[test]
    fn what_kfp_itself_wrote_twice_is_the_same() {
        // One folder with `m.py`, compiled by kfp 2.17.0, touched, compiled again.
        let [one, two] = [
            "H4sIAN3/AGsC/+3UsQ6CMBQF0M5+BV9Q3it9fTCQODr6CyQyOBAMYoJ/L42DcQAnSIR7ljZtkw7tvTa16fFcDae6utSdWQS9TY1Emf/M4zqTY2eSwazgce+rbrze7JPLk6a/NnXJWohzGthZCbkvghwMbJ5Nl78jhlpFpvM/zlkyIlbVLJ7T8R+aRNbMf9e2/dy5X/t/+/7of/Q/+n+//d/Y23P5/g/ez/S//+5/Jon9T2vmf6f9P5SMnAMAAAAAAAAAAAAAAABsxAsSmerLACgAAA==",
            "H4sIAN//AGsC/+3UMQ6CMBTG8c6eghOU99q+tgwkjo5egUQGB6JBTPD20jioAzhBIny/hQaadCjvr3Od749Vf6irU92qWdDL2JPIuvc6vWcybFTWqwXcb13VDserbTIxa7pzU5ccCjEmeDZafHSFl52C1dP5/GekoQ4i4/M/rFksEYcQbNoXhv9QZbLk/LeXSze179f3v71/9B/9/+y/1S7Ggq1F/zfR/0ZfH/P33zs30X/33X8mSf2nJed/o/3vS8acAwAAAAAAAAAAAAAAAKzEE8ewACUAKAAA",
        ]
        .map(|text| format!("{PREFIX}{text}'\n"));
        assert_ne!(one, two);
        assert_eq!(members(&one), members(&two));
        let names: Vec<_> = members(&one)
            .into_iter()
            .map(|member| String::from_utf8(member.name).unwrap())
            .collect();
        assert_eq!(names, ["./", "./m.py"]);
        assert_eq!(described(&one), described(&two));
        assert!(
            described(&one).contains("<./m.py 4 bytes sha256:"),
            "{}",
            described(&one)
        );
    }
}
