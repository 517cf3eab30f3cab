//! One side of a comparison: its rows, and the states of sources read off them.
//!
//! Destinations whose endpoint indices have the same templates share their [`Segments`]. Own-node
//! exceptions (S55) are added for the few ends that run on a node of the destination, or are one
//! ([`SideRows::state_with_own_node`]). Cost: segments cost the ranges of their rows, and an exact
//! computation ([`SideRows::state`]) for each end that a row cuts.

use crate::compile::endpoint_index::{EndpointIx, EndpointSet};
use crate::diff::align::endpoint::{AlignedEnd, EXACT_PAIRS, EndIx};
use crate::diff::align::position_index::PositionIndexes;
use crate::diff::before_after::Which;
use crate::diff::rows::interned::{AllowedIx, NOTHING, StateIx, States};
use crate::diff::rows::segments::{SegmentState, Segments};
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::{RowCache, SourcesTraffic};
use crate::query::reach::closure::APART;
use crate::set::hashed::HashMap;
use crate::set::{Members, Point, partition};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// A row, with the numbers of its parts.
struct NumberedRow {
    parts: Arc<[SourcesTraffic]>,
    numbers: Vec<AllowedIx>,
}

/// An own-node exception: source, index into the destination's endpoint indices, number.
type OwnNodeEntry = (EndpointIx, usize, AllowedIx);

/// One destination end on one side.
pub struct DestinationRows {
    /// The templates of its endpoint indices, each with how many of them have it.
    templates: Vec<(DestinationClassIx, usize)>,
    /// The template of each endpoint index, as an index into `templates`.
    template_of: Vec<usize>,
    /// The own-node exceptions; sorted.
    own_node: Vec<OwnNodeEntry>,
}

impl DestinationRows {
    /// Its templates; equal keys, equal rows without own-node exceptions.
    pub fn key(&self) -> Vec<DestinationClassIx> {
        self.templates
            .iter()
            .map(|(template, _)| *template)
            .collect()
    }

    /// The sources with own-node exceptions, sorted; each as often as there are endpoint indices of
    /// the destination for which it has one.
    pub fn own_node_sources(&self) -> impl Iterator<Item = EndpointIx> + '_ {
        self.own_node.iter().map(|(source, ..)| *source)
    }

    /// The own-node exceptions of these sources.
    fn exceptions(&self, sources: &EndpointSet) -> Vec<OwnNodeEntry> {
        let mut found = Vec::new();
        if self.own_node.is_empty() {
            return found;
        }
        for (first, last) in sources.ranges() {
            let start = self
                .own_node
                .partition_point(|(source, ..)| *source < first);
            found.extend(
                self.own_node[start..]
                    .iter()
                    .take_while(|(source, ..)| *source <= last),
            );
        }
        found
    }
}

/// One side's rows.
pub struct SideRows<'a> {
    which: Which,
    indexes: Arc<PositionIndexes>,
    /// The rows.
    pub rows: RowCache<'a>,
    numbered: HashMap<DestinationClassIx, Rc<NumberedRow>>,
    segments: HashMap<Vec<DestinationClassIx>, Rc<Segments>>,
    /// One endpoint index of each template so far.
    index_of: HashMap<DestinationClassIx, EndpointIx>,
}

impl<'a> SideRows<'a> {
    /// Nothing is read yet.
    pub fn new(which: Which, indexes: &Arc<PositionIndexes>, rows: RowCache<'a>) -> Self {
        Self {
            which,
            indexes: Arc::clone(indexes),
            rows,
            numbered: HashMap::default(),
            segments: HashMap::default(),
            index_of: HashMap::default(),
        }
    }

    /// Computes the rows of some destinations, on all processors.
    pub fn make(&mut self, destinations: &[EndIx]) {
        let indices_of = |end: &EndIx| {
            self.indexes.order.ends[*end]
                .indices(self.which)
                .iter()
                .map(|(index, _)| *index)
        };
        let indices: Vec<EndpointIx> = destinations.iter().flat_map(indices_of).collect();
        self.rows.make(&indices);
    }

    /// Frees the rows and what was derived from them.
    pub fn forget(&mut self) {
        self.rows.forget();
        self.numbered.clear();
        self.segments.clear();
    }

    /// The rows of a destination.
    pub fn destination_rows(&mut self, states: &mut States, destination: EndIx) -> DestinationRows {
        let indexes = Arc::clone(&self.indexes);
        let mut rows = self.without_own_node(destination);
        for (i, (index, _)) in indexes.order.ends[destination]
            .indices(self.which)
            .iter()
            .enumerate()
        {
            for (source, allowed) in self.rows.own_node_sources(*index) {
                rows.own_node.push((source, i, states.number_of(&allowed)));
            }
        }
        rows.own_node.sort_unstable();
        rows
    }

