//! What stays: how many pairs may talk as they could before, because nothing that governs the two
//! was edited.
//!
//! Invariant: where neither the way out of a source nor the way in to a destination was touched
//! ([`Edits::stays`]), what passes is the same on both sides, so the after side alone is counted.
//! Sources with an edit are left out; they are compared ([`crate::diff::rows::destination_diff`]).
//! Destinations of the same templates are counted together, so that one row at a time is held.
//! Cost: the runs of each row, and per destination the ends beside it.
//!
//! [`Edits::stays`]: crate::diff::cause::edits::Edits::stays

use crate::compile::peer_sets::EndpointSet;
use crate::diff::Which;
use crate::diff::align::alignment::EndIx;
use crate::diff::align::position_index::places;
use crate::diff::rows::destination_diff::Index;
use crate::diff::rows::interned::States;
use crate::diff::rows::side::{Certainty, SideRows};
use crate::graph::{AllowGraph, RowCache};
use crate::set::hashed::{HashMap, IndexMap};
use rayon::prelude::*;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// How many groups of destinations one processor counts at a time.
const AT_ONCE: usize = 32;

/// What passes to destinations of some templates, apart from own nodes.
struct Passing {
    /// The states of places from the first to the last, in order; elsewhere nothing passes.
    stretches: Vec<(u32, u32, u32)>,
    /// The states of the ends that a border cuts.
    exact: HashMap<EndIx, u32>,
    /// How many parties are quiet: workloads, and blocks of addresses.
    quiet: [u64; 2],
}

/// The sources that are counted.
struct Sources<'a> {
    index: &'a Arc<Index>,
    /// The positions that are compared instead.
    compared: &'a EndpointSet,
    /// What stands before each place: workloads and blocks of addresses that are not compared.
    sums: [Vec<u64>; 2],
}

impl<'a> Sources<'a> {
    fn new(index: &'a Arc<Index>, compared: &'a EndpointSet) -> Self {
        let roll = &index.roll;
        let weight = |outside: bool| {
            move |position: u32| {
                let end = &roll.ends[roll.at(position)];
                if end.is_outside() == outside && !compared.contains(position) {
                    end.weight()
                } else {
                    0
                }
            }
        };
        let placed = index.side(Which::After);
        let sums = [placed.sums(weight(false)), placed.sums(weight(true))];
        Self {
            index,
            compared,
            sums,
        }
    }

    fn counts(&self, end: EndIx) -> bool {
        !self.compared.contains(self.index.roll.position[end])
    }
}

/// How many pairs may talk on both sides and are untouched; counted when somebody asks.
#[derive(Clone, Default)]
pub struct Unchanged {
    /// Those that were met on the way.
    compared: u64,
    rest: Option<Rest>,
    counted: OnceLock<u64>,
}

/// What is not counted yet.
#[derive(Clone)]
struct Rest {
    after: AllowGraph,
    index: Arc<Index>,
    destinations: Arc<[EndIx]>,
    /// The positions of the sources that were compared.
    marked: EndpointSet,
}

impl Unchanged {
    /// Some pairs, and those of these destinations with sources that no edit touches.
    pub fn new(
        compared: u64,
        after: &AllowGraph,
        index: &Arc<Index>,
        destinations: Vec<EndIx>,
        marked: EndpointSet,
    ) -> Self {
        let (after, index) = (after.clone(), Arc::clone(index));
        let rest = Rest {
            after,
            index,
            destinations: destinations.into(),
            marked,
        };
        Self {
            compared,
            rest: Some(rest),
            counted: OnceLock::new(),
        }
    }

    /// How many; a block of addresses counts once. On all processors, the first time.
    pub fn count(&self) -> u64 {
        let rest = |rest: &Rest| pairs(&rest.after, &rest.index, &rest.destinations, &rest.marked);
        *self
            .counted
            .get_or_init(|| self.compared + self.rest.as_ref().map_or(0, rest))
    }
}

impl fmt::Debug for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count())
    }
}

/// How many pairs there are of these destinations and of parties that may send something to them on
/// the after side, apart from the sources that are compared; of a destination all addresses count
/// once.
fn pairs(
    after: &AllowGraph,
    index: &Arc<Index>,
    destinations: &[EndIx],
    compared: &EndpointSet,
) -> u64 {
    let sources = Sources::new(index, compared);
    let mut half = SideRows::new(Which::After, index, RowCache::new(after));
    let mut alike: IndexMap<Vec<u32>, Vec<EndIx>> = IndexMap::default();
    for destination in destinations {
        alike
            .entry(half.without_own(*destination).key())
            .or_default()
            .push(*destination);
    }
    let alike: Vec<Vec<EndIx>> = alike.into_values().collect();
    let some = |some: &[Vec<EndIx>]| {
        let mut still = Still::new(&sources, after);
        some.iter().map(|of| still.pairs(of)).sum::<u64>()
    };
    alike.par_chunks(AT_ONCE).map(some).sum()
}

