//! Policy kinds that are recognized and not modelled, and which verdicts each can touch.
//!
//! A kind is decided by group and kind together: Calico, Antrea, AWS, NSX and Kube-OVN reuse kind
//! names. [`KINDS`] says of each kind what an object of it can touch ([`TaintReach`]): which pods,
//! in which directions, and whether it can only deny. Kinds that play no part in permission are
//! listed too ([`NO_PART`]), because a kind of a known group that is in neither table taints
//! everything it may govern.
//!
//! Invariant: a reach never leaves out a pod or a direction that the object can govern; where the
//! object cannot be read that far, it is everything of its namespace or of the cluster. Cost: a
//! look through the table for each object of an unknown kind. Road not taken: one taint for each
//! kind, whatever the object says; it made most answers unknown.

mod fields;
mod kinds;
mod meshes;
mod nodes;
mod read;
mod selectors;
mod separate_networks;
mod spared;
mod taint_reach;
mod unlisted;

pub use crate::policy::unmodelled::kinds::{KINDS, NO_PART, RecognizedKind};
pub use crate::policy::unmodelled::selectors::{label_selector, uses_plugin_labels};
pub use crate::policy::unmodelled::spared::{SparedPeers, SparedPods};
pub use crate::policy::unmodelled::taint_reach::{
    MeshMarks, TaintNamespaces, TaintNodes, TaintPods, TaintReach,
};
pub use crate::policy::unmodelled::unlisted::unlisted_reach;

use crate::policy::taint::TaintEffect;
use crate::tree::SyntaxNode;

/// What netpal knows of an object by its group and kind.
pub enum Recognized {
    /// A policy kind that is not modelled.
    Policy(&'static RecognizedKind),
    /// A kind of a known group that netpal has never heard of.
    UnknownKind,
    /// A kind of an unknown group whose name sounds like a policy.
    SoundsLikePolicy,
    /// No policy.
    NoPart,
}

/// The endings of kinds that sound like a policy.
const POLICY_WORDS: [&str; 6] = [
    "Policy",
    "SecurityGroup",
    "Firewall",
    "Intention",
    "TrafficTarget",
    "Permission",
];

/// Kinds of well known groups whose name ends like that of a network policy and which have nothing
/// to do with the network.
const OTHER_POLICIES: [&str; 4] = [
    "policy",
    "kyverno.io",
    "admissionregistration.k8s.io",
    "gateway.networking.k8s.io",
];

/// Looks a kind up.
pub fn recognize(group: &str, kind: &str) -> Recognized {
    if let Some(known) = find(group, kind) {
        return Recognized::Policy(known);
    }
    if NO_PART
        .iter()
        .any(|(g, kinds)| *g == group && kinds.contains(&kind))
    {
        return Recognized::NoPart;
    }
    if KINDS.iter().any(|k| k.group == group) {
        return Recognized::UnknownKind;
    }
    let sounds = POLICY_WORDS.iter().any(|word| kind.ends_with(word));
    if sounds && !OTHER_POLICIES.contains(&group) {
        Recognized::SoundsLikePolicy
    } else {
        Recognized::NoPart
    }
}

/// The row of a recognized kind, in any version of its group.
pub fn find(group: &str, kind: &str) -> Option<&'static RecognizedKind> {
    KINDS.iter().find(|k| k.group == group && k.kind == kind)
}

/// How far a policy of a kind reaches whose rules are not read, whatever its group.
pub fn reach_of(kind: &str, node: &SyntaxNode) -> Vec<TaintReach> {
    match kind {
        "NetworkPolicy" if read::is_plain(node) => read::of_pod_selector(node),
        "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy" | "ClusterNetworkPolicy" => {
            read::of_subject(node)
        }
        _ => match KINDS
            .iter()
            .find(|k| k.kind == kind && kind != "NetworkPolicy")
        {
            Some(known) => (known.reach)(node),
            None => read::anything(node),
        },
    }
}

/// All pods and all nodes of the cluster, in both directions.
pub fn anywhere() -> Vec<TaintReach> {
    let both = [true, true];
    let pods = TaintReach::own(TaintEffect::Anything, both).namespaces(TaintNamespaces::All);
    vec![pods, TaintReach::nodes(both, nodes::any_node())]
}

/// How far a policy of Calico reaches that cannot be read.
pub fn reach_of_calico(node: &SyntaxNode) -> Vec<TaintReach> {
    read::of_calico(node)
}

/// How far a policy of Antrea reaches that cannot be read.
pub fn reach_of_antrea(node: &SyntaxNode) -> Vec<TaintReach> {
    read::of_antrea(node)
}

/// What an unknown kind of a known group could touch: of a service mesh, ingress that it denies;
/// else everything.
pub fn unknown_reach(group: &str, node: &SyntaxNode) -> Vec<TaintReach> {
    const MESHES: [&str; 7] = [
        "security.istio.io",
        "rbac.istio.io",
        "authentication.istio.io",
        "policy.linkerd.io",
        "consul.hashicorp.com",
        "kuma.io",
        "access.smi-spec.io",
    ];
    if MESHES.contains(&group) {
        meshes::deny_ingress(node)
    } else {
        read::anything(node)
    }
}

pub use crate::policy::unmodelled::read::{PRIMARY_NETWORK_LABEL, of_bare_spec};
