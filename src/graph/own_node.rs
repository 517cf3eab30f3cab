//! Own nodes in rows (S55): for one destination the few sources for which the own node may decide,
//! and what they may send.
//!
//! Beside a destination stand the nodes its pods run on (their addresses, and host-network pods
//! that behave as their node) and, where it is itself a node, the pods that run there and are
//! governed on the way out. Everything else of a row is the same for all destinations of a template
//! ([`crate::graph::row`]). Cost: the places near one destination; two walks for what one of them may
//! send, none where the own node or nobody decides.

use crate::compile::peer_sets::{EndpointSet, Match};
use crate::graph::allow_graph::{AllowGraph, Allowed};
use crate::graph::tiers::Outcome;
use crate::model::Truth;
use crate::policy::Direction;
use crate::spec::environment::{Endpoint, HostNetworkMode};
use std::borrow::Cow;

/// Whether two places are beside each other on one node (S55).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NodeRelation {
    /// Whether the source is the node of the destination's pods: without host-network pods, and
    /// with those.
    around: [Truth; 2],
    /// Whether the destination is the node of the source's pods.
    homed: Truth,
}

/// Of some places those that are asked about; all, if not told.
fn within<'r>(runs: &'r EndpointSet, among: Option<&EndpointSet>) -> Cow<'r, EndpointSet> {
    among.map_or(Cow::Borrowed(runs), |among| {
        Cow::Owned(runs.intersection(among))
    })
}

impl NodeRelation {
    /// Neither is the node of the other.
    pub(crate) const NOT: Self = Self {
        around: [Truth::No; 2],
        homed: Truth::No,
    };
}

impl AllowGraph {
    /// The sources of a destination for which the own node may decide, in order, each with how near
    /// the two are.
    pub(crate) fn beside(&self, destination: u32, egress: bool) -> Vec<(u32, NodeRelation)> {
        self.beside_among(destination, egress, None)
    }

    /// [`Self::beside`], of sources among these only.
    pub(crate) fn beside_among(
        &self,
        destination: u32,
        egress: bool,
        among: Option<&EndpointSet>,
    ) -> Vec<(u32, NodeRelation)> {
        let is_pod = self.line.is_class(destination) && !self.line.is_host(destination);
        let no_nodes =
            |among: &EndpointSet| self.line.are_pods(among) && among.is_disjoint(&self.line.hosts);
        if is_pod && among.is_some_and(no_nodes) {
            return Vec::new(); // a node is its addresses or a pod on its network
        }
        let homed = if egress && !is_pod {
            self.homes().homed_at(destination)
        } else {
            None
        };
        if !self.is_guarded(destination, Direction::Ingress) && homed.is_none() {
            return Vec::new();
        }
        let around = [false, true].map(|hosts| self.homes().around(destination, hosts));
        let sources = self.beside_own_node(destination, &around, homed.as_ref(), among);
        let near = |source: u32| NodeRelation {
            around: around.each_ref().map(|m| m.truth(source)),
            homed: homed.as_ref().map_or(Truth::No, |m| m.truth(source)),
        };
        sources
            .points()
            .map(|source| (source, near(source)))
            .collect()
    }

    /// The places that may be the node of a pod of these classes.
    pub(crate) fn nodes_of(&self, classes: &EndpointSet) -> EndpointSet {
        let nodes: Vec<_> = classes
            .points()
            .map(|class| self.homes().around(class, true))
            .collect();
        EndpointSet::union_of(nodes.iter().map(|node| &*node.maybe))
    }

    /// The same from the source's side: the classes of which it is beside.
    pub(crate) fn beside_of_source(&self, source: u32) -> Vec<(u32, NodeRelation)> {
        let near_it = self
            .homes()
            .homed_at(source)
            .map(|homed| homed.maybe)
            .unwrap_or_default();
        let its_nodes = &self.homes().around(source, true).maybe;
        let mut found = Vec::new();
        for destination in near_it
            .union(its_nodes)
            .intersection(&self.line.pods())
            .points()
        {
            if self.is_beside(source, destination) {
                found.push((destination, self.nearness(source, destination)));
            }
        }
        found
    }

    /// How near two places are, as far as the own node may decide.
    pub(crate) fn near(&self, source: u32, destination: u32) -> NodeRelation {
        if self.is_beside(source, destination) {
            self.nearness(source, destination)
        } else {
            NodeRelation::NOT
        }
    }

    fn nearness(&self, source: u32, destination: u32) -> NodeRelation {
        let around =
            [false, true].map(|hosts| self.homes().around(destination, hosts).truth(source));
        let homed = self
            .homes()
            .homed_at(destination)
            .map_or(Truth::No, |homed| homed.truth(source));
        NodeRelation { around, homed }
    }

