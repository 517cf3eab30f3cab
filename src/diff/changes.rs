//! From records to changes: who is meant, as blocks that do not overlap, and how many pairs that
//! is.
//!
//! Cost: O(runs of the records), as long as no destination has two records that cover different
//! destinations; else O(destinations of those).

use crate::compile::peer_sets::EndpointSet;
use crate::diff::align::alignment::EndIx;
use crate::diff::align::order::{EndpointOrder, Parties};
use crate::diff::compare::Pairing;
use crate::diff::{Block, Cause, Change, Kind, Party};
use crate::set::TrafficSet;
use crate::set::hashed::IndexMap;
use crate::spec::Flow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sources and destinations that change alike, as positions of the roll.
#[derive(Debug, Clone)]
pub struct Record {
    /// The destinations.
    pub destinations: EndpointSet,
    /// The sources.
    pub sources: EndpointSet,
    /// Which pairs of the two.
    pub pairing: Pairing,
}

/// One change of all its records, which come in order.
pub fn change(
    roll: &Arc<EndpointOrder>,
    (kind, traffic, cause): (Kind, TrafficSet, Cause),
    records: Vec<Record>,
    example: (Flow, Flow),
) -> Change {
    let (inside, between): (Vec<Record>, Vec<Record>) =
        records.into_iter().partition(|r| r.pairing != Pairing::All);
    let (mut blocks, mut pairs) = (Vec::new(), 0);
    for record in inside {
        let ends: Vec<EndIx> = record
            .destinations
            .points()
            .map(|position| roll.at(position))
            .collect();
        for block in ends
            .iter()
            .flat_map(|end| members(roll, *end, record.pairing))
        {
            pairs += block.sources.count();
            blocks.push(block);
        }
    }
    for (sources, destinations) in alike(roll, between) {
        let lone = roll.lone(&sources.intersection(&destinations));
        let (sources, destinations) = (Parties::on(roll, sources), Parties::on(roll, destinations));
        pairs += sources.count() * destinations.count() - lone;
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
fn members(roll: &EndpointOrder, end: EndIx, pairing: Pairing) -> Vec<Block> {
    let all = roll.ends[end].parties();
    let block = |party: &Party| {
        let sources = match pairing {
            Pairing::Own => vec![party.clone()],
            _ => all
                .iter()
                .filter(|other| *other != party)
                .cloned()
                .collect(),
        };
        Block {
            sources: Parties::listed(sources),
            destinations: Parties::listed(vec![party.clone()]),
        }
    };
    all.iter().map(block).collect()
}

/// Sources with all destinations that have just those, in order of the first destination.
fn alike(roll: &EndpointOrder, records: Vec<Record>) -> Vec<(EndpointSet, EndpointSet)> {
    let mut by_sources: IndexMap<EndpointSet, Vec<EndpointSet>> = IndexMap::default();
    for (destinations, sources) in by_destination(records) {
        by_sources.entry(sources).or_default().push(destinations);
    }
    let all = by_sources
        .into_iter()
        .map(|(sources, destinations)| (sources, EndpointSet::union_of(&destinations)));
    let mut all: Vec<(EndpointSet, EndpointSet)> = all.collect();
    all.sort_by_cached_key(|(_, destinations)| roll.first(destinations));
    all
}

/// Disjoint destinations, with all sources of each.
fn by_destination(records: Vec<Record>) -> Vec<(EndpointSet, EndpointSet)> {
    let mut by: IndexMap<EndpointSet, Vec<EndpointSet>> = IndexMap::default();
    for record in records {
        by.entry(record.destinations)
            .or_default()
            .push(record.sources);
    }
    let many: u64 = by.keys().map(EndpointSet::count).sum();
    let joined = |(destinations, sources): (EndpointSet, Vec<EndpointSet>)| {
        (destinations, EndpointSet::union_of(&sources))
    };
    if many == EndpointSet::union_of(by.keys()).count() {
        return by.into_iter().map(joined).collect();
    }
    let mut single: BTreeMap<u32, Vec<EndpointSet>> = BTreeMap::new();
    for (destinations, sources) in &by {
        for destination in destinations.points() {
            single
                .entry(destination)
                .or_default()
                .extend_from_slice(sources);
        }
    }
    single
        .into_iter()
        .map(|(destination, sources)| joined((EndpointSet::point(destination), sources)))
        .collect()
}
