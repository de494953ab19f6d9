//! The HTML report: one file, nothing fetched, everything in it.
//!
//! The page is a fixed shell, a script and a JSON value. The script builds what it shows with
//! `textContent` and `setAttribute` alone, the JSON cannot end its element, and the page's own
//! policy lets only this script and this style run and nothing be fetched.

mod data;
#[cfg(test)]
mod tests;

pub use data::{HtmlPipeline, HtmlReport, Version};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Renders the page.
#[must_use]
pub fn render(report: &HtmlReport<'_>) -> String {
    let page = data::Page::of(report);
    let json = embedded(&serde_json::to_string(&page).unwrap_or_default());
    let mut out = String::with_capacity(json.len() + STYLE.len() + SCRIPT.len() + 4096);
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        source_hash(SCRIPT),
        source_hash(STYLE)
    );
    let title = escape(&page.title);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"kfp-gitops\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">to the content</a>\n\
         <header><h1><a href=\"#\">{title}</a></h1><p>{}</p></header>\n\
         <div class=\"page\">\n<nav aria-label=\"pipelines\">\n\
         <input id=\"filter\" type=\"search\" placeholder=\"filter by name, file, image ( / )\" aria-label=\"filter pipelines\">\n\
         <div id=\"kinds\" class=\"kinds\"></div>\n<ul id=\"list\"></ul>\n<p id=\"none\" class=\"none\" hidden>nothing matches</p>\n</nav>\n\
         <main id=\"main\"><noscript>{}</noscript></main>\n</div>\n\
         <script type=\"application/json\" id=\"data\">{json}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        escape(&page.headline),
        without_script(&page),
    );
    out
}

/// `sha256-…` as a policy wants it.
fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that cannot end the element it stands in, nor open another.
fn embedded(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 32);
    for character in json.chars() {
        match character {
            // These stand only inside JSON's texts, where the escape means the same.
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// What is shown where scripts are off: the list.
fn without_script(page: &data::Page) -> String {
    let mut out = "<p>Without scripts only the list is shown.</p><ul>".to_owned();
    for pipeline in &page.pipelines {
        let _ = write!(
            out,
            "<li>{}: {}</li>",
            escape(&pipeline.name),
            escape(&pipeline.headline)
        );
    }
    out.push_str("</ul>");
    out
}

/// Text for HTML, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
