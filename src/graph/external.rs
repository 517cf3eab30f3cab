//! What leaves the cluster: for one class, all outside addresses at once, by what may be sent
//! there.
//!
//! Nothing governs the way in to an address of the outside, so the class's own policies decide
//! alone: its profile is walked over the atoms, own node included (S55), once per part of the
//! traffic its ports cut. The few addresses of nodes that policies govern are asked one by one.
//! Classes that are governed alike share the answer ([`ExternalRows::parts`]). Cost: O(parts of the
//! traffic line x rules) set operations per distinct profile, whatever the number of classes.
//!
//! Invariant: a class is in a part of the row of an atom ([`AllowGraph::row`]) iff the atom is in
//! the part of the class with the same traffic.

use crate::compile::effective_policy::{EffectiveIx, EffectivePolicy};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::{EndpointBounds, EndpointSet, PeerSetIx};
use crate::compile::port_sets::PortSetIx;
use crate::graph::allow_graph::{AllowGraph, Allowed};
use crate::graph::own_node_exemption::NodeRelation;
use crate::graph::row::by_allowed;
use crate::graph::tiers::{Hit, Walk};
use crate::policy::Direction;
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{Bounds, Family, Lattice, TrafficSet};
use crate::spec::EndFamilies;
use crate::spec::address_families::FamilyUse;
use crate::spec::environment::Endpoint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Places of outside addresses to which the same may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalDestinations {
    /// Places of the line, none of them a class.
    pub destinations: EndpointSet,
    /// What may be sent there; not nothing.
    pub allowed: Allowed,
}

/// All that a class's way to outside addresses depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ExternalKey {
    governed: EffectiveIx,
    host: bool,
    policed: bool,
    families: EndFamilies,
    node: EndpointBounds,
    /// Where policies govern addresses, what these see of the class.
    seen: Option<EndpointIx>,
}

/// The ways out of one graph, each made once.
pub struct ExternalRows<'g> {
    graph: &'g AllowGraph,
    known: HashMap<ExternalKey, Arc<[ExternalDestinations]>>,
}

impl<'g> ExternalRows<'g> {
    /// Nothing is made yet.
    pub fn new(graph: &'g AllowGraph) -> Self {
        Self {
            graph,
            known: HashMap::default(),
        }
    }

    /// The outside addresses to which a class may send something, by what. Classes that are alike
    /// get the same memory.
    pub fn parts(&mut self, class: EndpointIx) -> Arc<[ExternalDestinations]> {
        self.parts_at(class, None)
    }

    /// [`Self::parts`], of the class's pods of one home; of all of them, if not told.
    pub fn parts_at(
        &mut self,
        class: EndpointIx,
        home: Option<HomeIx>,
    ) -> Arc<[ExternalDestinations]> {
        let graph = self.graph;
        let effective = graph.governed_by(class, Direction::Egress);
        let governed = !graph.env.governed_addresses.is_empty();
        let isolated = graph
            .effective_policy(class, Direction::Egress)
            .isolated()
            .possible();
        let key = ExternalKey {
            governed: graph.egress_index().contents[effective],
            host: graph.space.is_host(class),
            policed: graph.space.is_policed(class, Direction::Egress),
            families: graph.space.end_families(class),
            seen: governed.then(|| graph.equivalent_sources()[class]),
            node: if isolated && graph.env.options.own_node_egress {
                match home {
                    Some(home) => graph.node_index().node_at(home, false).clone(),
                    None => graph.node_index().node_of(class, false).into_owned(),
                }
            } else {
                EndpointBounds::default()
            },
        };
        if let Some(known) = self.known.get(&key) {
            return Arc::clone(known);
        }
        let parts: Arc<[ExternalDestinations]> = graph.external(class, &key.node).into();
        self.known.insert(key, Arc::clone(&parts));
        parts
    }

    /// The outside addresses that may be the node of a class's pods (S55): what is told of these
    /// holds for the class, and one pod of it may know more.
    pub fn own_node(&self, class: EndpointIx) -> EndpointSet {
        if !self.graph.environment().options.own_node_egress {
            return EndpointSet::empty();
        }
        (*self.graph.node_index().node_of(class, false).may).clone()
    }
}

