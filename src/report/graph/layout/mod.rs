//! Where the nodes of a task graph stand: layers from top to bottom, frames laid out from the inside.
//!
//! In each frame: longest paths give the layers, edges over several layers get a place in each,
//! barycentres order the places, and least squares (pool adjacent violators) moves them towards
//! what they are connected with. All of it is integer or ordered arithmetic on the same input, so
//! the same graph always looks the same.

mod frame;
mod layers;
mod rows;
#[cfg(test)]
mod tests;

use crate::ir::graph::Graph;
use frame::arrange;
use serde::Serialize;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rectangle {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rectangle {
    fn center(self) -> f64 {
        self.x + self.width / 2.0
    }
}

/// A graph with places.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Layout {
    /// Of the whole picture, in pixels.
    pub width: f64,
    /// Of the whole picture, in pixels.
    pub height: f64,
    /// One for each node, in order.
    pub nodes: Vec<Rectangle>,
    /// One for each edge, in order: the points that it goes through.
    pub edges: Vec<Vec<(f64, f64)>>,
}

const NODE_HEIGHT: f64 = 46.0;
const NODE_LEAST: f64 = 120.0;
const NODE_MOST: f64 = 260.0;
const LETTER: f64 = 7.3;
const SMALL_LETTER: f64 = 6.2;
const IMAGE_MOST: f64 = 210.0;
const GAP_ACROSS: f64 = 28.0;
const GAP_DOWN: f64 = 42.0;
const FRAME_TOP: f64 = 30.0;
const FRAME_PAD: f64 = 16.0;
const MARGIN: f64 = 16.0;
/// Lays a graph out. Takes time in proportion to its size for graphs of some thousand nodes.
#[must_use]
pub fn layout(graph: &Graph) -> Layout {
    let count = graph.nodes.len();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count + 1];
    for node in &graph.nodes {
        children[node.parent.map_or(count, |parent| parent)].push(node.id);
    }
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); count + 1];
    for (at, edge) in graph.edges.iter().enumerate() {
        edges[graph.nodes[edge.to].parent.map_or(count, |parent| parent)].push(at);
    }
    let mut layout = Layout {
        nodes: graph
            .nodes
            .iter()
            .map(|node| Rectangle {
                width: node_width(&node.label).max(image_width(node.image.as_deref())),
                height: NODE_HEIGHT,
                ..Rectangle::default()
            })
            .collect(),
        edges: vec![Vec::new(); graph.edges.len()],
        ..Layout::default()
    };
    // Frames stand before what is inside, except for removed ones put back in at the end.
    let mut order: Vec<usize> = (0..count).filter(|id| !children[*id].is_empty()).collect();
    order.sort_by_key(|id| std::cmp::Reverse(depth(graph, *id)));
    for id in order {
        let size = arrange(graph, &children[id], &edges[id], &mut layout);
        let title = node_width(
            &graph.nodes[id]
                .detail
                .clone()
                .unwrap_or_else(|| graph.nodes[id].label.clone()),
        );
        layout.nodes[id].width = (size.0 + 2.0 * FRAME_PAD).max(title + 2.0 * FRAME_PAD);
        layout.nodes[id].height = size.1 + FRAME_TOP + FRAME_PAD;
    }
    let size = arrange(graph, &children[count], &edges[count], &mut layout);
    place(&mut layout, &children, &edges, count, MARGIN, MARGIN);
    layout.width = size.0 + 2.0 * MARGIN;
    layout.height = size.1 + 2.0 * MARGIN;
    layout
}

fn depth(graph: &Graph, id: usize) -> usize {
    let mut depth = 0;
    let mut at = graph.nodes[id].parent;
    while let Some(parent) = at {
        depth += 1;
        at = graph.nodes[parent].parent;
    }
    depth
}

fn node_width(label: &str) -> f64 {
    let letters = unicode_width::UnicodeWidthStr::width(label).min(200);
    #[allow(clippy::cast_precision_loss)]
    (letters as f64 * LETTER + 28.0)
        .clamp(NODE_LEAST, NODE_MOST)
        .round()
}

/// What an image's name takes below the label; a long one is cut.
fn image_width(image: Option<&str>) -> f64 {
    let letters = image.map_or(0, |image| unicode_width::UnicodeWidthStr::width(image).min(200));
    #[allow(clippy::cast_precision_loss)]
    (letters as f64 * SMALL_LETTER + 24.0).min(IMAGE_MOST).round()
}

/// Moves what is inside frames to where the frames are, from the outside.
fn place(layout: &mut Layout, children: &[Vec<usize>], edges: &[Vec<usize>], frame: usize, x: f64, y: f64) {
    let mut waiting = vec![(frame, x, y)];
    while let Some((frame, x, y)) = waiting.pop() {
        for &edge in &edges[frame] {
            for point in &mut layout.edges[edge] {
                *point = (point.0 + x, point.1 + y);
            }
        }
        for &id in &children[frame] {
            let node = &mut layout.nodes[id];
            node.x += x;
            node.y += y;
            if !children[id].is_empty() {
                waiting.push((id, node.x + FRAME_PAD, node.y + FRAME_TOP));
            }
        }
    }
}
