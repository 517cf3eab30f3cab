//! Claims about many pods at both ends: rows instead of pairs.
//!
//! Sources that a claim does not tell apart ([`ClaimLabels`]) form one set. Destinations that it
//! does not tell apart, with one template and the same ingress policies, are decided together: each
//! part of their row is one visit, with the first source and its first destination. Pods that may
//! run on the same node as the destination (S55) are decided pair by pair, as far as their nodes
//! differ.
//!
//! Invariant: every verdict that deciding pair by pair ([`Judge::each`]) encounters is encountered,
//! pods before addresses. Cost: the rows of the templates and the own nodes of each destination;
//! memory: a few words per part of a row.

use crate::check::judge::{AskedPair, Judge, is_doubtful};
use crate::check::scope::{ScopedEnds, Trouble};
use crate::compile::effective_policy::EffectiveIx;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::{Allowed, RowCache};
use crate::model::Truth;
use crate::policy::Direction;
use crate::query::End;
use crate::query::list::numbered_endpoints::NumberedEndpoints;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, IndexMap};
use crate::spec::Endpoint;
use std::cell::RefCell;
use std::rc::Rc;

/// What a claim distinguishes sources and destinations by, besides what passes.
pub(crate) struct ClaimLabels<'l> {
    pub source: &'l dyn Fn(Endpoint) -> Truth,
    pub destination: &'l dyn Fn(&Judge<'_>, Endpoint) -> Result<TrafficSet, Trouble>,
}

impl ClaimLabels<'_> {
    /// The claim only looks at what passes.
    pub(crate) const NONE: Self = ClaimLabels {
        source: &|_| Truth::No,
        destination: &|_, _| Ok(TrafficSet::empty()),
    };
}

/// Sources that a claim does not tell apart.
#[derive(Default)]
struct ClaimSources {
    certain: bool,
    order: NumberedEndpoints,
    /// Up to two pods of each class and node, for flows within the class and from its nodes.
    samples: HashMap<EndpointIx, Vec<Endpoint>>,
    /// The classes of each effective egress policy.
    by_egress: IndexMap<EffectiveIx, EndpointSet>,
}

impl ClaimSources {
    /// One pod for each effective egress policy among some classes.
    fn one_per_egress(&self, classes: &EndpointSet) -> Vec<Endpoint> {
        let first = |same_egress: &EndpointSet| {
            self.samples[&same_egress.intersection(classes).first()?]
                .first()
                .copied()
        };
        self.by_egress.values().filter_map(first).collect()
    }
}

/// Destinations that a claim does not tell apart.
struct DestinationGroup {
    certain: bool,
    traffic: TrafficSet,
    list: Vec<(usize, Endpoint)>,
}

/// What a claim tells destinations apart by: template, effective ingress policy, whether they
/// certainly belong to the end, the traffic asked about, and the label.
type ClaimKey = (
    DestinationClassIx,
    EffectiveIx,
    bool,
    TrafficSet,
    TrafficSet,
);

/// One visit: its rank in the order of sources and destinations, the pair, and what passes; `None`
/// if that has to be looked up for the pair.
struct PairVisit {
    rank: (usize, usize),
    source: Endpoint,
    destination: Endpoint,
    group: [usize; 2],
    allowed: Option<Rc<Allowed>>,
}

