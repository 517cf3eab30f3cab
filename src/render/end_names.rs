//! What the ends of a flow are called in an answer about more than that flow.
//!
//! An answer shows its reason on one flow. If an end of the question is a set of addresses, the
//! flow has one of them, and that address would say something nobody asked: the end is called what
//! was asked, or the addresses of it that fare alike. If an end is a workload whose pods differ,
//! the pod is named as well. Cost: [`alike`], for each address.

use crate::graph::AllowGraph;
use crate::model::{Cluster, PodId};
use crate::query::ask::alike::alike;
use crate::query::{End, Pair, Verdict};
use crate::render::context::Names;
use crate::render::words;
use crate::set::{Family, IpSet};
use crate::spec::{Endpoint, Flow};
use std::net::IpAddr;

/// The longest name of some addresses within a sentence.
const ROOM: usize = 45;

impl Names {
    /// The names of the ends of these flows, which demonstrate a pair.
    pub(crate) fn of_pair(graph: &AllowGraph, pair: &Pair, flows: &[Flow]) -> Self {
        let of_flow = |flow: &Flow| {
            let source = of_end(graph, pair, flow, flow.source, &pair.source);
            let destination = of_end(graph, pair, flow, flow.destination, &pair.destination);
            [source, destination]
        };
        Self(flows.iter().flat_map(of_flow).flatten().collect())
    }

    /// The names of the ends of a flow that stands for others of its kind.
    pub(crate) fn of_flow(graph: &AllowGraph, flow: &Flow) -> Self {
        let ends = [flow.source, flow.destination].into_iter();
        Self(ends.filter_map(|end| of_kind(graph, flow, end)).collect())
    }
}

/// What one end of a flow is called, among the ends of a pair.
fn of_end(
    graph: &AllowGraph,
    pair: &Pair,
    flow: &Flow,
    endpoint: Endpoint,
    end: &End,
) -> Option<(Endpoint, String)> {
    let name = match (endpoint, end) {
        (Endpoint::Address(address), End::Addresses { name, set, .. }) => {
            let part = pair.parts.iter().find_map(|part| part.around(address));
            let of_set = || of_part(graph, flow, address, name, set);
            part.map_or_else(of_set, |part| short(part, name))
        }
        (Endpoint::Pod(pod), End::Pods { pods, .. }) => {
            let told = pods.len() == 1 || pair.verdict == Verdict::Partly;
            of_pod(&graph.environment().cluster, pod, told)?
        }
        _ => return None,
    };
    Some((endpoint, name))
}

/// A pod with its workload, where it is told from the other pods of that.
fn of_pod(cluster: &Cluster, pod: PodId, told: bool) -> Option<String> {
    let workload = cluster.pod(pod).workload;
    let one = || End::pods(workload, vec![pod]);
    (told && cluster.workload(workload).pods.len() > 1).then(|| words::end(cluster, &one()))
}

/// What the addresses of an end that fare like this one are called.
fn of_part(graph: &AllowGraph, flow: &Flow, address: IpAddr, name: &str, set: &IpSet) -> String {
    let name = words::clean(name).into_owned();
    if *set == IpSet::single(address) {
        return name;
    }
    let family = set.only(Family::of(address));
    let part = alike(graph, flow, address, &family);
    if part == family {
        return name;
    }
    short(&part, name.as_str())
}

/// Part of the addresses that were asked about, in a name that a sentence has room for.
fn short(part: &IpSet, of: &str) -> String {
    let name = words::addresses(part);
    if name.chars().count() <= ROOM {
        return name;
    }
    format!("that part of {}", words::clean(of))
}

/// The addresses that one of a flow's ends stands for, where it was not named.
fn of_kind(graph: &AllowGraph, flow: &Flow, end: Endpoint) -> Option<(Endpoint, String)> {
    let Endpoint::Address(address) = end else {
        return None;
    };
    let kinds = [IpSet::internet(), IpSet::private()];
    let kind = kinds.into_iter().find(|set| set.contains(address))?;
    let kind = kind.only(Family::of(address));
    let name = || words::addresses(&alike(graph, flow, address, &kind));
    stands_for_others(graph, address).then(|| (end, name()))
}

/// Whether an address was taken as the first of its kind, rather than named.
fn stands_for_others(graph: &AllowGraph, address: IpAddr) -> bool {
    let atoms = &graph.space().atoms;
    let atom = atoms.of(address);
    atoms.representative(atom) == address && atoms.addresses(atom) != IpSet::single(address)
}
