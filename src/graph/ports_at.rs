//! What the ports of a rule are at a destination: its numbers, and its names as that pod's
//! containers resolve them. Cost: O(names of the rule x port names of the class).

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::PeerSetIx;
use crate::compile::port_sets::{PortSet, PortSetIx};
use crate::compile::vocabulary::PortNameIx;
use crate::graph::allow_graph::AllowGraph;
use crate::policy::Direction;
use crate::policy::tier::HostPods;
use crate::set::{Protocol, TrafficSet};
use std::borrow::Cow;

impl AllowGraph {
    /// The peers and the ports of every rule of an effective policy.
    pub(crate) fn rules_of<'a>(
        &'a self,
        effective: &'a EffectivePolicy,
        direction: Direction,
    ) -> impl Iterator<Item = (PeerSetIx, PortSetIx)> + 'a {
        effective.rules(&self.compiled.policies, direction)
    }

    /// The traffic of a rule's ports at a destination: its numbers, and its names as that pod
    /// resolves them, unless it is hidden behind its node (S48).
    pub(crate) fn ports_at(
        &self,
        ports: PortSetIx,
        destination: EndpointIx,
        hidden: bool,
    ) -> Cow<'_, TrafficSet> {
        let set: &PortSet = &self.compiled.ports[ports];
        if !self.names_count(set, destination, hidden) {
            return Cow::Borrowed(&set.traffic);
        }
        let mut traffic = set.traffic.clone();
        for (protocol, port) in self.named_ports(set, destination) {
            traffic = traffic.union(&TrafficSet::ports(protocol, port, port));
        }
        Cow::Owned(traffic)
    }

    /// Whether a rule's port names are looked up at a destination.
    pub(crate) fn names_count(&self, set: &PortSet, destination: EndpointIx, hidden: bool) -> bool {
        !set.named.is_empty()
            && self.space.is_class(destination)
            && !hidden
            && (set.host_pods == HostPods::Undefined || !self.space.is_host(destination))
    }

    /// What the port names of a rule stand for at a class.
    pub(crate) fn named_ports(
        &self,
        set: &PortSet,
        class: EndpointIx,
    ) -> impl Iterator<Item = (Protocol, u16)> {
        let table = &self.space.classes.ports[self.space.classes.list[class].ports];
        let meant = |(name, protocol, port): &(PortNameIx, Protocol, u16)| {
            let means = |(n, wanted): &(PortNameIx, Option<Protocol>)| {
                n == name && wanted.is_none_or(|w| w == *protocol)
            };
            set.named.iter().any(means).then_some((*protocol, *port))
        };
        table.iter().filter_map(meant)
    }
}
