//! The shortest way: one chain of flows from the roots of a trip to some pods.
//!
//! The closure goes back from the goal, so that only the last hop has to carry what was asked; the
//! way is read off its parents. Cost: one closure.

use crate::graph::AllowGraph;
use crate::model::{PodId, Truth};
use crate::query::reach::closure::{ReachQuery, Steps, Way, passing};
use crate::set::{IpSet, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::collections::BTreeSet;

/// One hop of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// A flow that makes it.
    pub flow: Flow,
    /// What passes.
    pub traffic: TrafficSet,
}

/// A shortest chain of flows from the roots of a trip to some pods; `None` where there is none.
pub fn path(
    graph: &AllowGraph,
    trip: &ReachQuery,
    goal: &BTreeSet<PodId>,
    asked: &TrafficSet,
    least: Truth,
) -> Option<Vec<Hop>> {
    // backward from the goal, so that only the last hop has to carry what was asked
    let back = ReachQuery {
        way: Way::Backward,
        pods: goal.clone(),
        addresses: IpSet::empty(),
        asked: asked.clone(),
        hops: trip.hops,
    };
    let mut links = Steps::new(graph, &back);
    let found = links.closure(least);
    let start = |u: usize| {
        links.units[u]
            .pods
            .iter()
            .find(|p| trip.pods.contains(p))
            .copied()
    };
    let (mut unit, first) = found
        .iter()
        .filter_map(|(u, f)| Some((f.hops, u, start(u)?)))
        .min()
        .map(|(_, u, pod)| (Some(u), pod))?;
    let mut from = Endpoint::Pod(first);
    let mut hops = Vec::new();
    while let Some(current) = unit {
        let how = found.get(current)?;
        let to = match how.parent {
            Some(next) => links.representative(next)?,
            // where nodes are not told apart, the way may be open to other pods of the unit only
            None => last(graph, from, goal, asked, least)
                .or_else(|| goal.first().map(|p| Endpoint::Pod(*p)))?,
        };
        let traffic = links.traffic(current, how, least);
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
        (from, unit) = (to, how.parent);
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
