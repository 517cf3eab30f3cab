//! Whether `name:port` means the Service of that name or the workload of that name.
//!
//! Applications call the Service, so the Service has the port where the pods do not. Where both
//! have it and the Service leads elsewhere, the question is refused: either reading could be a
//! wrong answer to the other. Cost: O(Services + pods of the workload).

use crate::model::{Cluster, Pod, PodId, Service, ServiceId, Workload, WorkloadId, WorkloadKind};
use crate::query::ask::asked_traffic::{direct, is_asked, target_traffic};
use crate::query::ask::grammar::PortAsk;
use crate::query::ask::resolved::{Note, ResolveError, wrong};
use crate::set::TrafficSet;

/// What a port of `name:port` belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// The pods; so do ports that neither has.
    Pods,
    /// The Service.
    Service,
    /// Both, and it is the same traffic of the same pods.
    Same,
}

/// The Service that is meant by the name of a workload with ports, if it is the Service.
///
/// # Errors
/// When both could be meant, and it makes a difference.
pub(crate) fn meant(
    cluster: &Cluster,
    workload: WorkloadId,
    ports: Option<&[PortAsk]>,
) -> Result<Option<ServiceId>, ResolveError> {
    let (Some(ports), found) = (ports, cluster.workload(workload)) else {
        return Ok(None);
    };
    let mut called = cluster
        .services()
        .filter(|(_, s)| s.name == found.name && s.namespace == found.namespace);
    let Some((id, service)) = called.next() else {
        return Ok(None);
    };
    if service.headless {
        return Ok(None); // it has no ports of its own
    }
    let behind = cluster.service_pods(id);
    let same_pods =
        behind.len() == found.pods.len() && found.pods.iter().all(|p| behind.contains(p));
    let pods: Vec<&Pod> = found.pods.iter().map(|p| cluster.pod(*p)).collect();
    let mut readings = Vec::new();
    for ask in ports {
        match reading(service, &pods, ask, same_pods) {
            Some(reading) => readings.push(reading),
            None => return ambiguous(cluster, workload, service, ask),
        }
    }
    let of = |wanted: Reading| readings.iter().position(|r| *r == wanted);
    match (of(Reading::Service), of(Reading::Pods)) {
        (Some(i), Some(j)) => mixed(cluster, workload, [&ports[i], &ports[j]]),
        (Some(_), None) => Ok(Some(id)),
        (None, _) => Ok(None),
    }
}

/// What one port belongs to; `None` if it is a port of both and not the same.
fn reading(service: &Service, pods: &[&Pod], ask: &PortAsk, same_pods: bool) -> Option<Reading> {
    let mapped: Vec<_> = service.ports.iter().filter(|p| is_asked(ask, p)).collect();
    // a range is more than one port of a Service
    if mapped.is_empty() || matches!(ask, PortAsk::Numbers(first, last, _) if first != last) {
        return Some(Reading::Pods);
    }
    let behind = |pod: &Pod| {
        let each = mapped.iter().map(|port| target_traffic(port, Some(pod)));
        each.fold(TrafficSet::empty(), |all, one| all.union(&one))
    };
    let is_same = |pod: &&Pod| behind(pod) == direct(ask, Some(pod));
    if same_pods && pods.iter().all(is_same) {
        return Some(Reading::Same);
    }
    let own = pods.iter().any(|pod| declares(pod, ask));
    (!own).then_some(Reading::Service)
}

/// Whether a pod declares a port.
fn declares(pod: &Pod, ask: &PortAsk) -> bool {
    pod.ports.iter().any(|port| match ask {
        PortAsk::Numbers(first, last, protocol) => {
            port.protocol == *protocol && (*first..=*last).contains(&port.port)
        }
        PortAsk::Name(name, protocol) => {
            port.name.as_ref() == Some(name) && protocol.is_none_or(|p| p == port.protocol)
        }
        PortAsk::Messages(..) => false,
    })
}

fn ambiguous<T>(
    cluster: &Cluster,
    workload: WorkloadId,
    service: &Service,
    ask: &PortAsk,
) -> Result<T, ResolveError> {
    let found = cluster.workload(workload);
    let namespace = &cluster.namespace(found.namespace).name;
    let (kind, name) = (short(found), &found.name);
    let port = ask.to_string();
    let port = port.strip_suffix("/TCP").unwrap_or(&port);
    wrong(
        format!(
            "{namespace}/{name}:{port} may be the port of Service {namespace}/{} or the port of the pods of \
             {} {namespace}/{name}, and they are not the same",
            service.name,
            found.kind_name(),
        ),
        Some(format!(
            "ask about one: {namespace}/svc/{name}:{port} or {namespace}/{kind}/{name}:{port}"
        )),
    )
}

fn mixed<T>(
    cluster: &Cluster,
    workload: WorkloadId,
    [of_service, of_pods]: [&PortAsk; 2],
) -> Result<T, ResolveError> {
    let found = cluster.workload(workload);
    let (kind, name) = (short(found), &found.name);
    wrong(
        format!(
            "{of_service} is a port of Service {name}, and {of_pods} one of the pods of {} {name}",
            found.kind_name()
        ),
        Some(format!(
            "ask about each alone: svc/{name} and {kind}/{name}"
        )),
    )
}

fn short(workload: &Workload) -> &str {
    let row = WorkloadKind::TABLE
        .iter()
        .find(|row| row.0 == workload.kind);
    let word = row.and_then(|row| row.2.last()).copied();
    word.unwrap_or_else(|| workload.kind_name())
}

/// The port of a Service in front of some pods that was probably meant, where they are asked on a
/// port that they do not have: one that the Service maps, or its port at the nodes.
pub(crate) fn probably(cluster: &Cluster, pods: &[PodId], ports: &[PortAsk]) -> Option<Note> {
    let [PortAsk::Numbers(port, last, protocol)] = ports else {
        return None;
    };
    let pods: Vec<(PodId, &Pod)> = pods.iter().map(|id| (*id, cluster.pod(*id))).collect();
    if port != last || pods.iter().any(|(_, pod)| declares(pod, &ports[0])) {
        return None;
    }
    let mapping = cluster.services().filter(|(_, s)| !s.headless);
    let mut in_front = mapping.filter(|(id, _)| {
        let behind = cluster.service_pods(*id);
        pods.iter().any(|(pod, _)| behind.contains(pod))
    });
    in_front.find_map(|(id, service)| {
        let mut mapped = service.ports.iter().filter(|p| p.protocol == *protocol);
        let found = mapped.find(|p| p.port == *port || p.node == Some(*port))?;
        let leads_elsewhere = |(_, pod): &(PodId, &Pod)| {
            target_traffic(found, Some(pod)) != direct(&ports[0], Some(pod))
        };
        pods.iter()
            .any(leads_elsewhere)
            .then_some(Note::PortOfService(id, *port, found.port))
    })
}

/// The Service whose port at the nodes is asked about, where nodes are.
pub(crate) fn at_nodes(cluster: &Cluster, ports: Option<&[PortAsk]>) -> Option<Note> {
    let [PortAsk::Numbers(port, last, protocol)] = ports? else {
        return None;
    };
    cluster
        .services()
        .filter(|_| port == last)
        .find_map(|(id, service)| {
            let mut taken = service.ports.iter().filter(|p| p.protocol == *protocol);
            let found = taken.find(|p| p.node == Some(*port))?;
            Some(Note::PortOfService(id, *port, found.port))
        })
}
