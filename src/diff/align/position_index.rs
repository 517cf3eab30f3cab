//! From one side's endpoint space to the positions of the common order: which positions a range of
//! endpoint indices covers, and which ends a border cuts.
//!
//! An end is found at its first endpoint index. A row covers an end of several indices evenly
//! unless a border of the row lies between its indices ([`PositionIndex::cut`]); those few ends are
//! read index by index. Example: an end has the indices 3 and 9; a row with the sources 0-5 has a
//! border before 6, which cuts the end, while the sources 0-20 cover it as a whole.
//!
//! Cost: O(indices log indices) to build; a range costs the ranges of positions it becomes, a
//! border the ends that it cuts (times log ends).

use crate::compile::endpoint_index::{EndpointIx, EndpointSet};
use crate::diff::align::endpoint::{AlignedEnd, EndIx, EndpointIndices};
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position::PositionIx;
use crate::diff::before_after::{Side, Which};
use crate::set::hashed::HashMap;
use crate::set::{Ix, Point};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One side's endpoint space in positions of the order.
pub struct PositionIndex {
    /// The positions, sorted by the first endpoint index of their ends.
    positions: Vec<PositionIx>,
    /// For each endpoint index, where its positions begin; one entry more at the end.
    starts: Vec<usize>,
    /// For each of the sorted positions, the end of the run of consecutive positions it lies in.
    run_ends: Vec<usize>,
    /// The ends with a pod at each endpoint index, index after index.
    ends: Vec<EndIx>,
    /// For each endpoint index, where its ends begin; one entry more at the end.
    end_starts: Vec<usize>,
    /// The endpoint indices of ends that have several.
    several: HashMap<EndIx, EndpointSet>,
    spans: Spans,
}

impl PositionIndex {
    /// Sorts the ends of one side, whose endpoint space has `space` indices.
    pub fn new(order: &EndpointOrder, which: Which, space: usize) -> Self {
        let first = |end: &EndIx| {
            order.ends[*end]
                .indices(which)
                .first()
                .map_or(EndpointIx::MIN, |(index, _)| *index)
        };
        let firsts = order.by_position.map(first);
        let firsts = firsts
            .enumerated()
            .map(|(position, index)| (*index, position));
        let (positions, starts) = buckets(firsts.collect(), PositionIx::MIN, space);
        let run_ends = run_ends(&positions);
        let each = order
            .ends
            .iter()
            .enumerate()
            .flat_map(|(e, end)| end.indices(which).iter().map(move |p| (p.0, e)));
        let (ends, end_starts) = buckets(each.collect(), 0, space);
        let several: HashMap<EndIx, EndpointSet> = order
            .ends
            .iter()
            .enumerate()
            .filter(|(_, end)| end.indices(which).len() > 1)
            .map(|(e, end)| (e, index_set(end, which)))
            .collect();
        let spans = Spans::new(
            several
                .iter()
                .filter_map(|(e, indices)| Some((indices.first()?, last(indices)?, *e)))
                .collect(),
        );
        Self {
            positions,
            starts,
            run_ends,
            ends,
            end_starts,
            several,
            spans,
        }
    }

    /// Visits the positions of the ends whose first endpoint index lies in a range, as ranges.
    pub fn positions(
        &self,
        (first, last): (EndpointIx, EndpointIx),
        mut visit: impl FnMut(PositionIx, PositionIx),
    ) {
        let (mut at, end) = (self.starts[first.index()], self.starts[last.index() + 1]);
        while at < end {
            let run_end = self.run_ends[at].min(end);
            visit(self.positions[at], self.positions[run_end - 1]);
            at = run_end;
        }
    }

    /// Prefix sums: for each endpoint index and for the end of the space, the weight of the
    /// positions whose end has a smaller first index.
    pub fn sums(&self, weight: impl Fn(PositionIx) -> u64) -> Vec<u64> {
        let (mut sums, mut total) = (Vec::with_capacity(self.starts.len()), 0);
        for (index, start) in self.starts.iter().enumerate() {
            let before = if index == 0 {
                0
            } else {
                self.starts[index - 1]
            };
            total += self.positions[before..*start]
                .iter()
                .map(|position| weight(*position))
                .sum::<u64>();
            sums.push(total);
        }
        sums
    }

    /// The ends with a pod at an endpoint index.
    pub fn ends_at(&self, index: EndpointIx) -> &[EndIx] {
        let index = index.index();
        &self.ends[self.end_starts[index]..self.end_starts[index + 1]]
    }

    /// The endpoint indices of an end, whose list is given, as a set.
    pub fn index_set(&self, end: EndIx, indices: &EndpointIndices) -> Cow<'_, EndpointSet> {
        match self.several.get(&end) {
            Some(set) => Cow::Borrowed(set),
            None => Cow::Owned(
                indices
                    .first()
                    .map_or_else(EndpointSet::empty, |(index, _)| EndpointSet::point(*index)),
            ),
        }
    }

    /// The ends that have endpoint indices on both sides of one of these borders; a border lies
    /// before its index.
    pub fn cut(&self, borders: &[EndpointIx]) -> BTreeSet<EndIx> {
        let mut found = BTreeSet::new();
        if !self.spans.list.is_empty() {
            borders
                .iter()
                .for_each(|border| self.spans.cut(*border, &mut found));
        }
        found
    }
}

