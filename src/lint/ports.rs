//! What the ports of a rule open: the traffic that a port entry means, on one pod or on any.
//!
//! A port name means what each destination pod declares under it (S44-S49), so that it has traffic
//! only together with a pod. Cost: O(port entries of the rule).

use crate::model::Pod;
use crate::policy::{PortMatch, Ports, Rule};
use crate::set::TrafficSet;

/// The traffic of one port entry on one destination pod (S44-S49).
pub fn port_traffic(port: &PortMatch, destination: &Pod) -> TrafficSet {
    match port {
        PortMatch::Traffic(set) => set.clone(),
        PortMatch::Portless(_) => TrafficSet::empty(),
        PortMatch::Named(name, protocol) => {
            let named = destination
                .named_ports(name)
                .filter(|(p, _)| protocol.is_none_or(|wanted| wanted == *p));
            named.fold(TrafficSet::empty(), |all, (p, n)| {
                all.union(&TrafficSet::ports(p, n, n))
            })
        }
    }
}

/// The traffic of a rule's port numbers: all traffic when the rule does not restrict ports. Port
/// names are left out.
pub fn numeric_traffic(rule: &Rule) -> TrafficSet {
    let Ports::Of(list) = &rule.ports else {
        return TrafficSet::all();
    };
    list.iter()
        .fold(TrafficSet::empty(), |all, port| match port {
            PortMatch::Traffic(set) => all.union(set),
            PortMatch::Named(..) | PortMatch::Portless(_) => all,
        })
}