    /// [`Self::near`], of two single ends.
    pub(crate) fn near_ends(&self, source: Endpoint, destination: Endpoint) -> NodeRelation {
        let own = |subject: Endpoint, peer: Endpoint, behaviour: HostNetworkMode| match subject {
            Endpoint::Pod(pod) => {
                self.world
                    .is_own_node(self.world.cluster.pod(pod), peer, behaviour)
            }
            Endpoint::Address(_) => Truth::No,
        };
        let around = [HostNetworkMode::Pod, HostNetworkMode::Node]
            .map(|behaviour| own(destination, source, behaviour));
        NodeRelation {
            around,
            homed: own(source, destination, HostNetworkMode::Node),
        }
    }

    /// Whether the own node may decide: [`Self::beside_own_node`] for one source.
    fn is_beside(&self, source: u32, destination: u32) -> bool {
        let node = || {
            self.line
                .views
                .iter()
                .any(|v| v.behaviour == HostNetworkMode::Node)
        };
        let at_node = self.is_guarded(destination, Direction::Ingress)
            && self
                .homes()
                .around(destination, node())
                .maybe
                .contains(source);
        at_node
            || self.is_guarded(source, Direction::Egress)
                && self
                    .homes()
                    .homed_at(destination)
                    .is_some_and(|homed| homed.maybe.contains(source))
    }

    /// The sources for which the own node may decide: nodes of the destination's pods, pods whose
    /// node the destination is.
    fn beside_own_node<'m>(
        &self,
        destination: u32,
        around: &'m [Cow<'_, Match>; 2],
        homed: Option<&Match>,
        among: Option<&EndpointSet>,
    ) -> Cow<'m, EndpointSet> {
        let mut beside = Cow::Owned(EndpointSet::empty());
        if self.is_guarded(destination, Direction::Ingress) {
            let node = self
                .line
                .views
                .iter()
                .any(|v| v.behaviour == HostNetworkMode::Node);
            beside = within(&around[usize::from(node)].maybe, among);
        }
        let Some(homed) = homed else { return beside };
        let governed = within(&homed.maybe, among);
        let governed = governed
            .points()
            .filter(|c| self.is_guarded(*c, Direction::Egress));
        Cow::Owned(beside.union(&governed.map(|c| c..=c).collect()))
    }

    /// Whether a place is a class that the Network tier may isolate.
    fn is_guarded(&self, place: u32, direction: Direction) -> bool {
        self.line.is_class(place) && self.class_profile(place, direction).isolated().possible()
    }

    /// Whether the way in to a destination may let in any of these sources, own nodes aside; a yes
    /// where it is not plain.
    pub(crate) fn may_admit(&self, destination: u32, among: &EndpointSet) -> bool {
        if !self.line.is_class(destination) || self.line.is_host(destination) {
            return true;
        }
        let profile = self.class_profile(destination, Direction::Ingress);
        if !profile.surely || !profile.is_network_only() {
            return true;
        }
        let rules = &profile.network_rules;
        rules
            .iter()
            .flat_map(|r| &self.peers[r.peers.0 as usize].0)
            .any(|matched| !matched.maybe.is_disjoint(among))
    }

    /// What may pass between two places, own node included.
    pub(crate) fn between(
        &self,
        source: u32,
        destination: u32,
        egress: bool,
        near: NodeRelation,
    ) -> Allowed {
        let side = |direction, view: usize| {
            let (subject, peer) = if direction == Direction::Egress {
                (source, destination)
            } else {
                (destination, source)
            };
            let own = if direction == Direction::Ingress {
                near.around[usize::from(self.line.views[view].behaviour == HostNetworkMode::Node)]
            } else if !self.line.is_class(destination) || self.hidden(destination, view) {
                near.homed
            } else {
                Truth::No
            };
            let profile = self.class_profile(subject, direction);
            if profile.is_network_only() && (own == Truth::Yes || profile.network.is_empty()) {
                return Outcome::open();
            }
            self.traffic(subject, peer, destination, direction, view, own)
        };
        let outcome = self.over_views(source, destination, |view| {
            match (
                egress && self.line.is_class(source),
                self.line.is_class(destination),
            ) {
                (true, true) => side(Direction::Egress, view).and(side(Direction::Ingress, view)),
                (true, false) => side(Direction::Egress, view),
                (false, true) => side(Direction::Ingress, view),
                (false, false) => Outcome::open(),
            }
        });
        outcome.into()
    }
}