/// The after side, as far as it is as it was.
struct Still<'a> {
    sources: &'a Sources<'a>,
    half: SideRows<'a>,
    states: States,
}

impl<'a> Still<'a> {
    fn new(sources: &'a Sources<'a>, after: &'a AllowGraph) -> Self {
        let half = SideRows::new(Which::After, sources.index, RowCache::new(after));
        Self {
            sources,
            half,
            states: States::new(),
        }
    }

    /// How many pairs there are of destinations that share their templates.
    fn pairs(&mut self, destinations: &[EndIx]) -> u64 {
        let Some(passing) = destinations.first().map(|first| self.passing(*first)) else {
            return 0;
        };
        self.half.forget();
        let weight = |destination: EndIx| self.sources.index.roll.ends[destination].weight();
        destinations
            .iter()
            .map(|d| weight(*d) * self.count(*d, &passing))
            .sum()
    }

    /// How many parties may send something to a destination.
    fn count(&mut self, destination: EndIx, passing: &Passing) -> u64 {
        let index = self.sources.index;
        let roll = &index.roll;
        let to = self.half.to(&mut self.states, destination);
        let to_outside = roll.ends[destination].is_outside();
        let mut quiet = passing.quiet;
        for source in index.own_node_sources(Which::After, to.own_node_sources()) {
            let end = &roll.ends[source];
            if source == destination
                || !self.sources.counts(source)
                || to_outside && end.is_outside()
            {
                continue;
            }
            let told = self.told(passing, source);
            let state = self
                .half
                .own_node_sources(&mut self.states, &to, told, source);
            let quiet = &mut quiet[usize::from(end.is_outside())];
            *quiet -= if self.is_quiet(told.state()) {
                end.weight()
            } else {
                0
            };
            *quiet += if self.is_quiet(state) {
                end.weight()
            } else {
                0
            };
        }
        if to_outside {
            return quiet[0]; // addresses send nothing to addresses
        }
        let told = self.told(passing, destination);
        let itself = self.sources.counts(destination) && self.is_quiet(told.state());
        quiet[0] + u64::from(quiet[1] > 0)
            - if itself {
                roll.ends[destination].weight()
            } else {
                0
            }
    }

    /// The state of an end, own nodes aside.
    fn told(&mut self, passing: &Passing, end: EndIx) -> Certainty {
        if let Some(state) = passing.exact.get(&end) {
            return Certainty::Exactly(*state);
        }
        let place = places(&self.sources.index.roll.ends[end], Which::After)
            .first()
            .map_or(0, |(place, _)| *place);
        let at = passing
            .stretches
            .partition_point(|(_, last, _)| *last < place);
        let stretch = passing
            .stretches
            .get(at)
            .filter(|(first, ..)| *first <= place);
        Certainty::Evenly(stretch.map_or_else(|| self.states.nothing(), |(.., state)| *state))
    }

    /// What passes to a destination and all others of its templates.
    fn passing(&mut self, destination: EndIx) -> Passing {
        let index = self.sources.index;
        let to = self.half.without_own(destination);
        let mut stretches = Vec::new();
        for (runs, state) in self.half.regions(&mut self.states, &to.key()) {
            stretches.extend(runs.ranges().map(|(first, last)| (first, last, state)));
        }
        stretches.sort_unstable();
        let mut passing = Passing {
            stretches,
            exact: HashMap::default(),
            quiet: [0; 2],
        };
        for (first, last, state) in &passing.stretches {
            if self.is_quiet(*state) {
                for (quiet, sums) in passing.quiet.iter_mut().zip(&self.sources.sums) {
                    *quiet += sums[*last as usize + 1] - sums[*first as usize];
                }
            }
        }
        let borders: Vec<u32> = passing
            .stretches
            .iter()
            .flat_map(|(first, last, _)| [*first, last + 1])
            .collect();
        for end in index.side(Which::After).cut(&borders) {
            let even = self.told(&passing, end).state();
            let state = self.half.state(&mut self.states, &to, end, false);
            passing.exact.insert(end, state);
            if self.sources.counts(end) {
                let weight = index.roll.ends[end].weight();
                passing.quiet[0] -= if self.is_quiet(even) { weight } else { 0 };
                passing.quiet[0] += if self.is_quiet(state) { weight } else { 0 };
            }
        }
        passing
    }

    /// Whether something surely passes in a state that is the same on both sides, and nothing is
    /// unknown.
    fn is_quiet(&mut self, state: u32) -> bool {
        self.states.judged((state, state)).is_quiet()
    }
}
