//! By what the proxy of a pod goes: all that decides what Istio's policies mean to a destination,
//! besides whom they select.

use crate::model::Truth;
use crate::policy::istio::labels::{IDENTITY, IN_TUNNELS, UNLESS_PLAIN, UNLESS_RULED};
use crate::policy::istio::operations::tcp;
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
    /// Where sidecars send no identity, surely and perhaps, because of the mode (IS30).
    pub disabled: [TrafficSet; 2],
    /// Where every sidecar, and where some, may send none because of a `DestinationRule`.
    pub ruled: [TrafficSet; 2],
    /// Which objects ask for an identity, on which ports, and whether surely (IS45).
    pub strict: Vec<StrictPorts>,
    /// What the pod's port names stand for, where the mesh tells ports apart by them.
    pub names: PortNames,
    /// Of each condition on the destination's address that policies have, whether it holds.
    pub addresses: Vec<Truth>,
}

/// A label that callers carry who show their identities, and the ports of a pod where it counts.
pub type ShownIdentity = (&'static str, TrafficSet);

impl IstioProfile {
    /// How callers show their identities, on which ports of the proxy (IS30).
    pub fn identities(&self) -> Vec<ShownIdentity> {
        let [surely, perhaps] = &self.disabled;
        self.shown(surely, perhaps)
    }

    /// The same where the mode surely asks for identities (IS45).
    pub fn identities_in_strict_mode(&self) -> Vec<ShownIdentity> {
        self.shown(&TrafficSet::empty(), &TrafficSet::empty())
    }

    fn shown(&self, plain: &TrafficSet, perhaps: &TrafficSet) -> Vec<ShownIdentity> {
        let [everyone, some] = &self.ruled;
        let each = [
            (IN_TUNNELS, plain.clone()),
            (UNLESS_PLAIN, perhaps.union(everyone)),
            (UNLESS_RULED, some.clone()),
            (IDENTITY, tcp()),
        ];
        let mut rest = tcp().difference(&self.bypassed);
        let mut shown = Vec::new();
        for (label, ports) in each {
            let ports = ports.intersection(&rest);
            rest = rest.difference(&ports);
            if !ports.is_empty() {
                shown.push((label, ports));
            }
        }
        shown
    }
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
