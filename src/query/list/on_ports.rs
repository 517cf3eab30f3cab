//! Entries of a listing on some of the traffic alone.
//!
//! What passes is cut to what was asked about, and entries of which nothing is left are dropped.
//! The example stays between the same pods where they show what is left, else between others of the
//! same two ends. Cost: one intersection for each entry; the pairs of pods of one entry where its
//! pods differ.

use crate::graph::{AllowGraph, Allowed};
use crate::query::list::entry::{ListEntry, Party};
use crate::set::TrafficSet;
use crate::spec::{Endpoint, Flow};

/// The entry on this traffic; `None` if nothing of it may pass.
pub(crate) fn on_ports(
    graph: &AllowGraph,
    entry: ListEntry,
    asked: &TrafficSet,
) -> Option<ListEntry> {
    let allowed = entry.allowed.and(&Allowed::exact(asked.clone()));
    if allowed.is_nothing() {
        return None;
    }
    let (from, to) = (entry.example.source, entry.example.destination);
    let sources = || endpoints(graph, &entry.source, from);
    let pairs =
        sources().flat_map(|a| endpoints(graph, &entry.destination, to).map(move |b| (a, b)));
    let shown = |pair| shown(graph, pair, &allowed);
    let example = shown((from, to)).or_else(|| pairs.take(MOST).find_map(shown));
    let example = example.unwrap_or(entry.example);
    Some(ListEntry {
        allowed,
        example,
        ..entry
    })
}

/// A flow between two endpoints that shows some of the traffic, if one does.
fn shown(
    graph: &AllowGraph,
    (source, destination): (Endpoint, Endpoint),
    allowed: &Allowed,
) -> Option<Flow> {
    let passes = graph.allowed(source, destination).and(allowed);
    let sure = passes.must.sample();
    let traffic = sure.or_else(|| passes.may.sample())?;
    Some(Flow {
        source,
        destination,
        traffic,
    })
}

/// The most pairs of pods that are looked at for an example.
const MOST: usize = 10_000;

/// The endpoints of one end; of addresses the one of the example, which all of them are like.
fn endpoints(graph: &AllowGraph, party: &Party, shown: Endpoint) -> impl Iterator<Item = Endpoint> {
    let pods = match party {
        Party::Workload(id) => graph.environment().cluster.workload(*id).pods.clone(),
        Party::Addresses(_) => Vec::new(),
    };
    let alone = pods.is_empty().then_some(shown);
    pods.into_iter().map(Endpoint::Pod).chain(alone)
}
