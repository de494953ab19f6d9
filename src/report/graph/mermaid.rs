//! The task graph as a Mermaid flowchart, which forges draw in Markdown.

use super::super::diff::words::visible;
use crate::ir::graph::{Edge, Graph, Mark, Node, NodeKind};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The longest source that every forge draws: Gitea stops at 5 000 characters
/// (`MERMAID_MAX_SOURCE_CHARACTERS`), GitHub at 50 000.
pub const LIMIT: usize = 5_000;

/// Most edges that Mermaid draws by default (`maxEdges`).
const EDGES: usize = 500;

/// How much of each node is said.
#[derive(Clone, Copy, PartialEq)]
enum Detail {
    Full,
    Names,
}

/// A whole flowchart, however long: for files.
#[must_use]
pub fn whole(graph: &Graph) -> String {
    source(graph, |_| true, Detail::Full)
}

/// A flowchart within `limit` characters: the whole graph, else names alone, else only what is
/// marked with its neighbours and frames. `None` when nothing of that fits.
#[must_use]
pub fn fitting(graph: &Graph, limit: usize) -> Option<String> {
    let near = neighbourhood(graph);
    let fits = |text: &String| text.chars().count() <= limit;
    // What cannot fit is not written first.
    let small = graph.nodes.len() <= limit / 10 && graph.edges.len() <= EDGES;
    let candidates: [&dyn Fn() -> Option<String>; 3] = [
        &|| small.then(|| source(graph, |_| true, Detail::Full)),
        &|| small.then(|| source(graph, |_| true, Detail::Names)),
        &|| {
            (!near.is_empty() && near.len() <= limit / 10)
                .then(|| source(graph, |id| near.contains(&id), Detail::Names))
        },
    ];
    candidates.iter().find_map(|candidate| candidate().filter(fits))
}

/// Marked nodes, those that they wait for or that wait for them, and the frames around all of them.
fn neighbourhood(graph: &Graph) -> BTreeSet<usize> {
    let marked: BTreeSet<usize> = graph
        .nodes
        .iter()
        .filter(|node| node.mark.is_some())
        .map(|node| node.id)
        .collect();
    let mut near = marked.clone();
    for edge in &graph.edges {
        if marked.contains(&edge.from) || marked.contains(&edge.to) || edge.mark.is_some() {
            near.extend([edge.from, edge.to]);
        }
    }
    for id in near.clone() {
        let mut parent = graph.nodes[id].parent;
        while let Some(frame) = parent {
            near.insert(frame);
            parent = graph.nodes[frame].parent;
        }
    }
    near
}

fn source(graph: &Graph, shown: impl Fn(usize) -> bool, detail: Detail) -> String {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len() + 1];
    for node in graph.nodes.iter().filter(|node| shown(node.id)) {
        children[node.parent.map_or(0, |parent| parent + 1)].push(node.id);
    }
    let mut out = "flowchart TD\n".to_owned();
    write_level(&mut out, graph, &children, None, 1, detail);
    for edge in graph
        .edges
        .iter()
        .filter(|edge| shown(edge.from) && shown(edge.to))
    {
        write_edge(&mut out, edge);
    }
    if shown(usize::MAX) && graph.truncated {
        out.push_str("  more[\"and more, left out\"]\n");
    }
    for (mark, name, style) in [
        (Mark::Added, "added", "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"),
        (
            Mark::Removed,
            "removed",
            "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4 3",
        ),
        (
            Mark::Changed,
            "changed",
            "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
        ),
        (
            Mark::Renamed,
            "renamed",
            "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
        ),
    ] {
        let ids: Vec<String> = graph
            .nodes
            .iter()
            .filter(|node| node.mark == Some(mark) && shown(node.id))
            .map(|node| format!("n{}", node.id))
            .collect();
        if !ids.is_empty() {
            let _ = writeln!(out, "  classDef {name} {style}\n  class {} {name}", ids.join(","));
        }
    }
    out
}

