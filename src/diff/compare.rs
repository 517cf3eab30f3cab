//! Destination by destination: which sources may send something else than before, and because of
//! which edit.
//!
//! Phases: each destination's column tells what differs ([`DestinationDiffs::column`]), among all
//! sources where something was edited on its way in, else among the sources with an edit
//! ([`Edits::stays`]). Destinations for which the same differs, and which the same policies govern,
//! are put together ([`Plain`]); the others, beside whose nodes or in whose own flows something
//! differs, are told one by one. The sources that differ in one way and share their edits are a
//! [`Group`]; each is recorded under its cause ([`Comparer::record`]), which is looked for once
//! where the grounds are equal ([`grounds::Ask::grounds`]), and [`Comparer::finish`] makes the
//! changes.
//!
//! Invariant: destinations that are told together have the same cause for the same group, since all
//! that an explanation asks of them is equal: the rows, the policies on the way in, and which peer
//! of an edited rule they are ([`Comparer::is_common`]). Cost: the columns, then the groups of
//! sources and of destinations; sets of ends are runs of the [`EndpointOrder`], so that a change
//! that touches everybody costs no more than one that touches few.

use crate::compile::peer_sets::EndpointSet;
use crate::diff::align::alignment::{Alignment, EndIx, Members};
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position_index::places;
use crate::diff::cause::edits::{AffectedBy, Edits};
use crate::diff::cause::grounds;
use crate::diff::cause::grounds::{Cause, CauseKey};
use crate::diff::cause::masked::MaskedChanges;
use crate::diff::cause::undecided;
use crate::diff::cause::undecided::{Undecided, touched};
use crate::diff::changes::{Record, change};
use crate::diff::rows::destination_diff::{DestinationDiff, DestinationDiffs, Index, Shared};
use crate::diff::rows::interned::{Pair, States};
use crate::diff::{Diff, Kind, MaskedChange, Side, Unchanged, Which};
use crate::graph::RowCache;
use crate::policy::Direction;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, IndexMap, IndexSet};
use crate::spec::Flow;
use std::rc::Rc;
use std::sync::Arc;

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

/// Sources that differ in one way and are governed by the same edits.
struct Group {
    /// The one that comes first in the input.
    first: EndIx,
    pair: Pair,
    positions: EndpointSet,
    /// Whether own nodes may decide for the first of them (S55).
    own_node_sources: bool,
}

/// What makes destinations alike: whether all sources are compared, what they share, what was
/// edited of theirs, and what governs them on both sides.
type Plain = (bool, usize, usize, [u32; 2]);

/// Where a record belongs among all: by destination, group and kind.
type Rank = (EndIx, usize, usize);

/// What is put under one change.
type Key = (Kind, TrafficSet, Cause);

/// The records of one change: destinations by their sources, and the flow of the first.
struct Merged {
    rank: Rank,
    example: (Flow, Flow),
    records: IndexMap<(EndpointSet, Pairing), Vec<EndpointSet>>,
}

struct Comparer<'a> {
    before: Side<'a>,
    after: Side<'a>,
    roll: Arc<EndpointOrder>,
    edits: &'a Edits,
    doubts: Undecided<'a>,
    /// What the edits that govern a source are, as a number: sources that share it share their
    /// causes.
    marks: Vec<usize>,
    /// The number of no edit at all.
    unmarked: Option<usize>,
    /// The positions of sources with an edit.
    marked: EndpointSet,
    /// What the edits that govern a destination are, as a number.
    touches: Vec<usize>,
    states: States,
    /// All sources of the destinations that edits touch.
    whole: DestinationDiffs<'a>,
    /// Of the others the sources that edits touch.
    edited: DestinationDiffs<'a>,
    plain: IndexMap<Plain, (Rc<Shared>, Vec<EndIx>)>,
    changes: IndexMap<Key, Merged>,
    /// The edits behind changes that were asked about.
    causes: HashMap<CauseKey, Cause>,
    unchanged: u64,
    /// Whether destinations that are alike are told together.
    together: bool,
}

