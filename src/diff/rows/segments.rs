//! Segments: the states of all sources of a destination, as ranges of positions.
//!
//! Example: sources at positions 0-9 may send TCP/80 (state 1), those at 10-14 nothing (the rest,
//! state 0), those at 15-20 anything (state 2): the segments are `(0, 9, 1)` and `(15, 20, 2)`.
//!
//! Invariant: an end that is not among the `exact` ones has the state of the segment its position
//! lies in. Cost: two sides are compared segment by segment ([`sweep`]), however many ends lie in
//! one.

use crate::diff::align::endpoint::EndIx;
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position::{PositionIx, PositionSet};
use crate::diff::rows::interned::{StateIx, StatePair};
use crate::set::Point;

/// The state of an end as a source, without own-node exceptions.
#[derive(Debug, Clone, Copy)]
pub enum SegmentState {
    /// All its endpoint indices have the same.
    Uniform(StateIx),
    /// A border of the row may lie between its endpoint indices.
    Exact(StateIx),
}

impl SegmentState {
    /// The state.
    pub fn state(self) -> StateIx {
        let (Self::Uniform(state) | Self::Exact(state)) = self;
        state
    }
}

/// The states of all sources on one side.
#[derive(Debug, Default)]
pub struct Segments {
    /// First position, last position, state; sorted and disjoint.
    ranges: Vec<(PositionIx, PositionIx, StateIx)>,
    /// The state everywhere else.
    rest: StateIx,
    /// The ends that a border of the row cuts, with their states; sorted.
    pub exact: Vec<(EndIx, StateIx)>,
}

impl Segments {
    /// Sorts the segments and merges neighbours of the same state.
    pub fn new(
        mut ranges: Vec<(PositionIx, PositionIx, StateIx)>,
        rest: StateIx,
        exact: Vec<(EndIx, StateIx)>,
    ) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let continues = last.1.next() == Some(next.0) && last.2 == next.2;
            if continues {
                last.1 = next.1;
            }
            continues
        });
        Self {
            ranges,
            rest,
            exact,
        }
    }

    /// The state of an end.
    pub fn state_of(&self, order: &EndpointOrder, end: EndIx) -> SegmentState {
        match self.exact.binary_search_by_key(&end, |(e, _)| *e) {
            Ok(found) => SegmentState::Exact(self.exact[found].1),
            Err(_) => SegmentState::Uniform(self.state_at(order.position[end])),
        }
    }

    fn state_at(&self, position: PositionIx) -> StateIx {
        let found = self.ranges.partition_point(|(_, last, _)| *last < position);
        self.ranges
            .get(found)
            .filter(|(first, ..)| *first <= position)
            .map_or(self.rest, |(.., state)| *state)
    }

    /// The state at a position, and the last position up to which it holds. `from` is the segment
    /// to begin with; it advances with the position.
    fn segment_at(&self, from: &mut usize, position: PositionIx) -> (StateIx, PositionIx) {
        while self
            .ranges
            .get(*from)
            .is_some_and(|(_, last, _)| *last < position)
        {
            *from += 1;
        }
        match self.ranges.get(*from) {
            Some((first, last, state)) if *first <= position => (*state, *last),
            Some((first, ..)) => (self.rest, first.previous().unwrap_or(*first)),
            None => (self.rest, PositionIx::MAX),
        }
    }
}

/// Visits the pairs of states at some positions, range by range.
pub fn sweep(
    positions: &PositionSet,
    sides: [&Segments; 2],
    mut visit: impl FnMut(PositionIx, PositionIx, StatePair),
) {
    for (first, last) in positions.ranges() {
        let mut from = sides.map(|side| side.ranges.partition_point(|(_, end, _)| *end < first));
        let mut at = first;
        loop {
            let (before, before_end) = sides[0].segment_at(&mut from[0], at);
            let (after, after_end) = sides[1].segment_at(&mut from[1], at);
            let end = before_end.min(after_end).min(last);
            visit(at, end, (before, after));
            match end.next() {
                Some(next) if end != last => at = next,
                _ => break,
            }
        }
    }
}