    /// The rows of a destination, without own-node exceptions.
    pub fn without_own_node(&mut self, destination: EndIx) -> DestinationRows {
        let indexes = Arc::clone(&self.indexes);
        let mut rows = DestinationRows {
            templates: Vec::new(),
            template_of: Vec::new(),
            own_node: Vec::new(),
        };
        let indices = indexes.order.ends[destination].indices(self.which);
        let templates: Vec<DestinationClassIx> = indices
            .iter()
            .map(|(index, _)| self.rows.template(*index))
            .collect();
        let mut distinct = templates.clone();
        distinct.sort_unstable();
        distinct.dedup();
        rows.templates = distinct.iter().map(|t| (*t, 0)).collect();
        for ((index, _), template) in indices.iter().zip(&templates) {
            self.index_of.entry(*template).or_insert(*index);
            let position = distinct.partition_point(|t| t < template);
            rows.templates[position].1 += 1;
            rows.template_of.push(position);
        }
        rows
    }

    fn numbered(&mut self, states: &mut States, template: DestinationClassIx) -> Rc<NumberedRow> {
        if let Some(known) = self.numbered.get(&template) {
            return Rc::clone(known);
        }
        let index = self.index_of.get(&template).copied();
        // INVARIANT: whoever has a template has one of its indices looked up first
        let index = index.unwrap_or(EndpointIx::MIN);
        let parts = self.rows.parts(index);
        let numbers = parts
            .iter()
            .map(|part| states.number(&part.allowed))
            .collect();
        let numbered = Rc::new(NumberedRow { parts, numbers });
        self.numbered.insert(template, Rc::clone(&numbered));
        numbered
    }

    /// The states of all sources for a destination, without own-node exceptions.
    pub fn segments(&mut self, states: &mut States, rows: &DestinationRows) -> Rc<Segments> {
        let key = rows.key();
        if let Some(known) = self.segments.get(&key) {
            return Rc::clone(known);
        }
        let indexes = Arc::clone(&self.indexes);
        let index = indexes.side(self.which);
        let (mut segments, mut borders) = (Vec::new(), Vec::new());
        for (sources, state) in self.regions(states, &key) {
            for range in sources.ranges() {
                borders.extend([Some(range.0), range.1.next()].into_iter().flatten());
                index.positions(range, |first, last| segments.push((first, last, state)));
            }
        }
        let cut = index.cut(&borders).into_iter();
        let exact = cut
            .map(|end| (end, self.state(states, rows, end, false)))
            .collect();
        let rest = states.nothing();
        let segments = Rc::new(Segments::new(segments, rest, exact));
        self.segments.insert(key, Rc::clone(&segments));
        segments
    }

    /// The sources, as endpoint indices, by the state of what they may send to some templates;
    /// those that may send nothing are left out.
    pub fn regions(
        &mut self,
        states: &mut States,
        templates: &[DestinationClassIx],
    ) -> Vec<(EndpointSet, StateIx)> {
        let rows: Vec<Rc<NumberedRow>> = templates
            .iter()
            .map(|template| self.numbered(states, *template))
            .collect();
        if let [row] = &rows[..] {
            let region = |(part, number): (&SourcesTraffic, &AllowedIx)| {
                (part.sources.clone(), states.single(*number))
            };
            return row.parts.iter().zip(&row.numbers).map(region).collect();
        }
        let parts: Vec<(&SourcesTraffic, AllowedIx)> = rows
            .iter()
            .flat_map(|row| row.parts.iter().zip(row.numbers.iter().copied()))
            .collect();
        let sets: Vec<&EndpointSet> = parts.iter().map(|(part, _)| &part.sources).collect();
        let region = |(sources, members): (EndpointSet, Members)| {
            let mut numbers: Vec<AllowedIx> = members.iter().map(|i| parts[i].1).collect();
            // The parts of one row are disjoint, so fewer parts than rows leave a row that admits
            // nothing.
            numbers.extend((numbers.len() < rows.len()).then_some(NOTHING));
            (sources, states.state(numbers))
        };
        partition(&sets).into_iter().map(region).collect()
    }

    /// The state of a source for a destination with own-node exceptions, given the one without.
    pub fn state_with_own_node(
        &mut self,
        states: &mut States,
        rows: &DestinationRows,
        without: SegmentState,
        source: EndIx,
    ) -> StateIx {
        let indexes = Arc::clone(&self.indexes);
        let from = indexes.order.ends[source].indices(self.which);
        let exceptions = rows.exceptions(&indexes.side(self.which).index_set(source, from));
        let uniform = without.state();
        if exceptions.is_empty() {
            return uniform;
        }
        let fewest = rows
            .templates
            .iter()
            .map(|(_, count)| *count)
            .min()
            .unwrap_or(0)
            * from.len();
        let numbers = exceptions.iter().map(|(.., number)| *number);
        match without {
            // Covered uniformly, and the row without exceptions still holds for some indices.
            SegmentState::Uniform(_) if exceptions.len() < fewest => {
                numbers.fold(uniform, |state, number| states.with(state, number))
            }
            SegmentState::Uniform(_) if exceptions.len() == fewest && rows.templates.len() == 1 => {
                states.state(numbers.collect())
            }
            _ => self.state(states, rows, source, true),
        }
    }

