//! What a Service between two ends changes.
//!
//! A question that names a Service is about the pods behind it (S59). Four things differ from a
//! question about those pods. A pod that is connected to itself by way of a Service has sent its
//! traffic out, so that cluster-wide policies see it (S54, S122). A Service that accepts calls at
//! the nodes may show the pod the address of a node in place of the caller's (S41, S63). The
//! address that a pod calls is rewritten to a pod's, before or after policies are applied (S41).
//! And a Service with `internalTrafficPolicy: Local` leads to pods on the caller's node alone.
//! Where that leaves more than one answer, the verdict is unknown, and [`ViaService`] says why.
//!
//! Cost: nothing where none applies, otherwise a few edge queries.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{Cluster, PodId, Service, ServiceId, Truth};
use crate::policy::Direction;
use crate::query::ask::asked_traffic::traffic_behind;
use crate::query::ask::named_at::is_named;
use crate::query::ask::resolved::{Dialled, End, Resolved};
use crate::set::{Family, Traffic, TrafficSet};
use crate::spec::{Endpoint, FamilySet};
use std::net::IpAddr;

/// How a Service changes who decides a connection, where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViaService {
    /// A pod calls a Service and is connected to itself.
    ToItself,
    /// A caller outside the cluster, possibly forwarded by a node.
    ThroughNode(IpAddr),
    /// The same at a node that may be policed by something which is not modelled.
    PolicedNode(IpAddr),
    /// A pod calls a Service at an address that is rewritten on the way.
    Rewritten(ServiceId, Dialled),
    /// A pod calls a Service that rules for the pod name: they see the call and not the pod behind
    /// it, and are asked among the others, in their order.
    ByName(ServiceId),
    /// A pod calls a Service that leads to the pods of the caller's own node alone; whether the
    /// pod is there is not told, or it is not.
    OwnNode(Truth),
    /// A node calls whose address is not told; whether it is the pod's own.
    OfNode(Truth),
}

/// How a Service changes a connection between two ends; `None` where it only names the pod.
pub fn classify(
    graph: &AllowGraph,
    resolved: &Resolved,
    source: Endpoint,
    destination: Endpoint,
) -> Option<ViaService> {
    let cluster = &graph.environment().cluster;
    let id = resolved.service?;
    let service = cluster.service(id);
    let inside = matches!(resolved.dialled, None | Some(Dialled::Cluster(_)));
    match (source, destination) {
        (Endpoint::Pod(a), Endpoint::Pod(b)) if inside && a == b && cluster.pod(a).is_single() => {
            Some(ViaService::ToItself)
        }
        (Endpoint::Address(caller), Endpoint::Pod(_)) if service.takes_calls_at_nodes => {
            Some(if is_policed(graph, resolved.dialled) {
                ViaService::PolicedNode(caller)
            } else {
                ViaService::ThroughNode(caller)
            })
        }
        (Endpoint::Pod(_), _) => match resolved.dialled {
            Some(dialled) if !inside => Some(ViaService::Rewritten(id, dialled)),
            _ if graph.calling(id, source).is_some() => Some(ViaService::ByName(id)),
            _ => of_call(graph, id, source, destination),
        },
        _ => None,
    }
}

/// Whether the node that is called may be policed by something that is not modelled, so that calls
/// from outside may not get as far as its ports.
fn is_policed(graph: &AllowGraph, dialled: Option<Dialled>) -> bool {
    let env = graph.environment();
    match dialled {
        Some(Dialled::Node(address)) => {
            env.may_be_policed_node(Endpoint::Address(address), Direction::Ingress)
        }
        Some(Dialled::Nodes) => env.has_policed_nodes(Direction::Ingress),
        _ => false,
    }
}

/// Whether a Service leads a source to endpoints on the source's own node, and this is not one.
pub fn leads_elsewhere(
    cluster: &Cluster,
    resolved: &Resolved,
    source: Endpoint,
    destination: Endpoint,
) -> bool {
    let Some(service) = resolved.service.map(|id| cluster.service(id)) else {
        return false;
    };
    let is_elsewhere =
        own_node(cluster, service, source, destination) == Some(ViaService::OwnNode(Truth::No));
    let may_be_there = |pod: &PodId| {
        let at = Endpoint::Pod(*pod);
        own_node(cluster, service, source, at) != Some(ViaService::OwnNode(Truth::No))
    };
    is_elsewhere
        && resolved.ends.iter().any(|end| match end {
            End::Pods { pods, .. } => pods.iter().any(may_be_there),
            End::Addresses { .. } => false,
        })
}

/// Whether a Service that leads to the caller's own node leads to this pod.
fn own_node(
    cluster: &Cluster,
    service: &Service,
    source: Endpoint,
    destination: Endpoint,
) -> Option<ViaService> {
    let (Endpoint::Pod(from), Endpoint::Pod(to)) = (source, destination) else {
        return None;
    };
    let nodes = [from, to].map(|pod| cluster.pod(pod).node.as_deref());
    match nodes {
        _ if !service.only_own_node || service.headless => None,
        [Some(from), Some(to)] if from == to => None,
        [Some(_), Some(_)] => Some(ViaService::OwnNode(Truth::No)),
        _ => Some(ViaService::OwnNode(Truth::Maybe)),
    }
}

/// How a Service changes what a pod's call of it becomes, whatever rules name it.
fn of_call(
    graph: &AllowGraph,
    id: ServiceId,
    source: Endpoint,
    destination: Endpoint,
) -> Option<ViaService> {
    let cluster = &graph.environment().cluster;
    own_node(cluster, cluster.service(id), source, destination)
        .or_else(|| at_cluster_address(graph, id, source, destination))
}

