//! Services: names that people paste from logs; each maps a port to a port of its pods (S59).

use crate::model::ids::NamespaceId;
use crate::model::labels::Selector;
use crate::set::{Family, Protocol};
use crate::source::Origin;
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
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// Which pods it selects; `None` for a service without selector (its endpoints are not in
    /// the input).
    pub selector: Option<Selector>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Its cluster addresses, where known.
    pub addresses: Box<[IpAddr]>,
    /// Its address families, where `spec.ipFamilies` tells them (S65).
    pub families: Box<[Family]>,
    /// Whether it takes calls at the nodes, which may put their own address in the caller's place:
    /// of type `NodePort` or `LoadBalancer`, or with external addresses, and without
    /// `externalTrafficPolicy: Local` (S41, S63).
    pub takes_calls_at_nodes: bool,
    /// The external name, when it is of type `ExternalName`.
    pub external_name: Option<Box<str>>,
    /// Where it was declared.
    pub origin: Origin,
}