    /// The state of a source end for a destination, with or without own-node exceptions, endpoint
    /// index by endpoint index.
    pub fn state(
        &mut self,
        states: &mut States,
        rows: &DestinationRows,
        source: EndIx,
        own_node: bool,
    ) -> StateIx {
        let indexes = Arc::clone(&self.indexes);
        let from = indexes.order.ends[source].indices(self.which);
        let sources = indexes.side(self.which).index_set(source, from);
        let mut numbers = Vec::new();
        let exceptions: Vec<OwnNodeEntry> = if own_node {
            rows.exceptions(&sources)
        } else {
            Vec::new()
        };
        numbers.extend(exceptions.iter().map(|(.., number)| *number));
        for (position, (template, count)) in rows.templates.iter().enumerate() {
            let of_template = |entries: &[OwnNodeEntry]| {
                entries
                    .iter()
                    .filter(|(_, index, _)| rows.template_of[*index] == position)
                    .count()
            };
            let excepted: EndpointSet = exceptions
                .chunk_by(|a, b| a.0 == b.0)
                .filter(|entries| of_template(entries) == *count)
                .map(|entries| entries[0].0)
                .collect();
            let common = sources.difference(&excepted);
            let mut covered = 0;
            let row = self.numbered(states, *template);
            for (part, number) in row.parts.iter().zip(&row.numbers) {
                let here = part.sources.intersection(&common).count();
                covered += here;
                numbers.extend((here > 0).then_some(*number));
            }
            numbers.extend((covered < common.count()).then_some(NOTHING));
        }
        states.state(numbers)
    }

    /// The state of a source for a destination pod by pod, where both are one workload of a few
    /// pods, or several on the same nodes, or a block of addresses. What is known only for some
    /// pods of a class, since the others run on other nodes, may be known for all of these.
    pub fn pod_by_pod(
        &mut self,
        states: &mut States,
        source: EndIx,
        destination: EndIx,
    ) -> Option<StateIx> {
        let cluster = &self.rows.graph().environment().cluster;
        let [source, destination] = [source, destination].map(|end| &self.indexes.order.ends[end]);
        let stands_for_one = |end: &AlignedEnd| end.weight() == 1 || cluster.pods().len() <= APART;
        let [from, into] =
            [source, destination].map(|end| end.endpoints(cluster, self.which, 0, EXACT_PAIRS + 1));
        if !(stands_for_one(source) && stands_for_one(destination))
            || from.len() * into.len() > EXACT_PAIRS
        {
            return None;
        }
        let pairs = from.iter().flat_map(|s| into.iter().map(move |d| (*s, *d)));
        let exact: Option<Vec<_>> = pairs.map(|(s, d)| self.rows.exact(s, d)).collect();
        let numbers = exact?
            .iter()
            .map(|allowed| states.number_of(allowed))
            .collect();
        Some(states.state(numbers))
    }

    /// The state of a workload with itself: between its endpoint indices, and inside those of
    /// several pods.
    pub fn state_with_itself(
        &mut self,
        states: &mut States,
        rows: &DestinationRows,
        end: EndIx,
    ) -> Option<StateIx> {
        let indexes = Arc::clone(&self.indexes);
        let indices = indexes.order.ends[end].indices(self.which);
        let numbered: Vec<Rc<NumberedRow>> = rows
            .templates
            .iter()
            .map(|(t, _)| self.numbered(states, *t))
            .collect();
        let mut numbers = BTreeSet::new();
        for (i, (from, several)) in indices.iter().enumerate() {
            let counts = |index: usize| index != i || *several;
            let exceptions = rows.exceptions(&EndpointSet::point(*from));
            numbers.extend(
                exceptions
                    .iter()
                    .filter(|(_, index, _)| counts(*index))
                    .map(|(.., number)| *number),
            );
            for (position, (_, count)) in rows.templates.iter().enumerate() {
                let excepted = exceptions
                    .iter()
                    .filter(|(_, index, _)| rows.template_of[*index] == position && counts(*index))
                    .count();
                let others = count - usize::from(rows.template_of[i] == position && !several);
                if others > excepted {
                    let row = &numbered[position];
                    let part = row
                        .parts
                        .iter()
                        .position(|part| part.sources.contains(*from));
                    numbers.insert(part.map_or(NOTHING, |part| row.numbers[part]));
                }
            }
        }
        (!numbers.is_empty()).then(|| states.state(numbers.into_iter().collect()))
    }
}
