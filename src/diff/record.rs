//! Records what differs under its change: kind, traffic and cause.
//!
//! The cause of a difference is looked for once per [`CauseKey`]; equal changes with one cause are
//! merged, however many pairs they open. Invariant: the order of the changes and the flow that
//! shows each depend on [`Rank`]s only, not on the order in which differences are recorded. Cost:
//! the groups of sources times the groups of destinations, and the explanations of distinct causes;
//! pairs that are unknown on both sides and affected by an edit are examined one by one.

use crate::diff::align::endpoint::EndIx;
use crate::diff::align::order::EndpointOrder;
use crate::diff::align::position::PositionSet;
use crate::diff::answer::Change;
use crate::diff::before_after::Side;
use crate::diff::cause::attribution::Cause;
use crate::diff::cause::cause_key::CauseKey;
use crate::diff::cause::edits::Edits;
use crate::diff::cause::pair::{ChangedPair, Pairing};
use crate::diff::cause::undecided::{ScenarioGraphs, Undecided};
use crate::diff::changes::{PairSet, change};
use crate::diff::kind::Kind;
use crate::diff::rows::interned::{StatePair, States};
use crate::policy::Direction;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, IndexMap};
use crate::spec::Flow;
use std::cmp::Reverse;
use std::sync::Arc;

/// Sources that differ in one way and are governed by the same edits.
pub struct SourceGroup {
    /// The one that comes first in the input.
    pub first: EndIx,
    /// The states before and after.
    pub pair: StatePair,
    /// The positions of the sources.
    pub positions: PositionSet,
    /// Whether own nodes may decide for the first of them (S55).
    pub own_node: bool,
}

/// The order of recorded differences: by destination, group and kind.
type Rank = (EndIx, usize, usize);

/// What is merged into one change.
type ChangeKey = (Kind, TrafficSet, Cause);

/// The pairs of one change: destinations by their sources; and the flow of the first.
struct Merged {
    rank: Rank,
    example: (Flow, Flow),
    pairs: IndexMap<(PositionSet, Pairing), Vec<PositionSet>>,
}

impl Merged {
    /// The pairs, sorted by their first destination.
    fn sets(self, order: &EndpointOrder) -> Vec<PairSet> {
        let mut sets: Vec<PairSet> = self
            .pairs
            .into_iter()
            .map(|((sources, pairing), destinations)| PairSet {
                destinations: PositionSet::union_of(&destinations),
                sources,
                pairing,
            })
            .collect();
        sets.sort_by_cached_key(|set| order.first(&set.destinations));
        sets
    }
}

/// What every pair of ends is looked up in.
struct PairContext<'a> {
    before: Side<'a>,
    after: Side<'a>,
    order: Arc<EndpointOrder>,
    edits: &'a Edits,
}

impl PairContext<'_> {
    fn pair(&self, source: EndIx, destination: EndIx, pairing: Pairing) -> ChangedPair<'_> {
        ChangedPair {
            before: self.before,
            after: self.after,
            ends: &self.order.ends,
            edits: self.edits,
            source,
            destination,
            pairing,
        }
    }
}

/// All changes so far.
pub struct Recorder<'a> {
    context: PairContext<'a>,
    undecided: Undecided<'a>,
    changes: IndexMap<ChangeKey, Merged>,
    /// The causes that were looked for.
    causes: HashMap<CauseKey, Cause>,
    /// Whether equal keys share their cause.
    together: bool,
}

impl<'a> Recorder<'a> {
    /// Nothing is recorded yet.
    pub fn new(
        before: Side<'a>,
        after: Side<'a>,
        order: &Arc<EndpointOrder>,
        edits: &'a Edits,
        scenarios: &'a [ScenarioGraphs],
        together: bool,
    ) -> Self {
        Self {
            context: PairContext {
                before,
                after,
                order: Arc::clone(order),
                edits,
            },
            undecided: Undecided::new(before, after, edits, scenarios),
            changes: IndexMap::default(),
            causes: HashMap::default(),
            together,
        }
    }

