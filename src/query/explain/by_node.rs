//! What a pod on its node's network may do where the two run on one node, and where they do not.
//!
//! A pod and the node that it runs on always reach each other (S55). If the input does not tell on
//! which nodes two pods run, their verdict joins both cases, and one word for both hides that one
//! of them is certain: an agent on every node always reaches the pods beside it. Cost: a copy of
//! the cluster and two decisions of the specification.

use crate::graph::AllowGraph;
use crate::model::{PodId, Truth};
use crate::spec::evaluate::evaluate;
use crate::spec::{Endpoint, Environment, Flow};
use std::sync::Arc;

/// What holds of a flow by where its ends run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByNode {
    /// Whether it is allowed where both run on one node.
    pub own: Truth,
    /// Whether it is allowed where they run on different nodes.
    pub other: Truth,
}

/// What holds by node, where that is not told and makes a difference.
pub fn by_node(graph: &AllowGraph, flow: &Flow) -> Option<ByNode> {
    let env = graph.environment();
    let (Endpoint::Pod(a), Endpoint::Pod(b)) = (flow.source, flow.destination) else {
        return None;
    };
    let (host, pod) = match [a, b].map(|id| env.cluster.pod(id).host_network) {
        [true, false] => (a, b),
        [false, true] => (b, a),
        _ => return None,
    };
    let nodes = [host, pod].map(|id| env.cluster.pod(id).node.clone());
    if nodes.iter().all(Option::is_some) {
        return None;
    }
    let near: Arc<str> = nodes.iter().flatten().next().map_or(ONE.into(), Arc::clone);
    let by_node = ByNode {
        own: evaluate(&placed(env, [(host, &near), (pod, &near)]), flow),
        other: evaluate(&placed(env, [(host, &ANOTHER.into()), (pod, &near)]), flow),
    };
    (by_node.own != by_node.other).then_some(by_node)
}

/// Names that no node has.
const ONE: &str = "<one node>";
const ANOTHER: &str = "<another node>";

/// The environment with two pods on these nodes.
fn placed(env: &Environment, on: [(PodId, &Arc<str>); 2]) -> Environment {
    Environment {
        cluster: Arc::new(env.cluster.with_pods_on(&on)),
        ..env.clone()
    }
}
