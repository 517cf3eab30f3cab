//! Own nodes in rows (S55): for one destination the few sources for which the own node may decide,
//! and what they may send.
//!
//! Beside a destination stand the nodes its pods run on (their addresses, and host-network pods
//! that behave as their node) and, where it is itself a node, the pods that run there and are
//! governed on the way out. Everything else of a row is the same for all destinations of a template
//! ([`crate::graph::row`]). Cost: the places near one destination; two walks for what one of them
//! may send, none where the own node or nobody decides.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::{EndpointBounds, EndpointSet};
use crate::graph::allow_graph::{AllowGraph, Allowed};
use crate::model::Truth;
use crate::policy::Direction;
use crate::set::{Bounds, TrafficSet};
use crate::spec::environment::{Endpoint, HostNetworkMode};
use std::borrow::Cow;
use std::sync::Arc;

/// Whether two places are beside each other on one node (S55).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NodeRelation {
    /// Whether the source is the node of the destination's pods: without host-network pods, and
    /// with those.
    node_of: [Truth; 2],
    /// Whether the destination is the node of the source's pods.
    on_node: Truth,
}

/// Pods of one class: all of them, or those of some of its homes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SomePods {
    /// The class.
    pub(crate) class: EndpointIx,
    /// The homes, if not all.
    pub(crate) homes: Option<Arc<[HomeIx]>>,
}

/// Of some places those that are asked about; all, if not told.
fn within<'r>(runs: &'r EndpointSet, among: Option<&EndpointSet>) -> Cow<'r, EndpointSet> {
    among.map_or(Cow::Borrowed(runs), |among| {
        Cow::Owned(runs.intersection(among))
    })
}

impl NodeRelation {
    /// Neither is the node of the other.
    pub(crate) const NONE: Self = Self {
        node_of: [Truth::No; 2],
        on_node: Truth::No,
    };

    /// The destination is, or may be, the node of the source's pods.
    pub(crate) const fn to_node(on_node: Truth) -> Self {
        Self {
            on_node,
            ..Self::NONE
        }
    }
}

impl AllowGraph {
    /// The sources of a destination for which the own node may decide, in order, each with how near
    /// the two are.
    pub(crate) fn own_node_sources(
        &self,
        destination: EndpointIx,
        egress: bool,
    ) -> Vec<(EndpointIx, NodeRelation)> {
        self.own_node_sources_among(destination, egress, None)
    }

    /// [`Self::own_node_sources`], of sources among these only.
    pub(crate) fn own_node_sources_among(
        &self,
        destination: EndpointIx,
        egress: bool,
        among: Option<&EndpointSet>,
    ) -> Vec<(EndpointIx, NodeRelation)> {
        self.own_node_sources_of(destination, None, egress, among)
    }

    /// [`Self::own_node_sources`] of the destination's pods of one home (of all of them, if not
    /// told), each for those of the source's pods for which it holds.
    pub(crate) fn own_node_pods(
        &self,
        destination: EndpointIx,
        home: Option<HomeIx>,
        egress: bool,
    ) -> Vec<(SomePods, NodeRelation)> {
        let mut found = Vec::new();
        for (class, near) in self.own_node_sources_of(destination, home, egress, None) {
            // INVARIANT: a source that is itself a node has one home
            if near.on_node == Truth::Maybe && self.node_index().has_several_homes(class) {
                let parts = self.node_index().homes_at(class, destination).into_iter();
                found.extend(parts.filter(|(_, homes)| !homes.is_empty()).map(
                    |(on_node, homes)| {
                        (
                            SomePods {
                                class,
                                homes: Some(homes.into()),
                            },
                            NodeRelation { on_node, ..near },
                        )
                    },
                ));
            } else {
                found.push((SomePods { class, homes: None }, near));
            }
        }
        found
    }

