//! Layers and tiers as data: where a policy is asked, and what happens when it does not decide.
//!
//! A verdict is the AND of *layers*, which are independent enforcement points: the network plugin,
//! a service mesh, an egress firewall. A layer is a list of *tiers* in order, for each direction. A
//! tier holds policies of one kind of precedence ([`TierMode`]); what it does not decide goes on to
//! the next tier, or ends in Deny for the endpoints that it isolates ([`TierEnd`]). Behind the last
//! tier of a layer everything is allowed.
//!
//! ```text
//! layer "cluster network":   Admin  ->  NetworkPolicy  ->  Baseline  ->  allowed
//!                           ordered     isolates           ordered
//! ```
//!
//! A dialect brings its tiers along ([`PolicySet::tier`](super::PolicySet::tier)): the engines walk
//! the table and know no tier by name. Invariant: tiers are numbered in the order in which they
//! were added, and walked in the order of [`Tier::layer`] and [`Tier::order`]. Road not taken: an
//! enum of tiers, which every engine and renderer would have to match on.

use std::borrow::Cow;

/// Index of a tier in the table of its policy set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TierIx(pub u16);

impl TierIx {
    /// The tier's place in the table.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An enforcement point of its own. A flow passes if every layer lets it, so their order has no
/// effect on a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerIx(pub u8);

impl LayerIx {
    /// The network plugin, which enforces the Kubernetes policy APIs.
    pub const CLUSTER_NETWORK: Self = Self(0);
    /// What stops connections that leave the cluster.
    pub const EGRESS_FIREWALL: Self = Self(1);
    /// The networks that pods are on: without one in common there is no way.
    pub const NETWORKS: Self = Self(2);
    /// The proxies of Istio.
    pub const ISTIO: Self = Self(3);
    /// The proxies of Linkerd.
    pub const LINKERD: Self = Self(4);
    /// What nodes let in to be forwarded, where Calico polices their interfaces.
    pub const FORWARDED_IN: Self = Self(5);
    /// What nodes let out of what they forward.
    pub const FORWARDED_OUT: Self = Self(6);
    /// What the processes of nodes send and receive there.
    pub const HOSTS: Self = Self(7);
    /// Objects that are not modelled and surely leave some peers alone.
    pub const UNMODELLED: Self = Self(8);

    /// Whether it stands at the interfaces of nodes.
    pub const fn is_of_hosts(self) -> bool {
        matches!(self, Self::FORWARDED_IN | Self::FORWARDED_OUT | Self::HOSTS)
    }
}

/// What policies of equal priority do in an ordered tier where they disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ties {
    /// The API leaves it open: every one of their outcomes is possible (S73, S103).
    Undefined,
    /// The policy whose name sorts first is asked first.
    ByName,
    /// Their rules are asked by their places in their policies: the first rule of each, then the
    /// second ones. Where rules of one place disagree, every one of their outcomes is possible.
    ByPosition,
}

/// Which traffic between a pod and its own node a tier lets through whatever its rules say (S55).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OwnNode {
    /// None.
    Policed,
    /// What the node sends to the pod.
    MayCall,
    /// What either sends, and a pod's connection to itself through its own Service (S54).
    Exempt,
}

/// How the policies of a tier combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TierMode {
    /// By priority, then rule by rule: the first match decides.
    Ordered(Ties),
    /// Without an order: allows add up, and a rule that denies wins over all that allow.
    Unordered,
}

/// What becomes of traffic that no rule of a tier decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TierEnd {
    /// It goes on to the next tier.
    Pass,
    /// It is denied for the endpoints that a policy of the tier isolates (S11), and goes on
    /// otherwise.
    DenyIsolated,
    /// The same, when the tiers behind it in its layer have not decided either.
    DenyIsolatedLast,
}

