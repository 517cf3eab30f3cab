//! Row by row: for each destination, what every source may send before and after, as small numbers that compare fast.
//!
//! Phases per destination: [`Comparer::column`] turns the row of each side into one state per source end;
//! [`Comparer::destination`] groups the sources by the pair of their states; [`delta`] judges each distinct pair of states
//! once; each group that differs is recorded under its cause. [`Comparer::finish`] melts the records into changes.

use super::cause::{self, Cause};
use super::doubt::{Doubts, touched};
use super::edits::{Edits, Touch};
use super::joint::{End, EndIx, Joint, Members, Places};
use super::{Block, Change, Diff, Kind, Latent, Party, Side, Which};
use crate::compile::rows::Part;
use crate::compile::{Allowed, Flow};
use crate::policy::Direction;
use crate::set::{IpSet, TrafficSet};
use indexmap::{IndexMap, IndexSet};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// What differs between two states, by kind.
type Delta = Vec<(Kind, TrafficSet)>;

/// Which pairs of a source and a destination end are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pairing {
    /// Every source with every destination.
    All,
    /// Every member of an end with every other member.
    Others,
    /// Every member of an end with itself.
    Own,
}

/// Sources of one destination that change alike.
#[derive(Debug, Clone)]
struct Record {
    destination: EndIx,
    sources: Vec<EndIx>,
    pairing: Pairing,
}

struct Comparer<'a> {
    before: Side<'a>,
    after: Side<'a>,
    ends: &'a [End],
    edits: &'a Edits,
    doubts: Doubts<'a>,
    /// What the edits that govern a source are, as a number: sources that share it share their causes.
    marks: Vec<usize>,
    allowed: IndexSet<Allowed>,
    states: IndexSet<Vec<u32>>,
    deltas: HashMap<(u32, u32), Rc<Delta>>,
    records: IndexMap<(Kind, TrafficSet, Cause), (Vec<Record>, (Flow, Flow))>,
    latent: Vec<Latent>,
    unchanged: u64,
}

/// Compares all rows of both sides.
pub fn compare(before: Side<'_>, after: Side<'_>, joint: &Joint, edits: &Edits) -> Diff {
    let ends = &joint.ends;
    let mut comparer = Comparer {
        before,
        after,
        ends,
        edits,
        doubts: Doubts::new(before, after, edits),
        marks: marks(ends, edits),
        allowed: IndexSet::new(),
        states: IndexSet::new(),
        deltas: HashMap::new(),
        records: IndexMap::new(),
        latent: Vec::new(),
        unchanged: 0,
    };
    for destination in 0..ends.len() {
        comparer.destination(destination);
    }
    comparer.finish()
}

fn marks(ends: &[End], edits: &Edits) -> Vec<usize> {
    let mut known: IndexSet<(&Touch, Option<EndIx>)> = IndexSet::new();
    let mark = |end: EndIx| {
        let touch = edits.touched(end, Direction::Egress);
        known.insert_full((touch, touch.own.then_some(end))).0
    };
    (0..ends.len()).map(mark).collect()
}

