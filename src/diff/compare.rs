//! Destination by destination: which sources may send something else than before, and because of which edit.
//!
//! Phases per destination: its column tells the sources whose states differ ([`Columns::column`]);
//! [`Comparer::destination`] groups them by the pair of their states; each group is recorded under its cause.
//! [`Comparer::finish`] melts the records into changes. Cost: the columns, then what differs; each distinct pair of
//! states is judged once.

use super::cause::{self, Cause};
use super::columns::{Column, Columns, Index};
use super::doubt::{Doubts, touched};
use super::edits::{Edits, Touch};
use super::joint::{End, EndIx, Joint, Members};
use super::states::{Pair, States};
use super::{Block, Change, Diff, Kind, Latent, Party, Side, Which};
use crate::compile::{Flow, Rows};
use crate::policy::Direction;
use crate::set::{IpSet, TrafficSet};
use indexmap::{IndexMap, IndexSet};
use std::collections::BTreeSet;

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
    states: States,
    /// What may be sent.
    rows: Columns<'a>,
    /// What is admitted, whether or not it may be sent.
    admitted: Columns<'a>,
    records: IndexMap<(Kind, TrafficSet, Cause), (Vec<Record>, (Flow, Flow))>,
    latent: Vec<Latent>,
    unchanged: u64,
}

/// Compares all rows of both sides.
pub fn compare(before: Side<'_>, after: Side<'_>, joint: &Joint, edits: &Edits) -> Diff {
    let ends = &joint.ends;
    let index = Index::new(ends, [before, after]);
    let mut comparer = Comparer {
        before,
        after,
        ends,
        edits,
        doubts: Doubts::new(before, after, edits),
        marks: marks(ends, edits),
        states: States::new(),
        rows: Columns::new(&index, [Rows::new(before.graph), Rows::new(after.graph)]),
        admitted: Columns::new(&index, [Rows::admitted(before.graph), Rows::admitted(after.graph)]),
        records: IndexMap::new(),
        latent: Vec::new(),
        unchanged: 0,
    };
    comparer.rows.make_all();
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
    fn destination(&mut self, destination: EndIx) {
        let column = self.rows.column(&mut self.states, destination);
        self.unchanged += column.quiet * self.ends[destination].weight();
        let mut groups: IndexMap<(Pair, usize), Vec<EndIx>> = IndexMap::new();
        let before = column.loud.partition_point(|(source, _)| *source < destination);
        for (source, pair) in &column.loud[..before] {
            groups.entry((*pair, self.marks[*source])).or_default().push(*source);
        }
        self.itself(destination, &column, &mut groups);
        for (source, pair) in &column.loud[before..] {
            groups.entry((*pair, self.marks[*source])).or_default().push(*source);
        }
        for ((pair, _), sources) in groups {
            self.record(pair, destination, sources, Pairing::All);
        }
        self.latent(destination, &column);
    }

    /// The flows inside one end: between its members, and of each with itself.
    fn itself(&mut self, end: EndIx, column: &Column, groups: &mut IndexMap<(Pair, usize), Vec<EndIx>>) {
        let Members::Workloads(members) = &self.ends[end].members else { return };
        let (n, several) = (members.len(), is_several(&self.ends[end]));
        let simple = self.ends[end].before.len() == 1 && self.ends[end].after.len() == 1;
        if simple {
            if n > 1 || several {
                groups.entry((column.itself, self.marks[end])).or_default().push(end);
            }
            return;
        }
        if n > 1 {
            self.record(column.itself, end, vec![end], Pairing::Others);
        }
        if let Some(own) = column.own {
            self.record(own, end, vec![end], Pairing::Own);
        }
    }

    /// Puts sources of one destination under the kinds, traffic and cause of their change.
    fn record(&mut self, pair: Pair, destination: EndIx, sources: Vec<EndIx>, pairing: Pairing) {
        let delta = self.states.delta(pair);
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
    fn latent(&mut self, destination: EndIx, column: &Column) {
        if self.edits.touched(destination, Direction::Ingress).policies.is_empty() {
            return;
        }
        let admitted = self.admitted.column(&mut self.states, destination);
        let mut found: IndexMap<(Kind, TrafficSet), Vec<EndIx>> = IndexMap::new();
        for (source, pair) in admitted.loud.into_iter().filter(|(s, _)| !self.ends[*s].is_outside()) {
            let (before, after) = self.rows.pair(&mut self.states, column, source);
            let possible = self.states.possible(before).union(&self.states.possible(after));
            let delta = self.states.delta(pair);
            for (kind, traffic) in delta.iter().filter(|(k, _)| matches!(k, Kind::Widened | Kind::Narrowed)) {
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
