//! The JSON form: the contract with `"schema": 1`.

use super::Report;

/// The report as pretty-printed JSON with a final newline.
///
/// # Errors
/// Never for reports made by this program; the error is serde's.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
