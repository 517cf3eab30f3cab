//! One side's line against the roll: which positions a run of places covers, and which ends a
//! border cuts.
//!
//! An end stands at the position of its first place. An end of several places is covered evenly by
//! a row unless a border of the row lies between its places ([`PositionIndex::cut`]); those few are
//! looked at one by one. Cost: O(places log places) to build; a run costs the runs of positions it
//! becomes, a border the ends it cuts (times log ends).

use crate::compile::peer_sets::EndpointSet;
use crate::diff::Which;
use crate::diff::align::alignment::{End, EndIx, Places};
use crate::diff::align::order::EndpointOrder;
use crate::set::hashed::HashMap;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The places of an end on one side.
pub fn places(end: &End, which: Which) -> &Places {
    if which == Which::Before {
        &end.before
    } else {
        &end.after
    }
}

/// One side of the roll.
pub struct PositionIndex {
    /// Positions in the order of the ends' first places, and where those of each place begin.
    by: Vec<u32>,
    starts: Vec<u32>,
    /// Up to where, from each index on, positions follow each other.
    until: Vec<u32>,
    /// The ends with a pod at each place, place after place, and where those of each place begin.
    ends: Vec<EndIx>,
    ends_at: Vec<u32>,
    /// The places of ends that have several.
    several: HashMap<EndIx, EndpointSet>,
    spans: Spans,
}

impl PositionIndex {
    /// Sorts the ends of one side, whose line has so many places.
    pub fn new(roll: &EndpointOrder, which: Which, space: u32) -> Self {
        let first = |end: &EndIx| {
            places(&roll.ends[*end], which)
                .first()
                .map_or(0, |(place, _)| *place)
        };
        let all: Vec<u32> = roll.order.iter().map(first).collect();
        let (by, starts) = buckets(&mut all.iter().copied().zip(0..), space);
        let mut until: Vec<u32> = (1..).zip(&by).map(|(after, _)| after).collect();
        for at in (1..by.len()).rev() {
            if by[at - 1] + 1 == by[at] {
                until[at - 1] = until[at];
            }
        }
        let each = roll
            .ends
            .iter()
            .enumerate()
            .flat_map(|(e, end)| places(end, which).iter().map(move |p| (p.0, e)));
        let (ends, ends_at) = buckets(&mut each.into_iter(), space);
        let several = roll
            .ends
            .iter()
            .enumerate()
            .filter(|(_, end)| places(end, which).len() > 1);
        let runs = |end: &End| {
            places(end, which)
                .iter()
                .map(|(p, _)| *p..=*p)
                .collect::<EndpointSet>()
        };
        let several: HashMap<EndIx, EndpointSet> = several.map(|(e, end)| (e, runs(end))).collect();
        let spans = Spans::new(
            several
                .iter()
                .filter_map(|(e, runs)| Some((runs.first()?, last(runs)?, *e)))
                .collect(),
        );
        Self {
            by,
            starts,
            until,
            ends,
            ends_at,
            several,
            spans,
        }
    }

    /// The positions of ends whose first place is one of these, as runs.
    pub fn positions(&self, (first, last): (u32, u32), mut meet: impl FnMut(u32, u32)) {
        let (mut at, end) = (self.starts[first as usize], self.starts[last as usize + 1]);
        while at < end {
            let until = self.until[at as usize].min(end);
            meet(self.by[at as usize], self.by[until as usize - 1]);
            at = until;
        }
    }

    /// For each place and the end of the line, what the positions weigh whose end has its first
    /// place before.
    pub fn sums(&self, weight: impl Fn(u32) -> u64) -> Vec<u64> {
        let (mut sums, mut total) = (Vec::with_capacity(self.starts.len()), 0);
        for (place, start) in self.starts.iter().enumerate() {
            let before = if place == 0 {
                0
            } else {
                self.starts[place - 1]
            };
            total += self.by[before as usize..*start as usize]
                .iter()
                .map(|position| weight(*position))
                .sum::<u64>();
            sums.push(total);
        }
        sums
    }

    /// The ends with a pod at a place.
    pub fn ends_at(&self, place: u32) -> &[EndIx] {
        let (start, end) = (
            self.ends_at[place as usize],
            self.ends_at[place as usize + 1],
        );
        &self.ends[start as usize..end as usize]
    }

    /// The places of an end, given as its list.
    pub fn runs(&self, end: EndIx, places: &Places) -> Cow<'_, EndpointSet> {
        match self.several.get(&end) {
            Some(runs) => Cow::Borrowed(runs),
            None => Cow::Owned(
                places
                    .first()
                    .map_or_else(EndpointSet::empty, |(place, _)| EndpointSet::point(*place)),
            ),
        }
    }

    /// The ends that have places on both sides of one of these borders; a border stands before its
    /// place.
    pub fn cut(&self, borders: &[u32]) -> BTreeSet<EndIx> {
        let mut found = BTreeSet::new();
        if !self.spans.list.is_empty() {
            borders
                .iter()
                .for_each(|border| self.spans.cut(*border, &mut found));
        }
        found
    }
}

fn last(runs: &EndpointSet) -> Option<u32> {
    runs.ranges().next_back().map(|(_, last)| last)
}

/// Things bucket after bucket, in order, and where each bucket begins.
fn buckets<T: Copy + Default>(
    things: &mut dyn Iterator<Item = (u32, T)>,
    count: u32,
) -> (Vec<T>, Vec<u32>) {
    let things: Vec<(u32, T)> = things.collect();
    let mut starts = vec![0; count as usize + 1];
    things
        .iter()
        .for_each(|(bucket, _)| starts[*bucket as usize + 1] += 1);
    for bucket in 0..count as usize {
        starts[bucket + 1] += starts[bucket];
    }
    let mut next = starts.clone();
    let mut sorted = vec![T::default(); things.len()];
    for (bucket, thing) in things {
        let at = &mut next[bucket as usize];
        sorted[*at as usize] = thing;
        *at += 1;
    }
    (sorted, starts)
}

/// Where ends of several places begin and end, in order, with the furthest end of every part of the
/// list.
struct Spans {
    list: Vec<(u32, u32, EndIx)>,
    furthest: Vec<u32>,
}

impl Spans {
    fn new(mut list: Vec<(u32, u32, EndIx)>) -> Self {
        list.sort_unstable();
        let size = list.len().next_power_of_two();
        let mut furthest = vec![0; 2 * size];
        for (at, span) in list.iter().enumerate() {
            furthest[size + at] = span.1;
        }
        for at in (1..size).rev() {
            furthest[at] = furthest[2 * at].max(furthest[2 * at + 1]);
        }
        Self { list, furthest }
    }

    fn cut(&self, border: u32, found: &mut BTreeSet<EndIx>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_cuts_the_ends_on_both_sides_of_it() {
        let list = vec![(0, 9, 1), (2, 3, 2), (4, 4, 3), (5, 20, 4), (21, 22, 5)];
        for border in 0..25 {
            let mut found = BTreeSet::new();
            Spans::new(list.clone()).cut(border, &mut found);
            let want = list
                .iter()
                .filter(|s| s.0 < border && border <= s.1)
                .map(|s| s.2);
            assert_eq!(found, want.collect(), "{border}");
        }
    }
}