/// How pods that share their node's network are treated by the policies of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPods {
    /// Never selected, as subject or as peer (S78, S109).
    Excluded,
    /// The API leaves it open (S56).
    Undefined,
    /// Never selected as a peer; as subjects the policies are for nodes, and for the pods on their
    /// networks as these.
    AsNodes,
}

/// The stable codes of decisions that a tier's rules make, as `why` prints them.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TierCodes {
    /// A rule of the tier allows.
    pub allow: &'static str,
    /// A rule of the tier denies.
    pub deny: &'static str,
}

/// One tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// What it is called in answers: `Admin`, `NetworkPolicy`.
    pub name: Cow<'static, str>,
    /// What its policies are called together: `NetworkPolicies`.
    pub policies: &'static str,
    /// The layer it belongs to.
    pub layer: LayerIx,
    /// Its place inside the layer; lower is asked first. Tiers of equal order are asked as added.
    pub order: i32,
    /// How its policies combine.
    pub mode: TierMode,
    /// What becomes of traffic that no rule decides.
    pub end: TierEnd,
    /// Where the action Pass leads: to this tier, or to the next one (S75, S106).
    pub pass_to: Option<TierIx>,
    /// How its policies treat host-network pods.
    pub host_pods: HostPods,
    /// What is exempt of the traffic between a pod and its own node.
    pub own_node: OwnNode,
    /// The codes of its decisions; none where a tier shares the general ones.
    pub codes: Option<&'static TierCodes>,
}

impl Tier {
    /// Whether its policies have an order.
    pub fn is_ordered(&self) -> bool {
        matches!(self.mode, TierMode::Ordered(_))
    }
}

/// The tiers of the Kubernetes policy APIs, by their fixed indexes.
pub mod kubernetes {
    use super::{
        Cow, HostPods, LayerIx, OwnNode, Tier, TierCodes, TierEnd, TierIx, TierMode, Ties,
    };

    /// `AdminNetworkPolicy` and `ClusterNetworkPolicy` of tier Admin (S70, S100).
    pub const ADMIN: TierIx = TierIx(0);
    /// `NetworkPolicy` (S10-S19).
    pub const NETWORK: TierIx = TierIx(1);
    /// `BaselineAdminNetworkPolicy` and `ClusterNetworkPolicy` of tier Baseline (S89, S100).
    pub const BASELINE: TierIx = TierIx(2);

    /// The codes of the Admin tier.
    pub const ADMIN_CODES: TierCodes = TierCodes {
        allow: "ALLOW_ADMIN",
        deny: "DENY_ADMIN",
    };
    /// The codes of the Baseline tier.
    pub const BASELINE_CODES: TierCodes = TierCodes {
        allow: "ALLOW_BASELINE",
        deny: "DENY_BASELINE",
    };

    /// The rows of the table that every policy set starts with. Orders leave room for the tiers of
    /// other dialects in between.
    pub fn tiers() -> Vec<Tier> {
        vec![
            ordered("Admin", 100, &ADMIN_CODES),
            Tier {
                name: Cow::Borrowed("NetworkPolicy"),
                policies: "NetworkPolicies",
                layer: LayerIx::CLUSTER_NETWORK,
                order: 200,
                mode: TierMode::Unordered,
                end: TierEnd::DenyIsolated,
                pass_to: None,
                host_pods: HostPods::Undefined,
                own_node: OwnNode::Exempt,
                codes: None,
            },
            ordered("Baseline", 300, &BASELINE_CODES),
        ]
    }

    fn ordered(name: &'static str, order: i32, codes: &'static TierCodes) -> Tier {
        Tier {
            name: Cow::Borrowed(name),
            policies: "admin policies",
            layer: LayerIx::CLUSTER_NETWORK,
            order,
            mode: TierMode::Ordered(Ties::Undefined),
            end: TierEnd::Pass,
            pass_to: None,
            host_pods: HostPods::Excluded,
            own_node: OwnNode::Policed,
            codes: Some(codes),
        }
    }
}
