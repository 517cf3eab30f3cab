//! [`AllowGraph::edges`]: every allowed flow between workloads and address blocks.

use crate::graph::{AllowGraph, Allowed};
use crate::policy::RuleRef;
use crate::query::explain::contributing::{contributing, deciding};
use crate::query::list::listing::{Filter, ListEntry, Party, list};
use crate::spec::Flow;

/// One edge of an allow-graph: a source, a destination, and the traffic between them.
#[derive(Clone)]
pub struct Edge<'g> {
    graph: &'g AllowGraph,
    /// The source.
    pub from: Party,
    /// The destination.
    pub to: Party,
    /// What passes between every pod of the one and every pod of the other.
    pub traffic: Allowed,
    /// Whether some pods of the two may send more than that.
    pub differs: bool,
    /// One flow of it.
    pub example: Flow,
}

impl<'g> Edge<'g> {
    fn new(graph: &'g AllowGraph, entry: ListEntry) -> Self {
        Self {
            graph,
            from: entry.source,
            to: entry.destination,
            traffic: entry.allowed,
            differs: entry.differs,
            example: entry.example,
        }
    }

    /// Every rule that some of its traffic rests on, those of the way in first; none where nothing
    /// governs either end. Cost: an explanation for each part of the traffic that rules tell apart.
    pub fn because(&self) -> Vec<RuleRef> {
        let traffic = if self.traffic.must.is_empty() {
            &self.traffic.may
        } else {
            &self.traffic.must
        };
        deciding(&contributing(self.graph, &self.example, traffic))
    }
}

impl AllowGraph {
    /// Every edge, by destination and source: also those between two endpoints that nothing
    /// governs.
    ///
    /// Cost: time and memory of the edges, which are made before the first one is returned.
    ///
    /// # Examples
    /// ```
    /// use netpal::{AllowGraph, CompileOptions, load};
    ///
    /// let input = load(["examples/demo"])?;
    /// let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
    /// let mut edges = graph.edges();
    /// let edge = edges.find(|e| !e.because().is_empty()).expect("a policy allows something");
    /// let policy = input.policies.get(edge.because()[0].policy);
    /// assert!(!policy.name.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn edges(&self) -> impl Iterator<Item = Edge<'_>> {
        let filter = Filter {
            all: true,
            ..Filter::default()
        };
        let entries = list(self, &filter).entries.into_iter();
        entries.map(|entry| Edge::new(self, entry))
    }
}
