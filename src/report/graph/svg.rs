//! The task graph as one SVG picture: no script, no font, no address outside, light and dark.

use super::super::diff::words::visible;
use super::layout::{Rectangle, layout};
use crate::ir::graph::{Graph, Mark, Node, NodeKind};
use std::fmt::Write as _;

/// Colours for both schemes; the page that shows the picture says which by `prefers-color-scheme`.
const STYLE: &str = "svg{color-scheme:light dark;font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
.bg{fill:#fff}.node rect{fill:#f6f8fa;stroke:#8c959f}.frame>rect{fill:#8c959f12;stroke:#8c959f;stroke-dasharray:none}\
text{fill:#1f2328}.sub{fill:#59636e;font-size:11px}.edge{fill:none;stroke:#8c959f;stroke-width:1.3}.head{fill:#8c959f}\
.added rect{fill:#dafbe1;stroke:#1a7f37}.removed rect{fill:#ffebe9;stroke:#cf222e;stroke-dasharray:5 3}\
.changed rect{fill:#fff8c5;stroke:#9a6700}.renamed rect{fill:#ddf4ff;stroke:#0969da}\
.edge.added{stroke:#1a7f37;stroke-width:2}.edge.removed{stroke:#cf222e;stroke-dasharray:5 3}\
@media(prefers-color-scheme:dark){.bg{fill:#0d1117}.node rect{fill:#161b22;stroke:#6e7681}text{fill:#e6edf3}.sub{fill:#9198a1}\
.added rect{fill:#12261e;stroke:#3fb950}.removed rect{fill:#25171c;stroke:#f85149}.changed rect{fill:#272115;stroke:#d29922}\
.renamed rect{fill:#121d2f;stroke:#4493f8}.edge.added{stroke:#3fb950}.edge.removed{stroke:#f85149}}";

/// Draws the graph. `title` is what a screen reader says.
#[must_use]
pub fn svg(title: &str, graph: &Graph) -> String {
    let layout = layout(graph);
    let (width, height) = (layout.width.max(160.0), layout.height.max(60.0));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\
         <title>{}</title><style>{STYLE}</style><defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
         markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto-start-reverse\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\
         <rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n",
        escape(title)
    );
    // Frames first, so that edges and nodes stand on them.
    let (frames, tasks): (Vec<&Node>, Vec<&Node>) = graph.nodes.iter().partition(|node| node.kind.is_frame());
    for node in frames {
        frame(&mut out, node, layout.nodes[node.id]);
    }
    for (edge, points) in graph.edges.iter().zip(&layout.edges) {
        let class = edge.mark.map(class).unwrap_or_default();
        let _ = write!(
            out,
            "<path class=\"edge {class}\" marker-end=\"url(#head)\" d=\"{}\">",
            path(points)
        );
        if !edge.outputs.is_empty() {
            let _ = write!(out, "<title>{}</title>", escape(&edge.outputs.join(", ")));
        }
        out.push_str("</path>\n");
    }
    for node in tasks {
        task(&mut out, node, layout.nodes[node.id]);
    }
    out.push_str("</svg>\n");
    out
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Added => "added",
        Mark::Removed => "removed",
        Mark::Changed => "changed",
        Mark::Renamed => "renamed",
    }
}

fn frame(out: &mut String, node: &Node, place: Rectangle) {
    let head = match (&node.detail, node.kind) {
        (Some(items), NodeKind::Loop) => format!("for {items}"),
        (Some(condition), _) => format!("if {condition}"),
        (None, _) => node.label.clone(),
    };
    let _ = writeln!(
        out,
        "<g class=\"frame {}\"><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\"/>\
         <text class=\"sub\" x=\"{}\" y=\"{}\">{}</text></g>",
        node.mark.map(class).unwrap_or_default(),
        escape(&format!("{}: {head}", node.path)),
        place.x,
        place.y,
        place.width,
        place.height,
        place.x + 12.0,
        place.y + 19.0,
        escape(&fitting(&head, place.width - 24.0, 6.2)),
    );
}

fn task(out: &mut String, node: &Node, place: Rectangle) {
    let below = match (&node.image, node.kind) {
        (Some(image), _) => image.clone(),
        (None, NodeKind::Importer) => "importer".to_owned(),
        (None, _) => String::new(),
    };
    let _ = writeln!(
        out,
        "<g class=\"node {}\"><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text class=\"sub\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text></g>",
        node.mark.map(class).unwrap_or_default(),
        escape(&format!("{} {below}", node.path)),
        place.x,
        place.y,
        place.width,
        place.height,
        place.x + place.width / 2.0,
        place.y + 19.0,
        escape(&fitting(&node.label, place.width - 16.0, 7.3)),
        place.x + place.width / 2.0,
        place.y + 36.0,
        escape(&fitting(&below, place.width - 16.0, 6.2)),
    );
}

/// A curve through the points, leaving and arriving upright.
pub(crate) fn path(points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        match at.checked_sub(1).map(|before| points[before]) {
            None => {
                let _ = write!(out, "M{x} {y}");
            }
            Some((from_x, _)) if from_x == *x => {
                let _ = write!(out, "L{x} {y}");
            }
            Some((from_x, from_y)) => {
                let middle = (from_y + y) / 2.0;
                let _ = write!(out, "C{from_x} {middle} {x} {middle} {x} {y}");
            }
        }
    }
    out
}

/// The text cut to a width in pixels at so many for a letter.
fn fitting(text: &str, width: f64, letter: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let most = (width / letter).max(4.0) as usize;
    let text = visible(text);
    if text.chars().count() <= most {
        return text;
    }
    format!("{}…", text.chars().take(most - 1).collect::<String>())
}

/// Text for XML, at most a few hundred characters of it.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in visible(text).chars().take(400) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Pipeline;
    use crate::ir::fixtures::{NAMES, canonical_of};

    #[test]
    fn every_fixture_is_one_picture_without_addresses() {
        for name in NAMES {
            let graph = Graph::of(&Pipeline::of(&canonical_of(name)), 1000);
            let picture = svg(name, &graph);
            assert_eq!(
                picture.matches("class=\"node ").count(),
                graph.task_count(),
                "{name}"
            );
            assert_eq!(picture.matches("http").count(), 1, "{name}: only the namespace");
            assert!(
                !picture.contains("<script") && !picture.contains("href"),
                "{name}"
            );
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut graph = Graph::of(&Pipeline::of(&canonical_of("venv")), 1000);
        graph.nodes[0].label = "</text><script>alert(1)</script>\u{202e}".to_owned();
        graph.nodes[0].path = "\"><img onerror=alert(1)>".to_owned();
        let picture = svg("</title><script>", &graph);
        assert!(
            !picture.contains("<script") && !picture.contains("<img") && !picture.contains('\u{202e}'),
            "{picture}"
        );
    }
}
