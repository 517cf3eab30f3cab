//! Claims about many pods and many others: rows instead of pairs.
//!
//! Sources of which a claim sees the same ([`Labels`]) are a set of places. Destinations of which
//! it sees the same, with one template and the same policies on their way in, are asked once: each
//! part of their row is one visit, by the first source and its first destination. Pods beside each
//! other on a node (S55) are asked pair by pair, as far as their nodes differ.
//!
//! Invariant: every verdict that asking pair by pair ([`Judge::each`]) meets is met, pods before
//! addresses. Cost: the rows of the templates and what stands beside each destination; memory: a
//! few words per part of a row.

use crate::check::flows::{Asked, Judge, is_doubtful};
use crate::check::scope::{Ends, Trouble};
use crate::compile::peer_sets::EndpointSet;
use crate::graph::{Allowed, RowCache};
use crate::model::Truth;
use crate::policy::Direction;
use crate::query::End;
use crate::query::list::endpoint_order::EndpointOrder;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, IndexMap};
use crate::spec::Endpoint;
use std::cell::RefCell;
use std::rc::Rc;

/// What a claim looks at in a source or a destination, besides what passes.
pub(crate) struct Labels<'l> {
    pub source: &'l dyn Fn(Endpoint) -> Truth,
    pub destination: &'l dyn Fn(&Judge<'_>, Endpoint) -> Result<TrafficSet, Trouble>,
}

impl Labels<'_> {
    /// Nothing.
    pub(crate) const NONE: Self = Labels {
        source: &|_| Truth::No,
        destination: &|_, _| Ok(TrafficSet::empty()),
    };
}

/// Sources that a claim does not tell apart.
#[derive(Default)]
struct Sources {
    certain: bool,
    order: EndpointOrder,
    /// Up to two of each place and node, for flows inside it and from its nodes.
    at: HashMap<u32, Vec<Endpoint>>,
    /// The places of each profile of the way out.
    profiles: IndexMap<u32, EndpointSet>,
}

impl Sources {
    /// One for each way out there is among some places.
    fn by_profile(&self, places: &EndpointSet) -> Vec<Endpoint> {
        let first = |profile: &EndpointSet| {
            self.at[&profile.intersection(places).first()?]
                .first()
                .copied()
        };
        self.profiles.values().filter_map(first).collect()
    }
}

/// Destinations that a claim does not tell apart.
struct Destinations {
    certain: bool,
    traffic: TrafficSet,
    list: Vec<(usize, Endpoint)>,
}

/// One visit: where it belongs in the order of sources and destinations, and what passes; asked of
/// the pair where not told.
struct Visit {
    rank: (usize, usize),
    source: Endpoint,
    destination: Endpoint,
    group: [usize; 2],
    allowed: Option<Rc<Allowed>>,
}

