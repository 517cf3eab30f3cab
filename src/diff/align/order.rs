//! The order of the aligned ends: ends that rules select together are neighbours, so that sets of
//! them are few ranges of positions.
//!
//! Positions follow the first index of an end in the before side's endpoint space, then in the
//! after side's; blocks of addresses come last. A range of indices of either side is then a range
//! of positions, or a few. Example: classes of namespace `a` are indices 0-99 before and 20-119
//! after; a row whose sources are "all of `a`" is one range on either side, and one range of
//! positions, whichever side it is read from.
//!
//! [`Parties`] are such ranges until their names are read. Cost: O(ends log ends) to build; the
//! number of parties costs O(ranges), and the first of them in the input O(ranges log ends).

use crate::diff::align::endpoint::{AlignedEnd, DiffParty, EndIx, EndMembers, EndpointIndices};
use crate::diff::align::position::{PositionIx, PositionSet};
use crate::set::{IntervalSet, IpSet, Ix, Point, Table};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The aligned ends with their positions.
#[derive(Debug)]
pub struct EndpointOrder {
    /// The ends, in input order; workloads first.
    pub ends: Vec<AlignedEnd>,
    /// The end at each position.
    pub by_position: Table<PositionIx, EndIx>,
    /// The position of each end.
    pub position: Vec<PositionIx>,
    /// How many workloads come before each position.
    workloads_before: Vec<u64>,
    /// How many of them are single pods on both sides.
    single_pods_before: Vec<u64>,
    /// A segment tree of minima: the ends by position in its second half, and in the first half the
    /// least end below each inner node.
    least: Vec<EndIx>,
}

impl EndpointOrder {
    /// Sorts the ends; `single_pods` counts the workloads of an end that are a single pod on both
    /// sides.
    pub fn new(ends: Vec<AlignedEnd>, single_pods: impl Fn(&AlignedEnd) -> u64) -> Arc<Self> {
        let mut by_position: Vec<EndIx> = (0..ends.len()).collect();
        let first = |indices: &EndpointIndices| indices.first().map(|(index, _)| *index);
        by_position.sort_by_cached_key(|e| {
            (
                ends[*e].is_external(),
                first(&ends[*e].before),
                first(&ends[*e].after),
                *e,
            )
        });
        let mut position = vec![PositionIx::MIN; ends.len()];
        let (mut workloads_before, mut single_pods_before) = (vec![0], vec![0]);
        for (at, end) in by_position.iter().enumerate() {
            position[*end] = PositionIx::bounded(at);
            let end = &ends[*end];
            let (workloads, single) = if end.is_external() {
                (0, 0)
            } else {
                (end.weight(), single_pods(end))
            };
            workloads_before.push(workloads_before[at] + workloads);
            single_pods_before.push(single_pods_before[at] + single);
        }
        let mut least = vec![EndIx::MAX; ends.len()];
        least.extend(&by_position);
        for node in (1..ends.len()).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Arc::new(Self {
            ends,
            by_position: Table::of_bounded(by_position),
            position,
            workloads_before,
            single_pods_before,
            least,
        })
    }

    /// The first position of a block of addresses.
    pub fn external_start(&self) -> PositionIx {
        let ends = &self.by_position;
        PositionIx::bounded(ends.partition_point(|end| !self.ends[*end].is_external()))
    }

    /// All positions, or those of workloads only.
    pub fn all(&self, include_external: bool) -> PositionSet {
        let end = if include_external {
            PositionIx::bounded(self.ends.len())
        } else {
            self.external_start()
        };
        PositionSet::first_of(end.number())
    }

