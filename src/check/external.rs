//! Outside addresses by what they have in common: a claim about the internet asks a pod about a few
//! groups of them, not about every block that some policy names.
//!
//! The groups are those of the pod's row, or of its way out; the addresses of nodes, one of which
//! may be the pod's own, stand alone (S55). Invariant: what is told of a group is
//! [`AllowGraph::allowed`] of each of its addresses. Cost: the ranges of a row.

use crate::compile::peer_sets::EndpointSet;
use crate::graph::external::ExternalRows;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::set::IpSet;
use crate::spec::Endpoint;

/// Outside addresses that are alike to one pod.
pub struct Alike {
    places: EndpointSet,
    set: IpSet,
}

impl Alike {
    /// The first place.
    pub fn first(&self) -> u32 {
        self.places.first().unwrap_or_default()
    }

    /// How many places.
    pub fn len(&self) -> usize {
        usize::try_from(self.places.count()).unwrap_or(usize::MAX)
    }

    /// The address that stands for a place.
    pub fn address(&self, graph: &AllowGraph, place: u32) -> Option<Endpoint> {
        let (atoms, first) = (&graph.space().atoms, graph.space().classes.len());
        atoms
            .addresses(place - first)
            .intersection(&self.set)
            .first()
            .map(Endpoint::Address)
    }

    /// The addresses after the first.
    pub fn others(&self, graph: &AllowGraph) -> impl Iterator<Item = Endpoint> {
        self.places
            .points()
            .skip(1)
            .filter_map(|place| self.address(graph, place))
    }
}

/// What is known of outside addresses.
pub struct Outside<'g> {
    graph: &'g AllowGraph,
    rows: RowCache<'g>,
    outward: ExternalRows<'g>,
}

impl<'g> Outside<'g> {
    /// Nothing is looked up yet.
    pub fn new(graph: &'g AllowGraph) -> Self {
        Self {
            graph,
            rows: RowCache::new(graph),
            outward: ExternalRows::new(graph),
        }
    }

    /// The addresses of a set in groups that may send the same to a class, or to which it may send
    /// the same; with what, unless that is the class's own node's to say.
    pub fn groups(
        &mut self,
        class: u32,
        set: &IpSet,
        incoming: bool,
    ) -> Vec<(Alike, Option<Allowed>)> {
        let space = self.graph.space();
        let mut left = space.atoms.overlapping(set).shifted(space.classes.len());
        let own = if incoming {
            self.rows
                .own_node_sources(class)
                .iter()
                .map(|(source, _)| *source..=*source)
                .collect()
        } else {
            self.outward.own_node(class)
        };
        let own = own.intersection(&left);
        left = left.difference(&own);
        let parts: Vec<(EndpointSet, Allowed)> = if incoming {
            self.rows
                .parts(class)
                .iter()
                .map(|p| (p.sources.intersection(&left), p.allowed.clone()))
                .collect()
        } else {
            self.outward
                .parts(class)
                .iter()
                .map(|p| (p.destinations.intersection(&left), p.allowed.clone()))
                .collect()
        };
        let told = EndpointSet::union_of(parts.iter().map(|(places, _)| places));
        let nothing = (left.difference(&told), Allowed::default());
        let shared = parts
            .into_iter()
            .chain([nothing])
            .filter(|(places, _)| !places.is_empty());
        let group = |places: EndpointSet| Alike {
            places,
            set: set.clone(),
        };
        let alone = own
            .points()
            .map(|place| (group(EndpointSet::point(place)), None));
        shared
            .map(|(places, allowed)| (group(places), Some(allowed)))
            .chain(alone)
            .collect()
    }
}
