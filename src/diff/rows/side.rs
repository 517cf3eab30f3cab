//! One side of a comparison: its rows, and the states of sources read off them.
//!
//! Destinations whose places have the same templates share a [`Segments`]; what own nodes change
//! (S55) is put on top of it for the few ends that stand beside a destination
//! ([`SideRows::own_node_sources`]). Cost: a strip costs the runs of its rows, and an exact look
//! ([`SideRows::state`]) at each end that a row cuts.

use crate::compile::peer_sets::EndpointSet;
use crate::diff::Which;
use crate::diff::align::alignment::{CLOSE, End, EndIx};
use crate::diff::align::position_index::places;
use crate::diff::rows::destination_diff::Index;
use crate::diff::rows::interned::{NOTHING, States};
use crate::diff::rows::segments::Segments;
use crate::graph::{RowCache, SourcesTraffic};
use crate::query::reach::closure::APART;
use crate::set::hashed::HashMap;
use crate::set::partition;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// A row, with the numbers of its parts.
struct Numbered {
    parts: Arc<[SourcesTraffic]>,
    numbers: Vec<u32>,
}

/// One destination end on one side.
pub struct DestinationRows {
    /// The templates of its places, each with how many of them it has.
    templates: Vec<(u32, usize)>,
    /// The template of each place, as an index among those.
    of_place: Vec<usize>,
    /// Where own nodes decide: source, index of the place, number; sorted.
    own: Vec<(u32, usize, u32)>,
}

impl DestinationRows {
    /// The templates of its places.
    pub fn key(&self) -> Vec<u32> {
        self.templates
            .iter()
            .map(|(template, _)| *template)
            .collect()
    }

    /// The sources for which own nodes decide, in order, each as often as there are places of the
    /// destination for which.
    pub fn own_node_sources(&self) -> impl Iterator<Item = u32> + '_ {
        self.own.iter().map(|(source, ..)| *source)
    }
}

/// The state of an end without what own nodes change.
#[derive(Debug, Clone, Copy)]
pub enum Certainty {
    /// All its places have the same.
    Evenly(u32),
    /// A border of the row may lie between its places.
    Exactly(u32),
}

impl Certainty {
    /// The state.
    pub fn state(self) -> u32 {
        let (Self::Evenly(state) | Self::Exactly(state)) = self;
        state
    }
}

/// One side's rows.
pub struct SideRows<'a> {
    which: Which,
    index: Arc<Index>,
    /// The rows.
    pub rows: RowCache<'a>,
    numbered: HashMap<u32, Rc<Numbered>>,
    strips: HashMap<Vec<u32>, Rc<Segments>>,
    /// One place of each template that was met.
    place_of: HashMap<u32, u32>,
}

impl<'a> SideRows<'a> {
    /// Nothing is read yet.
    pub fn new(which: Which, index: &Arc<Index>, rows: RowCache<'a>) -> Self {
        let index = Arc::clone(index);
        let (numbered, strips, place_of) =
            (HashMap::default(), HashMap::default(), HashMap::default());
        Self {
            which,
            index,
            rows,
            numbered,
            strips,
            place_of,
        }
    }

    /// Makes the rows of some destinations, on all processors.
    pub fn make(&mut self, destinations: &[EndIx]) {
        let of = |end: &EndIx| {
            places(&self.index.roll.ends[*end], self.which)
                .iter()
                .map(|(place, _)| *place)
        };
        let places: Vec<u32> = destinations.iter().flat_map(of).collect();
        self.rows.make(&places);
    }

    /// Forgets the rows and what was made of them.
    pub fn forget(&mut self) {
        self.rows.forget();
        self.numbered.clear();
        self.strips.clear();
    }

    /// A destination.
    pub fn to(&mut self, states: &mut States, destination: EndIx) -> DestinationRows {
        let index = Arc::clone(&self.index);
        let mut to = self.without_own(destination);
        for (i, (place, _)) in places(&index.roll.ends[destination], self.which)
            .iter()
            .enumerate()
        {
            for (source, allowed) in self.rows.own_node_sources(*place) {
                to.own.push((source, i, states.number_of(&allowed)));
            }
        }
        to.own.sort_unstable();
        to
    }