    fn own_node_sources_of(
        &self,
        destination: EndpointIx,
        home: Option<HomeIx>,
        egress: bool,
        among: Option<&EndpointSet>,
    ) -> Vec<(EndpointIx, NodeRelation)> {
        let is_pod = self.space.is_class(destination) && !self.space.is_host(destination);
        let no_nodes = |among: &EndpointSet| {
            self.space.are_pods(among) && among.is_disjoint(&self.space.hosts)
        };
        if is_pod && among.is_some_and(no_nodes) {
            return Vec::new(); // a node is its addresses or a pod on its network
        }
        let on_node = if egress && !is_pod && self.env.options.own_node_egress {
            self.node_index().pods_on(destination)
        } else {
            None
        };
        if !self.is_guarded(destination, Direction::Ingress) && on_node.is_none() {
            return Vec::new();
        }
        let node = self.has_node_scenario();
        let node_with = |hosts| match home {
            Some(home) => Cow::Borrowed(self.node_index().node_at(home, hosts)),
            None => self.node_index().node_of(destination, hosts),
        };
        let node_of = node_with(node);
        let sources = self.own_node_candidates(destination, &node_of, on_node.as_ref(), among);
        if sources.is_empty() {
            return Vec::new();
        }
        let other = node_with(!node);
        let node_of = if node {
            [&other, &node_of]
        } else {
            [&node_of, &other]
        };
        let near = |source: EndpointIx| NodeRelation {
            node_of: node_of.map(|m| m.truth(source)),
            on_node: on_node.as_ref().map_or(Truth::No, |m| m.truth(source)),
        };
        sources
            .points()
            .map(|source| (source, near(source)))
            .collect()
    }

    /// Whether the own node may decide what a class lets in.
    pub(crate) fn may_let_in_its_node(&self, class: EndpointIx) -> bool {
        self.is_guarded(class, Direction::Ingress)
    }

    /// The places that may be the node of a pod of these classes.
    pub(crate) fn nodes_of(&self, classes: &EndpointSet) -> EndpointSet {
        let nodes: Vec<_> = classes
            .points()
            .map(|class| self.node_index().node_of(class, true))
            .collect();
        EndpointSet::union_of(nodes.iter().map(|node| &*node.may))
    }

    /// The same from the source's side: the classes of which it is beside.
    pub(crate) fn own_node_destinations(
        &self,
        source: EndpointIx,
    ) -> Vec<(EndpointIx, NodeRelation)> {
        // whether a pod lets in its node has nothing to do with what it may send there
        let near_it = self
            .node_index()
            .pods_on(source)
            .map(|on_node| on_node.may)
            .unwrap_or_default();
        let its_nodes = &self.node_index().node_of(source, true).may;
        let mut found = Vec::new();
        for destination in near_it
            .union(its_nodes)
            .intersection(&self.space.pods())
            .points()
        {
            if self.own_node_may_decide(source, destination) {
                found.push((destination, self.relation(source, destination)));
            }
        }
        found
    }

    /// How near two places are, as far as the own node may decide.
    pub(crate) fn near(&self, source: EndpointIx, destination: EndpointIx) -> NodeRelation {
        if self.own_node_may_decide(source, destination) {
            self.relation(source, destination)
        } else {
            NodeRelation::NONE
        }
    }

    fn relation(&self, source: EndpointIx, destination: EndpointIx) -> NodeRelation {
        let node_of =
            [false, true].map(|hosts| self.node_index().node_of(destination, hosts).truth(source));
        let on_node = self
            .exempt_on(destination)
            .map_or(Truth::No, |on_node| on_node.truth(source));
        NodeRelation { node_of, on_node }
    }

    /// [`Self::near`], of two single ends.
    pub(crate) fn relation_of_endpoints(
        &self,
        source: Endpoint,
        destination: Endpoint,
    ) -> NodeRelation {
        let own = |direction, mode| self.own_node_of_ends(source, destination, direction, mode);
        let node_of =
            [HostNetworkMode::Pod, HostNetworkMode::Node].map(|mode| own(Direction::Ingress, mode));
        NodeRelation {
            node_of,
            on_node: own(Direction::Egress, HostNetworkMode::Node),
        }
    }

    fn own_node_of_ends(
        &self,
        source: Endpoint,
        destination: Endpoint,
        direction: Direction,
        mode: HostNetworkMode,
    ) -> Truth {
        let (subject, peer) = match direction {
            Direction::Egress => (source, destination),
            Direction::Ingress => (destination, source),
        };
        let Endpoint::Pod(pod) = subject else {
            return Truth::No;
        };
        let pod = self.env.cluster.pod(pod);
        self.env.is_own_node(pod, peer, mode, direction)
    }

