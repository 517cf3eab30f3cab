//! Columns: for one destination end, the sources whose states differ between the two sides.
//!
//! Destinations whose classes have the same templates on both sides share one comparison of all sources ([`Shared`]);
//! what own nodes change (S55) is looked at source by source for each destination, on top of it. The states of a source are
//! read off a table of places that the few parts of a row fill run by run.
//!
//! Invariant: a source is loud iff the delta of its pair of states is not empty; what is quiet is only counted. Cost: one
//! pass over the ends per distinct pair of rows, and per destination its sources beside own nodes and what is loud.

use super::joint::{End, EndIx, Places};
use super::states::{NOTHING, Pair, States};
use super::{Side, Which};
use crate::compile::peers::Runs;
use crate::compile::{Part, Rows};
use crate::set::hashed::HashMap;
use crate::set::partition;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// The ends by place.
pub struct Index<'a> {
    ends: &'a [End],
    /// Per side, the places of each end.
    runs: [Vec<Runs>; 2],
    /// Per side, the ends at each place.
    at: [Vec<Vec<EndIx>>; 2],
    /// The ends in the order of their places.
    order: Vec<EndIx>,
    /// The first end that is no workload.
    outside: EndIx,
}

fn places(end: &End, which: Which) -> &Places {
    if which == Which::Before { &end.before } else { &end.after }
}

const SIDES: [Which; 2] = [Which::Before, Which::After];

impl<'a> Index<'a> {
    /// Sorts the ends.
    pub fn new(ends: &'a [End], sides: [Side<'_>; 2]) -> Rc<Self> {
        let runs = SIDES.map(|which| {
            let run = |end: &End| places(end, which).iter().map(|(p, _)| *p..=*p).collect();
            ends.iter().map(run).collect()
        });
        let mut at = sides.map(|side| vec![Vec::new(); side.graph.line().len() as usize]);
        for (i, end) in ends.iter().enumerate() {
            for (at, which) in at.iter_mut().zip(SIDES) {
                places(end, which).iter().for_each(|(place, _)| at[*place as usize].push(i));
            }
        }
        let mut order: Vec<EndIx> = (0..ends.len()).collect();
        order.sort_by_cached_key(|end| ends[*end].before.first().copied());
        let outside = ends.iter().position(End::is_outside).unwrap_or(ends.len());
        Rc::new(Self { ends, runs, at, order, outside })
    }
}

/// A row, with the numbers of its parts.
struct Numbered {
    parts: Arc<[Part]>,
    numbers: Vec<u32>,
}

/// The places of one side by the state of what they may send to several templates.
struct Regions {
    regions: Vec<(Runs, u32)>,
    /// The state of all other places.
    rest: u32,
}

/// One destination end on one side.
pub struct To {
    /// The templates of its places, each with how many of them it has.
    templates: Vec<(u32, usize)>,
    /// The template of each place, as an index among those.
    of_place: Vec<usize>,
    /// Where own nodes decide: source, index of the place, number; sorted.
    own: Vec<(u32, usize, u32)>,
}

/// One side's rows.
struct Half<'a> {
    which: Which,
    index: Rc<Index<'a>>,
    rows: Rows<'a>,
    numbered: HashMap<u32, Rc<Numbered>>,
    regions: HashMap<Vec<u32>, Rc<Regions>>,
    /// One place of each template that was met.
    place_of: HashMap<u32, u32>,
}

