//! What a Service between two ends changes.
//!
//! A question that names a Service is about the pods behind it (S59). Two things are different from
//! asking about those pods: a pod led to itself has left itself, so that cluster policies see it
//! (S54, S122); and a Service that takes calls at the nodes may show the pod a node's address in
//! place of the caller's (S41, S63). Where that leaves more than one answer the verdict is unknown,
//! `UNKNOWN_SNAT`, and [`ViaService`] says why.
//!
//! Cost: nothing where neither applies; else a handful of edge questions.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{ServiceId, Truth};
use crate::query::explain::explanation::{Explanation, explain, explain_call};
use crate::spec::evaluate::ConnectionOrigin;
use crate::spec::{Endpoint, Flow};
use std::net::IpAddr;

/// How a Service leads a connection, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViaService {
    /// A pod to itself.
    ToItself,
    /// Somebody outside, maybe by way of a node.
    ThroughNode(IpAddr),
}

/// What a Service makes of a connection between two ends; `None` where it only names the pod.
pub fn led(
    graph: &AllowGraph,
    service: Option<ServiceId>,
    source: Endpoint,
    destination: Endpoint,
) -> Option<ViaService> {
    let cluster = &graph.environment().cluster;
    let service = cluster.service(service?);
    match (source, destination) {
        (Endpoint::Pod(a), Endpoint::Pod(b)) if a == b && cluster.pod(a).is_single() => {
            Some(ViaService::ToItself)
        }
        (Endpoint::Address(caller), Endpoint::Pod(_)) if service.takes_calls_at_nodes => {
            Some(ViaService::ThroughNode(caller))
        }
        _ => None,
    }
}

/// What passes.
pub fn allowed(
    graph: &AllowGraph,
    led: Option<ViaService>,
    source: Endpoint,
    destination: Endpoint,
) -> Allowed {
    match (led, destination) {
        (Some(ViaService::ToItself), Endpoint::Pod(pod)) => graph.allowed_to_itself(pod),
        (Some(ViaService::ThroughNode(caller)), Endpoint::Pod(pod)) => {
            graph.allowed_through_node(caller, pod)
        }
        _ => graph.allowed(source, destination),
    }
}

/// Why one flow is decided as it is.
pub fn explain_led(graph: &AllowGraph, led: Option<ViaService>, flow: &Flow) -> Explanation {
    let Some(how) = led else {
        return explain(graph, flow);
    };
    let mut told = match how {
        ViaService::ToItself => explain_call(
            graph,
            flow,
            ConnectionOrigin::OwnService {
                undefined_are_asked: true,
            },
        ),
        ViaService::ThroughNode(_) => explain(graph, flow),
    };
    let allowed = allowed(graph, led, flow.source, flow.destination);
    let unsure = allowed.unknown().contains(flow.traffic);
    if unsure && told.allowed != Truth::Maybe {
        told.allowed = Truth::Maybe;
        told.led = led;
    }
    told
}