impl<'a> Comparer<'a> {
    fn side(&self, which: Which) -> Side<'a> {
        if which == Which::Before { self.before } else { self.after }
    }

    fn places(&self, end: EndIx, which: Which) -> &Places {
        let end = &self.ends[end];
        if which == Which::Before { &end.before } else { &end.after }
    }

    /// Per source place, the number of what it may send to one destination place.
    fn table(&mut self, which: Which, parts: Vec<Part>) -> Vec<u32> {
        let nothing = self.number(Allowed::default());
        let mut table = vec![nothing; self.side(which).graph.line().len() as usize];
        for part in parts {
            let number = self.number(part.allowed);
            for place in part.sources.points() {
                if let Some(cell) = table.get_mut(place as usize) {
                    *cell = number;
                }
            }
        }
        table
    }

    fn number(&mut self, allowed: Allowed) -> u32 {
        u32::try_from(self.allowed.insert_full(allowed).0).unwrap_or(u32::MAX)
    }

    fn state(&mut self, mut numbers: Vec<u32>) -> u32 {
        numbers.sort_unstable();
        numbers.dedup();
        u32::try_from(self.states.insert_full(numbers).0).unwrap_or(u32::MAX)
    }

    /// One state per source end, for one destination end on one side.
    fn column(&mut self, which: Which, destination: EndIx, rows: impl Fn(Side<'_>, u32) -> Vec<Part>) -> Column {
        let places: Places = self.places(destination, which).clone();
        let parts: Vec<Vec<Part>> = places.iter().map(|(p, _)| rows(self.side(which), *p)).collect();
        let tables: Vec<Vec<u32>> = parts.into_iter().map(|parts| self.table(which, parts)).collect();
        let mut single: HashMap<u32, u32> = HashMap::new();
        let mut states = Vec::with_capacity(self.ends.len());
        for source in 0..self.ends.len() {
            let from = self.places(source, which);
            if let ([(place, _)], [table]) = (from.as_slice(), tables.as_slice()) {
                let number = table[*place as usize];
                let known = single.get(&number).copied();
                states.push(known.unwrap_or_else(|| {
                    let state = self.state(vec![number]);
                    single.insert(number, state);
                    state
                }));
                continue;
            }
            let all = from.iter().flat_map(|(p, _)| tables.iter().map(|t| t[*p as usize])).collect();
            states.push(self.state(all));
        }
        let own = if places.len() > 1 { self.own(&places, &tables) } else { None };
        Column { states, own }
    }

    /// The state of a workload of several classes with itself.
    fn own(&mut self, places: &Places, tables: &[Vec<u32>]) -> Option<u32> {
        let mut numbers = Vec::new();
        for (i, (from, several)) in places.iter().enumerate() {
            let others = tables.iter().enumerate().filter(|(j, _)| i != *j || *several);
            numbers.extend(others.map(|(_, t)| t[*from as usize]));
        }
        (!numbers.is_empty()).then(|| self.state(numbers))
    }

    fn destination(&mut self, destination: EndIx) {
        let row = |side: Side<'_>, place: u32| side.graph.row(place);
        let before = self.column(Which::Before, destination, row);
        let after = self.column(Which::After, destination, row);
        let outside = self.ends[destination].is_outside();
        let mut groups: IndexMap<(u32, u32, usize), Vec<EndIx>> = IndexMap::new();
        let mut quiet_outside = false;
        for source in 0..self.ends.len() {
            let pair = (before.states[source], after.states[source]);
            if source == destination {
                self.itself(destination, pair, &before, &after, &mut groups);
                continue;
            }
            let from_outside = self.ends[source].is_outside();
            if from_outside && outside {
                continue;
            }
            if self.delta(pair).is_empty() {
                let counted = if from_outside {
                    u64::from(!std::mem::replace(&mut quiet_outside, true))
                } else {
                    self.ends[source].weight()
                };
                self.count(pair.1, counted * self.ends[destination].weight());
            } else {
                groups.entry((pair.0, pair.1, self.marks[source])).or_default().push(source);
            }
        }
        for ((b, a, _), sources) in groups {
            self.record((b, a), destination, sources, Pairing::All);
        }
        self.latent(destination, &before, &after);
    }

    /// The flows inside one end: between its members, and of each with itself.
    fn itself(
        &mut self,
        end: EndIx,
        pair: (u32, u32),
        before: &Column,
        after: &Column,
        groups: &mut IndexMap<(u32, u32, usize), Vec<EndIx>>,
    ) {
        let Members::Workloads(members) = &self.ends[end].members else { return };
        let (n, several) = (members.len(), is_several(&self.ends[end]));
        let simple = self.ends[end].before.len() == 1 && self.ends[end].after.len() == 1;
        if simple {
            if n > 1 || several {
                groups.entry((pair.0, pair.1, self.marks[end])).or_default().push(end);
            }
            return;
        }
        if n > 1 {
            self.record(pair, end, vec![end], Pairing::Others);
        }
        if let (Some(b), Some(a)) = (before.own, after.own) {
            self.record((b, a), end, vec![end], Pairing::Own);
        }
    }

    fn count(&mut self, state: u32, pairs: u64) {
        let passes = |n: &u32| self.allowed.get_index(*n as usize).is_some_and(|a| !a.sure.is_empty());
        if self.states.get_index(state as usize).is_some_and(|numbers| numbers.iter().any(passes)) {
            self.unchanged += pairs;
        }
    }

    fn delta(&mut self, pair: (u32, u32)) -> Rc<Delta> {
        if let Some(known) = self.deltas.get(&pair) {
            return Rc::clone(known);
        }
        let state = |id: u32| {
            let numbers = self.states.get_index(id as usize).map(Vec::as_slice).unwrap_or_default();
            numbers.iter().filter_map(|n| self.allowed.get_index(*n as usize)).collect::<Vec<_>>()
        };
        let found = Rc::new(delta(&state(pair.0), &state(pair.1)));
        self.deltas.insert(pair, Rc::clone(&found));
        found
    }

    /// Puts sources of one destination under the kinds, traffic and cause of their change.
    fn record(&mut self, pair: (u32, u32), destination: EndIx, sources: Vec<EndIx>, pairing: Pairing) {
        let delta = self.delta(pair);
        for (kind, traffic) in delta.iter() {
            let mut sources = sources.clone();
            if *kind == Kind::Undecided {
                sources.retain(|s| self.is_undecided(*s, destination, pairing, traffic));
            }
            let Some(first) = sources.first().copied() else { continue };
            let ask = self.ask(first, destination, pairing);
            let (cause, example) = ask.find(*kind, traffic);
            let record = Record { destination, sources, pairing };
            let entry = self.records.entry((*kind, traffic.clone(), cause));
            entry.or_insert_with(|| (Vec::new(), example)).0.push(record);
        }
    }

    fn ask(&self, source: EndIx, destination: EndIx, pairing: Pairing) -> cause::Ask<'a> {
        let Self { before, after, ends, edits, .. } = *self;
        cause::Ask { before, after, ends, edits, source, destination, pairing }
    }

    /// Whether a pair that is unknown on both sides may have changed all the same.
    fn is_undecided(&self, source: EndIx, destination: EndIx, pairing: Pairing, traffic: &TrafficSet) -> bool {
        if !touched(self.edits, source, destination) {
            return false;
        }
        let ask = self.ask(source, destination, pairing);
        self.doubts.matter(&ask.pairs(Which::Before), &ask.pairs(Which::After), traffic)
    }

    /// Admissions of an edited destination that change although the way out of the source is blocked on both sides.
    fn latent(&mut self, destination: EndIx, before: &Column, after: &Column) {
        if self.edits.touched(destination, Direction::Ingress).policies.is_empty() {
            return;
        }
        let admits = |side: Side<'_>, place: u32| side.graph.admits(place);
        let was = self.column(Which::Before, destination, admits);
        let is = self.column(Which::After, destination, admits);
        let mut found: IndexMap<(Kind, TrafficSet), Vec<EndIx>> = IndexMap::new();
        for source in (0..self.ends.len()).filter(|s| *s != destination && !self.ends[*s].is_outside()) {
            let admitted = self.delta((was.states[source], is.states[source]));
            if admitted.is_empty() {
                continue;
            }
            let possible = self.possible(before.states[source]).union(&self.possible(after.states[source]));
            for (kind, traffic) in admitted.iter().filter(|(k, _)| matches!(k, Kind::Widened | Kind::Narrowed)) {
                let latent = traffic.difference(&possible);
                if !latent.is_empty() {
                    found.entry((*kind, latent)).or_default().push(source);
                }
            }
        }
        for ((kind, traffic), sources) in found {
            let Some(example) = cause::flow(self.after, self.ends, Which::After, sources[0], destination, &traffic)
            else {
                continue;
            };
            let parties = sources.iter().flat_map(|s| self.ends[*s].parties()).collect::<Vec<_>>();
            for party in self.ends[destination].parties() {
                let traffic = traffic.clone();
                self.latent.push(Latent { kind, traffic, sources: parties.clone(), destination: party, example });
            }
        }
    }

    /// Everything that passes, or may pass, in a state.
    fn possible(&self, state: u32) -> TrafficSet {
        let numbers = self.states.get_index(state as usize).map(Vec::as_slice).unwrap_or_default();
        let allowed = numbers.iter().filter_map(|n| self.allowed.get_index(*n as usize));
        allowed.fold(TrafficSet::empty(), |all, a| all.union(&a.sure).union(&a.unknown))
    }

    fn finish(mut self) -> Diff {
        let records = std::mem::take(&mut self.records);
        let mut changes: Vec<Change> = records
            .into_iter()
            .map(|((kind, traffic, cause), (records, example))| {
                let blocks = blocks(self.ends, &records);
                let pairs = blocks.iter().map(|b| self.weight(b)).sum();
                Change { kind, traffic, cause, blocks, pairs, example }
            })
            .collect();
        changes.sort_by_key(|c| (c.kind, std::cmp::Reverse(c.pairs)));
        Diff { changes, latent: self.latent, unchanged: self.unchanged, ..Diff::default() }
    }

    /// How many pairs a block has: a lone pod has no flow with itself.
    fn weight(&self, block: &Block) -> u64 {
        let lone = |p: &&Party| {
            let Party::Workload(b, a) = p else { return false };
            let single = |side: Side<'_>, w| {
                let cluster = &side.input.cluster;
                let pods = &cluster.workload(w).pods;
                pods.len() == 1 && pods.iter().all(|p| cluster.pod(*p).is_single())
            };
            single(self.before, *b) && single(self.after, *a)
        };
        let destinations: std::collections::HashSet<&Party> = block.destinations.iter().collect();
        let own = block.sources.iter().filter(|s| destinations.contains(s)).filter(lone).count();
        (block.sources.len() * block.destinations.len() - own) as u64
    }
}

