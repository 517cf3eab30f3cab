//! How many pairs may talk as they could before, because nothing that governs either end was
//! edited.
//!
//! Invariant: where neither the egress of a source nor the ingress of a destination was edited
//! ([`Edits::is_unchanged`]), the same passes on both sides, so that the after side alone is
//! counted. Sources with an edit are left out; they are compared
//! ([`crate::diff::rows::destination_diff`]). Destinations of the same templates are counted
//! together, so that one row at a time is in memory. Cost: the ranges of each row, and per
//! destination its sources with own-node exceptions.
//!
//! [`Edits::is_unchanged`]: crate::diff::cause::edits::Edits::is_unchanged

use crate::compile::endpoint_index::EndpointIx;
use crate::diff::align::endpoint::EndIx;
use crate::diff::align::position::PositionSet;
use crate::diff::align::position_index::PositionIndexes;
use crate::diff::before_after::Which;
use crate::diff::rows::interned::{StateIx, States};
use crate::diff::rows::segments::SegmentState;
use crate::diff::rows::side::SideRows;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::{AllowGraph, RowCache};
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{Ix, Point};
use rayon::prelude::*;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// How many groups of destinations one processor counts at a time.
const AT_ONCE: usize = 32;

/// What passes to destinations of some templates, without own-node exceptions.
struct TemplateRow {
    /// First endpoint index, last endpoint index, state; sorted. Elsewhere nothing passes.
    segments: Vec<(EndpointIx, EndpointIx, StateIx)>,
    /// The states of the ends that a border cuts.
    exact: HashMap<EndIx, StateIx>,
    /// How many parties are unchanged: workloads, and blocks of addresses.
    unchanged: [u64; 2],
}

/// The sources that are counted.
struct CountedSources<'a> {
    indexes: &'a Arc<PositionIndexes>,
    /// The positions that are compared instead.
    compared: &'a PositionSet,
    /// Prefix sums by endpoint index: workloads and blocks of addresses that are not compared.
    sums: [Vec<u64>; 2],
}

impl<'a> CountedSources<'a> {
    fn new(indexes: &'a Arc<PositionIndexes>, compared: &'a PositionSet) -> Self {
        let order = &indexes.order;
        let index = indexes.side(Which::After);
        let sums = [false, true].map(|external| {
            index.sums(|position| {
                let end = &order.ends[order.end_at(position)];
                if end.is_external() == external && !compared.contains(position) {
                    end.weight()
                } else {
                    0
                }
            })
        });
        Self {
            indexes,
            compared,
            sums,
        }
    }

    /// Whether an end is counted and not compared.
    fn contains(&self, end: EndIx) -> bool {
        !self.compared.contains(self.indexes.order.position[end])
    }
}

/// How many pairs may talk on both sides without a change; counted lazily.
#[derive(Clone, Default)]
pub struct Unchanged {
    /// Those that were counted while the sides were compared.
    compared: u64,
    rest: Option<Rest>,
    counted: OnceLock<u64>,
}

/// What is not counted yet.
#[derive(Clone)]
struct Rest {
    after: AllowGraph,
    indexes: Arc<PositionIndexes>,
    destinations: Arc<[EndIx]>,
    /// The positions of the sources that were compared.
    edited: PositionSet,
}

impl Unchanged {
    /// Some pairs, and those of these destinations with sources that no edit affects.
    pub fn new(
        compared: u64,
        after: &AllowGraph,
        indexes: &Arc<PositionIndexes>,
        destinations: Vec<EndIx>,
        edited: PositionSet,
    ) -> Self {
        let rest = Rest {
            after: after.clone(),
            indexes: Arc::clone(indexes),
            destinations: destinations.into(),
            edited,
        };
        Self {
            compared,
            rest: Some(rest),
            counted: OnceLock::new(),
        }
    }

    /// The number of pairs; a block of addresses counts once. Computed on all processors, the first
    /// time.
    pub fn count(&self) -> u64 {
        *self
            .counted
            .get_or_init(|| self.compared + self.rest.as_ref().map_or(0, Rest::count))
    }
}

impl fmt::Debug for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count())
    }
}

impl Rest {
    /// How many pairs there are of the destinations and of parties that may send something to them
    /// on the after side, except the sources that were compared; for a destination all addresses
    /// count once.
    fn count(&self) -> u64 {
        let sources = CountedSources::new(&self.indexes, &self.edited);
        let mut rows = SideRows::new(Which::After, &self.indexes, RowCache::new(&self.after));
        let mut by_templates: IndexMap<Vec<DestinationClassIx>, Vec<EndIx>> = IndexMap::default();
        for destination in &*self.destinations {
            by_templates
                .entry(rows.without_own_node(*destination).key())
                .or_default()
                .push(*destination);
        }
        let groups: Vec<Vec<EndIx>> = by_templates.into_values().collect();
        let count = |groups: &[Vec<EndIx>]| {
            let mut counter = UnchangedCounter::new(&sources, &self.after);
            groups.iter().map(|group| counter.pairs(group)).sum::<u64>()
        };
        groups.par_chunks(AT_ONCE).map(count).sum()
    }
}

