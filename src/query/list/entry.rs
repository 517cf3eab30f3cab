//! One entry of a listing: who may send what to whom.

use crate::graph::{AllowGraph, Allowed};
use crate::model::WorkloadId;
use crate::query::explain::contributing::contributing;
use crate::query::explain::explanation::Explanation;
use crate::set::IpSet;
use crate::spec::Flow;

/// One end of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A workload.
    Workload(WorkloadId),
    /// A block of outside addresses.
    Addresses(IpSet),
}

/// One entry: a source, a destination, and what passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// The source.
    pub source: Party,
    /// The destination.
    pub destination: Party,
    /// What passes between every pod of the source and every pod of the destination.
    pub allowed: Allowed,
    /// Whether more than that passes between some of their pods.
    pub differs: bool,
    /// A flow that demonstrates it.
    pub example: Flow,
}

impl ListEntry {
    /// Why it is so: an explanation for each part of its traffic that rules tell apart, its example
    /// first.
    pub fn explanations(&self, graph: &AllowGraph) -> Vec<Explanation> {
        let unknown = self.allowed.unknown();
        let traffic = if self.is_allowed() {
            &self.allowed.must
        } else {
            &unknown
        };
        contributing(graph, &self.example, traffic)
    }

    /// Whether something certainly passes; otherwise something may pass, as far as is known.
    pub fn is_allowed(&self) -> bool {
        !self.allowed.must.is_empty()
    }
}
