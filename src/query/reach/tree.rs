//! Trees of who can get where: what a workload reaches (`reach`), and what reaches it (`who`).
//!
//! Phases: the closure finds every pod group and the hop by which it is first found; the builder
//! ([`crate::query::reach::tree_builder`]) shows each below the group that it was found from. What
//! may be reached, but not certainly, is listed separately. Nodes are ranked: the internet, cloud
//! credentials, the API server, data stores, then by name. Cost: two closures and the tree.

use crate::compile::effective_policy::EffectivePolicy;
use crate::graph::AllowGraph;
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::Direction;
pub use crate::query::reach::path::{Hop, path};
use crate::query::reach::search::{ReachQuery, Way};
use crate::query::reach::steps::Steps;
use crate::query::reach::tree_builder::{TreeBuilder, workloads};
pub use crate::query::reach::tree_node::{Item, TreeNode};
use crate::query::reach::workload_role::is_store;
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::collections::{BTreeMap, BTreeSet};

/// The answer to a reach query.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The direction.
    pub way: Way,
    /// Whether nothing restricts the egress of the roots (forward) or their ingress (backward).
    pub unrestricted: bool,
    /// Whether it starts at pods; otherwise it starts at outside addresses.
    pub from_pods: bool,
    /// The tree below the roots.
    pub stops: Vec<TreeNode>,
    /// Every workload that is found, with the number of hops.
    pub found: BTreeMap<WorkloadId, u32>,
    /// Workloads that may be found, but not certainly.
    pub unknown: Vec<WorkloadId>,
    /// Outside addresses that may be connected, but not certainly, with the traffic.
    pub unknown_outside: Vec<(IpSet, TrafficSet)>,
    /// The data stores that are found, with the number of hops.
    pub stores: Vec<(WorkloadId, u32)>,
    /// The number of workloads besides those of the roots.
    pub others: usize,
    /// The largest number of hops that was followed; `None` if unlimited.
    pub hops: Option<u32>,
    /// The traffic of which the hop next to the roots had to carry some.
    pub asked: TrafficSet,
}

/// Answers a reach query.
pub fn reach(graph: &AllowGraph, query: &ReachQuery) -> Reach {
    let mut steps = Steps::new(graph, query);
    let certain = steps.closure(Truth::Yes);
    let possible = steps.closure(Truth::Maybe);
    let cluster = &graph.environment().cluster;
    let roots: BTreeSet<WorkloadId> = query
        .pods
        .iter()
        .map(|p| cluster.pod(*p).workload)
        .collect();
    let mut found: BTreeMap<WorkloadId, u32> = BTreeMap::new();
    for (group, how) in certain.iter() {
        for workload in workloads(graph, &steps.pod_groups[group]) {
            let hops = found.entry(workload).or_insert(how.hops);
            *hops = how.hops.min(*hops);
        }
    }
    let maybe = possible
        .iter()
        .flat_map(|(group, _)| workloads(graph, &steps.pod_groups[group]))
        .collect::<BTreeSet<_>>();
    let unknown = maybe
        .into_iter()
        .filter(|w| !found.contains_key(w) && !roots.contains(w))
        .collect();
    found.retain(|w, _| !roots.contains(w));
    let stores = found
        .iter()
        .filter(|(w, _)| is_store(cluster, **w))
        .map(|(w, h)| (*w, *h))
        .collect();
    let direction = if query.way == Way::Forward {
        Direction::Egress
    } else {
        Direction::Ingress
    };
    let free = |p: &PodId| {
        graph
            .effective(Endpoint::Pod(*p), direction)
            .is_some_and(EffectivePolicy::is_open)
    };
    let unrestricted = !query.pods.is_empty() && query.pods.iter().all(free);
    let mut tree = TreeBuilder::new(graph, query, steps, certain);
    let stops = tree.build();
    let unknown_outside = tree.unknown_outside(&possible);
    let others = cluster
        .workloads()
        .filter(|(id, _)| !roots.contains(id))
        .count();
    let from_pods = !query.pods.is_empty();
    Reach {
        way: query.way,
        unrestricted,
        from_pods,
        stops,
        found,
        unknown,
        unknown_outside,
        stores,
        others,
        hops: query.hops,
        asked: query.asked.clone(),
    }
}
