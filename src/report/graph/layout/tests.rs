//! No overlaps, nothing outside of its frame, always the same picture.

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
