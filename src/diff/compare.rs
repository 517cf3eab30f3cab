//! Walks the destinations: which sources may send something else than before.
//!
//! Phases: each destination is compared with all sources if its ingress was edited, else with the
//! edited sources only ([`Edits::is_unchanged`]), and its [`DestinationDiff`] says what differs.
//! Destinations with the same differences that the same policies govern are collected under one
//! [`DestinationKey`]; the others, where own nodes or their own flows differ, are recorded on their
//! own. The sources that differ in one way and share their edits are a [`SourceGroup`]; the
//! [`Recorder`] finds its cause and merges it into a change.
//!
//! Invariant: destinations with equal keys have the same cause for the same group, since all that
//! an explanation depends on is equal: the rows, the policies for ingress, and which peer of an
//! edited rule they are ([`Recorder::is_common`]). Cost: the comparisons, then the groups of
//! sources and of destinations; sets of ends are ranges of the [`EndpointOrder`], so that a change
//! that affects everybody costs no more than one that affects few.

use crate::compile::effective_policy::EffectiveIx;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::endpoint_index::EndpointSet;
use crate::diff::align::alignment::Alignment;
use crate::diff::align::endpoint::{EndIx, EndMembers};
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position::{PositionIx, PositionSet};
use crate::diff::align::position_index::PositionIndexes;
use crate::diff::answer::{Diff, MaskedChange};
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::edits::{AffectedBy, Edits};
use crate::diff::cause::masked::MaskedChanges;
use crate::diff::cause::pair::Pairing;
use crate::diff::cause::undecided;
use crate::diff::record::{Recorder, SourceGroup};
use crate::diff::rows::destination_diff::{DestinationDiff, DestinationDiffs, SharedDiff};
use crate::diff::rows::interned::{StatePair, States};
use crate::diff::rows::unchanged::Unchanged;
use crate::graph::RowCache;
use crate::graph::for_rows::DestinationClassIx;
use crate::policy::Direction;
use crate::set::hashed::{HashMap, IndexMap, IndexSet};
use std::rc::Rc;
use std::sync::Arc;

/// Equal for destinations with the same changes: whether all sources are compared, the number of
/// the shared comparison, the edits of their ingress, and what governs them on both sides.
type DestinationKey = (bool, usize, usize, [Option<EffectiveIx>; 2]);

/// Equal for destinations with equal rows on both sides: their classes, and what governs them.
type RowKey = [(DestinationClassIx, Option<EffectiveIx>); 2];

struct Comparer<'a> {
    before: Side<'a>,
    after: Side<'a>,
    order: Arc<EndpointOrder>,
    edits: &'a Edits,
    /// The number of the edits that govern each end as a source: sources with equal numbers share
    /// their causes.
    egress_edits: Vec<usize>,
    /// The number of no edit at all.
    unedited: Option<usize>,
    /// The positions of sources with an edit.
    edited: PositionSet,
    /// The number of the edits that govern each end as a destination.
    ingress_edits: Vec<usize>,
    states: States,
    /// All sources of the destinations whose ingress was edited.
    all_sources: DestinationDiffs<'a>,
    /// The edited sources of the other destinations.
    edited_sources: DestinationDiffs<'a>,
    /// The destinations whose differences are recorded together.
    by_key: IndexMap<DestinationKey, (Rc<SharedDiff>, Vec<EndIx>)>,
    recorder: Recorder<'a>,
    unchanged: u64,
    /// Whether destinations with equal keys are recorded together.
    together: bool,
}

