//! Strips: the states of all sources for destinations of some templates, as stretches of the roll.
//!
//! Invariant: away from the ends that are told exactly, an end has the state of the stretch its
//! position lies in. Cost: two strips are compared stretch by stretch ([`sweep`]), however many
//! ends lie in one.

use crate::compile::peer_sets::EndpointSet;
use crate::diff::align::alignment::EndIx;
use crate::diff::align::order::EndpointOrder;
use crate::diff::rows::interned::Pair;
use crate::diff::rows::side::Certainty;

/// The states of all sources on one side.
#[derive(Debug, Default)]
pub struct Segments {
    /// First position, last position, state; in order.
    stretches: Vec<(u32, u32, u32)>,
    /// The state everywhere else.
    rest: u32,
    /// The ends that a border of the row cuts, with their states, in order.
    pub exact: Vec<(EndIx, u32)>,
}

impl Segments {
    /// Puts stretches in order.
    pub fn new(mut stretches: Vec<(u32, u32, u32)>, rest: u32, exact: Vec<(EndIx, u32)>) -> Self {
        stretches.sort_unstable();
        stretches.dedup_by(|next, last| {
            let goes_on = last.1 + 1 == next.0 && last.2 == next.2;
            if goes_on {
                last.1 = next.1;
            }
            goes_on
        });
        Self {
            stretches,
            rest,
            exact,
        }
    }

    /// The state of an end.
    pub fn told(&self, roll: &EndpointOrder, end: EndIx) -> Certainty {
        match self.exact.binary_search_by_key(&end, |(e, _)| *e) {
            Ok(at) => Certainty::Exactly(self.exact[at].1),
            Err(_) => Certainty::Evenly(self.at(roll.position[end])),
        }
    }

    fn at(&self, position: u32) -> u32 {
        let at = self
            .stretches
            .partition_point(|(_, last, _)| *last < position);
        self.stretches
            .get(at)
            .filter(|(first, ..)| *first <= position)
            .map_or(self.rest, |(.., state)| *state)
    }

    /// The state at a position, and up to where it goes on; `from` moves along.
    fn look(&self, from: &mut usize, position: u32) -> (u32, u32) {
        while self
            .stretches
            .get(*from)
            .is_some_and(|(_, last, _)| *last < position)
        {
            *from += 1;
        }
        match self.stretches.get(*from) {
            Some((first, last, state)) if *first <= position => (*state, *last),
            Some((first, ..)) => (self.rest, first - 1),
            None => (self.rest, u32::MAX),
        }
    }
}

/// Meets the pairs of states at some positions, stretch by stretch.
pub fn sweep(
    positions: &EndpointSet,
    strips: [&Segments; 2],
    mut meet: impl FnMut(u32, u32, Pair),
) {
    for (first, last) in positions.ranges() {
        let mut from =
            strips.map(|strip| strip.stretches.partition_point(|(_, end, _)| *end < first));
        let mut at = first;
        loop {
            let (before, a) = strips[0].look(&mut from[0], at);
            let (after, b) = strips[1].look(&mut from[1], at);
            let end = a.min(b).min(last);
            meet(at, end, (before, after));
            if end == last {
                break;
            }
            at = end + 1;
        }
    }
}