impl Judge<'_> {
    /// [`Self::each`] for the pods of both.
    pub(crate) fn each_of_crowd(
        &mut self,
        from: &Ends,
        to: &Ends,
        labels: &Labels<'_>,
        visit: &mut impl FnMut(&mut Self, &Asked<'_>),
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
        for Visit {
            source,
            destination,
            group: [s, d],
            allowed,
            ..
        } in visits
        {
            let (sources, group) = (&sources[s], &destinations[d]);
            let places = (space.index_of(source), space.index_of(destination));
            let kin = || {
                let parts = rows.borrow_mut().parts(places.1);
                let part = parts.iter().find(|part| part.sources.contains(places.0));
                part.map(|part| sources.by_profile(&part.sources))
                    .unwrap_or_default()
            };
            let asked = Asked {
                source,
                destination,
                alike: None,
                kin: if allowed.is_some() { Some(&kin) } else { None },
                traffic: group.traffic.clone(),
                allowed: allowed
                    .map_or_else(|| self.allowed(source, destination), |told| (*told).clone()),
                led: None,
                certain: sources.certain && group.certain,
            };
            visit(self, &asked);
        }
        Ok(count)
    }

    /// The visits of one group of destinations.
    fn group(
        &self,
        sources: &[Sources],
        (d, group): (usize, &Destinations),
        rows: &mut RowCache<'_>,
        visits: &mut Vec<Visit>,
    ) {
        let Some((_, first)) = group.list.first() else {
            return;
        };
        let near = group
            .list
            .iter()
            .map(|(_, end)| rows.own_node_sources(self.graph.space().index_of(*end)));
        let runs = |own_node_sources: Vec<(u32, _)>| {
            own_node_sources
                .iter()
                .map(|(source, _)| *source..=*source)
                .collect()
        };
        let near: Vec<EndpointSet> = near.map(runs).collect();
        let parts = rows.parts(self.graph.space().index_of(*first));
        let told = EndpointSet::union_of(parts.iter().map(|part| &part.sources));
        let allowed: Vec<Rc<Allowed>> = parts
            .iter()
            .map(|part| Rc::new(part.allowed.clone()))
            .collect();
        for (s, sources) in sources.iter().enumerate() {
            let places = &sources.order.indices;
            let of_parts = parts
                .iter()
                .zip(&allowed)
                .map(|(p, a)| (Rc::clone(a), p.sources.intersection(places)));
            for (allowed, places) in of_parts.chain([(Rc::default(), places.difference(&told))]) {
                if let Some((rank, source, destination)) =
                    self.first_pair(sources, group, &near, &places)
                {
                    visits.push(Visit {
                        rank,
                        source,
                        destination,
                        group: [s, d],
                        allowed: Some(allowed),
                    });
                }
            }
            self.near_pairs(sources, group, &near, |rank, source, destination| {
                visits.push(Visit {
                    rank,
                    source,
                    destination,
                    group: [s, d],
                    allowed: None,
                });
            });
        }
    }

    fn sources(&self, from: &Ends, labels: &Labels<'_>) -> Vec<Sources> {
        let mut groups: IndexMap<(bool, bool, Truth), Vec<(usize, Endpoint)>> = IndexMap::default();
        for (certain, number, end) in self.members(from) {
            let key = (certain, self.is_host(end), (labels.source)(end));
            groups.entry(key).or_default().push((number, end));
        }
        let space = self.graph.space();
        let group = |((certain, ..), list): ((bool, bool, Truth), Vec<(usize, Endpoint)>)| {
            let mut met = HashMap::default();
            let mut group = Sources {
                certain,
                ..Sources::default()
            };
            let mut profiles: IndexMap<u32, Vec<u32>> = IndexMap::default();
            for (_, end) in &list {
                let place = space.index_of(*end);
                let at = group.at.entry(place).or_default();
                if at.is_empty() {
                    profiles
                        .entry(self.graph.governed_by(place, Direction::Egress))
                        .or_default()
                        .push(place);
                }
                if self.is_among_two(*end, &mut met) {
                    at.push(*end);
                }
            }
            let runs = |places: Vec<u32>| places.into_iter().map(|place| place..=place).collect();
            group.profiles = profiles
                .into_iter()
                .map(|(profile, places)| (profile, runs(places)))
                .collect();
            group.order = EndpointOrder::new(
                list.iter()
                    .map(|(number, end)| (space.index_of(*end), *number))
                    .collect(),
            );
            group
        };
        groups.into_iter().map(group).collect()
    }

    fn destinations(&self, to: &Ends, labels: &Labels<'_>) -> Result<Vec<Destinations>, Trouble> {
        type Key = (u32, u32, bool, TrafficSet, TrafficSet);
        let mut groups: IndexMap<Key, Vec<(usize, Endpoint)>> = IndexMap::default();
        for (certain, number, end) in self.members(to) {
            let place = self.graph.space().index_of(end);
            let governed = self.graph.governed_by(place, Direction::Ingress);
            let label = (labels.destination)(self, end)?;
            let key = (
                self.graph.template_of(place),
                governed,
                certain,
                self.traffic(to, end)?,
                label,
            );
            groups.entry(key).or_default().push((number, end));
        }
        let group = |((_, _, certain, traffic, _), mut list): (Key, Vec<(usize, Endpoint)>)| {
            let mut met = HashMap::default();
            list.retain(|(_, end)| self.is_among_two(*end, &mut met));
            Destinations {
                certain,
                traffic,
                list,
            }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// The pods of an end, numbered in order, and whether it is known that they belong to it.
    fn members<'e>(&'e self, ends: &'e Ends) -> impl Iterator<Item = (bool, usize, Endpoint)> + 'e {
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

    /// Whether a pod is one of the first two of its place on its node.
    fn is_among_two<'j>(
        &'j self,
        end: Endpoint,
        met: &mut HashMap<(u32, Option<&'j str>), usize>,
    ) -> bool {
        let many = met
            .entry((self.graph.space().index_of(end), self.node(end)))
            .or_default();
        *many += 1;
        *many <= 2
    }

    /// The node that a pod runs on, if that is told.
    pub(crate) fn node(&self, end: Endpoint) -> Option<&str> {
        let Endpoint::Pod(pod) = end else { return None };
        self.graph.environment().cluster.pod(pod).node.as_deref()
    }

    /// Of the flows from some places to a group, own nodes and pods with themselves aside, the one
    /// that comes first.
    fn first_pair(
        &self,
        sources: &Sources,
        group: &Destinations,
        near: &[EndpointSet],
        places: &EndpointSet,
    ) -> Option<((usize, usize), Endpoint, Endpoint)> {
        let mut left = places.clone();
        while let Some(number) = sources.order.earliest(&left) {
            let place = sources.order.number_at(number)?;
            for ((rank, destination), near) in group.list.iter().zip(near) {
                if let Some(source) = self
                    .sender(sources, place, *destination)
                    .filter(|_| !near.contains(place))
                {
                    return Some(((number, *rank), source, *destination));
                }
            }
            left = left.difference(&EndpointSet::point(place));
        }
        None
    }

    /// The flows from pods that stand beside their destination.
    fn near_pairs(
        &self,
        sources: &Sources,
        group: &Destinations,
        near: &[EndpointSet],
        mut found: impl FnMut((usize, usize), Endpoint, Endpoint),
    ) {
        for ((rank, destination), near) in group.list.iter().zip(near) {
            for place in near.intersection(&sources.order.indices).points() {
                let number = sources
                    .order
                    .earliest(&EndpointSet::point(place))
                    .unwrap_or_default();
                // one on the same node, one on another, one of which it is not told
                let mut met = Vec::new();
                for source in &sources.at[&place] {
                    let kind = (
                        self.node(*source).is_some(),
                        self.node(*source) == self.node(*destination),
                    );
                    if !self.is_itself(*source, *destination) && !met.contains(&kind) {
                        met.push(kind);
                        found((number, *rank), *source, *destination);
                    }
                }
            }
        }
    }

    /// A pod of a place that may start a connection to another: any but itself, if it is alone.
    fn sender(&self, sources: &Sources, place: u32, destination: Endpoint) -> Option<Endpoint> {
        sources.at[&place]
            .iter()
            .copied()
            .find(|source| !self.is_itself(*source, destination))
    }
}
