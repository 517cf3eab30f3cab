//! Changes of ingress that have no effect, because the egress of the source is blocked on both
//! sides.
//!
//! Only destinations whose own policies were edited are examined. What a destination admits is
//! compared like what may be sent to it ([`DestinationDiffs`]), and the traffic that may be sent on
//! either side is subtracted from the difference, range by range. Cost: the segments of both
//! comparisons of an edited destination.

use crate::diff::align::endpoint::EndIx;
use crate::diff::align::order::{EndpointOrder, Parties};
use crate::diff::align::position::{PositionIx, PositionSet};
use crate::diff::align::position_index::PositionIndexes;
use crate::diff::answer::MaskedChange;
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::pair;
use crate::diff::kind::Kind;
use crate::diff::rows::destination_diff::{DestinationDiff, DestinationDiffs};
use crate::diff::rows::interned::{Delta, StatePair, States};
use crate::graph::RowCache;
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// What is masked, by pairs of states: what is admitted, and what may be sent.
type MaskedCache = HashMap<(StatePair, StatePair), Rc<Delta>>;

/// The ranges of positions of the sources whose masked change is the same.
type SourceRanges = HashMap<(Kind, TrafficSet), Vec<(PositionIx, PositionIx)>>;

/// All masked changes.
pub struct MaskedChanges<'a> {
    after: Side<'a>,
    order: Arc<EndpointOrder>,
    /// What is admitted, whether or not it may be sent.
    admitted: DestinationDiffs<'a>,
    known: MaskedCache,
    /// The masked changes so far.
    pub found: Vec<MaskedChange>,
}

impl<'a> MaskedChanges<'a> {
    /// Nothing is compared yet.
    pub fn new(before: Side<'a>, after: Side<'a>, indexes: &Arc<PositionIndexes>) -> Self {
        let admitted = DestinationDiffs::new(
            indexes,
            [
                RowCache::admitted(before.graph),
                RowCache::admitted(after.graph),
            ],
        );
        Self {
            after,
            order: Arc::clone(&indexes.order),
            admitted,
            known: HashMap::default(),
            found: Vec::new(),
        }
    }

    /// Adds those of one destination, given what may be sent to it.
    pub fn collect(
        &mut self,
        destination: EndIx,
        diff: &DestinationDiff,
        rows: &mut DestinationDiffs<'a>,
        states: &mut States,
    ) {
        let order = Arc::clone(&self.order);
        let admitted = self.admitted.destination(states, destination);
        let own_node_sources = diff
            .own_node_sources
            .iter()
            .chain(&admitted.own_node_sources)
            .map(|(end, _)| *end);
        let exact: Vec<EndIx> = own_node_sources
            .chain(diff.shared.exact())
            .chain(admitted.shared.exact())
            .collect();
        let exact = order.positions(&exact);
        let mut found = SourceRanges::default();
        for (pair, positions) in admitted.changed(states, &order, destination) {
            let positions = positions.intersection(&order.all(false));
            diff.shared
                .sweep(&positions.difference(&exact), |first, last, sent| {
                    let masked = masked_by(&mut self.known, states, pair, sent);
                    add_range(&mut found, &masked, (first, last));
                });
            for position in positions.intersection(&exact).points() {
                let sent = rows.pair_in(states, diff, order.end_at(position));
                let masked = masked_by(&mut self.known, states, pair, sent);
                add_range(&mut found, &masked, (position, position));
            }
        }
        self.report(destination, found);
    }

    /// Adds the masked changes of one destination: by the first source, then by kind.
    fn report(&mut self, destination: EndIx, found: SourceRanges) {
        let order = &self.order;
        let sources =
            |((kind, traffic), ranges): ((Kind, TrafficSet), Vec<(PositionIx, PositionIx)>)| {
                let ranges = ranges.into_iter().map(|(first, last)| first..=last);
                let positions: PositionSet = ranges.collect();
                Some((order.first(&positions)?, kind, traffic, positions))
            };
        let mut found: Vec<(EndIx, Kind, TrafficSet, PositionSet)> =
            found.into_iter().filter_map(sources).collect();
        found.sort_by_key(|(first, kind, ..)| (*first, *kind));
        for (first, kind, traffic, positions) in found {
            let example = pair::flow(
                self.after,
                &order.ends,
                Which::After,
                first,
                destination,
                &traffic,
            );
            let Some(example) = example else { continue };
            let sources = Parties::by_end(order, positions);
            for party in order.ends[destination].parties() {
                let (traffic, sources) = (traffic.clone(), sources.clone());
                self.found.push(MaskedChange {
                    kind,
                    traffic,
                    sources,
                    destination: party,
                    example,
                });
            }
        }
    }
}

/// Adds a range of sources to each of their masked changes.
fn add_range(found: &mut SourceRanges, masked: &Delta, range: (PositionIx, PositionIx)) {
    for change in masked {
        found.entry(change.clone()).or_default().push(range);
    }
}

/// Of what is admitted differently, what may be sent on neither side; computed once per pair of
/// pairs.
fn masked_by(
    known: &mut MaskedCache,
    states: &mut States,
    admitted: StatePair,
    sent: StatePair,
) -> Rc<Delta> {
    let masked = known.entry((admitted, sent));
    Rc::clone(masked.or_insert_with(|| Rc::new(masked_delta(states, admitted, sent))))
}

fn masked_delta(states: &mut States, admitted: StatePair, sent: StatePair) -> Delta {
    let possible = states.possible(sent.0).union(&states.possible(sent.1));
    let delta = states.delta(admitted);
    let certain = delta
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::Widened | Kind::Narrowed));
    let left = certain.map(|(kind, traffic)| (*kind, traffic.difference(&possible)));
    left.filter(|(_, traffic)| !traffic.is_empty()).collect()
}
