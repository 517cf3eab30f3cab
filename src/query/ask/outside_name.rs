//! Names of the world outside as destinations: a Service of type `ExternalName` that is no alias of
//! another Service.
//!
//! The name may lead to any address, that of a pod included, so that the answer is unknown, unless
//! nothing leaves the source on the ports that are asked about but what no policy keeps from its
//! own node. Cost: one edge query for each source and each class of endpoints, of at most
//! [`MOST_SOURCES`] sources.

use crate::graph::AllowGraph;
use crate::model::{PodId, Truth};
use crate::policy::Direction;
use crate::query::ask::grammar::Question;
use crate::query::ask::resolved::{End, Resolved};
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::collections::HashMap;

/// The most sources that are looked at; what more of them may send is unknown.
const MOST_SOURCES: usize = 100;

/// Every address, for a name that may lead to any and that nothing from the sources reaches.
pub(crate) fn surely_closed(
    graph: &AllowGraph,
    question: &Question,
    sources: &[End],
    destination: &Resolved,
) -> Option<End> {
    let name = destination.anywhere.clone()?;
    let mut pods: Vec<PodId> = Vec::new();
    for end in sources {
        match end {
            End::Pods { pods: of_end, .. } => pods.extend(of_end),
            End::Addresses { .. } => return None,
        }
    }
    if pods.is_empty() || pods.len() > MOST_SOURCES {
        return None;
    }
    // nothing translates the ports: they are as they are written
    let asked = question.destination.numbered_ports()?;
    let places = places(graph);
    let closed = |source: &PodId| is_closed(graph, *source, &places, &asked);
    pods.iter().all(closed).then(|| End::Addresses {
        name,
        set: IpSet::full().difference(&graph.environment().node_addresses),
        symbolic: true,
    })
}

/// Whether none of some traffic leaves a pod for any of these places.
fn is_closed(graph: &AllowGraph, source: PodId, places: &[Endpoint], asked: &TrafficSet) -> bool {
    each_leaving(graph, source, places).all(|may| may.is_disjoint(asked))
}

/// What may leave a pod for each of some places, but for itself and its node.
fn each_leaving(
    graph: &AllowGraph,
    source: PodId,
    places: &[Endpoint],
) -> impl Iterator<Item = TrafficSet> {
    let leads_out = move |to: &&Endpoint| !is_exempt(graph, source, **to);
    let others = places.iter().filter(leads_out);
    others.map(move |to| {
        graph
            .allowed_on(Direction::Egress, Endpoint::Pod(source), *to)
            .may
    })
}

/// What may leave each of some pods for any place but itself and its node.
pub(crate) fn leaving(graph: &AllowGraph, sources: &[PodId]) -> Vec<TrafficSet> {
    let places = places(graph);
    let all = |pod: &PodId| {
        let each = each_leaving(graph, *pod, &places);
        each.fold(TrafficSet::empty(), |all, one| all.union(&one))
    };
    sources.iter().map(all).collect()
}

/// Whether an endpoint is the pod itself or its node, which no policy keeps it from.
fn is_exempt(graph: &AllowGraph, source: PodId, to: Endpoint) -> bool {
    let env = graph.environment();
    let pod = env.cluster.pod(source);
    match to {
        Endpoint::Address(address) => env.is_own_of_nodes(pod, address) == Truth::Yes,
        Endpoint::Pod(other) => {
            let of_host = env.cluster.pod(other);
            other == source || of_host.host_network && of_host.node == pod.node
        }
    }
}

/// An endpoint of every class, and an address of every atom.
fn places(graph: &AllowGraph) -> Vec<Endpoint> {
    let (cluster, space) = (&graph.environment().cluster, graph.space());
    let mut places = HashMap::new();
    for (pod, _) in cluster.pods() {
        let at = Endpoint::Pod(pod);
        places.entry(space.index_of(at)).or_insert(at);
    }
    let every = space.atoms.overlapping(&IpSet::full());
    let addresses = every
        .points()
        .filter_map(|a| space.atoms.addresses(a).first());
    let addresses = addresses.map(Endpoint::Address);
    addresses.chain(places.into_values()).collect()
}
