//! Services: names that people paste from logs; each maps a port to a port of its pods (S59).

use crate::model::ids::NamespaceId;
use crate::model::labels::{Labels, Selector};
use crate::set::{Family, Protocol};
use crate::source::Origin;
use ipnet::IpNet;
use std::net::IpAddr;

/// Where a service port leads on the pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TargetPort {
    /// A number.
    Number(u16),
    /// A name each pod resolves for itself.
    Name(Box<str>),
}

/// One port of a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServicePort {
    /// The name, if given.
    pub name: Option<Box<str>>,
    /// The protocol.
    pub protocol: Protocol,
    /// The port clients dial.
    pub port: u16,
    /// The port on the pod; the same number where the manifest names none.
    pub target: TargetPort,
    /// The port that every node takes calls on, where the manifest names one.
    pub node: Option<u16>,
    /// The protocol of what is sent, where the manifest says it.
    pub app_protocol: Option<Box<str>>,
}

/// Which kind of object lists an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndpointSource {
    /// An `EndpointSlice`; where a Service has any, nothing else counts.
    Slice,
    /// An `Endpoints` object, as they were before slices.
    Endpoints,
}

/// An address and port that an object lists for a Service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceEndpoint {
    /// The address.
    pub address: IpAddr,
    /// The name of the port of the Service that it is for; empty for the one without a name.
    pub name: Box<str>,
    /// The protocol.
    pub protocol: Protocol,
    /// The port that takes the connections.
    pub port: u16,
}

impl ServiceEndpoint {
    /// Whether a port of its Service leads to it: the names are the same, and the protocol.
    pub fn is_behind(&self, port: &ServicePort) -> bool {
        *self.name == *port.name.as_deref().unwrap_or_default() && self.protocol == port.protocol
    }
}

/// What a Service has outside the cluster (DO40 to DO48).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutsideService {
    /// Whether nodes take calls for every port: of type `NodePort`, or `LoadBalancer` unless it
    /// goes without; then nodes do for the ports that are written (DO40, DO44).
    pub at_nodes: bool,
    /// Whether it has a load balancer: of type `LoadBalancer`.
    pub balanced: bool,
    /// The addresses that its status gives the load balancer; none while it is pending.
    pub balancer: Box<[BalancerAddress]>,
    /// `spec.loadBalancerClass` (DO45).
    pub balancer_class: Option<Box<str>>,
    /// `spec.loadBalancerSourceRanges` (DO46).
    pub source_ranges: Box<[IpNet]>,
    /// `spec.externalIPs` (DO47).
    pub external_addresses: Box<[IpAddr]>,
    /// Whether `externalTrafficPolicy` is `Local`: the caller's address is kept (DO41).
    pub keeps_caller: bool,
    /// Whether an annotation asks for a load balancer of a private network; `None` where none says
    /// anything (DO48).
    pub internal: Option<bool>,
    /// Whether an annotation asks for Google's load balancers to dial the pods (DO92).
    pub network_endpoint_group: bool,
    /// Whether AWS's own controller makes the load balancer, which is internal unless it is told
    /// otherwise (DO48).
    pub by_aws_controller: bool,
    /// What the load balancer calls.
    pub targets: BalancerTargets,
}

/// What a load balancer calls, and what of the caller is left there (DO91).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BalancerTargets {
    /// Nodes, on the ports that the Service has there.
    #[default]
    Nodes,
    /// The pods, from an address of its own.
    Pods,
    /// The pods, with the caller's address.
    PodsAsCaller,
}

/// An address of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BalancerAddress {
    /// An address.
    Ip(IpAddr),
    /// A name that outsiders look up.
    Name(Box<str>),
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// Its own labels.
    pub labels: Labels,
    /// Which pods it selects; `None` for a service without selector, whose endpoints are listed by
    /// other objects ([`crate::model::Cluster::listed_endpoints`]), and for an external name.
    pub selector: Option<Selector>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Its cluster addresses, where known.
    pub addresses: Box<[IpAddr]>,
    /// The addresses that callers outside the cluster dial: those of its load balancer, and its
    /// external addresses.
    pub outside_addresses: Box<[IpAddr]>,
    /// Whether it is headless: its name stands for the addresses of its pods, so that clients dial
    /// a pod on the port that they name, and no port is translated (S59).
    pub headless: bool,
    /// Whether pods that are not ready are behind it too.
    pub publishes_not_ready: bool,
    /// Whether its cluster address leads to pods on the caller's own node alone.
    pub only_own_node: bool,
    /// Its address families, where `spec.ipFamilies` tells them (S65).
    pub families: Box<[Family]>,
    /// Whether it takes calls at the nodes, which may put their own address in the caller's place:
    /// of type `NodePort` or `LoadBalancer`, or with external addresses, and without
    /// `externalTrafficPolicy: Local` (S41, S63).
    pub takes_calls_at_nodes: bool,
    /// What it has outside the cluster, if it has anything there.
    pub outside: Option<Box<OutsideService>>,
    /// The external name, when it is of type `ExternalName`.
    pub external_name: Option<Box<str>>,
    /// Where it was declared.
    pub origin: Origin,
}
