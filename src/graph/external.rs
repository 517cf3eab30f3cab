//! What leaves the cluster: for one class, all outside addresses at once, by what may be sent
//! there.
//!
//! Nothing governs the way in to an address, so the class's own law decides alone: its profile is
//! walked over the atoms, own node included (S55), once per part of the traffic its ports cut.
//! Classes that are governed alike share the answer ([`ExternalRows::parts`]). Cost: O(parts of the
//! traffic line x rules) set operations per distinct profile, whatever the number of classes.
//!
//! Invariant: a class is in a part of the row of an atom ([`AllowGraph::row`]) iff the atom is in
//! the part of the class with the same traffic.

use crate::compile::peer_sets::{EndpointSet, Match, PeerSetId};
use crate::graph::allow_graph::{AllowGraph, Allowed};
use crate::graph::tiers::{EffectivePolicy, Hit, Walk};
use crate::policy::Direction;
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{Family, TrafficSet, partition};
use std::borrow::Cow;
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
struct Key {
    governed: u32,
    host: bool,
    node: Match,
}

/// The ways out of one graph, each made once.
pub struct ExternalRows<'g> {
    graph: &'g AllowGraph,
    known: HashMap<Key, Arc<[ExternalDestinations]>>,
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
    pub fn parts(&mut self, class: u32) -> Arc<[ExternalDestinations]> {
        let graph = self.graph;
        let profile = graph.compiled.of_class[Direction::Egress.index()][class as usize];
        let isolated = graph
            .class_profile(class, Direction::Egress)
            .isolated()
            .possible();
        let key = Key {
            governed: graph.egress_index().contents[profile as usize],
            host: graph.space.is_host(class),
            node: if isolated {
                graph.node_index().node_of(class, false).into_owned()
            } else {
                Match::default()
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
    pub fn own_node(&self, class: u32) -> EndpointSet {
        (*self.graph.node_index().node_of(class, false).maybe).clone()
    }
}

impl AllowGraph {
    fn external(&self, class: u32, node: &Match) -> Vec<ExternalDestinations> {
        let profile = self.class_profile(class, Direction::Egress);
        let rules = profile.ordered().flat_map(|s| {
            &self.compiled.policies[s.policy as usize].rules[Direction::Egress.index()]
        });
        let mut ports: Vec<u32> = rules
            .map(|r| r.ports)
            .chain(profile.network_rules.iter().map(|r| r.ports))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        // port names are looked up on pods only, so at an address a rule's ports are its numbers
        // (S48)
        let sets: Vec<&TrafficSet> = ports
            .iter()
            .map(|p| &self.compiled.ports[*p as usize].traffic)
            .collect();
        let mut pieces: IndexMap<(EndpointSet, EndpointSet), TrafficSet> = IndexMap::default();
        for (traffic, members) in TrafficSet::partition(&sets) {
            let covers = |id: u32| ports.binary_search(&id).is_ok_and(|i| members.contains(i));
            let decided = self.external_part(class, profile, node, &covers);
            if !decided.1.is_empty() {
                let so_far = pieces.entry(decided).or_default();
                *so_far = so_far.union(&traffic);
            }
        }
        by_allowed(&pieces)
    }

    /// The atoms to which traffic on some ports surely, and possibly, leaves a class.
    fn external_part(
        &self,
        class: u32,
        profile: &EffectivePolicy,
        node: &Match,
        covers: &dyn Fn(u32) -> bool,
    ) -> (EndpointSet, EndpointSet) {
        let host_network_modes = self
            .env
            .host_network_modes()
            .iter()
            .take(if self.space.is_host(class) { 2 } else { 1 });
        let mut total: Option<(EndpointSet, EndpointSet)> = None;
        for mode in host_network_modes {
            let scenarios: Vec<usize> = (0..self.space.scenarios.len())
                .filter(|v| self.space.scenarios[*v].mode == *mode)
                .collect();
            let mut both = (EndpointSet::empty(), EndpointSet::empty());
            for scenario in &scenarios {
                // one view for a behaviour: families make no difference
                let families = if let [_] = scenarios[..] {
                    Family::ALL.to_vec()
                } else {
                    vec![self.space.scenarios[*scenario].family]
                };
                let atoms: Vec<EndpointSet> = families
                    .iter()
                    .map(|f| self.space.atoms_of_family(*f))
                    .collect();
                let (sure, possible) = self.external_in_scenario(
                    class,
                    profile,
                    node,
                    (*scenario, EndpointSet::union_of(&atoms)),
                    covers,
                );
                both = (both.0.union(&sure), both.1.union(&possible));
            }
            total = Some(match total {
                None => both,
                Some(so_far) => (so_far.0.intersection(&both.0), so_far.1.union(&both.1)),
            });
        }
        total.unwrap_or_default()
    }

    fn external_in_scenario(
        &self,
        class: u32,
        profile: &EffectivePolicy,
        node: &Match,
        (scenario, atoms): (usize, EndpointSet),
        covers: &dyn Fn(u32) -> bool,
    ) -> (EndpointSet, EndpointSet) {
        let walk = Walk {
            policies: &self.compiled.policies,
            direction: Direction::Egress.index(),
            all: atoms.clone(),
            hit: |peers: PeerSetId, ports: u32| {
                if !covers(ports) {
                    return Hit::of(EndpointSet::empty(), EndpointSet::empty());
                }
                let matched = self.matched(peers, scenario);
                Hit {
                    sure: Cow::Borrowed(&*matched.sure),
                    maybe: Cow::Borrowed(&*matched.maybe),
                }
            },
            own_node: Hit {
                sure: Cow::Borrowed(&*node.sure),
                maybe: Cow::Borrowed(&*node.maybe),
            },
            subject_visible: !self.hidden(class, scenario),
        };
        let outcome = walk.decide(profile);
        let allow = outcome.allow.intersection(&atoms);
        (allow.difference(&outcome.deny), allow)
    }
}

/// Pieces of traffic turned around, by place.
fn by_allowed(
    pieces: &IndexMap<(EndpointSet, EndpointSet), TrafficSet>,
) -> Vec<ExternalDestinations> {
    let unsure: Vec<EndpointSet> = pieces
        .keys()
        .map(|(sure, possible)| possible.difference(sure))
        .collect();
    let sets: Vec<&EndpointSet> = pieces
        .keys()
        .zip(&unsure)
        .flat_map(|((sure, _), unsure)| [sure, unsure])
        .collect();
    let mut by: BTreeMap<Allowed, Vec<EndpointSet>> = BTreeMap::new();
    for (destinations, members) in partition(&sets) {
        let all = |kind: usize| {
            let inside = pieces
                .values()
                .enumerate()
                .filter(|(i, _)| members.contains(2 * i + kind));
            inside.fold(TrafficSet::empty(), |total, (_, traffic)| {
                total.union(traffic)
            })
        };
        by.entry(Allowed {
            sure: all(0),
            unknown: all(1),
        })
        .or_default()
        .push(destinations);
    }
    by.into_iter()
        .map(|(allowed, sets)| ExternalDestinations {
            destinations: EndpointSet::union_of(&sets),
            allowed,
        })
        .collect()
}