/// The states of all sources for one destination.
struct Column {
    states: Vec<u32>,
    own: Option<u32>,
}

fn is_several(end: &End) -> bool {
    end.before.iter().chain(&end.after).any(|(_, several)| *several)
}

/// Records as blocks: destinations with equal sources share one.
fn blocks(ends: &[End], records: &[Record]) -> Vec<Block> {
    let mut sources: IndexMap<EndIx, BTreeSet<EndIx>> = IndexMap::new();
    let mut found = Vec::new();
    for record in records {
        let all = ends[record.destination].parties();
        let alone = |p: &Party, sources: Vec<Party>| Block { sources, destinations: vec![p.clone()] };
        match record.pairing {
            Pairing::All => sources.entry(record.destination).or_default().extend(&record.sources),
            Pairing::Own => found.extend(all.iter().map(|p| alone(p, vec![p.clone()]))),
            Pairing::Others => {
                let others = |p: &Party| all.iter().filter(|o| *o != p).cloned().collect();
                found.extend(all.iter().map(|p| alone(p, others(p))));
            }
        }
    }
    let mut alike: IndexMap<BTreeSet<EndIx>, Vec<EndIx>> = IndexMap::new();
    for (destination, from) in sources {
        alike.entry(from).or_default().push(destination);
    }
    found.extend(alike.into_iter().map(|(from, to)| Block {
        sources: parties(ends, from.into_iter()),
        destinations: parties(ends, to.into_iter()),
    }));
    found
}