/// Compares both sides; `together` unless every destination is to be compared on its own, with all
/// its sources.
pub fn compare<'a>(
    before: Side<'a>,
    after: Side<'a>,
    alignment: &Alignment,
    edits: &'a Edits,
    together: bool,
) -> Diff {
    let order = &alignment.order;
    let indexes = PositionIndexes::new(order, [before, after]);
    let (egress_edits, unedited) = egress_edits(order, edits);
    let positions = |end: EndIx| (Some(egress_edits[end]) != unedited).then(|| order.position[end]);
    let edited: PositionSet = (0..egress_edits.len()).filter_map(positions).collect();
    let is_unchanged = |end: &EndIx| together && edits.is_unchanged(*end, &order.ends[*end]);
    let (others, whole): (Vec<EndIx>, Vec<EndIx>) = (0..order.ends.len()).partition(is_unchanged);
    let scenarios = undecided::scenarios(before, after);
    let rows =
        |side: Side<'a>, which| RowCache::among(side.graph, indices_at(order, &edited, which));
    let (was, is) = rayon::join(|| rows(before, Which::Before), || rows(after, Which::After));
    let mut comparer = Comparer {
        before,
        after,
        edits,
        all_sources: DestinationDiffs::new(
            &indexes,
            [RowCache::new(before.graph), RowCache::new(after.graph)],
        ),
        edited_sources: DestinationDiffs::among(&indexes, [was, is], edited.clone()),
        edited: edited.clone(),
        egress_edits,
        unedited,
        ingress_edits: ingress_edits(order, edits),
        states: States::new(),
        by_key: IndexMap::default(),
        recorder: Recorder::new(before, after, order, edits, &scenarios, together),
        unchanged: 0,
        together,
        order: Arc::clone(order),
    };
    let latent = comparer.compare_all_sources(&indexes, &whole);
    comparer.compare_edited_sources(&others);
    comparer.record_by_key();
    let unchanged = Unchanged::new(comparer.unchanged, after.graph, &indexes, others, edited);
    Diff {
        changes: comparer.recorder.finish(),
        latent,
        unchanged,
        ..Diff::default()
    }
}

/// The endpoint indices of the ends at some positions, on one side.
fn indices_at(order: &EndpointOrder, positions: &PositionSet, which: Which) -> EndpointSet {
    let indices = |position: PositionIx| {
        order.ends[order.end_at(position)]
            .indices(which)
            .iter()
            .map(|(index, _)| *index)
    };
    positions.points().flat_map(indices).collect()
}

/// The number of the edits that govern each end as a source, and the number of no edit. Ends whose
/// own pods were edited have numbers of their own.
fn egress_edits(order: &EndpointOrder, edits: &Edits) -> (Vec<usize>, Option<usize>) {
    let mut known: IndexSet<(&AffectedBy, Option<EndIx>)> = IndexSet::default();
    let number = |end: EndIx| {
        let affected = edits.affected(end, Direction::Egress);
        let key = (affected, affected.workload.then_some(end));
        known.insert_full(key).0
    };
    let numbers = (0..order.ends.len()).map(number).collect();
    (numbers, known.get_index_of(&(&AffectedBy::default(), None)))
}

/// The number of the edits that govern each end as a destination.
fn ingress_edits(order: &EndpointOrder, edits: &Edits) -> Vec<usize> {
    let mut known: IndexSet<&AffectedBy> = IndexSet::default();
    (0..order.ends.len())
        .map(|end| known.insert_full(edits.affected(end, Direction::Ingress)).0)
        .collect()
}

