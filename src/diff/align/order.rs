//! The roll: all ends in one order in which those that rules take together are neighbours, and sets
//! of them as runs.
//!
//! Positions follow the first place of an end on the before side's line, then on the after side's;
//! blocks of addresses come last. What a run of either line selects is then a run of positions, or
//! a few. [`Parties`] are such runs until somebody wants their names. Cost: O(ends log ends) to
//! build; how many parties there are, and which of them comes first in the input, costs O(runs) and
//! O(runs log ends).

use crate::compile::peer_sets::EndpointSet;
use crate::diff::Party;
use crate::diff::align::alignment::{End, EndIx, Members};
use crate::set::{IntervalSet, IpSet};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The ends, in the order of their places.
#[derive(Debug)]
pub struct EndpointOrder {
    /// The ends; those that are no workloads last.
    pub ends: Vec<End>,
    /// The end at each position.
    pub order: Vec<EndIx>,
    /// The position of each end.
    pub position: Vec<u32>,
    /// How many workloads stand before each position.
    before: Vec<u64>,
    /// How many of them are lone pods on both sides.
    lone: Vec<u64>,
    /// The least end of each pair, pair of pairs and so on; the ends themselves from the middle on.
    least: Vec<u32>,
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl EndpointOrder {
    /// Sorts the ends; `lone` tells of an end how many of its workloads are a lone pod on both
    /// sides.
    pub fn new(ends: Vec<End>, lone: impl Fn(&End) -> u64) -> Arc<Self> {
        let mut order: Vec<EndIx> = (0..ends.len()).collect();
        let first = |places: &crate::diff::align::alignment::Places| {
            places.first().map(|(place, _)| *place)
        };
        order.sort_by_cached_key(|e| {
            (
                ends[*e].is_outside(),
                first(&ends[*e].before),
                first(&ends[*e].after),
                *e,
            )
        });
        let mut position = vec![0; ends.len()];
        let (mut before, mut lones) = (vec![0], vec![0]);
        for (at, end) in order.iter().enumerate() {
            position[*end] = number(at);
            let outside = ends[*end].is_outside();
            before.push(before[at] + if outside { 0 } else { ends[*end].weight() });
            lones.push(lones[at] + if outside { 0 } else { lone(&ends[*end]) });
        }
        let mut least = vec![u32::MAX; ends.len()];
        least.extend(order.iter().map(|end| number(*end)));
        for at in (1..ends.len()).rev() {
            least[at] = least[2 * at].min(least[2 * at + 1]);
        }
        Arc::new(Self {
            ends,
            order,
            position,
            before,
            lone: lones,
            least,
        })
    }

    /// The first position that is no workload.
    pub fn outside(&self) -> u32 {
        number(
            self.order
                .partition_point(|end| !self.ends[*end].is_outside()),
        )
    }

    /// All positions, or those of workloads only.
    pub fn all(&self, outside: bool) -> EndpointSet {
        let end = if outside {
            number(self.ends.len())
        } else {
            self.outside()
        };
        end.checked_sub(1)
            .map_or_else(EndpointSet::empty, |last| EndpointSet::from(0..=last))
    }

    /// One position for each of these ends.
    pub fn positions<'e>(&self, ends: impl IntoIterator<Item = &'e EndIx>) -> EndpointSet {
        ends.into_iter()
            .map(|end| self.position[*end]..=self.position[*end])
            .collect()
    }

    /// The end that stands at a position.
    pub fn at(&self, position: u32) -> EndIx {
        self.order[position as usize]
    }

    /// How many workloads stand from one position to another.
    pub fn weight(&self, first: u32, last: u32) -> u64 {
        self.before[last as usize + 1] - self.before[first as usize]
    }

    /// How many workloads are at these positions.
    pub fn workloads(&self, positions: &EndpointSet) -> u64 {
        positions
            .ranges()
            .map(|(first, last)| self.weight(first, last))
            .sum()
    }

    /// How many of them are lone pods, which have no flow with themselves.
    pub fn lone(&self, positions: &EndpointSet) -> u64 {
        let lone =
            |(first, last): (u32, u32)| self.lone[last as usize + 1] - self.lone[first as usize];
        positions.ranges().map(lone).sum()
    }

