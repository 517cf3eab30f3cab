//! Chokepoints: the workloads that every path from one end to another leads through, and the
//! fewest workloads whose closing separates the ends, with the YAML that closes them, tried.
//!
//! A path is what an isolation claim calls one ([`crate::check::path_isolation`]): a hop needs any
//! port, the last one a port that is asked about; nodes are passed through only on request. All
//! that may pass counts, so that what is cut is cut whatever the unknown turns out to be. A
//! workload counts as one: whoever has one of its pods has the others.
//!
//! To close a workload is to isolate it in a direction in which nothing governs it. Where policies
//! govern both, their rules have to be edited, and no YAML is proposed. Cost: that of two searches
//! and of the network ([`HopNetwork`]), and a compilation for each of at most [`TRIED`] trials.

use crate::check::hop_network::HopNetwork;
pub use crate::check::paths::PathEnds;
use crate::check::paths::{PathQuery, Paths};
use crate::graph::{AllowGraph, Allowed};
use crate::input::Input;
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::Direction;
use crate::query::reach::path::Hop;
use crate::query::reach::search::passing;
use crate::query::suggest::minimal_selector::pod_selector;
use crate::query::suggest::trial::{Addition, AdditionPlace, applied};
use crate::set::TrafficSet;
use crate::spec::Endpoint;
use serde_json::json;
use std::collections::BTreeSet;

/// The number of sets of which it is tried whether closing them separates.
const TRIED: usize = 3;

/// The chokepoints between two ends.
#[derive(Debug, Clone, Default)]
pub struct Critical {
    /// A shortest path: one that is certain, if there is one; `None` if none leads there. It is
    /// empty where a door leads to the target.
    pub path: Option<Vec<Hop>>,
    /// The pod behind the door that it starts at.
    pub door: Option<PodId>,
    /// Whether it is certain.
    pub certain: bool,
    /// The workloads that every path leads through, from the source on.
    pub chokepoints: Vec<WorkloadId>,
    /// The fewest workloads whose closing separates the ends; `None` if a path leads through no
    /// other workload, or there is no path.
    pub cut: Option<Vec<WorkloadId>>,
    /// The policies that close them, with which no path is left; none if rules have to be edited.
    pub closing: Vec<Addition>,
}

/// Looks for the chokepoints.
pub fn critical(input: &Input, graph: &AllowGraph, asked: &PathEnds) -> Critical {
    let query = PathQuery::between(graph, asked);
    let paths = Paths::new(&query, certain_or_possible);
    if paths.nearest(&query).is_none() {
        return Critical::default();
    }
    let by_open_doors = asked.by_open_doors();
    let surely = PathQuery::between(graph, &by_open_doors);
    let surely = shortest(&surely, &Paths::new(&surely, certain), Truth::Yes);
    let is_certain = surely.is_some();
    let shortest = surely.or_else(|| shortest(&query, &paths, Truth::Maybe));
    let (door, path) = shortest.map_or((None, None), |(door, path)| (door, Some(path)));
    let network = HopNetwork::new(&query, &paths, certain_or_possible);
    let chokepoints = network.chokepoints();
    let cuts: Vec<Vec<WorkloadId>> = if chokepoints.is_empty() {
        network.cut().into_iter().collect()
    } else {
        chokepoints.iter().rev().map(|one| vec![*one]).collect()
    };
    let tried = cuts.iter().filter_map(|cut| {
        let closing = closing(graph, cut)?;
        Some((cut, closing))
    });
    let closed = tried
        .take(TRIED)
        .find(|(_, closing)| separates(input, graph, asked, closing));
    let (cut, closing) = match closed {
        Some((cut, closing)) => (Some(cut.clone()), closing),
        None => (cuts.into_iter().next(), Vec::new()),
    };
    Critical {
        path,
        door,
        certain: is_certain,
        chokepoints,
        cut,
        closing,
    }
}

/// The workloads that every path from one end to the other leads through, from the source on; none
/// where there is no path. Cost: a search, and the network of its hops.
pub fn chokepoints(graph: &AllowGraph, asked: &PathEnds) -> Vec<WorkloadId> {
    let query = PathQuery::between(graph, asked);
    let paths = Paths::new(&query, certain_or_possible);
    if paths.nearest(&query).is_none() {
        return Vec::new();
    }
    HopNetwork::new(&query, &paths, certain_or_possible).chokepoints()
}

/// What may pass, certain or not.
pub(crate) fn certain_or_possible(allowed: &Allowed) -> TrafficSet {
    allowed.may.clone()
}

fn certain(allowed: &Allowed) -> TrafficSet {
    allowed.must.clone()
}

/// The pod behind the door that a shortest path starts at, and its hops.
fn shortest(
    query: &PathQuery<'_>,
    paths: &Paths,
    least: Truth,
) -> Option<(Option<PodId>, Vec<Hop>)> {
    let start = paths.nearest(query)?;
    let flows = paths.hops(query, start);
    let last = flows.len().saturating_sub(1);
    let mut hops = Vec::with_capacity(flows.len());
    for (at, flow) in flows.into_iter().enumerate() {
        let mut traffic = passing(&query.graph.allowed(flow.source, flow.destination), least);
        if at == last {
            let target = query.graph.space().index_of(flow.destination);
            traffic = traffic.intersection(&query.asked(target));
        }
        hops.push(Hop { flow, traffic });
    }
    Some((start.door, hops))
}

/// The policies that close some workloads; `None` where something governs one of them in both
/// directions.
fn closing(graph: &AllowGraph, workloads: &[WorkloadId]) -> Option<Vec<Addition>> {
    workloads.iter().map(|one| close(graph, *one)).collect()
}

fn close(graph: &AllowGraph, workload: WorkloadId) -> Option<Addition> {
    let environment = graph.environment();
    let cluster = &environment.cluster;
    let workload = cluster.workload(workload);
    let pods: BTreeSet<PodId> = workload.pods.iter().copied().collect();
    let is_open = |direction: &Direction| {
        let open = |pod: &PodId| {
            let effective = graph.effective(Endpoint::Pod(*pod), *direction);
            effective.is_some_and(crate::compile::effective_policy::EffectivePolicy::is_open)
        };
        pods.iter().all(open) && pods.iter().all(|pod| !cluster.pod(*pod).host_network)
    };
    let direction = Direction::ALL.into_iter().find(is_open)?;
    let namespace = &cluster.namespace(workload.namespace).name;
    let (word, kind) = match direction {
        Direction::Ingress => ("ingress", "Ingress"),
        Direction::Egress => ("egress", "Egress"),
    };
    let name = format!("close-{}-{word}", workload.name.replace('/', "-"));
    let taken = environment.policies.policies.iter();
    if taken.into_iter().any(|policy| *policy.name == *name) {
        return None;
    }
    let content = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": pod_selector(environment, &pods), "policyTypes": [kind]},
    });
    let place = AdditionPlace::Policy {
        namespace: (&**namespace).into(),
        name: name.into(),
    };
    Some(Addition {
        direction,
        place,
        content,
    })
}

/// Whether no path is left with some policies added.
fn separates(input: &Input, graph: &AllowGraph, asked: &PathEnds, changes: &[Addition]) -> bool {
    let after = applied(input, changes).and_then(|input| {
        let after = AllowGraph::compile(&input, &graph.environment().options).ok()?;
        let asked = asked.after_a_change(&input, &after).ok()?;
        Some((after, asked))
    });
    after.is_some_and(|(after, asked)| {
        let query = PathQuery::between(&after, &asked);
        let paths = Paths::new(&query, certain_or_possible);
        paths.nearest(&query).is_none()
    })
}