    /// The classes whose pods may send to a place because it is their node, if that is so.
    fn exempt_on(&self, place: EndpointIx) -> Option<EndpointBounds> {
        let exempt = self.env.options.own_node_egress;
        exempt.then(|| self.node_index().pods_on(place)).flatten()
    }

    /// Whether the own node may decide: [`Self::own_node_candidates`] for one source.
    fn own_node_may_decide(&self, source: EndpointIx, destination: EndpointIx) -> bool {
        let at_node = self.is_guarded(destination, Direction::Ingress)
            && self
                .node_index()
                .node_of(destination, self.has_node_scenario())
                .may
                .contains(source);
        at_node
            || self.is_guarded(source, Direction::Egress)
                && self
                    .exempt_on(destination)
                    .is_some_and(|on_node| on_node.may.contains(source))
    }

    /// The sources for which the own node may decide: nodes of the destination's pods, pods whose
    /// node the destination is.
    fn own_node_candidates<'m>(
        &self,
        destination: EndpointIx,
        node_of: &'m EndpointBounds,
        on_node: Option<&EndpointBounds>,
        among: Option<&EndpointSet>,
    ) -> Cow<'m, EndpointSet> {
        let mut own_node_sources = Cow::Owned(EndpointSet::empty());
        if self.is_guarded(destination, Direction::Ingress) {
            own_node_sources = within(&node_of.may, among);
        }
        let Some(on_node) = on_node else {
            return own_node_sources;
        };
        let governed = within(&on_node.may, among);
        let governed = governed
            .points()
            .filter(|c| self.is_guarded(*c, Direction::Egress));
        Cow::Owned(own_node_sources.union(&governed.map(|c| c..=c).collect()))
    }

    /// Whether host-network pods behave as their node in some scenario.
    fn has_node_scenario(&self) -> bool {
        let mut scenarios = self.space.scenarios.iter();
        scenarios.any(|scenario| scenario.mode == HostNetworkMode::Node)
    }

    /// Whether a place is a class that the Network tier may isolate.
    fn is_guarded(&self, place: EndpointIx, direction: Direction) -> bool {
        self.space.is_class(place)
            && self
                .effective_policy(place, direction)
                .may_exempt_own_node()
    }

    /// Whether the way in to a destination may let in any of these sources, own nodes aside; a yes
    /// where it is not plain.
    pub(crate) fn may_admit(&self, destination: EndpointIx, among: &EndpointSet) -> bool {
        if !self.space.is_class(destination) || self.space.is_host(destination) {
            return true;
        }
        let effective = self.effective_policy(destination, Direction::Ingress);
        let isolating = effective.additive().flatten();
        let Some(tier) = isolating.filter(|tier| tier.isolated == Truth::Yes) else {
            return true;
        };
        let rules = &tier.allows;
        rules
            .iter()
            .flat_map(|r| &self.peers[r.peers].0)
            .any(|matched| !matched.may.is_disjoint(among))
    }

    /// What may pass between two places, own node included.
    pub(crate) fn between(
        &self,
        source: EndpointIx,
        destination: EndpointIx,
        egress: bool,
        near: NodeRelation,
    ) -> Allowed {
        let side = |direction, scenario: usize| {
            let (subject, peer) = if direction == Direction::Egress {
                (source, destination)
            } else {
                (destination, source)
            };
            let own = if direction == Direction::Ingress {
                near.node_of
                    [usize::from(self.space.scenarios[scenario].mode == HostNetworkMode::Node)]
            } else if !self.space.is_class(destination) || self.hidden(destination, scenario) {
                near.on_node
            } else {
                Truth::No
            };
            let effective = self.effective_policy(subject, direction);
            let is_open = match effective.additive() {
                Some(None) => true,
                Some(Some(tier)) => own == Truth::Yes && tier.exempts_own_node,
                None => false,
            };
            if is_open {
                return Bounds::exact(TrafficSet::all());
            }
            self.traffic(subject, peer, destination, direction, scenario, own)
        };
        self.over_scenarios(source, destination, |scenario| {
            match (
                egress && self.may_be_governed(source),
                self.may_be_governed(destination),
            ) {
                (true, true) => {
                    side(Direction::Egress, scenario).and(&side(Direction::Ingress, scenario))
                }
                (true, false) => side(Direction::Egress, scenario),
                (false, true) => side(Direction::Ingress, scenario),
                (false, false) => Bounds::exact(TrafficSet::all()),
            }
        })
    }
}
