//! A [`Difference`] for people: the words, and one file per face.

pub mod markdown;
pub mod text;
pub mod words;

use crate::plan::diff::Difference;

/// One pipeline of a plan with what changes in it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The pipeline's name on the server.
    pub name: &'a str,
    /// The file it comes from, relative to the root.
    pub file: Option<&'a str>,
    /// What changes.
    pub difference: &'a Difference,
    /// The task graph with the marks of the difference, where one is to be shown.
    pub graph: Option<&'a crate::ir::graph::Graph>,
}
