//! The task graph of a difference: the new graph with marks, and what is gone put back in.

use super::form::Form;
use super::{Aspect, Change, Class, Subject, Verb};
use crate::ir::graph::{Edge, Graph, Mark, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Draws the new form with the marks of the changes from the aligned old one.
pub(super) fn drawn(old: &Form, new: &Form, changes: &[Change], most: usize) -> Graph {
    let before = Graph::of(&old.view(), most);
    let mut graph = Graph::of(&new.view(), most);
    graph.truncated |= before.truncated;
    mark_nodes(&mut graph, changes);
    let new_edges = by_paths(&graph);
    let old_edges = by_paths(&before);
    for (paths, at) in &new_edges {
        if !old_edges.contains_key(paths) {
            graph.edges[*at].mark = Some(Mark::Added);
        }
    }
    let gone: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.aspect == Aspect::Itself && change.verb == Verb::Removed)
        .filter_map(|change| match &change.subject {
            Subject::Task(path) => Some(path.as_str()),
            _ => None,
        })
        .collect();
    put_back(&mut graph, &before, &gone);
    let places: BTreeMap<String, usize> = graph
        .nodes
        .iter()
        .map(|node| (node.path.clone(), node.id))
        .collect();
    for ((from, to), at) in &old_edges {
        if !new_edges.contains_key(&(from.clone(), to.clone()))
            && let (Some(&from), Some(&to)) = (places.get(from), places.get(to))
            && graph.nodes[from].parent == graph.nodes[to].parent
        {
            let edge = &before.edges[*at];
            graph.edges.push(Edge {
                from,
                to,
                outputs: edge.outputs.clone(),
                mark: Some(Mark::Removed),
            });
        }
    }
    graph
}

fn mark_nodes(graph: &mut Graph, changes: &[Change]) {
    let mut marks: BTreeMap<&str, Mark> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.class != Class::Cosmetic) {
        let Subject::Task(path) = &change.subject else {
            continue;
        };
        let (path, mark) = match (change.aspect, change.verb) {
            (Aspect::Itself, Verb::Added) => (path.as_str(), Mark::Added),
            (Aspect::Itself, Verb::Renamed) => (path.as_str(), Mark::Renamed),
            (Aspect::Itself, Verb::Moved) => (change.after.as_deref().unwrap_or_default(), Mark::Changed),
            (Aspect::Itself, _) => continue,
            _ => (path.as_str(), Mark::Changed),
        };
        // Added before changed before renamed.
        let strongest = marks.get(path).map_or(mark, |known| (*known).min(mark));
        marks.insert(path, strongest);
    }
    for at in 0..graph.nodes.len() {
        let inherited = graph.nodes[at]
            .parent
            .and_then(|parent| graph.nodes[parent].mark)
            .filter(|mark| *mark == Mark::Added);
        let own = marks.get(graph.nodes[at].path.as_str()).copied();
        graph.nodes[at].mark = own.or(inherited);
    }
}

fn by_paths(graph: &Graph) -> BTreeMap<(String, String), usize> {
    graph
        .edges
        .iter()
        .enumerate()
        .map(|(at, edge)| {
            (
                (
                    graph.nodes[edge.from].path.clone(),
                    graph.nodes[edge.to].path.clone(),
                ),
                at,
            )
        })
        .collect()
}

/// Adds the removed tasks, and what was inside them, where the frame around them still is.
fn put_back(graph: &mut Graph, before: &Graph, gone: &BTreeSet<&str>) {
    let mut places: BTreeMap<String, usize> = graph
        .nodes
        .iter()
        .map(|node| (node.path.clone(), node.id))
        .collect();
    let mut removed = BTreeSet::new();
    for node in &before.nodes {
        let inside = node.parent.is_some_and(|parent| removed.contains(&parent));
        if !(inside || gone.contains(node.path.as_str())) || places.contains_key(&node.path) {
            continue;
        }
        let parent = match node.parent {
            None => None,
            Some(parent) => match places.get(&before.nodes[parent].path) {
                Some(&place) => Some(place),
                None => continue,
            },
        };
        removed.insert(node.id);
        let id = graph.nodes.len();
        places.insert(node.path.clone(), id);
        graph.nodes.push(Node {
            id,
            parent,
            mark: Some(Mark::Removed),
            ..node.clone()
        });
    }
}
