//! Traffic that a Service led to a pod, where that changes who decides it.
//!
//! Two cases: a pod that calls itself through its own Service, which `ClusterNetworkPolicies` see
//! although the pod's own address escapes every policy (S54, S122); and a caller from outside in
//! whose place a node may put its own address before policies see it (S41, S63). What is not told
//! (the older admin kinds, which node it is) stays possible both ways. Invariant: each answer is
//! what [`evaluate_led`](crate::spec::evaluate::evaluate_led) gives for the same flow, over every
//! way it may come about.
//!
//! Cost: as one edge question, times the distinct ranges that nodes' addresses fall into. Road not
//! taken: marking flows by the way they came; nearly every flow comes by no Service, and would
//! carry the mark for nothing.

use crate::compile::effective_policy::{EffectivePolicy, EffectiveTier, Selection};
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::allow_graph::{AllowGraph, Allowed};
use crate::model::{PodId, Truth};
use crate::policy::tier::{LayerIx, OwnNode};
use crate::policy::{Direction, PolicyId};
use crate::set::{Family, Traffic};
use crate::spec::FamilySet;
use crate::spec::environment::{Endpoint, Flow, HostNetworkMode};
use crate::spec::evaluate::side_among;
use crate::spec::question::{Case, ConnectionOrigin};
use std::net::{IpAddr, Ipv4Addr};

impl AllowGraph {
    /// What passes when a pod calls its own Service and is led to itself.
    pub fn allowed_to_itself(&self, pod: PodId) -> Allowed {
        let at = self.space().index_of(Endpoint::Pod(pod));
        let asked = self.both_ways_to_itself(at, true);
        asked.either(&self.both_ways_to_itself(at, false))
    }

    /// The same, where it is taken as told whether the kinds are asked of which the API does not
    /// say.
    fn both_ways_to_itself(&self, at: EndpointIx, undefined_are_asked: bool) -> Allowed {
        let origin = ConnectionOrigin::OwnService {
            undefined_are_asked,
        };
        self.over_scenarios(at, at, |scenario| {
            let side = |direction| self.to_itself(at, direction, scenario, origin);
            side(Direction::Egress).and(&side(Direction::Ingress))
        })
    }

    fn to_itself(
        &self,
        at: EndpointIx,
        direction: Direction,
        scenario: usize,
        origin: ConnectionOrigin,
    ) -> Allowed {
        let mut asked: EffectivePolicy = self.effective_policy(at, direction).clone();
        let asks = |s: &Selection| {
            let policy = self.environment().policies.get(self.policy_of(s.policy));
            origin.asks(policy)
        };
        if self.environment().cilium.is_some() {
            asked.tiers.retain(|t| t.layer != LayerIx::CLUSTER_NETWORK); // CI160
        }
        for group in asked.tiers.iter_mut().flat_map(|tier| &mut tier.groups) {
            group.retain(asks);
        }
        for tier in &mut asked.tiers {
            let own_node = self.environment().policies.tiers[tier.tier.index()].own_node;
            tier.exempts_own_node = own_node == OwnNode::Exempt;
        }
        let exempt = Truth::from(self.environment().options.own_service);
        self.traffic_by(&asked, at, at, at, direction, scenario, exempt)
    }

    /// Whether policies admit traffic to a pod from a source that no rule can name: by the
    /// specification, with the policies that govern the pod.
    pub fn admits_from(&self, origin: ConnectionOrigin, pod: PodId, traffic: Traffic) -> Truth {
        let at = self.space().index_of(Endpoint::Pod(pod));
        let governing = &self.effective_policy(at, Direction::Ingress).tiers;
        let selections = governing.iter().flat_map(EffectiveTier::selections);
        let mut selecting: Vec<PolicyId> = selections.map(|s| self.policy_of(s.policy)).collect();
        selecting.sort_unstable();
        selecting.dedup();
        let flow = Flow {
            source: Endpoint::Address(Ipv4Addr::UNSPECIFIED.into()),
            destination: Endpoint::Pod(pod),
            traffic,
        };
        let in_mode =
            |mode: &HostNetworkMode| self.admits_in_mode(&flow, origin, *mode, &selecting);
        let modes = self.environment().host_network_modes().iter();
        modes
            .map(in_mode)
            .reduce(Truth::either)
            .unwrap_or(Truth::Maybe)
    }

