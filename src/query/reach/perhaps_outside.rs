//! The outside addresses of which it is not told whether anything passes: what a tree, which shows
//! only what certainly passes, leaves out, and what an answer must still say (S131).

use crate::graph::Allowed;
use crate::set::{IpSet, TrafficSet};
use std::collections::BTreeMap;

/// What is seen of outside addresses on the way through a search.
#[derive(Debug, Clone, Default)]
pub(crate) struct PerhapsOutside {
    /// The addresses by the traffic that may pass, for all that is known.
    perhaps: BTreeMap<TrafficSet, IpSet>,
    /// The addresses by the traffic that certainly passes.
    surely: BTreeMap<TrafficSet, IpSet>,
}

impl PerhapsOutside {
    /// Keeps what passes between a pod and some addresses, of the traffic that is asked about.
    pub(crate) fn add(&mut self, addresses: &IpSet, allowed: &Allowed, asked: &TrafficSet) {
        let surely = allowed.must.intersection(asked);
        let perhaps = allowed.may.difference(&allowed.must).intersection(asked);
        for (traffic, kept) in [(surely, &mut self.surely), (perhaps, &mut self.perhaps)] {
            if !traffic.is_empty() {
                let known = kept.entry(traffic).or_insert_with(IpSet::empty);
                *known = known.union(addresses);
            }
        }
    }

    /// The addresses that nothing else connects by the same traffic, with that traffic.
    pub(crate) fn unknown(&self) -> Vec<(IpSet, TrafficSet)> {
        let left = self.perhaps.iter().map(|(traffic, addresses)| {
            let known = self.surely.iter().filter(|(t, _)| traffic.is_subset(t));
            let left = known.fold(addresses.clone(), |left, (_, set)| left.difference(set));
            (left, traffic.clone())
        });
        left.filter(|(left, _)| !left.is_empty()).collect()
    }
}
