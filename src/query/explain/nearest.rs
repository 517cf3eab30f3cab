//! The rule that came closest to admitting a flow: the one that needs the least change.
//!
//! Changes are weighed, not counted. A policy that names the labels of the other end and lacks only
//! its namespace was written with that end in mind; one that selects other pods, or pods of its own
//! namespace whoever they are, was not. Of equal weights the rule with the matching peer is
//! preferred, then the one whose peer the other end fulfils in more of what it asks for, then the
//! first.
//!
//! The road not taken: counting mismatches makes `podSelector: {}` in another namespace as close as
//! the very labels of the other end there, and two namespace labels farther than somebody else's
//! pods. Cost: O(peers of the rules).

use crate::model::Truth;
use crate::query::explain::side::{Mismatch, PeerTrace, RuleTrace};
use std::cmp::Reverse;

/// What it takes to make something match; the larger, the farther.
type Weight = usize;

/// The ports of a rule are not those that are asked about.
const PORTS: Weight = 2;
/// The namespace of the other end is not among those that a peer asks for.
const NAMESPACE: Weight = 2;
/// The other end lacks a label.
const LABEL: Weight = 3;
/// The address is not in the block.
const ADDRESS: Weight = 4;
/// The peer is of another kind: a block where the other end is a pod, pods where it is an address.
const KIND: Weight = 6;
/// Nothing that a peer asks for is said of the other end.
const SAYS_NOTHING: Weight = 3;

/// The rule that came closest to matching.
pub(crate) fn nearest(rules: &[&RuleTrace]) -> Option<RuleTrace> {
    let closest = rules.iter().min_by_key(|rule| (distance(rule), rule.at));
    closest.map(|rule| (*rule).clone())
}

/// The peer of a rule that came closest to matching, if the rule has peers.
pub fn nearest_peer(rule: &RuleTrace) -> Option<&PeerTrace> {
    let peers = rule.peers.iter();
    peers.min_by_key(|peer| (weight(peer), Reverse(peer.fulfilled), peer.at))
}

fn distance(rule: &RuleTrace) -> (Weight, Weight, Reverse<usize>) {
    let peer = nearest_peer(rule);
    let (of_peer, fulfilled) = peer.map_or((0, 0), |p| (weight(p), p.fulfilled));
    let speaks_of_it = of_peer > 0 || fulfilled > 0;
    let of_ports = match (rule.ports, speaks_of_it) {
        (true, _) => 0,
        (false, true) => PORTS,
        (false, false) => PORTS + 1,
    };
    (of_peer + of_ports, of_peer, Reverse(fulfilled))
}

/// What it takes to make a peer match; nothing where it does.
fn weight(peer: &PeerTrace) -> Weight {
    if peer.matched == Truth::Yes {
        return 0;
    }
    let each: Weight = peer.mismatches.iter().map(of_mismatch).sum();
    // what lacks several labels of one namespace lacks one namespace
    let namespaces = peer.mismatches.iter().filter(|m| is_of_namespace(m));
    let counted_again = namespaces.count().saturating_sub(1) * (NAMESPACE - 1);
    let is_about_pods = peer
        .mismatches
        .iter()
        .all(|m| is_of_namespace(m) || is_label(m));
    let unspecific = is_about_pods && peer.fulfilled == 0;
    let weight = each - counted_again + if unspecific { SAYS_NOTHING } else { 0 };
    weight.max(1)
}

fn of_mismatch(mismatch: &Mismatch) -> Weight {
    match mismatch {
        Mismatch::PodLabel(_) | Mismatch::PodLabelUnknown(_) => LABEL,
        Mismatch::NotInBlock | Mismatch::AddressUnknown => ADDRESS,
        Mismatch::NotAPod | Mismatch::BlocksSkipPods => KIND,
        m if is_of_namespace(m) => NAMESPACE,
        _ => ADDRESS,
    }
}

fn is_label(mismatch: &Mismatch) -> bool {
    matches!(
        mismatch,
        Mismatch::PodLabel(_) | Mismatch::PodLabelUnknown(_)
    )
}

fn is_of_namespace(mismatch: &Mismatch) -> bool {
    matches!(
        mismatch,
        Mismatch::WrongNamespace(_)
            | Mismatch::NamespaceLabel(_)
            | Mismatch::NamespaceUnknown(_)
            | Mismatch::NamespaceRelation
    )
}
