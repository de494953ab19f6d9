//! Where the nodes of a task graph stand: layers from top to bottom, frames laid out from the inside.
//!
//! In each frame: longest paths give the layers, edges over several layers get a place in each,
//! barycentres order the places, and least squares (pool adjacent violators) moves them towards
//! what they are connected with. All of it is integer or ordered arithmetic on the same input, so
//! the same graph always looks the same.

use crate::ir::graph::Graph;
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
const GAP_ACROSS: f64 = 28.0;
const GAP_DOWN: f64 = 42.0;
const FRAME_TOP: f64 = 30.0;
const FRAME_PAD: f64 = 16.0;
const MARGIN: f64 = 16.0;
/// Most places that edges take in layers between their ends; beyond, they are drawn straight.
const PLACES: usize = 20_000;

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
                width: node_width(&node.label),
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

/// A place in a layer: a node, or where an edge passes.
#[derive(Clone, Debug)]
struct Place {
    node: Option<usize>,
    width: f64,
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Arranges the children of one frame from (0, 0) on. Gives width and height.
fn arrange(graph: &Graph, children: &[usize], edges: &[usize], layout: &mut Layout) -> (f64, f64) {
    if children.is_empty() {
        return (0.0, 0.0);
    }
    let mut index = std::collections::BTreeMap::new();
    for (at, id) in children.iter().enumerate() {
        index.insert(*id, at);
    }
    let pairs: Vec<(usize, usize, usize)> = edges
        .iter()
        .filter_map(|edge| {
            Some((
                *edge,
                *index.get(&graph.edges[*edge].from)?,
                *index.get(&graph.edges[*edge].to)?,
            ))
        })
        .collect();
    let (layers_of, turned) = layers(children.len(), &pairs);
    let depth = layers_of.iter().max().map_or(0, |most| most + 1);
    let mut places: Vec<Place> = children
        .iter()
        .map(|id| Place {
            node: Some(*id),
            width: layout.nodes[*id].width,
            x: 0.0,
            above: Vec::new(),
            below: Vec::new(),
        })
        .collect();
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); depth];
    for (at, layer) in layers_of.iter().enumerate() {
        rows[*layer].push(at);
    }
    let mut routes: Vec<(usize, Vec<usize>)> = Vec::new();
    for (at, (edge, from, to)) in pairs.iter().enumerate() {
        let (top, bottom) = if turned[at] { (*to, *from) } else { (*from, *to) };
        let mut route = vec![top];
        if places.len() < PLACES + children.len() {
            for row in rows.iter_mut().take(layers_of[bottom]).skip(layers_of[top] + 1) {
                let place = places.len();
                places.push(Place {
                    node: None,
                    width: 8.0,
                    x: 0.0,
                    above: Vec::new(),
                    below: Vec::new(),
                });
                row.push(place);
                route.push(place);
            }
        }
        route.push(bottom);
        for step in route.windows(2) {
            places[step[0]].below.push(step[1]);
            places[step[1]].above.push(step[0]);
        }
        if turned[at] {
            route.reverse();
        }
        routes.push((*edge, route));
    }
    order(&mut rows, &places);
    let width = spread(&rows, &mut places);
    let mut y = 0.0;
    let mut tops = Vec::with_capacity(depth);
    for row in &rows {
        let height = row
            .iter()
            .filter_map(|at| places[*at].node)
            .map(|id| layout.nodes[id].height)
            .fold(0.0, f64::max);
        tops.push((y, height));
        for at in row {
            if let Some(id) = places[*at].node {
                layout.nodes[id].x = places[*at].x.round();
                layout.nodes[id].y = (y + (height - layout.nodes[id].height) / 2.0).round();
            }
        }
        y += height + GAP_DOWN;
    }
    let row_of: Vec<usize> = {
        let mut row_of = vec![0; places.len()];
        for (layer, row) in rows.iter().enumerate() {
            for at in row {
                row_of[*at] = layer;
            }
        }
        row_of
    };
    for (edge, route) in routes {
        let down = row_of[route[0]] <= row_of[route[route.len() - 1]];
        let last = route.len() - 1;
        let mut points = Vec::with_capacity(route.len() * 2);
        for (step, at) in route.iter().enumerate() {
            match places[*at].node {
                Some(id) => {
                    let node = layout.nodes[id];
                    let leaves = (step == 0) == down;
                    points.push((
                        node.center().round(),
                        if leaves { node.y + node.height } else { node.y },
                    ));
                }
                None => {
                    let (top, height) = tops[row_of[*at]];
                    let x = (places[*at].x + places[*at].width / 2.0).round();
                    let ends = [(x, top), (x, top + height)];
                    points.extend(if down { ends } else { [ends[1], ends[0]] });
                }
            }
            debug_assert!(step <= last);
        }
        layout.edges[edge] = points;
    }
    (width, y - GAP_DOWN)
}

