//! Services by name, and the endpoints behind a port of one, as proxies and nodes find them.
//!
//! A proxy calls what the `EndpointSlice`s list, so through a door a headless Service is translated
//! too (DO22). Cost: one pass over the pods when the index is made; then, for each Service, its
//! distinct label sets.

use crate::model::{
    Cluster, LabelsId, NamespaceId, Pod, PodId, Selector, Service, ServiceId, ServicePort,
    TargetPort, Truth,
};
use crate::set::Family;
use crate::set::hashed::HashMap;
use std::net::IpAddr;

/// What takes the connections behind a port of a Service, with the port that it takes them on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// These pods and outside addresses.
    Endpoints(Vec<PodBehind>, Vec<(IpAddr, u16)>),
    /// Nothing.
    Nothing,
    /// It is not told.
    Untold,
}

/// A pod that takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodBehind {
    /// Which.
    pub pod: PodId,
    /// The port that it takes them on.
    pub port: u16,
    /// Whether it surely does: some labels are known only in part.
    pub is_sure: bool,
}

/// The Services and pods of a cluster, by what doors look up.
pub struct ServiceIndex<'c> {
    /// The cluster.
    pub cluster: &'c Cluster,
    named: HashMap<(NamespaceId, &'c str), ServiceId>,
    labelled: HashMap<NamespaceId, HashMap<LabelsId, Vec<PodId>>>,
    at_address: HashMap<IpAddr, PodId>,
}

impl<'c> ServiceIndex<'c> {
    /// Indexes a cluster.
    pub fn new(cluster: &'c Cluster) -> Self {
        let mut labelled: HashMap<NamespaceId, HashMap<LabelsId, Vec<PodId>>> = HashMap::default();
        let mut at_address = HashMap::default();
        for (id, pod) in cluster.pods() {
            let of_namespace = labelled.entry(pod.namespace).or_default();
            of_namespace.entry(pod.labels).or_default().push(id);
            if !pod.host_network {
                at_address.extend(pod.addresses.iter().map(|address| (*address, id)));
            }
        }
        let named = cluster
            .services()
            .map(|(id, s)| ((s.namespace, &*s.name), id));
        Self {
            cluster,
            named: named.collect(),
            labelled,
            at_address,
        }
    }

    /// The Service of a name.
    pub fn find(&self, namespace: NamespaceId, name: &str) -> Option<ServiceId> {
        self.named.get(&(namespace, name)).copied()
    }

    /// The Service that `name.namespace.svc...` is the name of.
    pub fn of_dns_name(&self, name: &str) -> Option<ServiceId> {
        let mut parts = name.trim_end_matches('.').split('.');
        let (service, namespace, svc) = (parts.next()?, parts.next()?, parts.next()?);
        if svc != "svc" {
            return None;
        }
        self.find(self.cluster.find_namespace(namespace)?, service)
    }

    /// The pods of a namespace that a selector selects or may select.
    fn selected(&self, namespace: NamespaceId, selector: &Selector) -> Vec<(PodId, Truth)> {
        let sets = self.labelled.get(&namespace).into_iter().flatten();
        let found = sets.flat_map(|(labels, pods)| {
            let selected = selector.selects(self.cluster.labels(*labels));
            let pods = pods.iter().filter(move |_| selected.possible());
            pods.map(move |pod| (*pod, selected))
        });
        let mut pods: Vec<_> = found.collect();
        pods.sort_unstable_by_key(|(pod, _)| *pod);
        pods
    }

    /// The pods behind the Service of a name, if there is one with pods behind it; else all of the
    /// namespace.
    pub fn perhaps_behind(&self, namespace: NamespaceId, name: &str) -> Vec<PodId> {
        let everybody = Selector::everything();
        let found = self.find(namespace, name);
        let selector = found.and_then(|id| self.cluster.service(id).selector.as_ref());
        let pods = |selector: &Selector| {
            let selected = self.selected(namespace, selector).into_iter();
            selected.map(|(pod, _)| pod).collect::<Vec<_>>()
        };
        match selector.map(pods) {
            Some(behind) if !behind.is_empty() => behind,
            _ => pods(&everybody),
        }
    }

    /// What takes the connections to a port of a Service; of its pods only those that are or may
    /// be `wanted`.
    pub fn behind(
        &self,
        service: &Service,
        port: &ServicePort,
        wanted: &impl Fn(PodId) -> Truth,
    ) -> Behind {
        let behind = |pod: PodId, port: u16, selected: Truth| {
            let truth = selected.and(wanted(pod));
            let is_sure = truth == Truth::Yes;
            truth.possible().then_some(PodBehind { pod, port, is_sure })
        };
        let (pods, addresses): (Vec<PodBehind>, _) = if let Some(selector) = &service.selector {
            let selected = self.selected(service.namespace, selector).into_iter();
            let at_port = |(id, selected): (PodId, Truth)| {
                let pod = self.cluster.pod(id);
                let port = target(pod, port).filter(|_| is_endpoint(service, pod))?;
                behind(id, port, selected)
            };
            (selected.filter_map(at_port).collect(), Vec::new())
        } else {
            let (namespace, name) = (service.namespace, &service.name);
            let Some(listed) = self.cluster.listed_endpoints(namespace, name) else {
                return Behind::Untold;
            };
            let (pods, addresses) = self.listed(listed.iter().filter(|at| at.is_behind(port)));
            let pods = pods.into_iter();
            let pods = pods.filter_map(|(pod, port)| behind(pod, port, Truth::Yes));
            (pods.collect(), addresses)
        };
        if pods.is_empty() && addresses.is_empty() {
            return Behind::Nothing;
        }
        Behind::Endpoints(pods, addresses)
    }

    /// Listed endpoints: those that are pods, and the others (DO25).
    fn listed<'l>(
        &self,
        listed: impl Iterator<Item = &'l crate::model::ServiceEndpoint>,
    ) -> (Vec<(PodId, u16)>, Vec<(IpAddr, u16)>) {
        let (mut pods, mut addresses) = (Vec::new(), Vec::new());
        for at in listed {
            match self.at_address.get(&at.address) {
                Some(pod) => pods.push((*pod, at.port)),
                None => addresses.push((at.address, at.port)),
            }
        }
        (pods, addresses)
    }
}

/// Whether a pod that a Service selects is behind it (DO5, DO6, DO30).
fn is_endpoint(service: &Service, pod: &Pod) -> bool {
    let mut families = pod.addresses.iter().map(|a| Family::of(*a));
    (pod.ready || service.publishes_not_ready)
        && (service.families.is_empty()
            || pod.addresses.is_empty()
            || families.any(|family| service.families.contains(&family)))
}

/// The port of a pod behind a port of a Service; `None` where the pod lacks the name (DO3).
fn target(pod: &Pod, port: &ServicePort) -> Option<u16> {
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let mut named = pod.named_ports(name);
            let (_, number) = named.find(|(protocol, _)| *protocol == port.protocol)?;
            Some(number)
        }
    }
}