impl Comparer<'_> {
    /// Walks the destinations that are compared with all sources.
    fn compare_all_sources(
        &mut self,
        indexes: &Arc<PositionIndexes>,
        destinations: &[EndIx],
    ) -> Vec<MaskedChange> {
        self.all_sources.make(destinations);
        let mut masked = MaskedChanges::new(self.before, self.after, indexes);
        for destination in destinations {
            let (diff, _) = self.destination(*destination, true);
            let affected = self.edits.affected(*destination, Direction::Ingress);
            if !affected.policies.is_empty() {
                masked.collect(*destination, &diff, &mut self.all_sources, &mut self.states);
            }
        }
        masked.found
    }

    /// Walks the destinations that are compared with the edited sources only.
    fn compare_edited_sources(&mut self, destinations: &[EndIx]) {
        if self.edited.is_empty() {
            return;
        }
        self.edited_sources.make(destinations);
        let mut known: HashMap<RowKey, (u64, DestinationKey)> = HashMap::default();
        for destination in destinations {
            let row_key = self.row_key(*destination);
            if let Some((unchanged, key)) = row_key.and_then(|row_key| known.get(&row_key)) {
                self.unchanged += unchanged * self.order.ends[*destination].weight();
                self.by_key
                    .get_mut(key)
                    .into_iter()
                    .for_each(|(_, same)| same.push(*destination));
                continue;
            }
            let (diff, key) = self.destination(*destination, false);
            if let (Some(row_key), Some(key)) = (row_key, key) {
                known.insert(row_key, (diff.unchanged, key));
            }
        }
    }

    /// Equal for destinations to which the edited sources may send the same: their templates, and
    /// what governs them. None where own nodes may decide (S55), nor where the destination is such
    /// a source itself.
    fn row_key(&self, destination: EndIx) -> Option<RowKey> {
        let end = &self.order.ends[destination];
        let ([(before, _)], [(after, _)]) = (&end.before[..], &end.after[..]) else {
            return None;
        };
        if self.edited.contains(self.order.position[destination])
            || self.edited_sources.may_have_own_node(destination)
        {
            return None;
        }
        let on_side = |side: Side<'_>, index| {
            let governed = governed(side, index);
            (side.graph.destination_class_of(index), governed)
        };
        Some([on_side(self.before, *before), on_side(self.after, *after)])
    }

    /// Compares a destination, counts what is unchanged, and records what differs, or collects the
    /// destination under its key; with all sources or with the edited ones.
    fn destination(
        &mut self,
        destination: EndIx,
        all_sources: bool,
    ) -> (DestinationDiff, Option<DestinationKey>) {
        let end = &self.order.ends[destination];
        let rows = if all_sources {
            &mut self.all_sources
        } else {
            &mut self.edited_sources
        };
        let diff = rows.destination(&mut self.states, destination);
        self.unchanged += diff.unchanged * end.weight();
        let key = self.destination_key(destination, &diff, all_sources);
        match key {
            Some(key) if !diff.shared.changed.is_empty() => {
                let known = self.by_key.entry(key);
                known
                    .or_insert_with(|| (Rc::clone(&diff.shared), Vec::new()))
                    .1
                    .push(destination);
            }
            Some(_) => {}
            None => self.record_alone(destination, &diff),
        }
        (diff, key)
    }

    /// The key of a destination for which nothing differs but what it shares with others.
    fn destination_key(
        &mut self,
        destination: EndIx,
        diff: &DestinationDiff,
        all_sources: bool,
    ) -> Option<DestinationKey> {
        if !self.together {
            return None;
        }
        let order = Arc::clone(&self.order);
        let end = &order.ends[destination];
        let ([(before, _)], [(after, _)]) = (&end.before[..], &end.after[..]) else {
            return None;
        };
        let own_node_differs = diff.own_node_sources.iter().any(|(source, pair)| {
            self.may_differ(*source, destination, *pair)
                || self.may_differ(*source, destination, diff.shared.pair(&order, *source))
        });
        if own_node_differs
            || self
                .edits
                .affected(destination, Direction::Ingress)
                .workload
        {
            return None;
        }
        let (shared, edits) = (diff.shared.number, self.ingress_edits[destination]);
        let governed = [governed(self.before, *before), governed(self.after, *after)];
        if end.is_external() {
            return Some((all_sources, shared, edits, governed));
        }
        let itself = self.may_differ(destination, destination, diff.itself);
        let itself_shared = self.may_differ(destination, destination, diff.itself_shared);
        let has_flows = self.has_flows_with_itself(destination);
        if itself_shared != (has_flows && itself)
            || has_flows && itself && diff.itself != diff.itself_shared
        {
            return None;
        }
        Some((all_sources, shared, edits, governed))
    }

    /// Whether a pair of states differs, or is unknown on both sides while an edit governs it.
    fn may_differ(&mut self, source: EndIx, destination: EndIx, pair: StatePair) -> bool {
        let comparison = self.states.comparison(pair);
        comparison.differs || comparison.changed && self.edits.affects_pair(source, destination)
    }

    /// Whether an end of one class has flows with itself.
    fn has_flows_with_itself(&self, end: EndIx) -> bool {
        let end = &self.order.ends[end];
        end.weight() > 1
            || end
                .before
                .iter()
                .chain(&end.after)
                .any(|(_, several)| *several)
    }

    /// Records what differs for one destination.
    fn record_alone(&mut self, destination: EndIx, diff: &DestinationDiff) {
        let order = Arc::clone(&self.order);
        let mut changed = diff.changed(&mut self.states, &order, destination);
        let end = &order.ends[destination];
        if let EndMembers::Workloads(members) = &end.members {
            let itself = PositionSet::point(order.position[destination]);
            if end.before.len() == 1 && end.after.len() == 1 {
                if self.has_flows_with_itself(destination) {
                    changed.push((diff.itself, itself));
                }
            } else {
                let group = |pair| SourceGroup {
                    first: destination,
                    pair,
                    positions: itself.clone(),
                    own_node: true,
                };
                let (others, own) = (group(diff.itself), diff.between_own.map(group));
                if members.len() > 1 {
                    self.record(&others, &[destination], Pairing::Others);
                }
                if let Some(own) = own {
                    self.record(&own, &[destination], Pairing::Own);
                }
            }
        }
        for mut group in self.groups(&changed) {
            group.own_node = diff
                .own_node_sources
                .binary_search_by_key(&group.first, |(end, _)| *end)
                .is_ok();
            self.record(&group, &[destination], Pairing::All);
        }
    }

    /// Records what differs for destinations with equal keys.
    fn record_by_key(&mut self) {
        for (shared, destinations) in std::mem::take(&mut self.by_key).into_values() {
            for group in self.groups(&shared.changed) {
                if self.recorder.is_common(&group) {
                    self.record(&group, &destinations, Pairing::All);
                } else {
                    destinations
                        .iter()
                        .for_each(|d| self.record(&group, &[*d], Pairing::All));
                }
            }
        }
    }

    /// Records what differs for a group of sources.
    fn record(&mut self, group: &SourceGroup, destinations: &[EndIx], pairing: Pairing) {
        self.recorder
            .record(&mut self.states, group, destinations, pairing);
    }

    /// Sources by their pair of states and their edits.
    fn groups(&self, changed: &[(StatePair, PositionSet)]) -> Vec<SourceGroup> {
        let mut found: HashMap<(StatePair, usize), Vec<PositionSet>> = HashMap::default();
        for (pair, positions) in changed {
            let edited = positions.intersection(&self.edited);
            for position in edited.points() {
                found
                    .entry((*pair, self.egress_edits[self.order.end_at(position)]))
                    .or_default()
                    .push(PositionSet::point(position));
            }
            if let Some(unedited) = self.unedited {
                found
                    .entry((*pair, unedited))
                    .or_default()
                    .push(positions.difference(&edited));
            }
        }
        found
            .into_iter()
            .filter_map(|((pair, _), positions)| self.group(pair, &positions))
            .collect()
    }

    /// The sources at all these positions as a group.
    fn group(&self, pair: StatePair, positions: &[PositionSet]) -> Option<SourceGroup> {
        let positions = PositionSet::union_of(positions);
        Some(SourceGroup {
            first: self.order.first(&positions)?,
            pair,
            positions,
            own_node: false,
        })
    }
}

/// What governs the way in to a place; none for addresses that nothing governs.
fn governed(side: Side<'_>, index: EndpointIx) -> Option<EffectiveIx> {
    let graph = side.graph;
    let is_class = graph.space().is_class(index);
    let governing = is_class || graph.governing(index, Direction::Ingress).is_some();
    governing.then(|| graph.governed_by(index, Direction::Ingress))
}