/// For each place in a list of positions, where the run of consecutive positions ends.
fn run_ends(positions: &[PositionIx]) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..=positions.len()).collect();
    for at in (1..positions.len()).rev() {
        if positions[at - 1].next() == Some(positions[at]) {
            ends[at - 1] = ends[at];
        }
    }
    ends
}

/// The endpoint indices of an end as a set.
fn index_set(end: &AlignedEnd, which: Which) -> EndpointSet {
    end.indices(which).iter().map(|(index, _)| *index).collect()
}

fn last(indices: &EndpointSet) -> Option<EndpointIx> {
    indices.ranges().next_back().map(|(_, last)| last)
}

/// Items sorted by their bucket, in order, and where each bucket begins.
fn buckets<T: Copy>(items: Vec<(EndpointIx, T)>, any: T, count: usize) -> (Vec<T>, Vec<usize>) {
    let mut starts = vec![0; count + 1];
    items
        .iter()
        .for_each(|(bucket, _)| starts[bucket.index() + 1] += 1);
    for bucket in 0..count {
        starts[bucket + 1] += starts[bucket];
    }
    let mut next = starts.clone();
    let mut sorted = vec![any; items.len()];
    for (bucket, item) in items {
        let at = &mut next[bucket.index()];
        sorted[*at] = item;
        *at += 1;
    }
    (sorted, starts)
}

/// The first and the last endpoint index of each end of several indices, sorted by the first, with
/// a segment tree of maxima over the last.
struct Spans {
    list: Vec<(EndpointIx, EndpointIx, EndIx)>,
    furthest: Vec<EndpointIx>,
}

impl Spans {
    fn new(mut list: Vec<(EndpointIx, EndpointIx, EndIx)>) -> Self {
        list.sort_unstable();
        let size = list.len().next_power_of_two();
        let mut furthest = vec![EndpointIx::MIN; 2 * size];
        for (at, span) in list.iter().enumerate() {
            furthest[size + at] = span.1;
        }
        for at in (1..size).rev() {
            furthest[at] = furthest[2 * at].max(furthest[2 * at + 1]);
        }
        Self { list, furthest }
    }

    /// Adds the ends whose span contains a border.
    fn cut(&self, border: EndpointIx, found: &mut BTreeSet<EndIx>) {
        let before = self.list.partition_point(|span| span.0 < border);
        let size = self.furthest.len() / 2;
        let mut open = vec![(1, 0, size)];
        while let Some((node, low, high)) = open.pop() {
            if low >= before || self.furthest[node] < border {
                continue;
            }
            if high - low == 1 {
                found.insert(self.list[low].2);
                continue;
            }
            let middle = low.midpoint(high);
            open.extend([(2 * node, low, middle), (2 * node + 1, middle, high)]);
        }
    }
}

/// The order with the position index of each side.
pub struct PositionIndexes {
    /// The order.
    pub order: Arc<EndpointOrder>,
    sides: [PositionIndex; 2],
}

impl PositionIndexes {
    /// Indexes both sides.
    pub fn new(order: &Arc<EndpointOrder>, sides: [Side<'_>; 2]) -> Arc<Self> {
        let index = |which, side: Side<'_>| {
            PositionIndex::new(order, which, side.graph.space().indexes().len())
        };
        let sides = [
            index(Which::Before, sides[0]),
            index(Which::After, sides[1]),
        ];
        Arc::new(Self {
            order: Arc::clone(order),
            sides,
        })
    }

    /// The ends with a pod at one of these endpoint indices, which are sorted.
    pub fn own_node_sources(
        &self,
        which: Which,
        indices: impl Iterator<Item = EndpointIx>,
    ) -> Vec<EndIx> {
        let (mut own_node_sources, mut last) = (Vec::new(), None);
        for index in indices.filter(|index| last.replace(*index) != Some(*index)) {
            own_node_sources.extend_from_slice(self.side(which).ends_at(index));
        }
        own_node_sources.sort_unstable();
        own_node_sources.dedup();
        own_node_sources
    }

    /// The index of one side.
    pub fn side(&self, which: Which) -> &PositionIndex {
        &self.sides[usize::from(which == Which::After)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_cuts_the_ends_on_both_sides_of_it() {
        let at = EndpointIx::from_number;
        let list = [(0, 9, 1), (2, 3, 2), (4, 4, 3), (5, 20, 4), (21, 22, 5)];
        let list = list
            .map(|(first, last, end)| (at(first), at(last), end))
            .to_vec();
        for border in (0..25).map(at) {
            let mut found = BTreeSet::new();
            Spans::new(list.clone()).cut(border, &mut found);
            let want = list
                .iter()
                .filter(|s| s.0 < border && border <= s.1)
                .map(|s| s.2);
            assert_eq!(found, want.collect(), "{border:?}");
        }
    }
}