/// The parties of several ends; address blocks melt into one.
fn parties(ends: &[End], of: impl Iterator<Item = EndIx>) -> Vec<Party> {
    let mut parties = Vec::new();
    let mut addresses = IpSet::empty();
    for end in of {
        match &ends[end].members {
            Members::Workloads(_) => parties.extend(ends[end].parties()),
            Members::Addresses(set) => addresses = addresses.union(set),
        }
    }
    parties.sort_by_key(|p| if let Party::Workload(_, a) = p { Some(*a) } else { None });
    if !addresses.is_empty() {
        parties.push(Party::Addresses(addresses));
    }
    parties
}

/// The most and the least that passes over the pod pairs of one pair of workloads.
fn bounds(allowed: &[&Allowed]) -> (Allowed, Allowed) {
    let possible = |a: &Allowed| a.sure.union(&a.unknown);
    let fold = |join: fn(&TrafficSet, &TrafficSet) -> TrafficSet| {
        let sure = allowed.iter().map(|a| a.sure.clone()).reduce(|x, y| join(&x, &y)).unwrap_or_default();
        let may = allowed.iter().map(|a| possible(a)).reduce(|x, y| join(&x, &y)).unwrap_or_default();
        Allowed { unknown: may.difference(&sure), sure }
    };
    (fold(TrafficSet::union), fold(TrafficSet::intersection))
}

/// What differs between two states: for some pod pair, or for the last one.
fn delta(before: &[&Allowed], after: &[&Allowed]) -> Delta {
    let (was, is) = (bounds(before), bounds(after));
    let (most, least) = (change(&was.0, &is.0), change(&was.1, &is.1));
    let both = Kind::ALL.into_iter().zip(most.iter().zip(&least)).map(|(k, (a, b))| (k, a.union(b)));
    let differs = was != is;
    both.filter(|(k, t)| !t.is_empty() && (differs || *k == Kind::Undecided)).collect()
}

/// The traffic of each kind of change, in the order of [`Kind::ALL`].
fn change(was: &Allowed, is: &Allowed) -> [TrafficSet; 5] {
    let may = |a: &Allowed| a.sure.union(&a.unknown);
    let (could, can) = (may(was), may(is));
    [
        is.sure.difference(&could),
        was.sure.difference(&can),
        is.unknown.difference(&could).union(&was.unknown.intersection(&is.sure)),
        was.sure.intersection(&is.unknown).union(&was.unknown.difference(&can)),
        was.unknown.intersection(&is.unknown),
    ]
}
