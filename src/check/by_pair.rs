//! The pairs of endpoints that a claim is about, in the order in which its first counterexample is
//! looked for.

use crate::check::by_class::Labels;
use crate::check::flows::{Asked, Judge, is_doubtful};
use crate::check::scope::{Ends, Trouble};
use crate::model::PodId;
use crate::query::End;
use crate::query::ask::service_effect;
use crate::set::{Family, IpSet};
use crate::spec::Endpoint;
use std::collections::HashMap;

/// How many outside addresses are asked one by one.
const FEW: u64 = 16;

impl Judge<'_> {
    /// The endpoints of an end: of pods that no rule can tell apart two (where the other may be
    /// their node, two of each node), of addresses one of each block.
    pub(crate) fn endpoints(&self, end: &End, other: &End) -> Vec<Endpoint> {
        match end {
            End::Pods { pods, .. } => {
                let mut seen: HashMap<(u32, Option<&str>), usize> = HashMap::new();
                let place = |p: &PodId| self.graph.space().index_of(Endpoint::Pod(*p));
                let apart = self.may_be_node(end) || self.may_be_node(other);
                let mut fresh = |p: &PodId| {
                    let node = if apart {
                        self.node(Endpoint::Pod(*p))
                    } else {
                        None
                    };
                    let count = seen.entry((place(p), node)).or_default();
                    *count += 1;
                    *count <= 2
                };
                pods.iter()
                    .filter(|p| fresh(p))
                    .map(|p| Endpoint::Pod(*p))
                    .collect()
            }
            End::Addresses { set, symbolic, .. } => {
                let set = self.meant(set, *symbolic, other);
                let atoms = &self.graph.space().atoms;
                let covers = atoms.overlapping(&set);
                let first = |a| atoms.addresses(a).intersection(&set).first();
                covers
                    .points()
                    .filter_map(first)
                    .map(Endpoint::Address)
                    .collect()
            }
        }
    }

    /// Whether any of an end may be a node: a pod on its network, or one of its addresses (S55).
    fn may_be_node(&self, end: &End) -> bool {
        let env = self.graph.environment();
        match end {
            End::Pods { pods, .. } => pods.iter().any(|pod| env.cluster.pod(*pod).host_network),
            End::Addresses { set, .. } => {
                !(set.is_disjoint(&env.node_addresses) && set.is_disjoint(&env.options.node_cidrs))
            }
        }
    }

    /// The addresses that are meant: of a symbolic block the families that the other end has.
    fn meant(&self, set: &IpSet, symbolic: bool, other: &End) -> IpSet {
        let (true, End::Pods { pods, .. }) = (symbolic, other) else {
            return set.clone();
        };
        let env = self.graph.environment();
        let has = |f: &Family| pods.iter().any(|p| env.has_family(env.cluster.pod(*p), *f));
        let kept = Family::ALL
            .into_iter()
            .filter(has)
            .fold(IpSet::empty(), |all, f| all.union(&set.only(f)));
        if kept.is_empty() { set.clone() } else { kept }
    }

    /// Every pair of a source and a destination, with what is asked and what passes.
    pub(crate) fn each(
        &mut self,
        from: &Ends,
        to: &Ends,
        visit: impl FnMut(&mut Self, &Asked<'_>),
    ) -> Result<usize, Trouble> {
        self.each_by(from, to, &Labels::NONE, visit)
    }

    /// [`Self::each`], where the visitor looks at the ends too, in this way: pairs of which it sees
    /// the same are told once, where there are many.
    pub(crate) fn each_by(
        &mut self,
        from: &Ends,
        to: &Ends,
        labels: &Labels<'_>,
        mut visit: impl FnMut(&mut Self, &Asked<'_>),
    ) -> Result<usize, Trouble> {
        let pods = |ends: &Ends| {
            let many = |end: &End| {
                if let End::Pods { pods, .. } = end {
                    pods.len()
                } else {
                    0
                }
            };
            ends.resolved.ends.iter().map(many).sum::<usize>()
        };
        let crowd =
            to.resolved.service.is_none() && pods(from).saturating_mul(pods(to)) > self.one_by_one;
        let mut count = if crowd {
            self.each_of_crowd(from, to, labels, &mut visit)?
        } else {
            0
        };
        let is_crowd = |end: &&End| crowd && matches!(end, End::Pods { .. });
        let (crowded, others): (Vec<&End>, Vec<&End>) = to.resolved.ends.iter().partition(is_crowd);
        for source_end in &from.resolved.ends {
            let told = if is_crowd(&source_end) {
                &[]
            } else {
                &crowded[..]
            };
            for end in told.iter().chain(&others).copied() {
                let certain = !(is_doubtful(from, source_end) || is_doubtful(to, end));
                if let Some(asked) = self
                    .many_addresses(source_end, end)
                    .filter(|_| to.resolved.service.is_none())
                {
                    count += self.each_alike((source_end, end, &asked), to, certain, &mut visit)?;
                    continue;
                }
                let sources = self.endpoints(source_end, end);
                for destination in self.endpoints(end, source_end) {
                    let traffic = self.traffic(to, destination)?;
                    for source in &sources {
                        let outside = |e: Endpoint| matches!(e, Endpoint::Address(_));
                        if self.is_itself(*source, destination)
                            || (outside(*source) && outside(destination))
                        {
                            continue;
                        }
                        let led = service_effect::classify(
                            self.graph,
                            to.resolved.service,
                            *source,
                            destination,
                        );
                        let allowed = match led {
                            None => self.allowed(*source, destination),
                            led => service_effect::allowed(self.graph, led, *source, destination),
                        };
                        count += 1;
                        let asked = Asked {
                            source: *source,
                            destination,
                            alike: None,
                            kin: None,
                            traffic: traffic.clone(),
                            allowed,
                            led,
                            certain,
                        };
                        visit(self, &asked);
                    }
                }
            }
        }
        Ok(count)
    }

    /// The outside addresses of a pair of ends, where they are so many that they are asked by what
    /// they have in common.
    fn many_addresses(&self, from: &End, to: &End) -> Option<IpSet> {
        let (set, symbolic, other) = match (from, to) {
            (End::Addresses { set, symbolic, .. }, End::Pods { .. }) => (set, *symbolic, to),
            (End::Pods { .. }, End::Addresses { set, symbolic, .. }) => (set, *symbolic, from),
            _ => return None,
        };
        let set = self.meant(set, symbolic, other);
        (self.graph.space().atoms.overlapping(&set).count() > FEW).then_some(set)
    }

    /// [`Self::each`] for pods and many outside addresses: in the same order, those that are alike
    /// once.
    fn each_alike(
        &mut self,
        (from, to_end, set): (&End, &End, &IpSet),
        to: &Ends,
        certain: bool,
        visit: &mut impl FnMut(&mut Self, &Asked<'_>),
    ) -> Result<usize, Trouble> {
        let incoming = matches!(from, End::Addresses { .. });
        let pods = if incoming {
            self.endpoints(to_end, from)
        } else {
            self.endpoints(from, to_end)
        };
        let mut found = Vec::new();
        let mut count = 0;
        for (i, pod) in pods.iter().enumerate() {
            for (alike, allowed) in
                self.outside
                    .groups(self.graph.space().index_of(*pod), set, incoming)
            {
                count += alike.len();
                let order = if incoming {
                    (i, alike.first())
                } else {
                    (alike.first() as usize, 0)
                };
                found.push((order, *pod, alike, allowed));
            }
        }
        found.sort_by_key(|(order, ..)| *order);
        for (_, pod, alike, allowed) in found {
            let Some(address) = alike.address(self.graph, alike.first()) else {
                continue;
            };
            let (source, destination) = if incoming {
                (address, pod)
            } else {
                (pod, address)
            };
            let traffic = self.traffic(to, destination)?;
            let allowed = allowed.unwrap_or_else(|| self.allowed(source, destination));
            let alike = Some(&alike);
            visit(
                self,
                &Asked {
                    source,
                    destination,
                    alike,
                    kin: None,
                    traffic,
                    allowed,
                    led: None,
                    certain,
                },
            );
        }
        Ok(count)
    }
}
