//! Points: one flow, decided by two walks over single truths.
//!
//! A question between two pods of a large cluster waits for memory and not for the processor, so
//! the walk reads little: a rule's ports come first (the port lists are few, and near), then the
//! [`crate::graph::extent::Extent`] of its peer set, which answer alone where the set is one run;
//! only a place between the ends of several runs is looked up in the set. Where the way out is
//! surely shut the way in is not asked.
//!
//! Invariant: `verdict(flow)` is `evaluate(flow)`. Cost: O(distinct rules of both profiles x log
//! runs).

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::PeerSetIx;
use crate::compile::port_sets::{PortSet, PortSetIx};
use crate::graph::allow_graph::AllowGraph;
use crate::graph::tiers::{Hit, Walk};
use crate::model::Truth;
use crate::policy::Direction;
use crate::set::{Bounds, Family, Ix};
use crate::spec::address_families::FamilyUse;
use crate::spec::environment::Flow;
use crate::spec::evaluate::{is_self, side_of};

/// Where the ends of a flow stand on the line.
#[derive(Debug, Clone, Copy)]
struct Ends {
    source: EndpointIx,
    destination: EndpointIx,
}

impl AllowGraph {
    /// Decides one flow: what all behaviours of host-network pods agree on, each the best over the
    /// families (S65).
    pub fn verdict(&self, flow: &Flow) -> Truth {
        if is_self(self.environment(), flow) {
            return Truth::Yes; // S53
        }
        let at = Ends {
            source: self.space().index_of(flow.source),
            destination: self.space().index_of(flow.destination),
        };
        let Bounds { must, may } = self.over_scenarios(at.source, at.destination, |scenario| {
            self.point(flow, at, scenario)
        });
        Truth::of(may, !must)
    }

    fn point(&self, flow: &Flow, at: Ends, scenario: usize) -> Bounds<bool> {
        let egress = self.side_point(flow, at, Direction::Egress, scenario);
        if egress.is_nothing() {
            return egress;
        }
        egress.and(&self.side_point(flow, at, Direction::Ingress, scenario))
    }

    fn side_point(
        &self,
        flow: &Flow,
        at: Ends,
        direction: Direction,
        scenario: usize,
    ) -> Bounds<bool> {
        let (subject, peer) = side_of(flow, direction);
        let (subject_at, peer_at) = match direction {
            Direction::Egress => (at.source, at.destination),
            Direction::Ingress => (at.destination, at.source),
        };
        let Some(effective) = self.governing(subject_at, direction) else {
            return Bounds::exact(true);
        };
        let destination = at.destination;
        let hidden = self.hidden(destination, scenario);
        let own = self.own_node(subject, peer, scenario, direction);
        let walk = Walk {
            policies: &self.compiled.policies,
            direction: direction.index(),
            all: true,
            hit: |peers: PeerSetIx, ports: PortSetIx| {
                let on_ports = self.port_contains(ports, destination, hidden, flow);
                let truth = if on_ports {
                    self.truth_of(peers, scenario, peer_at)
                } else {
                    Truth::No
                };
                Hit::owned(truth == Truth::Yes, truth.possible())
            },
            own_node: Hit::owned(own == Truth::Yes, own.possible()),
            subject_is_node: self.hidden(subject_at, scenario),
        };
        walk.decide(effective)
    }

    /// All that decides one direction of a flow besides what governs its end, own nodes aside:
    /// which of the rules match, view by view, and how the ends are reached. Flows with equal
    /// answers between ends with equal profiles are decided by the same rules.
    pub(crate) fn matches(&self, flow: &Flow, direction: Direction) -> Vec<u8> {
        let (space, compiled) = (self.space(), &self.compiled);
        let (source, destination) = (
            space.index_of(flow.source),
            space.index_of(flow.destination),
        );
        let (subject, peer) = if direction == Direction::Egress {
            (source, destination)
        } else {
            (destination, source)
        };
        let mut matches = vec![
            u8::from(space.is_host(source)),
            u8::from(space.is_host(destination)),
        ];
        let connection = self.family_use(source, destination);
        matches.extend(Family::ALL.map(|family| u8::from(connection.may_use(family))));
        matches.push(match connection {
            FamilyUse::Best(_) => 1,
            FamilyUse::OneOf | FamilyUse::Perhaps(_) => 0,
            FamilyUse::Doubted(_) => 2,
        });
        if !self.may_be_governed(subject) {
            return matches;
        }
        let effective = self.effective_policy(subject, direction);
        for (peers, ports) in effective.rules(&compiled.policies, direction) {
            for scenario in 0..space.scenarios.len() {
                let on_ports = self.port_contains(
                    ports,
                    destination,
                    self.hidden(destination, scenario),
                    flow,
                );
                matches.push(if on_ports {
                    self.truth_of(peers, scenario, peer) as u8
                } else {
                    Truth::No as u8
                });
            }
        }
        matches
    }

    /// Whether a place is in a peer set.
    fn truth_of(&self, peers: PeerSetIx, scenario: usize, at: EndpointIx) -> Truth {
        let extent = self.extents[peers.index() * self.space().scenarios.len() + scenario];
        if at < extent.first || at > extent.last {
            return Truth::No;
        }
        if extent.solid {
            return Truth::Yes;
        }
        let matched = self.matched(peers, scenario);
        if extent.exact {
            Truth::from(matched.may.contains(at))
        } else {
            matched.truth(at)
        }
    }

    /// Whether a flow's traffic is on a rule's ports at its destination: `ports_at` for one point.
    fn port_contains(
        &self,
        ports: PortSetIx,
        destination: EndpointIx,
        hidden: bool,
        flow: &Flow,
    ) -> bool {
        let set: &PortSet = &self.compiled.ports[ports];
        if set.traffic.contains(flow.traffic) {
            return true;
        }
        if !self.names_count(set, destination, hidden) {
            return false;
        }
        self.named_ports(set, destination)
            .any(|found| found == (flow.traffic.protocol, flow.traffic.port))
    }
}
