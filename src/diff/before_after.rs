//! The two sides of a diff.

use crate::graph::AllowGraph;
use crate::input::Input;

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Which {
    /// As it was.
    Before,
    /// As it is now.
    After,
}

/// A side: its input, and the allow-graph compiled from it.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The cluster and the policy set.
    pub input: &'a Input,
    /// What they allow.
    pub graph: &'a AllowGraph,
}
