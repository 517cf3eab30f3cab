//! The traffic that a question asks of one destination.
//!
//! Ports may be numbers or the names of container ports. A Service maps its own ports to those of
//! the pods behind it. Cost: the ports of the Service and of the pod.

use crate::model::{Cluster, Pod, Selector, Service, ServicePort, TargetPort};
use crate::query::ask::grammar::{EndpointSpec, Keyword, PortAsk, Target};
use crate::query::ask::resolved::{Dialled, ResolveError, Resolved, absent_port};
use crate::set::{Protocol, TrafficSet};
use crate::spec::Endpoint;

/// The traffic that a question asks of a destination pod (or of addresses), with the ports of a
/// Service mapped to those of the pod; `None` where no port is named.
///
/// # Errors
/// When the Service has no such port.
pub fn traffic(
    cluster: &Cluster,
    spec: &EndpointSpec,
    resolved: &Resolved,
    destination: Option<Endpoint>,
) -> Result<Option<TrafficSet>, ResolveError> {
    let pod = pod_at(cluster, destination);
    match resolved.service {
        Some(service) => service_traffic(
            cluster,
            cluster.service(service),
            spec.ports.as_deref(),
            resolved.dialled,
            destination,
        )
        .map(Some),
        None if spec.ports.is_none() && spec.target == Target::Keyword(Keyword::Dns) => {
            Ok(Some(dns(cluster, pod)))
        }
        None if spec.ports.is_none() && resolved.traffic.is_some() => Ok(resolved.traffic.clone()),
        None => Ok(spec.ports.as_ref().map(|ports| {
            ports
                .iter()
                .fold(TrafficSet::empty(), |set, p| set.union(&direct(p, pod)))
        })),
    }
}

/// Port 53 of the Service in front of a DNS pod, as the pod has it; without a Service port 53.
pub(crate) fn dns(cluster: &Cluster, pod: Option<&Pod>) -> TrafficSet {
    let asked = [Protocol::Udp, Protocol::Tcp];
    let port = |protocol| TrafficSet::ports(protocol, 53, 53);
    let mut behind = TrafficSet::empty();
    if let Some(pod) = pod {
        let in_front = cluster
            .services()
            .map(|(_, service)| service)
            .filter(|service| {
                let selects = |selector: &Selector| selector.matches(cluster.labels(pod.labels));
                service.namespace == pod.namespace && service.selector.as_ref().is_some_and(selects)
            });
        let ports = in_front.flat_map(|service| &service.ports);
        for found in ports.filter(|p| p.port == 53 && asked.contains(&p.protocol)) {
            behind = behind.union(&target_traffic(found, Some(pod)));
        }
    }
    if !behind.is_empty() {
        return behind;
    }
    let named = |(name, protocol): (&'static str, Protocol)| {
        let declared = pod.and_then(|pod| pod.named_ports(name).find(|(p, _)| *p == protocol));
        declared.map_or_else(
            || port(protocol),
            |(_, number)| TrafficSet::ports(protocol, number, number),
        )
    };
    named(("dns", asked[0])).union(&named(("dns-tcp", asked[1])))
}

/// The traffic of a port as the pod declares it.
pub(crate) fn direct(port: &PortAsk, pod: Option<&Pod>) -> TrafficSet {
    match port {
        PortAsk::Numbers(a, b, protocol) => TrafficSet::ports(*protocol, *a, *b),
        PortAsk::Messages(protocol, a, b) => TrafficSet::messages(*protocol, *a, *b),
        PortAsk::Name(name, wanted) => {
            let found = pod
                .into_iter()
                .flat_map(|p| p.named_ports(name).collect::<Vec<_>>());
            let found = found.filter(|(p, _)| wanted.is_none_or(|w| w == *p));
            found.fold(TrafficSet::empty(), |set, (p, n)| {
                set.union(&TrafficSet::ports(p, n, n))
            })
        }
    }
}

/// The traffic of an endpoint behind a Service that the Service's ports are mapped to; all its
/// ports if none is named. A headless Service maps nothing: its clients dial the endpoint on the
/// port that they name (S59).
pub(crate) fn service_traffic(
    cluster: &Cluster,
    service: &Service,
    ports: Option<&[PortAsk]>,
    dialled: Option<Dialled>,
    at: Option<Endpoint>,
) -> Result<TrafficSet, ResolveError> {
    let behind = |port: &ServicePort| traffic_behind(cluster, service, port, at);
    let Some(ports) = ports else {
        if service.headless && service.ports.is_empty() {
            return Ok(TrafficSet::all());
        }
        return Ok(all_behind(cluster, service, at));
    };
    let mut set = TrafficSet::empty();
    for ask in ports {
        if let (true, PortAsk::Numbers(..)) = (service.headless, ask) {
            set = set.union(&direct(ask, None));
            continue;
        }
        let found = asked_of_service(service, ask, dialled);
        if found.is_empty() {
            return absent_port(
                format!("Service {} has no port {ask}", service.name),
                no_such_port(service, ask, dialled),
            );
        }
        set = set.union(&union(found.into_iter().map(behind)));
    }
    Ok(set)
}

