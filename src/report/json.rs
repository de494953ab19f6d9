//! The JSON form: the contract with `"schema": 1`.

use super::Report;

/// The JSON Schema of the report, pretty-printed, as committed in `schema/report.schema.json`.
#[must_use]
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Report)).unwrap_or_default();
    text.push('\n');
    text
}

/// The report as pretty-printed JSON with a final newline.
///
/// # Errors
/// Never for reports made by this program; the error is serde's.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
