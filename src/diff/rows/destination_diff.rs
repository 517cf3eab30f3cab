//! Columns: for one destination end, the sources whose states differ between the two sides.
//!
//! Destinations whose places have the same templates on both sides share one comparison
//! ([`Shared`]): two strips, met stretch by stretch. What own nodes change (S55) is looked at for
//! the ends beside a destination, on top of it; where that differs and leaves something unknown,
//! the pods are asked if they are few ([`SideRows::exactly`]). Columns may be of some sources only
//! ([`DestinationDiffs::among`]).
//!
//! Invariant: a source is loud iff the delta of its pair of states is not empty; what is quiet is
//! only counted. Cost: the stretches of both rows per distinct pair of rows, and per destination
//! the ends beside it; no pass over all sources.

use crate::compile::peer_sets::EndpointSet;
use crate::diff::align::alignment::{End, EndIx, Places};
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position_index::PositionIndex;
use crate::diff::rows::interned::{Pair, States};
use crate::diff::rows::segments::{Segments, sweep};
use crate::diff::rows::side::{DestinationRows, SideRows};
use crate::diff::{Side, Which};
use crate::graph::RowCache;
use crate::set::hashed::{HashMap, IndexMap};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// The roll with both sides' lines.
pub struct Index {
    /// The roll.
    pub roll: Arc<EndpointOrder>,
    sides: [PositionIndex; 2],
}

impl Index {
    /// Sorts the ends.
    pub fn new(roll: &Arc<EndpointOrder>, sides: [Side<'_>; 2]) -> Arc<Self> {
        let placed = |which: Which, side: Side<'_>| {
            PositionIndex::new(roll, which, side.graph.space().len())
        };
        let sides = [
            placed(Which::Before, sides[0]),
            placed(Which::After, sides[1]),
        ];
        Arc::new(Self {
            roll: Arc::clone(roll),
            sides,
        })
    }

    /// The ends with a pod at one of these places, which come in order.
    pub fn own_node_sources(&self, which: Which, places: impl Iterator<Item = u32>) -> Vec<EndIx> {
        let (mut own_node_sources, mut last) = (Vec::new(), None);
        for place in places.filter(|place| last.replace(*place) != Some(*place)) {
            own_node_sources.extend_from_slice(self.side(which).ends_at(place));
        }
        own_node_sources.sort_unstable();
        own_node_sources.dedup();
        own_node_sources
    }

    /// One side's line.
    pub fn side(&self, which: Which) -> &PositionIndex {
        &self.sides[usize::from(which == Which::After)]
    }
}

/// All sources of destinations with the same rows, apart from own nodes.
pub struct Shared {
    /// Which one.
    pub number: usize,
    /// The positions of the sources that differ, by their pair of states.
    pub loud: Vec<(Pair, EndpointSet)>,
    /// The workloads among the others from whom something surely passes.
    quiet: u64,
    /// The blocks of addresses among them.
    quiet_addresses: u64,
    strips: [Rc<Segments>; 2],
}

impl Shared {
    /// The pair of states of an end.
    pub fn pair(&self, roll: &EndpointOrder, end: EndIx) -> Pair {
        (
            self.strips[0].told(roll, end).state(),
            self.strips[1].told(roll, end).state(),
        )
    }

    /// The ends that are not told by the stretch they lie in.
    pub fn exact(&self) -> impl Iterator<Item = EndIx> + '_ {
        self.strips
            .iter()
            .flat_map(|strip| strip.exact.iter().map(|(end, _)| *end))
    }

    /// Meets the pairs of states at some positions.
    pub fn sweep(&self, positions: &EndpointSet, meet: impl FnMut(u32, u32, Pair)) {
        sweep(positions, self.strips.each_ref().map(AsRef::as_ref), meet);
    }
}

/// What differs for one destination.
pub struct DestinationDiff {
    /// What it shares with others.
    pub shared: Rc<Shared>,
    /// The ends beside it, without itself, with their pairs.
    pub own_node_sources: Vec<(EndIx, Pair)>,
    /// How many parties among the others may send something for certain; addresses count once.
    pub quiet: u64,
    /// The destination as a source.
    pub itself: Pair,
    /// The same, as the shared rows have it.
    pub itself_shared: Pair,
    /// Its places with each other, where it has several on either side.
    pub own: Option<Pair>,
    to: [DestinationRows; 2],
}

