//! Outside addresses in groups: a claim about the internet is decided for a few groups of addresses
//! per pod, not for every block that some policy names.
//!
//! The groups are those of the pod's row, or of its egress; the addresses of nodes, one of which
//! may be the pod's own, form groups of one (S55). Invariant: what is returned for a group is
//! [`AllowGraph::allowed`] of each of its addresses. Cost: the ranges of a row.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::external::ExternalRows;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::set::IpSet;
use crate::set::Point;
use crate::spec::Endpoint;

/// Outside addresses with the same verdicts towards one pod.
pub struct AddressGroup {
    indices: EndpointSet,
    set: IpSet,
}

impl AddressGroup {
    /// The first index.
    pub fn first(&self) -> EndpointIx {
        self.indices.first().unwrap_or(EndpointIx::MIN)
    }

    /// The number of indices.
    pub fn len(&self) -> usize {
        usize::try_from(self.indices.count()).unwrap_or(usize::MAX)
    }

    /// The address that stands for an index.
    pub fn address(&self, graph: &AllowGraph, index: EndpointIx) -> Option<Endpoint> {
        let space = graph.space();
        let addresses = space.atoms.addresses(space.atom_at(index)?);
        let first = addresses.intersection(&self.set).first();
        first.map(Endpoint::Address)
    }

    /// The addresses after the first.
    pub fn others(&self, graph: &AllowGraph) -> impl Iterator<Item = Endpoint> {
        self.indices
            .points()
            .skip(1)
            .filter_map(|index| self.address(graph, index))
    }
}

/// The rows from which outside addresses are grouped.
pub struct Outside<'g> {
    graph: &'g AllowGraph,
    rows: RowCache<'g>,
    external: ExternalRows<'g>,
}

impl<'g> Outside<'g> {
    /// Creates it without any row.
    pub fn new(graph: &'g AllowGraph) -> Self {
        Self {
            graph,
            rows: RowCache::new(graph),
            external: ExternalRows::new(graph),
        }
    }

    /// The addresses of a set in groups that may send the same to a class (`incoming`), or to which
    /// the class may send the same; each with what passes, unless that depends on the own node of a
    /// pod.
    pub fn groups(
        &mut self,
        class: EndpointIx,
        set: &IpSet,
        incoming: bool,
    ) -> Vec<(AddressGroup, Option<Allowed>)> {
        let space = self.graph.space();
        let mut left = space.of_atoms(&space.atoms.overlapping(set));
        let own_nodes: EndpointSet = if incoming {
            self.rows
                .own_node_sources(class)
                .iter()
                .map(|(source, _)| *source)
                .collect()
        } else {
            self.external.own_node(class)
        };
        let own_nodes = own_nodes.intersection(&left);
        left = left.difference(&own_nodes);
        let parts: Vec<(EndpointSet, Allowed)> = if incoming {
            self.rows
                .parts(class)
                .iter()
                .map(|p| (p.sources.intersection(&left), p.allowed.clone()))
                .collect()
        } else {
            self.external
                .parts(class)
                .iter()
                .map(|p| (p.destinations.intersection(&left), p.allowed.clone()))
                .collect()
        };
        let known = EndpointSet::union_of(parts.iter().map(|(indices, _)| indices));
        let nothing = (left.difference(&known), Allowed::default());
        let shared = parts
            .into_iter()
            .chain([nothing])
            .filter(|(indices, _)| !indices.is_empty());
        let group = |indices: EndpointSet| AddressGroup {
            indices,
            set: set.clone(),
        };
        let single = own_nodes
            .points()
            .map(|index| (group(EndpointSet::point(index)), None));
        shared
            .map(|(indices, allowed)| (group(indices), Some(allowed)))
            .chain(single)
            .collect()
    }
}