    fn admits_in_mode(
        &self,
        flow: &Flow,
        origin: ConnectionOrigin,
        mode: HostNetworkMode,
        selecting: &[PolicyId],
    ) -> Truth {
        let case = Case {
            origin,
            ..Case::new(mode, Family::V4)
        };
        let (env, way) = (self.environment(), Direction::Ingress);
        side_among(env, flow, way, &case, Some(selecting), &mut ())
    }

    /// What passes from outside to a pod when a node may have put its own address in the caller's
    /// place.
    pub fn allowed_through_node(&self, caller: IpAddr, pod: PodId) -> Allowed {
        let own = self.allowed(Endpoint::Address(caller), Endpoint::Pod(pod));
        let nodes = self.node_samples(Family::of(caller)).into_iter();
        nodes.fold(own, |allowed, node| {
            allowed.either(&self.by_node(node, pod))
        })
    }

    /// What passes the way in to a pod, for each address that a node may have in place of a caller.
    pub(crate) fn by_any_node(
        &self,
        families: FamilySet,
        pod: PodId,
    ) -> impl Iterator<Item = Allowed> {
        let nodes = self.any_node(families);
        nodes.map(move |node| self.by_node(node, pod))
    }

    /// Addresses that stand for all that nodes may have.
    pub(crate) fn any_node(&self, families: FamilySet) -> impl Iterator<Item = IpAddr> {
        families.iter().flat_map(|family| self.node_samples(family))
    }

    /// One address of each range that no rule tells apart and a node's address may fall into.
    fn node_samples(&self, family: Family) -> Vec<IpAddr> {
        let addresses = self.environment().may_be_nodes(family);
        let atoms = &self.space().atoms;
        let found = atoms.overlapping(&addresses);
        found
            .points()
            .filter_map(|atom| atoms.addresses(atom).intersection(&addresses).first())
            .collect()
    }

    /// What passes from a node to a pod, where it is told whether the node is the pod's own; the
    /// address is one that the node may have.
    pub(crate) fn allowed_of_node(&self, node: Endpoint, pod: PodId, own: Truth) -> Allowed {
        let from = self.space().index_of(node);
        let to = self.space().index_of(Endpoint::Pod(pod));
        self.over_scenarios(from, to, |scenario| {
            self.traffic(to, from, to, Direction::Ingress, scenario, own)
        })
    }

    fn by_node(&self, node: IpAddr, pod: PodId) -> Allowed {
        let environment = self.environment();
        let own = environment.is_own_of_nodes(environment.cluster.pod(pod), node);
        self.forwarded(Endpoint::Address(node), pod, own)
    }

    /// What passes the way in to a pod where a node forwards it, from a network that need not be
    /// the pod's (NW42).
    fn forwarded(&self, from: Endpoint, pod: PodId, own: Truth) -> Allowed {
        if self.environment().policies.plugin.networks.is_none() {
            return self.allowed_of_node(from, pod, own);
        }
        let to = self.space().index_of(Endpoint::Pod(pod));
        let mut asked = self.effective_policy(to, Direction::Ingress).clone();
        asked.tiers.retain(|tier| tier.layer != LayerIx::NETWORKS);
        let from = self.space().index_of(from);
        self.over_scenarios(from, to, |scenario| {
            self.traffic_by(&asked, to, from, to, Direction::Ingress, scenario, own)
        })
    }

    /// What passes the way in to a pod of another pod's call that nodes forward, where policies may
    /// see the caller or any of these nodes (S41).
    pub(crate) fn forwarded_of(&self, from: Endpoint, families: FamilySet, pod: PodId) -> Allowed {
        let own = self.forwarded(from, pod, Truth::No);
        let nodes = self.by_any_node(families, pod);
        nodes.fold(own, |all, one| all.either(&one))
    }
}