fn union(sets: impl Iterator<Item = TrafficSet>) -> TrafficSet {
    sets.fold(TrafficSet::empty(), |all, one| all.union(&one))
}

/// The ports of a Service that a question means. At nodes these are its ports there.
pub(crate) fn asked_of_service<'s>(
    service: &'s Service,
    ask: &PortAsk,
    dialled: Option<Dialled>,
) -> Vec<&'s ServicePort> {
    let at_nodes = dialled.is_some_and(Dialled::is_at_nodes);
    let is_at_nodes = |port: &&ServicePort| match (ask, port.node) {
        (PortAsk::Numbers(first, last, protocol), Some(node)) => {
            (first..=last).contains(&&node) && *protocol == port.protocol
        }
        _ => false,
    };
    let ports = service.ports.iter();
    if at_nodes {
        ports.filter(is_at_nodes).collect()
    } else {
        ports.filter(|port| is_asked(ask, port)).collect()
    }
}

/// What to say of a port that a Service does not have.
fn no_such_port(service: &Service, ask: &PortAsk, dialled: Option<Dialled>) -> String {
    let at_nodes = dialled.is_some_and(Dialled::is_at_nodes);
    let shown = |port: &ServicePort| {
        let number = if at_nodes { port.node? } else { port.port };
        Some(format!("{number}/{}", port.protocol))
    };
    let have: Vec<String> = service.ports.iter().filter_map(shown).collect();
    let is_of_pods = |port: &&ServicePort| match (ask, &port.target) {
        (PortAsk::Numbers(a, b, protocol), TargetPort::Number(target)) => {
            a == b && a == target && *protocol == port.protocol
        }
        _ => false,
    };
    let of_pods = service.ports.iter().find(is_of_pods).map(|port| {
        let (name, port) = (&service.name, port.port);
        format!("; that is the port of its pods: ask svc/{name}:{port}")
    });
    format!("it has {}{}", have.join(", "), of_pods.unwrap_or_default())
}

/// The pod at an endpoint.
fn pod_at(cluster: &Cluster, at: Option<Endpoint>) -> Option<&Pod> {
    match at? {
        Endpoint::Pod(id) => Some(cluster.pod(id)),
        Endpoint::Address(_) => None,
    }
}

/// The traffic of an endpoint behind all ports of a Service.
pub(crate) fn all_behind(cluster: &Cluster, service: &Service, at: Option<Endpoint>) -> TrafficSet {
    let behind = |port: &ServicePort| traffic_behind(cluster, service, port, at);
    union(service.ports.iter().map(behind))
}

/// The traffic of an endpoint behind one port of a Service: where it is listed, as it is listed.
/// Of a headless Service it is the Service's own number.
pub(crate) fn traffic_behind(
    cluster: &Cluster,
    service: &Service,
    port: &ServicePort,
    at: Option<Endpoint>,
) -> TrafficSet {
    let pod = pod_at(cluster, at);
    if service.headless {
        return TrafficSet::ports(port.protocol, port.port, port.port);
    }
    let listed = cluster.listed_endpoints(service.namespace, &service.name);
    let (Some(listed), None) = (listed, &service.selector) else {
        return target_traffic(port, pod);
    };
    let is_here = |address| match (at, pod) {
        (_, Some(pod)) => pod.addresses.contains(&address),
        (Some(Endpoint::Address(here)), None) => here == address,
        _ => true,
    };
    let here = listed
        .iter()
        .filter(|l| l.is_behind(port) && is_here(l.address));
    union(here.map(|l| TrafficSet::ports(l.protocol, l.port, l.port)))
}

/// The traffic of the pod behind one port of a Service.
pub(crate) fn target_traffic(service_port: &ServicePort, pod: Option<&Pod>) -> TrafficSet {
    let protocol = service_port.protocol;
    match &service_port.target {
        TargetPort::Number(n) => TrafficSet::ports(protocol, *n, *n),
        TargetPort::Name(name) => direct(&PortAsk::Name(name.clone(), Some(protocol)), pod),
    }
}

/// Whether a question names a port of a Service.
pub(crate) fn is_asked(ask: &PortAsk, service_port: &ServicePort) -> bool {
    match ask {
        PortAsk::Numbers(a, b, protocol) => {
            (*a..=*b).contains(&service_port.port) && service_port.protocol == *protocol
        }
        PortAsk::Name(name, wanted) => {
            service_port.name.as_ref() == Some(name)
                && wanted.is_none_or(|w| w == service_port.protocol)
        }
        PortAsk::Messages(..) => false,
    }
}