/// Counts pairs on the after side that are the same on the before side.
struct UnchangedCounter<'a> {
    sources: &'a CountedSources<'a>,
    rows: SideRows<'a>,
    states: States,
}

impl<'a> UnchangedCounter<'a> {
    fn new(sources: &'a CountedSources<'a>, after: &'a AllowGraph) -> Self {
        let rows = SideRows::new(Which::After, sources.indexes, RowCache::new(after));
        Self {
            sources,
            rows,
            states: States::new(),
        }
    }

    /// How many pairs there are of destinations that share their templates.
    fn pairs(&mut self, destinations: &[EndIx]) -> u64 {
        let Some(row) = destinations.first().map(|first| self.template_row(*first)) else {
            return 0;
        };
        self.rows.forget();
        let weight = |destination: EndIx| self.sources.indexes.order.ends[destination].weight();
        destinations
            .iter()
            .map(|d| weight(*d) * self.count(*d, &row))
            .sum()
    }

    /// How many parties may send something to a destination.
    fn count(&mut self, destination: EndIx, row: &TemplateRow) -> u64 {
        let indexes = self.sources.indexes;
        let order = &indexes.order;
        let rows = self.rows.destination_rows(&mut self.states, destination);
        let to_external = order.ends[destination].is_external();
        let mut unchanged = row.unchanged;
        for source in indexes.own_node_sources(Which::After, rows.own_node_sources()) {
            let end = &order.ends[source];
            if source == destination
                || !self.sources.contains(source)
                || to_external && end.is_external()
            {
                continue;
            }
            let without = self.state_of(row, source);
            let state = self
                .rows
                .state_with_own_node(&mut self.states, &rows, without, source);
            let state = self.told_pod_by_pod(state, source, destination);
            let unchanged = &mut unchanged[usize::from(end.is_external())];
            *unchanged -= if self.is_unchanged(without.state()) {
                end.weight()
            } else {
                0
            };
            *unchanged += if self.is_unchanged(state) {
                end.weight()
            } else {
                0
            };
        }
        if to_external {
            return unchanged[0]; // addresses send nothing to addresses
        }
        let without = self.state_of(row, destination);
        let itself = self.sources.contains(destination) && self.is_unchanged(without.state());
        unchanged[0] + u64::from(unchanged[1] > 0)
            - if itself {
                order.ends[destination].weight()
            } else {
                0
            }
    }

    /// A state, or what is known pod by pod where the classes leave it open (S55).
    fn told_pod_by_pod(&mut self, state: StateIx, source: EndIx, destination: EndIx) -> StateIx {
        let pair = (state, state);
        if !self.states.comparison(pair).changed || !self.states.is_uncertain(pair) {
            return state;
        }
        let exact = self.rows.pod_by_pod(&mut self.states, source, destination);
        exact.unwrap_or(state)
    }

    /// The state of an end, without own-node exceptions.
    fn state_of(&mut self, row: &TemplateRow, end: EndIx) -> SegmentState {
        if let Some(state) = row.exact.get(&end) {
            return SegmentState::Exact(*state);
        }
        let index = self.sources.indexes.order.ends[end]
            .indices(Which::After)
            .first()
            .map_or(EndpointIx::MIN, |(index, _)| *index);
        let found = row.segments.partition_point(|(_, last, _)| *last < index);
        let segment = row
            .segments
            .get(found)
            .filter(|(first, ..)| *first <= index);
        SegmentState::Uniform(segment.map_or_else(|| self.states.nothing(), |(.., state)| *state))
    }

    /// What passes to a destination and all others of its templates.
    fn template_row(&mut self, destination: EndIx) -> TemplateRow {
        let indexes = self.sources.indexes;
        let rows = self.rows.without_own_node(destination);
        let mut segments = Vec::new();
        for (sources, state) in self.rows.regions(&mut self.states, &rows.key()) {
            segments.extend(sources.ranges().map(|(first, last)| (first, last, state)));
        }
        segments.sort_unstable();
        let mut row = TemplateRow {
            segments,
            exact: HashMap::default(),
            unchanged: [0; 2],
        };
        for (first, last, state) in &row.segments {
            if self.is_unchanged(*state) {
                for (unchanged, sums) in row.unchanged.iter_mut().zip(&self.sources.sums) {
                    *unchanged += sums[last.index() + 1] - sums[first.index()];
                }
            }
        }
        let borders: Vec<EndpointIx> = row
            .segments
            .iter()
            .flat_map(|(first, last, _)| [Some(*first), last.next()])
            .flatten()
            .collect();
        for end in indexes.side(Which::After).cut(&borders) {
            let uniform = self.state_of(&row, end).state();
            let state = self.rows.state(&mut self.states, &rows, end, false);
            row.exact.insert(end, state);
            if self.sources.contains(end) {
                let weight = indexes.order.ends[end].weight();
                row.unchanged[0] -= if self.is_unchanged(uniform) {
                    weight
                } else {
                    0
                };
                row.unchanged[0] += if self.is_unchanged(state) { weight } else { 0 };
            }
        }
        row
    }

    /// Whether a state that is the same on both sides counts: something passes for certain, and
    /// nothing is unknown.
    fn is_unchanged(&mut self, state: StateIx) -> bool {
        self.states.comparison((state, state)).is_unchanged()
    }
}