/// Compares both sides; `together` unless every destination is to be told by itself, with all its
/// sources.
pub fn compare<'a>(
    before: Side<'a>,
    after: Side<'a>,
    joint: &Alignment,
    edits: &'a Edits,
    together: bool,
) -> Diff {
    let index = Index::new(&joint.roll, [before, after]);
    let roll = &joint.roll;
    let (marks, unmarked) = marks(roll, edits);
    let positions = |end: EndIx| {
        (Some(marks[end]) != unmarked).then(|| roll.position[end]..=roll.position[end])
    };
    let marked: EndpointSet = (0..marks.len()).filter_map(positions).collect();
    let stays = |end: &EndIx| together && edits.stays(*end, &roll.ends[*end]);
    let (others, whole): (Vec<EndIx>, Vec<EndIx>) = (0..roll.ends.len()).partition(stays);
    let cases = undecided::cases(before, after);
    let rows = |side: Side<'a>, which| RowCache::among(side.graph, places_at(roll, &marked, which));
    let (was, is) = rayon::join(|| rows(before, Which::Before), || rows(after, Which::After));
    let mut comparer = Comparer {
        before,
        after,
        edits,
        doubts: Undecided::new(before, after, edits, &cases),
        whole: DestinationDiffs::new(
            &index,
            [RowCache::new(before.graph), RowCache::new(after.graph)],
        ),
        edited: DestinationDiffs::among(&index, [was, is], marked.clone()),
        marked: marked.clone(),
        marks,
        unmarked,
        touches: touches(roll, edits),
        states: States::new(),
        plain: IndexMap::default(),
        changes: IndexMap::default(),
        causes: HashMap::default(),
        unchanged: 0,
        together,
        roll: Arc::clone(roll),
    };
    let latent = comparer.whole(&index, &whole);
    comparer.others(&others);
    comparer.alike();
    let unchanged = Unchanged::new(comparer.unchanged, after.graph, &index, others, marked);
    Diff {
        latent,
        unchanged,
        ..comparer.finish()
    }
}

/// The places of the ends at some positions.
fn places_at(roll: &EndpointOrder, positions: &EndpointSet, which: Which) -> EndpointSet {
    let of = |position: u32| {
        places(&roll.ends[roll.at(position)], which)
            .iter()
            .map(|(place, _)| *place..=*place)
    };
    positions.points().flat_map(of).collect()
}

/// What the edits that govern each end as a source are, as a number, and that of none.
fn marks(roll: &EndpointOrder, edits: &Edits) -> (Vec<usize>, Option<usize>) {
    let mut known: IndexSet<(&AffectedBy, Option<EndIx>)> = IndexSet::default();
    let mark = |end: EndIx| {
        let touch = edits.touched(end, Direction::Egress);
        known.insert_full((touch, touch.own.then_some(end))).0
    };
    let marks = (0..roll.ends.len()).map(mark).collect();
    (marks, known.get_index_of(&(&AffectedBy::default(), None)))
}

fn touches(roll: &EndpointOrder, edits: &Edits) -> Vec<usize> {
    let mut known: IndexSet<&AffectedBy> = IndexSet::default();
    (0..roll.ends.len())
        .map(|end| known.insert_full(edits.touched(end, Direction::Ingress)).0)
        .collect()
}

