//! What a Service between two ends changes.
//!
//! A question that names a Service is about the pods behind it (S59). Two things differ from a
//! question about those pods. A pod that is connected to itself by way of a Service has sent its
//! traffic out, so that cluster-wide policies see it (S54, S122). And a Service that accepts calls
//! at the nodes may show the pod the address of a node in place of the caller's (S41, S63). Where
//! that leaves more than one answer, the verdict is unknown, `UNKNOWN_SNAT`, and [`ViaService`]
//! says why.
//!
//! Cost: nothing where neither applies, otherwise a few edge queries.

use crate::graph::{AllowGraph, Allowed};
use crate::model::ServiceId;
use crate::spec::Endpoint;
use std::net::IpAddr;

/// How a Service changes who decides a connection, where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViaService {
    /// A pod calls a Service and is connected to itself.
    ToItself,
    /// A caller outside the cluster, possibly forwarded by a node.
    ThroughNode(IpAddr),
}

/// How a Service changes a connection between two ends; `None` where it only names the pod.
pub fn classify(
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

/// What passes between two ends that are connected by way of a Service.
pub fn allowed(
    graph: &AllowGraph,
    via_service: Option<ViaService>,
    source: Endpoint,
    destination: Endpoint,
) -> Allowed {
    match (via_service, destination) {
        (Some(ViaService::ToItself), Endpoint::Pod(pod)) => graph.allowed_to_itself(pod),
        (Some(ViaService::ThroughNode(caller)), Endpoint::Pod(pod)) => {
            graph.allowed_through_node(caller, pod)
        }
        _ => graph.allowed(source, destination),
    }
}