    /// A destination, apart from own nodes.
    pub fn without_own(&mut self, destination: EndIx) -> DestinationRows {
        let index = Arc::clone(&self.index);
        let mut to = DestinationRows {
            templates: Vec::new(),
            of_place: Vec::new(),
            own: Vec::new(),
        };
        let places = places(&index.roll.ends[destination], self.which);
        let of: Vec<u32> = places
            .iter()
            .map(|(place, _)| self.rows.template(*place))
            .collect();
        let mut distinct = of.clone();
        distinct.sort_unstable();
        distinct.dedup();
        to.templates = distinct.iter().map(|t| (*t, 0)).collect();
        for ((place, _), template) in places.iter().zip(&of) {
            self.place_of.entry(*template).or_insert(*place);
            let at = distinct.partition_point(|t| t < template);
            to.templates[at].1 += 1;
            to.of_place.push(at);
        }
        to
    }

    fn numbered(&mut self, states: &mut States, template: u32) -> Rc<Numbered> {
        if let Some(known) = self.numbered.get(&template) {
            return Rc::clone(known);
        }
        let place = self.place_of.get(&template).copied().unwrap_or(0);
        let parts = self.rows.parts(place);
        let numbers = parts
            .iter()
            .map(|part| states.number(&part.allowed))
            .collect();
        let numbered = Rc::new(Numbered { parts, numbers });
        self.numbered.insert(template, Rc::clone(&numbered));
        numbered
    }

    /// The states of all sources for a destination, without what own nodes change.
    pub fn strip(&mut self, states: &mut States, to: &DestinationRows) -> Rc<Segments> {
        let key = to.key();
        if let Some(known) = self.strips.get(&key) {
            return Rc::clone(known);
        }
        let index = Arc::clone(&self.index);
        let placed = index.side(self.which);
        let (mut stretches, mut borders) = (Vec::new(), Vec::new());
        for (runs, state) in self.regions(states, &key) {
            for run in runs.ranges() {
                borders.extend([run.0, run.1 + 1]);
                placed.positions(run, |first, last| stretches.push((first, last, state)));
            }
        }
        let cut = placed.cut(&borders).into_iter();
        let exact = cut
            .map(|end| (end, self.state(states, to, end, false)))
            .collect();
        let rest = states.nothing();
        let strip = Rc::new(Segments::new(stretches, rest, exact));
        self.strips.insert(key, Rc::clone(&strip));
        strip
    }

    /// The places by the state of what they may send to some templates; those that may send nothing
    /// are left out.
    pub fn regions(&mut self, states: &mut States, templates: &[u32]) -> Vec<(EndpointSet, u32)> {
        let rows: Vec<Rc<Numbered>> = templates
            .iter()
            .map(|template| self.numbered(states, *template))
            .collect();
        if let [row] = &rows[..] {
            let one = |(part, number): (&SourcesTraffic, &u32)| {
                (part.sources.clone(), states.single(*number))
            };
            return row.parts.iter().zip(&row.numbers).map(one).collect();
        }
        let parts: Vec<(&SourcesTraffic, u32)> = rows
            .iter()
            .flat_map(|row| row.parts.iter().zip(row.numbers.iter().copied()))
            .collect();
        let sets: Vec<&EndpointSet> = parts.iter().map(|(part, _)| &part.sources).collect();
        let state = |(runs, members): (EndpointSet, crate::set::Members)| {
            let mut numbers: Vec<u32> = members.iter().map(|i| parts[i].1).collect();
            // the parts of one row are disjoint, so fewer parts than rows leave a row that lets
            // nothing in
            numbers.extend((numbers.len() < rows.len()).then_some(NOTHING));
            (runs, states.state(numbers))
        };
        partition(&sets).into_iter().map(state).collect()
    }

    /// The state of a source for a destination, own nodes included, given the one without them.
    pub fn own_node_sources(
        &mut self,
        states: &mut States,
        to: &DestinationRows,
        told: Certainty,
        source: EndIx,
    ) -> u32 {
        let index = Arc::clone(&self.index);
        let from = places(&index.roll.ends[source], self.which);
        let near = near(to, &index.side(self.which).runs(source, from));
        let even = told.state();
        if near.is_empty() {
            return even;
        }
        let fewest = to
            .templates
            .iter()
            .map(|(_, many)| *many)
            .min()
            .unwrap_or(0)
            * from.len();
        let numbers = near.iter().map(|(.., number)| *number);
        match told {
            // evenly covered, and the row still tells of some of its places
            Certainty::Evenly(_) if near.len() < fewest => {
                numbers.fold(even, |state, number| states.with(state, number))
            }
            Certainty::Evenly(_) if near.len() == fewest && to.templates.len() == 1 => {
                states.state(numbers.collect())
            }
            _ => self.state(states, to, source, true),
        }
    }

