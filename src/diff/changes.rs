//! From sets of pairs to a change: its parties, as blocks that do not overlap, and the number of
//! its pairs.
//!
//! Cost: O(ranges of the sets), as long as no destination is in two sets with different
//! destinations; else O(destinations of those sets).

use crate::diff::align::endpoint::{DiffParty, EndIx};
use crate::diff::align::order::{EndpointOrder, Parties};
use crate::diff::align::position::{PositionIx, PositionSet};
use crate::diff::answer::{Block, Change};
use crate::diff::cause::attribution::Cause;
use crate::diff::cause::pair::Pairing;
use crate::diff::kind::Kind;
use crate::set::TrafficSet;
use crate::set::hashed::IndexMap;
use crate::spec::Flow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sources and destinations that change in the same way, as positions of the order.
#[derive(Debug, Clone)]
pub struct PairSet {
    /// The destinations.
    pub destinations: PositionSet,
    /// The sources.
    pub sources: PositionSet,
    /// Which pairs of the two.
    pub pairing: Pairing,
}

/// Makes one change of all its pairs; the sets come sorted by their first destination.
pub fn change(
    order: &Arc<EndpointOrder>,
    (kind, traffic, cause): (Kind, TrafficSet, Cause),
    sets: Vec<PairSet>,
    example: (Flow, Flow),
) -> Change {
    let (inside, between): (Vec<PairSet>, Vec<PairSet>) =
        sets.into_iter().partition(|r| r.pairing != Pairing::All);
    let (mut blocks, mut pairs) = (Vec::new(), 0);
    for set in inside {
        let ends: Vec<EndIx> = set
            .destinations
            .points()
            .map(|position| order.end_at(position))
            .collect();
        for block in ends
            .iter()
            .flat_map(|end| blocks_inside(order, *end, set.pairing))
        {
            pairs += block.sources.count();
            blocks.push(block);
        }
    }
    for (sources, destinations) in by_sources(order, between) {
        let without_flow = order.single_pods(&sources.intersection(&destinations));
        let sources = Parties::on(order, sources);
        let destinations = Parties::on(order, destinations);
        pairs += sources.count() * destinations.count() - without_flow;
        blocks.push(Block {
            sources,
            destinations,
        });
    }
    Change {
        kind,
        traffic,
        cause,
        blocks,
        pairs,
        example,
    }
}

/// The members of one end, each with itself or with every other.
fn blocks_inside(order: &EndpointOrder, end: EndIx, pairing: Pairing) -> Vec<Block> {
    let all = order.ends[end].parties();
    all.iter()
        .map(|party| Block {
            sources: Parties::listed(match pairing {
                Pairing::Own => vec![party.clone()],
                Pairing::All | Pairing::Others => others(&all, party),
            }),
            destinations: Parties::listed(vec![party.clone()]),
        })
        .collect()
}

/// All parties but one.
fn others(all: &[DiffParty], party: &DiffParty) -> Vec<DiffParty> {
    all.iter()
        .filter(|other| *other != party)
        .cloned()
        .collect()
}

/// Sets of sources, each with all destinations that have exactly those; sorted by the first
/// destination.
fn by_sources(order: &EndpointOrder, sets: Vec<PairSet>) -> Vec<(PositionSet, PositionSet)> {
    let mut by_sources: IndexMap<PositionSet, Vec<PositionSet>> = IndexMap::default();
    for (destinations, sources) in by_destination(sets) {
        by_sources.entry(sources).or_default().push(destinations);
    }
    let all = by_sources
        .into_iter()
        .map(|(sources, destinations)| (sources, PositionSet::union_of(&destinations)));
    let mut all: Vec<(PositionSet, PositionSet)> = all.collect();
    all.sort_by_cached_key(|(_, destinations)| order.first(destinations));
    all
}

/// Disjoint sets of destinations, with all sources of each.
fn by_destination(sets: Vec<PairSet>) -> Vec<(PositionSet, PositionSet)> {
    let mut by_destinations: IndexMap<PositionSet, Vec<PositionSet>> = IndexMap::default();
    for set in sets {
        by_destinations
            .entry(set.destinations)
            .or_default()
            .push(set.sources);
    }
    let count: u64 = by_destinations.keys().map(PositionSet::count).sum();
    let joined = |(destinations, sources): (PositionSet, Vec<PositionSet>)| {
        (destinations, PositionSet::union_of(&sources))
    };
    if count == PositionSet::union_of(by_destinations.keys()).count() {
        return by_destinations.into_iter().map(joined).collect();
    }
    let mut by_position: BTreeMap<PositionIx, Vec<PositionSet>> = BTreeMap::new();
    for (destinations, sources) in &by_destinations {
        for destination in destinations.points() {
            by_position
                .entry(destination)
                .or_default()
                .extend_from_slice(sources);
        }
    }
    by_position
        .into_iter()
        .map(|(destination, sources)| joined((PositionSet::point(destination), sources)))
        .collect()
}
