//! Who passes and who does not, where the pods or addresses of one pair of ends fare differently.
//!
//! The endpoints of both ends are put into groups of which every source fares alike with every
//! destination. Cost: one comparison for each pair of endpoints; more than [`MOST`] of them are not
//! told apart.

use crate::model::PodId;
use crate::query::ask::verdict::Verdict;
use crate::set::{IpSet, TrafficSet};
use indexmap::IndexMap;
use std::net::IpAddr;

/// The most pairs of endpoints that are told apart.
pub(crate) const MOST: usize = 100_000;

/// Endpoints of one end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartMembers {
    /// Pods of a workload.
    Pods(Vec<PodId>),
    /// Addresses.
    Addresses(IpSet),
}

/// Sources and destinations of one pair of ends that fare alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The sources.
    pub sources: PartMembers,
    /// The destinations.
    pub destinations: PartMembers,
    /// How they fare.
    pub fate: Fate,
}

impl Part {
    /// The addresses of the part that an address is one of.
    pub(crate) fn around(&self, address: IpAddr) -> Option<&IpSet> {
        let ends = [&self.sources, &self.destinations].into_iter();
        let mut sets = ends.filter_map(|members| match members {
            PartMembers::Addresses(set) => Some(set),
            PartMembers::Pods(_) => None,
        });
        sets.find(|set| set.contains(address))
    }
}

/// How one source fares with one destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fate {
    /// The verdict.
    pub verdict: Verdict,
    /// What is allowed of what was asked.
    pub allowed: TrafficSet,
    /// What is unknown of it.
    pub unknown: TrafficSet,
    /// What is blocked of it.
    pub blocked: TrafficSet,
}

/// One endpoint of an end, with its place in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PartMember {
    Pod(PodId),
    Addresses(IpSet),
}

/// Puts endpoints that fare alike together. `fate` is asked about every source and destination, and
/// has no answer for those that are not meant. Nothing if all fare alike.
pub(crate) fn parts(
    sources: &[PartMember],
    destinations: &[PartMember],
    mut fate: impl FnMut(usize, usize) -> Option<Fate>,
) -> Vec<Part> {
    let mut rows: IndexMap<Vec<Option<Fate>>, Vec<usize>> = IndexMap::new();
    for to in 0..destinations.len() {
        let row = (0..sources.len()).map(|from| fate(from, to)).collect();
        rows.entry(row).or_default().push(to);
    }
    let mut found = Vec::new();
    for (row, to) in rows {
        let mut by_fate: IndexMap<Fate, Vec<usize>> = IndexMap::new();
        for (from, fate) in row.into_iter().enumerate() {
            if let Some(fate) = fate {
                by_fate.entry(fate).or_default().push(from);
            }
        }
        found.extend(by_fate.into_iter().map(|(fate, from)| Part {
            sources: together(sources, &from),
            destinations: together(destinations, &to),
            fate,
        }));
    }
    if found.len() < 2 {
        return Vec::new();
    }
    found.sort_by_key(|part| order(part.fate.verdict));
    found
}

/// Who passes comes first, then who passes on some ports, then who does not.
fn order(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Yes => 0,
        Verdict::Partly => 1,
        Verdict::No => 2,
        Verdict::Unknown => 3,
    }
}

fn together(members: &[PartMember], chosen: &[usize]) -> PartMembers {
    let (mut pods, mut addresses) = (Vec::new(), IpSet::empty());
    for member in chosen.iter().filter_map(|i| members.get(*i)) {
        match member {
            PartMember::Pod(pod) => pods.push(*pod),
            PartMember::Addresses(set) => addresses = addresses.union(set),
        }
    }
    if pods.is_empty() {
        PartMembers::Addresses(addresses)
    } else {
        PartMembers::Pods(pods)
    }
}