    /// The state of a source end for a destination, with or without what own nodes change, place by
    /// place.
    pub fn state(
        &mut self,
        states: &mut States,
        to: &DestinationRows,
        source: EndIx,
        own: bool,
    ) -> u32 {
        let index = Arc::clone(&self.index);
        let from = places(&index.roll.ends[source], self.which);
        let runs = index.side(self.which).runs(source, from);
        let mut numbers = Vec::new();
        let near: Vec<(u32, usize, u32)> = if own { near(to, &runs) } else { Vec::new() };
        numbers.extend(near.iter().map(|(.., number)| *number));
        for (at, (template, many)) in to.templates.iter().enumerate() {
            let excepted: EndpointSet = near
                .chunk_by(|a, b| a.0 == b.0)
                .filter(|of| {
                    of.iter()
                        .filter(|(_, place, _)| to.of_place[*place] == at)
                        .count()
                        == *many
                })
                .map(|of| of[0].0..=of[0].0)
                .collect();
            let told = runs.difference(&excepted);
            let mut covered = 0;
            let row = self.numbered(states, *template);
            for (part, number) in row.parts.iter().zip(&row.numbers) {
                let here = part.sources.intersection(&told).count();
                covered += here;
                numbers.extend((here > 0).then_some(*number));
            }
            numbers.extend((covered < told.count()).then_some(NOTHING));
        }
        states.state(numbers)
    }

    /// The state of a source for a destination pod by pod, where both are one workload of a few
    /// pods, or several on the same nodes, or a block: what holds for some pods of a class only,
    /// since they run on other nodes, may hold for all of these.
    pub fn exactly(
        &mut self,
        states: &mut States,
        source: EndIx,
        destination: EndIx,
    ) -> Option<u32> {
        let cluster = &self.rows.graph().environment().cluster;
        let [source, destination] = [source, destination].map(|end| &self.index.roll.ends[end]);
        let stands_for_one = |end: &End| end.weight() == 1 || cluster.pods().len() <= APART;
        let [from, into] =
            [source, destination].map(|end| end.endpoints(cluster, self.which, 0, CLOSE + 1));
        if !(stands_for_one(source) && stands_for_one(destination))
            || from.len() * into.len() > CLOSE
        {
            return None;
        }
        let pairs = from.iter().flat_map(|s| into.iter().map(move |d| (*s, *d)));
        let told: Option<Vec<_>> = pairs.map(|(s, d)| self.rows.exact(s, d)).collect();
        let numbers = told?
            .iter()
            .map(|allowed| states.number_of(allowed))
            .collect();
        Some(states.state(numbers))
    }

    /// The state of a workload with itself: between its places, and inside those of several pods.
    pub fn own(&mut self, states: &mut States, to: &DestinationRows, end: EndIx) -> Option<u32> {
        let index = Arc::clone(&self.index);
        let places = places(&index.roll.ends[end], self.which);
        let rows: Vec<Rc<Numbered>> = to
            .templates
            .iter()
            .map(|(t, _)| self.numbered(states, *t))
            .collect();
        let mut numbers = BTreeSet::new();
        for (i, (from, several)) in places.iter().enumerate() {
            let counts = |place: usize| place != i || *several;
            let near = near(to, &EndpointSet::point(*from));
            numbers.extend(
                near.iter()
                    .filter(|(_, place, _)| counts(*place))
                    .map(|(.., number)| *number),
            );
            for (at, (_, many)) in to.templates.iter().enumerate() {
                let excepted = near
                    .iter()
                    .filter(|(_, place, _)| to.of_place[*place] == at && counts(*place))
                    .count();
                let others = many - usize::from(to.of_place[i] == at && !several);
                if others > excepted {
                    let part = rows[at]
                        .parts
                        .iter()
                        .position(|part| part.sources.contains(*from));
                    numbers.insert(part.map_or(NOTHING, |part| rows[at].numbers[part]));
                }
            }
        }
        (!numbers.is_empty()).then(|| states.state(numbers.into_iter().collect()))
    }
}

/// Where own nodes decide for sources among these.
fn near(to: &DestinationRows, sources: &EndpointSet) -> Vec<(u32, usize, u32)> {
    let mut found = Vec::new();
    if to.own.is_empty() {
        return found;
    }
    for (first, last) in sources.ranges() {
        let start = to.own.partition_point(|(source, ..)| *source < first);
        found.extend(
            to.own[start..]
                .iter()
                .take_while(|(source, ..)| *source <= last),
        );
    }
    found
}
