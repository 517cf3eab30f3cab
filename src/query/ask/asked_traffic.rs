//! The traffic that a question asks of one destination.
//!
//! Ports may be numbers or the names of container ports. A Service maps its own ports to those of
//! the pods behind it. Cost: the ports of the Service and of the pod.

use crate::model::{Cluster, Pod, Selector, Service, ServicePort, TargetPort};
use crate::query::ask::grammar::{EndpointSpec, Keyword, PortAsk, Target};
use crate::query::ask::resolved::{ResolveError, Resolved, wrong};
use crate::set::{Protocol, TrafficSet};

/// The traffic that a question asks of a destination pod (or of addresses), with the ports of a
/// Service mapped to those of the pod; `None` where no port is named.
///
/// # Errors
/// When the Service has no such port.
pub fn traffic(
    cluster: &Cluster,
    spec: &EndpointSpec,
    resolved: &Resolved,
    pod: Option<&Pod>,
) -> Result<Option<TrafficSet>, ResolveError> {
    match resolved.service {
        Some(service) => {
            service_traffic(cluster.service(service), spec.ports.as_deref(), pod).map(Some)
        }
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
fn dns(cluster: &Cluster, pod: Option<&Pod>) -> TrafficSet {
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

/// The traffic of the pod that the ports of a Service are mapped to; all its ports if none is
/// named.
fn service_traffic(
    service: &Service,
    ports: Option<&[PortAsk]>,
    pod: Option<&Pod>,
) -> Result<TrafficSet, ResolveError> {
    let Some(ports) = ports else {
        return Ok(service.ports.iter().fold(TrafficSet::empty(), |set, sp| {
            set.union(&target_traffic(sp, pod))
        }));
    };
    let mut set = TrafficSet::empty();
    for ask in ports {
        let found: Vec<_> = service
            .ports
            .iter()
            .filter(|sp| is_asked(ask, sp))
            .collect();
        if found.is_empty() {
            let have: Vec<String> = service
                .ports
                .iter()
                .map(|sp| format!("{}/{}", sp.port, sp.protocol))
                .collect();
            return wrong(
                format!("Service {} has no port {ask}", service.name),
                Some(at_nodes(service, ask).unwrap_or(format!("it has {}", have.join(", ")))),
            );
        }
        set = found
            .into_iter()
            .fold(set, |set, sp| set.union(&target_traffic(sp, pod)));
    }
    Ok(set)
}

/// What to ask where a port is the one that nodes take calls on for a Service.
fn at_nodes(service: &Service, ask: &PortAsk) -> Option<String> {
    let PortAsk::Numbers(number, _, protocol) = ask else {
        return None;
    };
    let mut ports = service.ports.iter();
    let found = ports.find(|p| p.node == Some(*number) && p.protocol == *protocol)?;
    let (name, port) = (&service.name, found.port);
    Some(format!(
        "{number} is its nodePort for {port}: ask svc/{name}:{port}"
    ))
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
    }
}