/// The layer of each node, and which edges go against them because they close a circle.
fn layers(count: usize, pairs: &[(usize, usize, usize)]) -> (Vec<usize>, Vec<bool>) {
    let mut below: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    for (at, (_, from, to)) in pairs.iter().enumerate() {
        below[*from].push((*to, at));
    }
    let mut turned = vec![false; pairs.len()];
    // 0: not seen, 1: on the way, 2: done.
    let mut state = vec![0_u8; count];
    let mut finished = Vec::with_capacity(count);
    for start in 0..count {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.pop() {
            match below[node].get(next) {
                Some(&(other, edge)) => {
                    stack.push((node, next + 1));
                    match state[other] {
                        0 => {
                            state[other] = 1;
                            stack.push((other, 0));
                        }
                        1 => turned[edge] = true,
                        _ => {}
                    }
                }
                None => {
                    state[node] = 2;
                    finished.push(node);
                }
            }
        }
    }
    let mut layer = vec![0; count];
    for node in finished.iter().rev() {
        for (other, edge) in &below[*node] {
            if !turned[*edge] {
                layer[*other] = layer[*other].max(layer[*node] + 1);
            }
        }
    }
    (layer, turned)
}

/// Orders each row by the mean place of what its members are connected with, down and up in turns.
fn order(rows: &mut [Vec<usize>], places: &[Place]) {
    let mut position = vec![0_usize; places.len()];
    let note = |row: &[usize], position: &mut Vec<usize>| {
        for (at, place) in row.iter().enumerate() {
            position[*place] = at;
        }
    };
    for row in rows.iter() {
        note(row, &mut position);
    }
    for sweep in 0..6 {
        let downwards = sweep % 2 == 0;
        let indices: Vec<usize> = if downwards {
            (0..rows.len()).collect()
        } else {
            (0..rows.len()).rev().collect()
        };
        for at in indices {
            #[allow(clippy::cast_precision_loss)]
            let mean = |place: &usize| {
                let near = if downwards {
                    &places[*place].above
                } else {
                    &places[*place].below
                };
                if near.is_empty() {
                    return position[*place] as f64;
                }
                near.iter().map(|other| position[*other] as f64).sum::<f64>() / near.len() as f64
            };
            let mut keyed: Vec<(f64, usize)> = rows[at].iter().map(|place| (mean(place), *place)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[at] = keyed.into_iter().map(|(_, place)| place).collect();
            note(&rows[at], &mut position);
        }
    }
}

/// Gives every place its left edge. Gives the width of all.
fn spread(rows: &[Vec<usize>], places: &mut [Place]) -> f64 {
    for row in rows {
        let mut x = 0.0;
        for place in row {
            places[*place].x = x;
            x += places[*place].width + GAP_ACROSS;
        }
    }
    for sweep in 0..8 {
        let downwards = sweep % 2 == 0;
        let indices: Vec<usize> = if downwards {
            (0..rows.len()).collect()
        } else {
            (0..rows.len()).rev().collect()
        };
        for at in indices {
            let row = &rows[at];
            let mut offset = 0.0;
            let mut wanted = Vec::with_capacity(row.len());
            for place in row {
                let near = if downwards {
                    &places[*place].above
                } else {
                    &places[*place].below
                };
                let near = if near.is_empty() && sweep > 3 {
                    if downwards {
                        &places[*place].below
                    } else {
                        &places[*place].above
                    }
                } else {
                    near
                };
                let center = |at: &usize| places[*at].x + places[*at].width / 2.0;
                #[allow(clippy::cast_precision_loss)]
                let target = if near.is_empty() {
                    places[*place].x
                } else {
                    near.iter().map(center).sum::<f64>() / near.len() as f64 - places[*place].width / 2.0
                };
                wanted.push((target - offset, offset));
                offset += places[*place].width + GAP_ACROSS;
            }
            for ((x, offset), place) in pooled(&wanted).into_iter().zip(row) {
                places[*place].x = x + offset;
            }
        }
    }
    let left = places.iter().map(|place| place.x).fold(f64::INFINITY, f64::min);
    let mut right = 0.0_f64;
    for place in places {
        place.x -= left;
        right = right.max(place.x + place.width);
    }
    right.round()
}

/// The rising sequence nearest to the wanted one by least squares, with the offsets handed through.
fn pooled(wanted: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(wanted.len());
    for (value, _) in wanted {
        let mut pool = (*value, 1_usize);
        #[allow(clippy::cast_precision_loss)]
        while let Some(&(last, count)) = pools.last()
            && last > pool.0
        {
            let all = count + pool.1;
            pool = ((last * count as f64 + pool.0 * pool.1 as f64) / all as f64, all);
            pools.pop();
        }
        pools.push(pool);
    }
    let values = pools
        .into_iter()
        .flat_map(|(value, count)| std::iter::repeat_n(value, count));
    values
        .zip(wanted)
        .map(|(value, (_, offset))| (value, *offset))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Pipeline;
    use crate::ir::fixtures::{NAMES, canonical_of};
    use crate::ir::graph::{Edge, Node, NodeKind};

    fn check(graph: &Graph, layout: &Layout, what: &str) {
        assert_eq!(layout.nodes.len(), graph.nodes.len());
        for (id, node) in layout.nodes.iter().enumerate() {
            assert!(node.x >= 0.0 && node.y >= 0.0, "{what}: {id} {node:?}");
            assert!(
                node.x + node.width <= layout.width + 0.5 && node.y + node.height <= layout.height + 0.5,
                "{what}: {id}"
            );
            if let Some(parent) = graph.nodes[id].parent {
                let frame = layout.nodes[parent];
                assert!(
                    node.x >= frame.x && node.y >= frame.y,
                    "{what}: {id} leaves its frame"
                );
                assert!(
                    node.x + node.width <= frame.x + frame.width + 1.0,
                    "{what}: {id} leaves its frame"
                );
                assert!(
                    node.y + node.height <= frame.y + frame.height + 1.0,
                    "{what}: {id} leaves its frame"
                );
            }
            for (other, box_) in layout.nodes.iter().enumerate().skip(id + 1) {
                if graph.nodes[other].parent == graph.nodes[id].parent {
                    let apart = node.x + node.width <= box_.x + 1.0
                        || box_.x + box_.width <= node.x + 1.0
                        || node.y + node.height <= box_.y + 1.0
                        || box_.y + box_.height <= node.y + 1.0;
                    assert!(apart, "{what}: {id} and {other} overlap");
                }
            }
        }
        for (at, points) in layout.edges.iter().enumerate() {
            assert!(points.len() >= 2, "{what}: edge {at}");
        }
    }

    fn plain(count: usize, edges: &[(usize, usize)]) -> Graph {
        let node = |id: usize| Node {
            id,
            path: format!("t{id}"),
            name: format!("t{id}"),
            label: format!("task number {id}"),
            kind: NodeKind::Task,
            parent: None,
            detail: None,
            image: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            caching: true,
            mark: None,
        };
        Graph {
            nodes: (0..count).map(node).collect(),
            edges: edges
                .iter()
                .map(|(from, to)| Edge {
                    from: *from,
                    to: *to,
                    outputs: Vec::new(),
                    mark: None,
                })
                .collect(),
            truncated: false,
        }
    }

    #[test]
    fn every_fixture_is_laid_out_without_overlaps() {
        for name in NAMES {
            let graph = Graph::of(&Pipeline::of(&canonical_of(name)), 1000);
            let first = layout(&graph);
            check(&graph, &first, name);
            assert_eq!(first, layout(&graph), "{name}");
        }
    }

    #[test]
    fn who_waits_stands_below() {
        let graph = plain(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]);
        let layout = layout(&graph);
        for edge in &graph.edges {
            assert!(layout.nodes[edge.from].y < layout.nodes[edge.to].y);
        }
        // The long edge passes the layer between in a place of its own.
        assert_eq!(layout.edges[2].len(), 4);
    }

    #[test]
    fn circles_large_and_empty_graphs() {
        let circle = plain(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        check(&circle, &layout(&circle), "circle");
        assert_eq!(layout(&Graph::default()).nodes.len(), 0);
        let edges: Vec<(usize, usize)> = (1..200).flat_map(|to| [(to / 2, to), (to / 3, to)]).collect();
        let large = plain(200, &edges);
        check(&large, &layout(&large), "200 tasks");
        let chain: Vec<(usize, usize)> = (1..2_000).map(|to| (to - 1, to)).collect();
        let chain = plain(2_000, &chain);
        let layout = layout(&chain);
        assert!(layout.height > 2_000.0 * NODE_HEIGHT);
    }
}
