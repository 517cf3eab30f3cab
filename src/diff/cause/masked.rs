//! Admissions that change although the way out of the source is blocked on both sides.
//!
//! Asked of destinations whose own policies were edited only. What a destination admits is compared
//! as what may be sent is ([`DestinationDiffs`]), and of what differs the traffic that is sent on
//! either side is taken away, stretch by stretch. Cost: the stretches of both columns of an edited
//! destination.

use crate::compile::peer_sets::EndpointSet;
use crate::diff::align::alignment::EndIx;
use crate::diff::align::order::{EndpointOrder, Parties};
use crate::diff::cause::grounds;
use crate::diff::rows::destination_diff::{DestinationDiff, DestinationDiffs, Index};
use crate::diff::rows::interned::{Pair, States};
use crate::diff::{Kind, MaskedChange, Side, Which};
use crate::graph::RowCache;
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// What is admitted differently without effect, by pairs of states: what is admitted, and what may
/// be sent.
type Known = HashMap<(Pair, Pair), Rc<Vec<(Kind, TrafficSet)>>>;

/// All such admissions.
pub struct MaskedChanges<'a> {
    after: Side<'a>,
    roll: Arc<EndpointOrder>,
    /// What is admitted, whether or not it may be sent.
    admitted: DestinationDiffs<'a>,
    known: Known,
    /// What was found.
    pub found: Vec<MaskedChange>,
}

impl<'a> MaskedChanges<'a> {
    /// Nothing is asked yet.
    pub fn new(before: Side<'a>, after: Side<'a>, index: &Arc<Index>) -> Self {
        let admitted = DestinationDiffs::new(
            index,
            [
                RowCache::admitted(before.graph),
                RowCache::admitted(after.graph),
            ],
        );
        Self {
            after,
            roll: Arc::clone(&index.roll),
            admitted,
            known: HashMap::default(),
            found: Vec::new(),
        }
    }

    /// Those of one destination, whose column this is.
    pub fn of(
        &mut self,
        destination: EndIx,
        column: &DestinationDiff,
        rows: &mut DestinationDiffs<'a>,
        states: &mut States,
    ) {
        let roll = Arc::clone(&self.roll);
        let admitted = self.admitted.column(states, destination);
        let own_node_sources = column
            .own_node_sources
            .iter()
            .chain(&admitted.own_node_sources)
            .map(|(end, _)| *end);
        let exact: Vec<EndIx> = own_node_sources
            .chain(column.shared.exact())
            .chain(admitted.shared.exact())
            .collect();
        let exact = roll.positions(&exact);
        let mut found: HashMap<(Kind, TrafficSet), Vec<(u32, u32)>> = HashMap::default();
        for (pair, positions) in admitted.loud(states, &roll, destination) {
            let positions = positions.intersection(&roll.all(false));
            let mut meet = |first: u32, last: u32, sent: Pair, states: &mut States| {
                for change in self
                    .known
                    .entry((pair, sent))
                    .or_insert_with(|| latent(states, pair, sent))
                    .iter()
                {
                    found.entry(change.clone()).or_default().push((first, last));
                }
            };
            column
                .shared
                .sweep(&positions.difference(&exact), |first, last, sent| {
                    meet(first, last, sent, states);
                });
            for position in positions.intersection(&exact).points() {
                let sent = rows.pair_in(states, column, roll.at(position));
                meet(position, position, sent, states);
            }
        }
        self.tell(destination, found);
    }

    fn tell(&mut self, destination: EndIx, found: HashMap<(Kind, TrafficSet), Vec<(u32, u32)>>) {
        let roll = &self.roll;
        let sources = |((kind, traffic), ranges): ((Kind, TrafficSet), Vec<(u32, u32)>)| {
            let positions: EndpointSet = ranges
                .into_iter()
                .map(|(first, last)| first..=last)
                .collect();
            Some((roll.first(&positions)?, kind, traffic, positions))
        };
        let mut found: Vec<(EndIx, Kind, TrafficSet, EndpointSet)> =
            found.into_iter().filter_map(sources).collect();
        found.sort_by_key(|(first, kind, ..)| (*first, *kind));
        for (first, kind, traffic, positions) in found {
            let example = grounds::flow(
                self.after,
                &roll.ends,
                Which::After,
                first,
                destination,
                &traffic,
            );
            let Some(example) = example else { continue };
            let sources = Parties::by_end(roll, positions);
            for party in roll.ends[destination].parties() {
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

/// Of what is admitted differently, what may be sent on neither side.
fn latent(states: &mut States, admitted: Pair, sent: Pair) -> Rc<Vec<(Kind, TrafficSet)>> {
    let possible = states.possible(sent.0).union(&states.possible(sent.1));
    let delta = states.delta(admitted);
    let told = delta
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::Widened | Kind::Narrowed));
    let left = told.map(|(kind, traffic)| (*kind, traffic.difference(&possible)));
    Rc::new(left.filter(|(_, traffic)| !traffic.is_empty()).collect())
}
