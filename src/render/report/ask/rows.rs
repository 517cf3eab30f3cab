//! What passes between all places of the endpoint space: a row for each destination.
//!
//! Where a place is a node, or shares a node's network, what passes depends on which node a pod
//! runs on (S55), and pods of one class may run on several: there each kind of pair is asked, and
//! what they do not agree on is not told. Cost: a row for each place; an edge query for each place
//! and each node beside it.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::AllowGraph;
use crate::model::PodId;
use crate::render::report::ask::NOT_TOLD;
use crate::render::report::ask::addresses::hexadecimal;
use crate::render::report::ask::interned::Interned;
use crate::set::{Family, Ix};
use crate::spec::{Endpoint, FamilySet};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The most numbers that the rows may have on a page.
const MOST_NUMBERS: usize = 150_000;

/// The most places that are compared with each other.
const MOST_PLACES: usize = 6_000;

/// The most pairs of places whose pods are asked about one by one.
const MOST_ASKED: usize = 200_000;

/// The most pods that stand for a class.
const MOST_STANDING: usize = 24;

/// What passes between places.
#[derive(Debug, Serialize)]
pub(crate) struct Rows {
    /// Of each class of pods: its families, 1 for IPv4, 2 for IPv6, 0 where they are not told; what
    /// passes between a pod and itself, where it stands for several; and what passes between one
    /// and itself by way of a Service.
    classes: Vec<(u8, i64, i64)>,
    /// Where the atoms begin.
    atoms: (Vec<u32>, Vec<String>),
    /// The atoms of addresses that policies govern.
    governed: Vec<usize>,
    /// The number of the row of each place.
    into: Vec<usize>,
    /// The same for questions that name a pod by its address: of IPv4, of IPv6. Empty where no pod
    /// has an address.
    by_family: Vec<Vec<usize>>,
    /// The rows: what passes from each place, how many places.
    rows: Vec<Vec<i64>>,
}

impl Rows {
    /// The rows of a graph, if they are not too many.
    pub(crate) fn new(graph: &AllowGraph, interned: &mut Interned) -> Option<Self> {
        let space = graph.space();
        if space.len() as usize > MOST_PLACES {
            return None;
        }
        let places = Places::new(graph);
        let into = places.rows(interned)?;
        let mut pods = graph.environment().cluster.pods();
        let mut by_family = Vec::new();
        if pods.any(|(_, pod)| !pod.host_network && !pod.addresses.is_empty()) {
            for family in Family::ALL {
                let graph = graph.asking(FamilySet::only(family));
                by_family.push(Places::new(&graph).rows(interned)?);
            }
        }
        let classes = space.indexes().filter(|at| space.is_class(*at));
        let classes = classes.map(|at| places.class(at, interned)).collect();
        let atoms = space.indexes().filter_map(|at| space.atom_at(at));
        let mut starts = (Vec::new(), Vec::new());
        for atom in atoms {
            match space.atoms.representative(atom) {
                IpAddr::V4(first) => starts.0.push(u32::from(first)),
                IpAddr::V6(first) => starts.1.push(hexadecimal(u128::from(first))),
            }
        }
        let governed = graph.environment().governed_addresses.keys();
        let governed = governed.map(|a| space.atoms.of(*a).index()).collect();
        Some(Self {
            classes,
            atoms: starts,
            governed,
            into,
            by_family,
            rows: Vec::new(),
        })
    }

    /// With all rows that were made.
    pub(crate) fn finish(self, interned: &mut Interned) -> Self {
        Self {
            rows: interned.rows(),
            ..self
        }
    }
}

/// The places of a graph, with the pods that stand for each class.
pub(super) struct Places<'g> {
    graph: &'g AllowGraph,
    /// Of each class the pods that stand for it, and whether they stand for some of it only.
    standing: Vec<(Vec<PodId>, bool)>,
    /// Whether a place is a node, or may be one.
    is_node: Vec<bool>,
    /// Whether pairs with nodes are few enough to be asked about.
    are_asked: bool,
}

impl<'g> Places<'g> {
    pub(super) fn new(graph: &'g AllowGraph) -> Self {
        let space = graph.space();
        let classes = space.indexes().filter(|at| space.is_class(*at));
        let standing = classes.map(|at| standing(graph, at)).collect();
        let env = graph.environment();
        let nodes = env.node_addresses.union(&env.options.node_cidrs);
        let is_node: Vec<bool> = space
            .indexes()
            .map(|at| match space.atom_at(at) {
                Some(atom) => nodes.contains(space.atoms.representative(atom)),
                None => space.is_host(at),
            })
            .collect();
        let nodes = is_node.iter().filter(|is_node| **is_node).count();
        Self {
            graph,
            standing,
            are_asked: nodes.saturating_mul(is_node.len()) <= MOST_ASKED,
            is_node,
        }
    }

