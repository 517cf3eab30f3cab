//! The pairs of endpoints that a claim is about, in the order in which its first counterexample is
//! searched.
//!
//! Cost: one edge query per pair of classes; where both ends have many pods, see
//! [`crate::check::by_class`].

use crate::check::by_class::ClaimLabels;
use crate::check::judge::{AskedPair, Judge, is_doubtful};
use crate::check::scope::{ScopedEnds, Trouble};
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::Allowed;
use crate::policy::Direction;
use crate::query::End;
use crate::query::ask::service_effect::{self, ViaService};
use crate::query::ask::symbolic;
use crate::set::IpSet;
use crate::set::Ix;
use crate::spec::{Endpoint, FamilySet};
use std::collections::HashMap;

/// The number of atoms of outside addresses up to which they are decided one by one.
const FEW: u64 = 16;

impl Judge<'_> {
    /// The endpoints of an end: two of the pods that no rule can tell apart (where the other end
    /// may be their node, two of each node), and one address of each atom.
    pub(crate) fn endpoints(&self, end: &End, other: &End, direction: Direction) -> Vec<Endpoint> {
        match end {
            End::Pods { pods, .. } => {
                let mut seen: HashMap<(EndpointIx, Option<&str>), usize> = HashMap::new();
                let by_node = self.may_hold_node(end) || self.may_hold_node(other);
                let mut endpoints = Vec::new();
                for endpoint in pods.iter().map(|pod| Endpoint::Pod(*pod)) {
                    let node = self.node(endpoint).filter(|_| by_node);
                    let class = self.graph.space().index_of(endpoint);
                    let count = seen.entry((class, node)).or_default();
                    *count += 1;
                    if *count <= 2 {
                        endpoints.push(endpoint);
                    }
                }
                endpoints
            }
            End::Addresses { set, symbolic, .. } => {
                let set = symbolic::addresses_of(self.graph, (set, *symbolic), other, direction);
                let atoms = &self.graph.space().atoms;
                let overlapping = atoms.overlapping(&set);
                let first = |a| atoms.addresses(a).intersection(&set).first();
                overlapping
                    .points()
                    .filter_map(first)
                    .map(Endpoint::Address)
                    .collect()
            }
        }
    }

    /// Whether an end may contain a node: a pod on its node's network, or an address of a node
    /// (S55).
    fn may_hold_node(&self, end: &End) -> bool {
        let env = self.graph.environment();
        match end {
            End::Pods { pods, .. } => pods.iter().any(|pod| env.cluster.pod(*pod).host_network),
            End::Addresses { set, .. } => {
                !(set.is_disjoint(&env.node_addresses) && set.is_disjoint(&env.options.node_cidrs))
            }
        }
    }

    /// What passes between a pair in the families that its ends are meant in (S65).
    fn allowed_in(
        &mut self,
        families: FamilySet,
        via: Option<ViaService>,
        source: Endpoint,
        destination: Endpoint,
    ) -> Allowed {
        if families == FamilySet::BOTH && via.is_none() {
            return self.allowed(source, destination);
        }
        let graph = self.graph.asking(families);
        service_effect::allowed(&graph, via, source, destination)
    }

    /// Visits every pair of a source and a destination; returns the number of pairs.
    pub(crate) fn each(
        &mut self,
        from: &ScopedEnds,
        to: &ScopedEnds,
        visit: impl FnMut(&mut Self, &AskedPair<'_>),
    ) -> Result<usize, Trouble> {
        self.each_by(from, to, &ClaimLabels::NONE, visit)
    }

    /// [`Self::each`] for a visitor that distinguishes the ends by labels too: if there are many
    /// pairs, those that it does not tell apart are visited once.
    pub(crate) fn each_by(
        &mut self,
        from: &ScopedEnds,
        to: &ScopedEnds,
        labels: &ClaimLabels<'_>,
        mut visit: impl FnMut(&mut Self, &AskedPair<'_>),
    ) -> Result<usize, Trouble> {
        let all_ends = from.resolved.ends.iter().chain(&to.resolved.ends);
        let any_family = all_ends.map(End::families).all(|f| f == FamilySet::BOTH);
        let by_class = any_family
            && to.resolved.service.is_none()
            && pod_count(from).saturating_mul(pod_count(to)) > self.one_by_one;
        let mut count = if by_class {
            self.each_by_class(from, to, labels, &mut visit)?
        } else {
            0
        };
        let is_by_class = |end: &&End| by_class && matches!(end, End::Pods { .. });
        let (pods, others): (Vec<&End>, Vec<&End>) = to.resolved.ends.iter().partition(is_by_class);
        for source_end in &from.resolved.ends {
            let pods = if is_by_class(&source_end) {
                &[]
            } else {
                &pods[..]
            };
            for end in pods.iter().chain(&others).copied() {
                let certain = !(is_doubtful(from, source_end) || is_doubtful(to, end));
                if let Some(asked) = self
                    .many_addresses(source_end, end)
                    .filter(|_| to.resolved.service.is_none())
                {
                    count += self.each_group((source_end, end, &asked), to, certain, &mut visit)?;
                    continue;
                }
                let families = source_end.families().intersection(end.families());
                let by_word = source_end.is_word() || end.is_word();
                let sources = self.endpoints(source_end, end, Direction::Ingress);
                for destination in self.endpoints(end, source_end, Direction::Egress) {
                    let traffic = self.traffic(to, destination)?;
                    for source in &sources {
                        let outside = |e: Endpoint| matches!(e, Endpoint::Address(_));
                        if self.is_itself(*source, destination)
                            || (outside(*source) && outside(destination))
                            || by_word && !symbolic::meets(self.graph, *source, destination)
                            || service_effect::leads_elsewhere(
                                &self.graph.environment().cluster,
                                &to.resolved,
                                *source,
                                destination,
                            )
                        {
                            continue;
                        }
                        let via = service_effect::classify(
                            self.graph,
                            &to.resolved,
                            *source,
                            destination,
                        );
                        let allowed = self.allowed_in(families, via, *source, destination);
                        count += 1;
                        let asked = AskedPair {
                            source: *source,
                            destination,
                            addresses: None,
                            equivalents: None,
                            traffic: traffic.clone(),
                            allowed,
                            via_service: via,
                            certain,
                        };
                        visit(self, &asked);
                    }
                }
            }
        }
        Ok(count)
    }

    /// The outside addresses of a pair of ends, if there are so many that they are decided in
    /// groups.
    fn many_addresses(&self, from: &End, to: &End) -> Option<IpSet> {
        let (set, symbolic, other, direction) = match (from, to) {
            (End::Addresses { set, symbolic, .. }, End::Pods { .. }) => {
                (set, *symbolic, to, Direction::Ingress)
            }
            (End::Pods { .. }, End::Addresses { set, symbolic, .. }) => {
                (set, *symbolic, from, Direction::Egress)
            }
            _ => return None,
        };
        let set = symbolic::addresses_of(self.graph, (set, symbolic), other, direction);
        (self.graph.space().atoms.overlapping(&set).count() > FEW).then_some(set)
    }

    /// [`Self::each`] for pods and many outside addresses: in the same order, each group of
    /// addresses once.
    fn each_group(
        &mut self,
        (from, to_end, set): (&End, &End, &IpSet),
        to: &ScopedEnds,
        certain: bool,
        visit: &mut impl FnMut(&mut Self, &AskedPair<'_>),
    ) -> Result<usize, Trouble> {
        let incoming = matches!(from, End::Addresses { .. });
        let by_word = from.is_word() || to_end.is_word();
        let env = self.graph.environment();
        let meant = |pod: &Endpoint| match env.end_families(*pod).told() {
            Some(told) if by_word => told.addresses(set),
            _ => set.clone(),
        };
        let pods = if incoming {
            self.endpoints(to_end, from, Direction::Egress)
        } else {
            self.endpoints(from, to_end, Direction::Ingress)
        };
        let mut found = Vec::new();
        let mut count = 0;
        for (i, pod) in pods.iter().enumerate() {
            for (group, allowed) in
                self.outside
                    .groups(self.graph.space().index_of(*pod), &meant(pod), incoming)
            {
                count += group.len();
                let order = if incoming {
                    (i, group.first().index())
                } else {
                    (group.first().index(), 0)
                };
                found.push((order, *pod, group, allowed));
            }
        }
        found.sort_by_key(|(order, ..)| *order);
        for (_, pod, group, allowed) in found {
            let Some(address) = group.address(self.graph, group.first()) else {
                continue;
            };
            let (source, destination) = if incoming {
                (address, pod)
            } else {
                (pod, address)
            };
            let traffic = self.traffic(to, destination)?;
            let allowed = allowed.unwrap_or_else(|| self.allowed(source, destination));
            visit(
                self,
                &AskedPair {
                    source,
                    destination,
                    addresses: Some(&group),
                    equivalents: None,
                    traffic,
                    allowed,
                    via_service: None,
                    certain,
                },
            );
        }
        Ok(count)
    }
}

/// The number of pods among some ends.
fn pod_count(ends: &ScopedEnds) -> usize {
    let count = |end: &End| {
        if let End::Pods { pods, .. } = end {
            pods.len()
        } else {
            0
        }
    };
    ends.resolved.ends.iter().map(count).sum()
}
