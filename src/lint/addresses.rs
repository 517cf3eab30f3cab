//! Blocks of addresses and the internet: which blocks count as the internet, as all of it, and
//! which part of a rule opens it.
//!
//! Cost: O(ranges of the block).

use crate::lint::peers::peers;
use crate::policy::{Peer, Peers, Rule, RuleRef};
use crate::set::{Family, IpSet};
use ipnet::IpNet;

/// The part of a rule that opens the internet: the rule itself when it does not restrict peers,
/// otherwise its first block that holds a public range wider than /8 (see [`is_wide`]).
pub(crate) fn internet_part(rule_ref: RuleRef, rule: &Rule) -> Option<RuleRef> {
    match &rule.peers {
        Peers::Any => Some(rule_ref),
        Peers::Of(_) => {
            let public = |p: &Peer| matches!(p, Peer::Addresses(set) if is_wide(set));
            peers(rule)
                .iter()
                .position(public)
                .map(|i| rule_ref.with_peer(i))
        }
    }
}

/// Whether a set holds a public range wider than /8 (IPv4) or /16 (IPv6).
pub(crate) fn is_wide(set: &IpSet) -> bool {
    let public = set.intersection(&IpSet::internet());
    public.to_cidrs().iter().any(|c| match c {
        IpNet::V4(net) => net.prefix_len() < 8,
        IpNet::V6(net) => net.prefix_len() < 16,
    })
}

/// Whether a set holds all public addresses of a family.
pub(crate) fn is_everything(set: &IpSet) -> bool {
    Family::ALL
        .into_iter()
        .any(|family| IpSet::internet().only(family).is_subset(set))
}
