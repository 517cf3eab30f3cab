//! What the specification is asked: one direction of one flow, and everything that is fixed while
//! it is decided.

use crate::model::{PodId, Truth};
use crate::policy::{Direction, Policy, PolicyId};
use crate::set::Family;
use crate::spec::environment::{Endpoint, Environment, Flow, HostNetworkMode};

/// What is fixed while one connection is decided.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// How host-network pods behave.
    pub mode: HostNetworkMode,
    /// The connection's address family.
    pub family: Family,
    /// How the connection came about.
    pub origin: ConnectionOrigin,
}

impl Case {
    /// A connection straight to the destination's own address.
    pub fn new(mode: HostNetworkMode, family: Family) -> Self {
        Self {
            mode,
            family,
            origin: ConnectionOrigin::Direct,
        }
    }
}

/// How a connection came about, where that changes which policies decide it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionOrigin {
    /// To the destination's own address, as far as policies see.
    #[default]
    Direct,
    /// A pod calls itself through its own Service. `NetworkPolicies` allow it (S54),
    /// `ClusterNetworkPolicies` are asked (S122), and of some kinds the API does not say.
    OwnService {
        /// Whether the kinds are asked of which the API does not say.
        undefined_are_asked: bool,
    },
    /// The source is the address of a node, which may be the pod's own (S41, S55).
    ByNode,
    /// The source is a node whose address is not told; whether it is the pod's own is.
    OfNode(Truth),
    /// Nothing is known of the source: a rule for some callers may be for it (DO57).
    Untold,
    /// The source is neither a pod nor an address: only a rule for everybody is for it (DO94).
    Identity,
}

impl ConnectionOrigin {
    /// Whether a rule for certain peers is for the source, where nothing about these tells.
    pub fn is_named(self) -> Option<Truth> {
        match self {
            Self::Untold => Some(Truth::Maybe),
            Self::Identity => Some(Truth::No),
            Self::Direct | Self::OwnService { .. } | Self::ByNode | Self::OfNode(_) => None,
        }
    }

    /// Whether a policy of an ordered tier is asked about such a connection.
    pub fn asks(self, policy: &Policy) -> bool {
        let Self::OwnService {
            undefined_are_asked,
        } = self
        else {
            return true;
        };
        match policy.sees_own_service {
            Truth::Yes => true,
            Truth::Maybe => undefined_are_asked,
            Truth::No => false,
        }
    }

    /// Whether a tier that exempts the own node lets a connection through whatever its rules say
    /// (S54, S55).
    pub fn exempt(
        self,
        env: &Environment,
        pod: PodId,
        peer: Endpoint,
        mode: HostNetworkMode,
        direction: Direction,
    ) -> Truth {
        let pod = env.cluster.pod(pod);
        match (self, peer) {
            (Self::OwnService { .. }, _) => Truth::from(env.options.own_service),
            (Self::Untold | Self::Identity, _) => Truth::No,
            (Self::OfNode(own), _) => own,
            (Self::ByNode, Endpoint::Address(address)) => env.is_own_of_nodes(pod, address),
            _ => env.is_own_node(pod, peer, mode, direction),
        }
    }
}

/// The governed end and the other end of a flow in one direction.
pub fn side_of(flow: &Flow, direction: Direction) -> (Endpoint, Endpoint) {
    match direction {
        Direction::Egress => (flow.source, flow.destination),
        Direction::Ingress => (flow.destination, flow.source),
    }
}

/// One direction of one flow, while it is decided.
pub struct DirectionQuestion<'a> {
    /// The cluster, the policies and the options.
    pub env: &'a Environment,
    /// The flow.
    pub flow: &'a Flow,
    /// The governed pod, or what stands for a governed address.
    pub pod: PodId,
    /// The other end.
    pub peer: Endpoint,
    /// The direction.
    pub direction: Direction,
    /// What is fixed meanwhile.
    pub case: &'a Case,
    /// What policies may do that are not among the rules.
    pub taint: Tainted,
    /// The policies that may select the pod, where they are known: the others need not be asked.
    pub selecting: Option<&'a [PolicyId]>,
}

/// What unmodelled or broken policies may do to a pod in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tainted {
    /// Allow or deny anything.
    pub anything: bool,
    /// Isolate or allow in an unordered tier of the network plugin.
    pub unordered: bool,
    /// Deny.
    pub only_deny: bool,
}