impl DestinationDiff {
    /// The positions of the sources that differ, by their pair of states; without the destination.
    pub fn loud(
        &self,
        states: &mut States,
        roll: &EndpointOrder,
        destination: EndIx,
    ) -> Vec<(Pair, EndpointSet)> {
        let apart = roll.positions(
            self.own_node_sources
                .iter()
                .map(|(end, _)| end)
                .chain([&destination]),
        );
        let mut loud: IndexMap<Pair, EndpointSet> = IndexMap::default();
        for (pair, positions) in &self.shared.loud {
            loud.insert(*pair, positions.difference(&apart));
        }
        for (end, pair) in self
            .own_node_sources
            .iter()
            .filter(|(_, pair)| states.judged(*pair).loud)
        {
            let positions = loud.entry(*pair).or_default();
            *positions = positions.union(&EndpointSet::point(roll.position[*end]));
        }
        loud.into_iter()
            .filter(|(_, positions)| !positions.is_empty())
            .collect()
    }
}

/// The rows of both sides.
pub struct DestinationDiffs<'a> {
    index: Arc<Index>,
    halves: [SideRows<'a>; 2],
    /// The positions of the sources that are compared.
    compared: EndpointSet,
    shared: HashMap<[Vec<u32>; 2], Rc<Shared>>,
}

