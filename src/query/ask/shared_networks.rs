//! The networks on which what is allowed gets there, where there are several (NW3).
//!
//! Cost: nothing for a cluster of one network; else a graph for each network that the ends of a
//! flow share, once for a question.

use crate::graph::AllowGraph;
use crate::model::Truth;
use crate::spec::{Endpoint, Flow};
use std::collections::BTreeMap;

/// So many pairs of a question are told their networks, and so many networks of a pair are looked
/// at.
pub const MOST: usize = 16;

/// The graphs of single networks, made when a flow shares one.
pub struct SharedNetworks<'g> {
    graph: &'g AllowGraph,
    known: BTreeMap<Box<str>, Option<AllowGraph>>,
}

impl<'g> SharedNetworks<'g> {
    /// Of a graph whose cluster has several networks; none of another one.
    pub fn new(graph: &'g AllowGraph) -> Option<Self> {
        graph.environment().policies.plugin.networks.as_ref()?;
        Some(Self {
            graph,
            known: BTreeMap::new(),
        })
    }

    /// The networks that surely carry a flow.
    pub fn carrying(&mut self, flow: &Flow) -> Vec<Box<str>> {
        let mut names = shared(self.graph, flow);
        names.retain(|name| {
            let known = self.known.entry(name.clone());
            let on = known.or_insert_with(|| self.graph.on_network(name));
            let carries = on.as_ref().map(|on| on.verdict(flow));
            carries == Some(Truth::Yes)
        });
        names
    }
}

/// The networks that both ends are on.
fn shared(graph: &AllowGraph, flow: &Flow) -> Vec<Box<str>> {
    let env = graph.environment();
    let (Endpoint::Pod(from), Endpoint::Pod(to)) = (flow.source, flow.destination) else {
        return Vec::new();
    };
    let Some(plan) = &env.policies.plugin.networks else {
        return Vec::new();
    };
    let [from, to] = [from, to].map(|pod| plan.of_pod(env.cluster.pod_labels(pod)));
    let is_shared = |name: &&str| from.iter().any(|other| plan.is_one(name, other));
    let all = to.into_iter().filter(is_shared).take(MOST);
    all.map(Into::into).collect()
}
