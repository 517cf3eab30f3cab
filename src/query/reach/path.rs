//! The shortest path: one chain of flows from the roots of a query to some pods.
//!
//! The closure is computed backward from the goal, so that only the last hop has to carry the
//! traffic that is asked about; the path is read off its parents. Cost: one closure.

use crate::graph::AllowGraph;
use crate::model::{PodId, Truth};
use crate::query::reach::search::{ReachQuery, Way, passing};
use crate::query::reach::steps::Steps;
use crate::set::{IpSet, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::collections::BTreeSet;

/// One hop of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// A flow that makes the hop.
    pub flow: Flow,
    /// What passes on the hop.
    pub traffic: TrafficSet,
}

/// A shortest chain of flows from the roots of a query to some pods; `None` if there is none.
pub fn path(
    graph: &AllowGraph,
    query: &ReachQuery,
    goal: &BTreeSet<PodId>,
    asked: &TrafficSet,
    least: Truth,
) -> Option<Vec<Hop>> {
    // Backward from the goal, so that only the last hop has to carry the traffic asked about.
    let backward = ReachQuery {
        way: Way::Backward,
        pods: goal.clone(),
        addresses: IpSet::empty(),
        asked: asked.clone(),
        hops: query.hops,
    };
    let mut steps = Steps::new(graph, &backward);
    let found = steps.closure(least);
    let start = |group: usize| {
        let pods = &steps.pod_groups[group].pods;
        pods.iter().find(|p| query.pods.contains(p)).copied()
    };
    let (mut group, first) = found
        .iter()
        .filter_map(|(group, how)| Some((how.hops, group, start(group)?)))
        .min()
        .map(|(_, group, pod)| (Some(group), pod))?;
    let mut from = Endpoint::Pod(first);
    let mut hops = Vec::new();
    while let Some(current) = group {
        let how = found.get(current)?;
        let to = match how.parent {
            Some(next) => steps.representative(next)?,
            // Where nodes are not told apart, the hop may lead to other pods of the group only.
            None => last(graph, from, goal, asked, least)
                .or_else(|| goal.first().map(|p| Endpoint::Pod(*p)))?,
        };
        let traffic = steps.traffic(current, how, least);
        let sample = traffic.sample().unwrap_or(crate::set::Traffic {
            protocol: crate::set::Protocol::Tcp,
            port: 1,
        });
        hops.push(Hop {
            flow: Flow {
                source: from,
                destination: to,
                traffic: sample,
            },
            traffic,
        });
        (from, group) = (to, how.parent);
    }
    Some(hops)
}

/// The pod of the goal that the last hop leads to.
fn last(
    graph: &AllowGraph,
    from: Endpoint,
    goal: &BTreeSet<PodId>,
    asked: &TrafficSet,
    least: Truth,
) -> Option<Endpoint> {
    let fits =
        |p: &&PodId| !passing(&graph.allowed(from, Endpoint::Pod(**p)), least).is_disjoint(asked);
    goal.iter().find(fits).map(|p| Endpoint::Pod(*p))
}
