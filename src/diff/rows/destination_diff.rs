//! For one destination end, the sources whose states differ between the two sides.
//!
//! Destinations whose endpoint indices have the same templates on both sides share one comparison
//! ([`SharedDiff`]): the segments of both sides, visited range by range. On top of it come the
//! sources with own-node exceptions (S55); where their states differ and something stays unknown,
//! the pods are compared if they are few ([`SideRows::pod_by_pod`]). The comparison may be limited
//! to some sources ([`DestinationDiffs::among`]).
//!
//! Invariant: a source is changed iff the delta of its pair of states is not empty; what is
//! unchanged is only counted. Cost: the segments of both rows per distinct pair of rows, and per
//! destination the sources with own-node exceptions; no pass over all sources.

use crate::diff::align::endpoint::{AlignedEnd, EndIx, EndpointIndices};
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position::{PositionIx, PositionSet};
use crate::diff::align::position_index::PositionIndexes;
use crate::diff::before_after::Which;
use crate::diff::rows::interned::{StatePair, States};
use crate::diff::rows::segments::{Segments, sweep};
use crate::diff::rows::side::{DestinationRows, SideRows};
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::{AllowGraph, RowCache};
use crate::policy::Direction;
use crate::set::hashed::{HashMap, IndexMap};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// All sources of destinations with the same rows, without own-node exceptions.
pub struct SharedDiff {
    /// Its number: equal numbers, equal rows.
    pub number: usize,
    /// The positions of the changed sources, by their pair of states.
    pub changed: Vec<(StatePair, PositionSet)>,
    /// How many unchanged workloads may send something for certain.
    unchanged: u64,
    /// How many unchanged blocks of addresses may.
    unchanged_addresses: u64,
    segments: [Rc<Segments>; 2],
}

impl SharedDiff {
    /// The pair of states of an end.
    pub fn pair(&self, order: &EndpointOrder, end: EndIx) -> StatePair {
        (
            self.segments[0].state_of(order, end).state(),
            self.segments[1].state_of(order, end).state(),
        )
    }

    /// The ends whose states are not those of the segments they lie in.
    pub fn exact(&self) -> impl Iterator<Item = EndIx> + '_ {
        self.segments
            .iter()
            .flat_map(|segments| segments.exact.iter().map(|(end, _)| *end))
    }

    /// Visits the pairs of states at some positions.
    pub fn sweep(
        &self,
        positions: &PositionSet,
        visit: impl FnMut(PositionIx, PositionIx, StatePair),
    ) {
        sweep(
            positions,
            self.segments.each_ref().map(AsRef::as_ref),
            visit,
        );
    }
}

/// What differs for one destination.
pub struct DestinationDiff {
    /// What it shares with other destinations.
    pub shared: Rc<SharedDiff>,
    /// The sources with own-node exceptions, except the destination itself, with their pairs.
    pub own_node_sources: Vec<(EndIx, StatePair)>,
    /// How many unchanged parties may send something for certain; addresses count once.
    pub unchanged: u64,
    /// The destination as a source.
    pub itself: StatePair,
    /// The same, in the shared rows.
    pub itself_shared: StatePair,
    /// Its endpoint indices with each other, where it has several on either side.
    pub between_own: Option<StatePair>,
    rows: [DestinationRows; 2],
}

impl DestinationDiff {
    /// The positions of the changed sources, by their pair of states; without the destination.
    pub fn changed(
        &self,
        states: &mut States,
        order: &EndpointOrder,
        destination: EndIx,
    ) -> Vec<(StatePair, PositionSet)> {
        let apart = order.positions(
            self.own_node_sources
                .iter()
                .map(|(end, _)| end)
                .chain([&destination]),
        );
        let mut changed: IndexMap<StatePair, PositionSet> = IndexMap::default();
        for (pair, positions) in &self.shared.changed {
            changed.insert(*pair, positions.difference(&apart));
        }
        for (end, pair) in self
            .own_node_sources
            .iter()
            .filter(|(_, pair)| states.comparison(*pair).changed)
        {
            let positions = changed.entry(*pair).or_default();
            *positions = positions.union(&PositionSet::point(order.position[*end]));
        }
        changed
            .into_iter()
            .filter(|(_, positions)| !positions.is_empty())
            .collect()
    }
}

/// The comparison of the rows of both sides.
pub struct DestinationDiffs<'a> {
    indexes: Arc<PositionIndexes>,
    sides: [SideRows<'a>; 2],
    /// The positions of the sources that are compared.
    compared: PositionSet,
    /// The positions of addresses whose way in, and whose way out, policies govern on a side.
    governed: [PositionSet; 2],
    shared: HashMap<SharedKey, Rc<SharedDiff>>,
}

/// Equal for destinations with equal rows on both sides that are compared with the same sources.
type SharedKey = ([Vec<DestinationClassIx>; 2], PositionSet);