    /// Whether a group has one cause for all destinations that share it.
    pub fn is_common(&self, group: &SourceGroup) -> bool {
        let pair = self.context.pair(group.first, group.first, Pairing::All);
        let affected = self.context.edits.affected(group.first, Direction::Egress);
        pair.is_common(affected, Direction::Egress)
    }

    /// Records a group under the kinds, traffic and cause of its changes, for destinations that
    /// share it.
    pub fn record(
        &mut self,
        states: &mut States,
        group: &SourceGroup,
        destinations: &[EndIx],
        pairing: Pairing,
    ) {
        let Some(first) = destinations.first().copied() else {
            return;
        };
        let rank = match pairing {
            Pairing::Others => 0,
            Pairing::Own => 1,
            Pairing::All => group.first + 2,
        };
        let delta = states.delta(group.pair);
        for (i, (kind, traffic)) in delta.iter().enumerate() {
            if *kind == Kind::Undecided {
                self.record_undecided(group, destinations, pairing, traffic, (rank, i));
                continue;
            }
            let pair = self.context.pair(group.first, first, pairing);
            let example = pair.example(*kind, traffic);
            let key = pair
                .cause_key(*kind, &example)
                .filter(|_| self.together && !group.own_node);
            let cause = match key {
                None => pair.find(*kind, &example),
                Some(key) => *self
                    .causes
                    .entry(key)
                    .or_insert_with(|| pair.find(*kind, &example)),
            };
            let set = PairSet {
                destinations: self.context.order.positions(destinations),
                sources: group.positions.clone(),
                pairing,
            };
            self.merge(
                (first, rank, i),
                (*kind, traffic.clone(), cause),
                set,
                example,
            );
        }
    }

    /// Merges pairs into their change.
    fn merge(&mut self, rank: Rank, key: ChangeKey, set: PairSet, example: (Flow, Flow)) {
        let change = self.changes.entry(key).or_insert_with(|| Merged {
            rank,
            example,
            pairs: IndexMap::default(),
        });
        if rank < change.rank {
            (change.rank, change.example) = (rank, example);
        }
        change
            .pairs
            .entry((set.sources, set.pairing))
            .or_default()
            .push(set.destinations);
    }

    /// Records the pairs of a group that are unknown on both sides and may have changed
    /// nevertheless.
    fn record_undecided(
        &mut self,
        group: &SourceGroup,
        destinations: &[EndIx],
        pairing: Pairing,
        traffic: &TrafficSet,
        (rank, i): (usize, usize),
    ) {
        // Destinations that share a group are affected by the same edits.
        let edits = self.context.edits;
        if destinations
            .first()
            .is_none_or(|destination| !edits.affects_pair(group.first, *destination))
        {
            return;
        }
        for destination in destinations {
            let mut sources: Vec<EndIx> = group
                .positions
                .points()
                .map(|position| self.context.order.end_at(position))
                .collect();
            sources.sort_unstable();
            sources.retain(|source| {
                let pair = self.context.pair(*source, *destination, pairing);
                self.undecided.may_have_changed(&pair, traffic)
            });
            let Some(first) = sources.first() else {
                continue;
            };
            let pair = self.context.pair(*first, *destination, pairing);
            let example = pair.example(Kind::Undecided, traffic);
            let cause = pair.find(Kind::Undecided, &example);
            let set = PairSet {
                destinations: self.context.order.positions([destination]),
                sources: self.context.order.positions(&sources),
                pairing,
            };
            self.merge(
                (*destination, rank, i),
                (Kind::Undecided, traffic.clone(), cause),
                set,
                example,
            );
        }
    }

    /// The changes: by kind, then by the number of pairs.
    pub fn finish(mut self) -> Vec<Change> {
        self.changes.sort_by(|_, a, _, b| a.rank.cmp(&b.rank));
        let order = &self.context.order;
        let mut changes: Vec<Change> = self
            .changes
            .into_iter()
            .map(|(key, merged)| {
                let example = merged.example;
                change(order, key, merged.sets(order), example)
            })
            .collect();
        changes.sort_by_key(|c| (c.kind, Reverse(c.pairs)));
        changes
    }
}