impl<'a> DestinationDiffs<'a> {
    /// Compares all sources; nothing is compared yet.
    pub fn new(index: &Arc<Index>, rows: [RowCache<'a>; 2]) -> Self {
        Self::among(index, rows, index.roll.all(true))
    }

    /// Compares the sources at some positions, whose places are in the rows.
    pub fn among(
        index: &Arc<Index>,
        [before, after]: [RowCache<'a>; 2],
        compared: EndpointSet,
    ) -> Self {
        let halves = [
            SideRows::new(Which::Before, index, before),
            SideRows::new(Which::After, index, after),
        ];
        Self {
            index: Arc::clone(index),
            halves,
            compared,
            shared: HashMap::default(),
        }
    }

    /// Whether one of the sources may stand beside a place of a destination; a no is certain.
    pub fn may_have_own_node(&self, destination: EndIx) -> bool {
        let end = &self.index.roll.ends[destination];
        let near = |half: &SideRows<'_>, places: &Places| {
            places.iter().any(|(p, _)| half.rows.may_have_own_node(*p))
        };
        near(&self.halves[0], &end.before) || near(&self.halves[1], &end.after)
    }

    /// Makes the rows of some destinations, on all processors.
    pub fn make(&mut self, destinations: &[EndIx]) {
        self.halves
            .iter_mut()
            .for_each(|half| half.make(destinations));
    }

    /// The states of one source for the destination of a column.
    pub fn pair_in(
        &mut self,
        states: &mut States,
        column: &DestinationDiff,
        source: EndIx,
    ) -> Pair {
        let [before, after] = &mut self.halves;
        let [old, new] = column
            .shared
            .strips
            .each_ref()
            .map(|strip| strip.told(&self.index.roll, source));
        (
            before.own_node_sources(states, &column.to[0], old, source),
            after.own_node_sources(states, &column.to[1], new, source),
        )
    }

    /// The states of a source for a destination pod by pod, if they are few on both sides.
    fn exactly(&mut self, states: &mut States, source: EndIx, destination: EndIx) -> Option<Pair> {
        let [before, after] = &mut self.halves;
        before
            .exactly(states, source, destination)
            .zip(after.exactly(states, source, destination))
    }

    /// The states of a workload of several classes with itself, if it has several pods on both
    /// sides.
    fn own(&mut self, states: &mut States, to: &[DestinationRows; 2], end: EndIx) -> Option<Pair> {
        let End { before, after, .. } = &self.index.roll.ends[end];
        if before.len().max(after.len()) < 2 {
            return None;
        }
        let [before, after] = &mut self.halves;
        before
            .own(states, &to[0], end)
            .zip(after.own(states, &to[1], end))
    }

    /// Compares all sources of a destination.
    pub fn column(&mut self, states: &mut States, destination: EndIx) -> DestinationDiff {
        let index = Arc::clone(&self.index);
        let roll = &index.roll;
        let to = self
            .halves
            .each_mut()
            .map(|half| half.to(states, destination));
        let own = self.own(states, &to, destination);
        let outside = roll.ends[destination].is_outside();
        let shared = self.shared(states, &to, outside);
        let (quiet, mut addresses) = (shared.quiet, shared.quiet_addresses);
        let (itself, itself_shared) = (Pair::default(), Pair::default());
        let mut column = DestinationDiff {
            shared,
            own_node_sources: Vec::new(),
            quiet,
            itself,
            itself_shared,
            own,
            to,
        };
        for source in self.own_node_sources(&column.to, destination, outside) {
            let told = column.shared.pair(roll, source);
            let mut pair = self.pair_in(states, &column, source);
            if states.judged(pair).differs && states.is_unsure(pair) {
                pair = self.exactly(states, source, destination).unwrap_or(pair);
            }
            let counted = if roll.ends[source].is_outside() {
                &mut addresses
            } else {
                &mut column.quiet
            };
            let weight = |pair: Pair, states: &mut States| {
                if states.judged(pair).is_quiet() {
                    roll.ends[source].weight()
                } else {
                    0
                }
            };
            *counted -= weight(told, states);
            *counted += weight(pair, states);
            column.own_node_sources.push((source, pair));
        }
        if !outside && self.compared.contains(roll.position[destination]) {
            column.itself_shared = column.shared.pair(roll, destination);
            column.itself = self.pair_in(states, &column, destination);
            let counted = states.judged(column.itself_shared).is_quiet();
            column.quiet -= if counted {
                roll.ends[destination].weight()
            } else {
                0
            };
        }
        column.quiet += u64::from(!outside && addresses > 0);
        column
    }

    /// The ends beside a destination, without itself; of a block of addresses only workloads.
    fn own_node_sources(
        &self,
        to: &[DestinationRows; 2],
        destination: EndIx,
        outside: bool,
    ) -> Vec<EndIx> {
        let mut own_node_sources = self
            .index
            .own_node_sources(Which::Before, to[0].own_node_sources());
        own_node_sources.extend(
            self.index
                .own_node_sources(Which::After, to[1].own_node_sources()),
        );
        own_node_sources.sort_unstable();
        own_node_sources.dedup();
        let roll = &self.index.roll;
        let compared = |end: EndIx| self.compared.contains(roll.position[end]);
        own_node_sources.retain(|end| {
            *end != destination && !(outside && roll.ends[*end].is_outside()) && compared(*end)
        });
        own_node_sources
    }

    fn shared(
        &mut self,
        states: &mut States,
        to: &[DestinationRows; 2],
        outside: bool,
    ) -> Rc<Shared> {
        let key = to.each_ref().map(DestinationRows::key);
        if let Some(known) = self.shared.get(&key) {
            return Rc::clone(known);
        }
        let roll = Arc::clone(&self.index.roll);
        let [before, after] = &mut self.halves;
        let strips = [before.strip(states, &to[0]), after.strip(states, &to[1])];
        let mut shared = Shared {
            number: self.shared.len(),
            loud: Vec::new(),
            quiet: 0,
            quiet_addresses: 0,
            strips,
        };
        let exact: BTreeSet<EndIx> = shared.exact().collect();
        let mut loud: IndexMap<Pair, Vec<(u32, u32)>> = IndexMap::default();
        let (mut quiet, mut addresses, border) = (0, 0, roll.outside());
        let mut meet = |first: u32, last: u32, pair: Pair| {
            let judged = states.judged(pair);
            if judged.loud {
                loud.entry(pair).or_default().push((first, last));
            } else if judged.passes {
                quiet += roll.weight(first, last);
                addresses += u64::from((last + 1).saturating_sub(first.max(border)));
            }
        };
        // addresses send nothing to addresses
        let sources = roll.all(!outside).intersection(&self.compared);
        shared.sweep(&sources.difference(&roll.positions(&exact)), &mut meet);
        for position in sources.intersection(&roll.positions(&exact)).points() {
            let end = &roll.at(position);
            meet(position, position, shared.pair(&roll, *end));
        }
        (shared.quiet, shared.quiet_addresses) = (quiet, addresses);
        let runs = |ranges: Vec<(u32, u32)>| {
            ranges
                .into_iter()
                .map(|(first, last)| first..=last)
                .collect()
        };
        shared.loud = loud
            .into_iter()
            .map(|(pair, ranges)| (pair, runs(ranges)))
            .collect();
        let shared = Rc::new(shared);
        self.shared.insert(key, Rc::clone(&shared));
        shared
    }
}
