//! Domain names whose addresses the configuration tells (`cluster.dns.names`).

use crate::policy::rule::{AddressOwner, Peer, Peers, Policy};
use crate::set::IpSet;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Puts the addresses that are told in the place of names: a name that is told stands for exactly
/// its addresses, a pattern at least for those of the names that it takes.
pub fn tell_names(policy: &mut Policy, told: &BTreeMap<Box<str>, Vec<IpAddr>>) {
    if policy.is_of_plugin() {
        return; // it is lowered once more, from what is written
    }
    for rule in policy.rules.iter_mut().flatten() {
        let Peers::Of(list) = &rule.peers else {
            continue;
        };
        let is_domain = |peer: &Peer| matches!(peer, Peer::Domain(_));
        if list.iter().any(is_domain) {
            let each = list.iter().map(|peer| told_peer(peer, told));
            rule.peers = Peers::Of(each.collect());
        }
    }
}

fn told_peer(peer: &Peer, told: &BTreeMap<Box<str>, Vec<IpAddr>>) -> Peer {
    let Peer::Domain(name) = peer else {
        return peer.clone();
    };
    let wanted = name.trim_end_matches('.').to_ascii_lowercase();
    let addresses = |means: &dyn Fn(&str) -> bool| {
        let named = told.iter().filter(|(name, _)| means(name));
        IpSet::from_cidrs(named.flat_map(|(_, list)| list.iter().map(|a| IpNet::from(*a))))
    };
    match wanted.strip_prefix("*.") {
        None if told.contains_key(&*wanted) => {
            Peer::Owned(AddressOwner::NoPod, addresses(&|name| name == wanted))
        }
        None => peer.clone(),
        Some(domain) => {
            let found = addresses(&|name| {
                let label = name
                    .strip_suffix(domain)
                    .and_then(|rest| rest.strip_suffix('.'));
                label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
            });
            if found.is_empty() {
                return peer.clone();
            }
            let known = Peer::Owned(AddressOwner::NoPod, found);
            Peer::AnyOf(Arc::from([known, peer.clone()]))
        }
    }
}