impl AllowGraph {
    fn external(&self, class: EndpointIx, node: &EndpointBounds) -> Vec<ExternalDestinations> {
        let effective = self.effective_policy(class, Direction::Egress);
        let rules = effective.rules(&self.compiled.policies, Direction::Egress);
        let mut ports: Vec<PortSetIx> = rules.map(|(_, ports)| ports).collect();
        ports.sort_unstable();
        ports.dedup();
        // port names are looked up on pods only, so at an address a rule's ports are its numbers
        // (S48)
        let sets: Vec<&TrafficSet> = ports
            .iter()
            .map(|p| &self.compiled.ports[*p].traffic)
            .collect();
        let mut pieces: IndexMap<Bounds<EndpointSet>, TrafficSet> = IndexMap::default();
        for (traffic, members) in TrafficSet::partition(&sets) {
            let covers =
                |id: PortSetIx| ports.binary_search(&id).is_ok_and(|i| members.contains(i));
            let decided = self.external_part(class, effective, node, &covers);
            if !decided.is_nothing() {
                let so_far = pieces.entry(decided).or_default();
                *so_far = so_far.union(&traffic);
            }
        }
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(to, traffic)| (&to.must, &to.may, traffic))
            .collect();
        let mut by_allowed = by_allowed(&pieces);
        self.to_governed(class, node, &mut by_allowed);
        let by_allowed = by_allowed.into_iter();
        by_allowed
            .filter(|(_, destinations)| !destinations.is_empty())
            .map(|(allowed, destinations)| ExternalDestinations {
                destinations,
                allowed,
            })
            .collect()
    }

    /// Puts the addresses where they belong that policies govern: their way in has a say too.
    fn to_governed(
        &self,
        class: EndpointIx,
        node: &EndpointBounds,
        by_allowed: &mut BTreeMap<Allowed, EndpointSet>,
    ) {
        let [governed, _] = self.governed_addresses();
        if governed.is_empty() {
            return;
        }
        for destinations in by_allowed.values_mut() {
            *destinations = destinations.difference(&governed);
        }
        for place in governed.points() {
            let near = NodeRelation::to_node(node.truth(place));
            let allowed = self.between(class, place, true, near);
            if !allowed.is_nothing() {
                by_allowed
                    .entry(allowed)
                    .or_default()
                    .add(EndpointSet::point(place));
            }
        }
    }

    /// The places of addresses whose way in, or whose way out, policies govern.
    pub(crate) fn governed_addresses(&self) -> [EndpointSet; 2] {
        Direction::ALL.map(|direction| {
            let all = self.env.governed_addresses.keys();
            let places = all.map(|address| self.space.index_of(Endpoint::Address(*address)));
            let governed = places.filter(|place| self.governing(*place, direction).is_some());
            governed.map(|place| place..=place).collect()
        })
    }

    /// The atoms to which traffic on some ports surely, and possibly, leaves a class.
    fn external_part(
        &self,
        class: EndpointIx,
        effective: &EffectivePolicy,
        node: &EndpointBounds,
        covers: &dyn Fn(PortSetIx) -> bool,
    ) -> Bounds<EndpointSet> {
        let host_network_modes = self
            .env
            .host_network_modes()
            .iter()
            .take(if self.space.is_host(class) { 2 } else { 1 });
        let mut total: Option<Bounds<EndpointSet>> = None;
        for mode in host_network_modes {
            let scenarios: Vec<usize> = (0..self.space.scenarios.len())
                .filter(|v| self.space.scenarios[*v].mode == *mode)
                .collect();
            let mut both = Bounds::nothing();
            for scenario in &scenarios {
                // one view for a behaviour: families make no difference
                let families = if let [_] = scenarios[..] {
                    Family::ALL.to_vec()
                } else {
                    vec![self.space.scenarios[*scenario].family]
                };
                let atoms: Vec<EndpointSet> = families
                    .into_iter()
                    .filter(|family| {
                        FamilyUse::with_address(*family, self.space.end_families(class))
                            .may_use(*family)
                    })
                    .map(|family| self.space.atoms_of_family(family))
                    .collect();
                let in_scenario = self.external_in_scenario(
                    class,
                    effective,
                    node,
                    (*scenario, EndpointSet::union_of(&atoms)),
                    covers,
                );
                both = both.or(&in_scenario);
            }
            total = Some(match total {
                None => both,
                Some(so_far) => so_far.either(&both),
            });
        }
        let mut total = total.unwrap_or_default();
        if self.space.is_policed(class, Direction::Egress) {
            total.must = EndpointSet::empty();
        }
        let policed = &self.space.policed[Direction::Ingress.index()];
        if !policed.is_empty() {
            total.must = total.must.difference(policed);
        }
        total
    }

    fn external_in_scenario(
        &self,
        class: EndpointIx,
        effective: &EffectivePolicy,
        node: &EndpointBounds,
        (scenario, atoms): (usize, EndpointSet),
        covers: &dyn Fn(PortSetIx) -> bool,
    ) -> Bounds<EndpointSet> {
        let walk = Walk {
            policies: &self.compiled.policies,
            direction: Direction::Egress.index(),
            all: atoms.clone(),
            hit: |peers: PeerSetIx, ports: PortSetIx| {
                if !covers(ports) {
                    return Hit::owned(EndpointSet::empty(), EndpointSet::empty());
                }
                let matched = self.matched(peers, scenario);
                Hit::borrowed(&matched.must, &matched.may)
            },
            own_node: Hit::borrowed(&node.must, &node.may),
            subject_is_node: self.hidden(class, scenario),
        };
        let passing = walk.decide(effective);
        Bounds {
            must: passing.must.intersection(&atoms),
            may: passing.may.intersection(&atoms),
        }
    }
}
