//! Which plain scalars are numbers and times to yaml.v3, beyond those that are so to `serde_yaml`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::{Number, Value};

/// Plain scalars that are numbers to yaml.v3 and text to `serde_yaml`: underscores between digits, octal
/// numbers spelled `017`, hexadecimal ones spelled `0X1F`.
pub(super) fn number_of_yaml_v3(text: &str) -> Option<Value> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let lower = digits.to_ascii_lowercase();
    let integer = if let Some(hexadecimal) = lower.strip_prefix("0x") {
        u64::from_str_radix(hexadecimal, 16)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        u64::from_str_radix(binary, 2)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        u64::from_str_radix(octal, 8)
    } else if lower.len() > 1 && lower.starts_with('0') {
        u64::from_str_radix(&lower, 8)
    } else {
        lower.parse()
    };
    // `u64::from_str_radix` takes a sign of its own, which here would be a second one.
    if !digits.starts_with(['+', '-'])
        && let Ok(integer) = integer
    {
        return match (negative, i64::try_from(integer)) {
            (false, _) => Some(integer.into()),
            (true, Ok(integer)) => Some((-integer).into()),
            (true, Err(_)) => Number::from_f64(-(integer as f64)).map(Value::Number),
        };
    }
    let decimal = digits
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && digits.chars().any(|c| c.is_ascii_digit())
        && !digits.starts_with(['e', 'E', '+', '-']);
    if !decimal {
        return None;
    }
    plain.parse().ok().and_then(Number::from_f64).map(Value::Number)
}

/// Plain scalars that are times to yaml.v3, and what the server makes of them.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zoned = |format| DateTime::parse_from_str(text, format).ok();
    if let Some(time) = zoned("%Y-%m-%dT%H:%M:%S%.f%:z").or_else(|| zoned("%Y-%m-%dt%H:%M:%S%.f%:z")) {
        return Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    }
    let utc = text.strip_suffix('Z').and_then(|text| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dt%H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    });
    let time = utc
        .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok())
        .or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        })?;
    Some(
        time.and_local_timezone(Utc)
            .single()?
            .to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}
