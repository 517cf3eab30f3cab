//! What passes between a workload and the internet: with whoever is there, or with blocks of it
//! that a rule names.
//!
//! A block that somebody can own is a flow by name; addresses that nobody owns together are anyone.
//! Rules are added up port by port, so that the halves of the internet are the internet.

use crate::audit::evidence::Evidence;
use crate::audit::fact::DecidedBy;
use crate::audit::sides::{admitting, ends};
use crate::model::WorkloadId;
use crate::policy::Direction;
use crate::query::list::entry::ListEntry;
use crate::query::list::listing::Party;
use crate::set::{Family, IpSet, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::collections::BTreeMap;

/// So many IPv4 addresses are anyone: a block of a /8.
const ANYONE_V4: u64 = 1 << 24;

/// A block of IPv6 with so short a prefix is anyone: nobody has a larger one than a /19.
const ANYONE_V6: u8 = 18;

/// What passes between a workload and the internet.
pub(crate) struct WithInternet {
    /// With anyone there, for certain.
    pub(crate) anyone: TrafficSet,
    /// With blocks of it, for certain.
    pub(crate) blocks: BTreeMap<IpSet, TrafficSet>,
    /// With some of it, perhaps.
    pub(crate) unknown: TrafficSet,
}

impl Evidence<'_> {
    /// What passes between a workload and the internet.
    pub(crate) fn with_internet(&self, workload: WorkloadId, direction: Direction) -> WithInternet {
        let entries = self.entries(workload, direction).iter();
        let found: Vec<(IpSet, &ListEntry)> = entries
            .filter_map(|entry| Some((internet_of(entry, direction)?, &**entry)))
            .collect();
        let sets: Vec<&TrafficSet> = found.iter().map(|(_, e)| &e.allowed.must).collect();
        let mut with = WithInternet {
            anyone: TrafficSet::empty(),
            blocks: BTreeMap::new(),
            unknown: TrafficSet::empty(),
        };
        for (traffic, members) in TrafficSet::partition(&sets) {
            // the last set of the family is all traffic
            let blocks = members.iter().filter_map(|i| found.get(i));
            let all = blocks.fold(IpSet::empty(), |all, (set, _)| all.union(set));
            if all.is_empty() {
                continue;
            }
            if is_anyone(&all) {
                with.anyone = with.anyone.union(&traffic);
            } else {
                let so_far = with.blocks.entry(all).or_insert_with(TrafficSet::empty);
                *so_far = so_far.union(&traffic);
            }
        }
        for (_, entry) in &found {
            with.unknown = with.unknown.union(&entry.allowed.unknown());
        }
        with.unknown = with.unknown.difference(&with.anyone);
        with
    }

    /// The rules that let some of the internet pass on some traffic.
    pub(crate) fn internet_rules(
        &self,
        workload: WorkloadId,
        direction: Direction,
        (addresses, traffic): (&IpSet, &TrafficSet),
    ) -> Vec<DecidedBy> {
        let mut rules = Vec::new();
        for entry in self.entries(workload, direction) {
            let set = internet_of(entry, direction).unwrap_or_else(IpSet::empty);
            let outside = set.intersection(addresses).first().map(Endpoint::Address);
            let traffic = entry.allowed.must.intersection(traffic).sample();
            let (Some(outside), Some(traffic)) = (outside, traffic) else {
                continue;
            };
            for pod in self.pods(workload) {
                let (source, destination) = ends(direction, Endpoint::Pod(*pod), outside);
                let flow = Flow {
                    source,
                    destination,
                    traffic,
                };
                for rule in admitting(self.of.graph, &flow, direction) {
                    if !rules.contains(&rule) {
                        rules.push(rule);
                    }
                }
            }
        }
        rules
    }
}

/// Whether nobody owns so much of the internet.
fn is_anyone(set: &IpSet) -> bool {
    let six = set.only(Family::V6).to_cidrs();
    set.v4_count() >= ANYONE_V4 || six.iter().any(|block| block.prefix_len() <= ANYONE_V6)
}

/// The part of the internet that an entry is about, if its other end is outside.
pub(crate) fn internet_of(entry: &ListEntry, direction: Direction) -> Option<IpSet> {
    let other = match direction {
        Direction::Ingress => &entry.source,
        Direction::Egress => &entry.destination,
    };
    let Party::Addresses(set) = other else {
        return None;
    };
    Some(set.intersection(&IpSet::internet())).filter(|set| !set.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_of_registries_are_anyone() {
        let is = |blocks: &[&str]| {
            let blocks = blocks.iter().map(|text| text.parse().unwrap());
            is_anyone(&IpSet::from_cidrs(blocks))
        };
        assert!(is(&["0.0.0.0/0"]) && is(&["8.0.0.0/9", "9.0.0.0/9"]) && is(&["2000::/3"]));
        assert!(!is(&["203.0.113.0/24"]) && !is(&["2a01:c000::/19"]) && !is(&[]));
    }
}
