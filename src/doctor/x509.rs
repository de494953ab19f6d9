//! Two facts of a certificate that rustls does not tell: who signed it, and until when it is valid.
//!
//! Reads only as far as needed, never beyond the slice, and trusts nothing: the chain is rustls' to check.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What is shown of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The issuer's common name, or organisation.
    pub issuer: Option<String>,
    /// The end of its validity.
    pub until: Option<DateTime<Utc>>,
}

/// Reads a DER certificate; what cannot be read stays unknown.
pub fn facts(der: &[u8]) -> Facts {
    read(der).unwrap_or_default()
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;

fn read(der: &[u8]) -> Option<Facts> {
    let (_, certificate, _) = element(der)?;
    let (_, mut fields, _) = element(certificate)?;
    let (tag, _, rest) = element(fields)?;
    if tag == VERSION {
        fields = rest;
    }
    // Serial number, signature algorithm.
    for _ in 0..2 {
        fields = element(fields)?.2;
    }
    let (_, issuer, rest) = element(fields)?;
    let (_, validity, _) = element(rest)?;
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    Some(Facts {
        issuer: name(issuer),
        until: time(tag, text),
    })
}

/// Tag, content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, left) = rest.split_at_checked(count)?;
        length = digits
            .iter()
            .fold(0, |length, digit| (length << 8) | usize::from(*digit));
        rest = left;
    }
    let (content, left) = rest.split_at_checked(length)?;
    Some((tag, content, left))
}

/// The common name (2.5.4.3), else the organisation (2.5.4.10).
fn name(mut parts: &[u8]) -> Option<String> {
    let mut organisation = None;
    while let Some((_, set, rest)) = element(parts) {
        parts = rest;
        let Some((SEQUENCE, pair, _)) = element(set) else {
            continue;
        };
        let (_, kind, value) = element(pair)?;
        let (_, text, _) = element(value)?;
        let text = String::from_utf8_lossy(text).into_owned();
        match kind {
            [0x55, 0x04, 0x03] => return Some(text),
            [0x55, 0x04, 0x0a] => organisation = Some(text),
            _ => {}
        }
    }
    organisation
}

/// `UTCTime` has two digits of a year (RFC 5280 4.1.2.5.1), `GeneralizedTime` four.
fn time(tag: u8, text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        UTC_TIME => {
            let year: u32 = text.get(..2)?.parse().ok()?;
            format!("{}{text}", if year < 50 { "20" } else { "19" })
        }
        _ => text.to_owned(),
    };
    Some(
        NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S")
            .ok()?
            .and_utc(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_root_is_read() {
        // Any certificate will do; those of the test machine's own store are real ones.
        for certificate in rustls_native_certs::load_native_certs().certs.iter().take(50) {
            let facts = facts(certificate);
            assert!(facts.until.is_some() && facts.issuer.is_some(), "{facts:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = facts(&bytes);
        }
    }
}
