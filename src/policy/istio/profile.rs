//! By what the proxy of a pod goes: all that decides what Istio's policies mean to a destination,
//! besides whom they select.

use crate::model::Truth;
use crate::policy::istio::settings::Dataplane;
use crate::policy::proxies::PortNames;
use crate::set::TrafficSet;

/// What the proxy of a pod goes by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IstioProfile {
    /// How the mesh gets at the pod's traffic.
    pub dataplane: Dataplane,
    /// Whether a waypoint stands before it (IS62).
    pub waypoint: Truth,
    /// The ports that are known to have no requests that the proxy reads.
    pub plain: TrafficSet,
    /// The ports that connections reach past the proxy (IS5).
    pub bypassed: TrafficSet,
    /// Where connections carry no identity, surely and perhaps (IS30).
    pub anonymous: [TrafficSet; 2],
    /// Which objects ask for an identity, on which ports, and whether surely (IS45).
    pub strict: Vec<StrictPorts>,
    /// What the pod's port names stand for, where the mesh tells ports apart by them.
    pub names: PortNames,
    /// Of each condition on the destination's address that policies have, whether it holds.
    pub addresses: Vec<Truth>,
}

/// Where one `PeerAuthentication` asks for an identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StrictPorts {
    /// Its number among the objects.
    pub object: usize,
    /// The ports.
    pub ports: TrafficSet,
    /// Whether it surely is the one that counts.
    pub certain: bool,
    /// Whether its mode for single ports says so.
    pub of_ports: bool,
}