impl Comparer<'_> {
    /// Walks the destinations of which all sources are compared.
    fn whole(&mut self, index: &Arc<Index>, destinations: &[EndIx]) -> Vec<MaskedChange> {
        self.whole.make(destinations);
        let mut latents = MaskedChanges::new(self.before, self.after, index);
        for destination in destinations {
            let (column, _) = self.destination(*destination, true);
            if !self
                .edits
                .touched(*destination, Direction::Ingress)
                .policies
                .is_empty()
            {
                latents.of(*destination, &column, &mut self.whole, &mut self.states);
            }
        }
        latents.found
    }

    /// Walks the destinations of which the sources with an edit are compared.
    fn others(&mut self, destinations: &[EndIx]) {
        if self.marked.is_empty() {
            return;
        }
        self.edited.make(destinations);
        let mut known: HashMap<[u32; 4], (u64, Plain)> = HashMap::default();
        for destination in destinations {
            let likeness = self.likeness(*destination);
            if let Some((quiet, plain)) = likeness.and_then(|likeness| known.get(&likeness)) {
                self.unchanged += quiet * self.roll.ends[*destination].weight();
                self.plain
                    .get_mut(plain)
                    .into_iter()
                    .for_each(|(_, alike)| alike.push(*destination));
                continue;
            }
            let (column, plain) = self.destination(*destination, false);
            if let (Some(likeness), Some(plain)) = (likeness, plain) {
                known.insert(likeness, (column.quiet, plain));
            }
        }
    }

    /// Equal for destinations to which the sources with an edit may send the same: their templates,
    /// and what governs them. Not told where own nodes may decide (S55), nor where the destination
    /// is such a source itself.
    fn likeness(&self, destination: EndIx) -> Option<[u32; 4]> {
        let end = &self.roll.ends[destination];
        let ([(before, _)], [(after, _)]) = (&end.before[..], &end.after[..]) else {
            return None;
        };
        if self.marked.contains(self.roll.position[destination])
            || self.edited.may_have_own_node(destination)
        {
            return None;
        }
        let of = |side: Side<'_>, place: u32| {
            let governed = || side.graph.governed_by(place, Direction::Ingress);
            [
                side.graph.template_of(place),
                if end.is_outside() {
                    u32::MAX
                } else {
                    governed()
                },
            ]
        };
        let ([was, by], [is, now]) = (of(self.before, *before), of(self.after, *after));
        Some([was, by, is, now])
    }

    /// Counts what stays, and records what differs or puts the destination to others like it;
    /// `whole` unless sources that no edit touches stay as they are.
    fn destination(&mut self, destination: EndIx, whole: bool) -> (DestinationDiff, Option<Plain>) {
        let end = &self.roll.ends[destination];
        let rows = if whole {
            &mut self.whole
        } else {
            &mut self.edited
        };
        let column = rows.column(&mut self.states, destination);
        self.unchanged += column.quiet * end.weight();
        let plain = self.plain(destination, &column, whole);
        match plain {
            Some(plain) if !column.shared.loud.is_empty() => {
                let known = self.plain.entry(plain);
                known
                    .or_insert_with(|| (Rc::clone(&column.shared), Vec::new()))
                    .1
                    .push(destination);
            }
            Some(_) => {}
            None => self.alone(destination, &column),
        }
        (column, plain)
    }

    /// Whether nothing differs for a destination but what it shares, and what makes it like others.
    fn plain(
        &mut self,
        destination: EndIx,
        column: &DestinationDiff,
        whole: bool,
    ) -> Option<Plain> {
        let end = &self.roll.ends[destination];
        if !self.together {
            return None;
        }
        let [(before, _)] = end.before[..] else {
            return None;
        };
        let [(after, _)] = end.after[..] else {
            return None;
        };
        let roll = Arc::clone(&self.roll);
        let mut told = |source: EndIx, pair: Pair| {
            let judged = self.states.judged(pair);
            judged.differs || judged.loud && touched(self.edits, source, destination)
        };
        let mut own_node_sources = |(source, pair): &(EndIx, Pair)| {
            told(*source, *pair) || told(*source, column.shared.pair(&roll, *source))
        };
        if column.own_node_sources.iter().any(&mut own_node_sources)
            || self.edits.touched(destination, Direction::Ingress).own
        {
            return None;
        }
        let (shared, touch) = (column.shared.number, self.touches[destination]);
        if end.is_outside() {
            return Some((whole, shared, touch, [u32::MAX; 2]));
        }
        let [itself, as_shared] =
            [column.itself, column.itself_shared].map(|pair| told(destination, pair));
        let counted = self.is_counted(destination);
        if as_shared != (counted && itself)
            || counted && itself && column.itself != column.itself_shared
        {
            return None;
        }
        let governed = |side: Side<'_>, class| side.graph.governed_by(class, Direction::Ingress);
        Some((
            whole,
            shared,
            touch,
            [governed(self.before, before), governed(self.after, after)],
        ))
    }

    /// Whether an end of one place has flows with itself.
    fn is_counted(&self, end: EndIx) -> bool {
        let end = &self.roll.ends[end];
        end.weight() > 1
            || end
                .before
                .iter()
                .chain(&end.after)
                .any(|(_, several)| *several)
    }

    /// Records what differs for one destination.
    fn alone(&mut self, destination: EndIx, column: &DestinationDiff) {
        let roll = Arc::clone(&self.roll);
        let mut loud = column.loud(&mut self.states, &roll, destination);
        let end = &roll.ends[destination];
        if let Members::Workloads(members) = &end.members {
            let itself = EndpointSet::point(roll.position[destination]);
            if end.before.len() == 1 && end.after.len() == 1 {
                if self.is_counted(destination) {
                    loud.push((column.itself, itself));
                }
            } else {
                let group = |pair| Group {
                    first: destination,
                    pair,
                    positions: itself.clone(),
                    own_node_sources: true,
                };
                let (others, own) = (group(column.itself), column.own.map(group));
                if members.len() > 1 {
                    self.record(&others, &[destination], Pairing::Others);
                }
                if let Some(own) = own {
                    self.record(&own, &[destination], Pairing::Own);
                }
            }
        }
        for mut group in self.groups(&loud) {
            group.own_node_sources = column
                .own_node_sources
                .binary_search_by_key(&group.first, |(end, _)| *end)
                .is_ok();
            self.record(&group, &[destination], Pairing::All);
        }
    }

    /// Records what differs for destinations that are alike.
    fn alike(&mut self) {
        for (shared, destinations) in std::mem::take(&mut self.plain).into_values() {
            for group in self.groups(&shared.loud) {
                if self.is_common(&group) {
                    self.record(&group, &destinations, Pairing::All);
                } else {
                    destinations
                        .iter()
                        .for_each(|d| self.record(&group, &[*d], Pairing::All));
                }
            }
        }
    }

    /// Sources by their pair of states and their edits.
    fn groups(&self, loud: &[(Pair, EndpointSet)]) -> Vec<Group> {
        let mut found: HashMap<(Pair, usize), Vec<EndpointSet>> = HashMap::default();
        for (pair, positions) in loud {
            let marked = positions.intersection(&self.marked);
            for position in marked.points() {
                found
                    .entry((*pair, self.marks[self.roll.at(position)]))
                    .or_default()
                    .push(EndpointSet::point(position));
            }
            if let Some(unmarked) = self.unmarked {
                found
                    .entry((*pair, unmarked))
                    .or_default()
                    .push(positions.difference(&marked));
            }
        }
        let group = |((pair, _), positions): ((Pair, usize), Vec<EndpointSet>)| {
            let positions = EndpointSet::union_of(&positions);
            Some(Group {
                first: self.roll.first(&positions)?,
                pair,
                positions,
                own_node_sources: false,
            })
        };
        found.into_iter().filter_map(group).collect()
    }

    /// Whether a group has one cause for all destinations that are alike.
    fn is_common(&self, group: &Group) -> bool {
        let ask = ask(
            self.before,
            self.after,
            &self.roll,
            self.edits,
            (group.first, group.first),
            Pairing::All,
        );
        ask.is_common(
            self.edits.touched(group.first, Direction::Egress),
            Direction::Egress,
        )
    }

    /// Puts a group under the kinds, traffic and cause of its change, for destinations that are
    /// alike.
    fn record(&mut self, group: &Group, destinations: &[EndIx], pairing: Pairing) {
        let Some(first) = destinations.first().copied() else {
            return;
        };
        let order = match pairing {
            Pairing::Others => 0,
            Pairing::Own => 1,
            Pairing::All => group.first + 2,
        };
        let delta = self.states.delta(group.pair);
        for (at, (kind, traffic)) in delta.iter().enumerate() {
            if *kind == Kind::Undecided {
                self.undecided(group, destinations, pairing, traffic, (order, at));
                continue;
            }
            let ask = ask(
                self.before,
                self.after,
                &self.roll,
                self.edits,
                (group.first, first),
                pairing,
            );
            let example = ask.example(*kind, traffic);
            let cause = match ask
                .grounds(*kind, &example)
                .filter(|_| self.together && !group.own_node_sources)
            {
                None => ask.find(*kind, &example),
                Some(grounds) => *self
                    .causes
                    .entry(grounds)
                    .or_insert_with(|| ask.find(*kind, &example)),
            };
            let destinations = self.roll.positions(destinations);
            let record = Record {
                destinations,
                sources: group.positions.clone(),
                pairing,
            };
            self.put(
                (first, order, at),
                (*kind, traffic.clone(), cause),
                record,
                example,
            );
        }
    }

    /// Puts a record under its change.
    fn put(&mut self, rank: Rank, key: Key, record: Record, example: (Flow, Flow)) {
        let change = self.changes.entry(key).or_insert_with(|| Merged {
            rank,
            example,
            records: IndexMap::default(),
        });
        if rank < change.rank {
            (change.rank, change.example) = (rank, example);
        }
        change
            .records
            .entry((record.sources, record.pairing))
            .or_default()
            .push(record.destinations);
    }

    /// Records the pairs of a group that are unknown on both sides and may have changed all the
    /// same.
    fn undecided(
        &mut self,
        group: &Group,
        destinations: &[EndIx],
        pairing: Pairing,
        traffic: &TrafficSet,
        (order, at): (usize, usize),
    ) {
        // those who are alike are touched alike
        if destinations
            .first()
            .is_none_or(|destination| !touched(self.edits, group.first, *destination))
        {
            return;
        }
        for destination in destinations {
            let mut sources: Vec<EndIx> = group
                .positions
                .points()
                .map(|position| self.roll.at(position))
                .collect();
            sources.sort_unstable();
            sources.retain(|source| {
                let ask = ask(
                    self.before,
                    self.after,
                    &self.roll,
                    self.edits,
                    (*source, *destination),
                    pairing,
                );
                self.doubts.matter(&ask, traffic)
            });
            let Some(first) = sources.first() else {
                continue;
            };
            let ask = ask(
                self.before,
                self.after,
                &self.roll,
                self.edits,
                (*first, *destination),
                pairing,
            );
            let example = ask.example(Kind::Undecided, traffic);
            let cause = ask.find(Kind::Undecided, &example);
            let destinations = self.roll.positions([destination]);
            let record = Record {
                destinations,
                sources: self.roll.positions(&sources),
                pairing,
            };
            self.put(
                (*destination, order, at),
                (Kind::Undecided, traffic.clone(), cause),
                record,
                example,
            );
        }
    }

    fn finish(mut self) -> Diff {
        self.changes.sort_by(|_, a, _, b| a.rank.cmp(&b.rank));
        let roll = &self.roll;
        let one = |(
            key,
            Merged {
                example, records, ..
            },
        ): (Key, Merged)| {
            let record =
                |((sources, pairing), destinations): ((EndpointSet, Pairing), Vec<EndpointSet>)| {
                    Record {
                        destinations: EndpointSet::union_of(&destinations),
                        sources,
                        pairing,
                    }
                };
            let mut records: Vec<Record> = records.into_iter().map(record).collect();
            records.sort_by_cached_key(|record| roll.first(&record.destinations));
            change(roll, key, records, example)
        };
        let mut changes: Vec<_> = self.changes.into_iter().map(one).collect();
        changes.sort_by_key(|c| (c.kind, std::cmp::Reverse(c.pairs)));
        Diff {
            changes,
            ..Diff::default()
        }
    }
}

fn ask<'a>(
    before: Side<'a>,
    after: Side<'a>,
    roll: &'a EndpointOrder,
    edits: &'a Edits,
    (source, destination): (EndIx, EndIx),
    pairing: Pairing,
) -> grounds::Ask<'a> {
    grounds::Ask {
        before,
        after,
        ends: &roll.ends,
        edits,
        source,
        destination,
        pairing,
    }
}