    /// The positions of these ends.
    pub fn positions<'e>(&self, ends: impl IntoIterator<Item = &'e EndIx>) -> PositionSet {
        ends.into_iter().map(|end| self.position[*end]).collect()
    }

    /// The end at a position.
    pub fn end_at(&self, position: PositionIx) -> EndIx {
        self.by_position[position]
    }

    /// How many workloads lie in a range of positions, `last` included.
    pub fn weight(&self, first: PositionIx, last: PositionIx) -> u64 {
        self.workloads_before[last.index() + 1] - self.workloads_before[first.index()]
    }

    /// How many workloads are at these positions.
    pub fn workloads(&self, positions: &PositionSet) -> u64 {
        positions
            .ranges()
            .map(|(first, last)| self.weight(first, last))
            .sum()
    }

    /// How many of them are single pods, which have no flow with themselves.
    pub fn single_pods(&self, positions: &PositionSet) -> u64 {
        let before = &self.single_pods_before;
        positions
            .ranges()
            .map(|(first, last)| before[last.index() + 1] - before[first.index()])
            .sum()
    }

    /// The end among these positions that comes first in the input.
    pub fn first(&self, positions: &PositionSet) -> Option<EndIx> {
        positions
            .ranges()
            .map(|(first, last)| self.least(first.index(), last.index() + 1))
            .min()
    }

    /// The least end in a range of positions, `end` excluded; a walk up the segment tree.
    fn least(&self, first: usize, end: usize) -> EndIx {
        let leaves = self.ends.len();
        let (mut low, mut high, mut found) = (first + leaves, end + leaves, EndIx::MAX);
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
        found
    }

    /// The parties at these positions: in the order of the after side, addresses merged into one
    /// block at the end.
    fn parties(&self, positions: &PositionSet) -> Vec<DiffParty> {
        let mut parties = Vec::new();
        let mut addresses = Vec::new();
        for position in positions.points() {
            let end = &self.ends[self.end_at(position)];
            match &end.members {
                EndMembers::Workloads(_) => parties.extend(end.parties()),
                EndMembers::Addresses(set) => addresses.push(set),
            }
        }
        parties.sort_by_key(|p| {
            if let DiffParty::Workload(_, a) = p {
                Some(*a)
            } else {
                None
            }
        });
        if !addresses.is_empty() {
            let v4 = IntervalSet::union_of(addresses.iter().map(|set| &set.v4));
            let v6 = IntervalSet::union_of(addresses.iter().map(|set| &set.v6));
            parties.push(DiffParty::Addresses(IpSet { v4, v6 }));
        }
        parties
    }

    /// The parties at these positions, end by end in input order.
    fn parties_by_end(&self, positions: &PositionSet) -> Vec<DiffParty> {
        let mut ends: Vec<EndIx> = positions.points().map(|p| self.end_at(p)).collect();
        ends.sort_unstable();
        ends.into_iter()
            .flat_map(|end| self.ends[end].parties())
            .collect()
    }
}

/// The sources or destinations of a change. They are listed lazily, when the slice is first read.
#[derive(Clone)]
pub struct Parties {
    source: PartySource,
    named: OnceLock<Vec<DiffParty>>,
}

/// Where the list of parties comes from.
#[derive(Clone)]
enum PartySource {
    /// It was given.
    Listed,
    /// The ends at some positions; end by end or in the order of the after side.
    Positions {
        order: Arc<EndpointOrder>,
        positions: PositionSet,
        by_end: bool,
    },
}

impl Parties {
    /// Given parties.
    pub fn listed(parties: Vec<DiffParty>) -> Self {
        Self {
            source: PartySource::Listed,
            named: OnceLock::from(parties),
        }
    }

    /// The parties at some positions, in the order of the after side.
    pub(crate) fn on(order: &Arc<EndpointOrder>, positions: PositionSet) -> Self {
        Self {
            source: PartySource::Positions {
                order: Arc::clone(order),
                positions,
                by_end: false,
            },
            named: OnceLock::new(),
        }
    }

    /// The workloads at some positions, end by end.
    pub(crate) fn by_end(order: &Arc<EndpointOrder>, positions: PositionSet) -> Self {
        Self {
            source: PartySource::Positions {
                order: Arc::clone(order),
                positions,
                by_end: true,
            },
            named: OnceLock::new(),
        }
    }

    /// How many there are; all addresses together count once. Does not list them.
    pub fn count(&self) -> u64 {
        match &self.source {
            PartySource::Listed => self.iter().len() as u64,
            PartySource::Positions {
                order, positions, ..
            } => {
                let external = positions
                    .ranges()
                    .next_back()
                    .is_some_and(|(_, last)| last >= order.external_start());
                order.workloads(positions) + u64::from(external)
            }
        }
    }
}

impl Deref for Parties {
    type Target = [DiffParty];

    fn deref(&self) -> &[DiffParty] {
        self.named.get_or_init(|| match &self.source {
            PartySource::Listed => Vec::new(),
            PartySource::Positions {
                order,
                positions,
                by_end: true,
            } => order.parties_by_end(positions),
            PartySource::Positions {
                order,
                positions,
                by_end: false,
            } => order.parties(positions),
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
