//! [`TrafficCut`]: the traffic line, cut by the ports of the rules that meet at a destination.
//!
//! Within a part no rule tells two kinds of traffic apart, so each part is decided once. Cost:
//! O(rules that meet x log) for the cut.

use crate::compile::compiled_policy::EgressRuleIx;
use crate::compile::effective_policy::{EffectivePolicy, UnorderedRule};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::port_sets::PortSetIx;
use crate::graph::allow_graph::AllowGraph;
use crate::policy::Direction;
use crate::set::{Members, TrafficSet};

/// The traffic line, cut by the ports of the rules that meet at a destination.
pub(super) struct TrafficCut {
    pub ports: Vec<PortSetIx>,
    pub parts: Vec<(TrafficSet, Members)>,
    /// The groups seen and the ingress rules, by the index of their ports.
    pub groups: Vec<Vec<EgressRuleIx>>,
    pub rules: Vec<Vec<UnorderedRule>>,
}

impl TrafficCut {
    /// Cuts the line at a destination, for these egress groups that see it.
    pub fn new(
        graph: &AllowGraph,
        destination: EndpointIx,
        effective: &EffectivePolicy,
        seen: &[EgressRuleIx],
    ) -> Self {
        let (compiled, egress_index) = (&graph.compiled, graph.egress_index());
        let ingress = effective
            .rules(&compiled.policies, Direction::Ingress)
            .map(|(_, ports)| ports);
        let egress = seen
            .iter()
            .map(|g| egress_index.rules[*g].ports)
            .chain(egress_index.ordered_ports(compiled));
        let mut ports: Vec<PortSetIx> = ingress.chain(egress).collect();
        ports.sort_unstable();
        ports.dedup();
        // a host-network pod shows its port names only where it behaves as a pod, so its ports are
        // cut both ways
        let ways = if graph.space.hosts.contains(destination) {
            &[false, true][..]
        } else {
            &[false]
        };
        let sets: Vec<_> = ways
            .iter()
            .flat_map(|hidden| {
                ports
                    .iter()
                    .map(|p| graph.ports_at(*p, destination, *hidden))
            })
            .collect();
        let family: Vec<&TrafficSet> = sets.iter().map(AsRef::as_ref).collect();
        let parts = TrafficSet::partition(&family);
        let (mut groups, mut rules) =
            (vec![Vec::new(); ports.len()], vec![Vec::new(); ports.len()]);
        let at = |id: PortSetIx| ports.binary_search(&id).ok();
        for group in seen {
            at(egress_index.rules[*group].ports)
                .into_iter()
                .for_each(|i| groups[i].push(*group));
        }
        let additive = effective.additive().flatten();
        for rule in additive.map_or(&[][..], |tier| &tier.allows) {
            at(rule.ports)
                .into_iter()
                .for_each(|i| rules[i].push(*rule));
        }
        Self {
            ports,
            parts,
            groups,
            rules,
        }
    }

    /// Of the lists by ports, what covers a part of the traffic.
    pub fn covering<T: Copy>(&self, lists: &[Vec<T>], members: &Members, hidden: bool) -> Vec<T> {
        let many = self.ports.len();
        let at = members
            .iter()
            .filter_map(|i| if hidden { i.checked_sub(many) } else { Some(i) });
        at.filter(|i| *i < many)
            .flat_map(|i| &lists[i])
            .copied()
            .collect()
    }

    /// Whether a rule's ports cover a part of the traffic.
    pub fn covers(&self, members: &Members, ports: PortSetIx, hidden: bool) -> bool {
        let Ok(at) = self.ports.binary_search(&ports) else {
            return false;
        };
        members.contains(if hidden { at + self.ports.len() } else { at })
    }
}