/// The graph of calls of a Service that rules name, and what else the Service changes there (AN40).
pub fn called_by_name(
    graph: &AllowGraph,
    id: ServiceId,
    source: Endpoint,
    destination: Endpoint,
) -> Option<(AllowGraph, Option<ViaService>)> {
    let called = graph.calling(id, source)?;
    let changed = of_call(&called, id, source, destination);
    Some((called, changed))
}

/// A call at a cluster address, where a rule names this address and the pod is not let through by
/// another: most clusters rewrite it before policies are applied, and the API leaves that open
/// (S41, S59).
fn at_cluster_address(
    graph: &AllowGraph,
    id: ServiceId,
    source: Endpoint,
    destination: Endpoint,
) -> Option<ViaService> {
    let cluster = &graph.environment().cluster;
    let service = cluster.service(id);
    let translated = graph.allowed_on(Direction::Egress, source, destination);
    let adds = |address: &&IpAddr| {
        let dialled = Dialled::Cluster(**address);
        let before = before_translation(graph, (id, dialled), source, destination);
        !before.may.is_subset(&translated.may)
    };
    let found = service.addresses.iter().find(adds)?;
    Some(ViaService::Rewritten(id, Dialled::Cluster(*found)))
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
        (Some(ViaService::PolicedNode(caller)), Endpoint::Pod(pod)) => Allowed {
            must: TrafficSet::empty(),
            may: graph.allowed_through_node(caller, pod).may,
        },
        (Some(ViaService::Rewritten(id, dialled)), _) => {
            rewritten(graph, (id, dialled), source, destination)
        }
        (Some(ViaService::ByName(id)), _) => match called_by_name(graph, id, source, destination) {
            Some((called, changed)) => allowed(&called, changed, source, destination),
            None => graph.allowed(source, destination),
        },
        (Some(ViaService::OfNode(own)), Endpoint::Pod(pod)) => {
            graph.allowed_of_node(source, pod, own)
        }
        (Some(ViaService::OwnNode(is_there)), _) => {
            let allowed = graph.allowed(source, destination);
            Allowed {
                must: TrafficSet::empty(),
                may: match is_there {
                    Truth::No => TrafficSet::empty(),
                    Truth::Yes | Truth::Maybe => allowed.may,
                },
            }
        }
        _ => graph.allowed(source, destination),
    }
}

/// What passes where a policy may see an address before or after it is rewritten: for certain only
/// what passes both ways. At a cluster address policies see the pod, as far as is known; what only
/// the address would let through is possible. Calls at other addresses may come from a node, as far
/// as the pod sees.
fn rewritten(
    graph: &AllowGraph,
    (id, dialled): (ServiceId, Dialled),
    source: Endpoint,
    destination: Endpoint,
) -> Allowed {
    let on = |direction| graph.allowed_on(direction, source, destination);
    let (out, into) = (on(Direction::Egress), on(Direction::Ingress));
    let before = before_translation(graph, (id, dialled), source, destination);
    if let Dialled::Cluster(_) = dialled {
        let out = Allowed {
            may: out.may.union(&before.may),
            ..out
        };
        return out.and(&into).or(&graph.allowed(source, destination));
    }
    let has_networks = graph.environment().policies.plugin.networks.is_some();
    let into = match destination {
        Endpoint::Pod(pod) if has_networks => {
            graph.forwarded_of(source, families(graph, dialled, destination), pod)
        }
        Endpoint::Pod(pod) => graph
            .by_any_node(families(graph, dialled, destination), pod)
            .fold(into, |all, one| all.either(&one)),
        Endpoint::Address(_) => into,
    };
    out.either(&before).and(&into)
}

/// The families of the calls: that of the address, or, at nodes, those that the endpoint has.
fn families(graph: &AllowGraph, dialled: Dialled, destination: Endpoint) -> FamilySet {
    if let Some(address) = dialled.address() {
        return FamilySet::only(Family::of(address));
    }
    let families = graph.environment().end_families(destination);
    families.told().unwrap_or(FamilySet::BOTH)
}

/// What leaves the source for the address of a Service before it is rewritten, as the traffic that
/// it becomes; for a cluster address only what rules say that name it (S41).
fn before_translation(
    graph: &AllowGraph,
    (id, dialled): (ServiceId, Dialled),
    source: Endpoint,
    destination: Endpoint,
) -> Allowed {
    let cluster = &graph.environment().cluster;
    let service = cluster.service(id);
    let at: Vec<Allowed> = match dialled.address() {
        Some(address) => {
            vec![graph.allowed_on(Direction::Egress, source, Endpoint::Address(address))]
        }
        None => graph
            .any_node(families(graph, dialled, destination))
            .map(|node| graph.allowed_on(Direction::Egress, source, Endpoint::Address(node)))
            .collect(),
    };
    let mut found = Allowed::nothing();
    let Some(out) = at.into_iter().reduce(|a, b| a.either(&b)) else {
        return found;
    };
    for port in &service.ports {
        let number = if dialled.is_at_nodes() {
            port.node
        } else {
            Some(port.port)
        };
        let Some(port_number) = number else { continue };
        let traffic = Traffic {
            protocol: port.protocol,
            port: port_number,
        };
        if let Dialled::Cluster(address) = dialled
            && !is_named(graph, source, (address, traffic))
        {
            continue;
        }
        let becomes = traffic_behind(cluster, service, port, Some(destination));
        if out.must.contains(traffic) {
            found.must = found.must.union(&becomes);
        }
        if out.may.contains(traffic) {
            found.may = found.may.union(&becomes);
        }
    }
    found
}
