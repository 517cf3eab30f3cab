//! The peers of a rule, and the kinds of peers that several rules look for.
//!
//! Everything here is decided by the peer alone, whatever pods there are. Cost: O(requirements).

use crate::policy::{Namespaces, Peer, Peers, Policy, Rule};

/// Workloads of the control plane that run on the node's network wherever they run as pods.
const CONTROL_PLANE: [&str; 4] = [
    "kube-apiserver",
    "openshift-kube-apiserver",
    "etcd",
    "kube-controller-manager",
];

/// The peers of a rule; none when it does not restrict them.
pub fn peers(rule: &Rule) -> &[Peer] {
    if let Peers::Of(list) = &rule.peers {
        list
    } else {
        &[]
    }
}

/// Whether a peer that is neither pods nor blocks may stand for any address.
pub(crate) fn may_be_any_address(peer: &Peer) -> bool {
    match peer {
        Peer::Nodes(_)
        | Peer::Symbol(_)
        | Peer::Owned(..)
        | Peer::AnyOf(_)
        | Peer::AllOf(_)
        | Peer::NoneOf(_)
        | Peer::Unreadable { .. } => true,
        Peer::Addresses(_) | Peer::Pods(..) | Peer::Domain(_) => false,
    }
}

/// Whether a peer selects pods of the policy's own namespace alone.
pub(crate) fn is_own_namespace(peer: &Peer, policy: &Policy) -> bool {
    matches!(peer, Peer::Pods(Namespaces::Named(n), _) if Some(n) == policy.namespace.as_ref())
}

/// Whether a peer is every pod of every namespace.
pub(crate) fn is_every_pod(peer: &Peer) -> bool {
    matches!(peer, Peer::Pods(Namespaces::Matching(s), pods)
        if s.is_everything() && pods.is_everything())
}

/// The name of a workload of the control plane among the label values that a peer selects by.
pub(crate) fn control_plane_name(peer: &Peer) -> Option<&str> {
    let Peer::Pods(_, pods) = peer else {
        return None;
    };
    let values = pods
        .requirements()
        .iter()
        .flat_map(|r| r.values().iter().map(|v| &**v));
    values.into_iter().find(|v| CONTROL_PLANE.contains(v))
}