impl<'a> DestinationDiffs<'a> {
    /// Compares all sources; nothing is compared yet.
    pub fn new(indexes: &Arc<PositionIndexes>, rows: [RowCache<'a>; 2]) -> Self {
        Self::among(indexes, rows, indexes.order.all(true))
    }

    /// Compares the sources at some positions only; the rows contain their endpoint indices.
    pub fn among(
        indexes: &Arc<PositionIndexes>,
        [before, after]: [RowCache<'a>; 2],
        compared: PositionSet,
    ) -> Self {
        let graphs = [before.graph(), after.graph()];
        let sides = [
            SideRows::new(Which::Before, indexes, before),
            SideRows::new(Which::After, indexes, after),
        ];
        Self {
            indexes: Arc::clone(indexes),
            sides,
            compared,
            governed: Direction::ALL.map(|direction| governed(&indexes.order, graphs, direction)),
            shared: HashMap::default(),
        }
    }

    /// The positions of the sources that may send something to a destination: addresses do to
    /// workloads, and to each other only where policies govern one of them.
    fn sources(&self, destination: EndIx) -> PositionSet {
        let order = &self.indexes.order;
        let [into, out] = &self.governed;
        let is_governed = into.contains(order.position[destination]);
        if is_governed || !order.ends[destination].is_external() {
            return order.all(true);
        }
        order.all(false).union(out)
    }

    /// Whether own nodes may decide for one of the sources and a destination; `false` is certain.
    pub fn may_have_own_node(&self, destination: EndIx) -> bool {
        let end = &self.indexes.order.ends[destination];
        let may_have = |side: &SideRows<'_>, indices: &EndpointIndices| {
            indices
                .iter()
                .any(|(index, _)| side.rows.may_have_own_node(*index))
        };
        may_have(&self.sides[0], &end.before) || may_have(&self.sides[1], &end.after)
    }

    /// Computes the rows of some destinations, on all processors.
    pub fn make(&mut self, destinations: &[EndIx]) {
        self.sides
            .iter_mut()
            .for_each(|side| side.make(destinations));
    }

    /// The states of one source for a destination that was compared.
    pub fn pair_in(
        &mut self,
        states: &mut States,
        diff: &DestinationDiff,
        source: EndIx,
    ) -> StatePair {
        let [before, after] = &mut self.sides;
        let [was, is] = diff
            .shared
            .segments
            .each_ref()
            .map(|segments| segments.state_of(&self.indexes.order, source));
        (
            before.state_with_own_node(states, &diff.rows[0], was, source),
            after.state_with_own_node(states, &diff.rows[1], is, source),
        )
    }

    /// The states of a source for a destination pod by pod, if the pods are few on both sides.
    fn pod_by_pod(
        &mut self,
        states: &mut States,
        source: EndIx,
        destination: EndIx,
    ) -> Option<StatePair> {
        let [before, after] = &mut self.sides;
        before
            .pod_by_pod(states, source, destination)
            .zip(after.pod_by_pod(states, source, destination))
    }

    /// The states of a workload of several classes with itself, if it has several pods on both
    /// sides.
    fn between_own(
        &mut self,
        states: &mut States,
        rows: &[DestinationRows; 2],
        end: EndIx,
    ) -> Option<StatePair> {
        let AlignedEnd { before, after, .. } = &self.indexes.order.ends[end];
        if before.len().max(after.len()) < 2 {
            return None;
        }
        let [before, after] = &mut self.sides;
        before
            .state_with_itself(states, &rows[0], end)
            .zip(after.state_with_itself(states, &rows[1], end))
    }

    /// Compares all sources of a destination.
    pub fn destination(&mut self, states: &mut States, destination: EndIx) -> DestinationDiff {
        let indexes = Arc::clone(&self.indexes);
        let order = &indexes.order;
        let rows = self
            .sides
            .each_mut()
            .map(|side| side.destination_rows(states, destination));
        let between_own = self.between_own(states, &rows, destination);
        let external = order.ends[destination].is_external();
        let shared = self.shared(states, &rows, destination);
        let (unchanged, mut addresses) = (shared.unchanged, shared.unchanged_addresses);
        let (itself, itself_shared) = (StatePair::default(), StatePair::default());
        let mut diff = DestinationDiff {
            shared,
            own_node_sources: Vec::new(),
            unchanged,
            itself,
            itself_shared,
            between_own,
            rows,
        };
        for source in self.own_node_sources(&diff.rows, destination) {
            let shared = diff.shared.pair(order, source);
            let mut pair = self.pair_in(states, &diff, source);
            if states.comparison(pair).changed && states.is_uncertain(pair) {
                pair = self.pod_by_pod(states, source, destination).unwrap_or(pair);
            }
            let counted = if order.ends[source].is_external() {
                &mut addresses
            } else {
                &mut diff.unchanged
            };
            *counted -= unchanged_weight(states, shared, &order.ends[source]);
            *counted += unchanged_weight(states, pair, &order.ends[source]);
            diff.own_node_sources.push((source, pair));
        }
        if !external && self.compared.contains(order.position[destination]) {
            diff.itself_shared = diff.shared.pair(order, destination);
            diff.itself = self.pair_in(states, &diff, destination);
            diff.unchanged -=
                unchanged_weight(states, diff.itself_shared, &order.ends[destination]);
        }
        diff.unchanged += u64::from(!external && addresses > 0);
        diff
    }

    /// The sources with own-node exceptions for a destination, without itself.
    fn own_node_sources(&self, rows: &[DestinationRows; 2], destination: EndIx) -> Vec<EndIx> {
        let mut own_node_sources = self
            .indexes
            .own_node_sources(Which::Before, rows[0].own_node_sources());
        own_node_sources.extend(
            self.indexes
                .own_node_sources(Which::After, rows[1].own_node_sources()),
        );
        own_node_sources.sort_unstable();
        own_node_sources.dedup();
        if own_node_sources.is_empty() {
            return own_node_sources;
        }
        let order = &self.indexes.order;
        let compared = self.sources(destination).intersection(&self.compared);
        let is_compared = |end: &EndIx| compared.contains(order.position[*end]);
        own_node_sources.retain(|end| *end != destination && is_compared(end));
        own_node_sources
    }

    /// Compares all sources of the destinations with these rows, without own-node exceptions.
    fn shared(
        &mut self,
        states: &mut States,
        rows: &[DestinationRows; 2],
        destination: EndIx,
    ) -> Rc<SharedDiff> {
        let sources = self.sources(destination);
        let key = (rows.each_ref().map(DestinationRows::key), sources.clone());
        if let Some(known) = self.shared.get(&key) {
            return Rc::clone(known);
        }
        let order = Arc::clone(&self.indexes.order);
        let [before, after] = &mut self.sides;
        let segments = [
            before.segments(states, &rows[0]),
            after.segments(states, &rows[1]),
        ];
        let mut shared = SharedDiff {
            number: self.shared.len(),
            changed: Vec::new(),
            unchanged: 0,
            unchanged_addresses: 0,
            segments,
        };
        let exact: BTreeSet<EndIx> = shared.exact().collect();
        let mut sweep = Sweep::new(&order);
        let sources = sources.intersection(&self.compared);
        let exact = order.positions(&exact);
        shared.sweep(&sources.difference(&exact), |first, last, pair| {
            sweep.visit(states, first, last, pair);
        });
        for position in sources.intersection(&exact).points() {
            let pair = shared.pair(&order, order.end_at(position));
            sweep.visit(states, position, position, pair);
        }
        (shared.unchanged, shared.unchanged_addresses) = (sweep.unchanged, sweep.addresses);
        shared.changed = sweep.changed_positions();
        let shared = Rc::new(shared);
        self.shared.insert(key, Rc::clone(&shared));
        shared
    }
}

/// The positions of addresses that policies govern in a direction, on a side.
fn governed(order: &EndpointOrder, graphs: [&AllowGraph; 2], direction: Direction) -> PositionSet {
    if graphs
        .iter()
        .all(|graph| graph.environment().governed_addresses.is_empty())
    {
        return PositionSet::empty();
    }
    let is_governed = |graph: &AllowGraph, indices: &EndpointIndices| {
        let mut places = indices.iter().map(|(index, _)| *index);
        places.any(|place| graph.governing(place, direction).is_some())
    };
    let on_a_side = |end: &AlignedEnd| {
        is_governed(graphs[0], &end.before) || is_governed(graphs[1], &end.after)
    };
    let ends = order.all(true).difference(&order.all(false));
    let ends = ends
        .points()
        .filter(|position| on_a_side(&order.ends[order.end_at(*position)]));
    ends.collect()
}

/// What a pass over all sources has met so far.
struct Sweep<'a> {
    order: &'a EndpointOrder,
    /// The first position of a block of addresses.
    external_start: PositionIx,
    /// The ranges of the changed sources.
    changed: IndexMap<StatePair, Vec<(PositionIx, PositionIx)>>,
    /// How many unchanged workloads may send something for certain.
    unchanged: u64,
    /// How many unchanged blocks of addresses may.
    addresses: u64,
}