fn write_level(
    out: &mut String,
    graph: &Graph,
    children: &[Vec<usize>],
    parent: Option<usize>,
    depth: usize,
    detail: Detail,
) {
    for &id in &children[parent.map_or(0, |parent| parent + 1)] {
        let node = &graph.nodes[id];
        out.extend(std::iter::repeat_n(' ', depth * 2));
        let label = label(node, detail);
        if children[id + 1].is_empty() {
            let (open, close) = match node.kind {
                NodeKind::Importer => ("[(", ")]"),
                kind if kind.is_frame() => ("[[", "]]"),
                _ => ("[", "]"),
            };
            let _ = writeln!(out, "n{id}{open}\"{label}\"{close}");
        } else {
            let _ = writeln!(out, "subgraph n{id}[\"{label}\"]");
            write_level(out, graph, children, Some(id), depth + 1, detail);
            out.extend(std::iter::repeat_n(' ', depth * 2));
            out.push_str("end\n");
        }
    }
}

fn write_edge(out: &mut String, edge: &Edge) {
    let arrow = match edge.mark {
        Some(Mark::Added) => "==>",
        Some(Mark::Removed) => "-.->",
        _ => "-->",
    };
    let _ = writeln!(out, "  n{} {arrow} n{}", edge.from, edge.to);
}

fn label(node: &Node, detail: Detail) -> String {
    let sign = match node.mark {
        Some(Mark::Added) => "+ ",
        Some(Mark::Removed) => "- ",
        Some(Mark::Changed) => "~ ",
        Some(Mark::Renamed) => "= ",
        None => "",
    };
    match &node.detail {
        Some(text) if detail == Detail::Full && node.kind == NodeKind::Loop => {
            format!("{sign}for {}", escape(text, 60))
        }
        Some(text) if detail == Detail::Full => format!("{sign}if {}", escape(text, 60)),
        _ => format!("{sign}{}", escape(&node.label, 40)),
    }
}

/// A label's text: letters, digits and harmless signs as they are, everything that Mermaid or HTML
/// reads as the code of its character.
fn escape(text: &str, most: usize) -> String {
    let visible = visible(text);
    let mut out = String::with_capacity(visible.len());
    for (at, character) in visible.chars().enumerate() {
        if at == most {
            out.push('…');
            break;
        }
        if character.is_alphanumeric()
            || matches!(
                character,
                ' ' | '-' | '_' | '.' | '/' | ':' | ',' | '(' | ')' | '=' | '+'
            )
        {
            out.push(character);
        } else {
            let _ = write!(out, "#{};", u32::from(character));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Pipeline;
    use crate::ir::fixtures::{NAMES, canonical_of};

    fn graph(name: &str) -> Graph {
        Graph::of(&Pipeline::of(&canonical_of(name)), 1000)
    }

    #[test]
    fn loops_conditions_and_names() {
        let text = whole(&graph("exit-handler"));
        assert!(text.starts_with("flowchart TD\n"), "{text}");
        assert!(text.contains("if work-2.Output == #39;x#39;"), "{text}");
        assert!(text.contains("for #91;#34;a#34;, #34;b#34;#93;"), "{text}");
        assert_eq!(
            text.matches("subgraph ").count(),
            text.lines().filter(|line| line.trim() == "end").count()
        );
    }

    #[test]
    fn every_fixture_fits_a_comment() {
        for name in NAMES {
            let text = fitting(&graph(name), LIMIT).unwrap_or_else(|| panic!("{name}"));
            assert!(text.chars().count() <= LIMIT);
        }
    }

    #[test]
    fn what_is_too_large_shrinks_to_what_changed() {
        let mut large = graph("qlora-pdf");
        let base = large.nodes.len();
        for number in 0..2_000 {
            let id = base + number;
            large.nodes.push(Node {
                id,
                path: format!("x{number}"),
                name: format!("x{number}"),
                label: format!("x{number}"),
                mark: None,
                parent: None,
                ..large.nodes[0].clone()
            });
        }
        assert_eq!(fitting(&large, LIMIT), None);
        large.nodes[base + 7].mark = Some(Mark::Changed);
        let text = fitting(&large, LIMIT).unwrap();
        assert!(text.contains("~ x7") && !text.contains("\"x8\""), "{text}");
    }

    #[test]
    fn no_label_leaves_its_quotes() {
        let mut hostile = graph("venv");
        hostile.nodes[0].label = "\"]; click n0 \"javascript:alert(1)\" <img src=x onerror=alert(1)>\n%%{init:{}}%% \u{202e}\u{200b}".to_owned();
        let text = whole(&hostile);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert!(!line.contains(['<', '>', '\u{202e}', '\u{200b}']), "{line}");
        assert!(!text.contains("%%{"), "{text}");
    }
}
