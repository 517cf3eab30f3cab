//! Pods: the endpoints that policies govern.

use crate::model::ids::{LabelsId, NamespaceId, WorkloadId};
use crate::set::{Protocol, TrafficSet};
use crate::source::Origin;
use std::net::IpAddr;
use std::sync::Arc;

/// A port a container declares. Informational for numbers (S51), decisive for names (S48).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerPort {
    /// The name, if it has one.
    pub name: Option<Box<str>>,
    /// The protocol; TCP where the manifest names none.
    pub protocol: Protocol,
    /// The number.
    pub port: u16,
}

impl ContainerPort {
    /// The traffic that it takes.
    pub fn traffic(&self) -> TrafficSet {
        TrafficSet::ports(self.protocol, self.port, self.port)
    }
}

/// A port of the node that is forwarded to a container (DO50).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The port of the node.
    pub port: u16,
    /// The address of the node that it is bound to; `None` is every one.
    pub address: Option<IpAddr>,
    /// The port of the container.
    pub container: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// The name that the DNS gives a pod behind a headless Service: `hostname.subdomain.namespace.svc`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PodDnsName {
    /// Its own part.
    pub hostname: Box<str>,
    /// The name of the Service.
    pub subdomain: Box<str>,
}

/// A pod, or a template standing for replicas that no policy can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// The pod's own name; for a template the workload's name.
    pub name: Box<str>,
    /// The namespace it lives in.
    pub namespace: NamespaceId,
    /// The workload it belongs to (a bare pod is its own workload).
    pub workload: WorkloadId,
    /// Its labels.
    pub labels: LabelsId,
    /// Declared container ports, including sidecar init containers', sorted and deduplicated.
    pub ports: Arc<[ContainerPort]>,
    /// The ports of its node that lead to it; of a pod on its node's network none, because it
    /// listens there itself.
    pub host_ports: Box<[HostPort]>,
    /// Whether it shares its node's network (S56).
    pub host_network: bool,
    /// What few pods have.
    pub rare: Option<Box<RareParts>>,
    /// The node it runs on, where known.
    pub node: Option<Arc<str>>,
    /// Its addresses from status; empty where not known (S58).
    pub addresses: Box<[IpAddr]>,
    /// Whether its addresses are those of a network of its own, and not the cluster's.
    pub own_network: bool,
    /// Whether it is ready to be called, as its status says; one without status counts as ready.
    pub ready: bool,
    /// The name that the DNS gives it behind a headless Service, if it has one.
    pub dns_name: Option<Box<PodDnsName>>,
    /// How many running pods it represents; 0 where the manifest leaves the number to the cluster
    /// (a `DaemonSet`).
    pub replicas: u32,
    /// Where it was declared.
    pub origin: Origin,
}

/// What few pods have: memory is what the others do without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RareParts {
    /// The service account it runs as, where it names one that is not `default`.
    pub account: Option<Arc<str>>,
    /// The ports with names of its init containers that are no sidecars.
    pub init_ports: Arc<[ContainerPort]>,
}

impl RareParts {
    /// The parts of a pod, if it has any of them.
    pub fn of(account: Option<Arc<str>>, init_ports: Arc<[ContainerPort]>) -> Option<Box<Self>> {
        let account = account.filter(|name| **name != *"default");
        let has_some = account.is_some() || !init_ports.is_empty();
        has_some.then(|| {
            Box::new(Self {
                account,
                init_ports,
            })
        })
    }
}

impl Pod {
    /// The service account it runs as, where it names one that is not `default`.
    pub fn account(&self) -> Option<&Arc<str>> {
        self.rare.as_ref()?.account.as_ref()
    }

    /// The ports with names of its init containers that are no sidecars.
    pub fn init_ports(&self) -> &[ContainerPort] {
        self.rare.as_ref().map_or(&[], |rare| &rare.init_ports)
    }

    /// Whether it represents exactly one running pod, so that "reaches itself" means one pod (S53).
    pub fn is_single(&self) -> bool {
        self.replicas == 1
    }

    /// The numbers and protocols behind a port name; more than one when containers share the name
    /// (S48).
    pub fn named_ports<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (Protocol, u16)> + 'a {
        self.ports
            .iter()
            .filter(move |p| p.name.as_deref() == Some(name))
            .map(|p| (p.protocol, p.port))
    }
}