    /// The end among these positions that comes first in the input.
    pub fn first(&self, positions: &EndpointSet) -> Option<EndIx> {
        positions
            .ranges()
            .map(|(first, last)| self.least(first as usize, last as usize + 1))
            .min()
    }

    fn least(&self, first: usize, end: usize) -> EndIx {
        let many = self.ends.len();
        let (mut low, mut high, mut found) = (first + many, end + many, u32::MAX);
        while low < high {
            if low & 1 == 1 {
                found = found.min(self.least[low]);
                low += 1;
            }
            if high & 1 == 1 {
                high -= 1;
                found = found.min(self.least[high]);
            }
            (low, high) = (low / 2, high / 2);
        }
        found as usize
    }

    /// The parties at these positions: in the order of the after side, addresses melted into one
    /// block at the end.
    fn parties(&self, positions: &EndpointSet) -> Vec<Party> {
        let mut parties = Vec::new();
        let mut addresses = Vec::new();
        for position in positions.points() {
            let end = &self.ends[self.at(position)];
            match &end.members {
                Members::Workloads(_) => parties.extend(end.parties()),
                Members::Addresses(set) => addresses.push(set),
            }
        }
        parties.sort_by_key(|p| {
            if let Party::Workload(_, a) = p {
                Some(*a)
            } else {
                None
            }
        });
        if !addresses.is_empty() {
            let v4 = IntervalSet::union_of(addresses.iter().map(|set| &set.v4));
            let v6 = IntervalSet::union_of(addresses.iter().map(|set| &set.v6));
            parties.push(Party::Addresses(IpSet { v4, v6 }));
        }
        parties
    }

    /// The workloads at these positions, end by end.
    fn by_end(&self, positions: &EndpointSet) -> Vec<Party> {
        let mut ends: Vec<EndIx> = positions.points().map(|p| self.at(p)).collect();
        ends.sort_unstable();
        ends.into_iter()
            .flat_map(|end| self.ends[end].parties())
            .collect()
    }
}

/// Ends of a change. Their names are put together when somebody looks at them: a slice in every
/// other way.
#[derive(Clone)]
pub struct Parties {
    of: Of,
    named: OnceLock<Vec<Party>>,
}

#[derive(Clone)]
enum Of {
    /// These.
    Listed,
    /// What stands at positions of the roll; end by end or in the order of the after side.
    EndpointOrder {
        roll: Arc<EndpointOrder>,
        positions: EndpointSet,
        by_end: bool,
    },
}

impl Parties {
    /// Given parties.
    pub fn listed(parties: Vec<Party>) -> Self {
        Self {
            of: Of::Listed,
            named: OnceLock::from(parties),
        }
    }

    /// What stands at some positions, in the order of the after side.
    pub(crate) fn on(roll: &Arc<EndpointOrder>, positions: EndpointSet) -> Self {
        Self {
            of: Of::EndpointOrder {
                roll: Arc::clone(roll),
                positions,
                by_end: false,
            },
            named: OnceLock::new(),
        }
    }

    /// Workloads at some positions, end by end.
    pub(crate) fn by_end(roll: &Arc<EndpointOrder>, positions: EndpointSet) -> Self {
        Self {
            of: Of::EndpointOrder {
                roll: Arc::clone(roll),
                positions,
                by_end: true,
            },
            named: OnceLock::new(),
        }
    }

    /// How many there are; all addresses together count once. Names nobody.
    pub fn count(&self) -> u64 {
        match &self.of {
            Of::Listed => self.iter().len() as u64,
            Of::EndpointOrder {
                roll, positions, ..
            } => {
                let outside = positions
                    .ranges()
                    .next_back()
                    .is_some_and(|(_, last)| last >= roll.outside());
                roll.workloads(positions) + u64::from(outside)
            }
        }
    }
}

impl Deref for Parties {
    type Target = [Party];

    fn deref(&self) -> &[Party] {
        self.named.get_or_init(|| match &self.of {
            Of::Listed => Vec::new(),
            Of::EndpointOrder {
                roll,
                positions,
                by_end: true,
            } => roll.by_end(positions),
            Of::EndpointOrder {
                roll,
                positions,
                by_end: false,
            } => roll.parties(positions),
        })
    }
}

impl fmt::Debug for Parties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Parties {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Parties {}