impl Judge<'_> {
    /// [`Self::each`] for the pods of both ends, by class.
    pub(crate) fn each_by_class(
        &mut self,
        from: &ScopedEnds,
        to: &ScopedEnds,
        labels: &ClaimLabels<'_>,
        visit: &mut impl FnMut(&mut Self, &AskedPair<'_>),
    ) -> Result<usize, Trouble> {
        let sources = self.sources(from, labels);
        let destinations = self.destinations(to, labels)?;
        let rows = RefCell::new(RowCache::new(self.graph));
        let mut visits = Vec::new();
        for (d, group) in destinations.iter().enumerate() {
            self.group(&sources, (d, group), &mut rows.borrow_mut(), &mut visits);
        }
        visits.sort_by_key(|visit| visit.rank);
        let count = visits.len();
        let space = self.graph.space();
        for PairVisit {
            source,
            destination,
            group: [s, d],
            allowed,
            ..
        } in visits
        {
            let (sources, group) = (&sources[s], &destinations[d]);
            let (from, to) = (space.index_of(source), space.index_of(destination));
            let equivalents = || {
                let parts = rows.borrow_mut().parts(to);
                let part = parts.iter().find(|part| part.sources.contains(from));
                part.map(|part| sources.one_per_egress(&part.sources))
                    .unwrap_or_default()
            };
            let asked = AskedPair {
                source,
                destination,
                addresses: None,
                equivalents: if allowed.is_some() {
                    Some(&equivalents)
                } else {
                    None
                },
                traffic: group.traffic.clone(),
                allowed: allowed.map_or_else(
                    || self.allowed(source, destination),
                    |known| (*known).clone(),
                ),
                via_service: None,
                certain: sources.certain && group.certain,
            };
            visit(self, &asked);
        }
        Ok(count)
    }

    /// The visits of one group of destinations.
    fn group(
        &self,
        sources: &[ClaimSources],
        (d, group): (usize, &DestinationGroup),
        rows: &mut RowCache<'_>,
        visits: &mut Vec<PairVisit>,
    ) {
        let Some((_, first)) = group.list.first() else {
            return;
        };
        let mut near: Vec<EndpointSet> = Vec::new();
        for (_, end) in &group.list {
            let own_node = rows.own_node_sources(self.graph.space().index_of(*end));
            near.push(
                own_node
                    .iter()
                    .map(|(source, _)| *source..=*source)
                    .collect(),
            );
        }
        let parts = rows.parts(self.graph.space().index_of(*first));
        let known = EndpointSet::union_of(parts.iter().map(|part| &part.sources));
        let allowed: Vec<Rc<Allowed>> = parts
            .iter()
            .map(|part| Rc::new(part.allowed.clone()))
            .collect();
        for (s, sources) in sources.iter().enumerate() {
            let classes = &sources.order.indices;
            let of_parts = parts
                .iter()
                .zip(&allowed)
                .map(|(p, a)| (Rc::clone(a), p.sources.intersection(classes)));
            let nothing = (Rc::default(), classes.difference(&known));
            for (allowed, classes) in of_parts.chain([nothing]) {
                if let Some((rank, source, destination)) =
                    self.first_pair(sources, group, &near, &classes)
                {
                    visits.push(PairVisit {
                        rank,
                        source,
                        destination,
                        group: [s, d],
                        allowed: Some(allowed),
                    });
                }
            }
            self.near_pairs(sources, group, &near, |rank, source, destination| {
                visits.push(PairVisit {
                    rank,
                    source,
                    destination,
                    group: [s, d],
                    allowed: None,
                });
            });
        }
    }

    /// The sources of a claim in groups that it does not tell apart.
    fn sources(&self, from: &ScopedEnds, labels: &ClaimLabels<'_>) -> Vec<ClaimSources> {
        let mut groups: IndexMap<(bool, bool, Truth), Vec<(usize, Endpoint)>> = IndexMap::default();
        for (certain, number, end) in self.members(from) {
            let key = (certain, self.is_host(end), (labels.source)(end));
            groups.entry(key).or_default().push((number, end));
        }
        groups
            .into_iter()
            .map(|((certain, ..), list)| self.source_group(certain, &list))
            .collect()
    }

    /// A group of sources, given with their numbers.
    fn source_group(&self, certain: bool, list: &[(usize, Endpoint)]) -> ClaimSources {
        let space = self.graph.space();
        let mut seen = HashMap::default();
        let mut group = ClaimSources {
            certain,
            ..ClaimSources::default()
        };
        let mut by_egress: IndexMap<EffectiveIx, Vec<EndpointIx>> = IndexMap::default();
        for (_, end) in list {
            let class = space.index_of(*end);
            let samples = group.samples.entry(class).or_default();
            if samples.is_empty() {
                by_egress
                    .entry(self.graph.governed_by(class, Direction::Egress))
                    .or_default()
                    .push(class);
            }
            if self.is_among_two(*end, &mut seen) {
                samples.push(*end);
            }
        }
        for (egress, classes) in by_egress {
            let classes = classes.into_iter().collect();
            group.by_egress.insert(egress, classes);
        }
        group.order = NumberedEndpoints::new(
            list.iter()
                .map(|(number, end)| (space.index_of(*end), *number))
                .collect(),
        );
        group
    }

    /// The destinations of a claim in groups that it does not tell apart.
    fn destinations(
        &self,
        to: &ScopedEnds,
        labels: &ClaimLabels<'_>,
    ) -> Result<Vec<DestinationGroup>, Trouble> {
        let mut groups: IndexMap<ClaimKey, Vec<(usize, Endpoint)>> = IndexMap::default();
        for (certain, number, end) in self.members(to) {
            let class = self.graph.space().index_of(end);
            let governed = self.graph.governed_by(class, Direction::Ingress);
            let label = (labels.destination)(self, end)?;
            let key = (
                self.graph.destination_class_of(class),
                governed,
                certain,
                self.traffic(to, end)?,
                label,
            );
            groups.entry(key).or_default().push((number, end));
        }
        let mut found = Vec::new();
        for ((_, _, certain, traffic, _), mut list) in groups {
            let mut seen = HashMap::default();
            list.retain(|(_, end)| self.is_among_two(*end, &mut seen));
            found.push(DestinationGroup {
                certain,
                traffic,
                list,
            });
        }
        Ok(found)
    }

    /// The pods of the ends, numbered in order, and whether they certainly belong to them.
    fn members<'e>(
        &'e self,
        ends: &'e ScopedEnds,
    ) -> impl Iterator<Item = (bool, usize, Endpoint)> + 'e {
        let each = ends.resolved.ends.iter().flat_map(|end| {
            let pods = if let End::Pods { pods, .. } = end {
                &pods[..]
            } else {
                &[]
            };
            pods.iter()
                .map(|pod| (!is_doubtful(ends, end), Endpoint::Pod(*pod)))
        });
        each.enumerate()
            .map(|(number, (certain, end))| (certain, number, end))
    }

    /// Whether a pod is one of the first two of its class on its node.
    fn is_among_two<'j>(
        &'j self,
        end: Endpoint,
        seen: &mut HashMap<(EndpointIx, Option<&'j str>), usize>,
    ) -> bool {
        let count = seen
            .entry((self.graph.space().index_of(end), self.node(end)))
            .or_default();
        *count += 1;
        *count <= 2
    }

    /// The node that a pod runs on, if that is known.
    pub(crate) fn node(&self, end: Endpoint) -> Option<&str> {
        let Endpoint::Pod(pod) = end else { return None };
        self.graph.environment().cluster.pod(pod).node.as_deref()
    }

    /// The first of the flows from some classes to a group, apart from own nodes and from pods to
    /// themselves.
    fn first_pair(
        &self,
        sources: &ClaimSources,
        group: &DestinationGroup,
        near: &[EndpointSet],
        classes: &EndpointSet,
    ) -> Option<((usize, usize), Endpoint, Endpoint)> {
        let mut left = classes.clone();
        while let Some(number) = sources.order.earliest(&left) {
            let class = sources.order.number_at(number)?;
            for ((rank, destination), near) in group.list.iter().zip(near) {
                if let Some(source) = self
                    .sender(sources, class, *destination)
                    .filter(|_| !near.contains(class))
                {
                    return Some(((number, *rank), source, *destination));
                }
            }
            left = left.difference(&EndpointSet::point(class));
        }
        None
    }

    /// The flows from pods that may run on the same node as their destination.
    fn near_pairs(
        &self,
        sources: &ClaimSources,
        group: &DestinationGroup,
        near: &[EndpointSet],
        mut found: impl FnMut((usize, usize), Endpoint, Endpoint),
    ) {
        for ((rank, destination), near) in group.list.iter().zip(near) {
            for class in near.intersection(&sources.order.indices).points() {
                let number = sources
                    .order
                    .earliest(&EndpointSet::point(class))
                    .unwrap_or_default();
                // One on the same node, one on another, and one whose node is unknown.
                let mut seen = Vec::new();
                for source in &sources.samples[&class] {
                    let kind = (
                        self.node(*source).is_some(),
                        self.node(*source) == self.node(*destination),
                    );
                    if !self.is_itself(*source, *destination) && !seen.contains(&kind) {
                        seen.push(kind);
                        found((number, *rank), *source, *destination);
                    }
                }
            }
        }
    }

    /// A pod of a class that may start a connection to another: any but the same single pod.
    fn sender(
        &self,
        sources: &ClaimSources,
        class: EndpointIx,
        destination: Endpoint,
    ) -> Option<Endpoint> {
        sources.samples[&class]
            .iter()
            .copied()
            .find(|source| !self.is_itself(*source, destination))
    }
}
