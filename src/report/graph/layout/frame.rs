//! One frame: its children in layers, and the ways of the edges between them.

use super::layers::layers;
use super::rows::{order, spread};
use super::{GAP_DOWN, Layout};
use crate::ir::graph::Graph;

/// Most places that edges take in layers between their ends; beyond, they are drawn straight.
const PLACES: usize = 20_000;

/// A place in a layer: a node, or where an edge passes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) node: Option<usize>,
    pub(super) width: f64,
    pub(super) x: f64,
    pub(super) above: Vec<usize>,
    pub(super) below: Vec<usize>,
}

/// Arranges the children of one frame from (0, 0) on. Gives width and height.
pub(super) fn arrange(graph: &Graph, children: &[usize], edges: &[usize], layout: &mut Layout) -> (f64, f64) {
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