    /// The number of the row of each place, if the rows are not too many.
    fn rows(&self, interned: &mut Interned) -> Option<Vec<usize>> {
        let mut into = Vec::new();
        for to in self.graph.space().indexes() {
            let cells = self.row(to, interned);
            into.push(interned.row(&cells));
            if interned.size > MOST_NUMBERS {
                return None;
            }
        }
        Some(into)
    }

    /// What passes to a place from each place.
    fn row(&self, to: EndpointIx, interned: &mut Interned) -> Vec<i64> {
        let space = self.graph.space();
        let mut cells = vec![0; space.len() as usize];
        for part in self.graph.row(to) {
            let allowed = interned.allowed(part.allowed);
            for from in part.sources.points() {
                cells[from.index()] = allowed;
            }
        }
        for from in space.indexes() {
            if self.is_node[from.index()] || self.is_node[to.index()] {
                cells[from.index()] = self.asked(from, to, interned);
            } else if !space.is_class(from) && !space.is_class(to) {
                cells[from.index()] = 0; // nobody asks what passes outside
            }
        }
        cells
    }

    /// What passes between two places of which one may be a node.
    fn asked(&self, from: EndpointIx, to: EndpointIx, interned: &mut Interned) -> i64 {
        let are_more = |at: EndpointIx| self.standing.get(at.index()).is_some_and(|s| s.1);
        if !self.are_asked || are_more(from) || are_more(to) {
            return NOT_TOLD;
        }
        let destinations = self.endpoints(to);
        let pairs = self.endpoints(from).into_iter().flat_map(|source| {
            let others = destinations.iter().filter(move |d| **d != source);
            others.map(move |destination| (source, *destination))
        });
        agreed(pairs.map(|(a, b)| interned.allowed(self.graph.allowed(a, b))))
    }

    /// The endpoints that stand for a place.
    pub(super) fn endpoints(&self, at: EndpointIx) -> Vec<Endpoint> {
        match self.standing.get(at.index()) {
            Some((pods, _)) => pods.iter().map(|pod| Endpoint::Pod(*pod)).collect(),
            None => vec![self.graph.space().representative(at)],
        }
    }

    fn class(&self, at: EndpointIx, interned: &mut Interned) -> (u8, i64, i64) {
        let (graph, space) = (self.graph, self.graph.space());
        let told = space.end_families(at).told();
        let bit = |family, n| told.map_or(0, |told| u8::from(told.contains(family)) * n);
        // 4 where it is told that there is none
        let families = bit(Family::V4, 1) + bit(Family::V6, 2);
        let families = if told.is_some() && families == 0 {
            4
        } else {
            families
        };
        let pods = &self.standing[at.index()].0;
        let cluster = &graph.environment().cluster;
        let several = pods.iter().filter(|pod| !cluster.pod(**pod).is_single());
        let itself = agreed(several.map(|pod| {
            let end = Endpoint::Pod(*pod);
            interned.allowed(graph.allowed(end, end))
        }));
        let led = agreed(
            pods.iter()
                .map(|pod| interned.allowed(graph.allowed_to_itself(*pod))),
        );
        (families, itself, led)
    }
}

/// What all say; nothing is said of none.
pub(super) fn agreed(mut all: impl Iterator<Item = i64>) -> i64 {
    let Some(first) = all.next() else {
        return 0;
    };
    if all.all(|other| other == first) {
        first
    } else {
        NOT_TOLD
    }
}

/// Up to two pods of a class on each node, of those that stand for one pod and of those that stand
/// for several; and whether there are more than are looked at.
fn standing(graph: &AllowGraph, at: EndpointIx) -> (Vec<PodId>, bool) {
    let cluster = &graph.environment().cluster;
    let mut alike: BTreeMap<(Option<&str>, bool), Vec<PodId>> = BTreeMap::new();
    for id in graph.space().classes.members(at) {
        let pod = cluster.pod(*id);
        let here = alike.entry((pod.node.as_deref(), pod.is_single()));
        let here = here.or_default();
        if here.len() < 2 {
            here.push(*id);
        }
    }
    let mut pods: Vec<PodId> = alike.into_values().flatten().collect();
    let are_more = pods.len() > MOST_STANDING;
    pods.truncate(MOST_STANDING);
    (pods, are_more)
}