impl Half<'_> {
    fn side(&self) -> usize {
        usize::from(self.which == Which::After)
    }

    fn to(&mut self, states: &mut States, destination: EndIx) -> To {
        let index = Rc::clone(&self.index);
        let mut to = To { templates: Vec::new(), of_place: Vec::new(), own: Vec::new() };
        let places = places(&index.ends[destination], self.which);
        let of: Vec<u32> = places.iter().map(|(place, _)| self.rows.template(*place)).collect();
        let distinct: Vec<u32> = of.iter().copied().collect::<BTreeSet<u32>>().into_iter().collect();
        to.templates = distinct.iter().map(|t| (*t, 0)).collect();
        for (i, ((place, _), template)) in places.iter().zip(&of).enumerate() {
            self.place_of.entry(*template).or_insert(*place);
            let at = distinct.partition_point(|t| t < template);
            to.templates[at].1 += 1;
            to.of_place.push(at);
            for (source, allowed) in self.rows.beside(*place) {
                to.own.push((source, i, states.number(&allowed)));
            }
        }
        to.own.sort_unstable();
        to
    }

    fn numbered(&mut self, states: &mut States, template: u32) -> Rc<Numbered> {
        if let Some(known) = self.numbered.get(&template) {
            return Rc::clone(known);
        }
        let place = self.place_of.get(&template).copied().unwrap_or(0);
        let parts = self.rows.parts(place);
        let numbers = parts.iter().map(|part| states.number(&part.allowed)).collect();
        let numbered = Rc::new(Numbered { parts, numbers });
        self.numbered.insert(template, Rc::clone(&numbered));
        numbered
    }

    /// The state of a source end for a destination, with or without what own nodes change.
    fn state(&mut self, states: &mut States, to: &To, source: EndIx, own: bool) -> u32 {
        let index = Rc::clone(&self.index);
        let runs = &index.runs[self.side()][source];
        let mut numbers = Vec::new();
        let near: Vec<(u32, usize, u32)> = if own { near(to, runs) } else { Vec::new() };
        numbers.extend(near.iter().map(|(_, _, number)| *number));
        for (at, (template, many)) in to.templates.iter().enumerate() {
            let excepted: Runs = near
                .chunk_by(|a, b| a.0 == b.0)
                .filter(|of| of.iter().filter(|(_, place, _)| to.of_place[*place] == at).count() == *many)
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

    /// The state of a workload of several classes with itself: between its places, and inside those of several pods.
    fn own(&mut self, states: &mut States, to: &To, end: EndIx) -> Option<u32> {
        let index = Rc::clone(&self.index);
        let places = places(&index.ends[end], self.which);
        if places.len() < 2 {
            return None;
        }
        let mut numbers = Vec::new();
        for (i, (from, several)) in places.iter().enumerate() {
            let counts = |place: usize| place != i || *several;
            let near = near(to, &Runs::point(*from));
            numbers.extend(near.iter().filter(|(_, place, _)| counts(*place)).map(|(_, _, number)| *number));
            for (at, (template, many)) in to.templates.iter().enumerate() {
                let excepted = near.iter().filter(|(_, place, _)| to.of_place[*place] == at && counts(*place)).count();
                let others = many - usize::from(to.of_place[i] == at && !several);
                if others > excepted {
                    let row = self.numbered(states, *template);
                    let part = row.parts.iter().position(|part| part.sources.contains(*from));
                    numbers.push(part.map_or(NOTHING, |part| row.numbers[part]));
                }
            }
        }
        (!numbers.is_empty()).then(|| states.state(numbers))
    }

    fn regions(&mut self, states: &mut States, to: &To) -> Rc<Regions> {
        let key: Vec<u32> = to.templates.iter().map(|(template, _)| *template).collect();
        if let Some(known) = self.regions.get(&key) {
            return Rc::clone(known);
        }
        let rows: Vec<Rc<Numbered>> = key.iter().map(|template| self.numbered(states, *template)).collect();
        let parts: Vec<(&Part, u32)> =
            rows.iter().flat_map(|row| row.parts.iter().zip(row.numbers.iter().copied())).collect();
        let sets: Vec<&Runs> = parts.iter().map(|(part, _)| &part.sources).collect();
        let cut = if let [_] = key[..] {
            parts.iter().map(|(part, number)| (part.sources.clone(), vec![*number])).collect()
        } else {
            let numbers = |(runs, members): (Runs, crate::set::Members)| {
                let mut numbers: Vec<u32> = members.iter().map(|i| parts[i].1).collect();
                // the parts of one row are disjoint, so fewer parts than rows leave a row that lets nothing in
                numbers.extend((numbers.len() < key.len()).then_some(NOTHING));
                (runs, numbers)
            };
            partition(&sets).into_iter().map(numbers).collect::<Vec<_>>()
        };
        let regions = cut.into_iter().map(|(runs, numbers)| (runs, states.state(numbers))).collect();
        let regions = Rc::new(Regions { regions, rest: states.state(vec![NOTHING]) });
        self.regions.insert(key, Rc::clone(&regions));
        regions
    }
}

/// Where own nodes decide for sources among these.
fn near(to: &To, sources: &Runs) -> Vec<(u32, usize, u32)> {
    let mut found = Vec::new();
    if to.own.is_empty() {
        return found;
    }
    for (first, last) in sources.ranges() {
        let start = to.own.partition_point(|(source, _, _)| *source < first);
        found.extend(to.own[start..].iter().take_while(|(source, _, _)| *source <= last));
    }
    found
}

/// The state of each place.
fn table(regions: &Regions, table: &mut Vec<u32>, places: usize) {
    table.clear();
    table.resize(places, regions.rest);
    for (runs, state) in &regions.regions {
        runs.ranges().for_each(|(first, last)| table[first as usize..=last as usize].fill(*state));
    }
}

/// All sources of destinations with the same rows, apart from own nodes.
struct Shared {
    /// The sources that differ, in order.
    loud: Vec<(EndIx, Pair)>,
    /// The workloads among the others to whom something surely passes.
    quiet: u64,
}

/// What differs for one destination.
pub struct Column {
    /// The sources that differ, in order, without the destination itself; of an address block no other blocks.
    pub loud: Vec<(EndIx, Pair)>,
    /// How many parties among the others may send something for certain; addresses count once.
    pub quiet: u64,
    /// The destination as a source.
    pub itself: Pair,
    /// Its places with each other, where it has several on both sides.
    pub own: Option<Pair>,
    to: [To; 2],
}

/// The rows of both sides.
pub struct Columns<'a> {
    index: Rc<Index<'a>>,
    halves: [Half<'a>; 2],
    shared: HashMap<[Vec<u32>; 2], Rc<Shared>>,
    tables: [Vec<u32>; 2],
}

impl<'a> Columns<'a> {
    /// Nothing is compared yet.
    pub fn new(index: &Rc<Index<'a>>, [before, after]: [Rows<'a>; 2]) -> Self {
        let half = |which, rows| Half {
            which,
            index: Rc::clone(index),
            rows,
            numbered: HashMap::default(),
            regions: HashMap::default(),
            place_of: HashMap::default(),
        };
        let halves = [half(Which::Before, before), half(Which::After, after)];
        Self { index: Rc::clone(index), halves, shared: HashMap::default(), tables: [Vec::new(), Vec::new()] }
    }

    /// Makes all rows, on all processors.
    pub fn make_all(&mut self) {
        self.halves.iter_mut().for_each(|half| half.rows.make_all());
    }

    /// The states of one source for the destination of a column.
    pub fn pair(&mut self, states: &mut States, column: &Column, source: EndIx) -> Pair {
        self.states(states, &column.to, source, true)
    }

    fn states(&mut self, states: &mut States, to: &[To; 2], source: EndIx, own: bool) -> Pair {
        let [before, after] = &mut self.halves;
        (before.state(states, &to[0], source, own), after.state(states, &to[1], source, own))
    }

    /// Compares all sources of a destination.
    pub fn column(&mut self, states: &mut States, destination: EndIx) -> Column {
        let index = Rc::clone(&self.index);
        let [before, after] = &mut self.halves;
        let to = [before.to(states, destination), after.to(states, destination)];
        let own = before.own(states, &to[0], destination).zip(after.own(states, &to[1], destination));
        let shared = self.shared(states, &to);
        let mut apart: BTreeSet<EndIx> = BTreeSet::from([destination]);
        for (to, at) in to.iter().zip(&index.at) {
            apart.extend(to.own.iter().flat_map(|(source, _, _)| &at[*source as usize]));
        }
        let outside = index.ends[destination].is_outside();
        let wanted = |source: EndIx| !outside || source < index.outside;
        let told = shared.loud.iter().filter(|(source, _)| wanted(*source) && !apart.contains(source));
        let mut loud: Vec<(EndIx, Pair)> = told.copied().collect();
        let (mut quiet, mut quiet_outside) = (shared.quiet, BTreeSet::new());
        let mut itself = None;
        for source in apart.into_iter().filter(|source| wanted(*source)) {
            let weight = if source < index.outside { index.ends[source].weight() } else { 0 };
            let pair = self.states(states, &to, source, false);
            if states.delta(pair).is_empty() && states.passes(pair.1) {
                quiet -= weight;
            }
            let pair = self.states(states, &to, source, true);
            if source == destination {
                itself = Some(pair);
            } else if !states.delta(pair).is_empty() {
                loud.push((source, pair));
            } else if states.passes(pair.1) {
                quiet += weight;
            }
            quiet_outside.insert(source);
        }
        loud.sort_unstable();
        let itself = itself.unwrap_or_default();
        let mut column = Column { loud, quiet, itself, own, to };
        if !outside && self.outside_passes(states, &column) {
            column.quiet += 1;
        }
        column
    }

    /// Whether something surely passes from the first block of addresses for which nothing differs.
    fn outside_passes(&mut self, states: &mut States, column: &Column) -> bool {
        let is_loud = |end: &EndIx| column.loud.binary_search_by_key(end, |(source, _)| *source).is_ok();
        let first = (self.index.outside..self.index.ends.len()).find(|end| !is_loud(end));
        first.is_some_and(|end| {
            let pair = self.pair(states, column, end);
            states.passes(pair.1)
        })
    }

    fn shared(&mut self, states: &mut States, to: &[To; 2]) -> Rc<Shared> {
        let key = to.each_ref().map(|to| to.templates.iter().map(|(template, _)| *template).collect::<Vec<_>>());
        if let Some(known) = self.shared.get(&key) {
            return Rc::clone(known);
        }
        for ((half, to), into) in self.halves.iter_mut().zip(to).zip(&mut self.tables) {
            let regions = half.regions(states, to);
            let places = half.index.at[half.side()].len();
            table(&regions, into, places);
        }
        let index = &*self.index;
        let mut shared = Shared { loud: Vec::new(), quiet: 0 };
        // neighbours on the line mostly have the same pair
        let mut last: Option<(Pair, bool, bool)> = None;
        for end in &index.order {
            let one = |states: &mut States, which: Which| {
                let table = &self.tables[usize::from(which == Which::After)];
                end_state(states, table, places(&index.ends[*end], which))
            };
            let pair = (one(states, Which::Before), one(states, Which::After));
            let (loud, passes) = match last {
                Some((known, loud, passes)) if known == pair => (loud, passes),
                _ => (!states.delta(pair).is_empty(), states.passes(pair.1)),
            };
            last = Some((pair, loud, passes));
            if loud {
                shared.loud.push((*end, pair));
            } else if passes && *end < index.outside {
                shared.quiet += index.ends[*end].weight();
            }
        }
        shared.loud.sort_unstable();
        let shared = Rc::new(shared);
        self.shared.insert(key, Rc::clone(&shared));
        shared
    }
}

/// The state of an end from those of its places.
fn end_state(states: &mut States, table: &[u32], places: &Places) -> u32 {
    let Some((first, _)) = places.first() else { return states.state(Vec::new()) };
    let first = table[*first as usize];
    if places.iter().all(|(place, _)| table[*place as usize] == first) {
        return first;
    }
    let mut of: Vec<u32> = places.iter().map(|(place, _)| table[*place as usize]).collect();
    of.sort_unstable();
    of.dedup();
    let numbers = of.iter().flat_map(|state| states.numbers(*state).to_vec()).collect();
    states.state(numbers)
}
