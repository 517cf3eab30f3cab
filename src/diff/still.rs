//! What stays: how many pairs may talk as they could before, because nothing that governs the two was edited.
//!
//! Invariant: where neither the way out of a source nor the way in to a destination was touched ([`Edits::stays`]), what
//! passes is the same on both sides, so the after side alone is counted. Sources with an edit are left out; they are
//! compared ([`super::columns`]). Destinations of the same templates are counted together, so that one row at a time is
//! held. Cost: the runs of each row, and per destination the ends beside it.
//!
//! [`Edits::stays`]: super::edits::Edits::stays

use super::Which;
use super::columns::Index;
use super::half::{Half, Told};
use super::joint::EndIx;
use super::placed::places;
use super::states::States;
use crate::compile::Rows;
use crate::compile::peers::Runs;
use crate::set::hashed::{HashMap, IndexMap};
use std::rc::Rc;

/// Of how many templates the rows are made at once.
const AT_ONCE: usize = 1_000;

/// What passes to destinations of some templates, apart from own nodes.
struct Passing {
    /// The states of places from the first to the last, in order; elsewhere nothing passes.
    stretches: Vec<(u32, u32, u32)>,
    /// The states of the ends that a border cuts.
    exact: HashMap<EndIx, u32>,
    /// How many parties are quiet: workloads, and blocks of addresses.
    quiet: [u64; 2],
}

/// The after side, as far as it is as it was.
pub struct Still<'a> {
    index: Rc<Index>,
    half: Half<'a>,
    /// The positions that are compared instead.
    compared: Runs,
    /// What stands before each place: workloads and blocks of addresses that are not compared.
    sums: [Vec<u64>; 2],
}

impl<'a> Still<'a> {
    /// Counts all sources but those at some positions.
    pub fn new(index: &Rc<Index>, rows: Rows<'a>, compared: &Runs) -> Self {
        let roll = &index.roll;
        let weight = |outside: bool| {
            move |position: u32| {
                let end = &roll.ends[roll.at(position)];
                if end.is_outside() == outside && !compared.contains(position) { end.weight() } else { 0 }
            }
        };
        let placed = index.side(Which::After);
        let sums = [placed.sums(weight(false)), placed.sums(weight(true))];
        let half = Half::new(Which::After, index, rows);
        Self { index: Rc::clone(index), half, compared: compared.clone(), sums }
    }

    /// How many pairs there are of parties that may send something and of these destinations; of a destination all addresses
    /// count once.
    pub fn pairs(&mut self, states: &mut States, destinations: &[EndIx]) -> u64 {
        let index = Rc::clone(&self.index);
        let mut alike: IndexMap<Vec<u32>, Vec<EndIx>> = IndexMap::default();
        for destination in destinations {
            alike.entry(self.half.without_own(*destination).key()).or_default().push(*destination);
        }
        let alike: Vec<Vec<EndIx>> = alike.into_values().collect();
        let mut pairs = 0;
        for some in alike.chunks(AT_ONCE) {
            self.half.make(&some.iter().filter_map(|of| of.first().copied()).collect::<Vec<_>>());
            for of in some {
                let Some(passing) = of.first().map(|first| self.passing(states, *first)) else { continue };
                let weighed = of.iter().map(|d| index.roll.ends[*d].weight() * self.count(states, *d, &passing));
                pairs += weighed.sum::<u64>();
            }
            self.half.forget();
        }
        pairs
    }

    /// How many parties may send something to a destination.
    fn count(&mut self, states: &mut States, destination: EndIx, passing: &Passing) -> u64 {
        let index = Rc::clone(&self.index);
        let roll = &index.roll;
        let to = self.half.to(states, destination);
        let to_outside = roll.ends[destination].is_outside();
        let mut quiet = passing.quiet;
        for source in index.beside(Which::After, to.beside()) {
            let end = &roll.ends[source];
            if source == destination || !self.counts(source) || to_outside && end.is_outside() {
                continue;
            }
            let told = self.told(states, passing, source);
            let state = self.half.beside(states, &to, told, source);
            let quiet = &mut quiet[usize::from(end.is_outside())];
            *quiet -= if is_quiet(states, told.state()) { end.weight() } else { 0 };
            *quiet += if is_quiet(states, state) { end.weight() } else { 0 };
        }
        if to_outside {
            return quiet[0]; // addresses send nothing to addresses
        }
        let told = self.told(states, passing, destination);
        let itself = self.counts(destination) && is_quiet(states, told.state());
        quiet[0] + u64::from(quiet[1] > 0) - if itself { roll.ends[destination].weight() } else { 0 }
    }

    fn counts(&self, end: EndIx) -> bool {
        !self.compared.contains(self.index.roll.position[end])
    }

    /// The state of an end, own nodes aside.
    fn told(&self, states: &mut States, passing: &Passing, end: EndIx) -> Told {
        if let Some(state) = passing.exact.get(&end) {
            return Told::Exactly(*state);
        }
        let place = places(&self.index.roll.ends[end], Which::After).first().map_or(0, |(place, _)| *place);
        let at = passing.stretches.partition_point(|(_, last, _)| *last < place);
        let stretch = passing.stretches.get(at).filter(|(first, ..)| *first <= place);
        Told::Evenly(stretch.map_or_else(|| states.nothing(), |(.., state)| *state))
    }

    /// What passes to a destination and all others of its templates.
    fn passing(&mut self, states: &mut States, destination: EndIx) -> Passing {
        let index = Rc::clone(&self.index);
        let to = self.half.without_own(destination);
        let mut stretches = Vec::new();
        for (runs, state) in self.half.regions(states, &to.key()) {
            stretches.extend(runs.ranges().map(|(first, last)| (first, last, state)));
        }
        stretches.sort_unstable();
        let mut passing = Passing { stretches, exact: HashMap::default(), quiet: [0; 2] };
        for (first, last, state) in &passing.stretches {
            if is_quiet(states, *state) {
                for (quiet, sums) in passing.quiet.iter_mut().zip(&self.sums) {
                    *quiet += sums[*last as usize + 1] - sums[*first as usize];
                }
            }
        }
        let borders: Vec<u32> = passing.stretches.iter().flat_map(|(first, last, _)| [*first, last + 1]).collect();
        for end in index.side(Which::After).cut(&borders) {
            let even = self.told(states, &passing, end).state();
            let state = self.half.state(states, &to, end, false);
            passing.exact.insert(end, state);
            if self.counts(end) {
                let weight = index.roll.ends[end].weight();
                passing.quiet[0] -= if is_quiet(states, even) { weight } else { 0 };
                passing.quiet[0] += if is_quiet(states, state) { weight } else { 0 };
            }
        }
        passing
    }
}

/// Whether something surely passes in a state that is the same on both sides, and nothing is unknown.
fn is_quiet(states: &mut States, state: u32) -> bool {
    states.judged((state, state)).is_quiet()
}