impl<'a> Sweep<'a> {
    fn new(order: &'a EndpointOrder) -> Self {
        Self {
            order,
            external_start: order.external_start(),
            changed: IndexMap::default(),
            unchanged: 0,
            addresses: 0,
        }
    }

    /// Visits a range of positions with one pair of states.
    fn visit(&mut self, states: &mut States, first: PositionIx, last: PositionIx, pair: StatePair) {
        let comparison = states.comparison(pair);
        if comparison.changed {
            self.changed.entry(pair).or_default().push((first, last));
        } else if comparison.passes {
            self.unchanged += self.order.weight(first, last);
            let start = first.max(self.external_start);
            self.addresses += PositionSet::from(start..=last).count();
        }
    }

    /// The positions of the changed sources, by their pair of states.
    fn changed_positions(self) -> Vec<(StatePair, PositionSet)> {
        self.changed
            .into_iter()
            .map(|(pair, ranges)| {
                let ranges = ranges.into_iter().map(|(first, last)| first..=last);
                (pair, ranges.collect())
            })
            .collect()
    }
}

/// How many parties of an end count as unchanged if it has this pair of states.
fn unchanged_weight(states: &mut States, pair: StatePair, end: &AlignedEnd) -> u64 {
    if states.comparison(pair).is_unchanged() {
        end.weight()
    } else {
        0
    }
}
