//! The task graph as Mermaid, as SVG and as JSON.

pub mod layout;
pub mod mermaid;
pub mod svg;

use crate::ir::graph::Graph;
use serde::Serialize;

/// The JSON face: `{"schema": 1, "pipeline": …, "graph": {…}}`.
#[derive(Clone, Debug, Serialize)]
pub struct GraphDocument<'a> {
    /// Always 1.
    pub schema: u32,
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// Its graph.
    pub graph: &'a Graph,
}

/// The graph as pretty JSON with a line break at the end.
#[must_use]
pub fn json(pipeline: &str, graph: &Graph) -> String {
    let document = GraphDocument {
        schema: 1,
        pipeline,
        graph,
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
